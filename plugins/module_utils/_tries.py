# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a transfer that failed is tried again, and what it says where it is not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from email.message import Message

from ansible_collections.vsphere.content_library.plugins.module_utils._call import retry_after
from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._dialects import read_error
from ansible_collections.vsphere.content_library.plugins.module_utils._endpoint import Endpoint, NoConnection
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    ResourceInaccessible,
    TimedOut,
    UnverifiedPeer,
    VapiError,
    error_class,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._tls import distrust
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline

PAUSE = 0.5  # seconds after the first failure; twice as long after each of the next
LONGEST_PAUSE = 8.0
HINT = "the endpoint may be an ESXi host or have an internal name; look at name resolution, routes and firewalls"

Failed = Callable[..., VapiError]  # makes the error of a transfer: of a class, with a text and details


class Broken(Exception):
    """The connection broke, or the server failed. Another try may succeed, else error is to be raised.

    pause is how many seconds the server asked to be left alone.
    """

    def __init__(self, error: VapiError, pause: float = 0.0) -> None:
        super().__init__(str(error))
        self.error, self.pause = error, pause


class Tries:
    """The tries of one transfer. They go on as long as one gets further than ever before within some seconds.

    position is set by the transfer: how many bytes of the file are done in this try.
    """

    def __init__(self, seconds: float, stop: threading.Event) -> None:
        self._seconds, self._stop = seconds, stop
        self._deadline, self._pause, self._furthest = Deadline(seconds), PAUSE, 0
        self.position = 0

    def wait(self, broken: Broken) -> None:
        """Wait before the next try. Raises the error where there is to be none."""
        if self.position > self._furthest:
            self._furthest, self._pause, self._deadline = self.position, PAUSE, Deadline(self._seconds)
        delay = max(self._pause, broken.pause)
        if delay >= self._deadline.remaining() or self._stop.wait(delay):
            raise broken.error from None
        self._pause = min(2 * self._pause, LONGEST_PAUSE)


def refusal(
    failed: Failed, status: int, headers: Message, content: bytes, client: VCenterClient, token: str
) -> Exception:
    """What to raise for an answer of an endpoint that is no success. token is the API token that it got."""
    told = read_error(status, content)
    details = dict(error_type=told.error_type, http_status=status, messages=told.messages)
    error = failed(error_class(told.error_type), told.text, **details)
    # 507: there is no space left, which does not pass.
    passing = status in (408, 429) or (status >= 500 and status != 507)
    if passing or (status == 401 and client.renew(token)):
        return Broken(error, retry_after(headers.get("Retry-After")))
    return error


def fault(failed: Failed, kind: str, endpoint: Endpoint, error: Exception) -> Exception:
    """What to raise where an endpoint gave no whole answer. kind is upload or download."""
    cause = error.cause if isinstance(error, NoConnection) else error
    reason = distrust(cause)
    if reason:
        return failed(UnverifiedPeer, f"the {kind} endpoint is not trusted: {reason}")
    text = str(cause) or type(cause).__name__
    if isinstance(error, NoConnection):
        unconnected = failed(ResourceInaccessible, f"no connection to {endpoint.address}: {text} ({HINT})")
        has_no_address = isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME
        return unconnected if has_no_address else Broken(unconnected)
    if isinstance(cause, (TimeoutError, socket.timeout)):
        return Broken(failed(TimedOut, f"no byte moved between here and {endpoint.address} in time"))
    return Broken(failed(ResourceInaccessible, f"the connection to {endpoint.address} broke: {text}"))
