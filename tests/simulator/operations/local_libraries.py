# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Local libraries, and how they are published."""

from __future__ import annotations

from typing import Any

from ..models import Library
from ..publishing import USER
from .call import Call, invalid, operation
from .libraries import (
    LIBRARY_SPEC,
    change_library,
    check_change,
    check_version,
    library_model,
    new_library,
    require_local_library,
    require_unused,
)


@operation("local_library.list")
def local_library_list(call: Call) -> list[str]:
    return [library.id for library in call.store.libraries.values() if library.type == "LOCAL"]


@operation("local_library.create")
def local_library_create(call: Call) -> str:
    spec = call.spec(LIBRARY_SPEC)
    library = new_library(call, spec, "LOCAL")
    info = spec.get("publish_info")
    if info is not None:
        for name in ("authentication_method", "published"):
            if name not in info:
                raise invalid("<> is required", f"publish_info.{name}")
        library.publish_info = published(library, info)
    return call.store.add_library(library).id


@operation("local_library.get")
def local_library_get(call: Call) -> dict[str, Any]:
    return library_model(call, local_library(call))


@operation("local_library.update")
def local_library_update(call: Call) -> None:
    spec = call.spec(LIBRARY_SPEC)
    library = local_library(call)
    check_version(library, spec)
    check_change(call.store, spec)
    info = published(library, spec["publish_info"]) if "publish_info" in spec else library.publish_info
    change_library(library, spec)
    library.publish_info = info


@operation("local_library.delete")
def local_library_delete(call: Call) -> None:
    library = local_library(call)
    require_unused(call.store, library)
    call.store.delete_library(library)


@operation("local_library.force_delete")
def local_library_force_delete(call: Call) -> None:
    call.store.delete_library(local_library(call))


def local_library(call: Call) -> Library:
    library = call.store.library(call.text("library_id"))
    require_local_library(library)
    return library


def published(library: Library, change: dict[str, Any]) -> dict[str, Any]:
    """The library's PublishInfo after a change of it, or the error that the change is."""
    before = library.publish_info
    after = {**before, **{name: change[name] for name in change if name not in ("publish_url", "current_password")}}
    if change.get("user_name") not in (None, "", USER):
        raise invalid("the user name is not <>", USER)
    if before.get("authentication_method") == "BASIC":
        turned_off = after["authentication_method"] == "NONE" or (before.get("published") and not after["published"])
        guarded = "password" in change or turned_off
        if guarded and change.get("current_password") != before.get("password"):
            raise invalid("the current password of the published library is not the one given")
    if after.get("authentication_method") == "BASIC":
        if not after.get("password"):
            raise invalid("<> is required", "publish_info.password")
    else:
        after.pop("password", None)
    after.pop("user_name", None)
    return after
