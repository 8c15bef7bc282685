# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published libraries as their subscribers read them: lib.json, items.json, an item.json for each item, and files.

The fields are those of the content subscription protocol (VCSP) in its second version. References are relative to the
folder of lib.json.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .models import Item, Library

if TYPE_CHECKING:
    from .store import Store

FOLDER = "/cls/vcsp/lib"
USER = "vcsp"  # "the username is ignored in the current release"
URN = "urn:uuid:"
TYPES = {"": "vcsp.other", "iso": "vcsp.iso", "ovf": "vcsp.ovf"}
ITEM_TYPES = {name: kind for kind, name in TYPES.items()}


def publish_url(store: Store, library: Library) -> str:
    return f"{store.url}{FOLDER}/{library.id}/lib.json"


def is_published(library: Library) -> bool:
    return bool(library.publish_info.get("published")) and not library.deleted


def admits(library: Library, authorization: str) -> bool:
    """Whether a subscriber that sends this header may read the library."""
    if library.publish_info.get("authentication_method") != "BASIC":
        return True
    credentials = f"{USER}:{library.publish_info.get('password', '')}"
    return authorization == f"Basic {base64.b64encode(credentials.encode()).decode()}"


def lib_json(store: Store, library: Library) -> dict[str, Any]:
    return {
        "vcspVersion": "2",
        "version": str(library.changes),
        "contentVersion": "1",
        "name": library.name,
        "id": f"{URN}{library.id}",
        "created": store.timestamp(library.created),
        "capabilities": {"transferIn": ["httpGet"], "transferOut": ["httpGet"]},
        "itemsHref": "items.json",
    }


def items_json(store: Store, library: Library) -> dict[str, Any]:
    return {"items": [item_json(store, item) for item in store.library_items(library)]}


def item_json(store: Store, item: Item) -> dict[str, Any]:
    return {
        "created": store.timestamp(item.created),
        "description": item.description,
        "version": str(item.content_version + item.metadata_version - 1),
        "files": [
            {
                "name": file.name,
                "size": file.blob.size,
                "etag": file.blob.path.name,
                "hrefs": [f"{item.id}/{quote(file.name, safe='')}"],
            }
            for file in item.files.values()
        ],
        "id": f"{URN}{item.id}",
        "name": item.name,
        "properties": {},
        "selfHref": f"{item.id}/item.json",
        "type": TYPES.get(item.type.lower(), f"vcsp.{item.type}"),
    }
