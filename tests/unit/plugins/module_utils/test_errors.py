# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils import _errors
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    ERROR_TYPES,
    ResourceBusy,
    VapiError,
    error_class,
    reason_of,
)

CLASSES = [value for value in vars(_errors).values() if isinstance(value, type) and issubclass(value, VapiError)]


def test_the_discriminators_are_the_25_of_vapi():
    assert len(ERROR_TYPES) == 25


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_has_one_of_them_and_is_found_by_it(cls):
    assert cls.error_type in ERROR_TYPES
    assert issubclass(cls, error_class(cls.error_type))


@pytest.mark.parametrize("error_type", sorted(ERROR_TYPES))
def test_every_discriminator_can_be_raised(error_type):
    error = error_class(error_type)("no", error_type=error_type)
    assert error.fail_kwargs()["error_type"] == error_type


def test_an_error_renders_itself():
    message = {"id": "busy", "default_message": "The item is being updated."}
    error = ResourceBusy(
        "No luck.",
        http_status=500,
        messages=[message],
        operation="update_session.create",
        update_session={"id": "a"},
    )
    assert error.fail_kwargs() == {
        "msg": "No luck.",
        "error_type": "RESOURCE_BUSY",
        "http_status": 500,
        "messages": [message],
        "operation": "update_session.create",
        "update_session": {"id": "a"},
    }


def test_an_error_made_here_has_the_same_keys():
    kwargs = VapiError("No luck.").fail_kwargs()
    assert kwargs == {"msg": "No luck.", "error_type": "ERROR", "http_status": None, "messages": [], "operation": None}
    json.dumps(kwargs)


class TaskTimeoutError(BaseException):
    """That of ansible-core 2.16 to 2.18, which is raised without a text."""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ResourceBusy("The item is busy."), "The item is busy."),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (TaskTimeoutError(), "the task timed out"),
        (TaskTimeoutError("Timed out after 4 seconds."), "Timed out after 4 seconds."),
    ],
)
def test_the_reason_of_what_has_no_text(error, told):
    assert reason_of(error) == told
