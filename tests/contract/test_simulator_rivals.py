# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's rivals: what others do between two requests of a client."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.contract.test_simulator_sessions import eventually
from tests.simulator.process import SimulatorProcess
from tests.simulator.wire import Wire

pytest_plugins = ["tests.simulator.fixtures"]

OPERATOR = "operator@vsphere.local"
RIVAL = {"rival.iso": "of the rival\n"}
# What each act does to the item "subject", which has a.iso, while the client has an ACTIVE session on it.
HELD = {
    "create_item": "ALREADY_EXISTS",
    "publish_item": "RESOURCE_BUSY",
    "delete_item": "done",
    "rename_item": "done",
    "describe_item": "done",
    "create_library": "done",
    "delete_library": "done",
    "rename_library": "done",
    "sync_library": "INVALID_ELEMENT_TYPE",
    "evict_library": "INVALID_ELEMENT_TYPE",
    "open_session": "RESOURCE_BUSY",
    "fill_session": "RESOURCE_BUSY",
    "complete_session": "RESOURCE_BUSY",
    "cancel_session": "RESOURCE_BUSY",
    "fail_session": "RESOURCE_BUSY",
    "delete_session": "RESOURCE_BUSY",
    "add_file": "done",
    "remove_file": "done",
    "complete_ours": "done",
    "cancel_ours": "done",
    "fail_ours": "done",
    "delete_ours": "done",
    "expire_ours": "done",
    "tell_progress": "done",
    "cancel_download": "done",
    "delete_download": "done",
    "expire_download": "done",
    "log_out": "done",
}


def texts(wire: Wire, item: str) -> dict[str, str]:
    names = wire.process.state()["items"][item]["files"]
    return {name: wire.process.item_file(item, name).decode() for name in names}


def content_version(wire: Wire, item: str) -> str:
    return wire.call("item.get", library_item_id=item).value["content_version"]


def state_of(wire: Wire, session: str) -> str | None:
    return wire.process.state()["sessions"].get(session, {}).get("state")


@pytest.mark.parametrize("act", HELD)
def test_against_a_session(wire: Wire, item: str, act: str) -> None:
    """Every act obeys the rules of the API: the client's ACTIVE session keeps others from opening one."""
    session = wire.create(item)
    wire.push(session, "b.iso", b"new")
    download = wire.call("download_session.create", {"library_item_id": item}).value
    done = wire.process.act(act, item="subject", user=OPERATOR)
    assert (done["act"], done["outcome"], done["request"]) == (act, HELD[act], None)
    files = [{"a.iso", "b.iso"}] if act == "complete_ours" else [{"a.iso"}]
    assert [set(found["files"]) for found in done["left"]] == (
        [] if act in ("delete_item", "rename_item", "delete_library") else files
    )
    ended = {"complete_ours": "DONE", "cancel_ours": "CANCELED", "fail_ours": "ERROR"}
    gone = act in ("delete_item", "delete_library", "delete_ours", "expire_ours")
    assert state_of(wire, session) == (None if gone else ended.get(act, "ACTIVE"))
    downloads = wire.process.state()["download_sessions"]
    assert (download in downloads) == (
        act not in ("delete_item", "delete_library", "delete_download", "expire_download")
    )
    assert wire.call("session.get").status == (401 if act == "log_out" else 200)


def test_every_act_is_known(vcenter: SimulatorProcess) -> None:
    """The list from which tests generate their cases."""
    assert vcenter.control("GET", "/acts") == list(HELD)


@pytest.mark.parametrize(
    ("act", "state", "expected"),
    [
        ("open_session", "ACTIVE", {"a.iso": "old"}),
        ("fill_session", "ACTIVE", {"a.iso": "old"}),
        ("complete_session", "DONE", {"a.iso": "old", **RIVAL}),
        ("cancel_session", "CANCELED", {"a.iso": "old"}),
        ("fail_session", "ERROR", {"a.iso": "old"}),
        ("delete_session", None, {"a.iso": "old"}),
        ("publish_item", None, {"a.iso": "old", **RIVAL}),
    ],
)
def test_on_a_free_item(wire: Wire, item: str, act: str, state: str | None, expected: dict[str, str]) -> None:
    """Another user's session: the client can't see it, but it can't open one while that is ACTIVE."""
    assert wire.process.act(act, item="subject", user=OPERATOR)["outcome"] == "done"
    (found,) = wire.process.state()["sessions"].values() or [None]
    assert (found["state"] if found else None) == state
    assert wire.call("update_session.list").value == []
    reply = wire.call("update_session.create", {"library_item_id": item})
    assert reply.error_type == ("RESOURCE_BUSY" if state == "ACTIVE" else None)
    assert texts(wire, item) == expected
    assert content_version(wire, item) == ("1" if expected == {"a.iso": "old"} else "2")


def test_a_session_in_steps(wire: Wire, item: str) -> None:
    """Acts of one user go on with the session that this rival has."""
    for act in ("open_session", "fill_session", "complete_session"):
        wire.process.act(act, item=item, files={"a.iso": "rival"}, remove=[])
    assert len(wire.process.state()["sessions"]) == 1
    assert texts(wire, item) == {"a.iso": "rival"}


@pytest.mark.parametrize(("arguments", "expected"), [({"purge": True}, RIVAL), ({"remove": ["a.iso"]}, RIVAL)])
def test_removing(wire: Wire, item: str, arguments: dict[str, Any], expected: dict[str, str]) -> None:
    assert wire.process.act("publish_item", item="subject", **arguments)["outcome"] == "done"
    assert texts(wire, item) == expected


def test_publishing_a_new_item(wire: Wire) -> None:
    done = wire.process.act("publish_item", item="theirs", library="images", files={"x": "1"})
    (left,) = done["left"]
    assert texts(wire, left["id"]) == {"x": "1"}
    assert wire.call("item.get", library_item_id=left["id"]).value["type"] == "iso"


def test_ours_is_not_theirs(wire: Wire, item: str) -> None:
    """Acts on the client's session leave alone those that rivals have opened."""
    session = wire.create(wire.process.add_item("other"))
    wire.process.act("open_session", item="subject")
    wire.process.act("add_file", files={"x": "1"})
    assert "x" in wire.process.state()["sessions"][session]["files"]
    wire.process.act("remove_file", remove=["x"])
    assert wire.process.state()["sessions"][session]["files"] == {}
    assert wire.process.act("remove_file")["outcome"] == "INVALID_ARGUMENT"
    assert wire.process.act("tell_progress", progress=60)["outcome"] == "done"
    assert wire.process.act("tell_progress", progress=59)["outcome"] == "INVALID_ARGUMENT"
    assert wire.get(session)["client_progress"] == 60
    wire.process.act("cancel_ours")
    assert wire.process.act("fail_ours")["outcome"] == "NOT_ALLOWED_IN_CURRENT_STATE"


def test_subscribed_libraries(wire: Wire, publisher: SimulatorProcess) -> None:
    source = publisher.publish("published", items=[{"name": "tools", "type": "iso", "files": {"tools.iso": "tools"}}])
    library = wire.process.subscribe("mine", publisher, source, on_demand=True)
    publisher.add_item("added", library_id=source, files={"a": "b"})
    assert wire.process.act("sync_library", library="mine")["outcome"] == "done"
    eventually(lambda: len(wire.call("item.list", library_id=library).value) == 2)
    assert wire.process.act("evict_library", library="mine")["outcome"] == "done"
    assert wire.process.act("delete_library", library="mine")["outcome"] == "done"
    assert wire.call("library.get", library_id=library).status == 404


def test_nothing_there(vcenter: SimulatorProcess) -> None:
    for act in ("delete_item", "open_session", "complete_ours", "cancel_download", "rename_item"):
        assert vcenter.act(act, item="nothing")["outcome"] == "NOT_FOUND"


# When they act


def test_before_a_request(wire: Wire, item: str) -> None:
    """Before the request is processed; what it finds is what the rival has left."""
    wire.process.rivals([{"match": {"operation": "item.get"}, "at": 2, "acts": [{"act": "delete_item", "item": item}]}])
    statuses = [wire.call("item.get", library_item_id=item).status for _number in range(3)]
    assert statuses == [200, 404, 404]
    (done,) = wire.process.rivals_done()
    assert (done["act"], done["outcome"], done["left"]) == ("delete_item", "done", [])
    log = wire.process.requests()
    assert log[-2]["n"] == done["request"]


def test_of_one_user(wire: Wire, operator: Wire, item: str) -> None:
    wire.process.rivals([{"match": {"user": OPERATOR}, "acts": [{"act": "delete_item", "item": item}]}])
    assert wire.call("item.get", library_item_id=item).status == 200
    assert operator.call("item.get", library_item_id=item).status == 404


def test_with_a_fault(wire: Wire, item: str) -> None:
    """The request may be lost at that: the rival was there first all the same."""
    wire.process.rivals([{"acts": [{"act": "publish_item", "item": "new"}]}])
    wire.process.faults([{"fault": {"kind": "status", "status": 504}}])
    library = wire.process.state()["items"][item]["library_id"]
    spec = {"library_id": library, "name": "new"}
    assert wire.send("POST", "/api/content/library/item", "{}").status == 504
    assert wire.call("item.create", spec).error_type == "ALREADY_EXISTS"


def test_several_acts(wire: Wire, item: str) -> None:
    """One after the other; those with after do it later, while the client goes on."""
    acts = [
        {"act": "open_session", "item": item, "user": OPERATOR},
        {"act": "complete_session", "item": item, "user": OPERATOR, "after": 0.3},
    ]
    wire.process.rivals([{"acts": acts}])
    assert wire.call("update_session.create", {"library_item_id": item}).error_type == "RESOURCE_BUSY"
    eventually(lambda: wire.call("update_session.create", {"library_item_id": item}).error_type is None)
    assert texts(wire, item) == {"a.iso": "old", **RIVAL}
    assert [done["outcome"] for done in wire.process.rivals_done()] == ["done", "done"]


def test_our_token(wire: Wire, operator: Wire) -> None:
    """That of the request, and no other one."""
    wire.process.rivals([{"match": {"path": "update-session"}, "acts": [{"act": "log_out"}]}])
    assert wire.call("update_session.list").status == 401
    assert operator.call("update_session.list").status == 200


@pytest.mark.parametrize(("keep_alive", "moves"), [(0.1, True), (None, False)])
def test_keep_alive(wire: Wire, item: str, keep_alive: float | None, moves: bool) -> None:
    """A rival that keeps its session alive, and a tool that does not: its session stands still, and expires."""
    wire.process.act("open_session", item=item, keep_alive=keep_alive, lifetime=1.2)
    (session,) = wire.call("update_session.list").value
    first = wire.get(session)["expiration_time"]
    time.sleep(0.2)
    assert (wire.get(session)["expiration_time"] > first) == moves
    time.sleep(1.2)
    assert (wire.call("update_session.get", update_session_id=session).status == 200) == moves


def test_reset(wire: Wire, item: str) -> None:
    """Nobody acts after it."""
    wire.process.rivals([{"count": 99, "acts": [{"act": "delete_item", "item": "debian-12", "after": 0.2}]}])
    wire.call("session.get")
    wire.process.reset()
    time.sleep(0.3)
    assert "debian-12" in [found["name"] for found in wire.process.state()["items"].values()]
    assert wire.process.rivals_done() == []


@pytest.mark.parametrize(
    "wanted",
    [
        [{"acts": [{"act": "explode"}]}],
        [{"acts": [{"act": "delete_item", "itme": "x"}]}],
        [{"acts": [{}]}],
        [{"act": "delete_item"}],
        [{"match": {"url": "x"}}],
    ],
)
def test_mistakes_in_tests_are_told(vcenter: SimulatorProcess, wanted: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="POST /rivals: 400"):
        vcenter.rivals(wanted)


# What the lock and the versions say


def test_content_versions(wire: Wire, item: str) -> None:
    """A session tells the version that the item had when it was opened; each completed session makes a new one."""
    first = wire.create(item)
    assert wire.get(first)["library_item_content_version"] == content_version(wire, item) == "1"
    wire.push(first, "b.iso", b"b")
    assert content_version(wire, item) == "1"
    wire.call("update_session.complete", update_session_id=first)
    assert wire.get(first)["library_item_content_version"] == "1"
    wire.process.act("publish_item", item=item, user=OPERATOR)
    second = wire.create(item)
    assert wire.get(second)["library_item_content_version"] == content_version(wire, item) == "3"
    for operation in ("cancel", "fail"):
        wire.process.act(f"{operation}_ours")
        assert content_version(wire, item) == "3"
        wire.create(item)
    wire.call("item.update", {"description": "x"}, library_item_id=item)
    assert content_version(wire, item) == "3"


@pytest.mark.parametrize("kept", [True, False])
def test_a_session_that_completes_has_to_be_kept_alive(wire: Wire, item: str, kept: bool) -> None:
    wire.process.config(complete_delay=1.3)
    session = wire.create(item)
    wire.push(session, "b.iso", b"new")
    wire.call("update_session.complete", update_session_id=session)
    wire.process.change_session(session, expires_in=1.0)
    if kept:
        wire.call("update_session.keep_alive", update_session_id=session)
    eventually(lambda: state_of(wire, session) == ("DONE" if kept else None))
    assert ("b.iso" in wire.process.state()["items"][item]["files"]) == kept
