# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw HTTP for tests of the simulator: no client of ours, every answer held to the vendor's OpenAPI."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from .openapi import OpenApi
from .process import SimulatorProcess
from .rows import API_ROWS, REST_ROWS, Row


def _named(rows: list[Row]) -> dict[str, Row]:
    """The row of each operation, the first where there are more ways to ask for it."""
    return {row.operation: row for row in reversed(rows)}


ROWS = {"api": _named(API_ROWS), "rest": _named(REST_ROWS)}
# Operation -> method and path in each dialect, where both have it. tests/contract/test_tables.py holds the rows to the
# vendor's facts.
OPERATIONS = {
    name: tuple((rows[name].method, f"/{dialect}{rows[name].path}") for dialect, rows in ROWS.items())
    for name in ROWS["api"]
    if name in ROWS["rest"]
}


@dataclass
class Reply:
    """An answer of either dialect, read."""

    status: int
    headers: dict[str, str]
    body: bytes
    value: Any = None
    error_type: str | None = None
    messages: tuple[str, ...] = ()


class Wire:
    """One user's requests in one dialect, on one connection."""

    def __init__(self, process: SimulatorProcess, dialect: str, documents: list[OpenApi]) -> None:
        self.process = process
        self.dialect = dialect
        self.documents = documents
        self.covered: set[tuple[str, str]] = set()
        self.token: str | None = None
        context = ssl.create_default_context(cafile=process.ca_path)
        self.connection = http.client.HTTPSConnection(process.host, process.port, timeout=10, context=context)

    def close(self) -> None:
        self.connection.close()

    def log_in(self, user: str | None = None, password: str | None = None) -> Reply:
        credentials = f"{user or self.process.username}:{password or self.process.password}"
        header = {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}
        reply = self.call("session.create", headers=header)
        self.token = reply.value if reply.error_type is None else None
        return reply

    def call(self, operation: str, spec: Any = None, headers: dict[str, str] | None = None, **arguments: Any) -> Reply:
        """Perform an operation. What is in neither path nor query goes into the body."""
        method, template = OPERATIONS[operation][0 if self.dialect == "api" else 1]
        rest = dict(arguments)
        path, _mark, selector = template.partition("?")
        for name in list(rest):
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", quote(rest.pop(name), safe=""))
        query = [selector] if "=" in selector else []
        if method == "GET":
            for name, value in rest.items():
                values = value if isinstance(value, list) else [value]
                query += [f"{name}={quote(str(entry), safe='')}" for entry in values]
            rest = {}
        if spec is not None:
            rest = {**rest, **self._wrapped(operation, spec)}
        target = f"{path}?{'&'.join(query)}" if query else path
        reply = self.send(method, target, json.dumps(rest) if rest else None, headers)
        self.read(operation, reply)
        for document in self.documents:
            document.check_answer(method, template, reply.status, reply.body)
        if reply.status < 300:
            self.covered.add((method, template.removesuffix("?library_id")))
        return reply

    def _wrapped(self, operation: str, spec: dict[str, Any]) -> dict[str, Any]:
        """The model as the body has it: in the member that the row maps to spec, or as a whole."""
        member = next(
            name for name, argument in (ROWS[self.dialect][operation].body or {}).items() if argument == "spec"
        )
        return {member: spec} if member else spec

    def send(
        self, method: str, target: str, body: str | bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Any request at all."""
        sent = {"Content-Type": "application/json"} if isinstance(body, str) else {}
        if self.token:
            sent["vmware-api-session-id"] = self.token
        self.connection.request(method, target, body, {**sent, **(headers or {})})
        response = self.connection.getresponse()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())

    def read(self, operation: str, reply: Reply) -> None:
        assert reply.headers.get("date"), f"{operation}: no Date header"
        if not reply.body:
            return
        content = json.loads(reply.body)
        if reply.status < 300:
            reply.value = content if self.dialect == "api" else content["value"]
            return
        error = content if self.dialect == "api" else content["value"]
        reply.messages = tuple(entry["default_message"] for entry in error["messages"])
        reply.error_type = error.get("error_type")
        if self.dialect == "rest":
            kind = content["type"].rpartition(".")[2].upper()
            assert reply.error_type in (None, kind)
            reply.error_type = kind

    def create(self, item_id: str, **spec: Any) -> str:
        """A new update session."""
        reply = self.call("update_session.create", {"library_item_id": item_id, **spec})
        assert reply.error_type is None, reply
        return reply.value

    def get(self, session_id: str) -> dict[str, Any]:
        reply = self.call("update_session.get", update_session_id=session_id)
        assert reply.error_type is None, reply
        return reply.value

    def push(self, session_id: str, name: str, content: bytes, **spec: Any) -> dict[str, Any]:
        """Add a file and upload it; the file's info afterwards."""
        added = self.call("file.add", {"name": name, "source_type": "PUSH", **spec}, update_session_id=session_id)
        assert added.error_type is None, added
        answer = self.put(added.value["upload_endpoint"]["uri"], content)
        assert answer.status == 200, answer
        return self.call("file.get", update_session_id=session_id, file_name=name).value

    def fetch(self, uri: str, headers: dict[str, str] | None = None) -> Reply:
        return self.send("GET", urlsplit(uri).path, None, headers)

    def put(self, uri: str, content: bytes, headers: dict[str, str] | None = None) -> Reply:
        return self.send(
            "PUT", urlsplit(uri).path, content, {"Content-Type": "application/octet-stream", **(headers or {})}
        )
