# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps a session on the server, and with it the API token, alive from its creation to its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    VapiError,
    could_be,
)

# Seconds. A run may take an update session for dead that did not change for so long; the default of stale_after.
STALE_AFTER = 30
# Seconds between two keep-alives. The longest is a third of the default of stale_after, whatever that is here: others
# judge by theirs.
SHORTEST_INTERVAL, LONGEST_INTERVAL = 0.2, 10.0


class KeepAlive:
    """Sends keep-alives from a thread of its own. Use as a context manager around all work with a session.

    An update session expires after five idle minutes, and an API token after thirty. Bytes that flow may extend neither
    (govmomi issue 1832). Three keep-alives go out in stale_after seconds, so that others can tell this session from one
    that a killed run left behind, and three in the time that the session had to live.

    keep_alive(id, progress) is the operation of the session's service, session its model. lost is the error that said
    that the session is gone, or no longer ACTIVE; None as long as it lives.
    """

    def __init__(
        self,
        keep_alive: Callable[[str, int | None], object],
        session: Mapping[str, Any],
        stale_after: float = STALE_AFTER,
    ) -> None:
        self._keep_alive, self._id = keep_alive, session["id"]
        lifetime = session["expires_in"]
        seconds = stale_after if lifetime is None else min(stale_after, lifetime)
        self._interval = max(SHORTEST_INTERVAL, min(LONGEST_INTERVAL, seconds / 3))
        self._progress, self._on_loss = _no_progress, _nothing
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.lost: VapiError | None = None

    def __enter__(self) -> KeepAlive:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._thread.join()

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

    def _run(self) -> None:
        while not self._over.wait(self._interval):
            try:
                self._send()
            except VapiError as error:
                if isinstance(error, NotFound) or could_be(error, NotAllowedInCurrentState):
                    self.lost = error
                    self._on_loss()
                    return
                # The work goes on, so a late keep-alive is no reason to end it. vcsim answers only after the PUT.

    def _send(self) -> None:
        progress = self._progress()
        try:
            self._keep_alive(self._id, progress)
        except VapiError as error:
            if progress is None or not could_be(error, InvalidArgument):
                raise
            # Another push of this session got further, and the progress can't go down.
            self._keep_alive(self._id, None)


def _no_progress() -> int | None:
    return None


def _nothing() -> None:
    pass
