# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source, look by look, and what is done to the simulator that it watches."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from tests.playbooks.examples import guides
from tests.processes import wait_until
from tests.simulator.process import SimulatorProcess

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "extensions/eda/plugins/event_source/update_sessions.py"
MODULE = runpy.run_path(str(PATH))
GUIDE = {example.caption: example for example in guides() if example.page == "events"}
TIME_LIMIT = 180  # for what hangs; a busy machine is no reason to fail
ITEM = "3f6cb4c0-5f52-4d3e-b1fd-4f9ef9f7e0a3"
SLEEP = asyncio.sleep

Event = dict[str, Any]


class Source:
    """The event source at work, and the queue for its events. It looks when it is told to, and no sooner."""

    def __init__(self, **args: Any) -> None:
        self.args = args
        self.events: list[Event] = []
        self.delay = 0.0  # that it asked for after the last look
        self.task: asyncio.Task[None] | None = None

    async def put(self, event: Event) -> None:
        self.events.append(event)

    async def sleep(self, delay: float) -> None:
        """In place of asyncio.sleep."""
        self.delay = delay
        self.paused.set()
        await self.resumed.wait()
        self.resumed.clear()

    def __enter__(self) -> Source:
        self.loop = asyncio.new_event_loop()
        self.paused, self.resumed = asyncio.Event(), asyncio.Event()
        asyncio.sleep = self.sleep
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.end()
        finally:
            asyncio.sleep = SLEEP
            self.loop.close()

    def begin(self) -> None:
        """Let it look, and don't wait for it."""
        self.paused.clear()
        if self.task is None:
            self.task = self.loop.create_task(MODULE["main"](self, self.args))
        else:
            self.resumed.set()

    def until(self, condition: Callable[[], Any]) -> None:
        """Let it work until something is the case."""

        async def wait() -> None:
            while not condition():
                await SLEEP(0.01)

        self.loop.run_until_complete(asyncio.wait_for(wait(), TIME_LIMIT))

    def look(self) -> list[Event]:
        """Let it look once. Returns the events. Raises what ends it."""
        seen = len(self.events)
        self.begin()
        self.until(lambda: self.paused.is_set() or self.task.done())
        if self.task.done():
            self.task.result()
        return self.events[seen:]

    def types(self) -> list[str]:
        """Let it look once. Returns the types of the events."""
        return [event["type"] for event in self.look()]

    def end(self) -> None:
        """Cancel it, as ansible-rulebook does."""
        if self.task:
            self.task.cancel()
            self.loop.run_until_complete(asyncio.wait([self.task], timeout=TIME_LIMIT))
            assert self.task.done()


def wait_for(condition: Callable[[], Any]) -> None:
    wait_until(condition, TIME_LIMIT)


def client_of(simulator: SimulatorProcess, dialect: str = "api") -> VCenterClient:
    options = {name: getattr(simulator, name) for name in ("port", "username", "password", "ca_path")}
    return VCenterClient(simulator.host, api_endpoint=dialect, **options)


def operations(simulator: SimulatorProcess) -> list[str]:
    return [entry["operation"] for entry in simulator.requests()]


PAGE = {"kind": "status", "status": 404, "body": "<html>No such route</html>", "content_type": "text/html"}
# What the client does not try again by itself, and what it does until request_timeout.
AT_ONCE = {
    "500": {"kind": "status", "status": 500},
    "a page": PAGE,
    "no JSON": {"kind": "body", "body": "<html>"},
    "another shape": {"kind": "body", "body": {"value": {"sessions": []}}},
    "nothing in it": {"kind": "body", "body": {}},
}
IN_TIME = {
    "503": {"kind": "status", "status": 503},
    "429": {"kind": "status", "status": 429, "headers": {"Retry-After": "soon"}},
    "502": {"kind": "status", "status": 502},
    "reset": {"kind": "reset_before"},
    "lost answer": {"kind": "reset_after"},
    "half an answer": {"kind": "truncate"},
    "no answer": {"kind": "hang", "seconds": 30},
}
FOR_ONE = {
    "400": {"kind": "status", "status": 400},
    "403": {"kind": "status", "status": 403, "body": {"error_type": "UNAUTHORIZED", "messages": []}},
    "405": {"kind": "status", "status": 405},
}


def fault(operation: str, what: dict[str, Any], **match: str) -> dict[str, Any]:
    return {"match": {"operation": operation, **match}, "count": 10_000, "fault": what}


def assert_no_secret(simulator: SimulatorProcess, text: str) -> None:
    basic = base64.b64encode(f"{simulator.username}:{simulator.password}".encode()).decode()
    for secret in (simulator.password, basic, "not-the-password", "Authorization", "vmware-api-session-id"):
        assert secret not in text
    used = {entry["token_sha256"] for entry in simulator.requests()} - {None}
    assert used
    words = set(re.findall(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", text))
    assert not used & {hashlib.sha256(word.encode()).hexdigest() for word in words}, "an API token"
