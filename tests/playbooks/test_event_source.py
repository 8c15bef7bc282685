# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source: its main, look by look, against the simulator; and ansible-rulebook, where that is there."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import logging
import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.vsphere.content_library.plugins.module_utils import _argspec
from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import Libraries, LocalLibraries
from ansible_collections.vsphere.content_library.plugins.module_utils._library_items import LibraryItems
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions
from tests.control import Control
from tests.playbooks.examples import guides
from tests.playbooks.plays import FOREIGN
from tests.simulator.process import SimulatorProcess
from tests.unit.plugins.sockets import SocketServer, answer

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "extensions/eda/plugins/event_source/update_sessions.py"
MODULE = runpy.run_path(str(PATH))
GUIDE = {example.caption: example for example in guides() if example.page == "events"}
TIME_LIMIT = 60  # for what hangs; a busy machine is no reason to fail
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
    deadline = time.monotonic() + TIME_LIMIT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith(FOREIGN) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)


@pytest.fixture(params=["api", "rest"])
def dialect(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def watch(simulator: SimulatorProcess) -> Iterator[Callable[..., Source]]:
    """Makes a source that watches the simulator. It ends after the test."""
    with contextlib.ExitStack() as stack:

        def make(**args: Any) -> Source:
            names = ("port", "username", "password", "ca_path")
            options = {"hostname": simulator.host, **{name: getattr(simulator, name) for name in names}, **args}
            return stack.enter_context(Source(**options))

        yield make


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
ODD_HEADERS = {
    "Retry-After": ["9" * 5000, "-1", "\u00b2", "Mon, 01 Jan 99999 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"],
    "Date": [
        "9" * 5000,
        f"Mon, 01 Jan {'9' * 5000} 00:00:00 GMT",
        "Mon, 01 Jan 0000 00:00:00 -9999",
        "2026\tMon,",
        " ",
    ],
}


def fault(operation: str, what: dict[str, Any], **match: str) -> dict[str, Any]:
    return {"match": {"operation": operation, **match}, "count": 10_000, "fault": what}


class TestLife:
    def test_from_created_to_gone(self, simulator, watch, dialect):
        source = watch(api_endpoint=dialect)
        assert source.types() == []
        [session] = simulator.add_sessions()
        assert source.types() == ["created"]
        simulator.change_session(session, client_progress=40)
        [event] = source.look()
        assert event["type"] == "progress"
        assert event["hostname"] == simulator.host
        assert event["update_session"]["id"] == session
        assert event["update_session"]["client_progress"] == 40

        warnings = ["SELF_SIGNED_CERTIFICATE", "EXPIRED_CERTIFICATE"]
        simulator.change_session(session, preview_warnings=warnings)
        events = source.look()
        assert [(event["type"], event["warning"]) for event in events] == [
            ("warning_raised", warning) for warning in warnings
        ]
        assert events[0]["update_session"]["blocking_warnings"] == warnings

        simulator.change_session(session, expires_in=30)
        assert source.types() == ["expiring_soon"]
        assert source.types() == []
        simulator.change_session(session, expires_in=300)  # as by a keep-alive
        assert source.types() == []
        simulator.change_session(session, expires_in=59)
        [event] = source.look()
        assert event["type"] == "expiring_soon"
        assert 0 < event["update_session"]["expires_in"] < 60

        simulator.change_session(session, state="DONE")
        assert source.types() == ["done"]
        simulator.delete_session(session)
        [event] = source.look()
        assert event["type"] == "gone"
        assert event["update_session"]["state"] == "DONE"
        assert source.types() == []
        assert source.delay == 10
        source.end()
        assert operations(simulator).count("session.create") == 1
        assert operations(simulator)[-1] == "session.delete"
        assert simulator.state()["tokens"] == []

    @pytest.mark.parametrize(("state", "told"), [("DONE", "done"), ("ERROR", "error"), ("CANCELED", "canceled")])
    def test_end(self, state, told, simulator, watch, dialect):
        [session] = simulator.add_sessions()
        source = watch(api_endpoint=dialect)
        source.look()
        simulator.change_session(session, state=state, error_message="Broken." if state == "ERROR" else None)
        [event] = source.look()
        assert (event["type"], event["update_session"]["state"]) == (told, state)
        if state == "ERROR":
            assert event["update_session"]["error_message"]["default_message"] == "Broken."
        simulator.clear_requests()
        assert source.types() == []
        assert operations(simulator) == ["update_session.list"]

    def test_end_between_two_looks(self, simulator, watch):
        source = watch()
        source.look()
        simulator.add_sessions(state="CANCELED")
        assert source.types() == ["created", "canceled"]

    def test_at_the_start(self, simulator, watch):
        [open_one] = simulator.add_sessions(client_progress=40, preview_warnings=["EXPIRED_CERTIFICATE"])
        for state in ("DONE", "ERROR", "CANCELED"):
            simulator.add_sessions(state=state)
        source = watch()
        events = source.look()
        assert [event["type"] for event in events] == ["created", "warning_raised"]
        assert events[0]["update_session"]["id"] == open_one
        assert source.types() == []

    def test_a_warning_that_is_ignored(self, simulator, watch):
        ignored = [{"type": "EXPIRED_CERTIFICATE", "ignored": True}]
        simulator.add_sessions(preview_warnings=["EXPIRED_CERTIFICATE"], warning_behavior=ignored)
        [event] = watch().look()
        assert event["update_session"]["blocking_warnings"] == []

    def test_never_expiring_soon(self, simulator, watch):
        simulator.add_sessions(expires_in=5)
        assert watch(expiring_within=0).types() == ["created"]

    def test_sessions_of_one_item(self, simulator, watch, dialect):
        item = simulator.add_item("watched")
        source = watch(api_endpoint=dialect, library_item_id=item)
        simulator.add_sessions()
        assert source.types() == []
        simulator.add_sessions(library_item_id=item)
        [event] = source.look()
        assert event["update_session"]["library_item_id"] == item

    def test_item_that_does_not_exist(self, simulator, watch, dialect):
        assert watch(api_endpoint=dialect, library_item_id=ITEM).types() == []

    def test_filters_may_change_events(self, simulator, watch):
        """ansible-rulebook hands an event to filters that change it in place."""
        [session] = simulator.add_sessions()
        source = watch()
        source.look()[0]["update_session"].clear()
        simulator.change_session(session, client_progress=1)
        assert source.types() == ["progress"]

    def test_facts_are_those_of_the_modules(self, simulator, watch, dialect):
        """All of them, however little the server tells; by its clock."""
        simulator.config(clock_offset=3600)
        simulator.add_sessions(
            client_progress=40,
            expires_in=3700,  # by our clock
            preview_warnings=["SELF_SIGNED_CERTIFICATE", "EXPIRED_CERTIFICATE"],
            warning_behavior=[{"type": "EXPIRED_CERTIFICATE", "ignored": True}],
        )
        [session] = simulator.add_sessions()
        with client_of(simulator, dialect) as client:
            source = watch(api_endpoint=dialect)
            source.look()
            simulator.change_session(session, state="ERROR", error_message={"id": "a", "default_message": "b"})
            source.look()
            told = {event["update_session"]["id"]: event["update_session"] for event in source.events}
            for returned in UpdateSessions(client).list_all_sessions():
                event = told[returned["id"]]
                assert abs(event.pop("expires_in") - returned.pop("expires_in")) < 30
                assert event == returned


class TestLibraries:
    """What a vCenter tells of libraries and their items, where that is asked for."""

    def test_life_of_a_library(self, simulator, watch, dialect):
        publisher = simulator.publish("published")
        source = watch(api_endpoint=dialect, watch=["libraries"])
        assert source.types() == []
        library = simulator.subscribe("new", simulator, publisher)
        [event] = source.look()
        assert event["type"] == "library_created"
        assert event["hostname"] == simulator.host
        assert (event["library"]["id"], event["library"]["type"]) == (library, "SUBSCRIBED")
        assert source.types() == []
        simulator.change_library(library, description="Golden images")
        [event] = source.look()
        assert (event["type"], event["library"]["description"]) == ("library_updated", "Golden images")
        assert "description" in event["changed"]
        simulator.sync_library(library)
        [event, *_others] = source.look()
        assert (event["type"], event["library"]["id"]) == ("library_synchronized", library)
        assert source.types() == []
        simulator.delete_library(library)
        [event] = source.look()
        assert (event["type"], event["library"]["name"]) == ("library_deleted", "new")
        assert source.types() == []

    def test_life_of_an_item(self, simulator, watch, dialect):
        source = watch(api_endpoint=dialect, watch="library_items")
        assert source.types() == []
        library = simulator.add_library("new", items=[{"name": "first", "files": {"a": "a"}}])
        item = simulator.add_item("second", library_id=library, files={"a": "a"})
        told = [(event["type"], event["library_item"]["name"]) for event in source.look()]
        assert sorted(told) == [("item_added", "first"), ("item_added", "second")]
        assert source.types() == []
        simulator.change_item(item, files={"a": "another"})
        [event] = source.look()
        assert (event["type"], event["library_item"]["id"]) == ("item_updated", item)
        assert event["changed"] == ["content_version", "size", "last_modified_time"]
        assert event["library_item"]["library_id"] == library
        assert source.types() == []
        simulator.delete_item(item)
        [event] = source.look()
        assert (event["type"], event["library_item"]["id"]) == ("item_removed", item)
        simulator.delete_library(library)
        [event] = source.look()
        assert (event["type"], event["library_item"]["name"]) == ("item_removed", "first")

    def test_what_is_fetched_and_evicted(self, simulator, watch):
        library = simulator.add_library("new", items=[{"name": "first", "files": {"a": "a"}, "cached": False}])
        [item] = [key for key, item in simulator.state()["items"].items() if item["library_id"] == library]
        source = watch(watch=["library_items"], library_id=library)
        source.look()
        for cached in (True, False):
            simulator.change_item(item, cached=cached)
            [event] = source.look()
            assert "cached" in event["changed"]
            assert event["library_item"]["cached"] is cached

    @pytest.mark.parametrize(
        ("kinds", "operations_of_a_look"),
        [
            (["update_sessions"], {"update_session.list": 1, "update_session.get": 2}),
            (["libraries"], {"library.list": 1, "library.get": "libraries"}),
            (["library_items"], {"library.list": 1, "item.list": "libraries", "item.get": "items"}),
            (
                "update_sessions, libraries, library_items",
                {
                    "update_session.list": 1,
                    "update_session.get": 2,
                    "library.list": 1,
                    "library.get": "libraries",
                    "item.list": "libraries",
                    "item.get": "items",
                },
            ),
        ],
    )
    def test_what_a_look_costs(self, kinds, operations_of_a_look, simulator, watch):
        """As the guide says; the second one, when everything is known, no less and no more."""
        simulator.add_sessions(2)
        state = simulator.state()
        source = watch(watch=kinds)
        source.look()
        simulator.clear_requests()
        assert source.types() == []
        sent = operations(simulator)
        expected = {name: len(state[of]) if isinstance(of, str) else of for name, of in operations_of_a_look.items()}
        assert {name: sent.count(name) for name in sent} == expected

    def test_one_library(self, simulator, watch):
        library, other = simulator.add_library("one"), simulator.add_library("other")
        source = watch(watch=["libraries", "library_items"], library_id=library)
        source.look()
        simulator.add_item("elsewhere", library_id=other)
        simulator.change_library(other, description="other")
        simulator.add_item("here", library_id=library)
        simulator.clear_requests()
        [event] = source.look()
        assert (event["type"], event["library_item"]["name"]) == ("item_added", "here")
        assert sorted(operations(simulator)) == ["item.get", "item.list", "library.get", "library.list"]

    @pytest.mark.parametrize("what", [*AT_ONCE, *FOR_ONE])
    def test_one_alone(self, what, simulator, watch, caplog):
        """The others' events go on. The one is neither deleted nor created again, and is logged once."""
        one, other = (simulator.add_library(name, items=[{"name": f"item of {name}"}]) for name in ("one", "other"))
        items = {item["library_id"]: key for key, item in simulator.state()["items"].items()}
        source = watch(watch=["libraries", "library_items"])
        source.look()
        answer_ = {**AT_ONCE, **FOR_ONE}[what]
        requests = {"library.get": one, "item.list": one, "item.get": items[one]}
        simulator.faults([fault(name, answer_, path=path) for name, path in requests.items()])
        simulator.change_library(one, description="a")
        simulator.change_item(items[one], description="a")
        for text in ("a", "b"):
            simulator.change_library(other, description=text)
            simulator.change_item(items[other], description=text)
            assert source.types() == ["library_updated", "item_updated"]
        assert len(caplog.records) == 3
        simulator.faults([])
        told = [(event["type"], (event.get("library") or event["library_item"])["id"]) for event in source.look()]
        assert told == [("library_updated", one), ("item_updated", items[one])]

    def test_what_can_not_be_read_at_the_start(self, simulator, watch):
        """It is not told as new later, and what is new then is."""
        library = simulator.add_library("one", items=[{"name": "old"}])
        simulator.faults([fault(operation, AT_ONCE["500"]) for operation in ("library.get", "item.list")])
        source = watch(watch=["libraries", "library_items"])
        assert source.types() == []
        simulator.faults([])
        assert source.types() == []
        simulator.add_item("new", library_id=library)
        assert source.types() == ["item_added"]

    def test_a_list_that_fails_stops_no_other_kind(self, simulator, watch):
        source = watch(watch=["update_sessions", "libraries"])
        source.look()
        simulator.faults([fault("update_session.list", AT_ONCE["500"])])
        simulator.add_library("new")
        assert source.types() == ["library_created"]
        assert source.delay <= 1
        simulator.faults([fault("library.list", AT_ONCE["500"])])
        simulator.add_sessions()
        assert source.types() == ["created"]
        simulator.faults([])
        assert source.types() == []

    def test_no_password_is_in_an_event(self, simulator, watch):
        source = watch(watch=["libraries"])
        source.look()
        simulator.publish("published", password="hidden")
        info = {"authentication_method": "BASIC", "user_name": "a", "password": "hidden"}
        url = "https://a:hid/den@example.com/lib.json"
        library = simulator.add_library("new", type="SUBSCRIBED", subscription_info={"subscription_url": url, **info})
        events = {event["library"]["id"]: event for event in source.look()}
        assert "hid" not in str(events).replace("--hidden--", "")
        shown = events[library]["library"]["subscription_info"]["subscription_url"]
        assert shown == "https://********@example.com/lib.json"

    def test_samples_of_the_guide(self, simulator, watch):
        samples = {name: json.loads(GUIDE[name].text) for name in ("library_updated", "item_updated")}
        library = simulator.add_library("images")
        item = simulator.add_item("debian-12", library_id=library, files={"a": "a"})
        source = watch(watch=["libraries", "library_items"], library_id=library)
        source.look()
        with client_of(simulator) as client:
            libraries = Libraries(client)
            description = samples["library_updated"]["library"]["description"]
            LocalLibraries(client, libraries).update(libraries.get(library), {"description": description})
        simulator.change_item(item, files={"a": "another"})
        events = {event["type"]: event for event in source.look()}
        for name, sample in samples.items():
            facts = "library" if "library" in sample else "library_item"
            assert sample[facts].items() <= events[name][facts].items()
            assert sample["changed"] == events[name]["changed"]

    def test_facts_are_those_of_the_modules(self, simulator, watch, dialect):
        source = watch(api_endpoint=dialect, watch=["libraries", "library_items"])
        source.look()
        library = simulator.publish("new", items=[{"name": "item", "files": {"a": "a"}}])
        told = source.look()
        with client_of(simulator, dialect) as client:
            assert told[0]["library"] == Libraries(client).get(library)
            assert [told[1]["library_item"]] == LibraryItems(client).list_items(library)


class TestLogin:
    def test_dead_token(self, simulator, watch, dialect):
        source = watch(api_endpoint=dialect)
        source.look()
        simulator.expire_tokens()
        [session] = simulator.add_sessions()
        assert source.types() == ["created"]
        simulator.expire_tokens()
        simulator.change_session(session, client_progress=1)
        assert source.types() == ["progress"]
        source.end()
        assert operations(simulator).count("session.create") == 3
        assert simulator.state()["tokens"] == []

    def test_token_of_somebody_else(self, simulator, watch):
        with Control({"host": simulator.host, "port": simulator.port, "ca_path": simulator.ca_path}) as control:
            control.server["password"] = simulator.password
            token = control.log_in(simulator.username)
        simulator.clear_requests()
        simulator.add_sessions()
        source = watch(session_id=token, password="not-the-password")
        assert source.types() == ["created"]
        source.end()
        assert set(operations(simulator)) == {"update_session.list", "update_session.get"}
        assert len(simulator.state()["tokens"]) == 1

        source = watch(session_id=token)
        source.look()
        simulator.expire_tokens()
        with pytest.raises(Exception, match="UNAUTHENTICATED, HTTP 401") as raised:
            source.look()
        assert token not in str(raised.value)
        assert "session.create" not in operations(simulator)

    def test_wrong_password(self, simulator, watch, dialect):
        source = watch(api_endpoint=dialect, password="not-the-password")
        with pytest.raises(Exception, match=rf"HTTP 401\] \(as {simulator.username}\)") as raised:
            source.look()
        assert "not-the-password" not in str(raised.value)
        assert operations(simulator) == ["session.create"]

    @pytest.mark.parametrize("missing", ["disable_api", "disable_rest"])
    def test_auto(self, missing, simulator, watch):
        simulator.config(**{missing: True})
        simulator.add_sessions()
        assert watch().types() == ["created"]
        assert [entry["status"] for entry in simulator.requests()].count(404) == (missing == "disable_api")

    @pytest.mark.parametrize("options", [{}, {"api_endpoint": "api"}, {"api_endpoint": "rest"}, {"session_id": "a"}])
    def test_no_endpoint(self, options, simulator, watch):
        simulator.config(disable_api=True, disable_rest=True)
        with pytest.raises(Exception, match="there is no /"):
            watch(**options).look()


class TestFaults:
    """Whatever happens to a look, the next one that succeeds tells what happened meanwhile, and nothing else."""

    @pytest.mark.parametrize("what", [*AT_ONCE, *IN_TIME])
    @pytest.mark.parametrize("operation", ["update_session.list", "session.create"])
    def test_passes(self, operation, what, simulator, watch, caplog):
        """On /api; how /rest tells the same is the client's business."""
        [session] = simulator.add_sessions()
        source = watch(request_timeout=1, session_id=None)
        source.look()
        if operation == "session.create":
            simulator.expire_tokens()
        simulator.faults([fault(operation, {**AT_ONCE, **IN_TIME}[what])])
        assert source.types() == []
        assert f"{operation} " in caplog.text
        assert f"looking again in {source.delay:.1f} s" in caplog.text
        assert 0.5 <= source.delay <= 1
        simulator.change_session(session, client_progress=1)
        simulator.faults([])
        events = source.look()
        while source.delay < 10:  # on a busy machine a second may be short
            events += source.look()
        assert [event["type"] for event in events] == ["progress"]
        assert {record.name for record in caplog.records} == {"vsphere.content_library.update_sessions"}

    @pytest.mark.parametrize("what", [*AT_ONCE, *FOR_ONE])
    def test_one_session_alone(self, what, simulator, watch, dialect, caplog):
        """The others' events go on; the one is neither gone nor created again, and is logged once."""
        self.check_one(simulator, watch(api_endpoint=dialect), {**AT_ONCE, **FOR_ONE}[what], caplog)

    @pytest.mark.parametrize("what", ["503", "reset", "no answer"])
    def test_one_session_alone_in_time(self, what, simulator, watch, caplog):
        self.check_one(simulator, watch(request_timeout=2), IN_TIME[what], caplog)

    def check_one(self, simulator, source, what, caplog):
        known, other = simulator.add_sessions(2)
        source.look()
        [new] = simulator.add_sessions()
        [ended] = simulator.add_sessions(state="DONE")
        broken = [fault("update_session.get", what, path=session.partition(":")[0]) for session in (known, new, ended)]
        simulator.faults(broken)
        simulator.change_session(known, client_progress=1)
        for progress in (1, 2):
            simulator.change_session(other, client_progress=progress)
            [event] = source.look()
            assert (event["type"], event["update_session"]["id"]) == ("progress", other)
            assert source.delay == 10
        assert len(caplog.records) == 3
        assert all("update_session.get for update session" in record.getMessage() for record in caplog.records)
        simulator.faults([])
        told = [(event["type"], event["update_session"]["id"]) for event in source.look()]
        assert sorted(told) == sorted([("progress", known), ("created", new), ("created", ended), ("done", ended)])
        assert source.types() == []

    def test_one_that_can_not_be_read_at_the_start(self, simulator, watch):
        """One that had ended is not told, one that is open is."""
        sessions = [*simulator.add_sessions(state="DONE"), *simulator.add_sessions()]
        simulator.faults([fault("update_session.get", AT_ONCE["500"])])
        source = watch()
        assert source.types() == []
        assert source.types() == []
        simulator.faults([])
        assert [(event["type"], event["update_session"]["id"]) for event in source.look()] == [("created", sessions[1])]

    def test_one_that_vanishes_between_list_and_get(self, simulator, watch, caplog):
        [session] = simulator.add_sessions()
        source = watch()
        source.look()
        error = {"error_type": "NOT_FOUND", "messages": []}
        simulator.faults([fault("update_session.get", {"kind": "status", "status": 404, "body": error})])
        assert source.types() == []
        simulator.delete_session(session)
        assert source.types() == ["gone"]
        assert caplog.text == ""

    def test_a_server_that_goes_between_list_and_gets(self, simulator, watch):
        """Not each session is waited for."""
        simulator.add_sessions(40)
        simulator.faults([fault("update_session.get", IN_TIME["no answer"])])
        began = time.monotonic()
        assert watch(request_timeout=1).types() == []
        assert time.monotonic() - began < 2.5  # all of them, 16 at a time, would take 3 seconds

    def test_pauses_grow_and_shrink(self, simulator, watch):
        source = watch()
        simulator.faults([fault("update_session.list", AT_ONCE["500"])])
        for bound in (1, 2, 4, 8, 16, 32, 60, 60):
            source.look()
            assert bound / 2 <= source.delay <= bound
        simulator.faults([])
        source.look()
        simulator.faults([fault("update_session.list", AT_ONCE["500"])])
        source.look()
        assert source.delay <= 1

    @pytest.mark.parametrize(("told", "heeded"), [("120", 120), ("86400", 600)])
    def test_retry_after(self, told, heeded, simulator, watch):
        busy = {"kind": "status", "status": 503, "headers": {"Retry-After": told}}
        simulator.faults([fault("update_session.list", busy)])
        source = watch()
        assert source.types() == []
        assert source.delay == heeded

    @pytest.mark.parametrize(
        ("name", "value"), [(name, value) for name, values in ODD_HEADERS.items() for value in values]
    )
    def test_odd_headers(self, name, value, watch):
        """They end nothing: a number of 5,000 digits, or a year that is none."""
        statuses = iter([503, 200])

        def serve(connection: socket.socket, request: Any) -> None:
            status = 200 if "DELETE" in request.line else next(statuses, 200)
            value_ = "a token" if request.line.startswith("POST") else []
            connection.sendall(answer(value_, f"{name}: {value}", status=status).replace(b"a token", b"token"))

        with SocketServer(serve) as server:
            source = watch(hostname=server.url, port=None, api_endpoint="api", session_id="token", request_timeout=1)
            for _number in range(3):
                assert source.types() == []
                assert 0 <= source.delay <= 600
            assert source.delay == 10
            source.end()

    @pytest.mark.parametrize("operation", ["session.create", "update_session.list"])
    def test_redirect(self, operation, simulator, simulators, watch):
        other = simulators["rest"]
        other.reset()
        simulator.faults([fault(operation, {"kind": "redirect", "location": f"{other.url}/api/session"})])
        with pytest.raises(Exception, match=r"a redirect, .* HTTP 302"):
            watch().look()
        assert other.requests() == []
        assert simulator.state()["tokens"] == []

    @pytest.mark.parametrize("status", [400, 403])
    def test_refused(self, status, simulator, watch):
        simulator.faults([fault("update_session.list", {"kind": "status", "status": status})])
        with pytest.raises(Exception, match=f"update_session.list on .* HTTP {status}"):
            watch().look()
        assert simulator.state()["tokens"] == []

    def test_untrusted_certificate(self, simulator, watch):
        with pytest.raises(Exception, match=r"is not trusted: .*; ca_path has to name"):
            watch(ca_path=None).look()
        assert simulator.requests() == []

    def test_server_that_is_not_there_yet(self, watch, caplog):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        source = watch(port=port, password="a password", validate_certs=False, request_timeout=1)
        assert source.types() == []
        assert "Connection refused" in caplog.text
        with SimulatorProcess("--port", str(port), "--password", "a password") as late:
            late.add_sessions()
            assert source.types() == ["created"]
            source.end()
            assert late.state()["tokens"] == []

    @pytest.mark.parametrize("kind", ["gzip", "endless"])
    def test_an_answer_takes_little_memory(self, kind, watch, caplog):
        """One of 130 KB that would be 128 MiB, and one that does not end."""

        def serve(connection: socket.socket, request: Any) -> bool:
            head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            if kind == "gzip":
                head += f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n"
            connection.sendall(f"{head}\r\n".encode() + (bomb if kind == "gzip" else b"[" * 10))
            for _number in range(128 if kind == "endless" else 0):
                connection.sendall(b" " * (1 << 20))
            return False

        packer = zlib.compressobj(9, wbits=31)
        bomb = b"".join(packer.compress(b" " * (1 << 20)) for _number in range(128)) + packer.flush()
        with SocketServer(serve) as server:
            source = watch(hostname=server.url, port=None, api_endpoint="api", session_id="token")
            tracemalloc.start()
            try:
                assert source.types() == []
                assert tracemalloc.get_traced_memory()[1] < 64 << 20
            finally:
                tracemalloc.stop()
            assert "looking again in" in caplog.text


class TestEnd:
    """However it is canceled, it ends soon and leaves no API token."""

    def test_during_a_login(self, simulator, watch):
        hang = {"kind": "hang", "seconds": 1, "process": True}
        simulator.faults([{"match": {"operation": "session.create"}, "fault": hang}])
        source = watch()
        source.begin()
        source.until(lambda: simulator.state()["tokens"])
        source.end()
        assert operations(simulator)[-1] == "session.delete"
        assert simulator.state()["tokens"] == []

    @pytest.mark.parametrize("operation", ["update_session.list", "update_session.get"])
    def test_during_a_look(self, operation, simulator, watch):
        simulator.add_sessions(40)
        simulator.faults([{"match": {"operation": operation}, "fault": {"kind": "hang", "seconds": 30}, "count": 40}])
        source = watch(request_timeout=2)
        source.begin()
        source.until(lambda: operation in operations(simulator))
        began = time.monotonic()
        source.end()
        assert time.monotonic() - began < 5
        assert operations(simulator)[-1] == "session.delete"
        assert simulator.state()["tokens"] == []

    def test_twice(self, simulator, watch):
        """As asyncio.run does with what its first cancellation has not ended."""
        simulator.faults([fault("update_session.list", {"kind": "hang", "seconds": 1})])
        source = watch(request_timeout=2)
        source.begin()
        source.until(lambda: "update_session.list" in operations(simulator))
        source.task.cancel()
        source.until(lambda: True)
        source.end()
        wait_for(lambda: simulator.state()["tokens"] == [])
        assert operations(simulator)[-1] == "session.delete"

    def test_logout_is_tried_again(self, simulator, watch):
        source = watch()
        source.look()
        simulator.faults([{"match": {"operation": "session.delete"}, "fault": {"kind": "status", "status": 500}}])
        source.end()
        assert simulator.state()["tokens"] == []

    def test_logout_that_fails_is_told(self, simulator, watch, caplog):
        source = watch()
        source.look()
        simulator.faults([fault("session.delete", {"kind": "status", "status": 500})])
        source.end()
        assert "could not be deleted: session.delete on" in caplog.text


WRONG_OPTIONS = {
    "unknown options: hots": {"hots": "vcenter"},
    "hostname is missing": {"hostname": None},
    "credentials are missing": {"password": ""},
    "session_id is no API token": {"session_id": "se cret"},
    "port, or VMWARE_PORT, can't be read": {"port": "https"},
    "port 70000 is not between": {"port": 70000},
    "proxy_port 1 needs a proxy_host": {"proxy_port": 1},
    "validate_certs, or VMWARE_VALIDATE_CERTS, can't be read": {"validate_certs": "maybe"},
    "api_endpoint is none of auto, api, rest": {"api_endpoint": "soap"},
    "interval is not above 0": {"interval": 0, "expiring_within": 0},
    "interval can't be read": {"interval": "nan"},
    "request_timeout 0.5 is not at least 1": {"request_timeout": 0.5},
    "expiring_within is less than interval": {"interval": 120},
    "library_item_id must not be empty": {"library_item_id": ""},
    "library_id must not be empty": {"library_id": None},
    "watch must not be empty": {"watch": []},
    "watch is none of update_sessions, libraries, library_items": {"watch": ["libraries", "items"]},
    "must not carry credentials": {"hostname": "https://secret:secret@vcenter.example.com"},
    "only https, or http to loopback": {"hostname": "http://vcenter.example.com"},
    "is not a host": {"hostname": "https://vcenter.example.com/ui"},
    "ca_path /nowhere can't be loaded": {"ca_path": "/nowhere"},
    "it has no certificate in PEM format": {"ca_path": str(ROOT / "LICENSE")},
    "has no certificate that is named by its hash": {"ca_path": str(ROOT)},
    "proxy_host is not a host": {"proxy_host": "http://user:secret@proxy"},
}


class TestOptions:
    @pytest.mark.parametrize("message", WRONG_OPTIONS)
    def test_wrong(self, message, simulator, watch):
        source = watch(**WRONG_OPTIONS[message])
        with pytest.raises(Exception, match=re.escape(message)) as raised:
            source.look()
        assert type(raised.value).__name__ == "InvalidArgument"
        assert not re.search("se ?cret", str(raised.value))
        assert simulator.requests() == []

    def test_environment(self, simulator, monkeypatch, caplog):
        for name, value in simulator.environment.items():
            monkeypatch.setenv(name, value)
        with Source() as source:
            source.look()
        monkeypatch.delenv("VMWARE_CA_PATH")
        monkeypatch.setenv("VMWARE_VALIDATE_CERTS", "False")  # as AWX does
        assert caplog.text == ""
        with Source() as source:
            source.look()
        assert "VMWARE_VALIDATE_CERTS turns the verification of certificates off" in caplog.text
        assert simulator.state()["tokens"] == []

    def test_options_win_over_the_environment(self, simulator, watch, monkeypatch):
        for name in simulator.environment:
            monkeypatch.setenv(name, "elsewhere")
        monkeypatch.setenv("VMWARE_PORT", "1")
        assert watch().types() == []

    def test_hashed_certificates(self, simulator, watch, tmp_path):
        if not shutil.which("openssl"):
            pytest.skip("no openssl that hashes a folder of certificates")
        shutil.copy(simulator.ca_path, tmp_path)
        subprocess.run(["openssl", "rehash", tmp_path], check=True)
        assert watch(ca_path=str(tmp_path)).types() == []

    def test_are_documented(self):
        documented = yaml.safe_load(MODULE["DOCUMENTATION"])["options"]
        assert documented.keys() == MODULE["OPTIONS"].keys()
        for name, (option, variable) in MODULE["OPTIONS"].items():
            told = {key: documented[name].get(key) for key in ("type", "default", "choices", "required")}
            assert told == {key: option.get(key) for key in told}, name
            variables = re.findall(r"E\((VMWARE_\w+)\)", str(documented[name]["description"]))
            assert variables == ([variable] if variable else []), name

    def test_are_those_of_the_modules(self):
        assert _argspec.CONNECTION.keys() < MODULE["OPTIONS"].keys()

    def test_examples_have_them(self):
        for example in yaml.safe_load(MODULE["EXAMPLES"]):
            args = example["vsphere.content_library.update_sessions"] or {}
            assert args.keys() <= MODULE["OPTIONS"].keys()


class TestGuide:
    def test_samples(self, simulator, watch):
        """Each sample of the guide is what the source tells, but for ids and times."""
        samples = {name: json.loads(example.text) for name, example in GUIDE.items() if example.language == "json"}
        samples = {name: sample for name, sample in samples.items() if "update_session" in sample}
        message = samples["error"]["update_session"]["error_message"]["default_message"]
        source = watch()
        source.look()
        [session] = simulator.add_sessions()
        for change in (
            {},
            {"client_progress": 40},
            {"preview_warnings": ["EXPIRED_CERTIFICATE"]},
            {"expires_in": 51},
            {"state": "ERROR", "error_message": message},
        ):
            simulator.change_session(session, **change)
            source.look()
        simulator.delete_session(session)
        simulator.add_sessions(client_progress=100, state="DONE")
        simulator.add_sessions(state="CANCELED")
        source.look()
        events: dict[str, Event] = {}
        for event in source.events:
            events.setdefault(event["type"], event)
        assert samples.keys() == events.keys()
        assert samples["created"].keys() == events["created"].keys()
        for name, sample in samples.items():
            event, told = events[name], sample.pop("update_session")
            assert sample.items() <= {**event, "hostname": "vcenter.example.com"}.items()
            if name == "created":
                assert told.keys() == event["update_session"].keys()
            for key, value in told.items():
                seen = event["update_session"][key]
                if key == "error_message" and value:
                    assert value.items() <= seen.items()
                elif key == "expires_in":
                    assert value - TIME_LIMIT < seen <= value + 1
                elif key not in ("id", "library_item_id", "expiration_time"):
                    assert seen == value, (name, key)

    def test_options(self):
        """Those that the modules do not have are in the guide, with their defaults."""
        page = (ROOT / "docs/docsite/rst/events.rst").read_text(encoding="utf-8")
        for name, (option, variable) in MODULE["OPTIONS"].items():
            if not variable:
                default = option.get("default", "")
                default = f"{default:g}" if isinstance(default, int) else ", ".join(default)
                assert f"* - ``{name}``\n      - {default}".rstrip() in page


ALONE = """
import asyncio, builtins, json, runpy, sys

class NoAnsible:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("ansible", "yaml"):
            raise ModuleNotFoundError(name)

class Queue:
    async def put(self, event):
        print(json.dumps([event["type"], sys.modules[CLIENT].__file__]), flush=True)
        raise SystemExit

CLIENT = "ansible_collections.vsphere.content_library.plugins.module_utils._client"
sys.meta_path.insert(0, NoAnsible())
path, others, args = json.load(sys.stdin)
sys.path[:0] = others
asyncio.run(runpy.run_path(path)["main"](Queue(), args))
"""


class TestPlace:
    """ansible-rulebook runs the file by its path, in a Python that need not have ansible-core."""

    @pytest.fixture
    def collection(self, tmp_path: Path) -> Path:
        """The collection as it is installed."""
        return self.copy(tmp_path / "installed")

    def copy(self, folder: Path) -> Path:
        collection = folder / "ansible_collections/vsphere/content_library"
        for name in ("extensions", "plugins/module_utils", "plugins/plugin_utils"):
            shutil.copytree(ROOT / name, collection / name, ignore=shutil.ignore_patterns("__pycache__"))
        return collection

    def run(self, simulator: SimulatorProcess, path: Path, *others: Path) -> tuple[str, Path]:
        """The type of the first event, and where the client came from."""
        simulator.add_sessions()
        args = {name: getattr(simulator, name) for name in ("port", "username", "password", "ca_path")}
        process = subprocess.run(
            [sys.executable, "-I", "-c", ALONE],
            input=json.dumps([str(path), [str(other) for other in others], {"hostname": simulator.host, **args}]),
            capture_output=True,
            text=True,
            cwd=path.parent,
            timeout=TIME_LIMIT,
        )
        assert process.returncode == 0, process.stderr
        assert simulator.state()["tokens"] == []
        told, client = json.loads(process.stdout)
        return told, Path(client)

    @pytest.mark.parametrize("place", ["installed", "linked", "linked alone", "another", "a package"])
    def test_it_finds_its_collection(self, place, simulator, collection, tmp_path):
        source, others = collection / PATH.relative_to(ROOT), []
        if place == "linked":
            (tmp_path / "link").symlink_to(collection)
            source = tmp_path / "link" / PATH.relative_to(ROOT)
        elif place == "linked alone":
            (tmp_path / "update_sessions.py").symlink_to(source)
            source = tmp_path / "update_sessions.py"
        elif place in ("another", "a package"):
            broken = self.copy(tmp_path / "another")
            (broken / "plugins/module_utils/_client.py").write_text("raise ImportError('that of another copy')\n")
            if place == "a package":
                (broken.parents[1] / "__init__.py").touch()
            others = [tmp_path / "another"]
        told, client = self.run(simulator, source, *others)
        assert told == "created"
        assert client == collection / "plugins/module_utils/_client.py"

    def test_a_copy_alone_takes_the_collection_that_python_finds(self, simulator, collection, tmp_path):
        shutil.copy(PATH, tmp_path)
        told, client = self.run(simulator, tmp_path / PATH.name, tmp_path / "installed")
        assert told == "created"
        assert client == collection / "plugins/module_utils/_client.py"


def test_vcsim(vcsim):
    """It ignores library_item_id, answers null for an empty list, and writes a 404 as plain text."""
    item, other = (vcsim.create_item(vcsim.create_library(f"events-{name}"), name) for name in ("one", "two"))
    with Control({"host": vcsim.host, "port": vcsim.port, "ca_path": vcsim.ca_path}) as rest:
        basic = base64.b64encode(f"{vcsim.username}:{vcsim.password}".encode()).decode()
        path = "/rest/com/vmware/cis/session"
        headers = {"Authorization": f"Basic {basic}"}
        headers = {"vmware-api-session-id": rest.exchange("POST", path, headers=headers)["value"]}
        path = "/rest/com/vmware/content/library/item/update-session"
        connection = {name: getattr(vcsim, name) for name in ("port", "username", "password", "ca_path")}
        with Source(hostname=vcsim.host, library_item_id=item, **connection) as source:
            assert source.types() == []
            bodies = [{"create_spec": {"library_item_id": library_item_id}} for library_item_id in (other, item)]
            elsewhere, session = (rest.exchange("POST", path, body, headers)["value"] for body in bodies)
            [event] = source.look()
            assert (event["type"], event["update_session"]["library_item_id"]) == ("created", item)
            rest.exchange("DELETE", f"{path}/id:{session}", headers=headers)
            assert source.types() == ["gone"]
        rest.exchange("DELETE", f"{path}/id:{elsewhere}", headers=headers)
        with Source(hostname=vcsim.host, watch=["libraries", "library_items"], **connection) as source:
            assert source.types() == []
            new = vcsim.create_item(vcsim.create_library("events-new"), "new")
            assert source.types() == ["library_created", "item_added"]
            rest.exchange("DELETE", f"/rest/com/vmware/content/library/item/id:{new}", headers=headers)
            assert source.types() == ["item_removed"]


class TestSecrets:
    def test_nothing_shows(self, simulator, watch, caplog):
        caplog.set_level(logging.DEBUG)
        source = watch()
        [session] = simulator.add_sessions(preview_warnings=["EXPIRED_CERTIFICATE"])
        source.look()
        simulator.expire_tokens()
        simulator.faults([fault("update_session.list", AT_ONCE["500"])])
        source.look()
        simulator.faults([])
        simulator.change_session(session, state="ERROR")
        source.look()
        source.end()
        with pytest.raises(Exception, match="HTTP 401") as raised:
            watch(password="not-the-password").look()
        assert "looking again in" in caplog.text
        assert_no_secret(simulator, f"{caplog.text} {source.events} {raised.value!r}")

    @pytest.mark.parametrize(
        "password", ["a/secret", "a#secret", "a?secret", "a%secret", "/secret", "a@secret", "a[secret"]
    )
    @pytest.mark.parametrize("where", ["proxy_host", "environment"])
    def test_the_password_of_a_proxy(self, where, password, watch, caplog, monkeypatch):
        """Whatever is in it: nothing listens at that proxy, or its URL can't be read."""
        caplog.set_level(logging.DEBUG)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        options = {"proxy_host": f"somebody:{password}@127.0.0.1", "proxy_port": port}
        if where == "environment":
            monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:{password}@127.0.0.1:{port}")
            options = {}
        text = ""
        try:
            assert watch(hostname="192.0.2.1", ca_path=None, request_timeout=1, **options).look() == []
        except Exception as error:
            text = repr(error)
        text += caplog.text
        assert "the proxy of the environment is not a URL" in text or "Connection refused" in text
        assert not re.search("secret|somebody", text)

    def test_what_a_server_says_is_no_command_to_a_terminal(self, simulator, watch, caplog):
        """Nor is it a secret that it was told."""
        basic = base64.b64encode(f"{simulator.username}:{simulator.password}".encode()).decode()
        source = watch()
        source.look()
        error = {"messages": [{"default_message": f"\x1b]0;owned\x07\u009b {basic} {simulator.password}"}]}
        simulator.faults([fault("update_session.list", {"kind": "status", "status": 500, "body": error})])
        source.look()
        simulator.faults([fault("update_session.list", {"kind": "status", "status": 400, "body": error})])
        with pytest.raises(Exception, match="HTTP 400") as raised:
            source.look()
        for text in (caplog.records[0].getMessage(), str(raised.value)):
            assert r"\x1b]0;owned\x07\x9b *** ***" in text
            assert text.isprintable()


def assert_no_secret(simulator: SimulatorProcess, text: str) -> None:
    basic = base64.b64encode(f"{simulator.username}:{simulator.password}".encode()).decode()
    for secret in (simulator.password, basic, "not-the-password", "Authorization", "vmware-api-session-id"):
        assert secret not in text
    used = {entry["token_sha256"] for entry in simulator.requests()} - {None}
    assert used
    words = set(re.findall(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", text))
    assert not used & {hashlib.sha256(word.encode()).hexdigest() for word in words}, "an API token"


class Rulebook:
    """ansible-rulebook, started the way the guide says: its command, inventory and variables."""

    def __init__(self, folder: Path, simulator: SimulatorProcess, collections_path: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            **simulator.environment,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "ANSIBLE_CONFIG": str(self.write("ansible.cfg", "")),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(collections_path),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_NOCOLOR": "1",
            "PYTHONUNBUFFERED": "1",
        }
        self.write("inventory.yml", GUIDE["inventory.yml"].text)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    @contextlib.contextmanager
    def run(self, command: str, *more: str, **variables: Any) -> Iterator[subprocess.Popen[str]]:
        """The process of a command of the guide, in an order to end after the block if it does not by itself."""
        self.write("variables.yml", yaml.safe_dump(variables))
        settings, options = command.split("ansible-rulebook ")
        environment = {**self.environment, **dict(setting.split("=") for setting in settings.split())}
        arguments = ["ansible-rulebook", *options.split(), *more]
        with self.log.open("w") as log:
            process = subprocess.Popen(
                arguments, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(TIME_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise

    @property
    def log(self) -> Path:
        return self.folder / "rulebook.log"

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")


@pytest.fixture
def rulebook(tmp_path: Path, simulator: SimulatorProcess, collections_path: Path) -> Rulebook:
    found = Rulebook(tmp_path, simulator, collections_path)
    for program in ("java", "ansible-rulebook"):
        if shutil.which(program, path=found.environment["PATH"]) is None:
            pytest.skip(f"there is no {program}")
    return found


@pytest.fixture
def commands() -> list[str]:
    """The commands of the guide: the collection's rulebook, and one of your own that a signal ends in order."""
    found = [example.text.strip() for example in GUIDE.values() if example.language == "shell"]
    assert len(found) == 2
    return found


def test_stuck_sessions(rulebook, commands, simulator):
    """Of two that expire soon the one that does not move is failed; not the one that somebody keeps alive.

    The rulebook of the collection has to be terminated, which leaves no API token.
    """
    [healthy] = simulator.add_sessions(expires_in=10 * TIME_LIMIT)
    [stuck] = simulator.add_sessions(expires_in=2 * TIME_LIMIT)
    variables = {"interval": 1, "expiring_within": 3 * TIME_LIMIT, "stuck_after": 1}
    assert variables.keys() == GUIDE["variables.yml"].data.keys()

    def state(session: str) -> str:
        return simulator.state()["sessions"][session]["state"]

    in_order = commands[1].partition("ansible-rulebook")[0]
    with rulebook.run(in_order + commands[0], "--vars", "variables.yml", **variables):
        wait_for(lambda: state(stuck) == "ERROR")
        assert state(healthy) == "ACTIVE"
        simulator.change_session(healthy, preview_warnings=["EXPIRED_CERTIFICATE"])
        wait_for(lambda: "'type': 'warning_raised'" in rulebook.output and "'type': 'error'" in rulebook.output)
        assert len(simulator.state()["tokens"]) == 1
    assert simulator.state()["tokens"] == []
    reason = simulator.state()["sessions"][stuck]["error_message"]["default_message"]
    assert reason == "Released, because nothing moved for 1 seconds."
    assert_no_secret(simulator, rulebook.output)


def test_rulebooks_of_the_guide(rulebook, commands, simulator):
    """A module as the action; new content is told; and the token is deleted when a rulebook ends by itself."""
    watch_library = GUIDE["library.yml"].text.replace("interval: 60", "interval: 1")
    rulebook.write("rulebook.yml", GUIDE["rulebook.yml"].text + watch_library)
    library = simulator.add_library("watched")
    item = simulator.add_item("watched", library_id=library, files={"a": "a"})
    [session] = simulator.add_sessions(library_item_id=item, preview_warnings=["EXPIRED_CERTIFICATE"])
    with rulebook.run(commands[1], "-vv", library_item_id=item, library_id=library) as process:
        wait_for(lambda: simulator.state()["sessions"][session]["state"] == "ERROR")
        wait_for(lambda: operations(simulator).count("item.get") > 1)
        simulator.change_item(item, files={"a": "another"})
        wait_for(lambda: "'type': 'item_updated'" in rulebook.output)
        simulator.add_sessions(library_item_id=item, state="DONE")
        assert process.wait(TIME_LIMIT) == 0, rulebook.output
    reason = simulator.state()["sessions"][session]["error_message"]["default_message"]
    assert reason == "The certificate of the package has expired."
    assert_no_secret(simulator, rulebook.output)
    assert simulator.state()["tokens"] == []
