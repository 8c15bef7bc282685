#!/usr/bin/python
# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: library_item_info
short_description: See the items of a content library
version_added: 0.1.0
description:
  - Returns library items as facts. These are all items of a library or of all libraries, those with one name or type,
    or a single item.
  - The list is empty if nothing matches or the library does not exist.
author:
  - vsphere.content_library contributors (!UNKNOWN)
extends_documentation_fragment:
  - vsphere.content_library.vcenter
  - vsphere.content_library.library
  - vsphere.content_library.library.item
  - vsphere.content_library.attributes
  - vsphere.content_library.attributes.info_module
options:
  library_name:
    description:
      - The library, by its exact name. Where several libraries have the name, use O(library_id).
      - Without O(library_name), O(library_id) and O(library_item_id), the items of all libraries are meant.
    type: str
  name:
    description: Return only items with exactly this name.
    type: str
  type:
    description: Return only items of this type, such as V(iso) or V(ovf).
    type: str
    version_added: 2.0.0
  gather_files:
    description: Whether to add the files of each library item.
    type: bool
    default: false
  gather_storage:
    description:
      - Whether to add where the files of each library item are stored.
      - It takes the privilege C(ContentLibrary.ReadStorage).
    type: bool
    default: false
    version_added: 2.0.0
seealso:
  - module: vsphere.content_library.library_item
"""

EXAMPLES = r"""
- name: See all items of a library
  vsphere.content_library.library_item_info:
    library_name: demo
  register: found

- name: Tell their names
  ansible.builtin.debug:
    msg: "{{ found.library_items | map(attribute='name') | join(', ') }}"

- name: See one item with its files
  vsphere.content_library.library_item_info:
    library_name: demo
    name: debian-12
    gather_files: true
  register: found

- name: Find the ISO images of all libraries, and where they are stored
  vsphere.content_library.library_item_info:
    type: iso
    gather_storage: true
  register: images

- name: Tell the path that a virtual CD drive takes
  ansible.builtin.debug:
    msg: "{{ images.library_items | map(attribute='storage') | flatten | map(attribute='datastore_path') }}"

- name: Stop where it is not there
  ansible.builtin.assert:
    that: found.library_items | length == 1
"""

RETURN = r"""
library_items:
  description: The library items found, sorted by name. Keys that a newer vCenter adds are passed through.
  type: list
  elements: dict
  returned: success
  contains:  # LibraryItemInfo
    id:
      description: The identifier of the library item.
      type: str
      returned: always
      sample: 3f6cb4c0-5f52-4d3e-b1fd-4f9ef9f7e0a3
    library_id:
      description: The library that has the item.
      type: str
      returned: always
      sample: 8a4ee4c2-7d1c-4d2e-9c6f-0d1f8d7f5c11
    name:
      description: The name of the library item.
      type: str
      returned: always
      sample: debian-12
    type:
      description: The type of the library item, such as V(iso) or V(ovf).
      type: str
      returned: always
      sample: iso
    description:
      description: The description of the library item.
      type: str
      returned: always
      sample: Debian 12.7 netinst
    content_version:
      description: A number that rises with each change of the content.
      type: str
      returned: always
      sample: "2"
    version:
      description: A number that rises with each change of the library item.
      type: str
      returned: always
      sample: "3"
    size:
      description:
        - The storage that the files use, in bytes. V(0) where the content is not in the library's storage.
      type: int
      returned: always
      sample: 658505728
    cached:
      description: Whether the content is in the library's storage.
      type: bool
      returned: always
      sample: true
    creation_time:
      description: When the library item was created.
      type: str
      returned: always
      sample: "2026-01-15T10:20:31.651Z"
    last_modified_time:
      description: When the library item was last changed.
      type: str
      returned: always
      sample: "2026-01-15T10:25:31.651Z"
    files:
      description: The files of the library item.
      type: list
      elements: dict
      returned: when O(gather_files=true)
      contains:  # LibraryItemFile
        name:
          description: The name of the file.
          type: str
          returned: always
          sample: tools.iso
        size:
          description: The storage that the file uses, in bytes. It may be V(0) where the file is not cached.
          type: int
          returned: always
          sample: 658505728
        cached:
          description: Whether the file is in the library's storage.
          type: bool
          returned: always
          sample: true
        version:
          description: A number that rises with each change of the file.
          type: str
          returned: always
          sample: "1"
        checksum_info:
          description: The checksum of the file. Null where the server reports none.
          type: dict
          returned: always
          contains:  # ChecksumInfo
            algorithm:
              description: V(SHA1), V(MD5), V(SHA256) or V(SHA512).
              type: str
              returned: when the server reports it
              sample: SHA1
            checksum:
              description: The checksum in hexadecimal digits.
              type: str
              returned: when the server reports it
              sample: da39a3ee5e6b4b0d3255bfef95601890afd80709
    storage:
      description: Where the files of the library item are stored.
      type: list
      elements: dict
      returned: when O(gather_storage=true)
      contains:  # StoredFile
        name:
          description: The name of the file.
          type: str
          returned: always
          sample: tools.iso
        size:
          description: The storage that the file uses, in bytes. It may be V(0) where the file is not cached.
          type: int
          returned: always
          sample: 658505728
        cached:
          description: Whether the file is in the library's storage.
          type: bool
          returned: always
          sample: true
        version:
          description: A number that rises with each change of the file.
          type: str
          returned: always
          sample: "1"
        checksum_info:
          description: The checksum of the file. Null where the server reports none.
          type: dict
          returned: always
          contains:  # ChecksumInfo
            algorithm:
              description: V(SHA1), V(MD5), V(SHA256) or V(SHA512).
              type: str
              returned: when the server reports it
              sample: SHA1
            checksum:
              description: The checksum in hexadecimal digits.
              type: str
              returned: when the server reports it
              sample: da39a3ee5e6b4b0d3255bfef95601890afd80709
        storage_backing:
          description: What the library is stored on.
          type: dict
          returned: always
          contains:  # StorageBacking
            type:
              description: V(DATASTORE), or V(OTHER) for a file share.
              type: str
              returned: always
              sample: DATASTORE
            datastore_id:
              description: The identifier of the datastore. Null for a file share.
              type: str
              returned: always
              sample: datastore-11
            storage_uri:
              description: The URI of the file share. Null for a datastore.
              type: str
              returned: always
              sample: null
        storage_uris:
          description: Where the file is, as the server names it.
          type: list
          elements: str
          returned: always
          sample:
          - ds:///vmfs/volumes/5f1e2d3c-4b5a6978-8796-a5b4c3d2e1f0/contentlib-8a4ee4c2/3f6cb4c0/tools_0653d7a1.iso
        datastore_path:
          description:
            - The path of the file for a virtual CD drive or a datastore browser.
            - Null where the file is on no datastore, or where the user may not see the name of the datastore.
          type: str
          returned: always
          sample: "[nfs-01] contentlib-8a4ee4c2/3f6cb4c0/tools_0653d7a1.iso"
operations:
  description: The API operations performed. There are none, as this module only reads.
  type: list
  elements: str
  returned: success
  sample: []
# Failure
error_type:
  description:
    - The kind of the failure, as one of the error types of the vSphere API, such as V(NOT_FOUND),
      V(NOT_ALLOWED_IN_CURRENT_STATE), V(RESOURCE_BUSY), V(UNAUTHENTICATED) or V(ERROR).
    - A failure that no server reported uses the same words. V(INVALID_ARGUMENT) means that the module
      refused an option, V(UNVERIFIED_PEER) that a certificate could not be verified,
      V(RESOURCE_INACCESSIBLE) that there was no connection, V(TIMED_OUT) that a wait took too long,
      V(INTERNAL_SERVER_ERROR) that an answer could not be read.
  type: str
  returned: failure
  sample: NOT_FOUND
http_status:
  description: The HTTP status of the answer that failed the task. Null where no answer came.
  type: int
  returned: failure
  sample: 404
messages:
  description:
    - The messages of the server, from the operation to the cause. Each has C(id), C(default_message)
      and C(args).
  type: list
  elements: dict
  returned: failure
  sample:
  - id: com.vmware.vdcs.util.resource_not_found
    default_message: The resource was not found.
    args: []
operation:
  description: The operation of the API that failed. Null where none was tried.
  type: str
  returned: failure
  sample: update_session.complete
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

from ansible_collections.vsphere.content_library.plugins.module_utils._argspec import ITEM, LIBRARY
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import NotFound
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of
from ansible_collections.vsphere.content_library.plugins.module_utils._locate import find_library
from ansible_collections.vsphere.content_library.plugins.module_utils._models import LibraryItem
from ansible_collections.vsphere.content_library.plugins.module_utils._module import module_main
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task

SPEC = dict(
    argument_spec=dict(
        **LIBRARY,
        **ITEM,
        type=dict(type="str"),
        gather_files=dict(type="bool", default=False),
        gather_storage=dict(type="bool", default=False),
    ),
    mutually_exclusive=[("library_name", "library_id"), ("name", "library_item_id")],
    supports_check_mode=True,
)


def run(task: Task) -> dict[str, Any]:
    """Find the items, and add their files and where those are stored, if asked to."""
    found: list[LibraryItem] = []
    with suppress(NotFound):
        found = find(task)
    details = []
    if task.params["gather_files"]:
        details.append(("files", files_of))
    if task.params["gather_storage"]:
        details.append(("storage", storage_of))
    for name, gather in details:
        found = [cast(LibraryItem, {**item, name: seen}) for item, seen in gather(task, found) if seen is not None]
    return dict(library_items=found)


def files_of(task: Task, items: list[LibraryItem]) -> Iterator[tuple[LibraryItem, Any]]:
    """Each item with its files; None for one that is gone meanwhile."""

    def files(item: LibraryItem) -> Any:
        with suppress(NotFound):
            return task.services.library_items.files(id_of(item))

    return zip(items, task.services.client.map(files, items))


def storage_of(task: Task, items: list[LibraryItem]) -> Iterator[tuple[LibraryItem, Any]]:
    """Each item with where its files are stored; None for one that is gone meanwhile."""
    # Imported here, because each process compiles what it imports, and few ask for this.
    from ansible_collections.vsphere.content_library.plugins.module_utils._storage import stored_files

    return zip(items, stored_files(task.services, items))


def find(task: Task) -> list[LibraryItem]:
    """The items that match. Raises NotFound for what does not exist."""
    params, items = task.params, task.services.library_items
    library_id = find_library(params, task.services)
    if params["library_item_id"]:
        wanted = dict(library_id=library_id, type=params["type"])
        item = items.get(params["library_item_id"])
        return [item] if all(value in (None, item.get(key)) for key, value in wanted.items()) else []
    spec = {key: value for key, value in params.items() if key in ("name", "type") and value}
    if spec:
        return items.search(**spec, **({"library_id": library_id} if library_id else {}))
    return items.list_items(library_id) if library_id else items.of_libraries(task.services.libraries.list_ids())


def main() -> None:
    module_main(SPEC, run)


if __name__ == "__main__":
    main()
