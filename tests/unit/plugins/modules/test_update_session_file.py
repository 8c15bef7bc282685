# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control is the scripted wire; what is pushed goes to a real server over TLS."""

from __future__ import annotations

import hashlib

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import update_session_file
from ansible_collections.vsphere.content_library.tests.unit.plugins.content_server import take
from ansible_collections.vsphere.content_library.tests.unit.plugins.library_wire import item_file
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import (
    HOST,
    ID,
    ITEM,
    Refusal,
    argument_errors,
    session,
)

NAME = "größe (1).iso"
CONTENT = b"content"
SHA1 = hashlib.sha1(CONTENT, usedforsecurity=False).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER_SHA1 = "0" * 40
URL = "https://user:pa%20ss@files.example.com/?id=3"
MASKED = "https://files.example.com/?id=3"
PUSH = {"name": NAME, "source_type": "PUSH", "size": 7}
PULL = {"name": NAME, "source_type": "PULL", "source_endpoint": {"uri": URL}}
MESSAGE = {"id": "x", "default_message": "The disk image is broken.", "args": []}
NOT_FOUND = Refusal("NOT_FOUND", 404, ("There is no such session.",))
FILE_KEYS = {
    "name",
    "source_type",
    "size",
    "checksum_info",
    "source_endpoint",
    "bytes_transferred",
    "status",
    "error_message",
    "keep_in_storage",
}

both_modes = pytest.mark.parametrize("check_mode", [False, True])


@pytest.fixture
def iso(tmp_path):
    path = tmp_path / "on disk.iso"
    path.write_bytes(CONTENT)
    return str(path)


def run(server, check_mode=False, **params):
    return server.run(update_session_file, check_mode, **{"update_session_id": ID, "name": NAME, **params})


def succeeded(outcome, *operations):
    assert not outcome.failed, outcome.result
    assert outcome.result["operations"] == list(operations)
    assert outcome.result["changed"] is bool(operations)
    return outcome.result


def refusal_of(outcome, error_type):
    assert outcome.failed, outcome.result
    assert outcome.result["error_type"] == error_type, outcome.result
    return outcome.result


def info_of(status="READY", source_type="PUSH", **members):
    return {"name": NAME, "source_type": source_type, "status": status, "bytes_transferred": 7, **members}


def with_sha1(value):
    return {"checksum_info": {"algorithm": "SHA1", "checksum": value}}


def expect_push(server, content, spec, *infos):
    """The file is added and pushed, and then looked at by whom it concerns."""
    endpoint = {"uri": f"https://127.0.0.1:{content.port}/cls/data/1/x"}
    server.expect("add", info_of("WAITING_FOR_TRANSFER", upload_endpoint=endpoint), spec)
    for info in infos[:1]:
        server.expect("file", {**info, "upload_endpoint": endpoint}, file_name=NAME)
    for info in infos[1:]:
        server.expect("files", [{**info, "upload_endpoint": endpoint}])


# Refused before anything is sent


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"src": "/does/not/exist.iso"}, "src"),
        ({"src": "/"}, "directory"),
        ({"src": "tools.iso", "wait_timeout": 0}, "wait_timeout"),
        ({"src": "tools.iso", "checksum": "sha1:0a"}, "checksum"),
        ({"url": URL, "checksum": "sha1:0a"}, "checksum"),
        ({"url": "ftp://files.example.com/tools.iso"}, "url"),
        ({"src": "tools.iso", "update_session_id": ""}, "update_session_id"),
        ({"src": "tools.iso", "name": ""}, "name"),
    ],
)
def test_refused(server, params, option):
    assert option in refusal_of(run(server, **params), "INVALID_ARGUMENT")["msg"]


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({}, "src"),
        ({"src": "a", "url": "b"}, "url"),
        ({"src": "a", "ssl_thumbprint": "AA"}, "url"),
        ({"src": "a", "name": None}, "name"),
        ({"src": "a", "update_session_id": None}, "update_session_id"),
    ],
)
def test_refused_by_the_argument_spec(params, named):
    params = {"update_session_id": ID, "name": NAME, **params}
    assert any(named in error for error in argument_errors(update_session_file, **params))


# The session


@both_modes
@pytest.mark.parametrize("state", ["DONE", "ERROR", "CANCELED"])
@pytest.mark.parametrize("wanted", ["present", "absent"])
def test_a_session_that_has_ended(server, iso, check_mode, state, wanted):
    server.expect("get", session(state))
    outcome = run(server, check_mode, state=wanted, src=iso)
    result = refusal_of(outcome, "NOT_ALLOWED_IN_CURRENT_STATE")
    assert state in result["msg"]
    assert ID in result["msg"]
    assert HOST in result["msg"]
    assert result["update_session"]["state"] == state


@both_modes
def test_a_session_that_is_missing(server, iso, check_mode):
    server.expect("get", NOT_FOUND)
    refusal_of(run(server, check_mode, src=iso), "NOT_FOUND")


# src


def test_a_push(server, content, iso, ca_path):
    server.expect("get", session())
    server.expect("files", [])
    expect_push(server, content, PUSH, *[info_of(size=7, **with_sha1(SHA1))] * 2)
    server.expect("get", session(client_progress=100))
    result = succeeded(run(server, src=iso, ca_path=ca_path), "add_file", "upload")
    assert content.puts[0].received == CONTENT
    assert result["file"].keys() == FILE_KEYS
    assert (result["file"]["name"], result["file"]["status"]) == (NAME, "READY")
    assert result["update_session"]["client_progress"] == 100
    assert result["diff"] == {
        "before": {},
        "after": {"name": NAME, "source_type": "PUSH", "status": "READY", "size": 7, **with_sha1(SHA1)},
    }


def test_a_push_that_would_be(server, iso):
    server.expect("get", session())
    server.expect("files", [])
    result = succeeded(run(server, check_mode=True, src=iso, checksum=f"sha1:{SHA1}"), "add_file", "upload")
    assert result["file"].keys() == FILE_KEYS
    assert result["diff"]["after"] == {
        "name": NAME,
        "source_type": "PUSH",
        "status": "READY",
        "size": 7,
        **with_sha1(SHA1),
    }


def test_a_push_with_a_checksum(server, content, iso, ca_path):
    told = {"checksum_info": {"algorithm": "SHA256", "checksum": SHA256}}
    server.expect("get", session())
    server.expect("files", [])
    expect_push(server, content, {**PUSH, **told}, *[info_of(**told)] * 2)
    server.expect("get", session())
    succeeded(run(server, src=iso, ca_path=ca_path, checksum=f"sha256:{SHA256}"), "add_file", "upload")


def test_a_server_that_never_tells(server, content, iso, ca_path):
    waiting = info_of("WAITING_FOR_TRANSFER", bytes_transferred=None)
    server.expect("get", session())
    server.expect("files", [])
    expect_push(server, content, PUSH, waiting, waiting)
    server.expect("get", session())
    result = succeeded(run(server, src=iso, ca_path=ca_path), "add_file", "upload")
    assert result["file"]["status"] == "WAITING_FOR_TRANSFER"


@both_modes
@pytest.mark.parametrize(
    "file",
    [
        info_of(size=7, **with_sha1(SHA1)),
        info_of(size=None, **with_sha1(SHA1)),
        info_of(size=7),
        info_of(source_type="PULL", **with_sha1(SHA1)),
        info_of(checksum_info={"algorithm": "SHA256", "checksum": SHA256}),
    ],
)
def test_a_file_that_is_there(server, iso, check_mode, file):
    server.expect("get", session())
    server.expect("files", [file])
    result = succeeded(run(server, check_mode, src=iso))
    assert result["file"]["status"] == "READY"
    assert result["diff"]["before"] == result["diff"]["after"]


@pytest.mark.parametrize(
    "file",
    [
        info_of(size=8),
        info_of(size=7, **with_sha1(OTHER_SHA1)),
        info_of("ERROR", size=7),
        info_of("TRANSFERRING", size=7, **with_sha1(SHA1)),
        info_of("WAITING_FOR_TRANSFER"),
    ],
)
def test_a_file_that_differs(server, iso, file):
    server.expect("get", session())
    server.expect("files", [file])
    succeeded(run(server, check_mode=True, src=iso), "add_file", "upload")


@pytest.mark.parametrize(
    ("kept", "operations"),
    [
        (item_file(NAME, checksum=SHA1), []),
        (item_file(NAME, checksum=OTHER_SHA1), ["add_file", "upload"]),
        (item_file(NAME), []),
    ],
)
def test_a_file_of_the_item_is_compared_by_the_items_checksum(server, iso, kept, operations):
    server.expect("get", session())
    server.expect("files", [info_of(source_type="NONE", size=7)])
    server.expect("item_files", [item_file("other.iso", checksum=SHA1), kept], id=ITEM)
    succeeded(run(server, check_mode=True, src=iso), *operations)


@pytest.mark.parametrize("told", [with_sha1(SHA1), {}])
@pytest.mark.parametrize(
    "checksum", [f"sha1:{OTHER_SHA1}", "sha256:" + "0" * 64], ids=["same algorithm", "other algorithm"]
)
def test_a_wrong_checksum_of_a_file_that_is_there(server, iso, told, checksum):
    server.expect("get", session())
    server.expect("files", [info_of(size=7, **told)])
    assert "checksum" in refusal_of(run(server, src=iso, checksum=checksum), "INVALID_ARGUMENT")["msg"]


def test_a_push_that_fails_tells_the_reason_and_the_session(server, content, iso, ca_path):
    content.on_put = lambda put: take(put) and 400
    server.expect("get", session(client_progress=3))
    server.expect("files", [])
    expect_push(server, content, PUSH)
    server.expect("files", [info_of("ERROR", error_message=MESSAGE)])
    server.expect("validate", {"has_errors": False})
    result = refusal_of(run(server, src=iso, ca_path=ca_path), "ERROR")
    assert MESSAGE["default_message"] in result["msg"]
    assert NAME in result["msg"]
    assert "/cls/data" not in str(result)
    assert (result["operation"], result["http_status"]) == ("upload", 400)
    assert result["update_session"]["client_progress"] == 3


# url


@pytest.mark.parametrize("wait", [True, False])
def test_a_pull(server, wait):
    spec = {**PULL, **with_sha1(SHA1)}
    spec["source_endpoint"] = {"uri": URL, "ssl_certificate_thumbprint": "AA:BB"}
    server.expect("get", session())
    server.expect("files", [])
    server.expect("add", {**spec, "status": "WAITING_FOR_TRANSFER"}, spec)
    if wait:
        for status in ("TRANSFERRING", "VALIDATING", "READY"):
            server.expect("files", [{**spec, "status": status}])
    server.expect("get", session())
    outcome = run(server, url=URL, wait=wait, checksum=f"sha1:{SHA1}", ssl_thumbprint="AA:BB")
    result = succeeded(outcome, "add_file")
    assert result["file"]["status"] == ("READY" if wait else "WAITING_FOR_TRANSFER")
    assert result["file"]["source_endpoint"] == {"uri": MASKED, "ssl_certificate_thumbprint": "AA:BB"}
    assert "pa%20ss" in outcome.secrets


def test_a_pull_that_would_be(server):
    server.expect("get", session())
    server.expect("files", [])
    result = succeeded(run(server, check_mode=True, url=URL), "add_file")
    assert result["file"].keys() == FILE_KEYS
    assert (result["file"]["status"], result["file"]["source_endpoint"]) == ("READY", {"uri": MASKED})


@both_modes
@pytest.mark.parametrize(
    ("file", "params"),
    [
        ({**PULL, "status": "READY"}, {}),
        ({**PULL, "status": "READY", "source_endpoint": {"uri": MASKED}, **with_sha1(SHA1)}, {"checksum": SHA1}),
    ],
)
def test_a_file_that_is_pulled_already(server, check_mode, file, params):
    server.expect("get", session())
    server.expect("files", [file])
    succeeded(run(server, check_mode, url=URL, **{name: f"sha1:{value}" for name, value in params.items()}))


def test_a_pull_that_is_under_way_is_waited_for(server):
    server.expect("get", session())
    server.expect("files", [{**PULL, "status": "TRANSFERRING"}])
    server.expect("files", [{**PULL, "status": "TRANSFERRING"}])
    server.expect("files", [{**PULL, "status": "READY"}])
    assert succeeded(run(server, url=URL))["file"]["status"] == "READY"


@pytest.mark.parametrize(
    ("file", "params"),
    [
        ({**PULL, "status": "ERROR"}, {}),
        ({**PULL, "status": "READY", "source_endpoint": {"uri": "https://elsewhere.example.com/"}}, {}),
        ({**PULL, "status": "READY", **with_sha1(OTHER_SHA1)}, {"checksum": f"sha1:{SHA1}"}),
        (info_of(), {}),
        (info_of(source_type="NONE"), {}),
    ],
)
def test_a_pull_of_what_differs(server, file, params):
    server.expect("get", session())
    server.expect("files", [file])
    succeeded(run(server, check_mode=True, url=URL, **params), "add_file")


def test_a_pull_that_fails(server):
    server.expect("get", session())
    server.expect("files", [])
    server.expect("add", {**PULL, "status": "TRANSFERRING"}, PULL)
    server.expect("files", [{**PULL, "status": "ERROR", "error_message": MESSAGE}])
    result = refusal_of(run(server, url=URL), "ERROR")
    assert MESSAGE["default_message"] in result["msg"]
    assert NAME in result["msg"]
    assert HOST in result["msg"]
    assert result["update_session"]["id"] == ID


def test_a_pull_that_the_session_forgets(server):
    server.expect("get", session())
    server.expect("files", [])
    server.expect("add", {**PULL, "status": "TRANSFERRING"}, PULL)
    server.expect("files", [])
    assert "lost it" in refusal_of(run(server, url=URL), "ERROR")["msg"]


def test_a_pull_that_takes_too_long(server):
    server.expect("get", session())
    server.expect("files", [])
    server.expect("add", {**PULL, "status": "TRANSFERRING"}, PULL)
    server.expect("files", [{**PULL, "status": "TRANSFERRING"}], polled=True)
    result = refusal_of(run(server, url=URL, wait_timeout=20), "TIMED_OUT")
    assert "20 seconds" in result["msg"]
    assert result["update_session"]["id"] == ID


# absent


def test_a_file_is_removed(server):
    server.expect("get", session())
    server.expect("files", [info_of(size=7)])
    server.expect("remove", None, file_name=NAME)
    server.expect("get", session())
    result = succeeded(run(server, state="absent"), "remove_file")
    assert result["file"] is None
    assert (result["diff"]["before"]["name"], result["diff"]["after"]) == (NAME, {})


def test_a_file_that_would_be_removed(server):
    server.expect("get", session())
    server.expect("files", [info_of()])
    assert succeeded(run(server, check_mode=True, state="absent"), "remove_file")["file"] is None


@both_modes
def test_a_file_that_is_absent(server, check_mode):
    server.expect("get", session())
    server.expect("files", [{**info_of(), "name": "other.iso"}])
    assert succeeded(run(server, check_mode, state="absent"))["file"] is None
