# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can happen to a request: the columns of the fault matrix."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

RETRY_AFTER = 1
PAGE = "<!DOCTYPE html>\n<html><head><title>Error</title></head><body><h1>Error</h1></body></html>\n"
BIG_PAGE = PAGE + f"<p>{'x' * 118}</p>\n" * (5 * 1024 * 1024 // 126)
ELSEWHERE = "https://192.0.2.1:9/elsewhere"  # TEST-NET-1 (RFC 5737): nobody is there
# Names that models of the API have, with values of types that they never have.
NONSENSE = {
    "id": 5, "state": {}, "library_item_id": [], "client_progress": "x", "expiration_time": 1, "preview_info": 2,
    "warning_behavior": 7, "error_message": "no", "name": [], "type": 3, "status": None, "checksum_info": "x",
    "upload_endpoint": 4, "has_errors": "perhaps", "missing_files": 1, "invalid_files": 2, "size": "big",
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One fault of the simulator (see its README), or a connection that tests.faults.gate refuses.

    vapi is the error that the body tells in the words of the dialect. inner: the body is what a value would be, so on
    /rest it is wrapped. count is how many requests in a row it hits. false: a plausible answer that is not true, which
    no client can see through.
    """

    name: str
    kind: str
    parameters: dict[str, Any] = field(default_factory=dict)
    vapi: str | None = None
    inner: bool = False
    count: int = 1
    false: bool = False

    def played(self, dialect: str) -> dict[str, Any]:
        """The fault as the simulator takes it."""
        parameters = dict(self.parameters)
        if self.vapi:
            parameters["body"] = vapi_error(dialect, self.vapi)
        if self.inner and dialect == "rest":
            parameters["body"] = {"value": parameters["body"]}
        return {"kind": self.kind, **parameters}


def vapi_error(dialect: str, error_type: str) -> dict[str, Any]:
    messages = [{"id": "fault", "default_message": f"A fault: {error_type}.", "args": []}]
    if dialect == "rest":
        return {"type": f"com.vmware.vapi.std.errors.{error_type.lower()}", "value": {"messages": messages}}
    return {"error_type": error_type, "messages": messages}


def status(name: str, code: int, **parameters: Any) -> Fault:
    """An answer that a gateway gives."""
    return Fault(name, "status", {"status": code, "body": PAGE, "content_type": "text/html", **parameters})


def shape(name: str, body: Any) -> Fault:
    return Fault(name, "body", {"body": body}, inner=True)


SINGLE = (
    Fault("401", "status", {"status": 401}, "UNAUTHENTICATED", false=True),
    Fault("403", "status", {"status": 403}, "UNAUTHORIZED"),
    Fault("404", "status", {"status": 404}, "NOT_FOUND", false=True),
    Fault("404, a page", "status", {"status": 404, "body": PAGE, "content_type": "text/html"}, false=True),
    status("429 with Retry-After", 429, headers={"Retry-After": str(RETRY_AFTER)}),
    Fault("500", "status", {"status": 500}, "INTERNAL_SERVER_ERROR"),
    Fault("500, but done", "status", {"status": 500, "process": True}, "INTERNAL_SERVER_ERROR"),
    status("502", 502),
    status("502, but done", 502, process=True),
    status("503", 503),
    status("504", 504),
    status("504, but done", 504, process=True),
    Fault("connection refused", "refused"),
    Fault("reset before", "reset_before"),
    Fault("reset in the middle", "reset_middle"),
    Fault("reset after", "reset_after"),
    Fault("hang", "hang", {"seconds": 60}),
    Fault("hang, but done", "hang", {"seconds": 60, "process": True}),
    Fault("trickle", "trickle"),
    Fault("truncated body", "truncate"),
    Fault("not JSON", "body", {"body": PAGE, "content_type": "text/html"}),
    Fault("half of a JSON", "body", {"body": '{"value": [{"id": "5', "content_type": "application/json"}),
    shape("JSON of another type", [[17]]),
    shape("JSON with other members", NONSENSE),
    shape("JSON null", None),
    Fault("error page of 5 MB", "status", {"status": 500, "body": BIG_PAGE, "content_type": "text/html"}),
    Fault("redirect to another host", "redirect", {"status": 307, "location": ELSEWHERE}),
)

# The server is gone from this request on, until after the module has ended.
OUTAGE = Fault("outage from here on", "reset_before", count=1_000_000)

FAULTS = {fault.name: fault for fault in (*SINGLE, OUTAGE)}
assert len(json.dumps(BIG_PAGE)) > 5_000_000
