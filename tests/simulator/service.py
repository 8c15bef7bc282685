# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all requests to the simulated vCenter have in common."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from .answers import Answer
from .dialects import parse_query
from .faults import SECRET_HEADERS, Connection, Faults, Log, Receive, Send, play
from .rivals import Rivals
from .store import Store

BODY_LIMIT = 16 << 20


class Service:
    """What all requests to the simulated vCenter have in common."""

    def __init__(
        self, store: Store, log: Log, faults: Faults, rivals: Rivals, transports: dict[Any, asyncio.Transport]
    ) -> None:
        self.store = store
        self.log = log
        self.faults = faults
        self.rivals = rivals
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
        take: Callable[[int | None], Awaitable[None]] | None = None,
    ) -> None:
        """Log the request, then answer it, late or broken if a test wants that."""
        entry = self.log.add(request.described(operation))
        token = self.store.tokens.get(request.token or "")
        described = (request.method, request.target, operation, token.user if token else None)
        self.rivals.before(entry["n"], request.token, described)
        fault = self.faults.strike(*described)
        if self.store.config.latency:
            await asyncio.sleep(self.store.config.latency)
        if fault:
            entry["fault"] = fault["kind"]
            entry["status"] = await play(fault, connection, process, take)
        else:
            answer = await process()
            entry["status"] = answer.status
            await connection.send(answer)
        entry["bytes"], entry["sent"] = request.received, connection.sent


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
            "sent": 0,
            "headers": {name: value for name, value in self.headers.items() if name not in SECRET_HEADERS},
            "fault": None,
        }
