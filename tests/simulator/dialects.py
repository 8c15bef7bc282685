# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the operations look on the wire: the newer REST API below /api, the older one below /rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from . import operations
from .errors import VapiError, message

WHOLE = ""  # the body is the argument itself, not a field of a structure


@dataclass(frozen=True)
class Row:
    """One operation in one dialect. ``body`` maps the fields of the body to arguments."""

    operation: str
    method: str
    path: str
    status: int
    body: dict[str, str] | None = None
    query: tuple[str, ...] = ()
    anonymous: bool = False

    @property
    def function(self) -> Callable[[operations.Call], Any]:
        return getattr(operations, self.operation.replace(".", "_"))


@dataclass
class Answer:
    """What is sent back."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


SESSION = "/content/library/item/update-session"
API_ROWS = [
    Row("session.create", "POST", "/session", 201, anonymous=True),
    Row("session.get", "GET", "/session", 200),
    Row("session.delete", "DELETE", "/session", 204),
    Row("update_session.list", "GET", SESSION, 200, query=("library_item_id",)),
    Row("update_session.create", "POST", SESSION, 201, {WHOLE: "spec"}, ("client_token",)),
    Row("update_session.get", "GET", f"{SESSION}/{{update_session_id}}", 200),
    Row("update_session.update", "PATCH", f"{SESSION}/{{update_session_id}}", 204, {WHOLE: "spec"}),
    Row("update_session.delete", "DELETE", f"{SESSION}/{{update_session_id}}", 204),
    Row("update_session.complete", "POST", f"{SESSION}/{{update_session_id}}?action=complete", 204),
    Row("update_session.cancel", "POST", f"{SESSION}/{{update_session_id}}?action=cancel", 204),
    Row(
        "update_session.fail",
        "POST",
        f"{SESSION}/{{update_session_id}}?action=fail",
        204,
        {"client_error_message": "client_error_message"},
    ),
    Row(
        "update_session.keep_alive",
        "POST",
        f"{SESSION}/{{update_session_id}}?action=keep-alive",
        204,
        {"client_progress": "client_progress"},
    ),
    Row("file.list", "GET", f"{SESSION}/{{update_session_id}}/file", 200),
    Row("file.add", "POST", f"{SESSION}/{{update_session_id}}/file", 201, {WHOLE: "spec"}),
    Row("file.validate", "POST", f"{SESSION}/{{update_session_id}}/file?action=validate", 200),
    Row("file.get", "GET", f"{SESSION}/{{update_session_id}}/file/{{file_name}}", 200),
    Row("file.remove", "DELETE", f"{SESSION}/{{update_session_id}}/file/{{file_name}}", 204),
    Row("item.list", "GET", "/content/library/item", 200, query=("library_id",)),
    Row("item.create", "POST", "/content/library/item", 201, {WHOLE: "spec"}, ("client_token",)),
    Row("item.find", "POST", "/content/library/item?action=find", 200, {WHOLE: "spec"}),
    Row("item.get", "GET", "/content/library/item/{library_item_id}", 200),
    Row("item.update", "PATCH", "/content/library/item/{library_item_id}", 204, {WHOLE: "spec"}),
    Row("item.delete", "DELETE", "/content/library/item/{library_item_id}", 204),
    Row("item_file.list", "GET", "/content/library/item/{library_item_id}/file", 200),
    Row("item_file.get", "GET", "/content/library/item/{library_item_id}/file?name", 200, query=("name",)),
    Row("library.list", "GET", "/content/library", 200),
    Row("library.find", "POST", "/content/library?action=find", 200, {WHOLE: "spec"}),
    Row("library.get", "GET", "/content/library/{library_id}", 200),
    Row("library.update", "PATCH", "/content/library/{library_id}", 204, {WHOLE: "spec"}),
    Row("local_library.list", "GET", "/content/local-library", 200),
    Row("local_library.create", "POST", "/content/local-library", 201, {WHOLE: "spec"}, ("client_token",)),
    Row("local_library.get", "GET", "/content/local-library/{library_id}", 200),
    Row("local_library.update", "PATCH", "/content/local-library/{library_id}", 204, {WHOLE: "spec"}),
    Row("local_library.delete", "DELETE", "/content/local-library/{library_id}", 204),
]

ROOT = "/com/vmware/content"
REST_SESSION = f"{ROOT}/library/item/update-session"
REST_FILE = f"{ROOT}/library/item/updatesession/file"
CREATE = {"create_spec": "spec", "client_token": "client_token"}
REST_ROWS = [
    Row("session.create", "POST", "/com/vmware/cis/session", 200, anonymous=True),
    Row("session.get", "POST", "/com/vmware/cis/session?~action=get", 200),
    Row("session.delete", "DELETE", "/com/vmware/cis/session", 200),
    Row("update_session.list", "GET", REST_SESSION, 200, query=("library_item_id",)),
    Row("update_session.create", "POST", REST_SESSION, 200, CREATE),
    Row("update_session.get", "GET", f"{REST_SESSION}/id:{{update_session_id}}", 200),
    Row("update_session.update", "PATCH", f"{REST_SESSION}/id:{{update_session_id}}", 200, {"update_spec": "spec"}),
    Row("update_session.delete", "DELETE", f"{REST_SESSION}/id:{{update_session_id}}", 200),
    Row("update_session.complete", "POST", f"{REST_SESSION}/id:{{update_session_id}}?~action=complete", 200),
    Row("update_session.cancel", "POST", f"{REST_SESSION}/id:{{update_session_id}}?~action=cancel", 200),
    Row(
        "update_session.fail",
        "POST",
        f"{REST_SESSION}/id:{{update_session_id}}?~action=fail",
        200,
        {"client_error_message": "client_error_message"},
    ),
    Row(
        "update_session.fail",
        "POST",
        f"{REST_SESSION}?~action=fail",
        200,
        {"client_error_message": "client_error_message", "update_session_id": "update_session_id"},
    ),
    Row(
        "update_session.keep_alive",
        "POST",
        f"{REST_SESSION}/id:{{update_session_id}}?~action=keep-alive",
        200,
        {"client_progress": "client_progress"},
    ),
    Row("file.list", "GET", REST_FILE, 200, query=("update_session_id",)),
    Row("file.add", "POST", f"{REST_FILE}/id:{{update_session_id}}?~action=add", 200, {"file_spec": "spec"}),
    Row("file.validate", "POST", f"{REST_FILE}/id:{{update_session_id}}?~action=validate", 200),
    Row("file.get", "POST", f"{REST_FILE}/id:{{update_session_id}}?~action=get", 200, {"file_name": "file_name"}),
    Row("file.remove", "POST", f"{REST_FILE}/id:{{update_session_id}}?~action=remove", 200, {"file_name": "file_name"}),
    Row("item.list", "GET", f"{ROOT}/library/item", 200, query=("library_id",)),
    Row("item.create", "POST", f"{ROOT}/library/item", 200, CREATE),
    Row("item.find", "POST", f"{ROOT}/library/item?~action=find", 200, {"spec": "spec"}),
    Row("item.get", "GET", f"{ROOT}/library/item/id:{{library_item_id}}", 200),
    Row("item.update", "PATCH", f"{ROOT}/library/item/id:{{library_item_id}}", 200, {"update_spec": "spec"}),
    Row("item.delete", "DELETE", f"{ROOT}/library/item/id:{{library_item_id}}", 200),
    Row("item_file.list", "GET", f"{ROOT}/library/item/file", 200, query=("library_item_id",)),
    Row("item_file.get", "POST", f"{ROOT}/library/item/file/id:{{library_item_id}}?~action=get", 200, {"name": "name"}),
    Row("library.list", "GET", f"{ROOT}/library", 200),
    Row("library.find", "POST", f"{ROOT}/library?~action=find", 200, {"spec": "spec"}),
    Row("library.get", "GET", f"{ROOT}/library/id:{{library_id}}", 200),
    Row("library.update", "PATCH", f"{ROOT}/library/id:{{library_id}}", 200, {"update_spec": "spec"}),
    Row("local_library.list", "GET", f"{ROOT}/local-library", 200),
    Row("local_library.create", "POST", f"{ROOT}/local-library", 200, CREATE),
    Row("local_library.get", "GET", f"{ROOT}/local-library/id:{{library_id}}", 200),
    Row("local_library.update", "PATCH", f"{ROOT}/local-library/id:{{library_id}}", 200, {"update_spec": "spec"}),
    Row("local_library.delete", "DELETE", f"{ROOT}/local-library/id:{{library_id}}", 200),
]


class Dialect:
    """Finds the row of a request, reads its arguments and writes its answer."""

    def __init__(self, name: str, rows: list[Row]) -> None:
        self.name = name
        self.action = "action" if name == "api" else "~action"
        self.root: dict[Any, Any] = {}
        for row in rows:
            path, _mark, selector = row.path.partition("?")
            node = self.root
            for segment in path.strip("/").split("/"):
                literal, brace, name = segment.rstrip("}").partition("{")
                node = node.setdefault(None, (literal, name, {}))[2] if brace else node.setdefault(segment, {})
            node[row.method, selector.partition("=")[2] or selector] = row

    def route(self, method: str, path: str, query: dict[str, str]) -> tuple[Row | None, dict[str, Any]]:
        """The row that a request asks for, and the arguments in its path."""
        node = self.root
        args: dict[str, Any] = {}
        for segment in path.strip("/").split("/"):
            segment = unquote(segment)
            if segment in node:
                node = node[segment]
                continue
            literal, name, below = node.get(None, ("", "", None))
            if below is None or not segment.startswith(literal):
                return None, {}
            args[name] = segment[len(literal) :]
            node = below
        selector = query.get(self.action) or ("name" if "name" in query else "")
        return node.get((method, selector)), args

    def arguments(self, row: Row, query: dict[str, str], body: bytes) -> dict[str, Any]:
        """The arguments in a request's query and body."""
        unknown = sorted(query.keys() - set(row.query) - {self.action})
        if unknown:
            text = "Unexpected query parameters: <>."
            raise VapiError("UNEXPECTED_INPUT", message("unexpected_query", text, ", ".join(unknown)))
        args: dict[str, Any] = {name: query[name] for name in row.query if name in query}
        if not body:
            return args
        try:
            content = json.loads(body)
        except ValueError:
            raise operations.invalid("<> is not JSON", "the body") from None
        if row.body is None and content in (None, {}):
            return args
        if row.body == {WHOLE: "spec"}:
            args["spec"] = content
            return args
        structure = dict.fromkeys(row.body or {}, object)
        if not isinstance(content, dict) or content.keys() - structure.keys():
            text = "The body has fields other than <>."
            raise VapiError("UNEXPECTED_INPUT", message("unexpected_input", text, ", ".join(structure)))
        args.update((row.body[name], value) for name, value in content.items() if value is not None)
        return args

    def answer(self, row: Row, value: Any) -> Answer:
        if value is None:
            return Answer(row.status)
        body = json.dumps(value if self.name == "api" else {"value": value}, separators=(",", ":")).encode()
        headers = ()
        if row.operation == "session.create":
            headers = (("Set-Cookie", f"vmware-api-session-id={value};Path=/{self.name};Secure;HttpOnly"),)
        return Answer(row.status, body, "application/json", headers)

    def error(self, error: VapiError, with_type: bool = True) -> Answer:
        content: dict[str, Any] = {"messages": error.messages}
        if with_type:
            content["error_type"] = error.error_type
        if self.name == "rest":
            content = {"type": f"com.vmware.vapi.std.errors.{error.error_type.lower()}", "value": content}
        headers = ()
        if error.error_type == "UNAUTHENTICATED":
            headers = (("WWW-Authenticate", 'Basic realm="VAPI endpoint"'),)
        return Answer(error.status(self.name), json.dumps(content).encode(), "application/json", headers)


DIALECTS = {"api": Dialect("api", API_ROWS), "rest": Dialect("rest", REST_ROWS)}


def parse_query(query: bytes) -> dict[str, str]:
    return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else {}
