# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library services of the vSphere API, below com.vmware.content, and the datastores that libraries are on."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotFound,
    UnknownPath,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import with_id
from ansible_collections.vsphere.content_library.plugins.module_utils._models import Datastore, Library, Probe


class Libraries:
    """com.vmware.content.Library"""

    def __init__(self, client: VCenterClient) -> None:
        self._client = client

    def get(self, library_id: str) -> Library:
        """One library. Raises NotFound."""
        return with_id(self._client.call("library.get", library_id=library_id).value, library_id)

    def find(self, name: str) -> str | None:
        """The id of the library with exactly this name, or None. Raises InvalidArgument where there are several.

        The API's find ignores case.
        """
        ids = self._client.call("library.find", {"name": name}).value
        exact = [library_id for library_id in sorted(ids) if self.get(library_id)["name"] == name]
        return only_id(exact, f"libraries have the name {name}", "library_id")

    def list_ids(self) -> list[str]:
        """The ids of all libraries, sorted."""
        return sorted(self._client.call("library.list").value)

    def list_libraries(self, **wanted: str) -> list[Library]:
        """The libraries with exactly this name, of this type; without either, all. Sorted by name, then by id.

        One that vanishes meanwhile is left out.
        """
        answer = self._client.call("library.find", wanted) if wanted else self._client.call("library.list")
        found = [library for library in self._client.map(self._existing, answer.value) if library]
        exact = [library for library in found if library["name"] == wanted.get("name", library["name"])]
        return sorted(exact, key=lambda library: (library["name"], str(library["id"])))

    def _existing(self, library_id: str) -> Library | None:
        with suppress(NotFound):
            return self.get(library_id)
        return None


class LocalLibraries:
    """com.vmware.content.LocalLibrary"""

    service = "local_library"

    def __init__(self, client: VCenterClient, libraries: Libraries) -> None:
        self._client, self._libraries = client, libraries

    def create(self, model: dict[str, Any]) -> str:
        """Create a library, and return its id.

        Names repeat, so after a lost answer a second try could make a twin. Where there is a library of that name then,
        it is taken; whoever calls compares it with what was wanted.
        """
        return self._client.create(f"{self.service}.create", model, find=lambda: self._libraries.find(model["name"]))

    def update(self, library: Library, model: dict[str, Any]) -> None:
        """Change what the model has. A password that was changed is not taken for the current one a second time."""
        library_id = str(library["id"])

        def is_done() -> bool:
            now: Any = self._libraries.get(library_id)
            return now["version"] != library["version"] and _has(now, model)

        self._client.call(f"{self.service}.update", model, verify=is_done, library_id=library_id)

    def delete(self, library_id: str) -> None:
        """Delete a library with all its items. One that is gone is fine."""
        with suppress(NotFound):
            self._client.call(f"{self.service}.delete", library_id=library_id)

    def force_delete(self, library_id: str) -> None:
        """Delete a library that somebody has declared to use: vSphere 9.1 and later, /api only."""
        operation = f"{self.service}.force_delete"
        try:
            self._client.call(operation, library_id=library_id)
        except VapiError as error:
            if isinstance(error, UnknownPath) or error.error_type == "OPERATION_NOT_FOUND":
                text = (
                    f"{self._client.peer.host} can't delete a library by force: that takes /api of vSphere 9.1 or later"
                )
                raise VapiError(text, error_type="OPERATION_NOT_FOUND", operation=operation) from None
            if not isinstance(error, NotFound):
                raise


class SubscribedLibraries(LocalLibraries):
    """com.vmware.content.SubscribedLibrary"""

    service = "subscribed_library"

    def probe(self, subscription: dict[str, Any]) -> Probe | None:
        """Whether the server can subscribe like this. None from a server that answers with nothing, as vcsim does."""
        return self._client.call("subscribed_library.probe", subscription_info=subscription).value

    def sync(self, library_id: str) -> None:
        """Begin a synchronization. During one this has no effect."""
        self._client.call("subscribed_library.sync", library_id=library_id)

    def evict(self, library_id: str) -> None:
        """Begin to remove the content of a library that synchronizes on demand."""
        self._client.call("subscribed_library.evict", library_id=library_id)


class SubscribedItems:
    """com.vmware.content.library.SubscribedItem"""

    def __init__(self, client: VCenterClient) -> None:
        self._client = client

    def sync(self, library_item_id: str, force_content: bool) -> None:
        """Begin to synchronize an item; with force_content its files too where the library does that on demand."""
        self._client.call("subscribed_item.sync", library_item_id=library_item_id, force_sync_content=force_content)

    def evict(self, library_item_id: str) -> None:
        """Begin to remove the content of an item."""
        self._client.call("subscribed_item.evict", library_item_id=library_item_id)


class Datastores:
    """com.vmware.vcenter.Datastore"""

    def __init__(self, client: VCenterClient) -> None:
        self._client = client

    def named(self, name: str) -> list[Datastore]:
        """The datastores of this name, sorted by id. In several datacenters there may be one each."""
        found = self._client.call("datastore.list", names=name).value
        return sorted(found, key=lambda datastore: datastore["datastore"])

    def names(self, datastore_ids: Iterable[str]) -> dict[str, str]:
        """The names of datastores by their ids. Those that the user or the server can't see are left out."""
        wanted = sorted(set(datastore_ids))
        if not wanted:
            return {}
        try:
            found = self._client.call("datastore.list", datastores=wanted).value
        except VapiError as error:
            if error.error_type not in ("UNAUTHORIZED", "NOT_FOUND"):
                raise
            return {}
        return {datastore["datastore"]: datastore["name"] for datastore in found}


def only_id(found: list[str], what: str, option: str) -> str | None:
    """The one id found, None where there is none.

    Raises InvalidArgument where there are several, listing the ids; ``option`` is what one can be named by.
    """
    if len(found) > 1:
        raise InvalidArgument(f"{len(found)} {what}: {', '.join(found)}; name one by {option}")
    return found[0] if found else None


def _has(model: dict[str, Any], part: dict[str, Any]) -> bool:
    """Whether a model has what an update asked for, as far as servers tell it: never passwords and thumbprints."""
    return all(
        _has(model[name] or {}, value) if isinstance(value, dict) else model.get(name) in (None, value)
        for name, value in part.items()
        if name in model
    )
