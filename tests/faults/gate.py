# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A port in front of the simulator that refuses a chosen connection, and a list of all that this process connects to.

The gate passes bytes on, TLS and all, and counts connections. With the simulator told to close each connection after
one answer, the nth connection is the nth request. Its port is closed once the connection before it was accepted, and
opened again when Python's audit event says that the client is about to be refused: exactly one attempt finds it closed.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from typing import Any

ONE_REQUEST_EACH = {"match": {}, "count": 1_000_000, "fault": {"kind": "body", "headers": {"Connection": "close"}}}
HOST = "127.0.0.1"
STILL_CLOSED = 0.05  # seconds between the audit event and the opening; a client's shortest pause is 0.125


class Gate:
    """A context manager. refuse chooses the connection; refused counts those that met the closed port."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.refused = 0
        self._closed_for = threading.Event()
        self._reopen = threading.Event()
        self._accepted = 0
        self._refuse_at = 0
        self._over = False

    def __enter__(self) -> Gate:
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        connected.watch(self.port, self._attempted)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stand_open()
        connected.watch(self.port, None)

    def refuse(self, at: int) -> None:
        """Refuse one attempt to make the at-th connection from now on, from 1."""
        self.stand_open()
        self.refused, self._accepted, self._refuse_at, self._over = 0, 0, at, False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        if at == 1:
            self._closed_for.wait(5)

    def stand_open(self) -> None:
        """End the serving of connections, whatever state it is in."""
        if getattr(self, "_thread", None) is None:
            return
        self._over = True
        self._reopen.set()
        while self._thread.is_alive():
            with contextlib.suppress(OSError):
                socket.create_connection((HOST, self.port), 1).close()
            self._thread.join(0.05)
        self._thread = None
        self._reopen.clear()
        self._closed_for.clear()

    def _attempted(self) -> None:
        if self._closed_for.is_set() and not self._over:
            self._closed_for.clear()
            self.refused += 1
            threading.Timer(STILL_CLOSED, self._reopen.set).start()

    def _serve(self) -> None:
        while True:
            if self._accepted == self._refuse_at - 1 and not self.refused:
                self._listener.close()
                self._closed_for.set()
                self._reopen.wait()
                self._listener = socket.create_server((HOST, self.port))
            client, _address = self._listener.accept()
            if self._over:
                client.close()
                return
            self._accepted += 1
            upstream = socket.create_connection(self.target)
            for pair in ((client, upstream), (upstream, client)):
                threading.Thread(target=_pump, args=pair, daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Connections:
    """Every address that this process connects to, by Python's audit events (PEP 578)."""

    def __init__(self) -> None:
        self.addresses: set[Any] = set()
        self._watched: dict[int, Any] = {}

    def watch(self, port: int, call: Any) -> None:
        """Call just before a connection to the port is tried; None ends that."""
        self._watched[port] = call

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "socket.connect":
            return
        address = arguments[1]
        self.addresses.add(address)
        call = self._watched.get(address[1]) if isinstance(address, tuple) else None
        if call is not None:
            call()


connected = Connections()
sys.addaudithook(connected)
