# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library item services of the vSphere API: com.vmware.content.library.Item and item.File."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import NotFound
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import with_id
from ansible_collections.vsphere.content_library.plugins.module_utils._models import (
    LibraryItem,
    LibraryItemFile,
    StoredFile,
)


class LibraryItems:
    """com.vmware.content.library.Item and library.item.File"""

    def __init__(self, client: VCenterClient) -> None:
        self._client = client

    def list_ids(self, library_id: str) -> list[str]:
        """The ids of the items of a library. Raises NotFound."""
        return self._client.call("item.list", library_id=library_id).value

    def list_items(self, library_id: str) -> list[LibraryItem]:
        """The items of a library, sorted by name. Raises NotFound. One that vanishes meanwhile is left out."""
        return sorted(self.existing(self.list_ids(library_id)), key=by_name)

    def get(self, library_item_id: str) -> LibraryItem:
        """One item. Raises NotFound."""
        return with_id(self._client.call("item.get", library_item_id=library_item_id).value, library_item_id)

    def named(self, library_id: str, name: str) -> list[LibraryItem]:
        """The items of a library with exactly this name, sorted by id. The API's find ignores case."""
        ids = self._client.call("item.find", {"library_id": library_id, "name": name}).value
        return [item for item in self.existing(ids) if item["name"] == name]

    def each_named(self, library_id: str, names: Iterable[str]) -> list[list[LibraryItem]]:
        """What named returns for each of these names."""
        return self._client.map(lambda name: self.named(library_id, name), names)

    def search(self, **spec: str) -> list[LibraryItem]:
        """The items of all libraries that have exactly this name, type or library_id; one at least has to be given."""
        ids = self._client.call("item.find", spec).value
        found = [item for item in self.existing(ids) if all(item.get(key) == value for key, value in spec.items())]
        return sorted(found, key=by_name)

    def of_libraries(self, library_ids: list[str]) -> list[LibraryItem]:
        """The items of libraries, by name. A library that vanishes meanwhile is left out."""

        def ids(library_id: str) -> list[str]:
            with suppress(NotFound):
                return self._client.call("item.list", library_id=library_id).value
            return []

        found = [item_id for listed in self._client.map(ids, library_ids) for item_id in listed]
        return sorted(self.existing(found), key=by_name)

    def create(self, library_id: str, name: str, type_: str | None, description: str | None) -> str:
        """Create an empty item and return its id. Raises AlreadyExists.

        After a lost answer a server that ignores client tokens says AlreadyExists of an item that may be ours. Nobody
        can tell, so it counts as another's.
        """
        model = {"library_id": library_id, "name": name, "type": type_, "description": description}
        return self._client.create("item.create", {key: value for key, value in model.items() if value})

    def copy(self, source_library_item_id: str, library_id: str, name: str, description: str | None) -> str:
        """Begin to copy an item with its content, and return the id of the copy. Raises AlreadyExists.

        The copy gets the type of the source and, without one of its own, its description. It goes on after the answer,
        and a copy that fails is gone. A lost answer is that of create.
        """
        model = {"library_id": library_id, "name": name, "description": description}
        return self._client.create(
            "item.copy",
            {key: value for key, value in model.items() if value is not None},
            source_library_item_id=source_library_item_id,
        )

    def update(self, library_item_id: str, changes: Mapping[str, str], version: str | None = None) -> None:
        """Set name, description or both. Raises AlreadyExists.

        With a version the server refuses that where the item has another one by now.
        """
        model = {**changes, **({"version": version} if version else {})}
        self._client.call("item.update", model, library_item_id=library_item_id)

    def delete(self, library_item_id: str) -> None:
        """Delete an item with its content. One that is gone is fine."""
        with suppress(NotFound):
            self._client.call("item.delete", library_item_id=library_item_id)

    def files(self, library_item_id: str) -> list[LibraryItemFile]:
        """The files of an item, by name. Raises NotFound."""
        files = self._client.call("item_file.list", library_item_id=library_item_id).value
        return sorted(files, key=lambda file: file["name"])

    def storage(self, library_item_id: str) -> list[StoredFile]:
        """Where the files of an item are stored, by name. Raises NotFound. datastore_path is null."""
        files = self._client.call("item_storage.list", library_item_id=library_item_id).value
        return sorted(files, key=lambda file: file["name"])

    def existing(self, ids: Iterable[str]) -> list[LibraryItem]:
        """The items with these ids, sorted by id. One that vanished meanwhile is left out."""

        def find(library_item_id: str) -> LibraryItem | None:
            with suppress(NotFound):
                return self.get(library_item_id)
            return None

        return [item for item in self._client.map(find, sorted(ids)) if item is not None]


def by_name(item: LibraryItem) -> tuple[str, str]:
    return item["name"], str(item["id"])
