# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's update sessions and API tokens: who may do what, when."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import pytest

from tests.simulator.process import SimulatorProcess
from tests.simulator.wire import Wire

pytest_plugins = ["tests.simulator.fixtures"]

NOT_ALLOWED = "NOT_ALLOWED_IN_CURRENT_STATE"
ENDED = ("DONE", "ERROR", "CANCELED")


def eventually(probe: object, seconds: float = 5.0) -> object:
    """The first true value of ``probe``."""
    end = time.monotonic() + seconds
    while not (value := probe()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return value


# API tokens


@pytest.mark.parametrize("password", ["wrong", "wrong:er", " "])
def test_wrong_password(wire: Wire, password: str) -> None:
    reply = wire.log_in(password=password)
    assert (reply.status, reply.error_type) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("header", [None, "Basic", "Basic !!!", "Bearer abc", "Basic bm9jb2xvbg=="])
def test_unreadable_credentials(wire: Wire, header: str | None) -> None:
    reply = wire.call("session.create", headers={"Authorization": header} if header else None)
    assert (reply.status, reply.error_type) == (401, "UNAUTHENTICATED")


def test_log_out(wire: Wire) -> None:
    assert len(wire.process.state()["tokens"]) == 1
    wire.call("session.delete")
    assert wire.process.state()["tokens"] == []
    assert wire.call("session.get").status == 401


def test_token_lifetime(wire: Wire) -> None:
    """A token ends some time after its last use."""
    first = wire.call("session.get").value
    time.sleep(0.01)
    wire.call("update_session.list")
    second = wire.call("session.get").value
    assert first["created_time"] == second["created_time"] <= first["last_accessed_time"]
    assert first["last_accessed_time"] < second["last_accessed_time"]
    wire.process.config(token_lifetime=0.01)
    time.sleep(0.02)
    assert wire.process.state()["tokens"] == []
    assert wire.call("session.get").status == 401


def test_tokens_can_be_ended(wire: Wire) -> None:
    wire.process.expire_tokens()
    assert wire.call("update_session.list").status == 401


# The state machine


def bring_to(wire: Wire, item: str, state: str) -> str:
    """A session that came to ``state`` by the API alone."""
    session = wire.create(item)
    end = {"DONE": "complete", "ERROR": "fail", "CANCELED": "cancel"}.get(state)
    if end:
        message = {"client_error_message": "disk broke"} if end == "fail" else {}
        assert wire.call(f"update_session.{end}", update_session_id=session, **message).error_type is None
    assert wire.get(session)["state"] == state
    return session


@pytest.mark.parametrize("state", ENDED)
@pytest.mark.parametrize(
    ("operation", "spec", "arguments"),
    [
        ("update_session.update", {"warning_behavior": []}, {}),
        ("update_session.complete", None, {}),
        ("update_session.cancel", None, {}),
        ("update_session.fail", None, {"client_error_message": "again"}),
        ("update_session.keep_alive", None, {}),
        ("file.add", {"name": "b", "source_type": "PUSH"}, {}),
        ("file.remove", None, {"file_name": "a.iso"}),
        ("file.validate", None, {}),
    ],
)
def test_ended_sessions_stay_as_they_are(
    wire: Wire, item: str, state: str, operation: str, spec: dict[str, object] | None, arguments: dict[str, str]
) -> None:
    session = bring_to(wire, item, state)
    before = wire.get(session)
    reply = wire.call(operation, spec, update_session_id=session, **arguments)
    assert (reply.status, reply.error_type) == (400, NOT_ALLOWED)
    assert state in reply.messages[-1]
    assert wire.get(session) == before


@pytest.mark.parametrize("state", ENDED)
def test_ended_sessions_can_be_deleted(wire: Wire, item: str, state: str) -> None:
    session = bring_to(wire, item, state)
    assert wire.call("file.list", update_session_id=session).status == 200
    assert wire.call("update_session.delete", update_session_id=session).error_type is None
    assert wire.call("update_session.get", update_session_id=session).error_type == "NOT_FOUND"
    assert wire.call("update_session.list").value == []


def test_active_session_can_not_be_deleted(wire: Wire, item: str) -> None:
    session = bring_to(wire, item, "ACTIVE")
    assert wire.call("update_session.delete", update_session_id=session).error_type == NOT_ALLOWED
    assert wire.get(session)["state"] == "ACTIVE"


def test_error_message(wire: Wire, item: str) -> None:
    """The reason of a fail is in the session, whole and as it was given."""
    text = "Zeile 1\n{} ü €" + "x" * 5000
    session = wire.create(item)
    assert "error_message" not in wire.get(session)
    wire.call("update_session.fail", update_session_id=session, client_error_message=text)
    model = wire.get(session)
    assert (model["state"], model["error_message"]["default_message"]) == ("ERROR", text)
    assert "preview_info" not in model


def test_fail_with_the_id_in_the_body(wire: Wire, item: str) -> None:
    """The older form of fail on /rest; /api never had it."""
    session = wire.create(item)
    body = f'{{"update_session_id": "{session}", "client_error_message": "x"}}'
    older = "/rest/com/vmware/content/library/item/update-session?~action=fail"
    newer = "/api/content/library/item/update-session?action=fail"
    reply = wire.send("POST", older if wire.dialect == "rest" else newer, body)
    assert (reply.status, wire.get(session)["state"]) == ((200, "ERROR") if wire.dialect == "rest" else (404, "ACTIVE"))


def test_ids(wire: Wire, item: str) -> None:
    """An id has a colon; get shows it where the vendor's samples do, unless a test wants it otherwise."""
    session = wire.create(item)
    assert session.count(":") == 1
    assert ("id" in wire.get(session)) == (wire.dialect == "rest")
    for wanted in (True, False):
        wire.process.config(get_has_id=wanted)
        assert wire.get(session).get("id") == (session if wanted else None)


# Whose sessions


def test_busy(wire: Wire, operator: Wire, item: str) -> None:
    """One ACTIVE session for an item, whoever asks."""
    session = wire.create(item)
    for user in (wire, operator):
        reply = user.call("update_session.create", {"library_item_id": item})
        assert (reply.status, reply.error_type) == ({"api": 500, "rest": 400}[wire.dialect], "RESOURCE_BUSY")
    wire.call("update_session.cancel", update_session_id=session)
    other = operator.create(item)
    assert operator.get(other)["state"] == "ACTIVE"


def test_list(wire: Wire, operator: Wire, item: str) -> None:
    """Everybody sees their own sessions, of one item if they ask for that."""
    mine = [wire.create(item), *wire.process.add_sessions(2)]
    theirs = wire.process.add_sessions(3, user="operator@vsphere.local")
    assert set(wire.call("update_session.list").value) == set(mine)
    assert set(operator.call("update_session.list").value) == set(theirs)
    assert wire.call("update_session.list", library_item_id=item).value == mine[:1]
    assert operator.call("update_session.list", library_item_id=item).value == []
    assert wire.get(theirs[0])["state"] == "ACTIVE"


def test_deleted_item(wire: Wire, item: str) -> None:
    session = wire.create(item)
    wire.call("item.delete", library_item_id=item)
    assert wire.call("update_session.get", update_session_id=session).error_type == "NOT_FOUND"


# Progress and expiry


def test_progress(wire: Wire, item: str) -> None:
    session = wire.create(item)
    for progress in (0, 5, 5, 100):
        wire.call("update_session.keep_alive", update_session_id=session, client_progress=progress)
        assert wire.get(session)["client_progress"] == progress
    reply = wire.call("update_session.keep_alive", update_session_id=session, client_progress=99)
    assert reply.error_type == "INVALID_ARGUMENT"
    wire.call("update_session.keep_alive", update_session_id=session)
    assert wire.get(session)["client_progress"] == 100


@pytest.mark.parametrize("state", ["ACTIVE", *ENDED])
def test_expiry(wire: Wire, item: str, state: str) -> None:
    """An idle session is gone once its time is over, and its item is free."""
    session = bring_to(wire, item, state)
    wire.process.change_session(session, expires_in=60)
    assert wire.get(session)["state"] == state
    wire.process.change_session(session, expires_in=-0.001)
    assert wire.call("update_session.list").value == []
    assert wire.call("update_session.get", update_session_id=session).error_type == "NOT_FOUND"
    assert wire.call("update_session.keep_alive", update_session_id=session).error_type == "NOT_FOUND"
    wire.create(item)


@pytest.mark.parametrize(
    ("operation", "spec", "arguments"),
    [
        ("update_session.keep_alive", None, {}),
        ("update_session.update", {"warning_behavior": []}, {}),
        ("file.add", {"name": "b", "source_type": "PUSH"}, {}),
        ("file.remove", None, {"file_name": "a.iso"}),
        ("file.validate", None, {}),
    ],
)
def test_activity_extends(
    wire: Wire, item: str, operation: str, spec: dict[str, object] | None, arguments: dict[str, str]
) -> None:
    wire.process.config(session_lifetime=60)
    session = wire.create(item)
    wire.process.change_session(session, expires_in=1)
    wire.get(session)
    assert wire.process.state()["sessions"][session]["expires_in"] < 2
    wire.call(operation, spec, update_session_id=session, **arguments)
    assert wire.process.state()["sessions"][session]["expires_in"] > 58


def test_clock(wire: Wire, item: str) -> None:
    """Times are those of the server's clock, which the Date header tells."""
    wire.process.config(clock_offset=-7200, session_lifetime=300)
    session = wire.create(item)
    reply = wire.call("update_session.get", update_session_id=session)
    date = parsedate_to_datetime(reply.headers["date"]).timestamp()
    assert 7100 < time.time() - date < 7300
    assert reply.value["expiration_time"] < time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


# Warnings


def warnings(wire: Wire, session: str) -> dict[str, bool]:
    preview = wire.get(session)["preview_info"]
    return {warning["type"]: warning["ignored"] for warning in preview.get("warnings", [])}


def test_warnings(wire: Wire, item: str) -> None:
    """What nobody ignored fails the session at complete."""
    kinds = ["SELF_SIGNED_CERTIFICATE", "EXPIRED_CERTIFICATE"]
    session = wire.create(item)
    assert wire.get(session)["preview_info"] == {"state": "NOT_APPLICABLE"}
    wire.process.config(raise_warnings=kinds)
    assert wire.get(session)["preview_info"]["state"] == "AVAILABLE"
    assert warnings(wire, session) == dict.fromkeys(kinds, False)
    ignored = [{"type": kinds[0], "ignored": True}, {"type": kinds[1], "ignored": False}]
    wire.call("update_session.update", {"warning_behavior": ignored}, update_session_id=session)
    assert warnings(wire, session) == {kinds[0]: True, kinds[1]: False}
    assert wire.call("update_session.complete", update_session_id=session).error_type is None
    model = wire.get(session)
    assert model["state"] == "ERROR"
    assert kinds[1] in model["error_message"]["default_message"]
    assert kinds[0] not in model["error_message"]["default_message"]


def test_ignored_warnings(wire: Wire, item: str) -> None:
    """warning_behavior decides, given at create; it is told by get unless a test wants it otherwise."""
    wire.process.config(raise_warnings=["UNTRUSTED_CERTIFICATE"])
    behavior = [{"type": "UNTRUSTED_CERTIFICATE", "ignored": True}]
    session = wire.create(item, warning_behavior=behavior)
    assert wire.get(session)["warning_behavior"] == behavior
    wire.process.config(hide_warning_behavior=True)
    assert "warning_behavior" not in wire.get(session)
    assert warnings(wire, session) == {"UNTRUSTED_CERTIFICATE": True}
    wire.call("update_session.complete", update_session_id=session)
    assert wire.get(session)["state"] == "DONE"


def test_preview_ignored_flag_does_nothing(wire: Wire, item: str) -> None:
    wire.process.config(raise_warnings=["UNTRUSTED_CERTIFICATE"])
    session = wire.create(item)
    preview = wire.get(session)["preview_info"]
    preview["warnings"][0]["ignored"] = True
    wire.call("update_session.update", {"preview_info": preview}, update_session_id=session)
    assert warnings(wire, session) == {"UNTRUSTED_CERTIFICATE": False}


# Complete


def test_hidden_content_versions(wire: Wire, item: str) -> None:
    session = wire.create(item)
    assert wire.get(session)["library_item_content_version"] == "1"
    wire.process.config(hide_content_versions=True)
    assert "library_item_content_version" not in wire.get(session)
    assert "content_version" not in wire.call("item.get", library_item_id=item).value


def test_asynchronous_complete(wire: Wire, item: str) -> None:
    wire.process.config(complete_delay=0.5)
    session = wire.create(item)
    wire.push(session, "a.iso", b"new")
    assert wire.call("update_session.complete", update_session_id=session).error_type is None
    assert wire.get(session)["state"] == "ACTIVE"
    add = {"name": "late", "source_type": "PUSH"}
    assert wire.call("file.add", add, update_session_id=session).error_type == NOT_ALLOWED
    assert wire.call("item.get", library_item_id=item).value["content_version"] == "1"
    eventually(lambda: wire.get(session)["state"] == "DONE")
    assert wire.call("item.get", library_item_id=item).value["content_version"] == "2"


# What tests can set up


def test_seeded_sessions(wire: Wire, vcenter: SimulatorProcess) -> None:
    """Every situation that a test may need, without going through the API."""
    seeds = {
        "ERROR": {"error_message": "no"},
        "DONE": {"client_progress": 100},
        "CANCELED": {},
        "ACTIVE": {"preview_warnings": ["EXPIRED_CERTIFICATE"]},
    }
    for state, attributes in seeds.items():
        (session,) = vcenter.add_sessions(state=state, **attributes)
        model = wire.get(session)
        assert model["state"] == state
        assert model.get("error_message", {}).get("default_message") == attributes.get("error_message")
        assert model["client_progress"] == attributes.get("client_progress", 0)
        assert ("preview_info" in model) == (state == "ACTIVE")
    vcenter.change_session(session, preview_state="PREPARING")
    assert wire.get(session)["preview_info"] == {"state": "PREPARING"}
    vcenter.change_session(session, state="DONE")
    assert wire.get(session)["state"] == "DONE"
    vcenter.change_session(session, state="ACTIVE", client_progress=3)
    assert (wire.get(session)["state"], wire.get(session)["client_progress"]) == ("ACTIVE", 3)
    vcenter.delete_session(session)
    assert wire.call("update_session.get", update_session_id=session).error_type == "NOT_FOUND"


def test_many_sessions(wire: Wire, vcenter: SimulatorProcess) -> None:
    ids = vcenter.add_sessions(1000)
    assert wire.call("update_session.list").value == ids
