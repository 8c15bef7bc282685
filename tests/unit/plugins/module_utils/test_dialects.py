# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._dialects import (
    DIALECTS,
    OPERATIONS,
    Operation,
    decode,
    read_error,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import ERROR_TYPES, InvalidArgument

API, REST = DIALECTS["api"], DIALECTS["rest"]
LOOK = OPERATIONS["update_session.get"]


def request(dialect, name, model=None, **arguments):
    made = dialect.request(OPERATIONS[name], arguments, model)
    return f"{made.method} {made.target}", None if made.body is None else json.loads(made.body)


# Requests


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("a:b", "a%3Ab"),
        ("a/../b", "a%2F..%2Fb"),
        ("a b", "a%20b"),
        ("100%.iso", "100%25.iso"),
        ("\u00fcber (1).iso", "%C3%BCber%20%281%29.iso"),
        ("a?action=complete#x", "a%3Faction%3Dcomplete%23x"),
        ("{library_item_id}", "%7Blibrary_item_id%7D"),
    ],
)
def test_what_stands_in_a_path_is_quoted(value, quoted):
    line, _body = request(API, "update_session.get", update_session_id=value)
    assert line == f"GET /api/content/library/item/update-session/{quoted}"
    line, _body = request(REST, "update_session.get", update_session_id=value)
    assert line == f"GET /rest/com/vmware/content/library/item/update-session/id:{quoted}"


def test_what_stands_in_a_query_is_quoted():
    line, _body = request(API, "update_session.list", library_item_id="a b&c=d")
    assert line == "GET /api/content/library/item/update-session?library_item_id=a%20b%26c%3Dd"


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("update_session.list", {"library_item_id": None}),
        ("update_session.keep_alive", {"update_session_id": "a", "client_progress": None}),
        ("update_session.get", {"update_session_id": None}),
        ("file.list", {"update_session_id": None}),
    ],
)
def test_null_does_not_mean_everything(operation, arguments):
    for dialect in (API, REST):
        with pytest.raises(InvalidArgument, match="must not be null"):
            request(dialect, operation, **arguments)


def test_what_is_not_given_is_left_out():
    for dialect in (API, REST):
        line, body = request(dialect, "update_session.list")
        assert ("?" in line, body) == (False, None)


def test_zero_is_given():
    for dialect in (API, REST):
        _line, body = request(dialect, "update_session.keep_alive", update_session_id="a", client_progress=0)
        assert body == {"client_progress": 0}


def test_a_model_is_the_body_of_api_and_wrapped_in_that_of_rest():
    model = {"name": "a.iso", "source_type": "PUSH"}
    line, body = request(API, "file.add", model, update_session_id="a")
    assert (line, body) == ("POST /api/content/library/item/update-session/a/file", model)
    line, body = request(REST, "file.add", model, update_session_id="a")
    assert line == "POST /rest/com/vmware/content/library/item/updatesession/file/id:a?~action=add"
    assert body == {"file_spec": model}


def test_an_argument_that_the_path_of_rest_does_not_name_travels_in_its_body():
    line, body = request(API, "file.remove", update_session_id="a", file_name="b.iso")
    assert (line, body) == ("DELETE /api/content/library/item/update-session/a/file/b.iso", None)
    line, body = request(REST, "file.remove", update_session_id="a", file_name="b.iso")
    assert line == "POST /rest/com/vmware/content/library/item/updatesession/file/id:a?~action=remove"
    assert body == {"file_name": "b.iso"}


def test_a_missing_argument_of_a_path_is_a_mistake():
    with pytest.raises(KeyError):
        request(API, "update_session.get")


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_what_is_wrapped_is_sent_and_creates_are_not_repeatable(operation: Operation):
    if operation.wrapper:
        assert operation.method in ("POST", "PATCH")
    if operation.status == 201 and operation.name != "session.create":
        assert not operation.repeatable
    assert (operation.result is None) == (operation.status == 204)


# Values


@pytest.mark.parametrize("value", ["text", 7, None, [], ["a"], {}, {"a": [{"b": None}]}])
def test_a_value_is_bare_on_api_and_wrapped_on_rest(value):
    assert API.value(LOOK, value) == value
    assert REST.value(LOOK, {"value": value}) == value


@pytest.mark.parametrize("payload", [{}, [], None, "text", {"values": 1}])
def test_a_rest_answer_without_a_value_is_none(payload):
    with pytest.raises((KeyError, TypeError)):
        REST.value(LOOK, payload)


def test_a_map_of_rest_is_one():
    inner = [{"key": "x", "value": 1}]
    wire = {"value": {"params": [{"key": "a", "value": {"deep": inner}}, {"key": "b", "value": "c"}]}}
    assert REST.value(LOOK, wire) == {"params": {"a": {"deep": {"x": 1}}, "b": "c"}}


@pytest.mark.parametrize("value", [[], [{"key": "a"}], [{"key": "a", "value": 1, "more": 2}], [{"key": "a"}, "b"]])
def test_what_only_looks_like_a_map_stays_a_list(value):
    assert REST.value(LOOK, {"value": value}) == value


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize(("depth", "read"), [(1, True), (40, True), (60, False), (500, False), (100_000, False)])
def test_json_is_read_to_the_depth_that_a_model_may_have(opening, depth, read):
    content = opening * depth + b"1" + (b"]" if opening == b"[" else b"}") * depth
    if read:
        assert decode(content) == json.loads(content)
        return
    with pytest.raises(ValueError, match="nested"):
        decode(content)


# Errors

MESSAGES = [{"id": f"id.{number}", "default_message": text} for number, text in enumerate(("One.", "Two.", "Three."))]


@pytest.mark.parametrize("error_type", sorted(ERROR_TYPES))
@pytest.mark.parametrize("status", [400, 500])
def test_the_type_decides_and_not_the_status(error_type, status):
    api = {"error_type": error_type, "messages": MESSAGES}
    rest = {"type": f"com.vmware.vapi.std.errors.{error_type.lower()}", "value": {"messages": MESSAGES}}
    for body in (api, rest):
        refusal = read_error(status, json.dumps(body).encode())
        assert (refusal.error_type, refusal.messages, refusal.readable) == (error_type, MESSAGES, True)


def test_the_first_and_the_last_message_are_shown():
    text = read_error(400, json.dumps({"error_type": "ERROR", "messages": MESSAGES}).encode()).text
    assert "One.: Three." in text
    assert "Two." not in text
    assert "400" in text


def test_a_rest_error_may_tell_its_type_in_the_value():
    body = {"type": "com.vmware.vapi.std.errors.brand_new", "value": {"error_type": "RESOURCE_BUSY", "messages": []}}
    assert read_error(400, json.dumps(body).encode()).error_type == "RESOURCE_BUSY"


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (400, "ERROR"),
        (401, "UNAUTHENTICATED"),
        (403, "UNAUTHORIZED"),
        (404, "NOT_FOUND"),
        (409, "CONCURRENT_CHANGE"),
        (429, "SERVICE_UNAVAILABLE"),
        (500, "INTERNAL_SERVER_ERROR"),
        (502, "INTERNAL_SERVER_ERROR"),
        (503, "SERVICE_UNAVAILABLE"),
        (504, "TIMED_OUT"),
        (418, "ERROR"),
    ],
)
@pytest.mark.parametrize(
    "content", [b"", b"<html></html>", b"{}", b'{"error_type": "BRAND_NEW"}', b'{"error_type": 7}']
)
def test_without_a_type_that_is_known_the_status_decides(status, error_type, content):
    refusal = read_error(status, content)
    assert refusal.error_type == error_type
    assert refusal.readable is (b"BRAND_NEW" in content)


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\xff",
        b"[]",
        b"null",
        b'"text"',
        b"7",
        b'{"messages": 7}',
        b'{"messages": {"a": "b"}}',
        b'{"messages": [7, null, "text", []]}',
        b'{"messages": [{}]}',
        b'{"messages": [{"default_message": {"a": 1}, "id": []}]}',
        b'{"messages": [{"key": "a", "value": "b"}]}',
        b'{"type": 7, "value": {"error_type": []}}',
        b'{"type": null, "value": {}}',
        b'{"type": "x", "value": []}',
        b'{"error_type": ["NOT_FOUND"]}',
        b'{"error_type": null, "messages": null, "data": null}',
        b"[" * 100_000,
        b'{"messages": [{"params": ' + b"[" * 900 + b"]" * 900 + b"}]}",
    ],
)
def test_no_body_is_too_odd_to_be_read(content):
    refusal = read_error(400, content)
    assert refusal.error_type == "ERROR"
    assert all(isinstance(message, dict) for message in refusal.messages)
    assert refusal.text


def test_the_params_of_a_message_are_a_map():
    message = {"id": "a", "default_message": "b", "params": [{"key": "size", "value": {"i": 5}}]}
    body = {"type": "com.vmware.vapi.std.errors.error", "value": {"messages": [message]}}
    assert read_error(400, json.dumps(body).encode()).messages[0]["params"] == {"size": {"i": 5}}


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"No space left\nmore", True),
        (b"<html><body>No space left</body></html>", False),
        (b"see https://10.1.1.2/cls/data/No space left", False),
        (b'["No space left"]', False),
        (b"\x00No space left", False),
        (b"No space left" + b"x" * 5_000_000, True),
    ],
)
def test_one_line_of_plain_text_is_shown(content, shown):
    text = read_error(500, content).text
    assert ("No space left" in text) is shown
    assert len(text) < 300
    assert "https://" not in text
