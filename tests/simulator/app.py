# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ASGI application: requests to operations."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount

from . import control
from .answers import Answer
from .data import DataService
from .dialects import DIALECTS
from .errors import VapiError, message
from .faults import Connection, Faults, Log
from .operations import Call, perform
from .published import PublishingService
from .publishing import FOLDER
from .rivals import Rivals
from .service import Request, Service
from .store import Store


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
                if not self.store.is_at_least(row.since):
                    text = "The operation <> does not exist."
                    raise VapiError("OPERATION_NOT_FOUND", message("operation_not_found", text, row.operation))
                if not row.anonymous:
                    call.user = self.store.token(request.token).user
                args.update(self.dialect.arguments(row, request.query, request.body))
                result = perform(row.operation, call)
                return self.dialect.answer(row, await result if inspect.isawaitable(result) else result)
            except VapiError as error:
                return self.dialect.error(error, self.store.config)

        await self.exchange(request, connection, row.operation if row else None, process)


def create_app(store: Store, transports: dict[Any, asyncio.Transport]) -> Starlette:
    """The service; ``transports`` has the transport of each connection by the client's address."""
    log, faults, rivals = Log(), Faults(), Rivals(store)
    shared = (store, log, faults, rivals, transports)
    return Starlette(
        routes=[
            Mount("/api", ApiService("api", *shared)),
            Mount("/rest", ApiService("rest", *shared)),
            Mount("/cls/data", DataService(*shared)),
            Mount(FOLDER, PublishingService(*shared)),
            Mount("/control", routes=control.routes(store, log, faults, rivals)),
        ]
    )
