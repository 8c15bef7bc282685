# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A variable that came out null or empty never widens what a task touches."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._argspec import SELECTORS
from ansible_collections.vsphere.content_library.plugins.module_utils._module import refusal_of
from tests.cases.runner import subject

MODULES = sorted(path.stem for path in Path("plugins/modules").glob("*.py"))
BLANK = [None, "", " \t\n"]


def selectors_of(module):
    return [option for option in subject(module).SPEC["argument_spec"] if option in SELECTORS]


@pytest.mark.parametrize("value", BLANK, ids=repr)
@pytest.mark.parametrize(
    ("module", "option"), [(module, option) for module in MODULES for option in selectors_of(module)]
)
def test_a_selector_that_is_blank_is_refused(runner, module, option, value):
    """Alone, and where others say what is meant."""
    given = runner.given({"sessions": {"session": {}, "done": {"item": "other", "state": "DONE"}}})
    spec = subject(module).SPEC["argument_spec"]
    others = [{}, dict.fromkeys(selectors_of(module), given["item"]), {"state": "absent"}]
    for other in others:
        options = {name: choice for name, choice in other.items() if name in spec}
        task = runner.task(module, **{**options, option: value})
        assert (task.status, task["error_type"], task.requests) == ("failed", "INVALID_ARGUMENT", [])
        assert task["msg"].startswith(f"{option} is {'null' if value is None else 'empty'}: ")
        assert "when: not ansible_check_mode" in task["msg"]
        assert task.state["sessions"].keys() == given.state["sessions"].keys()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"files": []}, "files is empty"),
        ({"files": ["a", None]}, "files[1] is null"),
        ({"items": [{"name": "a"}, {"name": ""}]}, "items[1].name is empty"),
    ],
    ids=str,
)
def test_a_list_of_selectors(arguments, named):
    assert str(refusal_of(arguments)).startswith(named)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"name": 0}, {"name": "a", "description": None, "src": None}, {"files": ["a"]}, {"items": []}],
    ids=str,
)
def test_what_is_no_blank_selector(arguments):
    assert refusal_of(arguments) is None
