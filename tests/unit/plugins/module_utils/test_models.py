# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils import _models
from ansible_collections.vsphere.content_library.plugins.module_utils._models import (
    Field,
    Library,
    Message,
    UpdateSession,
    UpdateSessionInfo,
    UploadFile,
    WarningBehavior,
    fields,
)

MODELS = [value for value in vars(_models).values() if isinstance(value, type) and hasattr(value, "__total__")]


@pytest.mark.parametrize("model", MODELS)
def test_the_fields_of_each_model_can_be_read(model):
    assert fields(model)
    assert all(field.kind in ("str", "int", "bool", "dict", "list") for field in fields(model).values())


def test_a_field_tells_its_type_and_whether_it_may_be_null():
    assert fields(UpdateSession)["state"] == Field("str")
    assert fields(UpdateSession)["client_progress"] == Field("int", may_be_null=True)
    assert fields(UpdateSession)["error_message"] == Field("dict", model=Message, may_be_null=True)
    assert fields(Message)["args"].elements == Field("str")
    assert fields(Message)["params"] == Field("dict", may_be_null=True)
    assert fields(UpdateSession)["expiration_time"] == Field("str", format="Time", may_be_null=True)
    assert fields(Library)["storage_backings"].elements.model is _models.StorageBacking


def test_a_field_tells_whether_it_is_always_there():
    assert [name for name, field in fields(UpdateSessionInfo).items() if not field.always] == ["files", "validation"]
    assert [name for name, field in fields(UploadFile).items() if not field.always] == ["upload_endpoint"]
    assert [name for name, field in fields(WarningBehavior).items() if not field.always] == ["ignored"]
