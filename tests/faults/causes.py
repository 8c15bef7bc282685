# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the msg of a failure names its cause: what the server said, else its HTTP status, else what was seen here."""

from __future__ import annotations

import re
from typing import Any

# What a msg has in it, one of these, where no server told anything: by error_type.
SEEN = {
    "NOT_FOUND": r"there is no|has no|not exist|not found|no longer|gone|renamed|removed|deleted",
    "ALREADY_EXISTS": r"already|exists",
    "NOT_ALLOWED_IN_CURRENT_STATE": r"ACTIVE|DONE|ERROR|CANCELED|on demand|state|warning|content",
    "RESOURCE_BUSY": r"session|somebody|busy",
    "TIMED_OUT": r"seconds|request_timeout|in time|within|timed out",
    "RESOURCE_INACCESSIBLE": r"connect|reset|broke|closed|session|endpoint|subscribe|prepare",
    "UNVERIFIED_PEER": r"certificate|trusted",
    "UNAUTHENTICATED": r"token|password|log|authenticat",
    "INTERNAL_SERVER_ERROR": r"answer|bytes|checksum|content|ended",
    "INVALID_ARGUMENT": r".",
    "OPERATION_NOT_FOUND": r"there is no",
    "UNABLE_TO_ALLOCATE_RESOURCE": r"space|disk",
    "CANCELED": r"cancel",
    "ERROR": r"checksum|missing|ended|lost|somebody else|gave up|cancel",
}


def unnamed_cause(result: dict[str, Any]) -> str | None:
    """What is missing in the msg of this failure; None where nothing is."""
    msg = str(result.get("msg"))
    said = [message["default_message"] for message in result.get("messages") or [] if message.get("default_message")]
    if said:
        return None if any(same_words(text, msg) for text in said) else f"msg does not tell {said}: {msg}"
    status, error_type = result.get("http_status"), str(result.get("error_type"))
    if status is not None and str(status) in msg:
        return None
    return None if re.search(SEEN.get(error_type, error_type), msg) else f"msg does not tell why {error_type}: {msg}"


def same_words(text: str, msg: str) -> bool:
    """Whether the beginning of the text is in msg; its placeholders may be filled in."""
    words = re.split(r"<>|\{\d*\}|%\w?", " ".join(text.split())[:60])
    return all(part.strip() in " ".join(msg.split()) for part in words)
