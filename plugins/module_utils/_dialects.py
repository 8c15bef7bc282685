# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an operation goes over the wire: one table for the two generations of the REST API.

/api came with vSphere 7.0U2. /rest serves 6.5 to 8.0. Both carry the same models. By rule /rest differs in this: its
prefix, `id:` before an identifier in the path, `~action` for `action`, a wrapper around a model, 200 for every success,
and {"value": ...} around every result. A row says where an operation breaks that rule.
"""

from __future__ import annotations

import json
import math
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import ERROR_TYPES, InvalidArgument

MAX_PARTS = 250_000  # members of lists and models in one answer; each takes up to 250 bytes of memory
ERROR_LIMIT = 1 << 20


class Operation(NamedTuple):
    """One operation of the vSphere API.

    method, path and status are those of /api. rest is "METHOD path" for /rest, where the rule does not give it; a path
    that begins with / is below /rest itself. Arguments that a path does not name go into the query of a GET, and into
    the body of anything else. result says what the answer is, as an annotation like those in _models; None for nothing,
    and "| None" where a server may leave the body empty. wrapper is the member of a /rest body that holds the model.
    filters: /rest has "filter." before the names in the query. repeatable: it does no harm to send the operation twice,
    as after an answer that was lost.
    """

    name: str
    method: str
    path: str
    status: int
    result: str | None = None
    wrapper: str | None = None
    rest: str | None = None
    repeatable: bool = True
    filters: bool = False

    @property
    def takes_client_token(self) -> bool:
        """Whether a client token makes it repeatable: with the same one the server makes nothing again.

        A server that does not know client tokens may refuse the second request, or make another.
        """
        return self.name.endswith((".create", ".copy")) and self.name != "session.create"


_SESSION = "content/library/item/update-session"
_ITEM = "content/library/item"
_ONE_SESSION = f"{_SESSION}/{{update_session_id}}"
_ONE_ITEM = f"{_ITEM}/{{library_item_id}}"
_DOWNLOAD = f"{_ITEM}/download-session"
_ONE_DOWNLOAD = f"{_DOWNLOAD}/{{download_session_id}}"
_REST_DOWNLOAD_FILE_OF = f"{_ITEM}/downloadsession/file/{{download_session_id}}"
_LOCAL = "content/local-library"
_ONE_LOCAL = f"{_LOCAL}/{{library_id}}"
_SUBSCRIBED = "content/subscribed-library"
_ONE_SUBSCRIBED = f"{_SUBSCRIBED}/{{library_id}}"
_SUBSCRIBED_ITEM = "content/library/subscribed-item/{library_item_id}"
_REST_FILE = "content/library/item/updatesession/file"
_REST_FILE_OF = f"{_REST_FILE}/{{update_session_id}}"

OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("session.create", "POST", "session", 201, "Token", rest="POST cis/session"),
        Operation("session.delete", "DELETE", "session", 204, rest="DELETE cis/session"),
        Operation("update_session.list", "GET", _SESSION, 200, "list[Identifier]"),
        Operation("update_session.get", "GET", _ONE_SESSION, 200, "UpdateSession"),
        Operation("update_session.create", "POST", _SESSION, 201, "Identifier", "create_spec", repeatable=False),
        Operation("update_session.update", "PATCH", _ONE_SESSION, 204, None, "update_spec"),
        Operation("update_session.keep_alive", "POST", f"{_ONE_SESSION}?action=keep-alive", 204),
        Operation("update_session.complete", "POST", f"{_ONE_SESSION}?action=complete", 204, repeatable=False),
        Operation("update_session.cancel", "POST", f"{_ONE_SESSION}?action=cancel", 204, repeatable=False),
        Operation("update_session.fail", "POST", f"{_ONE_SESSION}?action=fail", 204, repeatable=False),
        Operation("update_session.delete", "DELETE", _ONE_SESSION, 204),
        Operation("file.list", "GET", f"{_ONE_SESSION}/file", 200, "list[UploadFile]", rest=f"GET {_REST_FILE}"),
        Operation(
            "file.get", "GET", f"{_ONE_SESSION}/file/{{file_name}}", 200, "UploadFile",
            rest=f"POST {_REST_FILE_OF}?action=get",
        ),
        Operation(
            "file.add", "POST", f"{_ONE_SESSION}/file", 201, "UploadFile", "file_spec",
            rest=f"POST {_REST_FILE_OF}?action=add", repeatable=False,
        ),
        Operation(
            "file.remove", "DELETE", f"{_ONE_SESSION}/file/{{file_name}}", 204,
            rest=f"POST {_REST_FILE_OF}?action=remove", repeatable=False,
        ),
        Operation(
            "file.validate", "POST", f"{_ONE_SESSION}/file?action=validate", 200, "Validation",
            rest=f"POST {_REST_FILE_OF}?action=validate",
        ),
        Operation("download_session.create", "POST", _DOWNLOAD, 201, "Identifier", "create_spec", repeatable=False),
        Operation("download_session.get", "GET", _ONE_DOWNLOAD, 200, "DownloadSession"),
        Operation("download_session.keep_alive", "POST", f"{_ONE_DOWNLOAD}?action=keep-alive", 204),
        Operation("download_session.fail", "POST", f"{_ONE_DOWNLOAD}?action=fail", 204, repeatable=False),
        Operation("download_session.delete", "DELETE", _ONE_DOWNLOAD, 204),
        Operation(
            "download_file.prepare", "POST", f"{_ONE_DOWNLOAD}/file?action=prepare", 200, "DownloadFile",
            rest=f"POST {_REST_DOWNLOAD_FILE_OF}?action=prepare",
        ),
        Operation(
            "download_file.get", "GET", f"{_ONE_DOWNLOAD}/file", 200, "DownloadFile",
            rest=f"POST {_REST_DOWNLOAD_FILE_OF}?action=get",
        ),
        Operation("library.list", "GET", "content/library", 200, "list[Identifier]"),
        Operation("library.get", "GET", "content/library/{library_id}", 200, "Library"),
        Operation("library.find", "POST", "content/library?action=find", 200, "list[Identifier]", "spec"),
        Operation("local_library.create", "POST", _LOCAL, 201, "Identifier", "create_spec", repeatable=False),
        Operation("local_library.update", "PATCH", _ONE_LOCAL, 204, None, "update_spec", repeatable=False),
        Operation("local_library.delete", "DELETE", _ONE_LOCAL, 204),
        Operation("local_library.force_delete", "POST", f"{_ONE_LOCAL}?action=force-delete", 204),
        Operation("subscribed_library.create", "POST", _SUBSCRIBED, 201, "Identifier", "create_spec", repeatable=False),
        Operation("subscribed_library.update", "PATCH", _ONE_SUBSCRIBED, 204, None, "update_spec", repeatable=False),
        Operation("subscribed_library.delete", "DELETE", _ONE_SUBSCRIBED, 204),
        Operation("subscribed_library.force_delete", "POST", f"{_ONE_SUBSCRIBED}?action=force-delete", 204),
        Operation("subscribed_library.probe", "POST", f"{_SUBSCRIBED}?action=probe", 200, "Probe | None"),
        Operation("subscribed_library.sync", "POST", f"{_ONE_SUBSCRIBED}?action=sync", 204),
        Operation("subscribed_library.evict", "POST", f"{_ONE_SUBSCRIBED}?action=evict", 204),
        Operation("subscribed_item.sync", "POST", f"{_SUBSCRIBED_ITEM}?action=sync", 204),
        Operation("subscribed_item.evict", "POST", f"{_SUBSCRIBED_ITEM}?action=evict", 204),
        Operation(
            "datastore.list", "GET", "vcenter/datastore", 200, "list[Datastore]",
            rest="GET /vcenter/datastore", filters=True,
        ),
        Operation("item.list", "GET", _ITEM, 200, "list[Identifier]"),
        Operation("item.find", "POST", f"{_ITEM}?action=find", 200, "list[Identifier]", "spec"),
        Operation("item.get", "GET", _ONE_ITEM, 200, "LibraryItem"),
        Operation("item.create", "POST", _ITEM, 201, "Identifier", "create_spec", repeatable=False),
        Operation(
            "item.copy", "POST", f"{_ITEM}/{{source_library_item_id}}?action=copy", 200, "Identifier",
            "destination_create_spec", repeatable=False,
        ),
        Operation("item.update", "PATCH", _ONE_ITEM, 204, None, "update_spec"),
        Operation("item.delete", "DELETE", _ONE_ITEM, 204),
        Operation(
            "item_storage.list", "GET", f"{_ONE_ITEM}/storage", 200, "list[StoredFile]",
            rest=f"GET {_ITEM}/storage",
        ),
        Operation("item_file.list", "GET", f"{_ONE_ITEM}/file", 200, "list[LibraryItemFile]", rest=f"GET {_ITEM}/file"),
    )
}  # fmt: skip


class Request(NamedTuple):
    """What goes out: method, target (path and query, quoted), body (JSON, or None), and headers that it takes."""

    method: str
    target: str
    body: bytes | None
    headers: tuple[tuple[str, str], ...] = ()


class ApiDialect:
    """/api: plain models, bare values."""

    name = "api"
    prefix = "/api/"

    def request(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        model: dict[str, Any] | None,
        client_token: str | None = None,
    ) -> Request:
        """Render one call. arguments are scalars by their API names, model is the body's model.

        Raises InvalidArgument for None, because left out it could mean everything, and for what a path can't carry.
        """
        method, path = self._route(operation)
        rest = dict(arguments)
        for name, value in arguments.items():
            if value is None:
                raise InvalidArgument(f"{name} must not be null")
        parts = []
        for part in path.split("{"):
            name, brace, tail = part.partition("}")
            if brace and arguments[name] in ("", ".", ".."):
                raise InvalidArgument(f"{name} must not be {arguments[name] or 'empty'}")
            parts.append(quote(str(rest.pop(name)), safe="", errors="replace") + tail if brace else part)
        target = self._below_prefix("".join(parts))
        body = None if model is None else self._wrap(operation, model)
        if rest and method == "GET":
            target += "?" + urlencode(self._query(operation, rest), doseq=True, errors="replace", quote_via=quote)
        elif rest:
            body = {**rest, **(body or {})}
        request = Request(method, target, None if body is None else json.dumps(body).encode())
        return request if client_token is None else self._with_client_token(request, body, client_token)

    def _with_client_token(self, request: Request, body: dict[str, Any] | None, client_token: str) -> Request:
        # 8.0.2's OpenAPI has it in the query; newer documents, and the vendor's bindings, have the header.
        return request._replace(headers=(("Client-Token", client_token),))

    def _route(self, operation: Operation) -> tuple[str, str]:
        return operation.method, operation.path

    def _below_prefix(self, path: str) -> str:
        return self.prefix + path

    def _query(self, operation: Operation, arguments: dict[str, Any]) -> dict[str, Any]:
        return arguments

    def _wrap(self, operation: Operation, model: dict[str, Any]) -> dict[str, Any]:
        return model

    def success(self, operation: Operation) -> int:
        """The one status that means success."""
        return operation.status

    def value(self, operation: Operation, payload: Any) -> Any:
        """The value in a decoded answer. Raises KeyError or TypeError where there is none."""
        return payload


class RestDialect(ApiDialect):
    """/rest: models in a wrapper, values in {"value": ...}, maps as lists of {key, value}."""

    name = "rest"
    prefix = "/rest/com/vmware/"

    def _route(self, operation: Operation) -> tuple[str, str]:
        method, _space, path = (operation.rest or f"{operation.method} {operation.path}").partition(" ")
        return method, path.replace("{", "id:{").replace("?action=", "?~action=")

    def _below_prefix(self, path: str) -> str:
        return f"/rest{path}" if path.startswith("/") else self.prefix + path

    def _query(self, operation: Operation, arguments: dict[str, Any]) -> dict[str, Any]:
        return {f"filter.{name}": value for name, value in arguments.items()} if operation.filters else arguments

    def _wrap(self, operation: Operation, model: dict[str, Any]) -> dict[str, Any]:
        return {operation.wrapper: model} if operation.wrapper else model

    def _with_client_token(self, request: Request, body: dict[str, Any] | None, client_token: str) -> Request:
        return request._replace(body=json.dumps({"client_token": client_token, **(body or {})}).encode())

    def success(self, operation: Operation) -> int:
        return 200

    def value(self, operation: Operation, payload: Any) -> Any:
        value = _maps(payload["value"])
        # vcsim, which has /rest alone, answers null for an empty list.
        return [] if value is None and (operation.result or "").startswith("list") else value


DIALECTS = {dialect.name: dialect for dialect in (ApiDialect(), RestDialect())}


def decode(content: bytes) -> Any:
    """Read JSON. Raises ValueError for what is no JSON, and for what has more parts or levels than any model.

    Ansible has to be able to print the value, so infinite numbers are refused, and halves of surrogate pairs replaced.
    """
    if sum(map(content.count, (b",", b"[", b"{"))) > MAX_PARTS:
        raise ValueError("too many parts")
    try:
        value = json.loads(content.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return _presentable(value, 50)


def _presentable(value: Any, levels: int) -> Any:
    if levels == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {_presentable(name, levels): _presentable(member, levels - 1) for name, member in value.items()}
    if isinstance(value, list):
        return [_presentable(member, levels - 1) for member in value]
    if isinstance(value, str) and not value.isascii():
        return value.encode(errors="replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("an infinite number")
    return value


def _maps(value: Any) -> Any:
    """The value with every map as a dict, as on /api. On /rest a map is a list of {key, value}."""
    if isinstance(value, dict):
        return {name: _maps(member) for name, member in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(member, dict) and member.keys() == {"key", "value"} for member in value):
            return {str(member["key"]): _maps(member["value"]) for member in value}
        return [_maps(member) for member in value]
    return value


_TYPE_OF_STATUS = {
    401: "UNAUTHENTICATED",
    403: "UNAUTHORIZED",
    404: "NOT_FOUND",
    409: "CONCURRENT_CHANGE",
    429: "SERVICE_UNAVAILABLE",
    500: "INTERNAL_SERVER_ERROR",
    502: "INTERNAL_SERVER_ERROR",
    503: "SERVICE_UNAVAILABLE",
    504: "TIMED_OUT",
    507: "UNABLE_TO_ALLOCATE_RESOURCE",
}


class Refusal(NamedTuple):
    """What an error answer says. readable: it has the form of vAPI. text is for people."""

    error_type: str
    messages: list[dict[str, Any]]
    readable: bool
    text: str


def read_error(status: int, content: bytes) -> Refusal:
    """Read an error answer. Never raises.

    /api has {error_type, messages}, /rest {type: "com.vmware.vapi.std.errors.not_found", value: {...}}. error_type is
    optional on both (specification: VapiStdErrors*). The status decides only where no type can be read: RESOURCE_BUSY,
    for one, is 500 on /api and 400 on /rest. Messages go from the operation to the cause. The first and the last are
    shown.
    """
    payload = _error_payload(content)
    error_type, details = _typed(payload or {})
    listed = details.get("messages")
    is_readable = isinstance(listed, list) or isinstance(error_type or details.get("error_type"), str)
    if payload is None:
        messages, texts = [], _plain_text(content)
    else:
        messages = [message for message in listed if isinstance(message, dict)] if isinstance(listed, list) else []
        all_texts = [str(message.get("default_message") or message.get("id") or "") for message in messages]
        texts = [text for text in all_texts[:1] + all_texts[1:][-1:] if text]
    error_type = error_type or _TYPE_OF_STATUS.get(status, "ERROR")
    text = f"{': '.join(texts) or 'no reason given'} [{error_type}, HTTP {status}]"
    return Refusal(error_type, messages, is_readable, text)


def _error_payload(content: bytes) -> dict[str, Any] | None:
    """The model of an error answer, None for what is none."""
    try:
        payload = _maps(decode(content)) if len(content) <= ERROR_LIMIT else None
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def _typed(payload: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The discriminator of an error, None where it can't be read, and the model with its messages."""
    if not isinstance(payload.get("value"), dict):
        candidates, details = [payload.get("error_type")], payload
    else:
        details = payload["value"]
        candidates = [str(payload.get("type", "")).rpartition(".")[2].upper(), details.get("error_type")]
    known = (found for found in candidates if isinstance(found, str) and found in ERROR_TYPES)
    return next(known, None), details


def _plain_text(content: bytes) -> list[str]:
    """The first line of an answer in plain text, as transfer endpoints send. Nothing of a page or with a URL."""
    line = content[:1000].decode(errors="replace").strip().partition("\n")[0][:200].strip()
    return [line] if line.isprintable() and "://" not in line and line[:1] not in ("", "<", "{", "[") else []
