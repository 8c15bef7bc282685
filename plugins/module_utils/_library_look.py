# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a library for many tasks, which are each about one of its items."""

from __future__ import annotations

import threading
from collections.abc import Collection

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import Libraries
from ansible_collections.vsphere.content_library.plugins.module_utils._library_items import LibraryItems, by_name
from ansible_collections.vsphere.content_library.plugins.module_utils._models import Library, LibraryItem
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline

# Seconds. A task that begins later looks for its item itself: somebody may have changed the library meanwhile.
FRESH = 10.0


class KnownLibraries(Libraries):
    """Libraries that are looked for once: neither name nor type of a library moves during a task."""

    def __init__(self, client: VCenterClient) -> None:
        super().__init__(client)
        self._lock = threading.RLock()
        self._ids: dict[str, str | None] = {}
        self._libraries: dict[str, Library] = {}

    def get(self, library_id: str) -> Library:
        with self._lock:
            if library_id not in self._libraries:
                self._libraries[library_id] = super().get(library_id)
            return self._libraries[library_id]

    def find(self, name: str) -> str | None:
        with self._lock:
            if name not in self._ids:
                self._ids[name] = super().find(name)
            return self._ids[name]


class LibraryLook:
    """The items of a library as they were seen at one moment."""

    def __init__(self, items: LibraryItems) -> None:
        self._items = items
        self._fresh = Deadline(0)
        self._by_id: dict[str, LibraryItem] = {}
        self._by_name: dict[str, list[LibraryItem]] = {}

    def look(self, library_id: str, names: Collection[str], all_of_them: bool) -> None:
        """See the items with these names, or all. Of a library with many others only these are asked for."""
        ids = self._items.list_ids(library_id)
        self._fresh = Deadline(FRESH)
        if all_of_them or len(ids) <= 2 * len(names):
            found = self._items.existing(ids)
        else:
            found = [item for named in self._items.each_named(library_id, names) for item in named]
        self._by_id = {str(item["id"]): item for item in found}
        self._by_name = {name: [] for name in names}
        for item in found:
            self._by_name.get(item["name"], []).append(item)

    def take(self, name: str) -> list[LibraryItem] | None:
        """The items with this name. None where that has to be looked for: this knows it once, and not for long."""
        found = self._by_name.pop(name, None)
        return found if self._fresh.remaining() > 0 else None

    def others(self, library_id: str, names: Collection[str]) -> list[LibraryItem]:
        """The items that the library has now, and that have none of these names, sorted by name."""
        ids = self._items.list_ids(library_id)
        seen = [self._by_id[item_id] for item_id in ids if item_id in self._by_id]
        new = self._items.existing(item_id for item_id in ids if item_id not in self._by_id)
        return sorted((item for item in seen + new if item["name"] not in names), key=by_name)


class KnownItems(LibraryItems):
    """Items of which the first look for a name takes what was seen."""

    def __init__(self, client: VCenterClient, look: LibraryLook) -> None:
        super().__init__(client)
        self._look = look

    def named(self, library_id: str, name: str) -> list[LibraryItem]:
        found = self._look.take(name)
        return super().named(library_id, name) if found is None else found
