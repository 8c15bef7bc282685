# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ASGI application: requests to operations, with their log, latency and faults."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.routing import Mount

from . import control
from .dialects import DIALECTS, Answer, parse_query
from .errors import VapiError
from .faults import SECRET_HEADERS, Connection, Faults, Log, Receive, Send, play
from .operations import Call, perform
from .store import Store
from .transfers import receive_upload

BODY_LIMIT = 16 << 20


class Service:
    """What all requests to the simulated vCenter have in common."""

    def __init__(self, store: Store, log: Log, faults: Faults, transports: dict[Any, asyncio.Transport]) -> None:
        self.store = store
        self.log = log
        self.faults = faults
        self.transports = transports

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        transport = self.transports.get(scope["client"])
        if transport is not None:  # the client may be gone already
            await self.handle(Request(scope, receive), Connection(transport, receive, send, self.store.now()))

    async def handle(self, request: Request, connection: Connection) -> None:
        raise NotImplementedError

    async def exchange(
        self,
        request: Request,
        connection: Connection,
        operation: str | None,
        process: Callable[[], Awaitable[Answer]],
        take_half: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Log the request, then answer it, late or broken if a test wants that."""
        entry = self.log.add(request.described(operation))
        fault = self.faults.strike(request.method, request.target, operation)
        if self.store.config.latency:
            await asyncio.sleep(self.store.config.latency)
        if fault:
            entry["fault"] = fault["kind"]
            entry["status"] = await play(fault, connection, process, take_half)
        else:
            answer = await process()
            entry["status"] = answer.status
            await connection.send(answer)
        entry["bytes"] = request.received


class Request:
    """A request as it came."""

    def __init__(self, scope: dict[str, Any], receive: Receive) -> None:
        self.scope = scope
        self.receive_event = receive
        self.method: str = scope["method"]
        self.path: str = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        self.target = f"{self.path}?{query}" if query else self.path
        self.query = parse_query(scope["query_string"])
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.token = self.headers.get("vmware-api-session-id")
        self.body = b""
        self.received = 0

    async def receive(self) -> Any:
        event = await self.receive_event()
        self.received += len(event.get("body", b""))
        return event

    async def read(self) -> None:
        """The body of a control request, which is small."""
        more = True
        while more and len(self.body) < BODY_LIMIT:
            event = await self.receive()
            self.body += event.get("body", b"")
            more = event.get("more_body", False)

    def described(self, operation: str | None) -> dict[str, Any]:
        try:
            body = json.loads(self.body) if self.body else None
        except ValueError:
            body = self.body.decode("utf-8", "replace")
        return {
            "method": self.method,
            "path": self.target,
            "operation": operation,
            "status": None,
            "body": body,
            "token_sha256": hashlib.sha256(self.token.encode()).hexdigest() if self.token else None,
            "bytes": self.received,
            "headers": {name: value for name, value in self.headers.items() if name not in SECRET_HEADERS},
            "fault": None,
        }


class ApiService(Service):
    """/api or /rest."""

    def __init__(self, dialect: str, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.dialect = DIALECTS[dialect]

    async def handle(self, request: Request, connection: Connection) -> None:
        await request.read()
        name = self.dialect.name
        disabled = self.store.config.disable_api if name == "api" else self.store.config.disable_rest
        path = request.path[len(name) + 1 :]
        row, args = (None, {}) if disabled else self.dialect.route(request.method, path, request.query)

        async def process() -> Answer:
            if row is None:
                return Answer(404, b"404 page not found\n", "text/plain")
            call = Call(
                store=self.store,
                dialect=name,
                args=args,
                token=request.token,
                authorization=request.headers.get("authorization", ""),
                base_url=f"https://{request.headers.get('host', '')}",
                client_token=request.headers.get("client-token") if name == "api" else None,
            )
            try:
                if not row.anonymous:
                    call.user = self.store.token(request.token).user
                args.update(self.dialect.arguments(row, request.query, request.body))
                return self.dialect.answer(row, perform(row.operation, call))
            except VapiError as error:
                return self.dialect.error(error, self.store.config)

        await self.exchange(request, connection, row.operation if row else None, process)


class UploadService(Service):
    """/cls/data, where clients push."""

    async def handle(self, request: Request, connection: Connection) -> None:
        async def process() -> Answer:
            return await self.receive(request, None)

        async def take_half() -> None:
            await self.receive(request, int(request.headers.get("content-length", "0")) // 2)

        await self.exchange(request, connection, "upload", process, take_half)

    async def receive(self, request: Request, stop_at: int | None) -> Answer:
        try:
            self.store.token(request.token)
        except VapiError:
            return refusal(401)
        upload_id, _slash, name = request.path.removeprefix("/cls/data/").partition("/")
        session, file = self.store.uploads.get(upload_id, (None, None))
        if session is None or file is None or file.name != unquote(name) or not self.store.settle(session):
            return refusal(404)
        if request.method != "PUT":
            return refusal(405)
        if "content-length" not in request.headers:
            return refusal(411)
        if session.state != "ACTIVE" or file.status != "WAITING_FOR_TRANSFER":
            return refusal(400)
        complete = await receive_upload(self.store, session, file, request.receive, stop_at)
        return Answer(200) if complete else refusal(404)


def refusal(status: int) -> Answer:
    return Answer(status, f"{status} {HTTPStatus(status).phrase}\n".encode(), "text/plain")


def create_app(store: Store, transports: dict[Any, asyncio.Transport]) -> Starlette:
    """The service; ``transports`` has the transport of each connection by the client's address."""
    log, faults = Log(), Faults()
    shared = (store, log, faults, transports)
    return Starlette(
        routes=[
            Mount("/api", ApiService("api", *shared)),
            Mount("/rest", ApiService("rest", *shared)),
            Mount("/cls/data", UploadService(*shared)),
            Mount("/control", routes=control.routes(store, log, faults)),
        ]
    )
