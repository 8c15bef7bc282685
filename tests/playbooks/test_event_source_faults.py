# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source: what it outlives, and how it ends."""

from __future__ import annotations

import socket
import time
import tracemalloc
import zlib
from typing import Any

import pytest

from tests.playbooks.event_source import AT_ONCE, FOR_ONE, IN_TIME, fault, operations, wait_for
from tests.simulator.process import SimulatorProcess
from tests.unit.plugins.sockets import SocketServer, answer

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
        simulator.add_sessions(160)
        simulator.faults([fault("update_session.get", IN_TIME["no answer"])])
        began = time.monotonic()
        assert watch(request_timeout=1).types() == []
        assert time.monotonic() - began < 6  # all of them, 16 at a time, would take 10 seconds

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
