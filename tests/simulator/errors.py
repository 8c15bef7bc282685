# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The standard errors of vAPI, as far as this service reports them."""

from __future__ import annotations

from typing import Any

# Error type -> HTTP status on (/api, /rest). "vSphere Automation API: vapi.std.errors" for /api; on /rest everything
# without a status of its own is a 400.
STATUSES = {
    "ALREADY_EXISTS": (400, 400),
    "CONCURRENT_CHANGE": (409, 400),
    "INVALID_ARGUMENT": (400, 400),
    "INVALID_ELEMENT_CONFIGURATION": (400, 400),
    "INVALID_ELEMENT_TYPE": (400, 400),
    "NOT_ALLOWED_IN_CURRENT_STATE": (400, 400),
    "NOT_FOUND": (404, 404),
    "OPERATION_NOT_FOUND": (404, 404),
    "RESOURCE_BUSY": (500, 400),
    "RESOURCE_INACCESSIBLE": (500, 400),
    "SERVICE_UNAVAILABLE": (503, 503),
    "UNAUTHENTICATED": (401, 401),
    "UNAUTHORIZED": (403, 403),
    "UNEXPECTED_INPUT": (400, 400),
    "UNSUPPORTED": (400, 400),
}


def message(message_id: str, template: str, *args: object) -> dict[str, Any]:
    """A LocalizableMessage; ``template`` has one ``<>`` for each of ``args``."""
    return {
        "id": f"com.vmware.vdcs.cls-main.{message_id}",
        "default_message": template.replace("<>", "{}").format(*args),
        "args": [str(arg) for arg in args],
    }


class VapiError(Exception):
    """One of the standard errors, with its stack of messages from the operation down to the cause."""

    def __init__(self, error_type: str, *messages: dict[str, Any]) -> None:
        super().__init__(error_type, messages)
        self.error_type = error_type
        self.messages = list(messages)

    def status(self, dialect: str) -> int:
        return STATUSES[self.error_type][0 if dialect == "api" else 1]
