# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose an item or a session is after an answer to a create was lost: ours by its client token, else another's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import library_item, update_session
from tests.cases.work import Work
from tests.simulator.process import SimulatorProcess

pytest_plugins = ["tests.simulator.fixtures"]

LOST = [
    dict(kind="reset_before"),
    dict(kind="reset_after"),
    dict(kind="status", status=500, process=False),
    dict(kind="status", status=500, process=True),
    dict(kind="status", status=504, process=True),
]
UNPROCESSED = [LOST[0], LOST[2], dict(kind="status", status=504)]
REFUSED = dict(kind="status", status=403, count=100)
lost_somehow = pytest.mark.parametrize("lost", LOST, ids=["request", "answer", "500", "500 after", "504 after"])
never_arrived = pytest.mark.parametrize("lost", UNPROCESSED, ids=["request", "500", "504"])
either_server = pytest.mark.parametrize("client_tokens", [True, False], ids=["honours", "ignores"])


@pytest.fixture(params=["api", "rest"])
def work(vcenter: SimulatorProcess, request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    return Work(vcenter, request.param, tmp_path)


@lost_somehow
@pytest.mark.parametrize("operation", ["item__create", "update_session__create"])
def test_the_client_token_makes_a_create_repeatable(work: Work, operation: str, lost: dict[str, Any]) -> None:
    work.faults(**{operation: lost})
    outcome = work.publish()
    assert not outcome.failed, outcome.result
    assert outcome.result["operations"] == ["create_item", "create", "add_file", "upload", "complete"]
    work.has_ours()
    assert work.sessions() == ["DONE"]


@lost_somehow
def test_update_session_opens_one_session(work: Work, lost: dict[str, Any]) -> None:
    item = work.vcenter.add_item("tools")
    work.faults(update_session__create=lost)
    outcome = work.run(update_session, library_item_id=item)
    assert outcome.result["operations"] == ["create"], outcome.result
    assert list(work.vcenter.state()["sessions"]) == [outcome.result["update_session"]["id"]]


def test_a_server_that_fails_for_good_is_asked_twice(work: Work) -> None:
    work.faults(item__create=dict(kind="status", status=500, count=100))
    outcome = work.publish()
    assert outcome.result["error_type"] == "INTERNAL_SERVER_ERROR"
    assert work.operations().count("item.create") == 2


@either_server
@never_arrived
def test_an_item_that_somebody_publishes_while_the_answer_is_lost_stays(
    work: Work, lost: dict[str, Any], client_tokens: bool
) -> None:
    work.vcenter.config(client_tokens=client_tokens)
    work.faults(item__create=lost, upload=REFUSED)
    work.rival("item.create", "publish_item", at=2)
    outcome = work.publish()
    assert outcome.failed
    assert outcome.result["error_type"] == "UNAUTHORIZED", outcome.result
    work.has_the_rivals()
    assert "ACTIVE" not in work.sessions()


@either_server
def test_an_item_that_somebody_publishes_while_the_answer_is_lost_is_replaced(work: Work, client_tokens: bool) -> None:
    work.vcenter.config(client_tokens=client_tokens)
    work.faults(item__create=LOST[0])
    work.rival("item.create", "publish_item", at=2)
    outcome = work.publish()
    assert outcome.result["operations"] == ["create", "remove_file", "add_file", "upload", "complete"]
    work.has_ours()


def test_an_item_of_ours_that_a_server_without_client_tokens_does_not_know_for_ours(work: Work) -> None:
    """It counts as another's. It is filled, as it is empty, and stays, empty, after a failure."""
    work.vcenter.config(client_tokens=False)
    work.faults(item__create=LOST[1], upload=REFUSED)
    assert work.publish().failed
    assert work.content() == {}
    outcome = work.publish()
    work.vcenter.faults([])
    outcome = work.publish()
    assert outcome.result["operations"] == ["create", "add_file", "upload", "complete"], outcome.result
    work.has_ours()


@either_server
@never_arrived
def test_a_session_that_somebody_opens_while_the_answer_is_lost_is_not_taken(
    work: Work, lost: dict[str, Any], client_tokens: bool
) -> None:
    """It is of the same user, and alive."""
    work.vcenter.config(client_tokens=client_tokens)
    work.vcenter.add_item("tools", files={"old.iso": "old"})
    work.faults(update_session__create=lost)
    work.rival("update_session.create", {"act": "fill_session", "keep_alive": 0.5}, at=2)
    outcome = work.publish()
    assert outcome.result["error_type"] == "RESOURCE_BUSY", outcome.result
    assert list(work.content()) == ["old.iso"]
    (session,) = work.vcenter.state()["sessions"].values()
    assert (session["state"], list(session["files"])) == ("ACTIVE", ["rival.iso"])


def test_a_session_of_ours_that_a_server_without_client_tokens_does_not_know_for_ours(work: Work) -> None:
    """It counts as another's that nobody moves, so another takes its place after stale_after seconds."""
    work.vcenter.config(client_tokens=False)
    work.faults(update_session__create=LOST[1])
    outcome = work.publish(stale_after=1)
    assert not outcome.failed, outcome.result
    work.has_ours()
    assert work.sessions() == ["DONE"]


@pytest.mark.parametrize("at", [1, 2], ids=["before the session", "before the undo"])
def test_a_new_item_that_somebody_else_publishes_in_is_not_deleted(work: Work, at: int) -> None:
    work.faults(upload=REFUSED)
    work.rival("update_session.create", "publish_item", at=at)
    outcome = work.publish()
    assert outcome.result["error_type"] == "UNAUTHORIZED", outcome.result
    work.has_the_rivals()
    assert "ACTIVE" not in work.sessions()
    assert "somebody else has published in it" in outcome.warnings[0]


@pytest.mark.parametrize("operation", ["item.delete", "update_session.fail"])
def test_nobody_can_publish_in_a_new_item_while_it_is_deleted(work: Work, operation: str) -> None:
    work.faults(upload=REFUSED)
    work.rival(operation, "publish_item")
    assert work.publish().failed
    assert work.outcomes() == ["RESOURCE_BUSY"]
    assert work.items() == []


def test_a_new_item_without_a_session_is_deleted(work: Work) -> None:
    work.vcenter.config(missing_privileges=["ContentLibrary.UpdateSession"])
    assert work.publish().result["error_type"] == "UNAUTHORIZED"
    assert work.items() == []


def test_a_description_that_somebody_else_changed_is_not_taken_back(work: Work) -> None:
    work.vcenter.add_item("tools", description="old")
    work.faults(upload=REFUSED)
    work.rival("update_session.fail", "describe_item")
    assert work.publish(description="new").failed
    assert [item["description"] for item in work.items()] == ["of a rival"]


@pytest.mark.parametrize("hidden", [False, True])
def test_a_description_is_taken_back(work: Work, hidden: bool) -> None:
    work.vcenter.config(hide_content_versions=hidden)
    work.vcenter.add_item("tools", description="old")
    work.faults(upload=REFUSED)
    assert work.publish(description="new").failed
    assert [item["description"] for item in work.items()] == ["old"]


@pytest.mark.parametrize("lost", [None, LOST[0], LOST[1]], ids=["no loss", "request", "answer"])
def test_a_description_that_somebody_else_wrote_comes_back(work: Work, lost: dict[str, Any] | None) -> None:
    """They write it after this task looked at the item, or after it wrote its own, and the answer to that was lost."""
    work.vcenter.add_item("tools", type="iso", files={"tools.iso": "old"})
    work.faults(**({"item__update": lost} if lost else {}))
    work.rival("item.update", "describe_item", at=2 if lost else 1)
    outcome = work.publish(description="Ours.", checksum=f"sha256:{64 * '0'}")
    assert outcome.result["error_type"] == "ERROR", outcome.result
    assert work.outcomes() == ["done"]
    (item,) = work.items()
    assert item["description"] == "of a rival"


def test_a_description_that_somebody_else_wrote_is_replaced(work: Work) -> None:
    work.vcenter.add_item("tools")
    work.rival("item.update", "describe_item")
    outcome = work.run(library_item, library_name="demo", name="tools", description="Ours.")
    assert (outcome.result["operations"], work.outcomes()) == (["update_item"], ["done"]), outcome.result
    assert outcome.result["library_item"]["description"] == "Ours."


def test_an_update_that_others_always_come_before_ends(work: Work) -> None:
    work.vcenter.add_item("tools")
    others = [
        {
            "match": {"operation": "item.update"},
            "at": at,
            "acts": [dict(act="describe_item", item="tools", description=f"{at}")],
        }
        for at in range(1, 20)
    ]
    work.vcenter.rivals(others)
    outcome = work.run(library_item, library_name="demo", name="tools", description="Ours.")
    assert outcome.result["operation"] == "item.update", outcome.result
    assert (work.operations().count("item.update"), [item["description"] for item in work.items()]) == (5, ["5"])


def test_an_update_that_the_server_refuses_is_sent_once(work: Work) -> None:
    work.vcenter.add_item("tools")
    work.faults(item__update=dict(kind="status", status=400, count=100))
    outcome = work.run(library_item, library_name="demo", name="tools", description="Ours.")
    assert outcome.result["http_status"] == 400, outcome.result
    assert work.operations().count("item.update") == 1
