# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscribed libraries, and their items."""

from __future__ import annotations

import time
from typing import Any

from ..endpoints import EndpointError
from ..errors import VapiError, message
from ..models import Item, Library
from ..store import Store
from ..synchronization import Publication, evict, probe, start_sync, subscription, synchronize
from .call import Call, checked, invalid, operation
from .libraries import (
    LIBRARY_SPEC,
    SUBSCRIPTION_INFO,
    change_library,
    check_change,
    check_version,
    library_model,
    new_library,
    require_subscribed_library,
    require_unused,
)

REQUIRED = ("authentication_method", "automatic_sync_enabled", "on_demand", "subscription_url")
# What a probe would find -> what subscribing and synchronizing fail with.
INVALID_STATUSES = ("INVALID_URL", "INVALID_CREDENTIALS", "CERTIFICATE_ERROR")


@operation("subscribed_library.list")
def subscribed_library_list(call: Call) -> list[str]:
    return [library.id for library in call.store.libraries.values() if library.type == "SUBSCRIBED"]


@operation("subscribed_library.create")
async def subscribed_library_create(call: Call) -> str:
    spec = call.spec(LIBRARY_SPEC)
    library = new_library(call, spec, "SUBSCRIBED")
    info = spec.get("subscription_info")
    if info is not None:
        check_subscription(info)
        library.source_id = (await contact(call.store, info)).id
        library.subscription_info = info
    call.store.add_library(library)
    if info is not None:
        start_sync(call.store, library)
    return library.id


@operation("subscribed_library.get")
def subscribed_library_get(call: Call) -> dict[str, Any]:
    return library_model(call, subscribed_library(call))


@operation("subscribed_library.update")
async def subscribed_library_update(call: Call) -> None:
    """Another source: "the old library items and data will be lost"."""
    spec = call.spec(LIBRARY_SPEC)
    library = subscribed_library(call)
    check_version(library, spec)
    check_change(call.store, spec)
    before = library.subscription_info
    info = {**before, **spec.get("subscription_info", {})}
    source_id = library.source_id
    if "subscription_info" in spec:
        check_subscription(info)
        source_id = (await contact(call.store, info)).id
        subscribed_library(call)  # it may be gone by now
        check_version(library, spec)
    change_library(library, spec)
    library.subscription_info = info
    if info.get("subscription_url") != before.get("subscription_url"):
        if source_id != library.source_id:
            for item in call.store.library_items(library):
                call.store.delete_item(item)
        library.source_id = source_id
        start_sync(call.store, library)


@operation("subscribed_library.delete")
def subscribed_library_delete(call: Call) -> None:
    library = subscribed_library(call)
    require_unused(call.store, library)
    call.store.delete_library(library)


@operation("subscribed_library.force_delete")
def subscribed_library_force_delete(call: Call) -> None:
    call.store.delete_library(subscribed_library(call))


@operation("subscribed_library.sync")
async def subscribed_library_sync(call: Call) -> None:
    library = subscribed_library(call)
    if library.syncing:
        return
    await contact(call.store, library.subscription_info)
    start_sync(call.store, subscribed_library(call))


@operation("subscribed_library.evict")
def subscribed_library_evict(call: Call) -> None:
    library = subscribed_library(call)
    if not library.on_demand:
        text = "The library <> is not synchronized on demand."
        raise VapiError("NOT_ALLOWED_IN_CURRENT_STATE", message("library_not_on_demand", text, library.id))
    call.store.start(evict(call.store, call.store.library_items(library)))


@operation("subscribed_library.probe")
async def subscribed_library_probe(call: Call) -> dict[str, Any]:
    info = checked(call.args.get("subscription_info"), SUBSCRIPTION_INFO, "subscription_info")
    status, thumbprint, text = await probe(call.store, info)
    result: dict[str, Any] = {"status": status, "error_messages": []}
    if text:
        template = "The library at <> can't be subscribed: <>."
        result["error_messages"].append(message("probe_failed", template, info.get("subscription_url", ""), text))
    if thumbprint:
        result["ssl_thumbprint"] = thumbprint
    return result


@operation("subscribed_item.sync")
def subscribed_item_sync(call: Call) -> None:
    item = subscribed_item(call)
    force = call.args.get("force_sync_content")
    if not isinstance(force, bool):
        raise invalid("<> is required and a boolean", "force_sync_content")
    if call.args.get("sync_optional_files") not in (None, True, False):
        raise invalid("<> is not a boolean", "sync_optional_files")
    item.last_sync = time.time()
    call.store.start(synchronize(call.store, call.store.libraries[item.library_id], item, force))


@operation("subscribed_item.evict")
def subscribed_item_evict(call: Call) -> None:
    item = subscribed_item(call)
    if not call.store.libraries[item.library_id].on_demand:
        text = "The library item <> is in a library that is not synchronized on demand."
        raise VapiError("INVALID_ELEMENT_CONFIGURATION", message("item_not_on_demand", text, item.id))
    call.store.start(evict(call.store, [item]))


def subscribed_library(call: Call) -> Library:
    library = call.store.library(call.text("library_id"))
    require_subscribed_library(library)
    return library


def subscribed_item(call: Call) -> Item:
    item = call.store.item(call.text("library_item_id"))
    if call.store.libraries[item.library_id].type != "SUBSCRIBED":
        text = "The library item <> is not in a subscribed library."
        raise VapiError("INVALID_ELEMENT_TYPE", message("item_local", text, item.id))
    return item


def check_subscription(info: dict[str, Any]) -> None:
    for name in REQUIRED:
        if name not in info:
            raise invalid("<> is required", f"subscription_info.{name}")
    if info["authentication_method"] == "BASIC" and not (info.get("password") and "user_name" in info):
        raise invalid("<> are required", "subscription_info.user_name and password")


async def contact(store: Store, info: dict[str, Any]) -> Publication:
    """What the publisher says of the library; only a publisher that answers can be subscribed."""
    try:
        return await store.fetch(subscription(store, info).read_publication)
    except EndpointError as error:
        kind = "INVALID_ARGUMENT" if error.status in INVALID_STATUSES else "RESOURCE_INACCESSIBLE"
        text = "The library at <> can't be subscribed: <>."
        raise VapiError(kind, message("subscription_failed", text, info.get("subscription_url", ""), error)) from error
