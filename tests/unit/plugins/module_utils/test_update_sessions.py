# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules' own tests don't reach: odd models, the files of a session and answers that are lost."""

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InternalServerError,
    NotFound,
    ResourceBusy,
    ResourceInaccessible,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import (
    ID,
    ITEM,
    Refusal,
    hang,
    refused,
    reset,
    session,
)

NOT_FOUND = Refusal("NOT_FOUND", 404, ("There is no such session.",))
OF_ITEM = f"?library_item_id={ITEM}"
PUSH = {"name": "a.iso", "source_type": "PUSH", "size": 7}
WAITING = {**PUSH, "status": "WAITING_FOR_TRANSFER"}


def sessions_of(server, **options):
    return UpdateSessions(server.client(**options))


# Odd models


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"id": ID},
        {"state": None},
        {"state": 7},
        {"state": ["ACTIVE"]},
        session(client_progress="40"),
        session(client_progress=[]),
        session(expiration_time=7),
        session(expiration_time="soon"),
        session(expiration_time="2026-13-45T99:99:99Z"),
        session(error_message="text"),
        session(error_message=["text"]),
        session(preview_info="text"),
        session(preview_info={"warnings": ["text"]}),
        session(preview_info={"warnings": [{"ignored": True}]}),
        session(preview_info={"warnings": [{"type": ["x"]}]}),
        session(preview_info={"warnings": 7}),
        session(warning_behavior=["text"]),
        session(warning_behavior=7),
        session(warning_behavior={"SELF_SIGNED_CERTIFICATE": True}),
        session(warning_behavior=[{"ignored": True}]),
    ],
)
def test_what_is_no_session_can_not_be_read(server, model):
    server.expect("get", model)
    with pytest.raises(InternalServerError, match="can't be read"):
        sessions_of(server).get(ID)


@pytest.mark.parametrize("ids", [[7], [None], [["a"]], [{"id": "a"}], {"a": "b"}, "abc"])
def test_what_is_no_list_of_ids_can_not_be_read(server, ids):
    server.expect("list", ids)
    with pytest.raises(InternalServerError, match="can't be read"):
        sessions_of(server).list_all_sessions()


@pytest.mark.parametrize("files", [["a.iso"], [{}], [{"name": "a.iso"}], [{"status": "READY"}], [None], {"a": "b"}])
def test_what_is_no_list_of_files_can_not_be_read(server, files):
    server.expect("files", files)
    with pytest.raises(InternalServerError, match="can't be read"):
        sessions_of(server).files.list_files(ID)


# The files of a session


def test_a_file_is_found_by_its_name_the_newest_of_two(server):
    server.expect("files", [{"name": "b.iso", "status": "READY"}, {**WAITING, "size": 1}, {**WAITING, "size": 2}])
    assert sessions_of(server).files.find(ID, "a.iso")["size"] == 2


def test_a_file_that_is_not_there_is_none(server):
    server.expect("files", [{"name": "b.iso", "status": "READY"}])
    assert sessions_of(server).files.find(ID, "a.iso") is None


@pytest.mark.parametrize("name", ["a.iso", "Prüf ISO (2).iso", "100%.iso"])
def test_a_file_that_was_added_is_asked_for_alone(server, name):
    server.expect("file", {"name": name, "source_type": "PUSH", "status": "READY", "size": 2}, file_name=name)
    assert sessions_of(server).files.get(ID, name)["size"] == 2


@pytest.mark.parametrize(
    ("listed", "size"), [([], None), ([{"name": "a.iso", "source_type": "PUSH", "status": "READY", "size": 2}], 2)]
)
def test_a_file_that_is_not_found_alone_is_looked_for_in_the_list(server, listed, size):
    server.expect("file", Refusal("INVALID_ARGUMENT", 400), file_name="a.iso")
    server.expect("files", listed)
    file = sessions_of(server).files.get(ID, "a.iso")
    assert (file and file["size"]) == size


def test_a_file_is_added(server):
    server.expect("add", WAITING, PUSH)
    assert sessions_of(server).files.add(ID, PUSH)["status"] == "WAITING_FOR_TRANSFER"


def test_a_lost_answer_to_add_is_looked_up(server):
    server.expect("add", reset(), PUSH)
    server.expect("files", [WAITING])
    assert sessions_of(server).files.add(ID, PUSH)["status"] == "WAITING_FOR_TRANSFER"


@pytest.mark.parametrize(
    "there",
    [
        [],
        [{"name": "b.iso", "source_type": "PUSH", "status": "WAITING_FOR_TRANSFER"}],
        [{"name": "a.iso", "source_type": "NONE", "status": "READY"}],
        [{"name": "a.iso", "source_type": "PUSH", "status": "READY"}],
        [{"name": "a.iso", "source_type": "PULL", "status": "TRANSFERRING"}],
    ],
)
def test_a_lost_add_is_sent_again_unless_it_is_that_file_that_is_there(server, there):
    server.expect("add", reset(), PUSH)
    server.expect("files", there)
    server.expect("add", WAITING, PUSH)
    assert sessions_of(server).files.add(ID, PUSH)["status"] == "WAITING_FOR_TRANSFER"


def test_a_lost_answer_to_remove_is_looked_up(server):
    server.expect("remove", reset(), file_name="a.iso")
    server.expect("files", [WAITING])
    server.expect("remove", reset(), file_name="a.iso")
    server.expect("files", [])
    sessions_of(server).files.remove(ID, "a.iso")


# Lost answers that stay lost


@pytest.mark.parametrize("operation", ["fail", "cancel", "complete"])
def test_a_session_that_is_gone_after_a_lost_answer_is_told_so(server, operation):
    server.expect(operation, reset(), {"client_error_message": "why"} if operation == "fail" else None)
    server.expect("get", NOT_FOUND)
    arguments = {"fail": ("why",), "complete": (60,)}.get(operation, ())
    with pytest.raises(NotFound):
        getattr(sessions_of(server), operation)(ID, *arguments)


def test_a_server_that_is_gone_after_a_lost_answer_is_told_so(server, clock):
    start = clock.now
    server.expect("cancel", reset())
    server.expect("get", refused(), polled=True)
    with pytest.raises(ResourceInaccessible):
        sessions_of(server, request_timeout=30).cancel(ID)
    assert clock.now - start <= 2 * 30


def test_a_hanging_server_is_asked_once_more_for_the_state(server, clock):
    start = clock.now
    server.expect("cancel", hang())
    server.expect("get", session("CANCELED"))
    sessions_of(server, request_timeout=30).cancel(ID)
    assert clock.now - start == 30


def test_a_create_whose_answer_was_lost_is_sent_again_with_the_same_client_token(server):
    server.expect("create", reset(), {"library_item_id": ITEM})
    server.expect("create", Refusal("INTERNAL_SERVER_ERROR", 500, ("Out of order.",)), {"library_item_id": ITEM})
    server.expect("create", ID, {"library_item_id": ITEM})
    assert sessions_of(server).create(ITEM) == ID
    assert len(server.wire.client_tokens) == 3
    assert len(set(server.wire.client_tokens)) == 1


def test_a_session_that_is_there_after_a_lost_answer_counts_as_anothers(server):
    server.expect("create", reset(), {"library_item_id": ITEM})
    server.expect(
        "create", Refusal("RESOURCE_BUSY", 500 if server.dialect == "api" else 400), {"library_item_id": ITEM}
    )
    with pytest.raises(ResourceBusy):
        sessions_of(server).create(ITEM)
