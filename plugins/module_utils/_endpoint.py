# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to transfer endpoints. They give the API token to the configured host, and to nobody else."""

from __future__ import annotations

import base64
import hashlib
import http.client
import select
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._peer import is_loopback

LEGAL = "%/?:@!$&'()*+,;=~"  # beside letters and digits, in a path or a query (RFC 3986)
DEFAULT_PROXY_PORT = 80  # of an http:// URL, as for control
THUMBPRINT_ALGORITHMS = {40: "sha1", 64: "sha256"}  # by the number of hexadecimal digits


class Endpoint(NamedTuple):
    """Where the bytes of a file go to, or come from."""

    scheme: str
    host: str
    port: int
    target: str  # path and query, quoted
    thumbprint: str | None

    @classmethod
    def parse(cls, model: Mapping[str, Any]) -> Endpoint:
        """Read a TransferEndpoint. Raises ValueError for one without a usable URL."""
        uri = urlsplit(model["uri"])
        host = uri.hostname or ""
        host.encode("idna")  # which a connection begins with, and where some names fail
        if not uri.scheme:
            raise ValueError("no scheme")
        port = uri.port or (80 if uri.scheme == "http" else 443)
        target = uri.path + (f"?{uri.query}" if uri.query else "")
        return cls(uri.scheme, host, port, quote(target, safe=LEGAL), model.get("ssl_certificate_thumbprint"))

    @property
    def peer(self) -> tuple[str, str, int, str | None]:
        """What one connection is good for."""
        return self.scheme, self.host, self.port, self.thumbprint

    @property
    def address(self) -> str:
        """Host and port, which people may see. The path is secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.address}"


class NoConnection(Exception):
    """Nothing was sent, because there is no connection. cause says why."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def connection_to(client: VCenterClient, endpoint: Endpoint) -> http.client.HTTPConnection:
    """A connection, not yet open, to an endpoint. Raises SSLCertVerificationError for one that can't be trusted."""
    host, peer = endpoint.host.removesuffix("."), client.peer.name
    if endpoint.scheme == "http" and is_loopback(host) and is_loopback(peer):
        return http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=client.request_timeout)
    if endpoint.scheme != "https":
        raise ssl.SSLCertVerificationError(f"its URL has {endpoint.scheme}, not https")
    proxy = client.proxy_for(endpoint.url)
    if proxy and not client.validate_certs and host != peer:
        raise ssl.SSLCertVerificationError(f"{host} is not {peer}, and its address can't be seen through a proxy")
    connection = _VerifiedConnection(client, endpoint)
    if proxy:
        connection.tunnel_through(urlsplit(proxy))
    return connection


class _VerifiedConnection(http.client.HTTPSConnection):
    """A connection to the address of an endpoint, verified as the configured host.

    The endpoint may be an address or have another name. A thumbprint came over the verified control connection; then
    the certificate that has it is trusted, and no other. With validate_certs off all that is known of the configured
    host is the address that control is connected to.
    """

    def __init__(self, client: VCenterClient, endpoint: Endpoint) -> None:
        self._client, self._is_tunneled = client, False
        self._thumbprint = endpoint.thumbprint if client.validate_certs else None
        self._tls = _unverified_context() if self._thumbprint else client.tls_context
        super().__init__(endpoint.host, endpoint.port, timeout=client.request_timeout, context=self._tls)

    def tunnel_through(self, proxy: SplitResult) -> None:
        """Reach the endpoint through an HTTP proxy."""
        headers = {}
        if proxy.username:
            credentials = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
            headers["Proxy-Authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()
        host, port = self.host, self.port
        self._is_tunneled = True
        self.host, self.port = proxy.hostname or "", proxy.port or DEFAULT_PROXY_PORT
        self.set_tunnel(host, port, headers)

    def connect(self) -> None:
        """Connect, then verify before anything is sent."""
        http.client.HTTPConnection.connect(self)
        if not self._client.validate_certs and not self._is_tunneled:
            address = self.sock.getpeername()[0]
            if address != self._client.peer_address:
                raise ssl.SSLCertVerificationError(f"{address} is not the address of {self._client.peer.host}")
        sock = self._tls.wrap_socket(self.sock, server_hostname=self._client.peer.name)
        self.sock = sock
        if self._thumbprint:
            _check_thumbprint(sock.getpeercert(binary_form=True) or b"", self._thumbprint)


def _unverified_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _check_thumbprint(certificate: bytes, thumbprint: str) -> None:
    wanted = thumbprint.replace(":", "").lower()
    algorithm = THUMBPRINT_ALGORITHMS.get(len(wanted))
    if not algorithm or hashlib.new(algorithm, certificate, usedforsecurity=False).hexdigest() != wanted:
        raise ssl.SSLCertVerificationError("its certificate does not have the thumbprint that vCenter reported")


class Connections:
    """Connections to endpoints that wait for the next request, where the server left them open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[tuple[str, str, int, str | None], list[http.client.HTTPConnection]] = {}

    def take(self, client: VCenterClient, endpoint: Endpoint) -> http.client.HTTPConnection:
        """A connection, open or not. Raises SSLCertVerificationError as connection_to does."""
        with self._lock:
            idle = self._idle.get(endpoint.peer, [])
            while idle:
                connection = idle.pop()
                if not _has_something_to_read(connection.sock):
                    connection.sock.settimeout(client.request_timeout)
                    return connection
                connection.close()
        return connection_to(client, endpoint)

    def give_back(self, endpoint: Endpoint, connection: http.client.HTTPConnection) -> None:
        """Keep an open connection whose last answer was read to its end."""
        with self._lock:
            self._idle.setdefault(endpoint.peer, []).append(connection)

    def close(self) -> None:
        """Close those that are not in use."""
        with self._lock:
            for connection in [connection for idle in self._idle.values() for connection in idle]:
                connection.close()
            self._idle.clear()


def _has_something_to_read(sock: socket.socket) -> bool:
    """Whether an idle connection is at its end: nothing else is to be read there."""
    looker = select.poll()
    looker.register(sock, select.POLLIN)
    return bool(looker.poll(0))


class OpenSockets:
    """The sockets that wait for a server, which may take its time, so that another thread can end that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()

    @contextmanager
    def opened(self, connection: http.client.HTTPConnection) -> Iterator[socket.socket]:
        """Connect where that is not done; hang_up reaches the connection until this block ends, which closes it."""
        with closing(connection), self.watched(connection) as sock:
            yield sock

    @contextmanager
    def watched(self, connection: http.client.HTTPConnection) -> Iterator[socket.socket]:
        """The same, but that the connection stays open."""
        try:
            if connection.sock is None:
                connection.connect()
        except (OSError, http.client.HTTPException) as error:
            raise NoConnection(error) from None
        sock = connection.sock
        with self._lock:
            self._sockets.add(sock)
        try:
            yield sock
        finally:
            with self._lock:
                self._sockets.discard(sock)

    def hang_up(self) -> None:
        """End all connections."""
        with self._lock:
            for sock in self._sockets:
                # Not by the method of SSLSocket, which forgets that it is one while another thread writes.
                with suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
