# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import update_session
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import (
    EXPIRATION_TIME,
    HOST,
    ID,
    ITEM,
    LOGIN,
    Answer,
    Refusal,
    hang,
    refused,
    reset,
    session,
)

OTHER_ID = "another:session"
NOT_FOUND = Refusal("NOT_FOUND", 404, ("There is no such session.",))
NOT_ALLOWED = Refusal("NOT_ALLOWED_IN_CURRENT_STATE", 400, ("It has ended.",))
UNTYPED = Refusal("NOT_ALLOWED_IN_CURRENT_STATE", 400, ("It has ended.",), typed=False)
OF_ITEM = f"?library_item_id={ITEM}"
SELF_SIGNED = [{"type": "SELF_SIGNED_CERTIFICATE", "ignored": True}]
MESSAGE = {"id": "com.vmware.vdcs.cls-main.checksum", "default_message": "The checksum differs."}

both_modes = pytest.mark.parametrize("check_mode", [False, True])


def run(server, check_mode=False, **params):
    if "library_item_id" not in params:
        params = {"update_session_id": ID, **params}
    return server.run(update_session, check_mode, **params)


def changed(outcome, *operations):
    assert not outcome.failed, outcome.result
    assert outcome.result["operations"] == list(operations)
    assert outcome.result["changed"] is bool(operations)
    return outcome.result["update_session"]


def refusal_of(outcome, error_type):
    assert outcome.failed, outcome.result
    assert outcome.result["error_type"] == error_type
    assert HOST in outcome.result["msg"]
    return outcome.result


def expect_list(server, *models):
    """A list of the item's sessions, and a look at each."""
    server.expect("list", [model["id"] for model in models], query=OF_ITEM)
    with server.wire.any_order():
        for model in models:
            server.expect("get", model, id=model["id"])


# state: active, by id


@both_modes
def test_a_life_without_an_end_is_long_enough(server, check_mode):
    server.expect("get", session(expiration_time=None))
    changed(run(server, check_mode, min_lifetime=3600))


# state: active, by item


def test_warning_behavior_that_get_leaves_out_is_not_sent_twice(server):
    expect_list(server)
    server.expect("create", ID, {"library_item_id": ITEM, "warning_behavior": SELF_SIGNED})
    server.expect("get", session())
    outcome = run(server, library_item_id=ITEM, warning_behavior=[{"type": "SELF_SIGNED_CERTIFICATE"}])
    assert changed(outcome, "create")["warning_behavior"] == SELF_SIGNED


def busy(server):
    return Refusal("RESOURCE_BUSY", 500 if server.dialect == "api" else 400, ("The item is being updated.",))


def test_a_create_whose_answer_was_lost_is_sent_again(server):
    expect_list(server)
    server.expect("create", reset(), {"library_item_id": ITEM})
    server.expect("create", ID, {"library_item_id": ITEM})
    server.expect("get", session())
    assert changed(run(server, library_item_id=ITEM), "create")["id"] == ID
    assert len(set(server.wire.client_tokens)) == 1


def test_an_answer_to_create_that_can_not_be_read_is_a_lost_one(server):
    expect_list(server)
    server.expect("create", Answer(201 if server.dialect == "api" else 200, b'"6ad2a'), {"library_item_id": ITEM})
    server.expect("create", ID, {"library_item_id": ITEM})
    server.expect("get", session())
    assert changed(run(server, library_item_id=ITEM), "create")["id"] == ID


def test_a_session_of_the_user_that_appears_meanwhile_is_adopted(server):
    expect_list(server)
    server.expect("create", busy(server), {"library_item_id": ITEM})
    expect_list(server, session("CANCELED", id=OTHER_ID), session())
    assert changed(run(server, library_item_id=ITEM))["id"] == ID


@pytest.mark.parametrize("status", [429, 503])
def test_a_create_that_was_turned_away_is_sent_again_without_a_look(server, status):
    expect_list(server)
    server.expect("create", Refusal("SERVICE_UNAVAILABLE", status), {"library_item_id": ITEM})
    server.expect("create", ID, {"library_item_id": ITEM})
    server.expect("get", session())
    assert changed(run(server, library_item_id=ITEM), "create")["id"] == ID


def test_a_list_that_ignores_the_item_is_filtered_here(server):
    """As vcsim does."""
    other = session(id=OTHER_ID, library_item_id="another item")
    expect_list(server, other, session())
    assert changed(run(server, library_item_id=ITEM))["id"] == ID


# state: done


def test_an_asynchronous_complete_is_waited_for(server, clock):
    server.expect("get", session())
    server.expect("complete")
    for _look in range(4):
        server.expect("get", session())
    server.expect("get", session("DONE"))
    assert changed(run(server, state="done"), "complete")["state"] == "DONE"
    assert clock.pauses


def test_a_session_that_ends_in_error_fails_with_the_servers_message(server):
    server.expect("get", session())
    server.expect("complete")
    server.expect("get", session("ERROR", error_message=MESSAGE))
    server.expect("files", [])
    result = refusal_of(run(server, state="done"), "ERROR")
    assert result["operation"] == "update_session.complete"
    assert result["update_session"]["state"] == "ERROR"
    assert "The checksum differs." in result["msg"]
    assert ID in result["msg"]


def test_the_error_of_a_file_is_told_too(server):
    server.expect("get", session())
    server.expect("complete")
    server.expect("get", session("ERROR", error_message=MESSAGE))
    server.expect(
        "files",
        [
            {"name": "good.iso", "status": "READY"},
            {"name": "bad.iso", "status": "ERROR", "error_message": {"default_message": "It is too short."}},
        ],
    )
    msg = run(server, state="done").result["msg"]
    assert "bad.iso: It is too short." in msg
    assert "good.iso" not in msg


def test_a_refused_complete_tells_what_validate_finds(server):
    server.expect("get", session())
    server.expect("complete", NOT_ALLOWED)
    server.expect("get", session())
    server.expect("files", [])
    invalid = [{"name": "bad.vmdk", "error_message": {"default_message": "It has the wrong size."}}]
    server.expect("validate", {"has_errors": True, "missing_files": ["disk.vmdk"], "invalid_files": invalid})
    result = refusal_of(run(server, state="done"), "NOT_ALLOWED_IN_CURRENT_STATE")
    assert result["update_session"]["state"] == "ACTIVE"
    for text in ("It has ended.", "disk.vmdk: missing", "bad.vmdk: It has the wrong size."):
        assert text in result["msg"]


def test_a_reason_that_can_not_be_had_does_not_hide_the_error(server):
    server.expect("get", session())
    server.expect("complete")
    server.expect("get", session("ERROR", error_message=MESSAGE))
    server.expect("files", NOT_FOUND)
    assert "The checksum differs." in refusal_of(run(server, state="done"), "ERROR")["msg"]


def test_a_complete_that_takes_too_long_times_out(server, clock):
    start = clock.now
    server.expect("get", session())
    server.expect("complete")
    server.expect("get", session(), polled=True)
    server.expect("files", [])
    server.expect("validate", {"has_errors": False})
    result = refusal_of(run(server, state="done", wait_timeout=20), "TIMED_OUT")
    assert result["update_session"]["state"] == "ACTIVE"
    assert 20 <= clock.now - start <= 21


@pytest.mark.parametrize("state", ["ACTIVE", "DONE"])
def test_without_wait_the_session_is_returned_as_it_is(server, state):
    server.expect("get", session())
    server.expect("complete")
    server.expect("get", session(state))
    assert changed(run(server, state="done", wait=False), "complete")["state"] == state


def test_without_wait_a_session_that_ended_in_error_fails_too(server):
    server.expect("get", session())
    server.expect("complete")
    server.expect("get", session("ERROR", error_message=MESSAGE))
    server.expect("files", [])
    assert "The checksum differs." in refusal_of(run(server, state="done", wait=False), "ERROR")["msg"]


@pytest.mark.parametrize("answer", [NOT_ALLOWED, UNTYPED])
def test_somebody_else_completed_it_meanwhile(server, answer):
    server.expect("get", session())
    server.expect("complete", answer)
    server.expect("get", session("DONE"))
    server.expect("get", session("DONE"))
    assert changed(run(server, state="done"), "complete")["state"] == "DONE"


@pytest.mark.parametrize("lost", [reset, hang])
def test_a_lost_answer_to_complete_is_polled_for(server, lost):
    server.expect("get", session())
    server.expect("complete", lost())
    for _look in range(3):
        server.expect("get", session())
    server.expect("get", session("DONE"))
    server.expect("get", session("DONE"))
    assert changed(run(server, state="done"), "complete")["state"] == "DONE"


def test_a_gateway_that_gave_up_on_complete_is_polled_for(server):
    server.expect("get", session())
    server.expect("complete", Answer(504, b"<html>Gateway Time-out</html>"))
    server.expect("get", session("DONE"))
    server.expect("get", session("DONE"))
    assert changed(run(server, state="done"), "complete")["state"] == "DONE"


def test_a_session_that_stays_active_is_completed_again(server, clock):
    start = clock.now
    server.expect("get", session())
    server.expect("complete", reset())
    server.expect("get", session(), polled=True)
    server.expect("complete")
    server.expect("get", session("DONE"))
    assert changed(run(server, state="done"), "complete")["state"] == "DONE"
    assert 60 <= clock.now - start < 120


def test_a_complete_that_was_turned_away_goes_on_beyond_request_timeout(server, clock):
    start = clock.now
    server.expect("get", session())
    for _turned_away in range(4):
        server.expect("complete", Refusal("SERVICE_UNAVAILABLE", 503, headers={"Retry-After": "30"}))
    server.expect("complete")
    server.expect("get", session("DONE"))
    assert changed(run(server, state="done"), "complete")["state"] == "DONE"
    assert clock.now - start >= 120


def test_a_complete_is_bounded_by_wait_timeout(server, clock):
    start = clock.now
    server.expect("get", session())
    server.expect("complete", Refusal("SERVICE_UNAVAILABLE", 503, headers={"Retry-After": "6"}))
    server.expect("complete", Refusal("SERVICE_UNAVAILABLE", 503, headers={"Retry-After": "6"}))
    server.expect("get", session())
    server.expect("files", [])
    server.expect("validate", {"has_errors": False})
    refusal_of(run(server, state="done", wait_timeout=10), "SERVICE_UNAVAILABLE")
    assert clock.now - start <= 10


# state: canceled


def test_what_is_canceled_is_not_steered_before(server):
    server.expect("get", session())
    server.expect("cancel")
    server.expect("get", session("CANCELED"))
    changed(run(server, state="canceled", client_progress=50, min_lifetime=3600), "cancel")


def test_a_lost_cancel_is_sent_again(server):
    server.expect("get", session())
    server.expect("cancel", reset())
    server.expect("get", session())
    server.expect("cancel")
    server.expect("get", session("CANCELED"))
    changed(run(server, state="canceled"), "cancel")


@pytest.mark.parametrize("answer", [NOT_ALLOWED, UNTYPED])
def test_somebody_else_canceled_it_meanwhile(server, answer):
    server.expect("get", session())
    server.expect("cancel", answer)
    server.expect("get", session("CANCELED"))
    server.expect("get", session("CANCELED"))
    changed(run(server, state="canceled"), "cancel")


# state: absent


def test_a_session_that_vanishes_before_delete_is_deleted(server):
    server.expect("get", session("DONE"))
    server.expect("delete", NOT_FOUND)
    changed(run(server, state="absent"), "delete")


def test_a_session_that_vanishes_before_cancel_is_deleted(server):
    server.expect("get", session())
    server.expect("cancel", NOT_FOUND)
    server.expect("delete", NOT_FOUND)
    assert not run(server, state="absent").failed


def test_a_session_that_ends_before_cancel_is_deleted(server):
    server.expect("get", session())
    server.expect("cancel", NOT_ALLOWED)
    server.expect("get", session("DONE"))
    server.expect("delete")
    assert not run(server, state="absent").failed


def test_a_lost_answer_to_delete_is_asked_for_again(server):
    server.expect("get", session("DONE"))
    server.expect("delete", reset())
    server.expect("delete", NOT_FOUND)
    changed(run(server, state="absent"), "delete")


# Bad input


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("update_session_id", ""),
        ("update_session_id", " "),
        ("library_item_id", ""),
        ("client_progress", 101),
        ("client_progress", -1),
        ("min_lifetime", -1),
        ("wait_timeout", -1),
        ("hostname", ""),
        ("hostname", "no host"),
        ("request_timeout", 0),
    ],
)
@pytest.mark.parametrize("state", ["active", "absent"])
def test_bad_input_is_refused_before_anything_is_sent(server, option, value, state):
    params = {"update_session_id": ID} if option != "library_item_id" else {}
    outcome = server.run(update_session, **{**params, "state": state, option: value})
    assert outcome.failed
    assert outcome.result["error_type"] == "INVALID_ARGUMENT"
    assert outcome.result["http_status"] is None
    assert option in outcome.result["msg"]


def test_a_failed_write_still_deletes_the_own_token(server):
    server.expect("log_in", "own-token")
    server.expect("get", session(), token="own-token")
    server.expect("cancel", Refusal("UNAUTHORIZED", 403, ("Not yours.",)), token="own-token")
    server.expect("log_out", token="own-token")
    result = refusal_of(run(server, state="canceled", **LOGIN), "UNAUTHORIZED")
    assert result["http_status"] == 403


def test_a_refused_connection_before_a_write_needs_no_look(server):
    server.expect("get", session())
    server.expect("cancel", refused())
    server.expect("cancel")
    server.expect("get", session("CANCELED"))
    changed(run(server, state="canceled"), "cancel")


def test_the_expiration_is_told_as_it_came(server):
    server.expect("get", session())
    told = changed(run(server))
    assert (told["expiration_time"], told["expires_in"]) == (EXPIRATION_TIME, 300)
