# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RETURN of the modules says of models what their one source says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.update_return import MODULES, updated

FILES = sorted(MODULES.glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_return_is_as_its_source_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == updated(text), "run make return"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_return_describes_every_failure(path: Path) -> None:
    documentation = path.read_text(encoding="utf-8").partition('RETURN = r"""\n')[2].partition('"""')[0]
    assert {"error_type", "http_status", "messages", "operation"} <= yaml.safe_load(documentation).keys()


def test_another_sentence_is_put_in_its_place() -> None:
    text = FILES[-1].read_text(encoding="utf-8")
    changed = text.replace("The identifier of the update session.", "Something else.")
    assert text != changed
    assert updated(changed) == text
