# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What contributors are told works, and what GitHub runs is what .ci/run runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cases.checks import check_case
from tests.cases.language import DIALECTS
from tests.cases.runner import runner
from tests.playbooks.examples import markdown

ROOT = Path(__file__).resolve().parents[2]
GUIDE = [example for example in markdown() if example.page == "CONTRIBUTING"]
COMMANDS = [line for example in GUIDE if example.language == "shell" for line in example.text.splitlines()]


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_first_change(tmp_path, dialect):
    [(case,)] = [example.data for example in GUIDE if example.text.startswith("- case: ")]
    with runner(tmp_path) as simulated:
        values, given, results = simulated.run("update_session_fail", case, dialect)
        check_case(case, dialect, values, given, results)


@pytest.mark.parametrize("command", [line for line in COMMANDS if " -m pytest " in line and "languages" not in line])
@pytest.mark.costly
def test_tests_are_there(command):
    arguments = [*shlex.split(command)[1:], "--collect-only", "--quiet"]
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


def test_fragment_has_sections_of_the_changelog():
    [fragment] = [example.data for example in GUIDE if example.text.startswith("bugfixes:")]
    assert fragment.keys() <= {name for name, _title in read("changelogs/config.yaml")["sections"]}


def test_workflow_runs_what_the_pipeline_runs():
    jobs = read(".github/workflows/ci.yml")["jobs"]
    matrix = {name: next(iter(job["strategy"]["matrix"].values())) for name, job in jobs.items()}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    pipeline = (ROOT / ".ci/run").read_text(encoding="utf-8")

    tests = {name for line in re.findall(r"^\t.* --jobs=1 (.*)$", makefile, re.MULTILINE) for name in line.split()}
    assert tests
    assert tests <= set(matrix["make"])
    for target in matrix["make"]:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"there is no make {target}"
    sessions = {word for line in re.findall(r"^ +(?:.*&& )?nox (.*)$", pipeline, re.MULTILINE) for word in line.split()}
    assert set(matrix["nox"]) <= sessions
    for test in matrix["oldest"]:
        assert test in pipeline


@pytest.mark.parametrize("path", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*_*.yml")), ids=lambda path: path.stem)
def test_issue_form_is_one(path):
    """What GitHub asks of an issue form."""
    form = read(str(path.relative_to(ROOT)))
    assert {"name", "description", "body"} <= form.keys()
    fields = [element for element in form["body"] if element["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields)
    for field in fields:
        assert field["type"] in ("textarea", "dropdown")
        assert field["attributes"]["label"]
