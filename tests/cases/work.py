# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task, and somebody else who works on the same item between two of its requests."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ansible_collections.vsphere.content_library.plugins.modules import library_item
from tests.in_process import run
from tests.simulator.process import SimulatorProcess

CONTENT = b"of the task"
RIVALS = b"of the rival\n"
OPERATOR = "operator@vsphere.local"


class Work:
    """A task beside somebody else's work, on one server."""

    def __init__(self, vcenter: SimulatorProcess, dialect: str, folder: Path) -> None:
        self.vcenter, self.dialect = vcenter, dialect
        self.src = folder / "tools.iso"
        self.src.write_bytes(CONTENT)

    def faults(self, **faults: dict[str, Any]) -> None:
        """The first requests of these operations meet a fault; __ stands for the dot in a name. count: how many."""
        self.vcenter.faults(
            [
                {
                    "match": {"operation": operation.replace("__", ".")},
                    "count": fault.get("count", 1),
                    "fault": {name: value for name, value in fault.items() if name != "count"},
                }
                for operation, fault in faults.items()
            ]
        )

    def rival(self, operation: str, *acts: str | dict[str, Any], at: int = 1) -> None:
        """Before the at-th request of this operation somebody does this to the item."""
        wanted = [{"item": "tools", **({"act": act} if isinstance(act, str) else act)} for act in acts]
        self.vcenter.rivals([{"match": {"operation": operation}, "at": at, "acts": wanted}])

    def outcomes(self) -> list[str]:
        """What came of the rival's acts."""
        return [act["outcome"] for act in self.vcenter.rivals_done()]

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
        assert self.content() == {"rival.iso": hashlib.sha256(RIVALS).hexdigest()}

    def sessions(self) -> list[str]:
        """The states of the update sessions that there are."""
        return sorted(session["state"] for session in self.vcenter.state()["sessions"].values())
