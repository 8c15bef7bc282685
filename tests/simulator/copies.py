# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of items, which go on after the answer."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from .endpoints import EndpointError
from .models import Blob, Copy, Item, ItemFile
from .synchronization import cache

if TYPE_CHECKING:
    from .store import Store


def begin(store: Store, source: Item, item: Item) -> None:
    """Copy the files of the source into the new item: one by one, evenly over the time it takes."""
    copy = Copy(source.id, store.config.copy_delay, store.config.copy_fails)
    store.copies[item.id] = copy
    if any(file.source and not file.cached for file in source.files.values()):
        store.start(fetch(store, source, copy))
    else:
        take(store, source, copy)


async def fetch(store: Store, source: Item, copy: Copy) -> None:
    """What is not here comes from its publisher first."""
    try:
        for file in list(source.files.values()):
            await cache(store, store.libraries[source.library_id], source, file)
        take(store, source, copy)
    except (EndpointError, OSError, KeyError):  # the publisher, the file or the library is gone
        copy.begun, copy.fails = time.time(), True


def take(store: Store, source: Item, copy: Copy) -> None:
    """The files that the source has now are those that the copy will have."""
    copy.files = [ItemFile(file.name, duplicate(store, file.blob)) for file in source.files.values()]
    copy.begun = time.time()


def duplicate(store: Store, blob: Blob) -> Blob:
    copied = store.new_blob()
    os.link(blob.path, copied.path)
    copied.size, copied.digests = blob.size, dict(blob.digests)
    return copied


def settle(store: Store) -> None:
    """What time has done to the copies. One that fails, or that has lost its source, takes its item with it."""
    for item_id, copy in list(store.copies.items()):
        item = store.items[item_id]
        share = copy.share()
        for file in copy.files[: int(share * len(copy.files))]:
            item.files.setdefault(file.name, file)
        if share < 1 and copy.source_id in store.items:
            continue
        del store.copies[item_id]
        if copy.fails or copy.source_id not in store.items:
            item.files.update((file.name, file) for file in copy.files)
            store.delete_item(item)
        else:
            item.content_version += 1
            item.modified = time.time()
            store.change_items(item.library_id)
