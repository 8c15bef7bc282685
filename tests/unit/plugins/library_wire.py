# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries and library items on the scripted wire."""

from __future__ import annotations

from typing import Any

from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import ITEM, OPERATIONS

LIBRARY = "8a4ee4c2-7d1c-4d2e-9c6f-0d1f8d7f5c11"
OF_LIBRARY = f"?library_id={LIBRARY}"

_API = "/api/content/library"
_REST = "/rest/com/vmware/content/library"
_TYPES = {"local": "local-library", "subscribed": "subscribed-library"}

# In the notation of wire.OPERATIONS; an id is always given.
OPERATIONS.update(
    {
        "find_library": (f"POST {_API}?action=find", 200, f"POST {_REST}?~action=find", "spec"),
        "get_library": (f"GET {_API}/{{id}}", 200, f"GET {_REST}/id:{{id}}", None),
        "list_libraries": (f"GET {_API}", 200, f"GET {_REST}", None),
        "list_items": (f"GET {_API}/item", 200, f"GET {_REST}/item", None),
        "find_item": (f"POST {_API}/item?action=find", 200, f"POST {_REST}/item?~action=find", "spec"),
        "get_item": (f"GET {_API}/item/{{id}}", 200, f"GET {_REST}/item/id:{{id}}", None),
        "create_item": (f"POST {_API}/item", 201, f"POST {_REST}/item", "create_spec"),
        "update_item": (f"PATCH {_API}/item/{{id}}", 204, f"PATCH {_REST}/item/id:{{id}}", "update_spec"),
        "delete_item": (f"DELETE {_API}/item/{{id}}", 204, f"DELETE {_REST}/item/id:{{id}}", None),
        "item_files": (f"GET {_API}/item/{{id}}/file", 200, f"GET {_REST}/item/file?library_item_id={{id}}", None),
        "sync_item": (
            f"POST {_API}/subscribed-item/{{id}}?action=sync",
            204,
            f"POST {_REST}/subscribed-item/id:{{id}}?~action=sync",
            None,
        ),
        "evict_item": (
            f"POST {_API}/subscribed-item/{{id}}?action=evict",
            204,
            f"POST {_REST}/subscribed-item/id:{{id}}?~action=evict",
            None,
        ),
        "datastores": ("GET /api/vcenter/datastore", 200, "GET /rest/vcenter/datastore", None),
    }
)
for _type, _name in _TYPES.items():
    _api, _rest = f"/api/content/{_name}", f"/rest/com/vmware/content/{_name}"
    OPERATIONS.update(
        {
            f"create_{_type}": (f"POST {_api}", 201, f"POST {_rest}", "create_spec"),
            f"update_{_type}": (f"PATCH {_api}/{{id}}", 204, f"PATCH {_rest}/id:{{id}}", "update_spec"),
            f"delete_{_type}": (f"DELETE {_api}/{{id}}", 204, f"DELETE {_rest}/id:{{id}}", None),
            f"probe_{_type}": (f"POST {_api}?action=probe", 200, f"POST {_rest}?~action=probe", None),
        }
    )
    for _action in ("force-delete", "sync", "evict"):
        OPERATIONS[f"{_action.replace('-', '_')}_{_type}"] = (
            f"POST {_api}/{{id}}?action={_action}",
            204,
            f"POST {_rest}/id:{{id}}?~action={_action}",
            None,
        )


def library(kind: str = "LOCAL", name: str = "demo", **members: Any) -> dict[str, Any]:
    """A LibraryModel with what matters here."""
    return {"id": LIBRARY, "name": name, "type": kind, **members}


def item(name: str = "tools", **members: Any) -> dict[str, Any]:
    """An ItemModel as a server tells it."""
    model = {"id": ITEM, "library_id": LIBRARY, "name": name, "type": "iso", "description": "", "size": 7}
    return {**model, "content_version": "2", "version": "3", "cached": True, **members}


def item_file(name: str = "tools.iso", size: int = 7, checksum: str | None = None, **members: Any) -> dict[str, Any]:
    """The info of an item's file; a checksum is in SHA1."""
    told = {"checksum_info": {"algorithm": "SHA1", "checksum": checksum}} if checksum else {}
    return {"name": name, "size": size, "cached": True, "version": "1", **told, **members}
