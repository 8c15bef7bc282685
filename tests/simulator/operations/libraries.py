# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries of both types, and local ones."""

from __future__ import annotations

import time
import uuid
from typing import Any

from ..errors import VapiError, message
from ..models import Library
from ..store import DEFAULT_BACKING, SERVER_GUID
from .call import Call, check_texts, invalid, operation

LIBRARY_SPEC = {
    "id": str,
    "creation_time": str,
    "description": str,
    "last_modified_time": str,
    "last_sync_time": str,
    "name": str,
    "storage_backings": [{"type": ("DATASTORE", "OTHER"), "datastore_id": str, "storage_uri": str}],
    "type": ("LOCAL", "SUBSCRIBED"),
    "optimization_info": dict,
    "version": str,
    "publish_info": dict,
    "subscription_info": dict,
    "server_guid": str,
    "security_policy_id": str,
    "unset_security_policy_id": bool,
}

LIBRARY_FIND = {"name": str, "type": ("LOCAL", "SUBSCRIBED")}


@operation("library.list")
def library_list(call: Call) -> list[str]:
    return list(call.store.libraries)


@operation("library.get")
def library_get(call: Call) -> dict[str, Any]:
    return library_model(call, call.store.library(call.text("library_id")))


def library_model(call: Call, library: Library) -> dict[str, Any]:
    model: dict[str, Any] = {"id": library.id} if call.shows_ids else {}
    model.update(
        creation_time=call.store.timestamp(library.created),
        description=library.description,
        last_modified_time=call.store.timestamp(library.modified),
        name=library.name,
        storage_backings=[DEFAULT_BACKING],
        type=library.type,
        version=str(library.version),
        server_guid=SERVER_GUID,
    )
    model.update(library.properties)
    return model


@operation("library.find")
def library_find(call: Call) -> list[str]:
    spec = call.spec(LIBRARY_FIND)
    if not spec:
        raise VapiError("INVALID_ARGUMENT", message("find_spec_empty", "The find specification is empty."))
    return [
        library.id
        for library in call.store.libraries.values()
        if spec.get("name", library.name).casefold() == library.name.casefold()
        and spec.get("type", library.type) == library.type
    ]


@operation("library.update")
def library_update(call: Call) -> None:
    spec = call.spec(LIBRARY_SPEC)
    library = call.store.library(call.text("library_id"))
    if spec.get("version", str(library.version)) != str(library.version):
        raise invalid("version <> is not the current version <>", spec["version"], library.version)
    change_library(library, spec)


def change_library(library: Library, spec: dict[str, Any]) -> None:
    check_texts(spec)
    if spec.get("name") == "":
        raise invalid("<> is empty", "name")
    library.name = spec.get("name", library.name)
    library.description = spec.get("description", library.description)
    library.version += 1
    library.modified = time.time()


@operation("local_library.list")
def local_library_list(call: Call) -> list[str]:
    return [library.id for library in call.store.libraries.values() if library.type == "LOCAL"]


@operation("local_library.create")
def local_library_create(call: Call) -> str:
    spec = call.spec(LIBRARY_SPEC, "name", "storage_backings")
    check_texts(spec)
    if len(spec["storage_backings"]) > 1:
        text = "Multiple storage backings are not supported."
        raise VapiError("UNSUPPORTED", message("storage_backings", text))
    library = Library(str(uuid.uuid4()), spec["name"], "LOCAL", spec.get("description", ""))
    library.properties = {"storage_backings": spec["storage_backings"]}
    call.store.libraries[library.id] = library
    return library.id


def local_library(call: Call) -> Library:
    library = call.store.library(call.text("library_id"))
    require_local_library(library)
    return library


def require_local_library(library: Library) -> None:
    if library.type != "LOCAL":
        text = "The library <> is not a local library."
        raise VapiError("INVALID_ELEMENT_TYPE", message("library_subscribed", text, library.id))


@operation("local_library.get")
def local_library_get(call: Call) -> dict[str, Any]:
    return library_model(call, local_library(call))


@operation("local_library.update")
def local_library_update(call: Call) -> None:
    spec = call.spec(LIBRARY_SPEC)
    library = local_library(call)
    if spec.get("version", str(library.version)) != str(library.version):
        text = "The version <> is not the current version <>."
        raise VapiError("CONCURRENT_CHANGE", message("library_changed", text, spec["version"], library.version))
    change_library(library, spec)
    if "publish_info" in spec:
        library.properties["publish_info"] = {
            name: value for name, value in spec["publish_info"].items() if "password" not in name
        }


@operation("local_library.delete")
def local_library_delete(call: Call) -> None:
    library = local_library(call)
    for item in [item for item in call.store.items.values() if item.library_id == library.id]:
        call.store.delete_item(item)
    del call.store.libraries[library.id]
