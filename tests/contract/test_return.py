# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RETURN of the modules says of models what their one source says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.vsphere.content_library.plugins.module_utils import _models
from tests.update_return import MODULES, updated

FILES = sorted(MODULES.glob("*.py"))


def return_of(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8").partition('RETURN = r"""\n')[2].partition('"""')[0])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_return_is_as_its_source_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == updated(text), "run make return"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_return_describes_every_failure(path: Path) -> None:
    assert _models.fields(_models.Failure).keys() <= return_of(path).keys()


def test_another_sentence_is_put_in_its_place() -> None:
    text = FILES[-1].read_text(encoding="utf-8")
    changed = text.replace("The identifier of the update session.", "Something else.")
    assert text != changed
    assert updated(changed) == text


def described(values: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in values.items():
        yield f"{path}.{name}", value
        yield from described(value.get("contains", {}), f"{path}.{name}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_return_value_is_described_in_full(path: Path) -> None:
    for name, value in described(return_of(path), path.stem):
        assert {"description", "type", "returned"} <= value.keys(), name
        assert "sample" in value or "contains" in value, f"{name} has no sample"
        assert value["type"] != "list" or "elements" in value, f"{name} does not say what the list has"


def test_the_fields_of_a_session_are_described_in_one_module() -> None:
    """The other modules refer to it. Else each new field of a session would touch all of them."""
    fields = _models.fields(_models.UpdateSession).keys()
    having = [
        name
        for path in FILES
        for name, value in described(return_of(path), path.stem)
        if fields <= value.get("contains", {}).keys()
    ]
    assert having == ["update_session_info.update_sessions"]
    for path in FILES:
        session = return_of(path).get("update_session")
        if session:
            assert "RV(vsphere.content_library.update_session_info#module:update_sessions)" in str(
                session["description"]
            )
            assert session["sample"].keys() <= fields
