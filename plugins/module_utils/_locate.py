# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which library and which item the options of a task mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument, NotFound
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of
from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import only_id
from ansible_collections.vsphere.content_library.plugins.module_utils._models import LibraryItem
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Services


def find_library(params: Mapping[str, Any], services: Services) -> str | None:
    """The id of the library that library_name or library_id means; None where neither is given.

    Raises NotFound for a name that no library has, and InvalidArgument for one that several have.
    """
    if not params["library_name"]:
        return params["library_id"]
    library_id = services.libraries.find(params["library_name"])
    if library_id is None:
        where = f"{params['library_name']} on {services.client.peer.host}"
        raise NotFound(f"there is no library {where} that this user may see; the case of its name counts")
    return library_id


def existing_library_item(params: Mapping[str, Any], services: Services) -> LibraryItem:
    """The item that the options name. Raises NotFound, InvalidArgument."""
    library_id, item = find_library_item(params, services)
    if item is None:
        host = services.client.peer.host
        text = f"there is no library item {params['name']} in library {library_id} on {host}: see library_item_info"
        raise NotFound(text, operation="item.find")
    return item


def find_library_item(params: Mapping[str, Any], services: Services) -> tuple[str, LibraryItem | None]:
    """The id of the library, and the item, None where no item has the name. Raises NotFound, InvalidArgument."""
    library_id = find_library(params, services)
    if params["library_item_id"]:
        item = services.library_items.get(params["library_item_id"])
        if library_id not in (None, item["library_id"]):
            raise InvalidArgument(f"library_item_id {item['id']} is not in library {library_id}")
        return str(item["library_id"]), item
    found = {id_of(item): item for item in services.library_items.named(str(library_id), params["name"])}
    item_id = only_id(list(found), f"library items have the name {params['name']}", "library_item_id")
    return str(library_id), found[item_id] if item_id else None
