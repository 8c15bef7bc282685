# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The progress of a transfer, for the server and for a person."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

REPORT_EVERY = 10.0


class Progress:
    """Counts the bytes of a transfer of several files, and reports them to a person, a line every ten seconds.

    at_least is what the server knows already. Neither that nor a file that is sent again brings the percentage down.
    overall is the progress of the transfers that this is one of.
    """

    def __init__(
        self,
        total: int,
        at_least: int,
        report: Callable[[str], None] | None = None,
        overall: OverallProgress | None = None,
    ) -> None:
        self._total, self._percent, self._report, self._overall = total, at_least, report, overall
        self._start = self._reported = time.monotonic()
        self._lock = threading.Lock()
        self._positions: dict[str, int] = {}
        self.bytes_transferred = 0

    def moved(self, name: str, position: int, count: int) -> None:
        """Note count more bytes of a file, of which position bytes are done now."""
        with self._lock:
            self._positions[name] = position
            self.bytes_transferred += count
            if self._overall is not None:
                self._overall.moved(count)
            now = time.monotonic()
            if self._report is not None and now - self._reported >= REPORT_EVERY:
                self._reported = now
                self._report(self._line(now))

    def percent(self) -> int:
        """The progress of the whole transfer, from 0 to 100."""
        if self._total:
            self._percent = max(self._percent, 100 * self._done() // self._total)
        return self._percent

    def _done(self) -> int:
        return sum(list(self._positions.values()))

    def _line(self, now: float) -> str:
        rate = self.bytes_transferred / (now - self._start)
        left = (self._total - self._done()) / rate
        return f"{self.percent()} % of {self._total} bytes, {rate / 1e6:.1f} MB/s, {left:.0f} s left"


class OverallProgress:
    """The progress of many items, for a person: a line every ten seconds.

    sizes has the bytes of each item, those that need not be sent too.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._count, self._total = len(sizes), sum(sizes)
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self._ended = self._ended_bytes = self._bytes_transferred = 0

    def moved(self, count: int) -> None:
        """Note count more bytes."""
        with self._lock:
            self._bytes_transferred += count

    def ended(self, size: int) -> None:
        """Note the end of an item of this size."""
        with self._lock:
            self._ended += 1
            self._ended_bytes += size

    def line(self) -> str:
        """How far all of it is."""
        with self._lock:
            rate = self._bytes_transferred / max(time.monotonic() - self._start, 0.001)
            done = max(self._ended_bytes, min(self._bytes_transferred, self._total))
            text = f"{self._ended} of {self._count} items, {100 * done // max(self._total, 1)} % of {self._total} bytes"
            left = f", {(self._total - done) / rate:.0f} s left" if rate else ""
            return f"{text}, {rate / 1e6:.1f} MB/s{left}"
