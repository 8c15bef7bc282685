# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task's result does not tell whether it was run in ansible-core's worker or as a module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cases.checks import TaskResult, check_case, check_ways_agree
from tests.cases.language import DEFAULT_GIVEN, DIALECTS, MODULES, load, phases_of, variables
from tests.cases.runner import local_files, write_local_files
from tests.playbooks.plays import WAYS, Run


def outcome(case: dict[str, Any]) -> tuple[object, ...]:
    """What kind of an end a case has."""
    expect, failed = case["expect"], case["expect"].get("failed", {})
    told = (bool(expect.get("operations")), bool(expect.get("warnings")))
    return ("failed" in expect, "error_type" in failed, expect.get("sent", True), *told)


def chosen(dialect: str) -> list[tuple[str, dict[str, Any]]]:
    """Of each module the first case with each kind of end, by turns for one dialect and the other."""
    found = []
    for module in MODULES:
        kinds: dict[tuple[object, ...], dict[str, Any]] = {}
        for case in load(module):
            kinds.setdefault(outcome(case), case)
        found += [(module, {**case, "phases": phases_of(case)[:2]}) for case in kinds.values()]
    return found[DIALECTS.index(dialect) :: len(DIALECTS)]


def tasks_of(module: str, case: dict[str, Any], dialect: str, scratch: Path) -> list[dict[str, Any]]:
    scratch.mkdir(parents=True)
    write_local_files(case, scratch)
    values = {"dialect": dialect, "scratch": str(scratch), **case.get("vars", {})}
    shared = {"vars": values, "ignore_errors": True}
    given = case.get("given", DEFAULT_GIVEN)
    return [
        {"name": f"{module}, {case['case']} | given", "simulator": given, "register": "given", **shared},
        *(
            {
                "name": f"{module}, {case['case']} | {phase}",
                f"vsphere.content_library.{module}": case["task"],
                "check_mode": phase == "check",
                "diff": True,
                **shared,
            }
            for phase in phases_of(case)
        ),
    ]


def done(module: str, case: dict[str, Any], run: Run) -> tuple[TaskResult, dict[str, TaskResult]]:
    given = run.task(f"{module}, {case['case']} | given")
    assert given.status == "ok", given.result
    return given, {phase: run.task(f"{module}, {case['case']} | {phase}") for phase in phases_of(case)}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.costly
def test_a_playbook_shows_the_same_each_way(dialect, playbook, servers, files, tmp_path):
    cases = chosen(dialect)
    folders = [[tmp_path / way / str(number) for number, _case in enumerate(cases)] for way in WAYS]
    runs = []
    for way, scratches in zip(WAYS, folders):
        tasks = []
        for (module, case), scratch in zip(cases, scratches):
            tasks += tasks_of(module, case, dialect, scratch)
        runs.append(playbook(tasks, {dialect: servers[dialect]}, way=way, extra_vars=files))
    for number, (module, case) in enumerate(cases):
        ways = [done(module, case, run) for run in runs]
        for (given, results), scratches in zip(ways, folders):
            scratch = scratches[number]
            values = {**variables(case, dialect, files), "scratch": str(scratch), "local": local_files(scratch)}
            check_case(case, dialect, values, given, results)
            given.result["scratch"] = str(scratch)  # which is no difference
        check_ways_agree(case, ways)
