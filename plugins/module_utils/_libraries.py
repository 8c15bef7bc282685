# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library service of the vSphere API: com.vmware.content.Library."""

from __future__ import annotations

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import with_id
from ansible_collections.vsphere.content_library.plugins.module_utils._models import Library


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
        return only_id(exact, f"libraries have the name {name}")


def only_id(found: list[str], what: str) -> str | None:
    """The one id found, None where there is none. Raises InvalidArgument, listing the ids, where there are several."""
    if len(found) > 1:
        raise InvalidArgument(f"{len(found)} {what}: {', '.join(found)}; name one by its id")
    return found[0] if found else None
