# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a server answers: a module reads it, or fails as it fails for anything else.

Never a traceback, never a text that nobody reads, never an endless loop, never more memory than a bound. Each test
takes good answers and puts something else into them, because random ones would only ever meet the first check.
"""

from __future__ import annotations

import copy
import io
import json
import os
import re
import socket
import threading
import time
import tracemalloc
from typing import Any

import pytest

pytest.importorskip("hypothesis", reason="hypothesis, of tests/unit/requirements.txt, is not installed")

import requests
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter

from ansible_collections.vsphere.content_library.plugins.module_utils import _dialects, _transport
from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    ERROR_TYPES,
    InvalidArgument,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline
from ansible_collections.vsphere.content_library.plugins.modules import (
    library_item,
    library_item_info,
    update_session,
    update_session_fail,
    update_session_file,
    update_session_info,
)
from ansible_collections.vsphere.content_library.tests.unit.plugins import library_wire
from ansible_collections.vsphere.content_library.tests.unit.plugins.sockets import SocketServer
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import (
    HOST,
    ID,
    ITEM,
    OPERATIONS,
    TOKEN,
    Answer,
    Clock,
    run_task,
    session,
)

LIBRARY = library_wire.LIBRARY
MESSAGE_LIMIT = 3000  # what a person may be expected to read

# Always the same examples, so that a change that fails is to blame; CONTENT_LIBRARY_EXAMPLES asks for others, and more.
MORE = int(os.environ.get("CONTENT_LIBRARY_EXAMPLES", "0"))


def fuzz(examples: int) -> settings:
    return settings(max_examples=MORE or examples, derandomize=not MORE, database=None, deadline=None)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["", ".", "..", "\ud800", "x" * 5000, "ACTIVE", "DONE", "ERROR", "READY", "PULL", ID, ITEM])
    | st.sampled_from([10**400, -1, 2**63, "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z", "+1-01-01T", "\0\n"])
    | st.sampled_from(["https://" + "a" * 70 + "/", "https://[::1", "https://h:99999/", "http://127.0.0.1:1/x", "x:y"])
)
NAMES = st.sampled_from(["id", "key", "value", "type", "name", "default_message", "\ud800"]) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES, inner, max_size=3)
        | st.lists(st.fixed_dictionaries({"key": inner, "value": inner}), max_size=2)
    ),
    max_leaves=6,
)
REMOVED = object()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of each part of a value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, member in members for place in places(member, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The value with something else in one place."""
    if not path:
        return None if new is REMOVED else new
    value = copy.copy(value)
    if len(path) == 1 and new is REMOVED:
        del value[path[0]]
    else:
        value[path[0]] = put(value[path[0]], path[1:], new)
    return value


MESSAGE = {"id": "id.1", "default_message": "It broke.", "args": ["a"], "params": {"p": {"s": "t"}}, "localized": "x"}
WARNING = {"type": "SELF_SIGNED_CERTIFICATE", "message": MESSAGE, "ignored": False}
PREVIEW = {
    "state": "AVAILABLE",
    "certificate_info": {"issuer": "i", "subject": "s", "self_signed": True, "x509": "x"},
    "cert_chain": ["MII"],
    "warnings": [WARNING],
}
BEHAVIOR = [{"type": "SELF_SIGNED_CERTIFICATE", "ignored": True}]
SESSION = session(preview_info=PREVIEW, warning_behavior=BEHAVIOR)
BROKEN = session("ERROR", error_message=MESSAGE)
CHECKSUM = {"algorithm": "SHA1", "checksum": "a" * 40}
# The endpoint is one that no byte is sent to.
ENDPOINT = {"uri": "http://upload.example.com/x", "ssl_certificate_thumbprint": "AA:BB"}
FILE = {
    "name": "tools.iso",
    "source_type": "PUSH",
    "size": 7,
    "checksum_info": CHECKSUM,
    "source_endpoint": {"uri": "https://user:secret@files.example.com/tools.iso"},
    "upload_endpoint": ENDPOINT,
    "bytes_transferred": 7,
    "status": "READY",
    "error_message": MESSAGE,
    "keep_in_storage": True,
}
KEPT = {**FILE, "name": "kept.iso", "source_type": "NONE"}
PULLED = {**FILE, "source_type": "PULL", "status": "ERROR"}
INVALID = {"has_errors": True, "missing_files": ["a"], "invalid_files": [{"name": "b", "error_message": MESSAGE}]}
ITEM_MODEL = library_wire.item(cached=True)
ITEM_FILE = library_wire.item_file(checksum="a" * 40)

# What a server answers to each operation where nothing is wrong. One of several answers comes after the other, and the
# last again and again.
GOOD: dict[str, list[Any]] = {
    "list": [[ID, ID + "2"]],
    "get": [SESSION, SESSION, BROKEN],
    "create": [ID],
    "update": [None],
    "keep_alive": [None],
    "complete": [None],
    "cancel": [None],
    "fail": [None],
    "delete": [None],
    "files": [[FILE, KEPT], [PULLED]],
    "add": [FILE],
    "remove": [None],
    "validate": [INVALID],
    "find_library": [[LIBRARY]],
    "get_library": [library_wire.library()],
    "list_items": [[ITEM, ITEM + "2"]],
    "find_item": [[ITEM]],
    "get_item": [ITEM_MODEL],
    "create_item": [ITEM],
    "update_item": [None],
    "delete_item": [None],
    "item_files": [[ITEM_FILE], [{**ITEM_FILE, "name": "old.iso"}]],
}

# A module, what it is asked for, and what of GOOD is different for it.
TASKS: dict[str, tuple[Any, dict[str, Any], dict[str, list[Any]]]] = {
    "info": (update_session_info, dict(gather_files=True, validate=True), {}),
    "info of one": (update_session_info, dict(update_session_id=ID, gather_files=True), {"get": [BROKEN]}),
    "active": (update_session, dict(update_session_id=ID, client_progress=40, min_lifetime=600), {}),
    "active, steered": (
        update_session,
        dict(library_item_id=ITEM, warning_behavior=[{"type": "EXPIRED_CERTIFICATE", "ignored": True}]),
        {"get": [SESSION]},
    ),
    "active, created": (update_session, dict(library_item_id=ITEM, warning_behavior=BEHAVIOR), {"list": [[], [ID]]}),
    "done": (update_session, dict(update_session_id=ID, state="done"), {}),
    "done, not in time": (update_session, dict(update_session_id=ID, state="done", wait_timeout=5), {"get": [SESSION]}),
    "canceled": (update_session, dict(library_item_id=ITEM, state="canceled"), {}),
    "absent": (update_session, dict(library_item_id=ITEM, state="absent"), {}),
    "fail": (update_session_fail, dict(update_session_id=ID, client_error_message="Given up"), {}),
    "file pushed": (update_session_file, dict(name="tools.iso", src="SRC"), {"get": [SESSION]}),
    "file kept": (update_session_file, dict(name="kept.iso", src="SRC"), {"get": [SESSION]}),
    "file pulled": (update_session_file, dict(name="new.iso", url="https://files.example.com/x"), {"get": [SESSION]}),
    "file removed": (update_session_file, dict(name="tools.iso", state="absent"), {"get": [SESSION]}),
    "items": (library_item_info, dict(library_name="demo", gather_files=True), {}),
    "item of a name": (library_item_info, dict(library_id=LIBRARY, name="tools", gather_files=True), {}),
    "item pushed": (library_item, dict(library_name="demo", name="tools", src=["SRC"], stale_after=2), {}),
    "item pulled": (
        library_item,
        dict(library_id=LIBRARY, name="tools", url="https://files.example.com/tools.iso", force=True, description="d"),
        {"list": [[]]},
    ),
    "item created": (
        library_item,
        dict(library_id=LIBRARY, name="tools", url="https://files.example.com/tools.iso"),
        {"find_item": [[]], "get": [SESSION, session("DONE")]},
    ),
    "item absent": (library_item, dict(library_item_id=ITEM, state="absent"), {}),
}


class AnyServer(HTTPAdapter):
    """Answers each operation with what a test has for it, whatever is asked and however often."""

    def __init__(self, dialect: str, answers: dict[str, list[Any]]) -> None:
        super().__init__()
        self.clock = Clock()
        self.dialect, self.answers = dialect, {name: list(several) for name, several in answers.items()}
        self.asked = 0
        self.lock = threading.Lock()

    def send(self, request: Any, stream=False, timeout=None, verify=True, cert=None, proxies=None) -> Any:
        with self.lock:
            self.asked += 1
            assert self.asked < 2000, "the module asks for ever"
            self.clock.now += 0.01
            operation, status = self.operation(f"{request.method} {request.path_url}")
            several = self.answers.get(operation, [Answer(404, b"Not Found")])
            answer = several[0] if len(several) == 1 else several.pop(0)
        if not isinstance(answer, Answer):
            content = b"" if answer is None else json.dumps(answer if self.dialect == "api" else {"value": answer})
            answer = Answer(status, content.encode() if isinstance(content, str) else content)
        response = urllib3.HTTPResponse(
            body=io.BytesIO(answer.content), headers=answer.headers, status=answer.status, preload_content=False
        )
        return self.build_response(request, response)

    def operation(self, line: str) -> tuple[str | None, int]:
        """The name of an operation, and the status of its success."""
        for name, (api, status, rest, _wrapper) in OPERATIONS.items():
            pattern = re.escape(api if self.dialect == "api" else rest)
            pattern = pattern.replace(r"\{id\}", "[^/?]*").replace(r"\{file\}", "[^/?]*")
            if re.fullmatch(pattern + r"(\?library(_item)?_id=.*)?", line):
                return name, status if self.dialect == "api" else 200
        return None, 404


@pytest.fixture
def quick(monkeypatch):
    """No waiting, no resolver, and one clock for each example: that of the server which stands for it."""
    servers = [AnyServer("api", {})]
    monkeypatch.setattr(requests.Session, "get_adapter", lambda session, url: servers[-1])
    for name in ("monotonic", "time"):
        monkeypatch.setattr(time, name, lambda: servers[-1].clock.now)

    def pause(seconds: float) -> None:
        servers[-1].clock.sleep(seconds)

    def resolve(host: str, *_rest: Any) -> Any:
        host.encode("idna")  # which is what the real one begins with
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(time, "sleep", pause)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return servers


@pytest.fixture(scope="module")
def src(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "tools.iso"
    path.write_bytes(b"content")
    return str(path)


def arguments(params: dict[str, Any], module: Any, src: str, dialect: str) -> dict[str, Any]:
    params = {name: [src] if value == ["SRC"] else src if value == "SRC" else value for name, value in params.items()}
    if module is update_session_file:
        params["update_session_id"] = ID
    return dict(params, session_id=TOKEN, api_endpoint=dialect, request_timeout=5)


def check(outcome: Any) -> None:
    """A result as any other."""
    result = outcome.result
    assert "exception" not in result, result["exception"]
    # To the controller it goes as JSON, to a terminal in UTF-8.
    json.dumps(result, ensure_ascii=False, allow_nan=False).encode()
    if outcome.failed:
        assert result["error_type"] in ERROR_TYPES
        assert result["msg"]
        for text in (result["msg"], *outcome.warnings):
            assert len(text) < MESSAGE_LIMIT
        assert isinstance(result["messages"], list)


@st.composite
def altered(draw: Any, good: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Good answers, one or two of them with something else in them."""
    answers = dict(good)
    for _number in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(sorted(good)))
        several = list(answers[name])
        number = draw(st.integers(0, len(several) - 1))
        if isinstance(several[number], Answer):
            continue
        for _change in range(draw(st.integers(1, 3))):
            path = draw(st.sampled_from(places(several[number])))
            several[number] = put(several[number], path, draw(VALUES | st.just(REMOVED)))
        answers[name] = several
    return answers


STATUSES = st.sampled_from([200, 201, 204, 301, 400, 401, 403, 404, 409, 418, 429, 500, 502, 503, 504, 599])
ERROR = {"error_type": "NOT_FOUND", "messages": [MESSAGE, MESSAGE], "data": None}
REST_ERROR = {"type": "com.vmware.vapi.std.errors.not_found", "value": ERROR}


@st.composite
def bodies(draw: Any) -> bytes:
    """What an answer may have in it: errors of both dialects with something else in them, any JSON, any bytes."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=60) | st.sampled_from([b"", b"<html>", b"\xff\xfe\0", b"[" * 100_000, b"NaN"]))
    value = draw(st.sampled_from([ERROR, REST_ERROR]))
    for _change in range(draw(st.integers(0, 3))):
        value = put(value, draw(st.sampled_from(places(value))), draw(VALUES | st.just(REMOVED)))
    return json.dumps(value).encode()


@pytest.mark.parametrize("dialect", ["api", "rest"])
@pytest.mark.parametrize("task", TASKS)
def test_answers(quick, src, task, dialect):
    module, params, differing = TASKS[task]

    @fuzz(15)
    @given(altered({**GOOD, **differing}), st.booleans())
    def run(answers, check_mode):
        quick[:] = [AnyServer(dialect, answers)]
        check(run_task(module, check_mode, **arguments(params, module, src, dialect)))

    run()


@pytest.mark.parametrize("dialect", ["api", "rest"])
@pytest.mark.parametrize("task", TASKS)
def test_refusals(quick, src, task, dialect):
    """One of the operations is answered with any status and any body."""
    module, params, differing = TASKS[task]
    good = {**GOOD, **differing}

    @fuzz(6)
    @given(st.sampled_from(sorted(good)), STATUSES, bodies(), st.text(st.characters(max_codepoint=255), max_size=8))
    def run(name, status, body, header):
        headers = {"Retry-After": header, "Date": header, "Location": header}
        quick[:] = [AnyServer(dialect, {**good, name: [Answer(status, body, headers), *good[name]]})]
        check(run_task(module, **arguments(params, module, src, dialect)))

    run()


HOSTS = st.sampled_from(
    ["upload.example.com", "a" * 70, "a..b", "", "[::1", "%", "h:99999", "h:x", "ü", "\0", "u@h", "*"]
)
URIS = st.builds(
    "{}{}{}".format, st.sampled_from(["https://", "http://", "ftp://", "//", ""]), HOSTS, st.text(max_size=5)
)


@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_upload_endpoints(quick, src, dialect):
    """Where it asks for the bytes to be sent to."""

    @fuzz(60)
    @given(st.fixed_dictionaries({"uri": URIS | VALUES}, optional={"ssl_certificate_thumbprint": st.text() | VALUES}))
    def run(endpoint):
        module, params, differing = TASKS["file pushed"]
        answers = {**GOOD, **differing, "files": [[]], "add": [{**FILE, "upload_endpoint": endpoint}]}
        quick[:] = [AnyServer(dialect, answers)]
        outcome = run_task(module, **arguments(params, module, src, dialect))
        check(outcome)
        assert outcome.failed

    run()


@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_tokens(quick, dialect):
    """What a login is answered with goes into a header."""

    @fuzz(60)
    @given(VALUES)
    def run(value):
        quick[:] = [AnyServer(dialect, {**GOOD, "log_in": [value], "log_out": [None]})]
        params = dict(username="user", password="pass", api_endpoint=dialect, request_timeout=1)
        check(run_task(update_session_info, **params))

    run()


@fuzz(200)
@given(STATUSES, bodies())
def test_error_bodies(status, body):
    refusal = _dialects.read_error(status, body)
    assert refusal.error_type in ERROR_TYPES
    assert all(isinstance(message, dict) for message in refusal.messages)


HEADERS = st.sampled_from(
    [b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: x", b"Transfer-Encoding: chunked", b"Date: x", b":"]
) | st.binary(max_size=10)


def refusal_or_value(client: VCenterClient, **arguments: Any) -> tuple[str, Any]:
    """What a list of sessions came to: what the error says, or what there is."""
    try:
        return "", client.call("update_session.list", **arguments).value
    except VapiError as error:
        return str(error), []


@st.composite
def raw_answers(draw: Any) -> bytes:
    """Bytes that may be an answer by HTTP."""
    start = draw(
        st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.1 100 C", b"HTTP/9 200", b"HTTP/1.1 99999 x", b"", b"5"])
    )
    body = draw(st.binary(max_size=20) | st.sampled_from([b"[]", b"5\r\n[]   \r\n0\r\n\r\n", b"zz\r\n", b"f" * 70_000]))
    return b"\r\n".join([start, *draw(st.lists(HEADERS, max_size=4)), b"", body])


def test_bytes_by_http():
    """What http.client and urllib3 make of it, too."""
    answers: list[bytes] = []

    def serve(connection: socket.socket, _request: Any) -> bool:
        connection.sendall(answers[-1])
        return False

    with SocketServer(serve) as server, VCenterClient(server.url, session_id=TOKEN, api_endpoint="api") as client:

        @fuzz(100)
        @given(raw_answers())
        def run(answer):
            answers[:] = [answer]
            text, found = refusal_or_value(client, deadline=Deadline(0))
            assert len(text) < MESSAGE_LIMIT
            assert isinstance(found, list)

        run()


# The most that an answer can be made to take up: many small parts, few large ones, four bytes for each character.
PARTS = _dialects.MAX_PARTS - 10
LARGE = _transport.ANSWER_LIMIT - 200
HUGE = {
    "empty lists": b"[" + b"[]," * (PARTS // 2) + b"0]",
    "models": b"[" + b'{"a":0},' * (PARTS // 2) + b"0]",
    "one key each": b"{" + b",".join(b'"%d":0' % number for number in range(PARTS)) + b"}",
    "more parts": b"[" + b"{}," * (LARGE // 3) + b"0]",
    "a text": b'["' + b"x" * LARGE + b'"]',
    "a wide text": b'["' + "😀".encode() + b"x" * LARGE + b'"]',
    "escapes": b'["' + b"\\u00e9" * (LARGE // 6) + b'"]',
    "no JSON": b"<" * LARGE,
    "too much": b"x" * (2 * LARGE),
}


@pytest.mark.parametrize(("kind", "status"), [*((kind, 200) for kind in HUGE), ("no JSON", 500)])
def test_memory(quick, kind, status):
    """On /rest, whose answers are gone through once more."""
    quick[:] = [AnyServer("rest", {"list": [Answer(status, b'{"value":' + HUGE[kind] + b"}")]})]
    client = VCenterClient(HOST, session_id=TOKEN, api_endpoint="rest")
    tracemalloc.start()
    try:
        text, _found = refusal_or_value(client)
        _size, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(text) < MESSAGE_LIMIT
    assert peak < 16 * _transport.ANSWER_LIMIT, f"{peak / _transport.ANSWER_LIMIT:.1f} times as much as the answer"


def test_an_error_of_any_length_can_be_read():
    error = VapiError("fail for a session failed: " + "x" * 100_000 + ": the cause")
    assert str(error).startswith("fail for a session failed: ")
    assert str(error).endswith("xxx: the cause")
    assert error.fail_kwargs()["msg"] == str(error)
    assert len(str(error)) < MESSAGE_LIMIT


def test_half_a_character_does_not_make_an_answer_unreadable():
    """As of a message that was cut in the middle of an emoji."""
    assert _dialects.decode(b'{"a": "cut \\ud83d", "\\ude00": ["\\ud83d\\ude00"]}') == {"a": "cut ?", "?": ["😀"]}


@pytest.mark.parametrize(
    "content", [b"NaN", b"[Infinity]", b'{"a": -Infinity}', b"1e999", b"\xff\xfe1\0", b"[0" + b",0" * 10**6]
)
def test_what_is_no_json_that_can_be_put_out(content):
    with pytest.raises(ValueError, match=r"."):
        _dialects.decode(content + b"]" * content.startswith(b"[0"))


@pytest.mark.parametrize("name", ["username", "password"])
def test_credentials_that_are_not_utf_8_are_refused_and_not_shown(name):
    """As Python reads them from the environment."""
    credentials = {"username": "user", "password": "secret", name: b"secret\xff".decode(errors="surrogateescape")}
    with pytest.raises(InvalidArgument, match=f"{name} has bytes that are not UTF-8") as caught:
        VCenterClient(HOST, **credentials)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("dialect", ["api", "rest"])
@pytest.mark.parametrize("value", [None, "", "..", "\ud800"])
def test_ids_that_no_path_can_carry(quick, value, dialect):
    quick[:] = [AnyServer(dialect, GOOD)]
    with VCenterClient(HOST, session_id=TOKEN, api_endpoint=dialect) as client:
        if value == "\ud800":
            assert client.call("item.get", library_item_id=value)
            return
        with pytest.raises(InvalidArgument, match="library_item_id must not be"):
            client.call("item.get", library_item_id=value)
