# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a case in this process, against a simulator over real HTTP."""

from __future__ import annotations

import importlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tests import in_process
from tests.cases import given as servers_state
from tests.cases.checks import TaskResult
from tests.cases.language import DEFAULT_GIVEN, OMIT, phases_of, rendered, variables
from tests.cases.sources import sources
from tests.control import Control
from tests.simulator.process import SimulatorProcess

MODULES = "ansible_collections.vsphere.content_library.plugins.modules"


def subject(module: str) -> ModuleType:
    return importlib.import_module(f"{MODULES}.{module}")


def write_local_files(case: dict[str, Any], folder: Path) -> None:
    """The files that are there on this side when a case begins."""
    for name, text in case.get("local", {}).items():
        (folder / name).write_text(text, encoding="utf-8")


def local_files(folder: Path) -> dict[str, str]:
    """The files below a folder, by their paths below it, with their text."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}


class Runner:
    """A simulator, the files that cases push, and a way to run a case or a task with both."""

    def __init__(self, simulator: SimulatorProcess, control: Control, files: dict[str, Any], folder: Path) -> None:
        self.simulator, self.control, self.files, self.folder = simulator, control, files, folder

    def given(self, state: dict[str, Any]) -> TaskResult:
        """Put the simulator into a state, as `given` of a case does. The result has the ids, by name."""
        ids = servers_state.put(self.control, state)
        return TaskResult("", "given", "ok", ids, state=self.control("GET", "/state"))

    def task(self, module: str, check_mode: bool = False, **options: Any) -> TaskResult:
        """Run one task, with the connection options where it has no others."""
        self.control("DELETE", "/requests")
        connection = {
            "hostname": self.simulator.host,
            "port": self.simulator.port,
            "username": self.simulator.username,
            "password": self.simulator.password,
            "ca_path": self.simulator.ca_path,
        }
        arguments = {name: value for name, value in {**connection, **options}.items() if value is not OMIT}
        begin = time.monotonic()
        result = in_process.result_of(subject(module), arguments, check_mode)
        seconds = time.monotonic() - begin
        requests, state = self.control("GET", "/requests"), self.control("GET", "/state")
        status = "failed" if result.pop("failed", False) else "ok"
        return TaskResult("", module, status, result, seconds, requests, state)

    def run(
        self, module: str, case: dict[str, Any], dialect: str, phases: list[str] | None = None
    ) -> tuple[dict[str, Any], TaskResult, dict[str, TaskResult]]:
        """What the case's templates may use, the state that it begins with, and what each phase returned."""
        values = variables(case, dialect, self.files)
        scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=self.folder))
        values["scratch"] = str(scratch)
        write_local_files(case, scratch)
        given = self.given(rendered(case.get("given", DEFAULT_GIVEN), values))
        options = rendered(case["task"], {**values, "given": given.result}, keep_omitted=True)
        tasks = {}
        for phase in phases or phases_of(case):
            before = local_files(scratch)
            tasks[phase] = self.task(module, phase == "check", **{"api_endpoint": dialect, **options})
            if phase == "run":
                values["local"] = local_files(scratch)
            else:
                assert local_files(scratch) == before, f"the {phase} wrote files"
        return values, given, tasks


@contextmanager
def runner(folder: Path) -> Iterator[Runner]:
    with (
        in_process.nobodys_vcenter(),
        SimulatorProcess() as simulator,
        sources(folder) as files,
        Control(vars(simulator)) as control,
    ):
        yield Runner(simulator, control, files, folder)
