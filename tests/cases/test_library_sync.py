# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What library_sync sees of a synchronization that nobody tells of."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import library_sync
from tests.cases.checks import TaskResult
from tests.cases.runner import Runner

OPEN = {"published": True, "authentication_method": "NONE"}
ITEMS = [
    {"name": "changed", "files": {"a.iso": "old"}},
    {"name": "gone", "files": {"b.iso": "b"}},
    {"name": "renamed", "files": {"c.iso": "c"}},
    {"name": "same", "files": {"d.iso": "d"}},
]


@pytest.fixture(params=["api", "rest"])
def dialect(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def given(runner: Runner) -> TaskResult:
    libraries = {"source": {"publish_info": OPEN, "items": ITEMS}, "replica": {"subscribes": "source"}}
    return runner.given({"libraries": libraries})


def item_of(given: TaskResult, library: str, name: str) -> str:
    items = given.state["items"].values()
    return next(item["id"] for item in items if (item["library_id"], item["name"]) == (given[library], name))


def changed(runner: Runner, given: TaskResult) -> None:
    """Change the items at their source."""
    runner.control("POST", f"/items/{item_of(given, 'source', 'changed')}", {"files": {"a.iso": "new"}})
    runner.control("DELETE", f"/items/{item_of(given, 'source', 'gone')}")
    runner.control("POST", f"/items/{item_of(given, 'source', 'renamed')}", {"name": "another"})
    runner.control("POST", "/items", {"name": "new", "library_id": given["source"], "files": {"e.iso": "e"}})


def told(task: TaskResult) -> list[str]:
    assert task.status == "ok", task.result
    return [f"{item['name']} {item['change']}" for item in task["library_items"]]


def sync(runner: Runner, dialect: str, **options: Any) -> TaskResult:
    return runner.task("library_sync", api_endpoint=dialect, **options)


def test_items_that_changed_at_their_source(runner: Runner, given: TaskResult, dialect: str) -> None:
    changed(runner, given)
    task = sync(runner, dialect, library_name="replica")
    assert told(task) == ["another updated", "changed updated", "gone removed", "new added"]
    assert task["changed"]
    assert task["diff"]["before"].keys() == {"changed", "gone", "renamed", "same"}
    assert task["diff"]["after"].keys() == {"another", "changed", "new", "same"}
    assert all(item["files"] for item in task.state["items"].values() if item["library_id"] == given["source"])


def test_one_item_of_several_that_changed(runner: Runner, given: TaskResult, dialect: str) -> None:
    changed(runner, given)
    item = item_of(given, "replica", "changed")
    assert told(sync(runner, dialect, library_item_id=item)) == ["changed updated"]


def test_an_item_that_is_gone_at_its_source(runner: Runner, given: TaskResult, dialect: str) -> None:
    changed(runner, given)
    task = sync(runner, dialect, library_name="replica", name="gone")
    assert told(task) == ["gone removed"]
    assert item_of(given, "replica", "gone") not in task.state["items"]


def test_another_synchronization_is_under_way(runner: Runner, given: TaskResult, dialect: str) -> None:
    """Then a trigger has no effect. What changed after the other one began is brought all the same."""
    runner.control("POST", "/config", {"fetch_delay": 1.5})
    runner.control("POST", f"/items/{item_of(given, 'source', 'same')}", {"files": {"d.iso": "new"}})
    headers = {"vmware-api-session-id": runner.control.log_in("administrator@vsphere.local")}
    path = f"/api/content/subscribed-library/{given['replica']}?action=sync"
    runner.control.exchange("POST", path, headers=headers)
    runner.control.exchange("DELETE", "/api/session", headers=headers)
    task = sync(runner, dialect, library_name="replica")
    assert "same updated" in told(task) or "same cached" in told(task)
    assert set(task["operations"]) == {"sync"}
    state = task.state["items"].values()
    assert all(
        file["cached"] for item in state if item["library_id"] == given["replica"] for file in item["files"].values()
    )


def test_a_file_that_did_not_come_is_asked_for_again(
    runner: Runner, given: TaskResult, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_sync, "RETRY", 2.0)
    changed(runner, given)
    broken = {"match": {"operation": "published.file"}, "count": 2, "fault": {"kind": "status", "status": 503}}
    runner.control("POST", "/faults", [broken])
    task = sync(runner, dialect, library_name="replica")
    assert told(task) == ["another updated", "changed updated", "gone removed", "new added"]
    assert task["operations"] == ["sync", "sync"]
