# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose an item or a session is after an answer to a create was lost: ours by its client token, else another's."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import library_item, update_session
from tests.in_process import run
from tests.simulator.process import SimulatorProcess

pytest_plugins = ["tests.simulator.fixtures"]

CONTENT = b"of the task"
LOST = [
    dict(kind="reset_before"),
    dict(kind="reset_after"),
    dict(kind="status", status=500, process=False),
    dict(kind="status", status=500, process=True),
    dict(kind="status", status=504, process=True),
]
lost_somehow = pytest.mark.parametrize("lost", LOST, ids=["request", "answer", "500", "500 after", "504 after"])
either_server = pytest.mark.parametrize("client_tokens", [True, False], ids=["honours", "ignores"])


class Work:
    """A task beside somebody else's work, on one server."""

    def __init__(self, vcenter: SimulatorProcess, dialect: str, folder: Path) -> None:
        self.vcenter, self.dialect = vcenter, dialect
        self.src = folder / "tools.iso"
        self.src.write_bytes(CONTENT)

    def fault(self, operation: str, fault: dict[str, Any], count: int = 1) -> None:
        self.vcenter.faults([{"match": {"operation": operation}, "count": count, "fault": fault}])

    def rival(self, operation: str, *acts: dict[str, Any], at: int = 1) -> None:
        self.vcenter.rivals([{"match": {"operation": operation}, "at": at, "acts": list(acts)}])

    def run(self, module: Any, **options: Any) -> Any:
        connection = dict(
            hostname=self.vcenter.host,
            port=self.vcenter.port,
            username=self.vcenter.username,
            password=self.vcenter.password,
            ca_path=self.vcenter.ca_path,
            api_endpoint=self.dialect,
            request_timeout=5,
        )
        return run(module, {**connection, **options})

    def publish(self, **options: Any) -> Any:
        return self.run(library_item, **{"library_name": "demo", "name": "tools", "src": str(self.src), **options})

    def items(self) -> list[dict[str, Any]]:
        return [item for item in self.vcenter.state()["items"].values() if item["name"] == "tools"]

    def operations(self) -> list[str]:
        return [request["operation"] for request in self.vcenter.requests()]

    def content(self) -> dict[str, str]:
        """The files of the one item, by name."""
        (item,) = self.items()
        return {name: file["sha256"] for name, file in item["files"].items()}

    def has_ours(self) -> None:
        assert self.content() == {"tools.iso": hashlib.sha256(CONTENT).hexdigest()}

    def has_the_rivals(self) -> None:
        assert self.content() == {"rival.iso": hashlib.sha256(b"of the rival\n").hexdigest()}


@pytest.fixture(params=["api", "rest"])
def work(vcenter: SimulatorProcess, request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    return Work(vcenter, request.param, tmp_path)


@lost_somehow
@pytest.mark.parametrize("operation", ["item.create", "update_session.create"])
def test_the_client_token_makes_a_create_repeatable(work: Work, operation: str, lost: dict[str, Any]) -> None:
    work.fault(operation, lost)
    outcome = work.publish()
    assert not outcome.failed, outcome.result
    assert outcome.result["operations"] == ["create_item", "create", "add_file", "upload", "complete"]
    work.has_ours()
    (session,) = work.vcenter.state()["sessions"].values()
    assert session["state"] == "DONE"


@lost_somehow
def test_update_session_opens_one_session(work: Work, lost: dict[str, Any]) -> None:
    item = work.vcenter.add_item("tools")
    work.fault("update_session.create", lost)
    outcome = work.run(update_session, library_item_id=item)
    assert outcome.result["operations"] == ["create"], outcome.result
    assert list(work.vcenter.state()["sessions"]) == [outcome.result["update_session"]["id"]]


def test_a_server_that_fails_for_good_is_asked_twice(work: Work) -> None:
    work.fault("item.create", dict(kind="status", status=500), count=100)
    outcome = work.publish()
    assert outcome.result["error_type"] == "INTERNAL_SERVER_ERROR"
    assert work.operations().count("item.create") == 2
