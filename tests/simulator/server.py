# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service on a TLS port."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from pathlib import Path
from typing import Any

import trustme
import uvicorn

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as HttpProtocol
except ImportError:
    from uvicorn.protocols.http.h11_impl import H11Protocol as HttpProtocol

KEEP_ALIVE = 75
BACKLOG = 1024


class Certificates:
    """A certificate authority of its own, and a server certificate from it."""

    def __init__(self, directory: Path, names: list[str]) -> None:
        authority = trustme.CA(organization_name="vsphere.content_library tests")
        issued = authority.issue_cert(*names)
        self.ca_path = directory / "ca.pem"
        self.server_path = directory / "server.pem"
        authority.cert_pem.write_to_path(self.ca_path)
        issued.private_key_and_cert_chain_pem.write_to_path(self.server_path)
        pem = issued.cert_chain_pems[0].bytes().decode()
        digest = hashlib.sha1(ssl.PEM_cert_to_DER_cert(pem), usedforsecurity=False).hexdigest().upper()
        self.thumbprint = ":".join(digest[start : start + 2] for start in range(0, len(digest), 2))


def transport_recorder(transports: dict[Any, asyncio.Transport]) -> type[asyncio.Protocol]:
    """uvicorn's protocol, which also tells the application the transport of each connection."""

    class RecordingProtocol(HttpProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            transports[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if transports.get(self.client) is self.transport:
                del transports[self.client]

        def shutdown(self) -> None:
            # A TLS connection that is closed waits for its client to agree; the end of the process does not.
            super().shutdown()
            if self.transport.is_closing():
                self.transport.abort()

    return RecordingProtocol


def listen(host: str, port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only on sockets that name their protocol.
    family, kind, protocol, _name, address = socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP)[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def create_server(app: Any, transports: dict[Any, asyncio.Transport], certificates: Certificates) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=transport_recorder(transports),
        loop="asyncio",
        ws="none",
        lifespan="off",
        ssl_certfile=certificates.server_path,
        ssl_keyfile=certificates.server_path,
        log_level="warning",
        access_log=False,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=1,
        backlog=BACKLOG,
    )
    return uvicorn.Server(config)
