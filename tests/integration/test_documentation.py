# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module documents as its return values is what it returns: no key more, none less, of that type."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.integration.cases import CASES

MODULES = sorted(path.stem for path in CASES.glob("*.yml"))
# What any module of Ansible may return.
COMMON = {"changed", "failed", "msg", "warnings", "deprecations", "invocation", "exception"}
TYPES = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict}


@pytest.fixture(scope="module")
def documented(collections_path):
    """The return values of each module, as ansible-doc tells them."""
    names = [f"vsphere.content_library.{module}" for module in MODULES]
    command = [sys.executable, "-m", "ansible", "doc", "--type", "module", "--json", *names]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections_path)}
    docs = json.loads(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)
    return {module: docs[f"vsphere.content_library.{module}"]["return"] for module in MODULES}


def compare(value, doc, path, seen):
    """Hold a value against its documentation; seen collects the paths of what was there."""
    seen.add(path)
    assert isinstance(value, TYPES[doc["type"]]), (path, value)
    contents = doc.get("contains")
    for entry in value if isinstance(value, list) and contents else [value]:
        for key, member in entry.items() if contents else ():
            if key == "novelty":
                continue  # A key that a newer vCenter adds.
            assert key in contents, f"{path}.{key} is not documented"
            if member is None:
                seen.add(f"{path}.{key}")
            else:
                compare(member, contents[key], f"{path}.{key}", seen)


def paths(doc, path):
    yield path
    for key, member in doc.get("contains", {}).items():
        yield from paths(member, f"{path}.{key}")


@pytest.mark.parametrize("module", MODULES)
def test_return_values(module, documented, run_cases):
    doc, seen = {"type": "dict", "contains": documented[module]}, set()
    for task in run_cases(module, "in_process").results:
        if task.status != "skipped" and "given" not in task.name:
            compare({key: value for key, value in task.result.items() if key not in COMMON}, doc, module, seen)
    assert set(paths(doc, module)) == seen
