# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals that end a task: it cleans up first, and they wait for an answer without which it could not."""

from __future__ import annotations

import os
import select
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

# Seconds that a task has after a signal: for what is under way, and then for each operation of its clean-up.
GRACE = 5

ENDING = (signal.SIGTERM, signal.SIGINT)


class Interrupted(BaseException):
    """The process was received to end. It is no Exception, so that only clean-up code catches it."""


@contextmanager
def interruptible() -> Iterator[None]:
    """In this block SIGTERM and SIGINT raise Interrupted. They have their usual effect after it.

    Otherwise SIGTERM would end the process at once, and leave its API token and its update session behind. In a worker
    of ansible-core SIGINT would do so too. A second signal within GRACE seconds of the first has no effect, because
    ansible-core sends a SIGTERM right after the SIGINT of a Ctrl-C. A later one has its usual effect.
    """
    usual: dict[int, Any] = {}
    received: list[tuple[int, float]] = []

    def restore() -> None:
        for number, handler in usual.items():
            signal.signal(number, handler)

    def tell(number: int, frame: Any) -> None:
        if not received:
            received.append((number, time.monotonic()))
            raise Interrupted(f"interrupted by {signal.Signals(number).name}")
        if time.monotonic() - received[0][1] >= GRACE:
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
        if received:
            os.kill(os.getpid(), received[0][0])


def leave_signals() -> None:
    """Let the signals that end a task go to the main thread. For the start of every other thread.

    Where two come at once, as a Ctrl-C sends them by way of ansible-core, Linux may give both to another thread. Python
    handles them in the main thread, which would not wake up for them while it waits for that other thread.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGALRM, *ENDING))


def threads(number: int) -> ThreadPoolExecutor:
    """So many threads beside the main one, which leave the signals to it."""
    from concurrent.futures import ThreadPoolExecutor  # Most tasks need none, and start faster without it.

    return ThreadPoolExecutor(number, initializer=leave_signals)


def end_without_reader(descriptor: int) -> None:
    """Let this process end, as by a SIGTERM, when nobody reads any more what it writes to a pipe.

    Where a task that is a module runs into its timeout, ansible-core stops to listen, and leaves the process alone.
    It would go on, and publish after the task failed.
    """
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        _end_without_peer(descriptor)


@cache
def end_without_parent() -> None:
    """Let this worker end, as by a SIGTERM, when the process that forked it ends without a word. Once is enough."""
    import multiprocessing  # A worker has it, and a module, which needs it not, starts faster without it.

    parent = multiprocessing.parent_process()
    if parent is not None:
        _end_without_peer(parent.sentinel)


def _end_without_peer(descriptor: int) -> None:
    peer = select.poll()
    peer.register(descriptor, 0)  # An error or an end, which tells that the other side is gone, is always told.
    if peer.poll(0):
        return  # Nobody ever was there, so that is no sign.

    def watch() -> None:
        leave_signals()
        peer.poll()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def defer_signals() -> Iterator[None]:
    """In this block a signal that would interrupt it waits for its end, or for GRACE seconds.

    It would interrupt a login or a create after the server did it, and before we know what it made, and nobody would
    delete that. An alarm is the timeout of a task, which ansible-core sets in its workers. In another thread it is the
    Interruption that waits.
    """
    if threading.current_thread() is not threading.main_thread():
        with _patience(GRACE):
            yield
        return
    handlers: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGALRM, *ENDING)}
    if None in handlers.values():
        yield
        return
    deferred = _Deferred(handlers)
    for number, handler in handlers.items():
        if callable(handler):
            signal.signal(number, deferred.catch)
    try:
        yield
    finally:
        deferred.end()


class Interruption:
    """Ends the work of other threads than the main one, which no signal reaches.

    Whoever works there looks whether it has come, by check, or waits by wait. The first look raises Interrupted, and no
    other: what follows is clean-up.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_here = threading.Event()
        self._text, self._came = "", 0.0
        self._calls: list[Callable[[], None]] = []

    def come(self, text: str) -> None:
        """From now on the first look raises Interrupted with this text."""
        with self._lock:
            self._text, self._came = text, time.monotonic()
            self._is_here.set()
            calls = list(self._calls)
        for call in calls:
            call()

    @contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """While this block runs, an interruption calls this: it ends what would not look for long."""
        with self._lock:
            self._calls.append(call)
        try:
            yield
        finally:
            with self._lock:
                self._calls.remove(call)

    def check(self) -> None:
        """Raise Interrupted if it is time."""
        if not self._is_here.is_set() or self._remaining_patience() > 0:
            return
        with self._lock:
            is_first = self._is_here.is_set()
            self._is_here.clear()
        if is_first:
            raise Interrupted(self._text)

    def wait(self, seconds: float) -> None:
        """Sleep so many seconds. Raises Interrupted as soon as it is time."""
        self.check()
        patience = self._remaining_patience() if self._is_here.is_set() else 0.0
        if patience > 0:
            time.sleep(min(seconds, patience))
        else:
            self._is_here.wait(seconds)
        self.check()

    def _remaining_patience(self) -> float:
        return self._came + getattr(_of_thread, "patience", 0.0) - time.monotonic()


_of_thread = threading.local()


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    before = getattr(_of_thread, "patience", 0.0)
    _of_thread.patience = max(before, seconds)
    try:
        yield
    finally:
        _of_thread.patience = before


def uninterrupted() -> AbstractContextManager[None]:
    """A block that cleans up. In another thread than the main one no interruption comes before its end."""
    return _patience(float("inf"))


class _Deferred:
    """The first signal that came, and the handlers that it waits for."""

    def __init__(self, handlers: dict[int, Any]) -> None:
        self._handlers = handlers
        self._waiting: tuple[int, Any] | None = None

    def catch(self, number: int, frame: Any) -> None:
        """Keep the first signal, for GRACE seconds at most. Those that follow have no effect."""
        if self._waiting is None:
            self._waiting = (number, frame)
            signal.signal(signal.SIGALRM, lambda number, frame: self._pass_on())
            signal.setitimer(signal.ITIMER_REAL, GRACE)

    def end(self) -> None:
        """Bring the handlers back. One gets the signal that waits."""
        if self._waiting is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        self._pass_on()

    def _pass_on(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self._waiting is not None:
            (number, frame), self._waiting = self._waiting, None
            self._handlers[number](number, frame)
