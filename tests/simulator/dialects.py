# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to operations and values to answers, as each dialect has them."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote

from .answers import Answer
from .errors import VapiError, message
from .models import Config
from .operations import invalid
from .rows import API_ROWS, REST_ROWS, WHOLE, Row

Query = dict[str, list[str]]
PLACEHOLDER = re.compile(r"{(\w+)}")


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
                literal, brace, _name = segment.partition("{")
                node = node.setdefault(None, (literal, {}))[1] if brace else node.setdefault(segment, {})
            node[row.method, selector.partition("=")[2] or selector] = row

    def route(self, method: str, path: str, query: Query) -> tuple[Row | None, dict[str, Any]]:
        """The row that a request asks for, and the arguments in its path."""
        node = self.root
        values: list[str] = []
        for segment in path.strip("/").split("/"):
            segment = unquote(segment)
            if segment in node:
                node = node[segment]
                continue
            literal, below = node.get(None, ("", None))
            if below is None or not segment.startswith(literal):
                return None, {}
            values.append(segment[len(literal) :])
            node = below
        selectors = query.get(self.action) or [*query, ""]
        row = next((node[method, selector] for selector in selectors if (method, selector) in node), None)
        return row, dict(zip(PLACEHOLDER.findall(row.path), values)) if row else {}

    def arguments(self, row: Row, query: Query, body: bytes) -> dict[str, Any]:
        """The arguments in a request's query and body."""
        unknown = sorted(query.keys() - {*row.query, *row.lists, self.action})
        if unknown:
            text = "Unexpected query parameters: <>."
            raise VapiError("UNEXPECTED_INPUT", message("unexpected_query", text, ", ".join(unknown)))
        args: dict[str, Any] = {name: query[name][-1] for name in row.query if name in query}
        args.update((name.removeprefix("filter."), query[name]) for name in row.lists if name in query)
        if not body:
            return args
        try:
            content = json.loads(body)
        except ValueError:
            raise invalid("<> is not JSON", "the body") from None
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

    def error(self, error: VapiError, config: Config) -> Answer:
        messages = [
            {**entry, "default_message": entry["default_message"] + config.message_suffix} for entry in error.messages
        ]
        content: dict[str, Any] = {"messages": messages}
        if not config.hide_error_type:
            content["error_type"] = error.error_type
        if self.name == "rest":
            content = {"type": f"com.vmware.vapi.std.errors.{error.error_type.lower()}", "value": content}
        headers = ()
        if error.error_type == "UNAUTHENTICATED":
            headers = (("WWW-Authenticate", 'Basic realm="VAPI endpoint"'),)
        return Answer(error.status(self.name), json.dumps(content).encode(), "application/json", headers)


DIALECTS = {"api": Dialect("api", API_ROWS), "rest": Dialect("rest", REST_ROWS)}


def parse_query(query: bytes) -> Query:
    return parse_qs(query.decode("latin-1"), keep_blank_values=True)
