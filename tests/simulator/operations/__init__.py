# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service does: one module for each of the API's services, one function for each operation."""

from __future__ import annotations

from . import (
    download_sessions,
    items,
    libraries,
    local_libraries,
    storage,
    subscribed_libraries,
    tokens,
    update_session_files,
    update_sessions,
)
from .call import Call, invalid, perform

__all__ = [
    "Call",
    "download_sessions",
    "invalid",
    "items",
    "libraries",
    "local_libraries",
    "perform",
    "storage",
    "subscribed_libraries",
    "tokens",
    "update_session_files",
    "update_sessions",
]
