# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of library items are, as the path that a virtual CD drive takes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import NotFound
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of
from ansible_collections.vsphere.content_library.plugins.module_utils._models import LibraryItem, StoredFile
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Services

VOLUMES = "/vmfs/volumes/"


def stored_files(services: Services, items: list[LibraryItem]) -> list[list[StoredFile] | None]:
    """The files of each item, with their paths on datastores; None for an item that is gone meanwhile."""

    def storage(item: LibraryItem) -> list[StoredFile] | None:
        with suppress(NotFound):
            return services.library_items.storage(id_of(item))
        return None

    stored = services.client.map(storage, items)
    files = [file for found in stored for file in found or ()]
    names = services.datastores.names(filter(None, map(_datastore_id, files)))
    for file in files:
        file["datastore_path"] = datastore_path(file, names)
    return stored


def _datastore_id(file: StoredFile) -> str | None:
    backing = file["storage_backing"]
    return backing["datastore_id"] if backing and backing["type"] == "DATASTORE" else None


def datastore_path(file: StoredFile, names: Mapping[str, str]) -> str | None:
    """Such as "[nfs-01] contentlib-.../tools_0653.iso"; None where the file is on no datastore whose name is known.

    storage_uris has ds:///vmfs/volumes/VOLUME/PATH, with the path quoted.
    """
    name = names.get(_datastore_id(file) or "")
    for uri in file["storage_uris"] if name else ():
        parts = urlsplit(uri)
        volume, _slash, path = parts.path.removeprefix(VOLUMES).partition("/")
        if parts.scheme == "ds" and parts.path.startswith(VOLUMES) and volume and path:
            return f"[{name}] {unquote(path)}"
    return None
