# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals that end a task: it clears up first, and they wait for an answer without which it could not."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Seconds: for what is under way when a signal comes, and then for each operation of the clearing up.
GRACE = 5

ENDING = (signal.SIGTERM, signal.SIGINT)


class Interrupted(BaseException):
    """The process was told to end. No Exception, so that nothing but clearing up stops it."""


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGINT raise Interrupted here, and have their usual effect after the block.

    Of itself SIGTERM ends a process at once, with the API token and the update session that it has open; so does either
    of them with a worker of ansible-core. One that follows the first has its usual effect too, after GRACE seconds:
    ansible-core itself sends a SIGTERM right after the SIGINT of a Ctrl-C.
    """
    usual: dict[int, Any] = {}
    told: list[tuple[int, float]] = []

    def restore() -> None:
        for number, handler in usual.items():
            signal.signal(number, handler)

    def tell(number: int, frame: Any) -> None:
        if not told:
            told.append((number, time.monotonic()))
            raise Interrupted(f"interrupted by {signal.Signals(number).name}")
        if time.monotonic() - told[0][1] >= GRACE:
            restore()
            os.kill(os.getpid(), number)

    if threading.current_thread() is threading.main_thread():
        for number in ENDING:
            # What is ignored (nohup) stays so; None is a handler that Python does not know.
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                usual[number] = signal.signal(number, tell)
    try:
        yield
    finally:
        restore()
        if told:
            os.kill(os.getpid(), told[0][0])


@contextmanager
def defer_signals() -> Iterator[None]:
    """A signal that would interrupt what is done here is handled after it, or GRACE seconds late.

    It would interrupt a login, or a create, between the server's doing it and our reading what it made, and nobody
    would delete that. An alarm is a task's timeout, which ansible-core sets in its workers.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGALRM, *ENDING)}
    if threading.current_thread() is not threading.main_thread() or None in handlers.values():
        yield
        return
    waiting: list[Any] = []

    def restore() -> None:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def ring() -> None:
        number, frame = waiting.pop()
        handlers[number](number, frame)

    def hold(number: int, frame: Any) -> None:
        if not waiting:
            waiting.append((number, frame))
            signal.signal(signal.SIGALRM, late)
            signal.setitimer(signal.ITIMER_REAL, GRACE)

    def late(number: int, frame: Any) -> None:
        restore()
        ring()

    for number, handler in handlers.items():
        if callable(handler):
            signal.signal(number, hold)
    try:
        yield
    finally:
        restore()
        if waiting:
            signal.setitimer(signal.ITIMER_REAL, 0)
            ring()
