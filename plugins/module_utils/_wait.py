# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One waiter, on the monotonic clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Deadline:
    """The end of an operation, seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left; 0 or less when it is over."""
        return self._end - time.monotonic()


def poll(deadline: Deadline) -> Iterator[float]:
    """Yield the seconds waited so far: at once, then after growing pauses, for the last time at the deadline.

    A pause is half of the time that has passed, so a change is seen within one and a half times of what it took. After
    the first second no two looks are less than a second apart; a server that is busy for hours is asked twice a minute.
    """
    start = time.monotonic()
    while True:
        waited = time.monotonic() - start
        yield waited
        remaining = deadline.remaining()
        if remaining <= 0:
            return
        pause = max(0.05, waited / 2) if waited < 1 else min(max(1.0, waited / 2), 30.0)
        time.sleep(min(pause, remaining))


def wait_for(look: Callable[[], T], arrived: Callable[[T], bool], deadline: Deadline) -> tuple[T, bool]:
    """Look until what is seen has arrived or the deadline is over. Returns what was seen last, and whether it had."""
    for _waited in poll(deadline):
        seen = look()
        if arrived(seen):
            return seen, True
    return seen, False
