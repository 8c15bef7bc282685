# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module library does where the dialects differ, where others work too, and with another vCenter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cases.runner import Runner
from tests.simulator.process import SimulatorProcess

PASSWORD = "s3cret of the publisher"


@pytest.fixture(scope="module")
def publisher() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as process:
        yield process


def test_a_library_in_use_is_deleted_by_force_on_api_alone(runner: Runner) -> None:
    given = runner.given({"config": {"version": "9.1.0"}, "libraries": {"one": {"used_by": ["urn:somebody"]}}})
    task = runner.task("library", name="one", state="absent", force=True, api_endpoint="rest")
    assert task.status == "failed"
    assert task["error_type"] == "OPERATION_NOT_FOUND"
    assert "9.1" in task["msg"]
    assert given["one"] in task.state["libraries"]
    task = runner.task("library", name="one", state="absent", force=True, api_endpoint="api")
    assert (task["changed"], task["operations"], task["library"]) == (True, ["delete_library"], None)
    assert given["one"] not in task.state["libraries"]


@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_a_library_of_somebody_else_is_changed_like_any_other(runner: Runner, dialect: str) -> None:
    """The answer to the create is lost, and so is the create, while another makes a library of that name."""
    runner.given({"faults": [{"match": {"operation": "local_library.create"}, "fault": {"kind": "reset_before"}}]})
    made = {"match": {"operation": "library.find"}, "at": 2, "acts": [{"act": "create_library", "library": "new"}]}
    runner.control("POST", "/rivals", [made])
    task = runner.task("library", name="new", datastore="nfs-01", description="Ours.", api_endpoint=dialect)
    assert task.status == "ok", task.result
    assert task["operations"] == ["create_library", "update_library"]
    assert task["library"]["description"] == "Ours."
    assert [library["name"] for library in task.state["libraries"].values()].count("new") == 1


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "changed"])
@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_a_library_that_somebody_else_renames_keeps_that_name(runner: Runner, dialect: str, is_new: bool) -> None:
    runner.given({} if is_new else {"libraries": {"wanted": {}}})
    rename = {"act": "rename_library", "library": "wanted"}
    runner.control(
        "POST", "/rivals", [{"match": {"operation": "library.get"}, "at": 1 + (not is_new), "acts": [rename]}]
    )
    task = runner.task("library", name="wanted", datastore="nfs-01", description="Ours.", api_endpoint=dialect)
    assert (task.status, task["error_type"]) == ("failed", "NOT_FOUND"), task.result
    assert "renamed" in task["msg"]
    assert task["library"]["name"] == "renamed by a rival"
    names = [library["name"] for library in task.state["libraries"].values()]
    assert names.count("renamed by a rival") == 1
    assert "wanted" not in names


@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_another_vcenter(runner: Runner, publisher: SimulatorProcess, dialect: str) -> None:
    """Its certificate is not trusted by itself; no secret shows, on the way to the server alone."""
    publisher.reset()
    source = publisher.publish("source", password=PASSWORD, items=[{"name": "a", "files": {"a.iso": "a"}}])
    runner.given({})
    subscription: dict[str, Any] = {
        "subscription_url": publisher.library(source)["publish_url"],
        "authentication_method": "basic",
        "password": PASSWORD,
    }
    options = dict(name="copy", type="subscribed", datastore="nfs-01", api_endpoint=dialect)
    refused = runner.task("library", **options, subscription=subscription)
    assert (refused.status, refused["error_type"]) == ("failed", "UNVERIFIED_PEER")
    assert publisher.thumbprint in refused["msg"]
    subscription["ssl_thumbprint"] = publisher.thumbprint
    created = runner.task("library", **options, subscription=subscription)
    assert created.status == "ok", created.result
    items = created.state["items"].values()
    assert [item["name"] for item in items if item["library_id"] == created["library"]["id"]] == ["a"]
    again = runner.task("library", **options, subscription=subscription)
    assert (again["changed"], again["operations"]) == (False, [])
    for task in (refused, created, again):
        assert PASSWORD not in json.dumps(task.result)


def test_an_empty_publisher(runner: Runner) -> None:
    """What is listed late looks like nothing at first, so a library without items is watched for longer."""
    given = runner.given(
        {"libraries": {"source": {"publish_info": {"published": True, "authentication_method": "NONE"}}}}
    )
    subscription = {"subscription_url": given["source_url"]}
    task = runner.task("library", name="copy", type="subscribed", datastore="nfs-01", subscription=subscription)
    assert task.status == "ok", task.result
    assert task["library"]["last_sync_time"]
    assert task.seconds >= 10
