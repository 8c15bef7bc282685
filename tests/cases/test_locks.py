# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What library_item compares is compared while nobody else can change the item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import library_item
from tests.cases.work import CONTENT, OPERATOR, Work
from tests.simulator.process import SimulatorProcess

pytest_plugins = ["tests.simulator.fixtures"]

OLD = {"tools.iso": "old"}
SAME = {"tools.iso": CONTENT.decode()}


@pytest.fixture(params=["api", "rest"])
def work(vcenter: SimulatorProcess, request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    return Work(vcenter, request.param, tmp_path)


def somebody(work: Work, waits: bool, **publishes: Any) -> None:
    """Somebody else publishes after the task has compared: before its session, or while it waits for theirs."""
    if waits:
        session = {"user": OPERATOR, **publishes}
        acts = [{"act": "open_session", **session}, {"act": "complete_session", "after": 0.5, **session}]
    else:
        acts = [{"act": "publish_item", "user": OPERATOR, **publishes}]
    work.rival("update_session.create", *acts)


either_way = pytest.mark.parametrize("waits", [False, True], ids=["at once", "after a wait"])
with_or_without_versions = pytest.mark.parametrize("hidden", [False, True], ids=["versions", "no versions"])


@either_way
@with_or_without_versions
def test_a_file_that_somebody_adds_is_purged(work: Work, waits: bool, hidden: bool) -> None:
    work.vcenter.config(hide_content_versions=hidden)
    work.vcenter.add_item("tools", files=OLD)
    somebody(work, waits)
    outcome = work.publish(busy_timeout=30)
    assert outcome.result["operations"] == ["create", "remove_file", "add_file", "upload", "complete"], outcome.result
    work.has_ours()


@either_way
@with_or_without_versions
def test_identical_content_of_somebody_else_is_not_sent_again(work: Work, waits: bool, hidden: bool) -> None:
    work.vcenter.config(hide_content_versions=hidden)
    work.vcenter.add_item("tools", files=OLD)
    somebody(work, waits, files=SAME)
    outcome = work.publish(busy_timeout=30)
    assert not outcome.failed, outcome.result
    assert not outcome.result["changed"]
    assert outcome.result["operations"] == []
    assert outcome.result["update_session"] is None
    assert [file["action"] for file in outcome.result["files"]] == ["unchanged"]
    assert "file.add" not in work.operations()
    work.has_ours()
    assert "ACTIVE" not in work.sessions()
    assert "CANCELED" not in work.sessions()


@either_way
def test_a_file_that_somebody_removes_is_not_removed_again(work: Work, waits: bool) -> None:
    work.vcenter.add_item("tools", files={**OLD, "old.iso": "old"})
    somebody(work, waits, remove=["old.iso"])
    outcome = work.publish(busy_timeout=30)
    assert not outcome.failed, outcome.result
    work.has_ours()


def test_a_new_item_that_somebody_else_fills_first(work: Work) -> None:
    somebody(work, False)
    outcome = work.publish()
    assert outcome.result["operations"][:3] == ["create_item", "create", "remove_file"], outcome.result
    work.has_ours()


@pytest.mark.parametrize(("hidden", "looks"), [(False, 2), (True, 3)])
def test_what_the_comparison_costs(work: Work, hidden: bool, looks: int) -> None:
    """The files are listed to compare and to verify; once more where the server tells no versions."""
    work.vcenter.config(hide_content_versions=hidden)
    item = work.vcenter.add_item("tools", files=OLD)
    assert not work.publish().failed
    assert work.operations().count("item_file.list") == looks
    work.vcenter.clear_requests()
    assert work.run(library_item, library_item_id=item, src=str(work.src)).result["operations"] == []
    assert [name for name in work.operations() if not name.startswith("session.")] == ["item.get", "item_file.list"]


def test_a_session_that_appears_meanwhile_and_nobody_moves_is_replaced(work: Work) -> None:
    work.vcenter.add_item("tools", files=OLD)
    work.rival("update_session.create", "open_session")
    outcome = work.publish(stale_after=1)
    assert outcome.result["operations"] == ["cancel", "delete", "create", "add_file", "upload", "complete"]
    work.has_ours()


# Our session, ended by somebody else


@pytest.mark.parametrize("operation", ["update_session.complete", "file.validate"])
def test_a_session_that_somebody_completes_is_a_success(work: Work, operation: str) -> None:
    work.vcenter.add_item("tools", files=OLD)
    work.rival(operation, "complete_ours")
    outcome = work.publish()
    assert not outcome.failed, outcome.result
    assert outcome.result["update_session"]["state"] == "DONE"
    work.has_ours()


def test_a_session_that_somebody_completes_and_deletes_is_a_success(work: Work) -> None:
    work.vcenter.add_item("tools", files=OLD)
    work.rival("update_session.complete", "complete_ours", "delete_ours")
    assert not work.publish().failed
    work.has_ours()


def test_a_session_that_somebody_completes_too_early_is_a_failure_that_leaves_the_content(work: Work) -> None:
    work.vcenter.add_item("tools", files=OLD)
    work.rival("file.add", {"act": "add_file"}, "complete_ours")
    outcome = work.publish()
    assert outcome.result["error_type"] == "NOT_ALLOWED_IN_CURRENT_STATE", outcome.result
    assert outcome.result["update_session"]["state"] == "DONE"
    assert sorted(work.content()) == ["rival.iso", "tools.iso"]


@pytest.mark.parametrize(
    ("act", "said"), [("cancel_ours", "CANCELED"), ("fail_ours", "the rival's reason"), ("delete_ours", "is gone")]
)
@pytest.mark.parametrize("operation", ["file.add", "upload", "file.validate", "update_session.complete"])
def test_a_session_that_somebody_ends_is_a_failure_that_says_so(
    work: Work, operation: str, act: str, said: str
) -> None:
    work.rival(operation, act)
    outcome = work.publish()
    assert outcome.failed, outcome.result
    assert outcome.result["update_session"], outcome.result
    assert said in outcome.result["msg"]
    assert work.items() == []
    again = work.publish()
    assert not again.failed, again.result
    work.has_ours()


def test_what_somebody_publishes_after_us_is_no_failure_of_ours(work: Work) -> None:
    work.vcenter.add_item("tools", files=OLD)
    work.rival("item_file.list", {"act": "publish_item", "remove": ["tools.iso"]}, at=2)
    outcome = work.publish()
    assert not outcome.failed, outcome.result
    assert outcome.result["files"][0]["checksum_verified"]
    work.has_the_rivals()
