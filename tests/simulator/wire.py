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

UPDATE_SESSION = {
    "api": "/api/content/library/item/update-session",
    "rest": "/rest/com/vmware/content/library/item/update-session",
}
REST = "/rest/com/vmware/content"
REST_FILE = f"{REST}/library/item/updatesession/file"
SESSION_API = "/api/content/library/item/update-session/{update_session_id}"
SESSION_REST = f"{REST}/library/item/update-session/id:{{update_session_id}}"

# Operation -> method and path as the OpenAPI has them, for /api and /rest.
OPERATIONS = {
    "session.create": (("POST", "/api/session"), ("POST", "/rest/com/vmware/cis/session")),
    "session.get": (("GET", "/api/session"), ("POST", "/rest/com/vmware/cis/session?~action=get")),
    "session.delete": (("DELETE", "/api/session"), ("DELETE", "/rest/com/vmware/cis/session")),
    "update_session.list": (("GET", UPDATE_SESSION["api"]), ("GET", UPDATE_SESSION["rest"])),
    "update_session.create": (("POST", UPDATE_SESSION["api"]), ("POST", UPDATE_SESSION["rest"])),
    "update_session.get": (("GET", SESSION_API), ("GET", SESSION_REST)),
    "update_session.update": (("PATCH", SESSION_API), ("PATCH", SESSION_REST)),
    "update_session.delete": (("DELETE", SESSION_API), ("DELETE", SESSION_REST)),
    "update_session.complete": (
        ("POST", f"{SESSION_API}?action=complete"),
        ("POST", f"{SESSION_REST}?~action=complete"),
    ),
    "update_session.cancel": (("POST", f"{SESSION_API}?action=cancel"), ("POST", f"{SESSION_REST}?~action=cancel")),
    "update_session.fail": (("POST", f"{SESSION_API}?action=fail"), ("POST", f"{SESSION_REST}?~action=fail")),
    "update_session.keep_alive": (
        ("POST", f"{SESSION_API}?action=keep-alive"),
        ("POST", f"{SESSION_REST}?~action=keep-alive"),
    ),
    "file.list": (("GET", f"{SESSION_API}/file"), ("GET", REST_FILE)),
    "file.add": (("POST", f"{SESSION_API}/file"), ("POST", f"{REST_FILE}/id:{{update_session_id}}?~action=add")),
    "file.get": (
        ("GET", f"{SESSION_API}/file/{{file_name}}"),
        ("POST", f"{REST_FILE}/id:{{update_session_id}}?~action=get"),
    ),
    "file.remove": (
        ("DELETE", f"{SESSION_API}/file/{{file_name}}"),
        ("POST", f"{REST_FILE}/id:{{update_session_id}}?~action=remove"),
    ),
    "file.validate": (
        ("POST", f"{SESSION_API}/file?action=validate"),
        ("POST", f"{REST_FILE}/id:{{update_session_id}}?~action=validate"),
    ),
    "item.list": (("GET", "/api/content/library/item"), ("GET", f"{REST}/library/item")),
    "item.create": (("POST", "/api/content/library/item"), ("POST", f"{REST}/library/item")),
    "item.find": (
        ("POST", "/api/content/library/item?action=find"),
        ("POST", f"{REST}/library/item?~action=find"),
    ),
    "item.get": (
        ("GET", "/api/content/library/item/{library_item_id}"),
        ("GET", f"{REST}/library/item/id:{{library_item_id}}"),
    ),
    "item.update": (
        ("PATCH", "/api/content/library/item/{library_item_id}"),
        ("PATCH", f"{REST}/library/item/id:{{library_item_id}}"),
    ),
    "item.delete": (
        ("DELETE", "/api/content/library/item/{library_item_id}"),
        ("DELETE", f"{REST}/library/item/id:{{library_item_id}}"),
    ),
    "item_file.list": (
        ("GET", "/api/content/library/item/{library_item_id}/file"),
        ("GET", f"{REST}/library/item/file"),
    ),
    "item_file.get": (
        ("GET", "/api/content/library/item/{library_item_id}/file?name"),
        ("POST", f"{REST}/library/item/file/id:{{library_item_id}}?~action=get"),
    ),
    "library.list": (("GET", "/api/content/library"), ("GET", f"{REST}/library")),
    "library.find": (("POST", "/api/content/library?action=find"), ("POST", f"{REST}/library?~action=find")),
    "library.get": (("GET", "/api/content/library/{library_id}"), ("GET", f"{REST}/library/id:{{library_id}}")),
    "library.update": (
        ("PATCH", "/api/content/library/{library_id}"),
        ("PATCH", f"{REST}/library/id:{{library_id}}"),
    ),
    "local_library.list": (("GET", "/api/content/local-library"), ("GET", f"{REST}/local-library")),
    "local_library.create": (("POST", "/api/content/local-library"), ("POST", f"{REST}/local-library")),
    "local_library.get": (
        ("GET", "/api/content/local-library/{library_id}"),
        ("GET", f"{REST}/local-library/id:{{library_id}}"),
    ),
    "local_library.update": (
        ("PATCH", "/api/content/local-library/{library_id}"),
        ("PATCH", f"{REST}/local-library/id:{{library_id}}"),
    ),
    "local_library.delete": (
        ("DELETE", "/api/content/local-library/{library_id}"),
        ("DELETE", f"{REST}/local-library/id:{{library_id}}"),
    ),
}
WRAPPERS = {"create": "create_spec", "update": "update_spec", "add": "file_spec", "find": "spec"}


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
            query += [f"{name}={quote(str(value), safe='')}" for name, value in rest.items()]
            rest = {}
        if spec is not None:
            wrapped = {WRAPPERS[operation.partition(".")[2]]: spec}
            rest = {**rest, **(spec if self.dialect == "api" else wrapped)}
        target = f"{path}?{'&'.join(query)}" if query else path
        reply = self.send(method, target, json.dumps(rest) if rest else None, headers)
        self.read(operation, reply)
        for document in self.documents:
            document.check_answer(method, template, reply.status, reply.body)
        if reply.status < 300:
            self.covered.add((method, template.removesuffix("?library_id")))
        return reply

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

    def put(self, uri: str, content: bytes, headers: dict[str, str] | None = None) -> Reply:
        return self.send(
            "PUT", urlsplit(uri).path, content, {"Content-Type": "application/octet-stream", **(headers or {})}
        )
