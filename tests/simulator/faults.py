# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that a test asks for at a chosen request, and the log of requests."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from .answers import Answer
from .triggers import Trigger, read

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

PIECES = 50
PROCESSED = ("reset_after", "reset_middle", "trickle", "truncate", "cut", "body")
MAY_PROCESS = ("status", "hang", "redirect")
KINDS = ("reset_before", "early", *PROCESSED, *MAY_PROCESS)
PARAMETERS = {"kind", "status", "headers", "body", "content_type", "seconds", "interval", "location", "process"}
PARAMETERS |= {"after", "bytes", "announced", "end"}
SECRET_HEADERS = ("authorization", "vmware-api-session-id", "cookie")
LOG_LENGTH = 20_000


@dataclass
class Fault(Trigger):
    """What happens to the requests."""

    fault: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fault.keys() - PARAMETERS:
            raise ValueError(f"unknown keys in {self.fault}")
        if self.fault.get("kind") not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")


@dataclass
class Faults:
    """The faults that are set, in the order in which they were given."""

    faults: list[Fault] = field(default_factory=list)

    def set(self, wanted: list[dict[str, Any]]) -> None:
        self.faults = read(Fault, wanted)

    def strike(self, method: str, path: str, operation: str | None, user: str | None) -> dict[str, Any] | None:
        """The fault of this request, if any. Each fault counts the requests that match it."""
        struck = [fault for fault in self.faults if fault.strikes(method, path, operation, user)]
        return struck[0].fault if struck else None


@dataclass
class Log:
    """The requests that were received, apart from those to the control endpoint."""

    entries: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    count: int = 0

    def add(self, entry: dict[str, Any]) -> dict[str, Any]:
        self.count += 1
        entry = {"n": self.count, **entry}
        self.entries.append(entry)
        return entry

    def clear(self) -> None:
        self.entries.clear()
        self.count = 0


class Connection:
    """Sends answers, whole or broken, on the connection of one request."""

    def __init__(self, transport: asyncio.Transport, receive: Receive, send: Send, now: float) -> None:
        self.transport = transport
        self.receive_event = receive
        self.send_event = send
        self.date = formatdate(now, usegmt=True)
        self.sent = 0  # bytes of bodies

    def headers(self, answer: Answer) -> list[tuple[str, str]]:
        headers = [("Date", self.date)]
        if answer.content_type:
            headers.append(("Content-Type", answer.content_type))
        if answer.status != HTTPStatus.NO_CONTENT:
            headers.append(("Content-Length", str(answer.length)))
        return headers + list(answer.headers)

    async def send(self, answer: Answer) -> None:
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers(answer)]
        await self.send_event({"type": "http.response.start", "status": answer.status, "headers": headers})
        if answer.part:
            async for block in answer.part.blocks():
                self.sent += len(block)
                await self.send_event({"type": "http.response.body", "body": block, "more_body": True})
            if self.sent < answer.length:
                await reset(self)
                return
        self.sent += len(answer.body)
        await self.send_event({"type": "http.response.body", "body": answer.body})

    def raw(self, answer: Answer, body: bytes, length: int | None) -> bytes:
        """The answer as bytes, with this body; without a Content-Length where ``length`` is None."""
        fields = dict(self.headers(answer))
        fields.pop("Content-Length", None)
        if length is not None and answer.status != HTTPStatus.NO_CONTENT:
            fields["Content-Length"] = str(length)
        fields["Connection"] = "close"
        self.sent += len(body)
        try:
            phrase = HTTPStatus(answer.status).phrase
        except ValueError:
            phrase = ""
        lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{name}: {value}" for name, value in fields.items())]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def whole(self, answer: Answer) -> bytes:
        body = answer.content()
        return self.raw(answer, body, len(body))

    def reset(self) -> None:
        """End the connection with a RST."""
        # A TLS transport that the client has left knows no socket any more, and fails when asked.
        connection = None if self.transport.is_closing() else self.transport.get_extra_info("socket")
        if connection is not None and connection.fileno() != -1:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than the client does."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end and not self.transport.is_closing():
            await asyncio.sleep(min(0.05, max(0.0, end - loop.time())))

    async def closed(self) -> None:
        """Until the connection is gone: before that, uvicorn would answer where we have not."""
        while (await self.receive_event())["type"] != "http.disconnect":
            pass


async def play(
    fault: dict[str, Any],
    connection: Connection,
    process: Callable[[], Awaitable[Answer]],
    take: Callable[[int | None], Awaitable[None]] | None,
) -> int | None:
    """Answer a request as ``fault`` says; the status that went out, None where none did."""
    kind = fault["kind"]
    if kind == "reset_middle" and take:
        await take(None)
        return await reset(connection)
    if kind == "early":
        return await answer_early(fault, connection, take)
    answer = None
    if kind in PROCESSED or (kind in MAY_PROCESS and fault.get("process")):
        answer = await process()
    if kind in ("status", "body", "redirect"):
        answer = changed(answer or Answer(fault.get("status", 302 if kind == "redirect" else 503)), fault)
        await connection.send(answer)
        return answer.status
    if kind == "hang":
        await connection.pause(fault.get("seconds", 3600.0))
        if answer and not connection.transport.is_closing():
            await connection.send(answer)
            return answer.status
    elif kind == "trickle" and answer:
        return await trickle(connection, answer, fault.get("interval", 0.05))
    elif kind == "cut" and answer:
        return await cut(fault, connection, answer)
    elif kind == "truncate" and answer:
        return await cut({"bytes": answer.length, "announced": answer.length + 1024}, connection, answer)
    elif kind == "reset_middle" and answer:
        raw = connection.whole(answer)
        connection.transport.write(raw[: len(raw) // 2])
        await asyncio.sleep(0.05)
    return await reset(connection)


async def answer_early(
    fault: dict[str, Any], connection: Connection, take: Callable[[int | None], Awaitable[None]] | None
) -> int:
    """Answer after some bytes of the body, and read no more, until the client is gone or its time is over."""
    if take and fault.get("after"):
        await take(fault["after"])
    answer = changed(Answer(fault.get("status", 503)), fault)
    connection.transport.write(connection.whole(answer))
    await connection.pause(fault.get("seconds", 3600.0))
    connection.transport.close()
    await connection.closed()
    return answer.status


async def cut(fault: dict[str, Any], connection: Connection, answer: Answer) -> int:
    """The answer with the first bytes of its body, and a Content-Length that need not be true."""
    content = answer.content()
    body = content[: fault.get("bytes", len(content) // 2)]
    announced = fault.get("announced", len(content))
    connection.transport.write(connection.raw(answer, body, len(body) if announced == "cut" else announced))
    end = fault.get("end", "close")
    if end == "hang":
        await connection.pause(fault.get("seconds", 3600.0))
    if end == "reset":
        await asyncio.sleep(0.05)
        connection.reset()
    else:
        connection.transport.close()
    await connection.closed()
    return answer.status


async def reset(connection: Connection) -> None:
    connection.reset()
    await connection.closed()


async def trickle(connection: Connection, answer: Answer, interval: float) -> int:
    """Send the answer byte by byte, from its status line on; content of files in PIECES, since it has an end."""
    raw = connection.whole(answer)
    step = max(1, len(raw) // PIECES) if answer.part else 1
    for position in range(0, len(raw), step):
        if connection.transport.is_closing():
            break
        connection.transport.write(raw[position : position + step])
        await connection.pause(interval)
    connection.transport.close()
    await connection.closed()
    return answer.status


def changed(answer: Answer, fault: dict[str, Any]) -> Answer:
    """The answer with what the fault puts in its place."""
    body, content_type = answer.body, answer.content_type
    headers = tuple((name, str(value)) for name, value in (fault.get("headers") or {}).items())
    part = answer.part if fault["kind"] == "body" and "body" not in fault else None
    if part:
        headers += answer.headers
    if fault["kind"] == "redirect":
        headers += (("Location", fault["location"]),)
    if fault["kind"] != "body":
        body, content_type = b"", None
    if "body" in fault:
        text = fault["body"] if isinstance(fault["body"], str) else json.dumps(fault["body"])
        body = text.encode()
        content_type = "text/plain" if isinstance(fault["body"], str) else "application/json"
    # A 204 has no body.
    status = HTTPStatus.OK if body and answer.status == HTTPStatus.NO_CONTENT else answer.status
    return Answer(fault.get("status", status), body, fault.get("content_type", content_type), headers, part)
