# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of an item are stored, and the datastores of the vCenter."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from ..models import Item, ItemFile
from ..store import Store
from .call import Call, operation
from .items import named_file


@operation("item_storage.list")
def item_storage_list(call: Call) -> list[dict[str, Any]]:
    item = call.store.item(call.text("library_item_id"))
    return [storage_info(call.store, item, file) for file in item.files.values()]


@operation("item_storage.get")
def item_storage_get(call: Call) -> list[dict[str, Any]]:
    item = call.store.item(call.text("library_item_id"))
    return [storage_info(call.store, item, named_file(item, call.text("file_name")))]


def storage_info(store: Store, item: Item, file: ItemFile) -> dict[str, Any]:
    cached = store.is_cached(file)
    info: dict[str, Any] = {
        "name": file.name,
        "size": store.stored_size(file),
        "cached": cached,
        "version": str(file.version),
        "storage_backing": store.backing(item),
        "storage_uris": [storage_uri(store, item, file)] if cached else [],
    }
    algorithm = store.config.item_checksum_algorithm
    if algorithm and cached:
        info["checksum_info"] = {"algorithm": algorithm, "checksum": file.blob.digest(algorithm)}
    return info


def storage_uri(store: Store, item: Item, file: ItemFile) -> str:
    """The name on the datastore has a UUID in it."""
    name = PurePosixPath(file.name)
    path = f"contentlib-{item.library_id}/{item.id}/{quote(f'{name.stem}_{file.blob.path.name}{name.suffix}')}"
    backing = store.backing(item)
    if backing["type"] != "DATASTORE":
        return f"{backing['storage_uri'].rstrip('/')}/{path}"
    datastore = store.datastores.get(backing["datastore_id"])
    volume = datastore.volume if datastore else backing["datastore_id"]
    return f"ds:///vmfs/volumes/{volume}/{path}?serverId={store.server_guid}"


@operation("datastore.list")
def datastore_list(call: Call) -> list[dict[str, Any]]:
    """Those that match each filter that is given. What does not exist matches nothing, and is no error."""
    filters = {"id": call.args.get("datastores"), "name": call.args.get("names"), "type": call.args.get("types")}
    return [
        {
            "datastore": datastore.id,
            "name": datastore.name,
            "type": datastore.type,
            "free_space": 1 << 40,
            "capacity": 2 << 40,
        }
        for datastore in call.store.datastores.values()
        if all(not wanted or getattr(datastore, name) in wanted for name, wanted in filters.items())
    ]
