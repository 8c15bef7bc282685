# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps a session on the server, and with it the API token, alive from its creation to its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    VapiError,
    could_be,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import leave_signals

# Seconds. A run may take an update session for dead that did not change for so long; the default of stale_after.
STALE_AFTER = 30
# Seconds between two keep-alives. The longest is a third of the default of stale_after, whatever that is here: others
# judge by theirs.
SHORTEST_INTERVAL, LONGEST_INTERVAL = 0.2, 10.0


class KeepAlive:
    """Keeps a session alive from a thread that is not the one that works. Use as a context manager around all work.

    An update session expires after five idle minutes, and an API token after thirty. Bytes that flow may extend neither
    (govmomi issue 1832). Three keep-alives go out in stale_after seconds, so that others can tell this session from one
    that a killed run left behind, and three in the time that the session had to live.

    keep_alive(id, progress) is the operation of the session's service, session its model. sender sends it, for others
    too. lost is None as long as the session lives; else the error that said that it is gone, or no longer ACTIVE, or a
    bug that ended the keep-alives.
    """

    def __init__(
        self,
        keep_alive: Callable[[str, int | None], object],
        session: Mapping[str, Any],
        stale_after: float = STALE_AFTER,
        sender: Sender | None = None,
    ) -> None:
        self._keep_alive, self._id = keep_alive, session["id"]
        lifetime = session["expires_in"]
        seconds = stale_after if lifetime is None else min(stale_after, lifetime)
        self._interval = max(SHORTEST_INTERVAL, min(LONGEST_INTERVAL, seconds / 3))
        self._progress, self._on_loss = _no_progress, _nothing
        self._sender = sender or Sender()
        self.due = float("inf")
        self.lost: BaseException | None = None

    def __enter__(self) -> KeepAlive:
        self._rest()
        self._sender.add(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._sender.remove(self)

    @contextmanager
    def during(self, progress: Callable[[], int | None], on_loss: Callable[[], None]) -> Iterator[None]:
        """While this block runs, send its progress (0 to 100), and call on_loss if the session is lost."""
        self._progress, self._on_loss = progress, on_loss
        try:
            yield
        finally:
            self._progress, self._on_loss = _no_progress, _nothing

    def check(self) -> None:
        """Raise the error that said that the session is lost, if it is."""
        if self.lost is not None:
            raise self.lost

    def send(self) -> None:
        """Send one. The next one is due after a while, or never where the session is lost."""
        try:
            self._send()
        except VapiError as error:
            if isinstance(error, NotFound) or could_be(error, NotAllowedInCurrentState):
                self.end(error)
                return
            # The work goes on, so a late keep-alive is no reason to end it. vcsim answers only after the PUT.
        self._rest()

    def end(self, error: BaseException) -> None:
        """Send no more, because the session is lost, or because of a bug: check raises it."""
        self.lost, self.due = error, float("inf")
        self._on_loss()

    def _rest(self) -> None:
        self.due = monotonic() + self._interval

    def _send(self) -> None:
        progress = self._progress()
        try:
            self._keep_alive(self._id, progress)
        except VapiError as error:
            if progress is None or not could_be(error, InvalidArgument):
                raise
            # Another push of this session got further, and the progress can't go down.
            self._keep_alive(self._id, None)


class Sender:
    """One thread that sends the keep-alives of all sessions that are held, as long as there are any."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: list[KeepAlive] = []
        self._sending: KeepAlive | None = None
        self._is_running = False

    def add(self, keeper: KeepAlive) -> None:
        """Begin to send for a session."""
        with self._changed:
            self._held.append(keeper)
            self._changed.notify_all()
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="keep-alive", daemon=True).start()

    def remove(self, keeper: KeepAlive) -> None:
        """Send no more for a session. One that is under way ends first."""
        with self._changed:
            self._held.remove(keeper)
            self._changed.notify_all()
            while self._sending is keeper:
                self._changed.wait()

    def _run(self) -> None:
        leave_signals()
        while (keeper := self._next()) is not None:
            try:
                keeper.send()
            except BaseException as bug:
                # Whoever holds the session waits for this thread; it is the one to tell what happened.
                keeper.end(bug)

    def _next(self) -> KeepAlive | None:
        """The session whose keep-alive is due, once it is; None where no session is held any more."""
        with self._changed:
            self._sending = None
            self._changed.notify_all()
            while self._held:
                keeper = min(self._held, key=lambda held: held.due)
                seconds = keeper.due - monotonic()
                if seconds <= 0:
                    self._sending = keeper
                    return keeper
                self._changed.wait(min(seconds, LONGEST_INTERVAL))
            self._is_running = False
            return None


def _no_progress() -> int | None:
    return None


def _nothing() -> None:
    pass
