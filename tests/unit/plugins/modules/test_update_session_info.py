# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession, fields
from ansible_collections.vsphere.content_library.plugins.modules import update_session_info
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import (
    EXPIRATION_TIME,
    HOST,
    ID,
    LOGIN,
    Answer,
    Refusal,
    reset,
    session,
)

NOT_FOUND = Refusal("NOT_FOUND", 404, ("There is no such thing.",))
NOT_ALLOWED = Refusal("NOT_ALLOWED_IN_CURRENT_STATE", 400, ("Not now.",))
# What a session looks like of which the server tells nothing.
NOTHING = {name: [] if field.kind == "list" else None for name, field in fields(UpdateSession).items()}

both_modes = pytest.mark.parametrize("check_mode", [False, True])


def info(server, check_mode=False, **params):
    outcome = server.run(update_session_info, check_mode, **params)
    assert not outcome.failed, outcome.result
    assert outcome.result["changed"] is False
    assert outcome.result["operations"] == []
    return outcome.result["update_sessions"]


def expect_list(server, *models, query=""):
    server.expect("list", [model["id"] for model in models], query=query)
    with server.wire.any_order():
        for model in models:
            server.expect("get", model, id=model["id"])


# How many requests


def test_one_session_with_a_login_is_exactly_three_requests(server):
    server.expect("log_in", "own-token")
    server.expect("get", session(), token="own-token")
    server.expect("log_out", token="own-token")
    info(server, update_session_id=ID, **LOGIN)


# Which sessions


@pytest.mark.parametrize("server", ["rest"], indirect=True)
def test_a_list_that_is_null_is_an_empty_list(server):
    """As vcsim answers."""
    server.expect("list", Answer(200, b'{"value": null}'))
    assert info(server) == []


@pytest.mark.parametrize(
    ("states", "left"),
    [(["ACTIVE"], ["a"]), (["DONE", "ERROR"], ["d", "e"]), (["CANCELED"], []), ([], ["a", "d", "e"])],
)
def test_states_filter(server, states, left):
    expect_list(server, session(id="a"), session("DONE", id="d"), session("ERROR", id="e"))
    assert [one["id"] for one in info(server, states=states)] == left


def test_a_state_that_is_not_known_here_is_passed_through(server):
    server.expect("get", session("PAUSED"))
    assert [one["state"] for one in info(server, update_session_id=ID)] == ["PAUSED"]


# What a session looks like


def test_every_key_is_always_there(server):
    server.expect("get", {"state": "ACTIVE"})
    (told,) = info(server, update_session_id=ID)
    assert told == {**NOTHING, "id": ID, "state": "ACTIVE"}
    assert (told["error_message"], told["warning_behavior"], told["blocking_warnings"]) == (None, [], [])


def test_what_the_server_tells_is_kept(server):
    model = session(client_progress=40, warning_behavior=[{"type": "EXPIRED_CERTIFICATE", "ignored": True}])
    server.expect("get", {**model, "invented_later": {"deep": [1]}})
    (told,) = info(server, update_session_id=ID)
    assert told == {**NOTHING, **model, "expires_in": 300, "invented_later": {"deep": [1]}}


def test_an_error_message_has_every_key(server):
    server.expect("get", session("ERROR", error_message={"id": "why", "default_message": "Because."}))
    (told,) = info(server, update_session_id=ID)
    assert told["error_message"] == {
        "id": "why",
        "default_message": "Because.",
        "args": [],
        "params": None,
        "localized": None,
    }


def test_a_preview_has_every_key(server):
    server.expect("get", session(preview_info={"state": "UNAVAILABLE"}))
    (told,) = info(server, update_session_id=ID)
    assert told["preview_info"] == {
        "state": "UNAVAILABLE",
        "certificate_info": None,
        "cert_chain": [],
        "warnings": [],
    }


def test_the_params_of_a_message_are_a_map_on_both(server):
    params = {"size": {"i": 5}, "name": {"s": "a.iso"}}
    on_wire = params
    if server.dialect == "rest":
        on_wire = [{"key": key, "value": value} for key, value in params.items()]
    server.expect("get", session("ERROR", error_message={"id": "why", "default_message": "x", "params": on_wire}))
    (told,) = info(server, update_session_id=ID)
    assert told["error_message"]["params"] == params


def test_blocking_warnings_are_those_raised_and_not_ignored(server):
    warnings = [
        {"type": "SELF_SIGNED_CERTIFICATE", "message": {"id": "a", "default_message": "a"}, "ignored": False},
        {"type": "EXPIRED_CERTIFICATE", "ignored": True},
        {"type": "UNTRUSTED_CERTIFICATE", "ignored": False},
    ]
    behavior = [{"type": "SELF_SIGNED_CERTIFICATE", "ignored": True}]
    preview = {"state": "AVAILABLE", "warnings": warnings}
    server.expect("get", session(preview_info=preview, warning_behavior=behavior))
    (told,) = info(server, update_session_id=ID)
    assert told["blocking_warnings"] == ["UNTRUSTED_CERTIFICATE"]
    assert told["preview_info"]["warnings"] == warnings


@pytest.mark.parametrize(
    ("date", "left"),
    [
        ("Thu, 15 Jan 2026 10:20:31 GMT", 300),
        ("Thu, 15 Jan 2026 10:25:31 GMT", 0),
        ("Thu, 15 Jan 2026 10:25:32 GMT", 0),
        ("Thu, 15 Jan 2026 11:00:00 GMT", 0),
        ("Wed, 14 Jan 2026 10:25:31 GMT", 86400),
    ],
)
def test_expires_in_goes_by_the_clock_of_the_server(server, clock, date, left):
    clock.now += 12345
    server.expect("get", Answer(200, as_answer(server, session()), {"Date": date}))
    (told,) = info(server, update_session_id=ID)
    assert (told["expires_in"], told["expiration_time"]) == (left, EXPIRATION_TIME)


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 15 Jan 2026 10:20:31 +99999999999999999999"])
def test_without_a_clock_of_the_server_ours_has_to_do(server, date):
    server.expect("get", Answer(200, as_answer(server, session()), {"Date": date}))
    assert info(server, update_session_id=ID)[0]["expires_in"] == 300


def as_answer(server, model):
    return json.dumps(model if server.dialect == "api" else {"value": model}).encode()


# gather_files and validate


def test_files_are_added_without_their_upload_endpoints(server):
    server.expect("get", session())
    server.expect(
        "files",
        [
            {
                "name": "b.iso",
                "source_type": "PUSH",
                "status": "WAITING_FOR_TRANSFER",
                "upload_endpoint": {"uri": "https://10.1.1.2:443/cls/data/secret/b.iso"},
                "size": 7,
            },
            {
                "name": "a.iso",
                "source_type": "PULL",
                "status": "READY",
                "source_endpoint": {"uri": "https://user:pull-password@mirror.example.com/a.iso"},
            },
        ],
    )
    (told,) = info(server, update_session_id=ID, gather_files=True)
    first, second = told["files"]
    assert (first["name"], second["name"]) == ("a.iso", "b.iso")
    assert first["source_endpoint"]["uri"] == "https://mirror.example.com/a.iso"
    assert second["size"] == 7
    assert "upload_endpoint" not in second
    assert first.keys() == second.keys() >= {"checksum_info", "bytes_transferred", "error_message", "keep_in_storage"}


@pytest.mark.parametrize("state", ["ACTIVE", "DONE"])
def test_a_session_without_files_has_an_empty_list(server, state):
    server.expect("get", session(state))
    server.expect("files", [])
    assert info(server, update_session_id=ID, gather_files=True)[0]["files"] == []


def test_files_that_can_not_be_told_yet_are_an_empty_list(server):
    server.expect("get", session())
    server.expect("files", NOT_ALLOWED)
    assert info(server, update_session_id=ID, gather_files=True)[0]["files"] == []


def test_validate_adds_what_is_wrong(server):
    server.expect("get", session())
    server.expect("validate", {"has_errors": True, "missing_files": ["disk.vmdk"]})
    (told,) = info(server, update_session_id=ID, validate=True)
    assert told["validation"] == {"has_errors": True, "missing_files": ["disk.vmdk"], "invalid_files": []}


@pytest.mark.parametrize("state", ["DONE", "ERROR", "CANCELED"])
def test_a_session_that_ended_is_not_validated(server, state):
    server.expect("get", session(state))
    assert info(server, update_session_id=ID, validate=True)[0]["validation"] is None


@pytest.mark.parametrize("typed", [True, False])
def test_a_session_that_can_not_be_validated_yet_says_so(server, typed):
    server.expect("get", session())
    server.expect("files", [])
    server.expect("validate", Refusal("NOT_ALLOWED_IN_CURRENT_STATE", 400, ("Not now.",), typed=typed))
    (told,) = info(server, update_session_id=ID, gather_files=True, validate=True)
    assert (told["files"], told["validation"]) == ([], None)


def test_a_session_that_vanishes_before_its_files_are_read_is_left_out(server):
    expect_list(server, session(id="gone"), session("DONE", id="there"))
    with server.wire.any_order():
        server.expect("files", NOT_FOUND, id="gone")
        server.expect("files", [], id="there")
    assert [one["id"] for one in info(server, gather_files=True)] == ["there"]


def test_only_wanted_sessions_are_looked_at_closer(server):
    expect_list(server, session(id="a"), session("DONE", id="d"))
    server.expect("validate", {"has_errors": False}, id="a")
    assert info(server, states=["ACTIVE"], validate=True)[0]["validation"]["has_errors"] is False


# Failures


def test_a_read_that_is_refused_fails_the_task(server):
    server.expect("get", Refusal("UNAUTHORIZED", 403, ("Not yours.", "Really.", "The privilege is missing.")))
    outcome = server.run(update_session_info, update_session_id=ID)
    assert outcome.failed
    result = outcome.result
    assert (result["error_type"], result["http_status"]) == ("UNAUTHORIZED", 403)
    assert result["operation"] == "update_session.get"
    assert [message["default_message"] for message in result["messages"]][1] == "Really."
    for part in (ID, HOST, "Not yours.", "The privilege is missing."):
        assert part in result["msg"]


def test_a_read_is_asked_again(server):
    server.expect("get", reset())
    server.expect("get", Answer(502, b"<html>Bad Gateway</html>"))
    server.expect("get", session())
    assert info(server, update_session_id=ID)


@pytest.mark.parametrize("option", ["update_session_id", "library_item_id"])
@pytest.mark.parametrize("value", ["", "\t"])
def test_an_empty_id_is_refused_before_anything_is_sent(server, option, value):
    outcome = server.run(update_session_info, **{option: value})
    assert outcome.result["error_type"] == "INVALID_ARGUMENT"
    assert option in outcome.result["msg"]
