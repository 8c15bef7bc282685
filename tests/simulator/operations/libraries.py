# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries of both types: what their models have, and what is alike for both."""

from __future__ import annotations

import time
import uuid
from typing import Any

from ..errors import VapiError, message
from ..models import Library
from ..publishing import USER, is_published, publish_url
from ..store import SECURITY_POLICY, Store
from .call import Call, check_texts, invalid, operation

AUTHENTICATION_METHODS = ("BASIC", "NONE")
PUBLISH_INFO = {
    "authentication_method": AUTHENTICATION_METHODS,
    "published": bool,
    "publish_url": str,
    "user_name": str,
    "password": str,
    "current_password": str,
    "persist_json_enabled": bool,
}
SUBSCRIPTION_INFO = {
    "authentication_method": AUTHENTICATION_METHODS,
    "automatic_sync_enabled": bool,
    "on_demand": bool,
    "password": str,
    "ssl_thumbprint": str,
    "subscription_url": str,
    "user_name": str,
    "source_info": dict,
}
LIBRARY_SPEC = {
    "id": str,
    "creation_time": str,
    "description": str,
    "last_modified_time": str,
    "last_sync_time": str,
    "name": str,
    "storage_backings": [{"type": ("DATASTORE", "OTHER"), "datastore_id": str, "storage_uri": str}],
    "type": ("LOCAL", "SUBSCRIBED"),
    "optimization_info": {"optimize_remote_publishing": bool},
    "version": str,
    "publish_info": PUBLISH_INFO,
    "subscription_info": SUBSCRIPTION_INFO,
    "server_guid": str,
    "security_policy_id": str,
    "unset_security_policy_id": bool,
}
BACKING_FIELDS = {"DATASTORE": "datastore_id", "OTHER": "storage_uri"}
SECRETS = ("password", "current_password", "ssl_thumbprint")

LIBRARY_FIND = {"name": str, "type": ("LOCAL", "SUBSCRIBED")}


@operation("library.list")
def library_list(call: Call) -> list[str]:
    return list(call.store.libraries)


@operation("library.get")
def library_get(call: Call) -> dict[str, Any]:
    return library_model(call, call.store.library(call.text("library_id")))


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
    """Name and description: "will not affect the properties specific to the type of library"."""
    spec = call.spec(LIBRARY_SPEC)
    library = call.store.library(call.text("library_id"))
    if spec.get("version", str(library.version)) != str(library.version):
        raise invalid("version <> is not the current version <>", spec["version"], library.version)
    check_change(call.store, spec)
    change_library(library, spec)


def library_model(call: Call, library: Library) -> dict[str, Any]:
    store = call.store
    model: dict[str, Any] = {"id": library.id} if call.shows_ids else {}
    model.update(
        creation_time=store.timestamp(library.created),
        description=library.description,
        last_modified_time=store.timestamp(library.modified),
        name=library.name,
        storage_backings=library.storage_backings,
        type=library.type,
        version=str(library.version),
        server_guid=store.server_guid,
    )
    if library.type == "LOCAL":
        model["publish_info"] = publish_info(store, library)
    if library.subscription_info:
        model["subscription_info"] = without_secrets(library.subscription_info)
    if library.optimization_info:
        model["optimization_info"] = library.optimization_info
    if library.security_policy_id:
        model["security_policy_id"] = library.security_policy_id
    if library.last_sync is not None:
        model["last_sync_time"] = store.timestamp(library.last_sync)
    if store.is_at_least("9.1"):
        model["state_info"] = {"state": "ACTIVE"}
        model["configuration_info"] = {"apply_library_usage_to_items": False}
    return model


def publish_info(store: Store, library: Library) -> dict[str, Any]:
    info = {"authentication_method": "NONE", "published": False, "persist_json_enabled": False}
    info.update(without_secrets(library.publish_info))
    if is_published(library):
        info.update(publish_url=publish_url(store, library), user_name=USER)
    return info


def without_secrets(info: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in info.items() if name not in SECRETS}


def new_library(call: Call, spec: dict[str, Any], kind: str) -> Library:
    """What a create asks for, checked; it is not there yet."""
    for name in ("name", "storage_backings"):
        if not spec.get(name):
            raise invalid("<> is required", name)
    check_change(call.store, spec)
    if len(spec["storage_backings"]) > 1:
        text = "Multiple storage backings are not supported."
        raise VapiError("UNSUPPORTED", message("storage_backings", text))
    [backing] = spec["storage_backings"]
    needed = BACKING_FIELDS.get(backing.get("type", ""), "type")
    if not backing.get(needed):
        raise invalid("<> is required", f"storage_backings[].{needed}")
    return Library(
        id=str(uuid.uuid4()),
        name=spec["name"],
        type=kind,
        description=spec.get("description", ""),
        storage_backings=spec["storage_backings"],
        optimization_info=spec.get("optimization_info", {}),
        security_policy_id=spec.get("security_policy_id"),
    )


def check_change(store: Store, spec: dict[str, Any]) -> None:
    check_texts(spec)
    if spec.get("name") == "":
        raise invalid("<> is empty", "name")
    policy = spec.get("security_policy_id")
    if policy is not None and policy != SECURITY_POLICY and not spec.get("unset_security_policy_id"):
        raise invalid("the security policy <> does not exist", policy)


def check_version(library: Library, spec: dict[str, Any]) -> None:
    if spec.get("version", str(library.version)) != str(library.version):
        text = "The version <> is not the current version <>."
        raise VapiError("CONCURRENT_CHANGE", message("library_changed", text, spec["version"], library.version))


def change_library(library: Library, spec: dict[str, Any]) -> None:
    """What an update may change in both types. Other fields, such as storage_backings, are passed over in silence."""
    library.name = spec.get("name", library.name)
    library.description = spec.get("description", library.description)
    if spec.get("unset_security_policy_id"):
        library.security_policy_id = None
    else:
        library.security_policy_id = spec.get("security_policy_id", library.security_policy_id)
    library.version += 1
    library.modified = time.time()
    library.changes += 1


def require_unused(store: Store, library: Library) -> None:
    """From 9.1 on, who uses a library can say so, and it is deleted by force only."""
    if library.used_by and store.is_at_least("9.1"):
        text = "The library <> is in use by <>."
        raise VapiError(
            "NOT_ALLOWED_IN_CURRENT_STATE", message("library_in_use", text, library.id, ", ".join(library.used_by))
        )


def require_local_library(library: Library) -> None:
    if library.type != "LOCAL":
        text = "The library <> is not a local library."
        raise VapiError("INVALID_ELEMENT_TYPE", message("library_subscribed", text, library.id))


def require_subscribed_library(library: Library) -> None:
    if library.type != "SUBSCRIBED":
        text = "The library <> is not a subscribed library."
        raise VapiError("INVALID_ELEMENT_TYPE", message("library_local", text, library.id))
