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
    fields,
    file_diff_state,
    file_facts,
    item_diff_state,
    item_facts,
    item_file_facts,
    library_facts,
    message_facts,
    message_text,
    session_diff_state,
    session_facts,
    validation_facts,
    without_upload_endpoint,
    without_user_info,
)

MODELS = [value for value in vars(_models).values() if isinstance(value, type) and hasattr(value, "__total__")]
LEAST = {
    "session": (lambda model: session_facts(model, "s", 0), {"state": "ACTIVE"}),
    "file": (file_facts, {"name": "a.iso", "status": "READY"}),
    "validation": (validation_facts, {}),
    "item": (lambda model: item_facts(model, "i"), {"name": "tools"}),
    "item file": (item_file_facts, {"name": "a.iso"}),
    "library": (lambda model: library_facts(model, "l"), {"name": "demo", "type": "LOCAL"}),
    "message": (message_facts, {}),
}


# The fields


@pytest.mark.parametrize("model", MODELS)
def test_the_fields_of_each_model_can_be_read(model):
    assert fields(model)
    assert all(field.kind in ("str", "int", "bool", "dict", "list") for field in fields(model).values())


def test_a_field_tells_its_type_and_whether_it_may_be_null():
    assert fields(UpdateSession)["state"] == Field("str", None, None, False, True)
    assert fields(UpdateSession)["client_progress"] == Field("int", None, None, True, True)
    assert fields(UpdateSession)["error_message"] == Field("dict", Message, None, True, True)
    assert fields(Message)["args"].elements == Field("str", None, None, False, True)
    assert fields(Message)["params"] == Field("dict", None, None, True, True)
    assert fields(Library)["storage_backings"].elements.model is _models.StorageBacking


def test_a_field_tells_whether_it_is_always_there():
    assert [name for name, field in fields(UpdateSessionInfo).items() if not field.always] == ["files", "validation"]
    assert [name for name, field in fields(UploadFile).items() if not field.always] == ["upload_endpoint"]


# The facts


@pytest.mark.parametrize("kind", LEAST)
def test_each_field_is_there_whatever_the_server_leaves_out(kind):
    read, least = LEAST[kind]
    facts = read(least)
    given = {"session": {"id": "s"}, "item": {"id": "i"}, "library": {"id": "l"}}.get(kind, {})
    assert {name: value for name, value in facts.items() if value not in (None, [])} == {**least, **given}
    nulls = {**dict.fromkeys(facts), **least}
    assert read(nulls) == facts


@pytest.mark.parametrize("kind", LEAST)
def test_a_field_of_a_newer_vcenter_is_passed_through(kind):
    read, least = LEAST[kind]
    assert read({**least, "novelty": {"a": [1]}})["novelty"] == {"a": [1]}


@pytest.mark.parametrize("kind", LEAST)
@pytest.mark.parametrize("value", [None, [], "model", 1])
def test_what_is_no_model_is_refused(kind, value):
    with pytest.raises((TypeError, AttributeError)):
        LEAST[kind][0](value)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("session", "state", None),
        ("session", "id", 1),
        ("session", "client_progress", "40"),
        ("session", "warning_behavior", {}),
        ("session", "warning_behavior", ["SELF_SIGNED_CERTIFICATE"]),
        ("session", "warning_behavior", [{"type": 1}]),
        ("session", "preview_info", {"warnings": [None]}),
        ("session", "error_message", "It broke."),
        ("session", "error_message", {"args": [{}]}),
        ("file", "name", None),
        ("file", "checksum_info", {"checksum": 1}),
        ("file", "upload_endpoint", {"uri": ["https://vcenter"]}),
        ("validation", "missing_files", [None]),
        ("validation", "invalid_files", [{"error_message": {}}]),
        ("item", "name", None),
        ("item", "size", "1"),
        ("library", "publish_info", [1]),
    ],
)
def test_a_field_of_another_type_is_refused(kind, name, value):
    read, least = LEAST[kind]
    with pytest.raises(TypeError):
        read({**least, name: value})


def test_an_empty_map_is_told_as_an_empty_list_by_rest():
    assert message_facts({"params": []})["params"] == {}


def test_a_library_tells_no_password():
    info = {"user_name": "reader", "password": "secret", "current_password": "secret"}
    facts = library_facts({"name": "demo", "type": "LOCAL", "publish_info": info, "subscription_info": info}, "l")
    assert "secret" not in str(facts)
    assert facts["publish_info"]["user_name"] == "reader"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (None, None),
        ({}, None),
        ({"id": "a"}, "a"),
        ({"id": "a", "default_message": "b"}, "b"),
        ({"id": "a", "default_message": "b", "localized": "c"}, "c"),
        ({"id": "a", "default_message": "", "localized": None}, "a"),
    ],
)
def test_a_message_says_the_best_that_it_has(message, text):
    assert message_text(message) == text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@mirror.example.com/a.iso", "https://mirror.example.com/a.iso"),
        ("https://user:se@cret@mirror.example.com", "https://mirror.example.com"),
        ("https://mirror.example.com/a@b.iso", "https://mirror.example.com/a@b.iso"),
        ("ds:///vmfs/volumes/a@b/c.iso", "ds:///vmfs/volumes/a@b/c.iso"),
        ("", ""),
    ],
)
def test_user_info_is_not_shown(url, shown):
    assert without_user_info(url) == shown


def test_a_file_is_shown_without_its_upload_endpoint():
    source = {"uri": "https://user:secret@mirror.example.com/a.iso", "ssl_certificate_thumbprint": "AB"}
    model = {"name": "a.iso", "status": "READY", "upload_endpoint": {"uri": "x"}, "source_endpoint": source}
    told = file_facts(model)
    shown = without_upload_endpoint(told)
    assert "upload_endpoint" not in shown
    assert shown["source_endpoint"] == {**source, "uri": "https://mirror.example.com/a.iso"}
    assert told["source_endpoint"]["uri"] == source["uri"]


# What a task can change


def test_the_state_for_a_diff_has_nothing_that_moves_by_itself():
    session = session_facts({"state": "ACTIVE", "expiration_time": "2026-01-15T10:25:31.651Z"}, "s", 0)
    assert set(session_diff_state(session)) == {"state", "client_progress", "warning_behavior", "error_message"}
    file = file_facts({"name": "a.iso", "status": "READY", "bytes_transferred": 1})
    assert set(file_diff_state(file)) == {"name", "source_type", "status", "size", "checksum_info"}
    item = item_facts({"name": "tools", "version": "3"}, "i")
    assert item_diff_state(item) == {"name": "tools", "type": None, "description": None}


@pytest.mark.parametrize("diff_state", [session_diff_state, file_diff_state, item_diff_state])
def test_what_is_not_there_has_no_state(diff_state):
    assert diff_state(None) == {}
