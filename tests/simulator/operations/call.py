# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call of an operation: its arguments, read and checked."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import copies
from ..errors import VapiError, message
from ..store import Store


@dataclass
class Call:
    """One call of an operation."""

    store: Store
    dialect: str
    args: dict[str, Any]
    token: str | None
    authorization: str
    base_url: str
    user: str = ""
    client_token: str | None = None

    def text(self, name: str) -> str:
        """A required string argument."""
        value = self.args.get(name)
        if not isinstance(value, str) or not value:
            raise invalid("<> is required and a string", name)
        return value

    def spec(self, structure: dict[str, Any], *required: str) -> dict[str, Any]:
        """The structure that the client sent, checked; unset fields are left out."""
        spec = checked(self.args.get("spec") or {}, structure, "")
        for name in required:
            if not spec.get(name):
                raise invalid("<> is required", name)
        return spec

    @property
    def shows_ids(self) -> bool:
        """Whether get returns the id: the vendor's pages say no, the samples of /rest show it."""
        wanted = self.store.config.get_has_id
        return self.dialect == "rest" if wanted is None else wanted


OPERATIONS: dict[str, Callable[[Call], Any]] = {}
# What each operation requires, as far as config.missing_privileges can take it away.
PRIVILEGES = {
    "item.create": "ContentLibrary.AddLibraryItem",
    "item.copy": "ContentLibrary.AddLibraryItem",
    "item.update": "ContentLibrary.UpdateLibraryItem",
    "item.delete": "ContentLibrary.DeleteLibraryItem",
    "update_session.create": "ContentLibrary.UpdateSession",
    "download_session.create": "ContentLibrary.DownloadSession",
    "item_storage.list": "ContentLibrary.ReadStorage",
    "item_storage.get": "ContentLibrary.ReadStorage",
    "library.update": "ContentLibrary.UpdateLibrary",
    "local_library.create": "ContentLibrary.CreateLocalLibrary",
    "local_library.update": "ContentLibrary.UpdateLocalLibrary",
    "local_library.delete": "ContentLibrary.DeleteLocalLibrary",
    "local_library.force_delete": "ContentLibrary.DeleteLocalLibrary",
    "subscribed_library.create": "ContentLibrary.CreateSubscribedLibrary",
    "subscribed_library.update": "ContentLibrary.UpdateSubscribedLibrary",
    "subscribed_library.delete": "ContentLibrary.DeleteSubscribedLibrary",
    "subscribed_library.force_delete": "ContentLibrary.DeleteSubscribedLibrary",
    "subscribed_library.probe": "ContentLibrary.ProbeSubscription",
    "subscribed_library.sync": "ContentLibrary.SyncLibrary",
    "subscribed_library.evict": "ContentLibrary.EvictSubscribedLibrary",
    "subscribed_item.sync": "ContentLibrary.SyncLibraryItem",
    "subscribed_item.evict": "ContentLibrary.EvictLibraryItem",
}
REPEATABLE = (".create", ".copy")  # with a client token: "guarantees idempotent creation"
NAME_LENGTH, DESCRIPTION_LENGTH = 80, 2000
TOKEN_FORMAT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def operation(name: str) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """The function is what the service does for the operation of that name."""

    def register(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
        OPERATIONS[name] = function
        return function

    return register


def perform(name: str, call: Call) -> Any:
    """The operation's result; that of the first request where this one repeats it with the same client token.

    It is to be awaited where the operation asks another server.
    """
    copies.settle(call.store)
    if PRIVILEGES.get(name) in call.store.config.missing_privileges:
        raise missing_privilege(PRIVILEGES[name])
    token = call.args.get("client_token") or call.client_token
    if not token or not call.user or not call.store.config.client_tokens or not name.endswith(REPEATABLE):
        return OPERATIONS[name](call)
    if not isinstance(token, str) or not TOKEN_FORMAT.fullmatch(token):
        raise invalid("the client token <> is not a UUID", token)
    created, key = call.store.created, (call.user, name, token.lower())
    if key not in created:
        created[key] = OPERATIONS[name](call)
        if inspect.isawaitable(created[key]):
            created[key] = asyncio.ensure_future(created[key])
            created[key].add_done_callback(lambda done: done.exception() and created.pop(key))
    return created[key]


def missing_privilege(privilege: str) -> VapiError:
    return VapiError("UNAUTHORIZED", message("unauthorized", "The privilege <> is required.", privilege))


def invalid(template: str, *args: object) -> VapiError:
    return VapiError("INVALID_ARGUMENT", message("invalid_argument", f"Invalid argument: {template}.", *args))


def check_texts(spec: dict[str, Any]) -> None:
    """The limits for the names and descriptions of libraries and items."""
    for name, limit in (("name", NAME_LENGTH), ("description", DESCRIPTION_LENGTH)):
        if len(spec.get(name, "")) > limit:
            raise invalid("<> has more than <> characters", name, limit)


def checked(value: Any, structure: Any, path: str) -> Any:
    """``value`` if it is what ``structure`` describes; fields that are null are taken as unset.

    A dict is a structure, a list holds what its elements are, a tuple the values of an enumeration.
    """
    if structure in (dict, str, int, bool):
        if not isinstance(value, structure) or (structure is int and isinstance(value, bool)):
            raise invalid("<> has the wrong type", path)
        return value
    if isinstance(structure, tuple):
        if value not in structure:
            raise invalid("<> is not one of <>", path, ", ".join(structure))
        return value
    if isinstance(structure, list):
        if not isinstance(value, list):
            raise invalid("<> is not a list", path)
        return [checked(entry, structure[0], f"{path}[]") for entry in value]
    if not isinstance(value, dict):
        raise invalid("<> is not a structure", path or "the body")
    unknown = sorted(value.keys() - structure.keys())
    if unknown:
        text = "Unexpected fields: <>."
        raise VapiError("UNEXPECTED_INPUT", message("unexpected_input", text, ", ".join(unknown)))
    given = {name: entry for name, entry in value.items() if entry is not None}
    return {name: checked(entry, structure[name], f"{path}.{name}".lstrip(".")) for name, entry in given.items()}
