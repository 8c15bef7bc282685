# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of docs/reliability.md."""

from __future__ import annotations

import re

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "reliability.md"


def write(name: str, text: str) -> None:
    """Put figures between the two comments of the page that have their name."""
    page = PAGE.read_text(encoding="utf-8")
    pattern = rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)"
    page, count = re.subn(pattern, lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page, flags=re.DOTALL)
    if count != 1:
        raise RuntimeError(f"{PAGE} has {count} places for {name}")
    PAGE.write_text(page, encoding="utf-8")
