# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's control endpoint: faults at a chosen request, the log, and what else tests set."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.process import ROOT, SimulatorProcess
from tests.simulator.wire import OPERATIONS, Wire

pytest_plugins = ["tests.simulator.fixtures"]

LIST = {"match": {"operation": "update_session.list"}}


class RawConnection:
    """A TLS connection that tells a reset from an end: the module ssl of some Pythons takes both for an EOF."""

    def __init__(self, process: SimulatorProcess) -> None:
        context = ssl.create_default_context(cafile=process.ca_path)
        self.incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.outgoing = outgoing
        self.tls = context.wrap_bio(self.incoming, outgoing, server_hostname=process.host)
        self.socket = socket.create_connection((process.host, process.port), timeout=5)
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.flush()
                self.incoming.write(self.socket.recv(65536))
        self.flush()

    def flush(self) -> None:
        self.socket.sendall(self.outgoing.read())

    def send(self, data: bytes) -> None:
        self.tls.write(data)
        self.flush()

    def read(self, patience: float = 5.0) -> tuple[bytes, str]:
        """All that comes, and how it ends: "reset", "end" or, after ``patience`` seconds of silence, "still open"."""
        self.socket.settimeout(patience)
        received = b""
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                while data := self.tls.read(65536):
                    received += data
                return received, "end"
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                return received, "reset"
            except TimeoutError:
                return received, "still open"
            if not data:
                return received, "end"
            self.incoming.write(data)


@pytest.fixture
def raw(vcenter: SimulatorProcess) -> Iterator[RawConnection]:
    connection = RawConnection(vcenter)
    yield connection
    connection.socket.close()


def cancel_request(wire: Wire, session: str) -> bytes:
    method, path = OPERATIONS["update_session.cancel"][wire.dialect == "rest"]
    path = path.replace("{update_session_id}", session)
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nvmware-api-session-id: {wire.token}\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("fault", "answered", "ends", "processed"),
    [
        ({"kind": "reset_before"}, b"", "reset", False),
        ({"kind": "reset_middle"}, b"HTTP/1.1 20", "reset", True),
        ({"kind": "reset_after"}, b"", "reset", True),
        ({"kind": "hang", "seconds": 0.1}, b"", "reset", False),
        ({"kind": "hang", "seconds": 60}, b"", "still open", False),
        ({"kind": "hang", "seconds": 0.1, "process": True}, b"HTTP/1.1 20", "still open", True),
        ({"kind": "trickle", "interval": 0.001}, b"HTTP/1.1 20", "end", True),
        ({"kind": "truncate"}, b"HTTP/1.1 20", "end", True),
        ({"kind": "status", "status": 503}, b"HTTP/1.1 503", "still open", False),
        ({"kind": "status", "status": 502, "process": True}, b"HTTP/1.1 502", "still open", True),
        ({"kind": "redirect", "location": "https://127.0.0.2/"}, b"HTTP/1.1 302", "still open", False),
        ({"kind": "body", "body": "<html>"}, b"HTTP/1.1 20", "still open", True),
    ],
)
def test_faults(
    wire: Wire, raw: RawConnection, item: str, fault: dict[str, object], answered: bytes, ends: str, processed: bool
) -> None:
    session = wire.create(item)
    wire.process.faults([{"match": {"operation": "update_session.cancel"}, "fault": fault}])
    raw.send(cancel_request(wire, session))
    received, end = raw.read(0.4 if ends == "still open" else 5)
    assert received[: len(answered) or 1] == answered
    assert end == ends
    assert wire.process.state()["sessions"][session]["state"] == ("CANCELED" if processed else "ACTIVE")
    entry = wire.process.requests()[-1]
    assert (entry["operation"], entry["fault"]) == ("update_session.cancel", fault["kind"])


def test_position_of_a_fault(wire: Wire) -> None:
    """at counts the matching requests from now on, count says how many in a row are hit."""
    wire.process.faults([{**LIST, "at": 2, "count": 2, "fault": {"kind": "status", "status": 418, "body": {}}}])
    path = OPERATIONS["update_session.list"][wire.dialect == "rest"][1]
    statuses = []
    for _request in range(4):
        wire.call("session.get")
        statuses.append(wire.send("GET", path).status)
    assert statuses == [200, 418, 418, 200]
    assert [fault["seen"] for fault in wire.process.control("GET", "/faults")] == [4]


@pytest.mark.parametrize(
    "match", [{}, {"method": "get"}, {"path": "update-session$"}, {"path": "^/(api|rest)/", "method": "GET"}]
)
def test_match(wire: Wire, match: dict[str, str]) -> None:
    wire.process.faults([{"match": match, "fault": {"kind": "status", "status": 429, "headers": {"Retry-After": 3}}}])
    path = OPERATIONS["update_session.list"][wire.dialect == "rest"][1]
    reply = wire.send("GET", path)
    assert (reply.status, reply.headers["retry-after"], reply.body) == (429, "3", b"")
    assert wire.send("GET", path).status == 200


def test_changed_body(wire: Wire) -> None:
    path = OPERATIONS["update_session.list"][wire.dialect == "rest"][1]
    for fault, body, content_type in (
        ({"body": {"a": 1}}, b'{"a": 1}', "application/json"),
        ({"body": "text"}, b"text", "text/plain"),
        ({"body": "[1", "content_type": "application/json"}, b"[1", "application/json"),
    ):
        wire.process.faults([{**LIST, "fault": {"kind": "body", **fault}}])
        reply = wire.send("GET", path)
        assert (reply.status, reply.body, reply.headers["content-type"]) == (200, body, content_type)


def test_truncated_answer(wire: Wire, raw: RawConnection) -> None:
    wire.process.faults([{**LIST, "fault": {"kind": "truncate"}}])
    path = OPERATIONS["update_session.list"][wire.dialect == "rest"][1]
    raw.send(f"GET {path} HTTP/1.1\r\nHost: x\r\nvmware-api-session-id: {wire.token}\r\n\r\n".encode())
    head, _empty, body = raw.read()[0].partition(b"\r\n\r\n")
    assert f"content-length: {len(body) + 1024}".encode() in head.lower()


@pytest.mark.parametrize(
    ("kind", "status", "received"),
    [("reset_before", "WAITING_FOR_TRANSFER", 0), ("reset_middle", "ERROR", 5), ("reset_after", "READY", 10)],
)
def test_upload_faults(wire: Wire, raw: RawConnection, item: str, kind: str, status: str, received: int) -> None:
    session = wire.create(item)
    spec = {"name": "b", "source_type": "PUSH"}
    uri = wire.call("file.add", spec, update_session_id=session).value["upload_endpoint"]["uri"]
    wire.process.faults([{"match": {"operation": "upload"}, "fault": {"kind": kind}}])
    path = uri.partition(f":{wire.process.port}")[2]
    head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nvmware-api-session-id: {wire.token}\r\nContent-Length: 10\r\n\r\n"
    raw.send(head.encode())
    if kind != "reset_before":
        raw.send(b"12345")
    if kind == "reset_after":
        raw.send(b"67890")
    assert raw.read() == (b"", "reset")
    file = wire.process.state()["sessions"][session]["files"]["b"]
    assert (file["status"], file["bytes_transferred"]) == (status, received)


@pytest.mark.parametrize(("status", "after"), [(507, 0), (413, 5), (401, 70_000)])
def test_early_answer(wire: Wire, raw: RawConnection, item: str, status: int, after: int) -> None:
    """It comes before the last byte, and the server reads no more."""
    session = wire.create(item)
    spec = {"name": "b", "source_type": "PUSH"}
    uri = wire.call("file.add", spec, update_session_id=session).value["upload_endpoint"]["uri"]
    early = {"kind": "early", "status": status, "after": after, "seconds": 0.5}
    wire.process.faults([{"match": {"operation": "upload"}, "fault": early}])
    path = uri.partition(f":{wire.process.port}")[2]
    length = 64 << 20
    head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nvmware-api-session-id: {wire.token}\r\nContent-Length: {length}\r\n\r\n"
    raw.send(head.encode() + b"x" * after)
    raw.socket.settimeout(0.2)
    sent = after
    with contextlib.suppress(OSError):
        while sent < length:
            raw.send(b"x" * 65536)
            sent += 65536
    assert sent < length
    received, end = raw.read()
    assert received.startswith(f"HTTP/1.1 {status} ".encode())
    assert end in ("end", "reset")
    file = wire.process.state()["sessions"][session]["files"]["b"]
    assert file["status"] == ("ERROR" if after else "WAITING_FOR_TRANSFER")


@pytest.mark.parametrize("status", [429, 503])
def test_refused_push(wire: Wire, item: str, status: int) -> None:
    """It was not processed: the same PUT is fine a moment later."""
    session = wire.create(item)
    spec = {"name": "b", "source_type": "PUSH"}
    uri = wire.call("file.add", spec, update_session_id=session).value["upload_endpoint"]["uri"]
    refused = {"kind": "status", "status": status, "headers": {"Retry-After": 1}}
    wire.process.faults([{"match": {"operation": "upload"}, "fault": refused}])
    reply = wire.put(uri, b"content")
    assert (reply.status, reply.headers["retry-after"]) == (status, "1")
    assert wire.put(uri, b"content").status == 200


def test_latency(wire: Wire) -> None:
    wire.process.config(latency=0.1)
    started = time.monotonic()
    wire.call("session.get")
    assert time.monotonic() - started > 0.1


@pytest.mark.parametrize("disabled", ["api", "rest"])
def test_disabled_dialect(wire: Wire, disabled: str) -> None:
    """As on a server that does not have it: 404, and no JSON."""
    wire.process.config(**{f"disable_{disabled}": True})
    reply = wire.send(*OPERATIONS["session.create"][wire.dialect == "rest"])
    if wire.dialect == disabled:
        assert (reply.status, reply.headers["content-type"]) == (404, "text/plain")
    else:
        assert reply.status == 401


def test_hidden_error_type(wire: Wire) -> None:
    """error_type may be left out: on /api then only the status tells."""
    wire.process.config(hide_error_type=True)
    reply = wire.call("update_session.get", update_session_id="none")
    assert reply.status == 404
    assert "error_type" not in reply.body.decode()


def test_message_suffix(wire: Wire) -> None:
    """What a terminal must not be shown may come in any message."""
    wire.process.config(message_suffix="\x1b[2J\nfatal: [host2]")
    reply = wire.call("update_session.get", update_session_id="none")
    assert reply.messages[0].endswith(" does not exist.\x1b[2J\nfatal: [host2]")


def test_log(wire: Wire, item: str) -> None:
    """Every request with its body, and without its secrets."""
    wire.process.control("DELETE", "/requests")
    session = wire.create(item)
    wire.push(session, "b", b"content")
    wire.call("update_session.get", update_session_id="none")
    log = wire.process.requests()
    assert [entry["n"] for entry in log] == [1, 2, 3, 4, 5]
    operations = ["update_session.create", "file.add", "upload", "file.get", "update_session.get"]
    assert [entry["operation"] for entry in log] == operations
    spec = {"library_item_id": item}
    assert log[0]["body"] == (spec if wire.dialect == "api" else {"create_spec": spec})
    assert (log[2]["method"], log[2]["body"], log[2]["bytes"]) == ("PUT", None, 7)
    assert log[2]["headers"]["content-length"] == "7"
    assert log[4]["status"] == 404
    (token,) = wire.process.state()["tokens"]
    assert {entry["token_sha256"] for entry in log} == {token["sha256"]}
    wire.log_in()
    text = json.dumps(wire.process.requests())
    for secret in (wire.token, wire.process.password, "authorization", "vmware-api-session-id"):
        assert secret not in text


def test_reset(wire: Wire, item: str) -> None:
    """Whatever a test did, the next one finds the seeded state, with the same ids."""
    process = wire.process
    process.reset()
    seeded = process.state()
    process.config(latency=0.01, disable_rest=True, item_checksum_algorithm=None)
    process.faults([{"fault": {"kind": "status"}}])
    process.add_sessions(2)
    process.add_item("x")
    process.reset()
    assert process.state() == seeded
    assert process.requests() == process.control("GET", "/faults") == []
    config = process.control("GET", "/config")
    assert (config["latency"], config["disable_rest"], config["item_checksum_algorithm"]) == (0, False, "SHA1")
    assert wire.log_in().status < 300


def test_null_is_the_default(vcenter: SimulatorProcess) -> None:
    vcenter.config(latency=1, session_lifetime=1)
    assert vcenter.config(latency=None, session_lifetime=None)["session_lifetime"] == 300


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/config", {"latencies": 1}),
        ("/faults", [{"fault": {"kind": "explode"}}]),
        ("/faults", [{"fault": {"kind": "status", "statsu": 500}}]),
        ("/faults", [{"match": {"url": "x"}, "fault": {"kind": "status"}}]),
        ("/faults", [{"match": {"path": "("}, "fault": {"kind": "status"}}]),
        ("/faults", [{"when": 1, "fault": {"kind": "status"}}]),
        ("/sessions", {"stat": "DONE"}),
        ("/items", {"name": "x", "typ": "iso"}),
    ],
)
def test_mistakes_in_tests_are_told(vcenter: SimulatorProcess, path: str, content: object) -> None:
    with pytest.raises(ValueError, match=f"POST {path}: 400"):
        vcenter.control("POST", path, content)
    assert vcenter.control("GET", "/faults") == []


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, None])
def test_process(end: signal.Signals | None, tmp_path: Path) -> None:
    """It says where it is, and leaves nothing behind, however it is ended."""
    command = [sys.executable, "-m", "tests.simulator", "--password", "secret", "--exit-with-parent"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env={"TMPDIR": str(tmp_path)}, **pipes) as process:
        lines = [process.stdout.readline().strip() for _line in range(4)]
        assert lines[0].startswith("vCenter simulator at https://127.0.0.1:")
        assert lines[1:] == [
            f"CA file    {next(tmp_path.iterdir())}/ca.pem",
            "username   administrator@vsphere.local (or operator@vsphere.local)",
            "password   secret",
        ]
        if end:
            process.send_signal(end)
        else:
            process.stdin.close()
        assert process.wait(10) == 0
    assert list(tmp_path.iterdir()) == []
