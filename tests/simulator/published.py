# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/cls/vcsp/lib: where subscribers read the libraries that are published."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from .answers import Answer, Part
from .faults import Connection
from .models import ItemFile, Library
from .publishing import FOLDER, admits, is_published, item_json, items_json, lib_json
from .service import Request, Service

OPERATIONS = {"lib.json": "library", "items.json": "items", "item.json": "item"}


class PublishingService(Service):
    async def handle(self, request: Request, connection: Connection) -> None:
        library_id, _slash, name = request.path.removeprefix(f"{FOLDER}/").partition("/")
        operation = f"published.{OPERATIONS.get(name.rpartition('/')[2], 'file')}"

        async def process() -> Answer:
            library = self.store.libraries.get(library_id)
            if request.method != "GET" or library is None or not is_published(library):
                return refusal(404 if request.method == "GET" else 405)
            if not admits(library, request.headers.get("authorization", "")):
                return refusal(401, ("WWW-Authenticate", 'Basic realm="VCSP endpoint"'))
            return self.read(library, *(unquote(part) for part in name.split("/")))

        await self.exchange(request, connection, operation, process)

    def read(self, library: Library, *path: str) -> Answer:
        if path == ("lib.json",):
            return document(lib_json(self.store, library))
        if path == ("items.json",):
            return document(items_json(self.store, library))
        item = self.store.items.get(path[0])
        if len(path) != 2 or item is None or item.library_id != library.id:
            return refusal(404)
        if path[1] == "item.json":
            return document(item_json(self.store, item))
        return self.content(item.files[path[1]]) if path[1] in item.files else refusal(404)

    def content(self, file: ItemFile) -> Answer:
        rate, size = self.store.config.download_rate, file.blob.size
        part = Part(file.blob.path, 0, size, rate, proceed=lambda: True, sent=lambda: None)
        return Answer(200, content_type="application/octet-stream", part=part)


def document(content: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(content).encode(), "application/json")


def refusal(status: int, *headers: tuple[str, str]) -> Answer:
    return Answer(status, f"{status} {HTTPStatus(status).phrase}\n".encode(), "text/plain", headers)
