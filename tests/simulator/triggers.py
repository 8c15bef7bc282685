# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which requests a test wants something to happen at."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .models import field_names


@dataclass
class Trigger:
    """``count`` matching requests in a row, from the ``at``-th on."""

    match: dict[str, str] = field(default_factory=dict)
    at: int = 1
    count: int = 1
    seen: int = 0

    def __post_init__(self) -> None:
        if self.match.keys() - {"method", "path", "operation", "user"}:
            raise ValueError(f"unknown keys in {self.match}")
        self.match = {name: value.upper() if name == "method" else value for name, value in self.match.items()}
        try:
            self.pattern = re.compile(self.match.get("path", ""))
        except re.error as error:
            raise ValueError(f"{self.match}: {error}") from error

    def strikes(self, method: str, path: str, operation: str | None, user: str | None) -> bool:
        """Whether this request is one of them. It is counted if it matches."""
        given = {"method": method, "operation": operation, "user": user}
        wanted = {name: value for name, value in self.match.items() if name in given}
        if not self.pattern.search(path) or any(given[name] != value for name, value in wanted.items()):
            return False
        self.seen += 1
        return self.at <= self.seen < self.at + self.count


T = TypeVar("T", bound=Trigger)


def read(kind: type[T], wanted: list[dict[str, Any]]) -> list[T]:
    """The triggers that a test has described."""
    for entry in wanted:
        if entry.keys() - field_names(kind):
            raise ValueError(f"unknown keys in {entry}")
    return [kind(**entry) for entry in wanted]
