# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A vCenter that follows a script, standing where `requests` has its transport, and a clock that never waits.

A test writes down the requests that it expects, in order, each with its answer. Method, target, headers and body are
compared as they are sent; what is not in the script, and what of the script was not asked for, fails the test. The
targets are spelled out here and not taken from the code under test.
"""

from __future__ import annotations

import base64
import io
import json
import socket
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import quote

import requests
import urllib3
from requests.adapters import HTTPAdapter

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.tests import in_process

HOST = "vcenter.example.com"
TOKEN = "given-token"
USERNAME, PASSWORD = "user@vsphere.local", "pa:ss wörd"
LOGIN = dict(username=USERNAME, password=PASSWORD, session_id=None)
ITEM = "3f6cb4c0-5f52-4d3e-b1fd-4f9ef9f7e0a3"
ID = "6ad2ac1f-9d6f-4f2a-8d60-0c9f04ea28ac:0b4ab54e-77bb-4b27-a3a5-5ed7d3ee27dc"
NOW = 1768472431.0
EXPIRATION_TIME = "2026-01-15T10:25:31.651Z"  # 300 s after NOW

_API = "/api/content/library/item/update-session"
_REST = "/rest/com/vmware/content/library/item/update-session"
_REST_FILE = "/rest/com/vmware/content/library/item/updatesession/file"

# operation: method and target on /api, status of a success there, method and target on /rest, what wraps the body there
OPERATIONS = {
    "log_in": ("POST /api/session", 201, "POST /rest/com/vmware/cis/session", None),
    "log_out": ("DELETE /api/session", 204, "DELETE /rest/com/vmware/cis/session", None),
    "list": (f"GET {_API}", 200, f"GET {_REST}", None),
    "get": (f"GET {_API}/{{id}}", 200, f"GET {_REST}/id:{{id}}", None),
    "create": (f"POST {_API}", 201, f"POST {_REST}", "create_spec"),
    "update": (f"PATCH {_API}/{{id}}", 204, f"PATCH {_REST}/id:{{id}}", "update_spec"),
    "keep_alive": (f"POST {_API}/{{id}}?action=keep-alive", 204, f"POST {_REST}/id:{{id}}?~action=keep-alive", None),
    "complete": (f"POST {_API}/{{id}}?action=complete", 204, f"POST {_REST}/id:{{id}}?~action=complete", None),
    "cancel": (f"POST {_API}/{{id}}?action=cancel", 204, f"POST {_REST}/id:{{id}}?~action=cancel", None),
    "fail": (f"POST {_API}/{{id}}?action=fail", 204, f"POST {_REST}/id:{{id}}?~action=fail", None),
    "delete": (f"DELETE {_API}/{{id}}", 204, f"DELETE {_REST}/id:{{id}}", None),
    "files": (f"GET {_API}/{{id}}/file", 200, f"GET {_REST_FILE}?update_session_id={{id}}", None),
    "file": (f"GET {_API}/{{id}}/file/{{file}}", 200, f"POST {_REST_FILE}/id:{{id}}?~action=get", None),
    "add": (f"POST {_API}/{{id}}/file", 201, f"POST {_REST_FILE}/id:{{id}}?~action=add", "file_spec"),
    "remove": (f"DELETE {_API}/{{id}}/file/{{file}}", 204, f"POST {_REST_FILE}/id:{{id}}?~action=remove", None),
    "validate": (
        f"POST {_API}/{{id}}/file?action=validate",
        200,
        f"POST {_REST_FILE}/id:{{id}}?~action=validate",
        None,
    ),
}


def session(state: str = "ACTIVE", **members: Any) -> dict[str, Any]:
    """An UpdateSessionModel as a server tells it, with little more than it must tell."""
    model = {"id": ID, "library_item_id": ITEM, "library_item_content_version": "2", "client_progress": 0}
    return {**model, "state": state, "expiration_time": EXPIRATION_TIME, **members}


@dataclass(frozen=True)
class Answer:
    """An answer, byte by byte."""

    status: int
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """An answer that is one of vAPI's standard errors. typed: whether it tells its type where that is optional."""

    error_type: str
    status: int
    texts: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    typed: bool = True

    def answer(self, dialect: str) -> Answer:
        messages = [{"id": f"id.{number}", "default_message": text} for number, text in enumerate(self.texts)]
        body: dict[str, Any] = {"messages": messages}
        if dialect == "api" and self.typed:
            body["error_type"] = self.error_type
        if dialect == "rest":
            kind = self.error_type.lower() if self.typed else "error"
            body = {"type": f"com.vmware.vapi.std.errors.{kind}", "value": body}
        return Answer(self.status, json.dumps(body).encode(), self.headers)


class Lost(Exception):
    """In a script: no answer comes. raised: what requests makes of that. wait: it takes the caller's whole time-out."""

    def __init__(self, raised: Exception, wait: bool = False) -> None:
        super().__init__(str(raised))
        self.raised, self.wait = raised, wait


def refused() -> Lost:
    """Nobody listens."""
    reason = urllib3.exceptions.NewConnectionError(None, "[Errno 111] Connection refused")
    return Lost(requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", reason)))


def unreachable() -> Lost:
    """Nobody answers where somebody should listen."""
    reason = urllib3.exceptions.ConnectTimeoutError(None, "Connection timed out.")
    return Lost(requests.ConnectTimeout(urllib3.exceptions.MaxRetryError(None, "/", reason)))


def reset() -> Lost:
    """The connection broke after the request had gone out."""
    cause = ConnectionResetError(104, "Connection reset by peer")
    return Lost(requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", cause)))


def hang() -> Lost:
    """No answer within the time-out."""
    return Lost(requests.ReadTimeout(urllib3.exceptions.ReadTimeoutError(None, "/", "Read timed out.")), wait=True)


class Clock:
    """time.monotonic, time.time and time.sleep, where a pause takes no time."""

    def __init__(self) -> None:
        self.now = NOW
        self.pauses: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@dataclass
class Exchange:
    """One line of the script."""

    line: str
    headers: dict[str, str]
    body: Any
    answer: Answer | Lost
    takes: float
    polled: bool
    takes_client_token: bool
    seen: bool = False


class Wire(HTTPAdapter):
    """The transport. Its script is a list of groups; the exchanges of one group may come in any order.

    One that is polled is answered as often as it comes before the next, but at least once.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.script: list[list[Exchange]] = []
        self.problems: list[str] = []
        self.timeouts: list[float] = []
        self.verified: list[Any] = []
        self.proxies: list[Any] = []
        self.client_tokens: list[str] = []
        self._group: list[Exchange] | None = None

    @contextmanager
    def any_order(self) -> Any:
        """What is expected in the block may come in any order."""
        self._group = []
        yield
        if self._group:
            self.script.append(self._group)
        self._group = None

    def finish(self) -> None:
        """The task is over: nothing else was sent than what is in the script, and all of that."""
        assert self.problems == []
        left = [exchange for group in self.script for exchange in group if not (exchange.polled and exchange.seen)]
        assert [exchange.line for exchange in left] == []

    def expect(self, exchange: Exchange) -> None:
        if self._group is None:
            self.script.append([exchange])
        else:
            self._group.append(exchange)

    def send(self, request: Any, stream=False, timeout=None, verify=True, cert=None, proxies=None) -> Any:
        self.timeouts.append(timeout.total)
        self.verified.append(verify)
        self.proxies.append(proxies)
        try:
            return self._answer(request, self._take(f"{request.method} {request.path_url}"), timeout.total)
        except AssertionError as error:
            # The code under test may make a result of it.
            self.problems.append(str(error))
            raise

    def _take(self, line: str) -> Exchange:
        while self.script:
            group = self.script[0]
            exchange = next((one for one in group if one.line == line), None)
            if exchange is None and group[0].polled and group[0].seen:
                del self.script[0]
                continue
            assert exchange is not None, f"{line} was sent, expected was {[one.line for one in group]}"
            exchange.seen = True
            if not exchange.polled:
                group.remove(exchange)
                if not group:
                    del self.script[0]
            return exchange
        raise AssertionError(f"{line} was sent, expected was nothing")

    def _answer(self, request: Any, exchange: Exchange, timeout: float) -> Any:
        given = {name.lower(): value for name, value in request.headers.items()}
        length = given.pop("content-length", "0")
        assert length == str(len(request.body or b"")), f"{exchange.line}: Content-Length {length}"
        body = None if request.body is None else json.loads(request.body)
        if exchange.takes_client_token:
            holder, name = (given, "client-token") if request.path_url.startswith("/api/") else (body, "client_token")
            self.client_tokens.append(str(uuid.UUID(holder.pop(name))))
        assert given == exchange.headers, f"{exchange.line}: headers {given}, expected {exchange.headers}"
        assert body == exchange.body, f"{exchange.line}: body {body}, expected {exchange.body}"
        assert urllib3.util.parse_url(request.url).host == HOST, request.url

        answer = exchange.answer
        assert exchange.takes <= timeout, f"{exchange.line}: the client waits for {timeout} seconds only"
        self.clock.now += exchange.takes
        if isinstance(answer, Lost):
            self.clock.now += timeout if answer.wait else 0
            raise answer.raised
        response = urllib3.HTTPResponse(
            body=io.BytesIO(answer.content),
            headers={"Date": formatdate(self.clock.now, usegmt=True), **answer.headers},
            status=answer.status,
            preload_content=False,
            enforce_content_length=False,  # as urllib3 1.26 does
            request_method=request.method,
        )
        return self.build_response(request, response)


class Server:
    """One dialect's way to write the script, and to run a task against it."""

    def __init__(self, dialect: str, wire: Wire) -> None:
        self.dialect, self.wire, self.clock = dialect, wire, wire.clock

    def expect(
        self,
        operation: str,
        answer: Any = None,
        body: Any = None,
        *,
        id: str = ID,
        file_name: str = "",
        query: str = "",
        token: str = TOKEN,
        dialect: str | None = None,
        takes: float = 0.0,
        polled: bool = False,
    ) -> None:
        """The next request is this operation; the answer to it: a value, a Refusal, an Answer, or a Lost one."""
        dialect = dialect or self.dialect
        api, status, rest, wrapper = OPERATIONS[operation]
        headers = {"accept": "application/json"}
        if operation == "log_in":
            basic = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
            headers["authorization"] = f"Basic {basic}"
        else:
            headers["vmware-api-session-id"] = token
        if dialect == "rest" and file_name:
            body = {"file_name": file_name}
        if body is not None:
            headers["content-type"] = "application/json"
            if dialect == "rest" and wrapper:
                body = {wrapper: body}
        if isinstance(answer, Refusal):
            answer = answer.answer(dialect)
        elif dialect == "rest" and not isinstance(answer, (Answer, Lost)):
            answer = Answer(200, b"" if answer is None else json.dumps({"value": answer}).encode())
        elif not isinstance(answer, (Answer, Lost)):
            answer = Answer(status, b"" if answer is None else json.dumps(answer).encode())
        line = (api if dialect == "api" else rest).replace("{id}", quote(id, safe="")) + query
        line = line.replace("{file}", quote(file_name, safe=""))
        takes_client_token = operation.startswith(("create", "copy"))
        self.wire.expect(Exchange(line, headers, body, answer, takes, polled, takes_client_token))

    def client(self, **options: Any) -> VCenterClient:
        return VCenterClient(**{"hostname": HOST, "session_id": TOKEN, "api_endpoint": self.dialect, **options})

    def run(self, module: Any, check_mode: bool = False, **params: Any) -> Any:
        """Run a module's task to its Outcome, with the options that ansible-core makes of these."""
        return run_task(module, check_mode, **{"session_id": TOKEN, "api_endpoint": self.dialect, **params})


def given(params: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a task on HOST; None is for what is left out."""
    return {name: value for name, value in {"hostname": HOST, **params}.items() if value is not None}


def argument_errors(module: Any, **params: Any) -> list[str]:
    return in_process.validate(module, given(params)).error_messages


def run_task(module: Any, check_mode: bool = False, **params: Any) -> Any:
    """Validate params by the module's argument spec and execute the task."""
    return in_process.run(module, given(params), check_mode)


def unused_port() -> int:
    """A loopback port where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
