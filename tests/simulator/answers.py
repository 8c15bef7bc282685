# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers to requests, and the bytes of a file as the body of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

BLOCK = 1 << 20


@dataclass
class Part:
    """A part of a file. ``proceed`` is asked before each block; ``sent`` is called after the last one."""

    path: Path
    start: int
    length: int
    rate: float | None
    proceed: Callable[[], bool]
    sent: Callable[[], None]

    def read(self) -> bytes:
        with self.path.open("rb") as stream:
            stream.seek(self.start)
            return stream.read(self.length)

    async def blocks(self) -> AsyncIterator[bytes]:
        """The bytes, no faster than ``rate``; fewer of them where it may not proceed."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        position = 0
        with self.path.open("rb") as stream:
            stream.seek(self.start)
            while position < self.length and self.proceed():
                size = int(self.rate / 20) + 1 if self.rate else BLOCK
                block = stream.read(min(size, self.length - position))
                position += len(block)
                if self.rate:
                    await asyncio.sleep(started + position / self.rate - loop.time())
                yield block
        if position == self.length:
            self.sent()


@dataclass
class Answer:
    """What is sent back: ``body``, or a part of a file."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    part: Part | None = None

    @property
    def length(self) -> int:
        return self.part.length if self.part else len(self.body)

    def content(self) -> bytes:
        return self.part.read() if self.part else self.body
