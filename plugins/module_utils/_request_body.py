# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes of a request's body on their way, with an eye on an answer that comes before the last of them."""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import sys
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline

BYTES_ACKED = 120  # where Linux has tcpi_bytes_acked in its struct tcp_info
LOOK_EVERY = 1.0  # seconds between two looks for an answer while the server takes nothing
ANSWER_START = 1 << 16
_INTERIM = re.compile(rb"HTTP/1\.\d 1\d\d ")


class EarlyAnswer(Exception):
    """The server answered before it had the whole body. start has the first bytes of the answer."""

    def __init__(self, start: bytes) -> None:
        super().__init__("the server answered before it had everything")
        self._start = start

    def response(self, sock: socket.socket) -> http.client.HTTPResponse:
        """Read the answer's head, with the time-out of the socket."""
        response = http.client.HTTPResponse(_Begun(sock, self._start), method="PUT")  # type: ignore[arg-type]
        response.begin()
        return response


def send(sock: socket.socket, data: memoryview, timeout: float) -> None:
    """Send all, with the time-out for each byte: a whole block may take longer on a slow link. Raises EarlyAnswer.

    The socket's own time-out is how often to look for an answer.
    """
    _look_for_answer(sock)
    acknowledged, deadline = _acknowledged(sock), Deadline(timeout)
    while data:
        try:
            data = data[sock.send(data) :]
            deadline = Deadline(timeout)
        except (TimeoutError, socket.timeout):
            _look_for_answer(sock)
            before, acknowledged = acknowledged, _acknowledged(sock)
            if acknowledged != before:
                deadline = Deadline(timeout)
            elif deadline.remaining() <= 0:
                raise


def _look_for_answer(sock: socket.socket) -> None:
    timeout = sock.gettimeout()
    sock.settimeout(0)
    try:
        start = sock.recv(ANSWER_START)
    except (BlockingIOError, ssl.SSLWantReadError):  # nothing, or what TLS alone is concerned with
        return
    finally:
        sock.settimeout(timeout)
    if not start:
        raise ConnectionResetError("the server hung up")
    if not _INTERIM.match(start):
        raise EarlyAnswer(start)


def _acknowledged(sock: socket.socket) -> int:
    """How many bytes have arrived at the other side. Always 0 on a system that does not count them."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256) if hasattr(socket, "TCP_INFO") else b""
    return int.from_bytes(info[BYTES_ACKED : BYTES_ACKED + 8], sys.byteorder)


class _Begun(io.RawIOBase):
    """A socket of which the first bytes are read already, for http.client to read from."""

    def __init__(self, sock: socket.socket, start: bytes) -> None:
        self._sock, self._start = sock, start

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._start:
            return self._sock.recv_into(buffer)
        count = min(len(buffer), len(self._start))
        buffer[:count], self._start = self._start[:count], self._start[count:]
        return count
