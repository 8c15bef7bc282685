# Copyright: (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of a task that works in the process of somebody else's alarm."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient

GRACE = 5.0


class PatientClient(VCenterClient):
    """A client that a task's timeout, an alarm in its process, finds with no API token it could not delete."""

    def token(self) -> str:
        with _alarm_held():
            return super().token()

    def log_out(self) -> None:
        with _alarm_held():
            super().log_out()

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self.request_timeout = min(self.request_timeout, GRACE)  # The task's time is over already.
        super().__exit__(kind, *exc_info)


@contextmanager
def _alarm_held() -> Iterator[None]:
    """An alarm that would interrupt what is done here rings after it, or GRACE seconds late.

    It would interrupt a login between the server's making a token and our reading it, and nobody would delete that.
    """
    handler = signal.getsignal(signal.SIGALRM)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[Any] = []

    def hold(*alarm: Any) -> None:
        held.append(alarm)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, GRACE)

    signal.signal(signal.SIGALRM, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, handler)
        if held:
            signal.setitimer(signal.ITIMER_REAL, 0)
            handler(*held[0])
