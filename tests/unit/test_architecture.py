# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ARCHITECTURE.md is true: it has every file, and no file imports from a floor above its own."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
UTILS = ROOT / "plugins/module_utils"
PACKAGE = "ansible_collections.vsphere.content_library.plugins.module_utils."
TASKS = 5  # the one floor that may import ansible-core


def floors():
    """The floor of each file by its name, as the first table of the page says."""
    found, floor = {}, 0
    for line in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## Rules")[0].splitlines():
        cells = line.split("|")
        if len(cells) < 4:
            continue
        number = re.match(r"\d", cells[1].strip())
        floor = int(number[0]) if number else floor
        if floor:
            found.update((name, floor) for name in re.findall(r"`(_\w+)\.py`", cells[2]))
    return found


def imported(path):
    """What a file imports when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(node)
        for check in ast.walk(tree)
        if isinstance(check, ast.If) and ast.unparse(check.test) == "TYPE_CHECKING"
        for node in ast.walk(check)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in for_types:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_every_file_has_a_floor():
    assert set(floors()) == {path.stem for path in UTILS.glob("_*.py")} - {"__init__"}


def test_no_file_imports_from_above():
    floor_of = floors()
    imports = [(path.stem, name) for path in UTILS.glob("_*.py") for name in imported(path) if name.startswith(PACKAGE)]
    assert [(stem, name) for stem, name in imports if floor_of[name[len(PACKAGE) :]] > floor_of[stem]] == []


def test_only_the_highest_floor_needs_ansible_core():
    floor_of = floors()
    needing = {path.stem for path in UTILS.glob("_*.py") for name in imported(path) if name.startswith("ansible.")}
    assert {name for name in needing if floor_of[name] < TASKS} == set()
