# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deadlines, and the one way to wait for something, by the monotonic clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

# Seconds, 23 days. The system can't wait longer at once, and nobody means more.
LONGEST = 2_000_000


class Deadline:
    """A moment some seconds from now, when something has to end."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + min(seconds, LONGEST)

    def remaining(self) -> float:
        """Seconds left; 0 or less when it is over."""
        return self._end - time.monotonic()


def poll(deadline: Deadline, sleep: Callable[[float], object] | None = None) -> Iterator[float]:
    """Yield whenever it is time to look, the last time at the deadline. The value is the seconds waited so far.

    The first look is at once. Each pause is half of the time that has passed, so that a change is seen within one and a
    half times of what it took. After the first second, looks are 1 to 30 seconds apart. sleep is what pauses: one
    that ends early makes the next look come early.
    """
    start = time.monotonic()
    while True:
        waited = time.monotonic() - start
        yield waited
        remaining = deadline.remaining()
        if remaining <= 0:
            return
        pause = max(0.05, waited / 2) if waited < 1 else min(max(1.0, waited / 2), 30.0)
        (sleep or time.sleep)(min(pause, remaining))


def wait_for(
    look: Callable[[], T],
    is_done: Callable[[T], bool],
    deadline: Deadline,
    sleep: Callable[[float], object] | None = None,
) -> tuple[T, bool]:
    """Look until what is seen is done, or until the deadline. Returns what was seen last, and whether it is done."""
    for _waited in poll(deadline, sleep):
        seen = look()
        if is_done(seen):
            return seen, True
    return seen, False
