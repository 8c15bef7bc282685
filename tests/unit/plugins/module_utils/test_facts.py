# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._facts import (
    file_diff_state,
    file_facts,
    item_diff_state,
    item_facts,
    message_facts,
    message_text,
    read,
    session_diff_state,
    session_facts,
    with_id,
    without_upload_endpoint,
    without_user_info,
)

LEAST = {
    "UpdateSession": {"state": "ACTIVE"},
    "UploadFile": {"name": "a.iso", "status": "READY"},
    "Validation": {},
    "LibraryItem": {"name": "tools"},
    "LibraryItemFile": {"name": "a.iso"},
    "Library": {"name": "demo", "type": "LOCAL"},
    "Message": {},
}


# Answers


@pytest.mark.parametrize("kind", LEAST)
def test_each_field_is_there_whatever_the_server_leaves_out(kind):
    least = LEAST[kind]
    facts = read(kind, least)
    assert {name: value for name, value in facts.items() if value not in (None, [])} == least
    nulls = {**dict.fromkeys(facts), **least}
    assert read(kind, nulls) == facts


@pytest.mark.parametrize("kind", LEAST)
def test_a_field_of_a_newer_vcenter_is_passed_through(kind):
    assert read(kind, {**LEAST[kind], "novelty": {"a": [1]}})["novelty"] == {"a": [1]}


@pytest.mark.parametrize("kind", LEAST)
@pytest.mark.parametrize("value", [None, [], "model", 1])
def test_what_is_no_model_is_refused(kind, value):
    with pytest.raises(TypeError):
        read(kind, value)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("UpdateSession", "state", None),
        ("UpdateSession", "id", 1),
        ("UpdateSession", "expiration_time", "soon"),
        ("UpdateSession", "warning_behavior", [{"ignored": True}]),
        ("UpdateSession", "client_progress", "40"),
        ("UpdateSession", "warning_behavior", {}),
        ("UpdateSession", "warning_behavior", ["SELF_SIGNED_CERTIFICATE"]),
        ("UpdateSession", "warning_behavior", [{"type": 1}]),
        ("UpdateSession", "preview_info", {"warnings": [None]}),
        ("UpdateSession", "error_message", "It broke."),
        ("UpdateSession", "error_message", {"args": [{}]}),
        ("UploadFile", "name", None),
        ("UploadFile", "checksum_info", {"checksum": 1}),
        ("UploadFile", "upload_endpoint", {"uri": ["https://vcenter"]}),
        ("Validation", "missing_files", [None]),
        ("Validation", "invalid_files", [{"error_message": {}}]),
        ("LibraryItem", "name", None),
        ("LibraryItem", "size", "1"),
        ("Library", "publish_info", [1]),
    ],
)
def test_a_field_of_another_type_is_refused(kind, name, value):
    with pytest.raises((TypeError, ValueError)):
        read(kind, {**LEAST[kind], name: value})


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("str", 1),
        ("list[str]", {}),
        ("list[str]", [1]),
        ("list[str]", None),
        ("list[LibraryItemFile]", [[]]),
        ("Token", ""),
        ("Token", "two words"),
    ],
)
def test_an_answer_of_another_type_is_refused(annotation, value):
    with pytest.raises((TypeError, ValueError)):
        read(annotation, value)


def test_an_empty_map_is_told_as_an_empty_list_by_rest():
    assert message_facts({"params": []})["params"] == {}


def test_an_id_is_that_of_the_request_where_the_server_leaves_it_out():
    assert with_id(item_facts({"name": "tools"}), "i")["id"] == "i"
    assert with_id(item_facts({"name": "tools", "id": "j"}), "i")["id"] == "j"


def test_a_library_tells_no_password():
    info = {"user_name": "reader", "password": "secret", "current_password": "secret"}
    facts = read("Library", {**LEAST["Library"], "publish_info": info, "subscription_info": info})
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
    session = session_facts({"state": "ACTIVE", "expiration_time": "2026-01-15T10:25:31.651Z"}, 0)
    assert set(session_diff_state(session)) == {"state", "client_progress", "warning_behavior", "error_message"}
    file = file_facts({"name": "a.iso", "status": "READY", "bytes_transferred": 1})
    assert set(file_diff_state(file)) == {"name", "source_type", "status", "size", "checksum_info"}
    item = item_facts({"name": "tools", "version": "3"})
    assert item_diff_state(item) == {"name": "tools", "type": None, "description": None}


@pytest.mark.parametrize("diff_state", [session_diff_state, file_diff_state, item_diff_state])
def test_what_is_not_there_has_no_state(diff_state):
    assert diff_state(None) == {}
