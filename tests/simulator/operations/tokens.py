# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API tokens: log in, look, log out."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ..errors import VapiError, message
from .call import Call, operation


@operation("session.create")
def session_create(call: Call) -> str:
    scheme, _space, encoded = call.authorization.partition(" ")
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, colon, password = "", "", ""
    if scheme.lower() != "basic" or not colon or call.store.users.get(user.lower()) != password:
        raise VapiError("UNAUTHENTICATED", message("unauthenticated", "Authentication required."))
    return call.store.log_in(user.lower())


@operation("session.get")
def session_get(call: Call) -> dict[str, Any]:
    token = call.store.tokens[call.token or ""]
    return {
        "user": token.user,
        "created_time": call.store.timestamp(token.created),
        "last_accessed_time": call.store.timestamp(token.accessed),
    }


@operation("session.delete")
def session_delete(call: Call) -> None:
    del call.store.tokens[call.token or ""]
