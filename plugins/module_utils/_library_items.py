# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library item services of the vSphere API: com.vmware.content.library.Item and item.File."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InternalServerError,
    NotFound,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._models import (
    item_facts,
    item_file_facts,
    sorted_ids,
)


class LibraryItems:
    """com.vmware.content.library.Item and library.item.File"""

    def __init__(self, client: VCenterClient) -> None:
        self._client = client

    def list_items(self, library_id: str) -> list[dict[str, Any]]:
        """The items of a library, sorted by name. Raises NotFound. One that vanishes meanwhile is left out."""
        ids = self._client.call("item.list", read=lambda ids, now: sorted_ids(ids), library_id=library_id)
        return sorted(self._existing(ids), key=lambda item: (item["name"], item["id"]))

    def get(self, library_item_id: str) -> dict[str, Any]:
        """One item. Raises NotFound."""
        return self._client.call(
            "item.get",
            read=lambda model, now: item_facts(model, library_item_id),
            library_item_id=library_item_id,
        )

    def named(self, library_id: str, name: str) -> list[dict[str, Any]]:
        """The items of a library with exactly this name. The API's find ignores case."""
        ids = self._client.call(
            "item.find", {"library_id": library_id, "name": name}, read=lambda ids, now: sorted_ids(ids)
        )
        return [item for item in self._existing(ids) if item["name"] == name]

    def create(self, library_id: str, name: str, type_: str | None, description: str | None) -> str:
        """Create an empty item and return its id."""
        model = {"library_id": library_id, "name": name, "type": type_, "description": description}
        model = {key: value for key, value in model.items() if value}

        def landed() -> str | None:
            found = self.named(library_id, name)
            return found[0]["id"] if found else None

        try:
            return self._client.call("item.create", model, landed=landed)
        except InternalServerError:
            # It may be there all the same, and nobody else would delete it.
            made = landed()
            if made is None:
                raise
            return made

    def update(self, library_item_id: str, description: str) -> None:
        """Set the description."""
        self._client.call("item.update", {"description": description}, library_item_id=library_item_id)

    def delete(self, library_item_id: str) -> None:
        """Delete an item with its content. One that is gone is fine."""
        with suppress(NotFound):
            self._client.call("item.delete", library_item_id=library_item_id)

    def files(self, library_item_id: str) -> list[dict[str, Any]]:
        """The files of an item, by name. Raises NotFound."""
        return self._client.call(
            "item_file.list",
            read=lambda models, now: sorted(map(item_file_facts, models), key=lambda file: file["name"]),
            library_item_id=library_item_id,
        )

    def _existing(self, ids: list[str]) -> list[dict[str, Any]]:
        def find(library_item_id: str) -> dict[str, Any] | None:
            with suppress(NotFound):
                return self.get(library_item_id)

        return [item for item in self._client.map(find, ids) if item is not None]
