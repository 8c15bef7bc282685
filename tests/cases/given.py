# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a simulator into the state that a case calls `given`.

    config: {page_size: 2}                        # POST /control/config
    libraries: {source: {publish_info: ..., items: [...]}, copy: {subscribes: source, subscription_info: ...}}
                                                  # attributes of POST /control/libraries, by a name of your choice
    items: {item: {type: ovf}}                    # attributes of POST /control/items, by a name of your choice
    sessions: {session: {item: item, state: DONE, files: {disk.vmdk: content or null}}}
    faults: [{session: session, match: ..., fault: ...}]  # POST /control/faults; `session` matches its requests alone
    token: administrator@vsphere.local            # logs in; the token is returned as `token`

A library that `subscribes` to another one of `libraries` is synchronized with it, unless it has `sync: false`; its
`subscription_info` has what is not the default. `NAME_url` in the result is where a library is published. The name of a
library is that in `given`, unless it has another one. An item is in the library that its `library` names.

Sessions are on the item `item` where they don't name another one. A file is pushed with its content, or only added
where that is null. `missing` in the result is an id that nothing has.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from tests.control import Control

ADMINISTRATOR = "administrator@vsphere.local"
MISSING = "00000000-0000-4000-8000-000000000000:11111111-1111-4111-8111-111111111111"
SUBSCRIPTION = {"authentication_method": "NONE", "automatic_sync_enabled": False, "on_demand": False}
KEYS = frozenset(("config", "libraries", "items", "sessions", "faults", "token"))


def put(control: Control, given: dict[str, Any]) -> dict[str, str]:
    """Make the server's state that; the ids of what is there now, by name."""
    assert given.keys() <= KEYS, f"unknown: {given.keys() - KEYS}"
    sessions = given.get("sessions", {})
    items = {session.get("item", "item"): {} for session in sessions.values()}
    ids = {"missing": MISSING}
    control("POST", "/reset")
    for name, attributes in given.get("libraries", {}).items():
        library = _add_library(control, ids, **{"name": name, **attributes})
        ids.update({name: library["id"], f"{name}_url": library["publish_url"]})
    for name, attributes in {"item": {}, **items, **given.get("items", {})}.items():
        ids[name] = _add_item(control, ids, **{"name": name, **attributes})
    for name, session in sessions.items():
        ids[name] = _add_session(control, ids, **session)
    if "token" in given:
        ids["token"] = control.log_in(given["token"])
    if given.get("config"):
        control("POST", "/config", given["config"])
    if given.get("faults"):
        control("POST", "/faults", [_aimed(ids, **fault) for fault in given["faults"]])
    control("DELETE", "/requests")
    return ids


def _add_library(
    control: Control,
    ids: dict[str, str],
    subscribes: str | None = None,
    subscription_info: dict[str, Any] | None = None,
    **wanted: Any,
) -> dict[str, Any]:
    if subscribes:
        wanted = {"type": "SUBSCRIBED", "sync": True, **wanted}
        subscription_info = {"subscription_url": ids[f"{subscribes}_url"], **(subscription_info or {})}
    if subscription_info:
        wanted["subscription_info"] = {**SUBSCRIPTION, **subscription_info}
    return control("POST", "/libraries", wanted)


def _add_item(control: Control, ids: dict[str, str], library: str | None = None, **attributes: Any) -> str:
    place = {"library_id": ids[library]} if library else {}
    return control("POST", "/items", {**place, **attributes})["id"]


def _add_session(
    control: Control,
    ids: dict[str, str],
    item: str = "item",
    user: str = ADMINISTRATOR,
    files: dict[str, str | None] | None = None,
    **attributes: Any,
) -> str:
    [update_session_id] = control("POST", "/sessions", {"library_item_id": ids[item], "user": user})["ids"]
    if files:
        headers = {"vmware-api-session-id": control.log_in(user)}
        path = f"/api/content/library/item/update-session/{quote(update_session_id)}/file"
        for name, content in files.items():
            spec = {"name": name, "source_type": "PUSH"}
            endpoint = control.exchange("POST", path, spec, headers)["upload_endpoint"]["uri"]
            if content is not None:
                control.exchange("PUT", urlsplit(endpoint).path, content.encode(), headers)
        control.exchange("DELETE", "/api/session", headers=headers)
    if attributes:
        control("POST", f"/sessions/{quote(update_session_id)}", attributes)
    return update_session_id


def _aimed(ids: dict[str, str], match: dict[str, Any], session: str | None = None, **fault: Any) -> dict[str, Any]:
    # An id is quoted in a path, but for its first half.
    return {"match": {**match, "path": ids[session].partition(":")[0]} if session else match, **fault}
