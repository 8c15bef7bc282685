# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples that users read: code blocks of the guides and of README.md, EXAMPLES of the modules."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
RST_BLOCK = re.compile(r"^\.\. code-block:: (\w+)\n((?:    :\w+:.*\n)*)\n((?:(?:    .*)?\n)+)", re.MULTILINE)
MARKDOWN_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A code block. Its caption, or else its number in the page, tells it from the others of the page."""

    page: str
    caption: str
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}: {self.caption}"

    @property
    def data(self) -> Any:
        return yaml.safe_load(self.text)

    @property
    def is_playbook(self) -> bool:
        return isinstance(self.data, list) and (
            "hosts" in self.data[0] or "import_playbook" in str(self.data[0].keys())
        )

    @property
    def is_requirements(self) -> bool:
        return isinstance(self.data, dict) and self.data.keys() == {"collections"}

    @property
    def is_tasks(self) -> bool:
        return isinstance(self.data, list) and not self.is_playbook


def examples() -> list[Example]:
    """All of them."""
    found = [*guides(), *markdown(), *modules()]
    names = [example.name for example in found]
    assert len(names) == len(set(names)), "a page has a caption twice"
    return found


def guides() -> Iterator[Example]:
    for path in [ROOT / "docs/index.rst", *sorted((ROOT / "docs/docsite/rst").glob("*.rst"))]:
        text = path.read_text(encoding="utf-8")
        blocks = RST_BLOCK.findall(text + "\n")
        assert len(blocks) == text.count(".. code-block::"), f"{path} has a code block that is not read here"
        for number, (language, options, block) in enumerate(blocks, 1):
            caption = re.search(r":caption: (.*)", options)
            yield Example(path.stem, caption[1] if caption else str(number), language, textwrap.dedent(block))


def markdown() -> Iterator[Example]:
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for number, (language, block) in enumerate(MARKDOWN_BLOCK.findall(path.read_text(encoding="utf-8")), 1):
            yield Example(path.stem, str(number), language, block)


def modules() -> Iterator[Example]:
    for path in sorted((ROOT / "plugins/modules").glob("*.py")):
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.Assign) and statement.targets[0].id == "EXAMPLES":
                yield Example(path.stem, "EXAMPLES", "yaml", ast.literal_eval(statement.value))
