# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    ResourceBusy,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._session_policy import finish, settle_others
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import (
    HOST,
    ID,
    ITEM,
    Refusal,
    session,
)

NOT_FOUND = Refusal("NOT_FOUND", 404, ("There is no such session.",))
OF_ITEM = f"?library_item_id={ITEM}"
PUSH = {"name": "a.iso", "source_type": "PUSH", "size": 7}
WAITING = {**PUSH, "status": "WAITING_FOR_TRANSFER"}


def sessions_of(server, **options):
    return UpdateSessions(server.client(**options))


# The end of a session


def test_why_a_complete_failed_is_told_where_the_session_can_not_be_read(server):
    server.expect("complete", Refusal("UNAUTHORIZED", 403, ("Not yours.",)))
    server.expect("get", Refusal("INTERNAL_SERVER_ERROR", 500, ("Down.",)))
    with pytest.raises(VapiError, match="Not yours") as caught:
        finish(sessions_of(server), ID, 60)
    assert caught.value.update_session is None


def test_a_reason_that_the_error_tells_is_not_told_again(server):
    message = {"id": "x", "default_message": "The disk is full.", "args": []}
    server.expect("complete", Refusal("NOT_ALLOWED_IN_CURRENT_STATE", 400, ("The disk is full.",)))
    server.expect("get", session("ERROR", error_message=message))
    server.expect("files", [{**WAITING, "status": "ERROR", "error_message": message}])
    with pytest.raises(VapiError) as caught:
        finish(sessions_of(server), ID, 60)
    assert str(caught.value).count("The disk is full.") == 1
    assert str(caught.value).endswith("; that is about file a.iso")


def test_a_reason_of_a_session_and_its_file_is_told_once(server):
    message = {"id": "x", "default_message": "The disk is full.", "args": []}
    server.expect("complete")
    server.expect("get", session("ERROR", error_message=message))
    server.expect("files", [{**WAITING, "status": "ERROR", "error_message": message}])
    with pytest.raises(VapiError, match=r"when it was completed; a\.iso: The disk is full\.$"):
        finish(sessions_of(server), ID, 60)


def test_a_file_that_failed_without_a_reason_is_named(server):
    server.expect("complete")
    server.expect("get", session("ERROR"))
    server.expect("files", [{**WAITING, "status": "ERROR"}])
    with pytest.raises(VapiError, match=r"ended in ERROR when it was completed; a\.iso: ERROR"):
        finish(sessions_of(server), ID, 60)


# The sessions of others on an item


def expect_look(server, *models, files=()):
    server.expect("list", [model["id"] for model in models], query=OF_ITEM)
    with server.wire.any_order():
        for model in models:
            server.expect("get", model, id=model["id"])
    for model in models:
        if model["state"] == "ACTIVE":
            server.expect("files", list(files), id=model["id"])


def test_an_item_without_open_sessions_is_settled(server):
    expect_look(server, session("DONE"))
    assert settle_others(sessions_of(server), ITEM, 30, 0) == ([], False)


def test_a_session_that_does_not_move_is_stale(server, clock):
    for _second in range(4):
        expect_look(server, session(), files=[WAITING])
    (stale,), changed = settle_others(sessions_of(server), ITEM, 3, 0)
    assert (stale["id"], changed) == (ID, False)
    assert clock.pauses == [1, 1, 1]


@pytest.mark.parametrize(
    "moved",
    [
        dict(expiration_time="2026-01-15T10:26:00.000Z"),
        dict(client_progress=1),
    ],
)
def test_a_session_that_moves_makes_the_item_busy(server, moved):
    expect_look(server, session())
    expect_look(server, session(**moved))
    with pytest.raises(ResourceBusy) as caught:
        settle_others(sessions_of(server), ITEM, 30, 0)
    assert caught.value.update_session["id"] == ID
    for part in (ID, ITEM, HOST):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "moved", [{**WAITING, "bytes_transferred": 1}, {**WAITING, "status": "TRANSFERRING"}, {**WAITING, "name": "b.iso"}]
)
def test_a_file_that_moves_makes_the_item_busy(server, moved):
    expect_look(server, session(), files=[WAITING])
    expect_look(server, session(), files=[moved])
    with pytest.raises(ResourceBusy):
        settle_others(sessions_of(server), ITEM, 30, 0)


def test_from_its_first_movement_a_session_has_busy_timeout(server, clock):
    start = clock.now
    for progress in range(12):
        expect_look(server, session(client_progress=progress))
    with pytest.raises(ResourceBusy):
        settle_others(sessions_of(server), ITEM, 30, 10)
    assert clock.now - start == 11


def test_a_session_that_ends_in_time_is_waited_for(server):
    expect_look(server, session())
    expect_look(server, session(client_progress=1))
    expect_look(server, session("DONE"))
    assert settle_others(sessions_of(server), ITEM, 30, 10) == ([], True)


def test_a_session_that_moved_and_then_stopped_is_stale(server, clock):
    expect_look(server, session())
    for _second in range(4):
        expect_look(server, session(client_progress=1))
    (stale,), changed = settle_others(sessions_of(server), ITEM, 3, 60)
    assert (stale["id"], changed) == (ID, False)


def test_a_session_that_vanishes_under_the_look_is_no_longer_there(server):
    server.expect("list", [ID], query=OF_ITEM)
    server.expect("get", session())
    server.expect("files", NOT_FOUND)
    server.expect("list", [], query=OF_ITEM)
    assert settle_others(sessions_of(server), ITEM, 30, 0) == ([], True)
