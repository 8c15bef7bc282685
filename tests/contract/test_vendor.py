# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts in tests/contract/vendor are those of the vendor's files, and no text of theirs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.vendor.__main__ import FACTS, facts_of, rendered
from tests.simulator.process import ROOT

FOLDER = Path(os.environ.get("CONTENT_LIBRARY_OPENAPI", ROOT.parent / "shared" / "reference" / "openapi-whole"))
FILES = sorted(FACTS.glob("content-library-*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_facts_are_those_of_the_vendors_file(file: Path) -> None:
    original = FOLDER / file.name
    if not original.exists():
        pytest.skip(f"the vendor's file is not in {FOLDER} (CONTENT_LIBRARY_OPENAPI)")
    facts = facts_of(json.loads(original.read_text(encoding="utf-8")))
    assert file.read_text(encoding="utf-8") == rendered(facts), "run python -m tests.contract.vendor FOLDER"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_facts_have_no_sentence(file: Path) -> None:
    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for name, member in value.items():
                yield name
                yield from texts(member)
        elif isinstance(value, list):
            for member in value:
                yield from texts(member)
        elif isinstance(value, str):
            yield value

    facts = json.loads(file.read_text(encoding="utf-8"))
    assert not [text for name in facts for text in texts(list(facts[name].values())) if " " in text]
