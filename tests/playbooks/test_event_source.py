# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source, run by its path as ansible-rulebook runs it, and by ansible-rulebook itself where that is there."""

from __future__ import annotations

import ast
import asyncio
import base64
import contextlib
import hashlib
import json
import logging
import os
import queue
import re
import runpy
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.control import Control
from tests.playbooks.examples import guides
from tests.playbooks.plays import FOREIGN
from tests.simulator.process import SimulatorProcess

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "extensions/eda/plugins/event_source/update_sessions.py"
MODULE = runpy.run_path(str(PATH))
GUIDE = {example.caption: example for example in guides() if example.page == "events"}
TIME_LIMIT = 60  # for what hangs; a busy machine is no reason to fail
ITEM = "3f6cb4c0-5f52-4d3e-b1fd-4f9ef9f7e0a3"


class Source:
    """The event source at work in a thread. It is the queue that it puts its events into, too."""

    def __init__(self, **args: Any) -> None:
        self.args = args
        self.events: queue.Queue[dict[str, Any] | BaseException] = queue.Queue()
        self.thread = threading.Thread(target=self.run)

    async def put(self, event: dict[str, Any]) -> None:
        self.events.put(event)

    def run(self) -> None:
        try:
            asyncio.run(self.main())
        except BaseException as error:
            self.events.put(error)

    async def main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.task = asyncio.ensure_future(MODULE["main"](self, self.args))
        await self.task

    def __enter__(self) -> Source:
        self.thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.cancel()

    def cancel(self) -> None:
        with contextlib.suppress(RuntimeError):  # It may have ended by itself.
            self.loop.call_soon_threadsafe(self.task.cancel)
        self.thread.join(TIME_LIMIT)
        assert not self.thread.is_alive()

    def next(self) -> dict[str, Any]:
        """The next event. Raises what ended the source instead."""
        event = self.events.get(timeout=TIME_LIMIT)
        if isinstance(event, BaseException):
            raise event
        return event

    def types(self) -> list[str]:
        """The types of the events that nobody took."""
        left = [self.events.get() for _number in range(self.events.qsize())]
        return [event["type"] for event in left if isinstance(event, dict)]


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + TIME_LIMIT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def look_twice(simulator: SimulatorProcess) -> None:
    """Wait until the source has seen everything as it is now: the second look from now on begins after it."""

    def looks() -> int:
        return sum(entry["operation"] == "update_session.list" for entry in simulator.requests())

    before = looks()
    wait_for(lambda: looks() >= before + 2)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith(FOREIGN):
            monkeypatch.delenv(name)


@pytest.fixture(params=["api", "rest"])
def dialect(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def watch(simulator: SimulatorProcess) -> Callable[..., Source]:
    """Makes a source that watches the simulator, ten times a second."""

    def make(**args: Any) -> Source:
        return Source(
            **{
                "hostname": simulator.host,
                "port": simulator.port,
                "username": simulator.username,
                "password": simulator.password,
                "ca_path": simulator.ca_path,
                "interval": 0.1,
                **args,
            }
        )

    return make


@pytest.fixture
def control(simulator: SimulatorProcess) -> Iterator[Control]:
    with Control({"host": simulator.host, "port": simulator.port, "ca_path": simulator.ca_path}) as control:
        control.server["password"] = simulator.password
        yield control


def operations(simulator: SimulatorProcess) -> list[str]:
    return [entry["operation"] for entry in simulator.requests()]


class TestLife:
    def test_from_created_to_gone(self, simulator, watch, dialect):
        with watch(api_endpoint=dialect) as source:
            [session] = simulator.add_sessions()
            assert source.next()["type"] == "created"
            simulator.change_session(session, client_progress=40)
            event = source.next()
            assert event["type"] == "progress"
            assert event["hostname"] == simulator.host
            assert event["update_session"]["id"] == session
            assert event["update_session"]["client_progress"] == 40

            warnings = ["SELF_SIGNED_CERTIFICATE", "EXPIRED_CERTIFICATE"]
            simulator.change_session(session, preview_warnings=warnings)
            events = [source.next(), source.next()]
            assert [(event["type"], event["warning"]) for event in events] == [
                ("warning_raised", warning) for warning in warnings
            ]
            assert events[0]["update_session"]["blocking_warnings"] == warnings

            simulator.change_session(session, expires_in=30)
            assert source.next()["type"] == "expiring_soon"
            look_twice(simulator)
            simulator.change_session(session, expires_in=300)  # as by a keep-alive
            look_twice(simulator)
            simulator.change_session(session, expires_in=59)
            event = source.next()
            assert event["type"] == "expiring_soon"
            assert 50 < event["update_session"]["expires_in"] < 60

            simulator.change_session(session, state="DONE")
            assert source.next()["type"] == "done"
            simulator.delete_session(session)
            event = source.next()
            assert event["type"] == "gone"
            assert event["update_session"]["state"] == "DONE"
            look_twice(simulator)
            assert source.types() == []
        assert simulator.state()["tokens"] == []

    def test_one_that_expires(self, simulator, watch):
        [session] = simulator.add_sessions(lifetime=2)
        with watch() as source:
            events = [source.next() for _number in range(3)]
        assert [event["type"] for event in events] == ["created", "expiring_soon", "gone"]
        assert {event["update_session"]["id"] for event in events} == {session}

    @pytest.mark.parametrize(("state", "told"), [("DONE", "done"), ("ERROR", "error"), ("CANCELED", "canceled")])
    def test_end(self, state, told, simulator, watch, dialect):
        [session] = simulator.add_sessions()
        with watch(api_endpoint=dialect) as source:
            source.next()
            simulator.change_session(session, state=state, error_message="Broken." if state == "ERROR" else None)
            event = source.next()
            assert (event["type"], event["update_session"]["state"]) == (told, state)
            if state == "ERROR":
                assert event["update_session"]["error_message"]["default_message"] == "Broken."
            look_twice(simulator)
            simulator.clear_requests()
            look_twice(simulator)
            assert "update_session.get" not in operations(simulator)
            assert source.types() == []

    def test_end_between_two_looks(self, simulator, watch):
        with watch() as source:
            look_twice(simulator)
            simulator.add_sessions(state="CANCELED")
            assert [source.next()["type"], source.next()["type"]] == ["created", "canceled"]

    def test_at_the_start(self, simulator, watch):
        [open_one] = simulator.add_sessions(client_progress=40, preview_warnings=["EXPIRED_CERTIFICATE"])
        for state in ("DONE", "ERROR", "CANCELED"):
            simulator.add_sessions(state=state)
        with watch() as source:
            look_twice(simulator)
            events = [source.next(), source.next()]
            assert [event["type"] for event in events] == ["created", "warning_raised"]
            assert events[0]["update_session"]["id"] == open_one
            assert source.types() == []

    def test_a_warning_that_is_ignored(self, simulator, watch):
        ignored = [{"type": "EXPIRED_CERTIFICATE", "ignored": True}]
        with watch() as source:
            simulator.add_sessions(preview_warnings=["EXPIRED_CERTIFICATE"], warning_behavior=ignored)
            assert source.next()["update_session"]["blocking_warnings"] == []
            look_twice(simulator)
            assert source.types() == []

    def test_never_expiring_soon(self, simulator, watch):
        with watch(expiring_within=0) as source:
            simulator.add_sessions(expires_in=5)
            source.next()
            look_twice(simulator)
            assert source.types() == []

    def test_sessions_of_one_item(self, simulator, watch, dialect):
        item = simulator.add_item("watched")
        with watch(api_endpoint=dialect, library_item_id=item) as source:
            simulator.add_sessions()
            look_twice(simulator)
            simulator.add_sessions(library_item_id=item)
            assert source.next()["update_session"]["library_item_id"] == item
            assert source.types() == []

    def test_item_that_does_not_exist(self, simulator, watch, dialect):
        with watch(api_endpoint=dialect, library_item_id=ITEM) as source:
            look_twice(simulator)
            assert source.types() == []

    def test_filters_may_change_events(self, simulator, watch):
        """ansible-rulebook hands an event to filters that change it in place."""
        with watch() as source:
            [session] = simulator.add_sessions()
            source.next()["update_session"].clear()
            simulator.change_session(session, client_progress=1)
            assert source.next()["type"] == "progress"

    def test_facts_are_those_of_the_modules(self, simulator, watch, dialect):
        from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
        from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions

        simulator.config(clock_offset=3600)
        connection = {name: getattr(simulator, name) for name in ("port", "username", "password", "ca_path")}
        [session] = simulator.add_sessions(
            client_progress=40,
            expires_in=3700,  # by our clock
            preview_warnings=["SELF_SIGNED_CERTIFICATE", "EXPIRED_CERTIFICATE"],
            warning_behavior=[{"type": "EXPIRED_CERTIFICATE", "ignored": True}],
        )
        with VCenterClient(simulator.host, api_endpoint=dialect, **connection) as client:
            returned = UpdateSessions(client).get(session)
        with watch(api_endpoint=dialect) as source:
            told = source.next()["update_session"]
        assert abs(told.pop("expires_in") - returned.pop("expires_in")) < 30
        # In there only what the server told.
        preview, whole = told.pop("preview_info"), returned.pop("preview_info")
        assert preview.items() <= whole.items()
        assert told == returned


class TestLogin:
    def test_one_for_all(self, simulator, watch):
        with watch():
            look_twice(simulator)
            look_twice(simulator)
        assert operations(simulator).count("session.create") == 1
        assert operations(simulator)[-1] == "session.delete"

    def test_dead_token(self, simulator, watch, dialect):
        with watch(api_endpoint=dialect) as source:
            look_twice(simulator)
            simulator.expire_tokens()
            [session] = simulator.add_sessions()
            assert source.next()["type"] == "created"
            look_twice(simulator)
            simulator.expire_tokens()
            simulator.change_session(session, client_progress=1)
            assert source.next()["type"] == "progress"
            assert source.types() == []
        assert operations(simulator).count("session.create") == 3
        assert simulator.state()["tokens"] == []

    def test_token_of_somebody_else(self, simulator, watch, control):
        token = control.log_in(simulator.username)
        simulator.clear_requests()
        with watch(session_id=token, password="not-the-password") as source:
            simulator.add_sessions()
            source.next()
        assert set(operations(simulator)) == {"update_session.list", "update_session.get"}
        assert len(simulator.state()["tokens"]) == 1

        with watch(session_id=token) as source:
            source.next()
            simulator.expire_tokens()
            with pytest.raises(Exception, match="refused the session_id: HTTP 401") as raised:
                source.next()
        assert token not in str(raised.value)
        assert "session.create" not in operations(simulator)

    def test_wrong_password(self, simulator, watch, dialect):
        with (
            watch(api_endpoint=dialect, password="not-the-password") as source,
            pytest.raises(Exception, match=f"refused the login of {simulator.username}: HTTP 401") as raised,
        ):
            source.next()
        assert "not-the-password" not in str(raised.value)
        assert operations(simulator) == ["session.create"]

    @pytest.mark.parametrize("missing", ["disable_api", "disable_rest"])
    def test_auto(self, missing, simulator, watch):
        simulator.config(**{missing: True})
        with watch() as source:
            simulator.add_sessions()
            assert source.next()["type"] == "created"
        assert [entry["status"] for entry in simulator.requests()].count(404) == (missing == "disable_api")

    @pytest.mark.parametrize("endpoint", ["auto", "api", "rest"])
    def test_no_endpoint(self, endpoint, simulator, watch):
        simulator.config(disable_api=True, disable_rest=True)
        with watch(api_endpoint=endpoint) as source, pytest.raises(Exception, match="there is no /"):
            source.next()


LIST = {"match": {"operation": "update_session.list"}}
PASSING = {
    "503": {**LIST, "fault": {"kind": "status", "status": 503, "headers": {"Retry-After": "1"}}},
    "503 to a get": {"match": {"operation": "update_session.get"}, "fault": {"kind": "status", "status": 503}},
    "429": {**LIST, "fault": {"kind": "status", "status": 429, "headers": {"Retry-After": "soon"}}},
    "500": {**LIST, "fault": {"kind": "status", "status": 500}},
    "502": {**LIST, "fault": {"kind": "status", "status": 502}},
    "404 of a proxy": {**LIST, "fault": {"kind": "status", "status": 404, "body": "no such route"}},
    "reset": {**LIST, "fault": {"kind": "reset_before"}},
    "lost answer": {**LIST, "fault": {"kind": "reset_after"}},
    "half an answer": {**LIST, "fault": {"kind": "truncate"}},
    "no answer": {**LIST, "fault": {"kind": "hang", "seconds": 30}},
    "no JSON": {**LIST, "fault": {"kind": "body", "body": "<html>"}},
    "another shape": {**LIST, "fault": {"kind": "body", "body": {"value": {"sessions": []}}}},
    "no session": {
        "match": {"operation": "update_session.get"},
        "fault": {"kind": "body", "body": {"value": {"id": 1}}},
    },
}


class TestFaults:
    @pytest.mark.parametrize("fault", PASSING)
    def test_passes(self, fault, simulator, watch, caplog, dialect):
        [session] = simulator.add_sessions()
        with watch(api_endpoint=dialect, request_timeout=2) as source:
            source.next()
            look_twice(simulator)
            simulator.faults([PASSING[fault]])
            wait_for(lambda: "looking again in" in caplog.text)
            simulator.change_session(session, client_progress=1)
            assert source.next()["type"] == "progress"
            assert source.types() == []
        assert caplog.records[-1].name == "vsphere.content_library.update_sessions"
        assert simulator.state()["tokens"] == []

    def test_pauses_grow_and_shrink(self, simulator, watch, caplog):
        with watch():
            look_twice(simulator)
            simulator.faults([{**LIST, "count": 3, "fault": {"kind": "status"}}])
            wait_for(lambda: len(caplog.records) == 3)
            look_twice(simulator)
            simulator.faults([{**LIST, "fault": {"kind": "status"}}])
            wait_for(lambda: len(caplog.records) == 4)
        pauses = [float(re.search(r"again in ([\d.]+) s", record.getMessage())[1]) for record in caplog.records]
        bounds = [(0.5, 1), (1, 2), (2, 4), (0.5, 1)]
        assert all(low <= pause <= high for pause, (low, high) in zip(pauses, bounds, strict=True)), pauses

    def test_retry_after(self, simulator, watch, caplog):
        simulator.faults([{**LIST, "fault": {"kind": "status", "headers": {"Retry-After": "120"}}}])
        with watch():
            wait_for(lambda: "looking again in 120.0 s" in caplog.text)

    def test_server_that_is_not_there_yet(self, watch, caplog):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with watch(port=port, password="a password", validate_certs=False) as source:
            wait_for(lambda: "Connection refused" in caplog.text)
            with SimulatorProcess("--port", str(port), "--password", "a password") as late:
                late.add_sessions()
                assert source.next()["type"] == "created"
                source.cancel()
                assert late.state()["tokens"] == []

    @pytest.mark.parametrize("operation", ["session.create", "update_session.list"])
    def test_redirect(self, operation, simulator, simulators, watch, caplog):
        other = simulators["rest"]
        other.reset()
        location = f"{other.url}/api/session"
        simulator.faults([{"match": {"operation": operation}, "fault": {"kind": "redirect", "location": location}}])
        with watch() as source, pytest.raises(Exception, match="was answered by HTTP 302"):
            source.next()
        assert other.requests() == []
        assert simulator.state()["tokens"] == []

    def test_forbidden(self, simulator, watch):
        simulator.faults([{**LIST, "fault": {"kind": "status", "status": 403}}])
        with watch() as source, pytest.raises(Exception, match="update-session was answered by HTTP 403"):
            source.next()
        assert simulator.state()["tokens"] == []

    def test_untrusted_certificate(self, simulator, watch):
        with watch(ca_path=None) as source, pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
            source.next()
        assert simulator.requests() == []

    def test_certificate_of_another_name(self, simulator, watch):
        with (
            SimulatorProcess("--name", "vcenter.example.com") as other,
            watch(port=other.port, ca_path=other.ca_path) as source,
            pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"),
        ):
            source.next()


class TestEnd:
    """However it is canceled, it ends soon and leaves no API token."""

    def test_during_a_login(self, simulator, watch):
        simulator.faults(
            [{"match": {"operation": "session.create"}, "fault": {"kind": "hang", "seconds": 1, "process": True}}]
        )
        source = watch()
        with source:
            wait_for(lambda: simulator.state()["tokens"])
        assert operations(simulator) == ["session.create", "session.delete"]
        assert simulator.state()["tokens"] == []

    def test_during_a_look(self, simulator, watch):
        simulator.faults([{**LIST, "fault": {"kind": "hang", "seconds": 30}}])
        with watch(request_timeout=2):
            wait_for(lambda: "update_session.list" in operations(simulator))
            began = time.monotonic()
        assert time.monotonic() - began < 10
        assert simulator.state()["tokens"] == []

    def test_during_a_pause(self, simulator, watch):
        with watch(interval=30):
            wait_for(lambda: "update_session.list" in operations(simulator))
            began = time.monotonic()
        assert time.monotonic() - began < 10
        assert simulator.state()["tokens"] == []

    def test_logout_is_tried_again(self, simulator, watch):
        simulator.faults([{"match": {"operation": "session.delete"}, "fault": {"kind": "status"}}])
        with watch():
            look_twice(simulator)
        assert simulator.state()["tokens"] == []

    def test_logout_that_fails_is_told(self, simulator, watch, caplog):
        simulator.faults([{"match": {"operation": "session.delete"}, "count": 2, "fault": {"kind": "status"}}])
        with watch():
            look_twice(simulator)
        assert "the API token could not be deleted: HTTP 503" in caplog.text


WRONG_OPTIONS = {
    "unknown options: hots": {"hots": "vcenter"},
    "hostname is missing": {"hostname": None},
    "credentials are missing": {"password": ""},
    "session_id is no API token": {"session_id": "se cret"},
    "port, or VMWARE_PORT, can't be read": {"port": "https"},
    "port is not between": {"port": 70000},
    "validate_certs, or VMWARE_VALIDATE_CERTS, can't be read": {"validate_certs": "maybe"},
    "api_endpoint is none of": {"api_endpoint": "soap"},
    "interval or request_timeout is not above 0": {"interval": 0, "expiring_within": 0},
    "expiring_within is less than interval": {"interval": 120},
    "must not carry credentials": {"hostname": "https://secret:secret@vcenter.example.com"},
    "only https, or http to loopback": {"hostname": "http://vcenter.example.com"},
    "is not a host": {"hostname": "https://vcenter.example.com/ui"},
    "ca_path /nowhere can't be loaded": {"ca_path": "/nowhere"},
    "can't be loaded": {"ca_path": str(ROOT / "LICENSE")},
    "vcenter..example.com is not a host": {"hostname": "vcenter..example.com"},
    "no request to": {"hostname": "vcenter example.com"},
}


class TestOptions:
    @pytest.mark.parametrize("message", WRONG_OPTIONS)
    def test_wrong(self, message, simulator, watch):
        with (
            watch(**WRONG_OPTIONS[message]) as source,
            pytest.raises(Exception, match=re.escape(message)) as raised,
        ):
            source.next()
        assert type(raised.value).__name__ == "UpdateSessionsError"
        assert not re.search("se ?cret", str(raised.value))
        assert simulator.requests() == []

    def test_environment(self, simulator, monkeypatch, caplog):
        for name, value in simulator.environment.items():
            monkeypatch.setenv(name, value)
        with Source():
            wait_for(lambda: "update_session.list" in operations(simulator))
        monkeypatch.delenv("VMWARE_CA_PATH")
        monkeypatch.setenv("VMWARE_VALIDATE_CERTS", "False")  # as AWX does
        simulator.clear_requests()
        with Source():
            wait_for(simulator.requests)
        assert "VMWARE_VALIDATE_CERTS turns the verification of certificates off" in caplog.text
        assert simulator.state()["tokens"] == []

    def test_options_win_over_the_environment(self, simulator, watch, monkeypatch):
        for name in simulator.environment:
            monkeypatch.setenv(name, "elsewhere")
        monkeypatch.setenv("VMWARE_PORT", "1")
        with watch():
            look_twice(simulator)

    @pytest.mark.parametrize(
        ("hostname", "port", "url"),
        [
            ("vcenter.example.com", None, "https://vcenter.example.com"),
            ("https://vcenter.example.com:8443/", None, "https://vcenter.example.com:8443"),
            ("https://vcenter.example.com:8443", 9443, "https://vcenter.example.com:9443"),
            ("2001:db8::1", None, "https://[2001:db8::1]"),
            ("http://127.0.0.1", 8080, "http://127.0.0.1:8080"),
        ],
    )
    def test_hostname(self, hostname, port, url):
        assert MODULE["server_url"](hostname, port) == url

    def test_are_documented(self):
        documented = yaml.safe_load(MODULE["DOCUMENTATION"])["options"]
        assert documented.keys() == MODULE["OPTIONS"].keys()
        types = {"str": str, "int": int, "float": float, "bool": MODULE["boolean"], "path": os.path.expanduser}
        for name, (convert, default, variable) in MODULE["OPTIONS"].items():
            assert types[documented[name]["type"]] is convert
            assert documented[name].get("default") == default
            told = re.findall(r"E\((VMWARE_\w+)\)", str(documented[name]["description"]))
            assert told == ([variable] if variable else []), name

    def test_are_those_of_the_modules(self):
        fragment = runpy.run_path(str(ROOT / "plugins/doc_fragments/vcenter.py"))["ModuleDocFragment"]
        assert yaml.safe_load(fragment.DOCUMENTATION)["options"].keys() < MODULE["OPTIONS"].keys()

    def test_examples_have_them(self):
        for example in yaml.safe_load(MODULE["EXAMPLES"]):
            args = example["vsphere.content_library.update_sessions"] or {}
            assert args.keys() <= MODULE["OPTIONS"].keys()


class TestGuide:
    def test_samples(self, simulator, watch):
        """Each sample of the guide is what the source tells, but for ids and times."""
        samples = {name: json.loads(example.text) for name, example in GUIDE.items() if example.language == "json"}
        message = samples["error"]["update_session"]["error_message"]["default_message"]
        events = {}
        with watch() as source:
            [session] = simulator.add_sessions()
            changes = [
                {},
                {"client_progress": 40},
                {"preview_warnings": ["EXPIRED_CERTIFICATE"]},
                {"expires_in": 51},
                {"state": "ERROR", "error_message": message},
            ]
            for change in changes:
                simulator.change_session(session, **change)
                event = source.next()
                events[event["type"]] = event
            simulator.delete_session(session)
            events["gone"] = source.next()
            ended = [{"client_progress": 100, "state": "DONE"}, {"state": "CANCELED"}]
            for change in ended:
                simulator.add_sessions(**change)
                assert source.next()["type"] == "created"
                event = source.next()
                events[event["type"]] = event
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
        for name, (_convert, default, variable) in MODULE["OPTIONS"].items():
            if not variable:
                assert f"* - ``{name}``\n      - {'' if default is None else f'{default:g}'}".rstrip() in page


def test_it_needs_requests_alone():
    tree = ast.parse(PATH.read_text(encoding="utf-8"))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} - sys.stdlib_module_names == {"requests"}


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
        with Source(hostname=vcsim.host, interval=0.1, library_item_id=item, **connection) as source:
            bodies = [{"create_spec": {"library_item_id": library_item_id}} for library_item_id in (other, item)]
            elsewhere, session = (rest.exchange("POST", path, body, headers)["value"] for body in bodies)
            event = source.next()
            assert (event["type"], event["update_session"]["library_item_id"]) == ("created", item)
            rest.exchange("DELETE", f"{path}/id:{session}", headers=headers)
            assert source.next()["type"] == "gone"
            assert source.types() == []
        rest.exchange("DELETE", f"{path}/id:{elsewhere}", headers=headers)


def test_nothing_secret_shows(simulator, watch, caplog):
    caplog.set_level(logging.DEBUG)
    events = []
    with watch() as source:
        [session] = simulator.add_sessions(preview_warnings=["EXPIRED_CERTIFICATE"])
        events += [source.next(), source.next()]
        simulator.expire_tokens()
        simulator.faults([{**LIST, "at": 2, "fault": {"kind": "reset_before"}}])
        simulator.change_session(session, state="ERROR")
        events.append(source.next())
        wait_for(lambda: "looking again in" in caplog.text)
    with watch(password="not-the-password") as source, pytest.raises(Exception, match="refused") as raised:
        source.next()
    assert_no_secret(simulator, f"{caplog.text} {events} {raised.value!r}")


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
    """The commands of the guide: the collection's rulebook, and one of your own."""
    found = [example.text.strip() for example in GUIDE.values() if example.language == "shell"]
    assert len(found) == 2
    return found


def test_stuck_sessions(rulebook, commands, simulator):
    """Of two that expire soon the one that does not move is failed; not the one that somebody keeps alive."""
    [healthy] = simulator.add_sessions(expires_in=10 * TIME_LIMIT)
    [stuck] = simulator.add_sessions(expires_in=2 * TIME_LIMIT)
    variables = {"interval": 1, "expiring_within": 3 * TIME_LIMIT, "stuck_after": 1}
    assert variables.keys() == GUIDE["variables.yml"].data.keys()

    def state(session: str) -> str:
        return simulator.state()["sessions"][session]["state"]

    with rulebook.run(commands[0], "--vars", "variables.yml", **variables):
        wait_for(lambda: state(stuck) == "ERROR")
        assert state(healthy) == "ACTIVE"
        simulator.change_session(healthy, preview_warnings=["EXPIRED_CERTIFICATE"])
        wait_for(lambda: "'type': 'warning_raised'" in rulebook.output and "'type': 'error'" in rulebook.output)
    reason = simulator.state()["sessions"][stuck]["error_message"]["default_message"]
    assert reason == "Released, because nothing moved for 1 seconds."
    assert_no_secret(simulator, rulebook.output)


def test_rulebook_of_the_guide(rulebook, commands, simulator):
    """A module as the action; and the token is deleted when the rulebook ends by itself."""
    rulebook.write("rulebook.yml", GUIDE["rulebook.yml"].text)
    item = simulator.add_item("watched")
    [session] = simulator.add_sessions(library_item_id=item, preview_warnings=["EXPIRED_CERTIFICATE"])
    with rulebook.run(commands[1], "-vv", library_item_id=item) as process:
        wait_for(lambda: simulator.state()["sessions"][session]["state"] == "ERROR")
        simulator.add_sessions(library_item_id=item, state="DONE")
        assert process.wait(TIME_LIMIT) == 0, rulebook.output
    reason = simulator.state()["sessions"][session]["error_message"]["default_message"]
    assert reason == "The certificate of the package has expired."
    assert_no_secret(simulator, rulebook.output)
    assert simulator.state()["tokens"] == []


def test_rulebook_that_is_terminated(rulebook, commands, simulator):
    rulebook.write("rulebook.yml", GUIDE["rulebook.yml"].text)
    with rulebook.run(commands[1], library_item_id=simulator.add_item("watched")):
        look_twice(simulator)
        assert len(simulator.state()["tokens"]) == 1
    assert simulator.state()["tokens"] == []


def test_rulebook_with_a_wrong_password(rulebook, commands, simulator):
    rulebook.write("rulebook.yml", GUIDE["rulebook.yml"].text)
    rulebook.environment["VMWARE_PASSWORD"] = "not-the-password"
    with rulebook.run(commands[1], library_item_id=ITEM) as process:
        assert process.wait(TIME_LIMIT) == 1
    assert "refused the login of administrator@vsphere.local: HTTP 401" in rulebook.output
    assert "not-the-password" not in rulebook.output
