# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes into update sessions: what clients push, and what the service pulls."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from .endpoints import open_endpoint
from .errors import message
from .models import SessionFile, UpdateSession
from .store import Store

BLOCK = 1 << 20
PULL_TIMEOUT = 30.0


class Sink:
    """Writes a file to disk and hashes it on the way."""

    def __init__(self, file: SessionFile, algorithms: set[str]) -> None:
        self.blob = file.blob
        self.stream = file.blob.path.open("wb", buffering=0)
        self.digests = {name: hashlib.new(name.lower(), usedforsecurity=False) for name in algorithms}

    def write(self, blocks: list[bytes]) -> None:
        for block in blocks:
            self.stream.write(block)
            for digest in self.digests.values():
                digest.update(block)
            self.blob.size += len(block)

    def close(self) -> None:
        self.stream.close()
        self.blob.digests = {name: digest.hexdigest() for name, digest in self.digests.items()}


def algorithms(store: Store, file: SessionFile) -> set[str]:
    wanted = {store.config.item_checksum_algorithm, file.checksum[0] if file.checksum else None}
    return {name for name in wanted if name}


def interrupted(file: SessionFile) -> dict[str, Any]:
    return message("transfer_interrupted", "The transfer of file <> was interrupted: pipe closed.", file.name)


def store_content(store: Store, file: SessionFile, content: bytes) -> None:
    """All bytes of a file at once, as after a push."""
    sink = Sink(file, algorithms(store, file))
    sink.write([content])
    sink.close()
    file.bytes_transferred = len(content)
    file.received(store.config.ready_delay)


async def receive_upload(
    store: Store,
    session: UpdateSession,
    file: SessionFile,
    receive: Callable[[], Awaitable[Any]],
    stop_at: int | None = None,
) -> bool:
    """Take the body of a PUT, up to ``stop_at`` bytes; False if it was cut off or the session went away."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    file.transfer_status = "TRANSFERRING"
    session.touch()
    sink = Sink(file, algorithms(store, file))
    writing: asyncio.Future[None] | None = None
    blocks: list[bytes] = []
    pending = 0
    more = True
    try:
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                break
            more = event.get("more_body", False)
            block = event.get("body", b"")
            blocks.append(block)
            pending += len(block)
            file.bytes_transferred += len(block)
            if file.canceled.is_set() or (stop_at is not None and file.bytes_transferred >= stop_at):
                break
            if pending >= BLOCK or not more:
                # One block is hashed and written while the next one arrives; memory stays constant.
                if writing:
                    await writing
                writing = loop.run_in_executor(None, sink.write, blocks)
                blocks, pending = [], 0
            if store.config.upload_rate:
                await asyncio.sleep(started + file.bytes_transferred / store.config.upload_rate - loop.time())
        else:
            if writing:
                await writing
            writing = None
            sink.close()
            if store.sessions.get(session.id) is session and store.settle(session):
                file.received(store.config.ready_delay)
                session.touch()
                return True
    finally:
        if writing:
            await writing
        sink.close()
    if file.canceled.is_set():
        file.blob.path.unlink(missing_ok=True)
    file.fail(interrupted(file))
    return False


def start_pull(store: Store, file: SessionFile) -> None:
    threading.Thread(target=pull, args=(store, file), name=f"pull {file.name}", daemon=True).start()


def pull(store: Store, file: SessionFile) -> None:
    """Fetch a file from its source endpoint; the outcome is in the file's status."""
    sink = Sink(file, algorithms(store, file))
    try:
        response = open_source(store, file)
        file.transfer_status = "TRANSFERRING"
        started = time.monotonic()
        rate = store.config.upload_rate
        while block := response.read(int(rate / 20) + 1 if rate else BLOCK // 4):
            sink.write([block])
            count = file.bytes_transferred + len(block)
            if file.canceled.wait(max(0.0, started + count / rate - time.monotonic()) if rate else 0):
                raise OSError("canceled")
            file.bytes_transferred = count
        if response.length:
            raise OSError(f"{response.length} bytes are missing")
        sink.close()
        file.received(store.config.ready_delay)
    except (OSError, ValueError, http.client.HTTPException) as error:
        uri = (file.source_endpoint or {}).get("uri", "")
        file.fail(message("pull_failed", "The file <> could not be fetched from <>: <>.", file.name, uri, error))
    finally:
        sink.close()
        if file.canceled.is_set():
            file.blob.path.unlink(missing_ok=True)


def open_source(store: Store, file: SessionFile) -> http.client.HTTPResponse:
    endpoint = file.source_endpoint or {}
    thumbprint = endpoint.get("ssl_certificate_thumbprint", "")
    return open_endpoint(endpoint["uri"], store.pull_context, thumbprint, timeout=PULL_TIMEOUT)
