# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures in the pages of docs, which are written by what measured them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent / "docs"


def write(page: str, name: str, text: str) -> None:
    """Put text between the two comments of a page in docs that have that name. The words around are written by hand."""
    path = DOCS / page
    pattern = rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)"
    whole, count = re.subn(
        pattern, lambda found: f"{found[1]}\n{text}\n\n{found[2]}", path.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    if count != 1:
        raise RuntimeError(f"{path} has {count} places for {name}")
    path.write_text(whole, encoding="utf-8")


def table(*rows: Iterable[Any]) -> str:
    """A table in Markdown; the first row is the header, the first column text, and every other one is figures."""
    header, *body = [[cell if isinstance(cell, str) else f"{cell:.2f}" for cell in row] for row in rows]
    ruler = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ruler, *body])
