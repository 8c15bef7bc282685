# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/control/libraries: libraries that tests seed, change and wait for."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

from starlette.requests import Request

from .models import Item, ItemFile, Library
from .publishing import publish_url
from .store import Store
from .synchronization import cache_item, evict, start_sync

ATTRIBUTES = {
    "name",
    "description",
    "storage_backings",
    "publish_info",
    "subscription_info",
    "optimization_info",
    "security_policy_id",
    "used_by",
}
ITEM_ATTRIBUTES = {"name", "description", "type", "files", "removed", "cached"}
POLL = 0.01


class LibraryControl:
    """The endpoints, over the state that the service has. Nothing is checked: a test may want what the API refuses."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def add(self, request: Request) -> Any:
        wanted = await request.json()
        items, synchronized = wanted.pop("items", []), wanted.pop("sync", False)
        library = Library(str(uuid.uuid4()), wanted.pop("name"), wanted.pop("type", "LOCAL"))
        self.change_library(library, wanted)
        self.store.add_library(library)
        for entry in items:
            name, kind, files = entry.pop("name"), entry.pop("type", ""), entry.pop("files", {})
            item = self.store.add_item(library.id, name, kind, {key: text.encode() for key, text in files.items()})
            await self.change(item, entry)
        if synchronized:
            await self.synchronize(library)
        return library_state(self.store, library)

    async def get(self, request: Request) -> Any:
        return library_state(self.store, self.library(request))

    async def update(self, request: Request) -> Any:
        library = self.library(request)
        self.change_library(library, await request.json())
        return library_state(self.store, library)

    async def delete(self, request: Request) -> Any:
        self.store.forget_library(self.library(request))
        return {}

    async def sync(self, request: Request) -> Any:
        """Synchronize, and answer once that is over."""
        library = self.library(request)
        await self.synchronize(library)
        return library_state(self.store, library)

    async def update_item(self, request: Request) -> Any:
        """Change an item, as an update session of somebody else would."""
        item = self.store.item(request.path_params["item_id"])
        await self.change(item, await request.json())
        return {"id": item.id}

    async def delete_item(self, request: Request) -> Any:
        self.store.delete_item(self.store.item(request.path_params["item_id"]))
        return {}

    def library(self, request: Request) -> Library:
        return self.store.library(request.path_params["library_id"])

    def change_library(self, library: Library, wanted: dict[str, Any]) -> None:
        refuse_unknown(wanted, ATTRIBUTES)
        for name, value in wanted.items():
            setattr(library, name, value)

    async def change(self, item: Item, wanted: dict[str, Any]) -> None:
        refuse_unknown(wanted, ITEM_ATTRIBUTES)
        for name in ("name", "description", "type"):
            setattr(item, name, wanted.get(name, getattr(item, name)))
        for name in wanted.get("removed", []):
            item.files.pop(name).blob.path.unlink(missing_ok=True)
        for name, text in wanted.get("files", {}).items():
            blob = self.store.new_blob()
            blob.path.write_text(text)
            blob.size = blob.path.stat().st_size
            item.files[name] = ItemFile(name, blob, item.files[name].version + 1 if name in item.files else 1)
        if "files" in wanted or "removed" in wanted:
            item.content_version += 1
        if wanted.get("cached"):
            await cache_item(self.store, self.store.libraries[item.library_id], item)
        elif "cached" in wanted:
            await evict(self.store, [item])
        item.modified = time.time()
        self.store.change_items(item.library_id)

    async def synchronize(self, library: Library) -> None:
        start_sync(self.store, library)
        while library.syncing:
            await asyncio.sleep(POLL)


def refuse_unknown(wanted: dict[str, Any], known: set[str]) -> None:
    unknown = wanted.keys() - known
    if unknown:
        raise ValueError(f"unknown keys: {sorted(unknown)}")


def library_state(store: Store, library: Library) -> dict[str, Any]:
    return {
        "id": library.id,
        "name": library.name,
        "type": library.type,
        "description": library.description,
        "version": str(library.version),
        "storage_backings": library.storage_backings,
        "publish_info": library.publish_info,
        "publish_url": publish_url(store, library),
        "subscription_info": library.subscription_info,
        "optimization_info": library.optimization_info,
        "security_policy_id": library.security_policy_id,
        "used_by": library.used_by,
        "syncing": library.syncing,
        "sync_error": library.sync_error,
    }
