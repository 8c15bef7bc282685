# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control is the scripted wire; what is pushed goes to a real server over TLS."""

from __future__ import annotations

import hashlib
import os
import socket

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._signals import GRACE
from ansible_collections.vsphere.content_library.plugins.modules import library_item
from ansible_collections.vsphere.content_library.tests.unit.plugins.content_server import take
from ansible_collections.vsphere.content_library.tests.unit.plugins.library_wire import (
    LIBRARY,
    item,
    item_file,
    library,
)
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import (
    HOST,
    ID,
    ITEM,
    LOGIN,
    Refusal,
    Server,
    argument_errors,
    hang,
    reset,
    run_task,
    session,
)

CONTENT = b"content"
SHA1 = hashlib.sha1(CONTENT, usedforsecurity=False).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER_SHA1 = "0" * 40
STALE = "stale:session"
LOCK = "lock:session"
URL = "https://user:pa%20ss@files.example.com/tools.iso"
NOT_FOUND = Refusal("NOT_FOUND", 404, ("There is no such thing.",))
BUSY = Refusal("RESOURCE_BUSY", 500, ("The item is being updated.",))
EXISTS = Refusal("ALREADY_EXISTS", 400, ("There is an item of that name.",))
MESSAGE = {"id": "x", "default_message": "The disk image is broken.", "args": []}
FIND = {"library_id": LIBRARY, "name": "tools"}
SHARED = {"library_id": LIBRARY, "name": "tools"}

both_modes = pytest.mark.parametrize("check_mode", [False, True])


@pytest.fixture
def iso(tmp_path):
    path = tmp_path / "tools.iso"
    path.write_bytes(CONTENT)
    return str(path)


def run(server, check_mode=False, **params):
    if "library_item_id" not in params:
        params = {**SHARED, **params}
    return server.run(library_item, check_mode, **params)


def succeeded(outcome, *operations):
    assert not outcome.failed, outcome.result
    assert outcome.result["operations"] == list(operations)
    assert outcome.result["changed"] is bool(operations)
    return outcome.result


def refusal_of(outcome, error_type):
    assert outcome.failed, outcome.result
    assert outcome.result["error_type"] == error_type, outcome.result
    return outcome.result


def actions(result):
    return [(file["name"], file["action"], file["checksum_verified"]) for file in result["files"]]


def expect_item(server, **members):
    server.expect("find_item", [ITEM], FIND)
    server.expect("get_item", item(**members), id=ITEM)


def expect_new_item(server, **model):
    """There is none, and it is created."""
    server.expect("find_item", [], FIND)
    server.expect("get_library", library(), id=LIBRARY)
    server.expect("create_item", ITEM, {**FIND, "type": "iso", **model})


def expect_no_session(server):
    """Those of the user on the item."""
    server.expect("get_library", library(), id=LIBRARY)
    server.expect("list", [], query=f"?library_item_id={ITEM}")


def expect_session(server, **model):
    """It is opened on an item that is as it was compared."""
    server.expect("create", ID, {"library_item_id": ITEM, **model})
    server.expect("get", session())


def expect_first_session(server, **model):
    """It is opened on a new item. Nobody has published in it since."""
    expect_session(server, **model)
    server.expect("item_files", [], id=ITEM)


def expect_removal(server, *deletes, version="2", files=None):
    """The new item is deleted under a session, unless it has somebody's content. deletes are the answers to that."""
    server.expect("create", LOCK, {"library_item_id": ITEM})
    server.expect("get", session(id=LOCK, library_item_content_version=version), id=LOCK)
    if files is not None:
        server.expect("item_files", files, id=ITEM)
    for answer in deletes:
        server.expect("delete_item", answer, id=ITEM)
    server.expect("cancel", NOT_FOUND if deletes else None, id=LOCK)
    server.expect("delete", NOT_FOUND if deletes else None, id=LOCK)


def info_of(name="tools.iso", status="READY", **members):
    return {"name": name, "source_type": "PUSH", "status": status, "bytes_transferred": 7, **members}


def expect_push(server, content, name="tools.iso", checksum=SHA1, spec=None, **info):
    """A file is added, pushed, and looked at."""
    endpoint = {"uri": f"https://127.0.0.1:{content.port}/cls/data/1/{name}"}
    waiting = info_of(name, "WAITING_FOR_TRANSFER", bytes_transferred=0, upload_endpoint=endpoint)
    server.expect("add", waiting, spec or {"name": name, "source_type": "PUSH", "size": len(CONTENT)})
    told = {"checksum_info": {"algorithm": "SHA1", "checksum": checksum}} if checksum else {}
    server.expect("file", info_of(name, **told, **info), file_name=name)


def expect_complete(server, *files):
    server.expect("complete")
    server.expect("get", session("DONE"))
    server.expect("item_files", list(files), id=ITEM)


def valid():
    return {"has_errors": False, "missing_files": [], "invalid_files": []}


def expect_failure(server, msg, found=None, files=()):
    """The session is looked at, then failed with the message, whose parts are msg."""
    server.expect("get", session())
    server.expect("files", list(files))
    server.expect("validate", found or valid())
    server.expect("fail", None, {"client_error_message": msg})
    server.expect("get", session("ERROR"))


# Refused before anything is sent


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"stale_after": 0}, "stale_after"),
        ({"busy_timeout": -1}, "busy_timeout"),
        ({"wait_timeout": 0}, "wait_timeout"),
        ({"name": " "}, "name"),
        ({"library_id": ""}, "library_id"),
        ({"src": ["tools.iso"], "checksum": "sha1:0a"}, "checksum"),
        ({"src": ["tools.iso"], "checksum": f"crc32:{SHA1}"}, "checksum"),
        ({"checksum": f"sha1:{SHA1}"}, "checksum"),
        ({"src": {"path": "a"}}, "src: "),
        ({"src": "/iso/win, server (2025).iso"}, "src: '/iso/win, server (2025).iso' is no file"),
        ({"src": []}, "src"),
        ({"src": ["/does/not/exist.iso"]}, "/does/not/exist.iso"),
        ({"src": ["/"]}, "directory"),
        ({"src": [os.devnull]}, "device"),
        ({"src": ["a.ova", "b.iso"]}, "src"),
        ({"url": "ftp://files.example.com/tools.iso"}, "url"),
        ({"url": "https://files.example.com/"}, "url"),
    ],
)
def test_refused(server, params, option):
    assert option in refusal_of(run(server, **params), "INVALID_ARGUMENT")["msg"]


def test_a_socket_is_refused(server, tmp_path):
    path = str(tmp_path / "tools.iso")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        assert "socket" in refusal_of(run(server, src=[path]), "INVALID_ARGUMENT")["msg"]


def test_a_file_that_may_not_be_read_is_refused(server, iso, monkeypatch):
    def denied(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    assert "Permission denied" in refusal_of(run(server, src=[iso]), "INVALID_ARGUMENT")["msg"]


def test_a_checksum_of_several_files_is_refused(server, iso, tmp_path):
    other = tmp_path / "other.iso"
    other.write_bytes(b"")
    outcome = run(server, src=[iso, str(other)], checksum=f"sha1:{SHA1}")
    assert "checksum" in refusal_of(outcome, "INVALID_ARGUMENT")["msg"]


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"library_id": LIBRARY}, "library_item_id"),
        ({"name": "tools"}, "library_name"),
        ({"library_id": LIBRARY, "library_name": "demo", "name": "tools"}, "library_name"),
        ({**SHARED, "src": ["a"], "url": "https://a/b"}, "url"),
        ({**SHARED, "ssl_thumbprint": "AA"}, "url"),
        ({**SHARED, "warning_behavior": [{"type": "OTHER"}]}, "OTHER"),
    ],
)
def test_refused_by_the_argument_spec(params, named):
    assert any(named in error for error in argument_errors(library_item, **params))


# Which item


def test_a_library_by_name(server):
    server.expect("find_library", [LIBRARY], {"name": "demo"})
    server.expect("get_library", library(), id=LIBRARY)
    expect_item(server)
    succeeded(run(server, library_id=None, library_name="demo"))


def test_a_library_that_is_missing(server):
    server.expect("find_library", [], {"name": "demo"})
    result = refusal_of(run(server, library_id=None, library_name="demo"), "NOT_FOUND")
    assert "demo" in result["msg"]
    assert HOST in result["msg"]


@both_modes
def test_an_item_in_a_library_that_is_missing_is_absent(server, check_mode):
    server.expect("find_library", [], {"name": "demo"})
    result = succeeded(run(server, check_mode, library_id=None, library_name="demo", state="absent"))
    assert result["library_item"] is None


@both_modes
@pytest.mark.parametrize("state", ["present", "absent"])
def test_several_items_of_one_name(server, check_mode, state):
    server.expect("find_item", [ITEM, "another"], FIND)
    with server.wire.any_order():
        server.expect("get_item", item(), id=ITEM)
        server.expect("get_item", item(id="another"), id="another")
    result = refusal_of(run(server, check_mode, state=state), "INVALID_ARGUMENT")
    assert "another" in result["msg"]
    assert ITEM in result["msg"]


def test_an_item_of_another_spelling_is_another_item(server):
    server.expect("find_item", ["another"], FIND)
    server.expect("get_item", item("TOOLS", id="another"), id="another")
    succeeded(run(server, state="absent"))


def test_an_item_that_is_not_in_the_library(server):
    server.expect("get_item", item(), id=ITEM)
    result = refusal_of(run(server, library_item_id=ITEM, library_id="another"), "INVALID_ARGUMENT")
    assert "another" in result["msg"]


@both_modes
@pytest.mark.parametrize("state", ["present", "absent"])
def test_an_id_that_nothing_has(server, check_mode, state):
    server.expect("get_item", NOT_FOUND, id=ITEM)
    outcome = run(server, check_mode, library_item_id=ITEM, state=state)
    if state == "absent":
        succeeded(outcome)
    else:
        assert ITEM in refusal_of(outcome, "NOT_FOUND")["msg"]


# The item itself


def test_an_item_is_created(server):
    server.expect("find_item", [], FIND)
    server.expect("get_library", library(), id=LIBRARY)
    server.expect("create_item", ITEM, {**FIND, "type": "iso", "description": "x"})
    server.expect("get_item", item(description="x"), id=ITEM)
    result = succeeded(run(server, type="iso", description="x"), "create_item")
    assert result["library_item"]["id"] == ITEM
    assert (result["files"], result["update_session"], result["bytes_transferred"]) == ([], None, 0)
    assert result["diff"] == {
        "before": {},
        "after": {"name": "tools", "type": "iso", "description": "x", "files": {}},
    }


def test_an_item_that_would_be_created(server):
    server.expect("find_item", [], FIND)
    server.expect("get_library", library(), id=LIBRARY)
    result = succeeded(run(server, check_mode=True, type="iso", description="x"), "create_item")
    assert {key: result["library_item"][key] for key in ("id", "library_id", "name", "type", "description")} == {
        "id": None,
        "library_id": LIBRARY,
        "name": "tools",
        "type": "iso",
        "description": "x",
    }
    assert result["diff"]["after"]["name"] == "tools"


@both_modes
@pytest.mark.parametrize("description", [None, "as it is"])
def test_an_item_that_is_there(server, check_mode, description):
    expect_item(server, description="as it is")
    result = succeeded(run(server, check_mode, description=description))
    assert result["diff"]["before"] == result["diff"]["after"]
    assert result["library_item"]["description"] == "as it is"


@both_modes
def test_no_description_is_an_empty_one(server, check_mode):
    expect_item(server, description=None)
    succeeded(run(server, check_mode, description=""))


def test_a_description_that_differs_is_patched(server):
    expect_item(server, description="old")
    server.expect("get_library", library(), id=LIBRARY)
    server.expect("update_item", None, {"description": "", "version": "3"}, id=ITEM)
    server.expect("get_item", item(description=""), id=ITEM)
    result = succeeded(run(server, description=""), "update_item")
    assert (result["diff"]["before"]["description"], result["diff"]["after"]["description"]) == ("old", "")


def test_a_description_that_would_be_patched(server):
    expect_item(server, description="old")
    server.expect("get_library", library(), id=LIBRARY)
    result = succeeded(run(server, check_mode=True, description="new"), "update_item")
    assert result["library_item"]["description"] == "new"
    assert result["diff"]["after"]["description"] == "new"


@both_modes
def test_a_subscribed_library_gets_no_item(server, check_mode):
    server.expect("find_item", [], FIND)
    server.expect("get_library", library("SUBSCRIBED"), id=LIBRARY)
    assert "subscribed" in refusal_of(run(server, check_mode), "INVALID_ARGUMENT")["msg"]


@both_modes
@pytest.mark.parametrize("params", [{"state": "absent"}, {"description": "new"}])
def test_an_item_of_a_subscribed_library_stays_as_it_is(server, check_mode, params):
    expect_item(server)
    server.expect("get_library", library("SUBSCRIBED"), id=LIBRARY)
    assert LIBRARY in refusal_of(run(server, check_mode, **params), "INVALID_ARGUMENT")["msg"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_content_of_a_subscribed_item_stays_as_it_is(server, iso, check_mode):
    expect_item(server)
    server.expect("item_files", [item_file(checksum=OTHER_SHA1)], id=ITEM)
    server.expect("get_library", library("SUBSCRIBED"), id=LIBRARY)
    refusal_of(run(server, check_mode, src=[iso]), "INVALID_ARGUMENT")


def test_an_item_is_deleted(server):
    expect_item(server)
    server.expect("get_library", library(), id=LIBRARY)
    server.expect("delete_item", None, id=ITEM)
    result = succeeded(run(server, state="absent"), "delete_item")
    assert result["library_item"] is None
    assert (result["diff"]["before"]["name"], result["diff"]["after"]) == ("tools", {})


def test_an_item_that_would_be_deleted(server):
    expect_item(server)
    server.expect("get_library", library(), id=LIBRARY)
    assert succeeded(run(server, check_mode=True, state="absent"), "delete_item")["library_item"] is None


@both_modes
def test_an_item_that_is_absent(server, check_mode):
    server.expect("find_item", [], FIND)
    succeeded(run(server, check_mode, state="absent"))


def test_absent_does_not_look_at_the_source(server):
    server.expect("find_item", [], FIND)
    succeeded(run(server, state="absent", src=["/does/not/exist.iso"]))


# type


@pytest.mark.parametrize(
    ("params", "has", "name"),
    [
        ({"type": "ovf"}, "iso", "tools.iso"),
        ({"type": "iso"}, "", "tools.iso"),
        ({}, "ovf", "tools.iso"),
        ({}, "iso", "tools.ovf"),
        ({}, "", "tools.ovf"),
    ],
)
def test_another_type_is_refused(server, tmp_path, params, has, name):
    path = tmp_path / name
    path.write_bytes(b"<Envelope><References/></Envelope>")
    expect_item(server, type=has)
    result = refusal_of(run(server, src=[str(path)], **params), "INVALID_ARGUMENT")
    assert "type" in result["msg"]
    assert ITEM in result["msg"]


@pytest.mark.parametrize(("type_", "has"), [("iso", "iso"), (None, ""), (None, "iso"), (None, "other")])
def test_a_type_that_fits(server, iso, type_, has):
    expect_item(server, type=has)
    server.expect("item_files", [item_file(checksum=SHA1)], id=ITEM)
    succeeded(run(server, src=[iso], type=type_))


# src, unchanged


@both_modes
def test_an_unchanged_item_costs_two_requests(server, iso, check_mode):
    server.expect("get_item", item(), id=ITEM)
    server.expect("item_files", [item_file(checksum=SHA1)], id=ITEM)
    outcome = run(server, check_mode, library_item_id=ITEM, library_id=LIBRARY, src=[iso])
    result = succeeded(outcome)
    assert actions(result) == [("tools.iso", "unchanged", True)]
    assert result["update_session"] is None
    assert result["library_item"]["id"] == ITEM
    assert result["diff"]["before"] == result["diff"]["after"]
    assert result["diff"]["before"]["files"] == {"tools.iso": {"size": 7, "checksum": f"sha1:{SHA1}"}}


def test_an_unchanged_item_with_a_login(wire, iso):
    # Which API the server has is not known: /api is tried and answers.
    server = Server("api", wire)
    server.expect("log_in", "own-token")
    server.expect("find_item", [ITEM], FIND, token="own-token")
    server.expect("get_item", item(), id=ITEM, token="own-token")
    server.expect("item_files", [item_file(checksum=SHA1)], id=ITEM, token="own-token")
    server.expect("log_out", token="own-token")
    outcome = run_task(library_item, **{**SHARED, **LOGIN, "src": [iso]})
    succeeded(outcome)


# src, pushed


def test_a_new_item_with_its_content(server, content, iso, ca_path):
    expect_new_item(server)
    expect_first_session(server, warning_behavior=[{"type": "SELF_SIGNED_CERTIFICATE", "ignored": True}])
    expect_push(server, content)
    server.expect("validate", valid())
    expect_complete(server, item_file(checksum=SHA1))
    server.expect("get_item", item(), id=ITEM)
    outcome = run(
        server, src=[iso], ca_path=ca_path, warning_behavior=[{"type": "SELF_SIGNED_CERTIFICATE", "ignored": True}]
    )
    result = succeeded(outcome, "create_item", "create", "add_file", "upload", "complete")
    assert actions(result) == [("tools.iso", "uploaded", True)]
    assert result["files"][0]["checksum"] == f"sha1:{SHA1}"
    assert result["bytes_transferred"] == len(CONTENT)
    assert result["update_session"]["state"] == "DONE"
    assert result["diff"]["before"] == {}
    assert result["diff"]["after"]["files"] == {"tools.iso": {"size": 7, "checksum": f"sha1:{SHA1}"}}
    assert content.puts[0].received == CONTENT
    assert "/cls/data" not in str(result)


def test_a_new_item_that_would_have_content(server, iso):
    server.expect("find_item", [], FIND)
    server.expect("get_library", library(), id=LIBRARY)
    result = succeeded(
        run(server, check_mode=True, src=[iso]), "create_item", "create", "add_file", "upload", "complete"
    )
    assert actions(result) == [("tools.iso", "uploaded", False)]
    assert (result["update_session"]["id"], result["update_session"]["state"]) == (None, "DONE")
    assert result["library_item"]["type"] == "iso"
    assert result["bytes_transferred"] == 0


def test_content_that_differs_is_replaced(server, content, iso, ca_path):
    expect_item(server)
    server.expect("item_files", [item_file("old.iso"), item_file(checksum=OTHER_SHA1)], id=ITEM)
    expect_no_session(server)
    expect_session(server)
    server.expect("remove", None, file_name="old.iso")
    expect_push(server, content)
    server.expect("validate", valid())
    expect_complete(server, item_file(checksum=SHA1))
    server.expect("get_item", item(content_version="3"), id=ITEM)
    result = succeeded(
        run(server, src=[iso], ca_path=ca_path), "create", "remove_file", "add_file", "upload", "complete"
    )
    assert actions(result) == [("old.iso", "removed", False), ("tools.iso", "uploaded", True)]
    assert result["library_item"]["content_version"] == "3"
    assert sorted(result["diff"]["before"]["files"]) == ["old.iso", "tools.iso"]
    assert sorted(result["diff"]["after"]["files"]) == ["tools.iso"]


def test_content_that_would_be_replaced(server, iso):
    expect_item(server)
    server.expect("item_files", [item_file("old.iso"), item_file(checksum=OTHER_SHA1)], id=ITEM)
    expect_no_session(server)
    result = succeeded(
        run(server, check_mode=True, src=[iso]), "create", "remove_file", "add_file", "upload", "complete"
    )
    assert [(name, action) for name, action, _verified in actions(result)] == [
        ("old.iso", "removed"),
        ("tools.iso", "uploaded"),
    ]


def test_a_removal_alone_needs_no_push(server, iso):
    expect_item(server)
    server.expect("item_files", [item_file("old.iso"), item_file(checksum=SHA1)], id=ITEM)
    expect_no_session(server)
    expect_session(server)
    server.expect("remove", None, file_name="old.iso")
    expect_complete(server, item_file(checksum=SHA1))
    server.expect("get_item", item(), id=ITEM)
    result = succeeded(run(server, src=[iso]), "create", "remove_file", "complete")
    assert actions(result) == [("tools.iso", "unchanged", True), ("old.iso", "removed", False)]


@pytest.mark.parametrize(
    ("told", "file"),
    [
        (SHA1, item_file(checksum_info={"algorithm": "SHA512", "checksum": "0a"})),
        (None, item_file(checksum=SHA1)),
        (None, item_file(checksum_info={"algorithm": "SHA256", "checksum": SHA256})),
    ],
)
def test_a_file_is_verified_in_the_session_or_in_the_item(server, content, iso, ca_path, told, file):
    expect_new_item(server)
    expect_first_session(server)
    expect_push(server, content, checksum=told)
    server.expect("validate", valid())
    expect_complete(server, file)
    server.expect("get_item", item(), id=ITEM)
    result = succeeded(
        run(server, src=[iso], ca_path=ca_path), "create_item", "create", "add_file", "upload", "complete"
    )
    assert actions(result) == [("tools.iso", "uploaded", True)]


def test_a_file_that_nobody_verifies(server, content, iso, ca_path):
    expect_new_item(server)
    expect_first_session(server)
    expect_push(server, content, checksum=None)
    server.expect("validate", valid())
    expect_complete(server, item_file(size=0))
    server.expect("get_item", item(), id=ITEM)
    outcome = run(server, src=[iso], ca_path=ca_path)
    assert actions(succeeded(outcome, *outcome.result["operations"])) == [("tools.iso", "uploaded", False)]


@pytest.mark.parametrize(
    ("received", "file", "reason"),
    [
        ({}, item_file(checksum=OTHER_SHA1), OTHER_SHA1),
        ({"status": "WAITING_FOR_TRANSFER", "bytes_transferred": None}, item_file(size=3), "3"),
        ({"status": "WAITING_FOR_TRANSFER", "bytes_transferred": None}, None, "it is missing"),
    ],
)
def test_an_item_that_does_not_have_what_was_sent(server, content, iso, ca_path, received, file, reason):
    expect_new_item(server)
    expect_first_session(server)
    expect_push(server, content, checksum=None, **received)
    server.expect("validate", valid())
    expect_complete(server, *[file] * bool(file))
    server.expect("get_item", item(content_version="3"), id=ITEM)
    expect_removal(server, None, version="3", files=[item_file()])
    result = refusal_of(run(server, src=[iso], ca_path=ca_path), "ERROR")
    assert "tools.iso" in result["msg"]
    assert reason in result["msg"]
    assert ITEM in result["msg"]
    assert HOST in result["msg"]


def test_a_checksum_of_the_user_goes_along(server, content, iso, ca_path):
    spec = {"name": "tools.iso", "source_type": "PUSH", "size": 7}
    spec["checksum_info"] = {"algorithm": "SHA256", "checksum": SHA256}
    expect_new_item(server)
    expect_first_session(server)
    expect_push(server, content, spec=spec, checksum=None)
    server.expect("validate", valid())
    expect_complete(server, item_file(checksum_info=spec["checksum_info"]))
    server.expect("get_item", item(), id=ITEM)
    outcome = run(server, src=[iso], ca_path=ca_path, checksum=f"sha256:{SHA256}")
    assert succeeded(outcome, *outcome.result["operations"])["files"][0]["checksum"] == f"sha256:{SHA256}"


# Failures leave nothing


def test_a_push_that_is_refused(server, content, iso, ca_path):
    content.on_put = lambda put: take(put) and 403
    expect_new_item(server)
    expect_first_session(server)
    endpoint = {"uri": f"https://127.0.0.1:{content.port}/cls/data/1/tools.iso"}
    server.expect(
        "add",
        info_of(status="WAITING_FOR_TRANSFER", upload_endpoint=endpoint),
        {"name": "tools.iso", "source_type": "PUSH", "size": 7},
    )
    msg = (
        f"upload of file tools.iso for update session {ID} on {HOST} failed: no reason given [UNAUTHORIZED, HTTP 403]; "
        "tools.iso: The disk image is broken."
    )
    expect_failure(server, msg, files=[info_of(status="ERROR", error_message=MESSAGE)])
    expect_removal(server, None)
    result = refusal_of(run(server, src=[iso], ca_path=ca_path), "UNAUTHORIZED")
    assert result["msg"] == msg
    assert (result["operation"], result["http_status"]) == ("upload", 403)
    assert result["update_session"]["state"] == "ERROR"


def test_what_validate_finds_is_told(server, content, iso, ca_path):
    expect_item(server)
    server.expect("item_files", [], id=ITEM)
    expect_no_session(server)
    expect_session(server)
    expect_push(server, content)
    invalid = {
        "has_errors": True,
        "missing_files": ["disk.vmdk"],
        "invalid_files": [{"name": "a.ovf", "error_message": MESSAGE}],
    }
    server.expect("validate", invalid)
    msg = (
        f"update session {ID} on {HOST} has missing or invalid files; disk.vmdk: missing; "
        "a.ovf: The disk image is broken."
    )
    expect_failure(server, msg, found=invalid)
    assert refusal_of(run(server, src=[iso], ca_path=ca_path), "ERROR")["msg"] == msg


def test_a_session_that_ends_in_error(server, content, iso, ca_path):
    expect_new_item(server)
    expect_first_session(server)
    expect_push(server, content)
    server.expect("validate", valid())
    server.expect("complete")
    ended = session("ERROR", error_message=MESSAGE)
    server.expect("get", ended)
    server.expect("files", [])
    server.expect("get", ended)
    expect_removal(server, None)
    result = refusal_of(run(server, src=[iso], ca_path=ca_path), "ERROR")
    assert MESSAGE["default_message"] in result["msg"]
    assert result["update_session"]["error_message"]["default_message"] == MESSAGE["default_message"]


def test_a_session_that_is_gone(server, content, iso, ca_path):
    expect_new_item(server)
    expect_first_session(server)
    server.expect("add", NOT_FOUND, {"name": "tools.iso", "source_type": "PUSH", "size": 7})
    server.expect("get", NOT_FOUND)
    server.expect("item_files", [], id=ITEM)
    expect_removal(server, None)
    result = refusal_of(run(server, src=[iso], ca_path=ca_path), "NOT_FOUND")
    assert f"update session {ID} is gone" in result["msg"]
    assert result["update_session"]["state"] == "ACTIVE"


def test_a_session_that_somebody_else_ended(server, content, iso, ca_path):
    expect_new_item(server)
    expect_first_session(server)
    refused = Refusal("NOT_ALLOWED_IN_CURRENT_STATE", 400, ("It has ended.",))
    server.expect("add", refused, {"name": "tools.iso", "source_type": "PUSH", "size": 7})
    server.expect("get", session("ERROR", error_message={"id": "x", "default_message": "Failed by hand.", "args": []}))
    server.expect("files", [])
    expect_removal(server, None)
    result = refusal_of(run(server, src=[iso], ca_path=ca_path), "NOT_ALLOWED_IN_CURRENT_STATE")
    assert "Failed by hand." in result["msg"]


def test_a_description_is_taken_back(server, content, iso, ca_path):
    expect_item(server, description="old")
    server.expect("get_library", library(), id=LIBRARY)
    server.expect("update_item", None, {"description": "new", "version": "3"}, id=ITEM)
    server.expect("item_files", [], id=ITEM)
    expect_no_session(server)
    server.expect("create", NOT_FOUND, {"library_item_id": ITEM})
    server.expect("get_item", item(description="new"), id=ITEM)
    server.expect("update_item", None, {"description": "old", "version": "3"}, id=ITEM)
    refusal_of(run(server, src=[iso], ca_path=ca_path, description="new"), "NOT_FOUND")


def test_what_can_not_be_cleaned_up_is_warned_of(server, iso):
    denied = Refusal("UNAUTHORIZED", 403, ("You may not.",))
    expect_new_item(server)
    server.expect("create", ID, {"library_item_id": ITEM})
    server.expect("get", denied)
    for _try in range(2):
        server.expect("get", denied)
    for _try in range(2):
        server.expect("create", denied, {"library_item_id": ITEM})
    server.expect("item_files", [], id=ITEM)
    for _try in range(2):
        server.expect("delete_item", denied, id=ITEM)
    outcome = run(server, src=[iso])
    refusal_of(outcome, "UNAUTHORIZED")
    assert [ID in outcome.warnings[0], ITEM in outcome.warnings[1]] == [True, True]
    assert len(outcome.warnings) == 2


def test_a_clean_up_that_fails_is_tried_once_more(server, iso):
    failed = Refusal("INTERNAL_SERVER_ERROR", 500, ("Out of order.",))
    told = "Out of order. [INTERNAL_SERVER_ERROR, HTTP 500]"
    msg = f"update_session.get for update session {ID} on {HOST} failed: {told}"
    expect_new_item(server)
    server.expect("create", ID, {"library_item_id": ITEM})
    server.expect("get", failed)
    server.expect("get", failed)
    server.expect("get", session())
    server.expect("files", [])
    server.expect("validate", valid())
    server.expect("fail", failed, {"client_error_message": msg})
    server.expect("fail", None, {"client_error_message": msg})
    server.expect("get", session("ERROR"))
    server.expect("create", LOCK, {"library_item_id": ITEM})
    server.expect("get", session(id=LOCK), id=LOCK)
    server.expect("item_files", [], id=ITEM)
    server.expect("delete_item", failed, id=ITEM)
    server.expect("delete_item", None, id=ITEM)
    server.expect("cancel", NOT_FOUND, id=LOCK)
    server.expect("delete", NOT_FOUND, id=LOCK)
    outcome = run(server, src=[iso])
    refusal_of(outcome, "INTERNAL_SERVER_ERROR")
    assert outcome.warnings == []


def test_a_clean_up_that_is_not_answered_is_tried_once_more(server, iso, clock):
    msg = (
        f"update_session.get for update session {ID} on {HOST} failed: Out of order. [INTERNAL_SERVER_ERROR, HTTP 500]"
    )
    expect_new_item(server)
    server.expect("create", ID, {"library_item_id": ITEM})
    server.expect("get", Refusal("INTERNAL_SERVER_ERROR", 500, ("Out of order.",)))
    begin = clock.now
    server.expect("get", hang())
    server.expect("get", session())
    server.expect("files", [])
    server.expect("validate", valid())
    server.expect("fail", None, {"client_error_message": msg})
    server.expect("get", session("ERROR"))
    server.expect("create", LOCK, {"library_item_id": ITEM})
    server.expect("get", session(id=LOCK), id=LOCK)
    server.expect("item_files", [], id=ITEM)
    server.expect("delete_item", hang(), id=ITEM)
    server.expect("delete_item", None, id=ITEM)
    server.expect("cancel", NOT_FOUND, id=LOCK)
    server.expect("delete", NOT_FOUND, id=LOCK)
    outcome = run(server, src=[iso], request_timeout=60)
    refusal_of(outcome, "INTERNAL_SERVER_ERROR")
    assert outcome.warnings == []
    # A server that was waited for in full is not waited for as long again.
    assert clock.now - begin <= 60 + GRACE


def test_a_wrong_checksum_of_an_unchanged_file_writes_nothing(server, iso):
    expect_item(server)
    server.expect("item_files", [item_file(checksum=SHA1)], id=ITEM)
    outcome = run(server, src=[iso], checksum=f"sha1:{OTHER_SHA1}")
    assert "checksum" in refusal_of(outcome, "INVALID_ARGUMENT")["msg"]


# url


@pytest.mark.parametrize("checksum", [None, SHA1])
def test_a_pull(server, checksum):
    endpoint = {"uri": URL, "ssl_certificate_thumbprint": "AA:BB"}
    spec = {"name": "tools.iso", "source_type": "PULL", "source_endpoint": endpoint}
    if checksum:
        spec["checksum_info"] = {"algorithm": "SHA1", "checksum": checksum}
    expect_new_item(server)
    expect_first_session(server)
    server.expect("add", {**spec, "status": "TRANSFERRING"}, spec)
    server.expect("complete")
    server.expect("get", session())
    server.expect("get", session())
    server.expect("get", session("DONE"))
    server.expect("item_files", [item_file(checksum=SHA1)], id=ITEM)
    server.expect("get_item", item(), id=ITEM)
    outcome = run(server, url=URL, ssl_thumbprint="AA:BB", checksum=checksum and f"sha1:{checksum}")
    result = succeeded(outcome, "create_item", "create", "add_file", "complete")
    assert actions(result) == [("tools.iso", "pulled", bool(checksum))]
    assert result["files"][0]["size"] == 7
    assert "pa%20ss" in outcome.secrets


def test_a_pull_that_brought_something_else(server):
    spec = {"name": "tools.iso", "source_type": "PULL", "source_endpoint": {"uri": URL}}
    spec["checksum_info"] = {"algorithm": "SHA1", "checksum": SHA1}
    expect_new_item(server)
    expect_first_session(server)
    server.expect("add", {**spec, "status": "READY"}, spec)
    expect_complete(server, item_file(checksum=OTHER_SHA1))
    server.expect("get_item", item(content_version="3"), id=ITEM)
    expect_removal(server, None, version="3", files=[item_file()])
    assert OTHER_SHA1 in refusal_of(run(server, url=URL, checksum=f"sha1:{SHA1}"), "ERROR")["msg"]


@both_modes
def test_an_item_that_has_the_file_needs_no_pull(server, check_mode):
    expect_item(server)
    server.expect("item_files", [item_file(checksum=OTHER_SHA1)], id=ITEM)
    assert actions(succeeded(run(server, check_mode, url=URL))) == [("tools.iso", "unchanged", False)]


@both_modes
def test_an_item_that_has_content_needs_no_pull_of_a_package(server, check_mode):
    expect_item(server, type="ovf")
    server.expect("item_files", [item_file("disk.vmdk"), item_file("old.ovf")], id=ITEM)
    outcome = run(server, check_mode, url="https://files.example.com/new.ova")
    assert actions(succeeded(outcome)) == [("disk.vmdk", "unchanged", False), ("old.ovf", "unchanged", False)]


# Sessions of others


def of_item():
    return {"query": f"?library_item_id={ITEM}"}


def expect_look(server, model=None, moved=7):
    """One look at the one session that is on the item."""
    server.expect("list", [STALE], **of_item())
    server.expect("get", model or session(id=STALE), id=STALE)
    server.expect("files", [info_of(status="TRANSFERRING", bytes_transferred=moved)], id=STALE)


@both_modes
def test_a_session_that_a_killed_run_left_behind_is_replaced(server, content, iso, ca_path, check_mode):
    expect_item(server)
    server.expect("item_files", [], id=ITEM)
    server.expect("get_library", library(), id=LIBRARY)
    for _second in range(4):
        expect_look(server)
    if not check_mode:
        server.expect("cancel", id=STALE)
        server.expect("delete", id=STALE)
        expect_session(server)
        expect_push(server, content)
        server.expect("validate", valid())
        expect_complete(server, item_file(checksum=SHA1))
        server.expect("get_item", item(), id=ITEM)
    outcome = run(server, check_mode, src=[iso], ca_path=ca_path, stale_after=3)
    succeeded(outcome, "cancel", "delete", "create", "add_file", "upload", "complete")


@pytest.mark.parametrize(
    "refusal", [NOT_FOUND, Refusal("NOT_ALLOWED_IN_CURRENT_STATE", 400, ("It has ended.",))], ids=["gone", "ended"]
)
def test_a_stale_session_that_ends_by_itself(server, iso, refusal):
    expect_item(server)
    server.expect("item_files", [item_file("old.iso"), item_file(checksum=SHA1)], id=ITEM)
    server.expect("get_library", library(), id=LIBRARY)
    expect_look(server)
    expect_look(server)
    server.expect("cancel", refusal, id=STALE)
    if refusal is not NOT_FOUND:
        server.expect("get", session("CANCELED", id=STALE), id=STALE)
    server.expect("delete", NOT_FOUND, id=STALE)
    expect_session(server)
    server.expect("remove", None, file_name="old.iso")
    expect_complete(server, item_file(checksum=SHA1))
    server.expect("get_item", item(), id=ITEM)
    succeeded(run(server, src=[iso], stale_after=1), "cancel", "delete", "create", "remove_file", "complete")


@both_modes
def test_a_session_that_moves_is_not_touched(server, iso, check_mode):
    expect_item(server)
    server.expect("item_files", [], id=ITEM)
    server.expect("get_library", library(), id=LIBRARY)
    expect_look(server, moved=7)
    expect_look(server, moved=8)
    result = refusal_of(run(server, check_mode, src=[iso]), "RESOURCE_BUSY")
    assert STALE in result["msg"]
    assert result["update_session"]["id"] == STALE


def test_a_session_that_moves_is_waited_for(server, iso):
    """What it leaves is compared again, and is what was wanted."""
    expect_item(server)
    server.expect("item_files", [], id=ITEM)
    server.expect("get_library", library(), id=LIBRARY)
    for moved in range(5):
        expect_look(server, moved=moved)
    server.expect("list", [STALE], **of_item())
    server.expect("get", session("DONE", id=STALE), id=STALE)
    server.expect("item_files", [item_file(checksum=SHA1)], id=ITEM)
    assert actions(succeeded(run(server, src=[iso], busy_timeout=60))) == [("tools.iso", "unchanged", True)]


def test_a_session_that_moves_is_waited_for_only_so_long(server, iso):
    expect_item(server)
    server.expect("item_files", [], id=ITEM)
    server.expect("get_library", library(), id=LIBRARY)
    for moved in range(5):
        expect_look(server, moved=moved)
    refusal_of(run(server, src=[iso], busy_timeout=3), "RESOURCE_BUSY")


def test_another_users_session(server, iso):
    expect_item(server)
    server.expect("item_files", [], id=ITEM)
    expect_no_session(server)
    server.expect("create", BUSY, {"library_item_id": ITEM})
    server.expect("list", [], **of_item())
    assert "being updated" in refusal_of(run(server, src=[iso]), "RESOURCE_BUSY")["msg"]


def test_another_users_session_is_waited_for(server, content, iso, ca_path):
    expect_item(server)
    server.expect("item_files", [], id=ITEM)
    expect_no_session(server)
    for _try in range(2):
        server.expect("create", BUSY, {"library_item_id": ITEM})
        server.expect("list", [], **of_item())
    expect_session(server)
    expect_push(server, content)
    server.expect("validate", valid())
    expect_complete(server, item_file(checksum=SHA1))
    server.expect("get_item", item(), id=ITEM)
    outcome = run(server, src=[iso], ca_path=ca_path, busy_timeout=60)
    succeeded(outcome, "create", "add_file", "upload", "complete")


# Somebody else's new item


def test_an_item_that_somebody_else_made_meanwhile_is_taken(server, iso):
    server.expect("find_item", [], FIND)
    server.expect("get_library", library(), id=LIBRARY)
    server.expect("create_item", EXISTS, {**FIND, "type": "iso"})
    expect_item(server)
    server.expect("item_files", [item_file(checksum=SHA1)], id=ITEM)
    assert actions(succeeded(run(server, src=[iso]))) == [("tools.iso", "unchanged", True)]


def test_an_item_whose_name_differs_in_case_is_not_taken(server, iso):
    server.expect("find_item", [], FIND)
    server.expect("get_library", library(), id=LIBRARY)
    server.expect("create_item", EXISTS, {**FIND, "type": "iso"})
    expect_item(server, name="Tools")
    refusal_of(run(server, src=[iso]), "ALREADY_EXISTS")


def test_a_new_item_that_somebody_else_fills_is_not_deleted(server, iso):
    expect_new_item(server)
    server.expect("create", BUSY, {"library_item_id": ITEM})
    server.expect("list", [], **of_item())
    refusal_of(run(server, src=[iso]), "RESOURCE_BUSY")


# Answers that are lost


def test_a_complete_whose_answer_is_lost(server, content, iso, ca_path):
    expect_new_item(server)
    expect_first_session(server)
    expect_push(server, content)
    server.expect("validate", valid())
    server.expect("complete", reset())
    server.expect("get", session("DONE"))
    server.expect("get", session("DONE"))
    server.expect("item_files", [item_file(checksum=SHA1)], id=ITEM)
    server.expect("get_item", item(), id=ITEM)
    outcome = run(server, src=[iso], ca_path=ca_path)
    succeeded(outcome, "create_item", "create", "add_file", "upload", "complete")


def test_a_server_that_stands_still(server, iso):
    server.expect("find_item", hang(), FIND, polled=True)
    refusal_of(run(server, src=[iso], request_timeout=5), "TIMED_OUT")
