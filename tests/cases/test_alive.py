# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions stay alive while a task works with them, and what others do to them meanwhile is told or is a success."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import (
    update_session,
    update_session_fail,
    update_session_file,
)
from tests.cases.work import Work
from tests.simulator.process import SimulatorProcess

pytest_plugins = ["tests.simulator.fixtures"]

IGNORE = [{"type": "SELF_SIGNED_CERTIFICATE", "ignored": True}]
DENIED = dict(kind="status", status=403)


@pytest.fixture(params=["api", "rest"])
def work(vcenter: SimulatorProcess, request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    return Work(vcenter, request.param, tmp_path)


@pytest.fixture(params=[False, True], ids=["typed", "untyped"])
def hidden(work: Work, request: pytest.FixtureRequest) -> bool:
    """Whether errors leave out their error_type, which is optional."""
    work.vcenter.config(hide_error_type=request.param)
    return request.param


def opened(work: Work, **attributes: Any) -> str:
    (session_id,) = work.vcenter.add_sessions(**attributes)
    return session_id


def state_of(work: Work, session_id: str) -> str:
    return work.vcenter.state()["sessions"][session_id]["state"]


# Kept alive


def test_a_session_that_takes_long_to_complete(work: Work) -> None:
    work.vcenter.config(complete_delay=3)
    session_id = opened(work, lifetime=1)
    outcome = work.run(update_session, update_session_id=session_id, state="done")
    assert not outcome.failed, outcome.result
    assert outcome.result["operations"] == ["complete"]


def test_a_session_that_takes_long_to_validate(work: Work) -> None:
    work.vcenter.config(session_lifetime=1)
    work.faults(file__validate=dict(kind="hang", seconds=3, process=True))
    outcome = work.publish()
    assert not outcome.failed, outcome.result
    work.has_ours()


def test_the_reasons_for_a_failure_may_take_long_to_find(work: Work) -> None:
    work.vcenter.config(session_lifetime=1)
    work.faults(upload=dict(kind="status", status=403), file__validate=dict(kind="hang", seconds=3, process=True))
    outcome = work.publish()
    assert outcome.result["error_type"] == "UNAUTHORIZED"
    assert outcome.result["update_session"]["state"] == "ERROR"


@pytest.mark.parametrize("module", ["library_item", "update_session_file"])
def test_another_push_that_gets_further_does_not_starve_this_one(work: Work, module: str, hidden: bool) -> None:
    work.src.write_bytes(b"x" * 4_000_000)
    work.vcenter.config(session_lifetime=2, upload_rate=1_000_000)
    work.rival("upload", "tell_progress")
    if module == "library_item":
        outcome = work.publish()
    else:
        outcome = work.run(update_session_file, update_session_id=opened(work), name="a.iso", src=str(work.src))
    assert not outcome.failed, outcome.result
    assert work.outcomes() == ["done"]


# The progress is at least


def test_a_progress_that_somebody_else_has_reached(work: Work, hidden: bool) -> None:
    session_id = opened(work, client_progress=10)
    work.rival("update_session.keep_alive", {"act": "tell_progress", "progress": 60})
    outcome = work.run(update_session, update_session_id=session_id, client_progress=50)
    assert not outcome.failed, outcome.result
    assert outcome.result["operations"] == []
    assert outcome.result["update_session"]["client_progress"] == 60


def test_a_short_life_is_extended_where_somebody_else_got_further(work: Work, hidden: bool) -> None:
    session_id = opened(work, client_progress=10, expires_in=20)
    work.rival("update_session.keep_alive", {"act": "tell_progress", "progress": 60})
    outcome = work.run(update_session, update_session_id=session_id, client_progress=50, min_lifetime=100)
    assert outcome.result["operations"] == ["keep_alive"]
    assert outcome.result["update_session"]["expires_in"] > 100


# Races that end well


@pytest.mark.parametrize(
    ("operation", "options"),
    [
        ("update_session.keep_alive", {"client_progress": 50}),
        ("update_session.update", {"warning_behavior": IGNORE}),
        ("update_session.complete", {}),
    ],
)
def test_done_although_somebody_else_was_faster(
    work: Work, hidden: bool, operation: str, options: dict[str, Any]
) -> None:
    session_id = opened(work)
    work.rival(operation, "complete_ours")
    outcome = work.run(update_session, update_session_id=session_id, state="done", **options)
    assert not outcome.failed, outcome.result
    assert outcome.result["update_session"]["state"] == "DONE"


@pytest.mark.parametrize("act", ["complete_ours", "cancel_ours"])
def test_active_is_not_what_somebody_else_has_ended(work: Work, hidden: bool, act: str) -> None:
    session_id = opened(work)
    work.rival("update_session.keep_alive", act)
    outcome = work.run(update_session, update_session_id=session_id, client_progress=50)
    assert outcome.failed
    assert outcome.result["update_session"]["state"] == {"complete_ours": "DONE", "cancel_ours": "CANCELED"}[act]


def test_active_is_not_what_ends_before_it_is_looked_at_again(work: Work) -> None:
    """It is not canceled on top of that."""
    session_id = opened(work)
    work.rival("update_session.get", "fail_ours", at=2)
    outcome = work.run(update_session, update_session_id=session_id, client_progress=50)
    assert outcome.result["error_type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert "update_session.cancel" not in work.operations()


@pytest.mark.parametrize("act", ["complete_ours", "cancel_ours", "fail_ours", "delete_ours"])
def test_absent_although_somebody_else_was_faster(work: Work, hidden: bool, act: str) -> None:
    session_id = opened(work)
    work.rival("update_session.cancel", act)
    outcome = work.run(update_session, update_session_id=session_id, state="absent")
    assert not outcome.failed, outcome.result
    assert session_id not in work.vcenter.state()["sessions"]


def test_canceled_although_somebody_else_was_faster(work: Work, hidden: bool) -> None:
    session_id = opened(work)
    work.rival("update_session.cancel", "cancel_ours")
    assert not work.run(update_session, update_session_id=session_id, state="canceled").failed


@pytest.mark.parametrize(("module", "state"), [(update_session, "canceled"), (update_session_fail, None)])
def test_a_session_that_somebody_deletes_once_it_has_ended(work: Work, module: Any, state: str | None) -> None:
    session_id = opened(work)
    work.rival("update_session.get", "delete_ours", at=2)
    options = {"state": state} if state else {"client_error_message": "no"}
    outcome = work.run(module, update_session_id=session_id, **options)
    assert not outcome.failed, outcome.result
    assert outcome.result["update_session"]["state"] == ("CANCELED" if state else "ERROR")


def test_a_stale_session_that_ends_before_it_is_canceled(work: Work, hidden: bool) -> None:
    work.vcenter.add_item("tools", files={"old.iso": "old"})
    work.vcenter.act("fill_session", item="tools")
    work.vcenter.rivals([])  # the session is nobody's now
    work.rival("update_session.cancel", "complete_ours")
    outcome = work.publish(stale_after=1)
    assert not outcome.failed, outcome.result
    work.has_ours()


def test_a_session_of_the_user_that_appears_meanwhile_is_taken(work: Work) -> None:
    item = work.vcenter.add_item("tools")
    work.rival("update_session.create", "open_session")
    outcome = work.run(update_session, library_item_id=item)
    assert not outcome.failed, outcome.result
    assert outcome.result["operations"] == []
    assert list(work.vcenter.state()["sessions"]) == [outcome.result["update_session"]["id"]]


# update_session is in every failure


@pytest.mark.parametrize(
    ("module", "operation", "options"),
    [
        (update_session, "update_session.update", {"warning_behavior": IGNORE}),
        (update_session, "update_session.keep_alive", {"client_progress": 50}),
        (update_session, "update_session.complete", {"state": "done"}),
        (update_session, "update_session.cancel", {"state": "canceled"}),
        (update_session, "update_session.cancel", {"state": "absent"}),
        (update_session_fail, "update_session.fail", {"client_error_message": "no"}),
        (update_session_file, "file.list", {"name": "a.iso", "state": "absent"}),
        (update_session_file, "file.add", {"name": "a.iso", "url": "https://files.example.com/a.iso"}),
        (update_session_file, "file.remove", {"name": "old.iso", "state": "absent"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("vanished", [False, True])
def test_a_failure_tells_the_session(
    work: Work, module: Any, operation: str, options: dict[str, Any], vanished: bool
) -> None:
    item = work.vcenter.add_item("tools", files={"old.iso": "old"})
    session_id = opened(work, library_item_id=item)
    if vanished:
        work.rival(operation, "delete_ours")
    else:
        work.faults(**{operation.replace(".", "__"): {**DENIED, "count": 9}})
    outcome = work.run(module, update_session_id=session_id, **options)
    if vanished and options.get("state") == "absent" and module is update_session:
        assert not outcome.failed, outcome.result
        return
    assert outcome.result["error_type"] == ("NOT_FOUND" if vanished else "UNAUTHORIZED"), outcome.result
    assert outcome.result["update_session"]["id"] == session_id
