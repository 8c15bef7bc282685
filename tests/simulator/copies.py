# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of items, which go on after the answer."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from .models import Blob, Copy, Item, ItemFile

if TYPE_CHECKING:
    from .store import Store


def begin(store: Store, source: Item, item: Item) -> None:
    """Copy the files that the source has now into the new item: one by one, evenly over the time it takes."""
    config = store.config
    files = [ItemFile(file.name, duplicate(store, file.blob)) for file in source.files.values()]
    store.copies[item.id] = Copy(source.id, files, time.time(), config.copy_delay, config.copy_fails)


def duplicate(store: Store, blob: Blob) -> Blob:
    copied = store.new_blob()
    os.link(blob.path, copied.path)
    copied.size, copied.digests = blob.size, dict(blob.digests)
    return copied


def settle(store: Store) -> None:
    """What time has done to the copies. One that fails, or that has lost its source, takes its item with it."""
    for item_id, copy in list(store.copies.items()):
        item = store.items[item_id]
        share = min(1.0, (time.time() - copy.begun) / copy.delay) if copy.delay > 0 else 1.0
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
