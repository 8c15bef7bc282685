# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/cls/data: where clients push content, and where they get what was prepared."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import unquote

from .answers import Answer, Part
from .errors import VapiError
from .faults import Connection
from .service import Request, Service
from .transfers import receive_upload

RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class DataService(Service):
    async def handle(self, request: Request, connection: Connection) -> None:
        async def send() -> Answer:
            return self.send(request)

        async def receive() -> Answer:
            return await self.receive(request, None)

        async def take(stop_at: int | None) -> None:
            half = int(request.headers.get("content-length", "0")) // 2
            await self.receive(request, half if stop_at is None else stop_at)

        if request.method == "GET":
            await self.exchange(request, connection, "download", send)
        else:
            await self.exchange(request, connection, "upload", receive, take)

    def has_token(self, request: Request) -> bool:
        try:
            self.store.token(request.token)
        except VapiError:
            return False
        return True

    def send(self, request: Request) -> Answer:
        """A file, or the part of it that the client asks for."""
        if not self.has_token(request):
            return refusal(401)
        download_id, _slash, name = request.path.removeprefix("/cls/data/").partition("/")
        found = self.store.downloads.endpoint(download_id, unquote(name))
        if found is None:
            return refusal(404)
        session, file = found
        session.touch()
        config, blob = self.store.config, file.file.blob
        wanted = byte_range(request.headers.get("range", ""), blob.size) if config.ranges else None
        if wanted and wanted[0] >= blob.size:
            return Answer(416, headers=(("Content-Range", f"bytes */{blob.size}"),))
        start, stop = wanted or (0, blob.size)

        def proceed() -> bool:
            return self.store.downloads.endpoint(download_id, file.file.name) is not None

        def sent() -> None:
            file.downloaded = file.downloaded or stop == blob.size
            session.touch()

        part = Part(blob.path, start, stop - start, config.download_rate, proceed, sent)
        if wanted:
            headers = (("Content-Range", f"bytes {start}-{stop - 1}/{blob.size}"),)
            return Answer(206, b"", "application/octet-stream", headers, part)
        headers = (("Accept-Ranges", "bytes"),) if config.ranges else ()
        return Answer(200, b"", "application/octet-stream", headers, part)

    async def receive(self, request: Request, stop_at: int | None) -> Answer:
        if not self.has_token(request):
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


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """Start and end of what the client wants; None for the whole file, also where the header can't be read."""
    found = RANGE.fullmatch(header)
    if not found:
        return None
    start, last = int(found[1]), found[2]
    return start, min(size, int(last) + 1) if last else size


def refusal(status: int) -> Answer:
    return Answer(status, f"{status} {HTTPStatus(status).phrase}\n".encode(), "text/plain")
