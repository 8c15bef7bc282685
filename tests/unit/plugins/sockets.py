# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on loopback that a test can make misbehave byte by byte."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Any, BinaryIO


class Request:
    """A request as it came."""

    def __init__(self, line: str, headers: dict[str, str], body: bytes) -> None:
        self.line, self.headers, self.body = line, headers, body


class SocketServer:
    """Serves each connection in a thread: serve(connection, request) writes the answer to one request.

    A serve that returns False closes the connection.
    """

    def __init__(self, serve: Callable[[socket.socket, Request], Any], context: ssl.SSLContext | None = None) -> None:
        self.serve, self.context = serve, context
        self.requests: list[Request] = []
        self.connections = 0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> SocketServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        for sock in (self._listener, *self._open):
            # A shutdown wakes the thread that waits for it.
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while True:
                    request = read_request(stream)
                    if request is None:
                        return
                    self.requests.append(request)
                    if self.serve(connection, request) is False:
                        return


def read_request(stream: BinaryIO) -> Request | None:
    """The next request of a connection; None at its end."""
    line = stream.readline().decode().strip()
    if not line:
        return None
    headers = {}
    while True:
        name, _colon, value = stream.readline().decode().strip().partition(": ")
        if not name:
            break
        headers[name.lower()] = value
    return Request(line, headers, stream.read(int(headers.get("content-length", 0))))


def answer(value: Any, *headers: str, status: int = 200) -> bytes:
    """An answer with a JSON body."""
    content = json.dumps(value).encode()
    head = [f"HTTP/1.1 {status} OK", "Content-Type: application/json", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + content


def reset(connection: socket.socket) -> bool:
    """End a connection by a RST, as a crash does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False
