# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Library items and their files."""

from __future__ import annotations

import time
from typing import Any

from .. import copies
from ..errors import VapiError, message
from ..models import Item, ItemFile
from ..store import Store
from .call import Call, check_texts, invalid, operation
from .libraries import require_local_library

ITEM_SPEC = {
    "id": str,
    "library_id": str,
    "content_version": str,
    "creation_time": str,
    "description": str,
    "last_modified_time": str,
    "last_sync_time": str,
    "metadata_version": str,
    "name": str,
    "cached": bool,
    "size": int,
    "type": str,
    "version": str,
    "source_id": str,
    "security_compliance": bool,
    "certificate_verification_info": dict,
}

ITEM_FIND = {"name": str, "library_id": str, "source_id": str, "type": str, "cached": bool}


@operation("item.list")
def item_list(call: Call) -> list[str]:
    library = call.store.library(call.text("library_id"))
    return [item.id for item in call.store.items.values() if item.library_id == library.id]


@operation("item.create")
def item_create(call: Call) -> str:
    spec = call.spec(ITEM_SPEC, "library_id", "name")
    check_texts(spec)
    library = call.store.library(spec["library_id"])
    require_local_library(library)
    require_free_name(call.store, library.id, spec["name"])
    item = call.store.add_item(library.id, spec["name"], spec.get("type", ""))
    item.description = spec.get("description", "")
    return item.id


@operation("item.copy")
def item_copy(call: Call) -> str:
    """The new item is empty at first. A name or a description that is not given is that of the source."""
    source = call.store.item(call.text("source_library_item_id"))
    spec = call.spec(ITEM_SPEC, "library_id")
    check_texts(spec)
    library = call.store.library(spec["library_id"])
    require_local_library(library)
    name = spec.get("name") or source.name
    require_free_name(call.store, library.id, name)
    item = call.store.add_item(library.id, name, source.type)
    item.description = spec.get("description", source.description)
    copies.begin(call.store, source, item)
    return item.id


def require_free_name(store: Store, library_id: str, name: str) -> None:
    if any(item.library_id == library_id and item.name == name for item in store.items.values()):
        text = "A library item named <> exists already in the library <>."
        raise VapiError("ALREADY_EXISTS", message("item_exists", text, name, library_id))


def require_local(store: Store, item: Item) -> None:
    if store.libraries[item.library_id].type != "LOCAL":
        text = "The library item <> belongs to a subscribed library."
        raise VapiError("INVALID_ELEMENT_TYPE", message("item_subscribed", text, item.id))


@operation("item.get")
def item_get(call: Call) -> dict[str, Any]:
    store = call.store
    item = store.item(call.text("library_item_id"))
    model: dict[str, Any] = {"id": item.id} if call.shows_ids else {}
    model.update(
        library_id=item.library_id,
        creation_time=store.timestamp(item.created),
        description=item.description,
        last_modified_time=store.timestamp(item.modified),
        metadata_version=str(item.metadata_version),
        name=item.name,
        cached=store.is_item_cached(item),
        size=sum(map(store.stored_size, item.files.values())),
        type=item.type,
        version=str(item.metadata_version),
    )
    if not store.config.hide_content_versions:
        model["content_version"] = str(item.content_version)
    if item.source_id:
        model["source_id"] = item.source_id
    if item.last_sync is not None:
        model["last_sync_time"] = store.timestamp(item.last_sync)
    return model


@operation("item.update")
def item_update(call: Call) -> None:
    spec = call.spec(ITEM_SPEC)
    check_texts(spec)
    item = call.store.item(call.text("library_item_id"))
    require_local(call.store, item)
    if spec.get("version", str(item.metadata_version)) != str(item.metadata_version):
        raise invalid("version <> is not the current version <>", spec["version"], item.metadata_version)
    if "name" in spec and spec["name"] != item.name:
        if not spec["name"]:
            raise invalid("<> is empty", "name")
        require_free_name(call.store, item.library_id, spec["name"])
    for name in ("name", "description", "type"):
        setattr(item, name, spec.get(name, getattr(item, name)))
    item.metadata_version += 1
    item.modified = time.time()
    call.store.change_items(item.library_id)


@operation("item.delete")
def item_delete(call: Call) -> None:
    item = call.store.item(call.text("library_item_id"))
    require_local(call.store, item)
    call.store.delete_item(item)


@operation("item.find")
def item_find(call: Call) -> list[str]:
    spec = call.spec(ITEM_FIND)
    if not spec:
        raise VapiError("INVALID_ARGUMENT", message("find_spec_empty", "The find specification is empty."))
    return [item.id for item in call.store.items.values() if item_matches(call.store, item, spec)]


def item_matches(store: Store, item: Item, spec: dict[str, Any]) -> bool:
    return (
        spec.get("name", item.name).casefold() == item.name.casefold()
        and spec.get("type", item.type).casefold() == item.type.casefold()
        and spec.get("library_id", item.library_id) == item.library_id
        and spec.get("cached") in (None, store.is_item_cached(item))
        and spec.get("source_id", item.source_id) == item.source_id
    )


@operation("item_file.list")
def item_file_list(call: Call) -> list[dict[str, Any]]:
    item = call.store.item(call.text("library_item_id"))
    return [item_file_info(call.store, file) for file in item.files.values()]


@operation("item_file.get")
def item_file_get(call: Call) -> dict[str, Any]:
    item = call.store.item(call.text("library_item_id"))
    return item_file_info(call.store, named_file(item, call.text("name")))


def named_file(item: Item, name: str) -> ItemFile:
    if name not in item.files:
        text = "The file <> does not exist in the library item <>."
        raise VapiError("NOT_FOUND", message("item_file_not_found", text, name, item.id))
    return item.files[name]


def item_file_info(store: Store, file: ItemFile) -> dict[str, Any]:
    info: dict[str, Any] = {
        "name": file.name,
        "size": store.stored_size(file),
        "cached": store.is_cached(file),
        "version": str(file.version),
    }
    algorithm = store.config.item_checksum_algorithm
    if algorithm and (file.cached or not file.source):
        info["checksum_info"] = {"algorithm": algorithm, "checksum": file.blob.digest(algorithm)}
    return info
