# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server over TLS on loopback with one update session, that takes what is pushed into it.

It speaks as much of /api as a push needs, at one port for control and content. What a test does not misuse works.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import trustme

from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import HOST, ID, TOKEN, session

TOKEN_HEADER = "vmware-api-session-id"
ANSWERED = 0
PATH = f"/api/content/library/item/update-session/{quote(ID, safe='')}"


@dataclass
class Put:
    """A push as it came: what a test compares, and what it may read itself in `on_put`."""

    number: int
    path: str
    headers: dict[str, str]
    handler: BaseHTTPRequestHandler
    size: int = 0
    digest: Any = field(default_factory=lambda: hashlib.sha1(usedforsecurity=False))
    received: bytes = b""

    @property
    def missing(self) -> int:
        return int(self.headers["content-length"]) - self.size

    def read(self, count: int | None = None) -> None:
        """Take so many of the bytes, or all that are still to come."""
        left = self.missing if count is None else min(count, self.missing)
        while left:
            block = self.handler.rfile.read(min(left, 1 << 20))
            if not block:
                raise ConnectionError("the client hung up")
            self.digest.update(block)
            self.size += len(block)
            left -= len(block)
            if self.size <= 1 << 20:
                self.received += block


class ContentServer:
    """on_put(put) takes the bytes; what it returns is the status of the answer, None for a reset of the connection,
    or ANSWERED.

    files are the infos that the session's files have, by name; infos, set by a test, are what list tells instead, one
    list after the other and the last one for ever. refusals are answers (status, JSON) to control requests, by the end
    of their targets.
    """

    def __init__(self, certificate: trustme.LeafCert | None, address: str = "127.0.0.1") -> None:
        self.on_put: Callable[[Put], int | None] = take
        self.files: dict[str, dict[str, Any]] = {}
        self.infos: list[list[dict[str, Any]]] = []
        self.refusals: dict[str, tuple[int, Any]] = {}
        self.endpoint: dict[str, Any] = {}
        self.tokens = {TOKEN}
        self.lifetime = 300.0
        self.client_progress = 0
        self.adds: list[dict[str, Any]] = []
        self.puts: list[Put] = []
        self.keep_alives: list[tuple[float, int | None]] = []
        self.requests: list[str] = []
        self.headers_seen: list[dict[str, str]] = []
        self.algorithm: str | None = "SHA1"
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(self.context)
        self.lock = threading.Lock()
        server = self

        class Handler(_Handler):
            content_server = server

        self._http = _HttpServer((address, 0), Handler)
        self._http.context = self.context
        self.address, self.port = self._http.server_address[:2]

    def __enter__(self) -> ContentServer:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def endpoint_of(self, name: str) -> dict[str, Any]:
        """An upload endpoint by address, as vCenter tells it, unless a test says otherwise."""
        uri = f"{'https' if self.context else 'http'}://{self.address}:{self.port}/cls/data/{len(self.adds)}/"
        return {"uri": uri + quote(name, safe=""), **self.endpoint}


def take(put: Put) -> int:
    """Take the whole file."""
    put.read()
    return 200


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    # Or server_close would wait for a push that never ends.
    block_on_close = False
    context: ssl.SSLContext | None

    def finish_request(self, request: Any, client_address: Any) -> None:
        with contextlib.suppress(OSError):
            if self.context:
                request = self.context.wrap_socket(request, server_side=True)
            with request:
                self.RequestHandlerClass(request, client_address, self)


class _Handler(BaseHTTPRequestHandler):
    content_server: ContentServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        pass

    def answer(self, status: int, value: Any = None, **headers: str) -> None:
        content = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(content)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(time.time(), usegmt=True)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def do_PUT(self) -> None:
        server = self.content_server
        headers = {name.lower(): value for name, value in self.headers.items()}
        with server.lock:
            server.headers_seen.append(headers)
            put = Put(len(server.puts) + 1, self.path, headers, self)
            server.puts.append(put)
        status = server.on_put(put)
        if status is None:
            self.reset()
            return
        if status == ANSWERED:
            return
        if 200 <= status < 300:
            name = unquote(urlsplit(self.path).path.rpartition("/")[2])
            info = server.files.get(name, {})
            info.update(status="READY", size=put.size, bytes_transferred=put.size)
            if server.algorithm == "SHA1":
                info["checksum_info"] = {"algorithm": "SHA1", "checksum": put.digest.hexdigest()}
        elif put.missing:
            # An early answer: nobody will read what is still to come.
            self.close_connection = True
        self.answer(status)

    def do_POST(self) -> None:
        server = self.content_server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        model = json.loads(body) if body else {}
        if self.refused():
            return
        if self.path == "/api/session":
            token = f"token-{len(server.requests)}"
            server.tokens.add(token)
            self.answer(201, token)
        elif self.path == f"{PATH}?action=keep-alive":
            server.keep_alives.append((time.monotonic(), model.get("client_progress")))
            self.answer(204)
        elif self.path == f"{PATH}/file":
            with server.lock:
                server.adds.append(model)
                info = {**model, "status": "WAITING_FOR_TRANSFER", "bytes_transferred": 0}
                info["upload_endpoint"] = server.endpoint_of(model["name"])
                server.files[model["name"]] = info
            self.answer(201, info)
        else:
            self.answer(404, {"error_type": "NOT_FOUND", "messages": []})

    def do_GET(self) -> None:
        server = self.content_server
        if self.refused():
            return
        if self.path.startswith(f"{PATH}/file"):
            infos = list(server.files.values())
            if server.infos:
                infos = server.infos.pop(0) if len(server.infos) > 1 else server.infos[0]
            if self.path == f"{PATH}/file":
                self.answer(200, infos)
                return
            name = unquote(self.path[len(f"{PATH}/file/") :])
            named = [info for info in infos if info["name"] == name]
            self.answer(*((200, named[-1]) if named else (400, {"error_type": "INVALID_ARGUMENT", "messages": []})))
        else:
            end = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + server.lifetime))
            self.answer(200, session(expiration_time=end, client_progress=server.client_progress))

    def do_DELETE(self) -> None:
        if not self.refused():
            self.answer(204)

    def refused(self) -> bool:
        server = self.content_server
        server.requests.append(f"{self.command} {self.path}")
        server.headers_seen.append({name.lower(): value for name, value in self.headers.items()})
        refusal = next((answer for end, answer in server.refusals.items() if self.path.endswith(end)), None)
        if refusal is None and self.path != "/api/session" and self.headers.get(TOKEN_HEADER) not in server.tokens:
            refusal = (401, {"error_type": "UNAUTHENTICATED", "messages": []})
        if refusal:
            self.answer(*refusal)
        return refusal is not None


def resolve(monkeypatch: Any, *names: str) -> None:
    """Let names be addresses of this machine."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        return real("127.0.0.1" if host in (HOST, *names) else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
