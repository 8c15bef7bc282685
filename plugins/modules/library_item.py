#!/usr/bin/python
# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: library_item
short_description: Put files, OVF packages and OVA archives into a content library
version_added: 0.1.0
description:
  - Brings a library item and its content into a desired state. The module compares the files with those of the item. It
    sends only what differs, in one update session.
  - A run that fails leaves no open update session and no incomplete item behind. An item that existed before keeps its
    content.
  - While the module pushes files, it keeps the update session and the API token alive.
    M(vsphere.content_library.update_session_info) shows the progress.
author:
  - vsphere.content_library contributors (!UNKNOWN)
extends_documentation_fragment:
  - vsphere.content_library.vcenter
  - vsphere.content_library.library
  - vsphere.content_library.content.pull
  - vsphere.content_library.content.warning_behavior
  - vsphere.content_library.content.timeouts
  - vsphere.content_library.attributes
  - vsphere.content_library.attributes.resource_module
options:
  library_name:
    description:
      - The library, by its exact name. Where several libraries have the name, use O(library_id).
      - One of O(library_name), O(library_id) and O(library_item_id) is required.
    type: str
  name:
    description:
      - The library item, by its exact name in the library. It is created where it does not exist.
      - With O(library_item_id) it is the name that the item gets, of 80 characters at most.
      - One of O(name) and O(library_item_id) is required.
    type: str
  library_item_id:
    description:
      - The library item, by its identifier. It must exist with O(state=present).
      - With O(name) and O(state=absent) it must have that name.
    type: str
  state:
    description: Whether the library item exists.
    type: str
    choices:
      - present
      - absent
    default: present
  type:
    description:
      - The type of the library item. It can't be changed later.
      - The default is V(ovf) for an OVF package or an OVA archive, V(iso) for an ISO image, and no type for other
        files.
    type: str
  description:
    description: The description of the library item, of 2,000 characters at most.
    type: str
  source_library_item_id:
    description:
      - Another library item, of any library of the vCenter, by its identifier. The server copies it. This item has the
        same files then and, if O(description) does not say otherwise, the same description.
      - A library item that exists already stays unchanged where its files are those of the other one, by the checksums
        that the server reports, else by the sizes. Where they differ the module fails. Remove the item first then.
      - The server goes on with a copy in the background. The module waits for that up to O(wait_timeout).
    type: str
  src:
    description:
      - The files of the library item, as a path or a list of paths on the host that runs the module.
      - A string that names an existing file is that file, also if there are commas in it. Otherwise commas separate
        paths.
      - With a descriptor (C(.ovf)) come the files that it refers to, its manifest and its certificate.
      - The module reads an archive (C(.ova)) in place, member by member. It never unpacks the archive to disk.
    type: raw
  url:
    description:
      - The URL from which the server pulls the file. The last part of its path is the name of the file.
      - A library item that has a file of this name stays unchanged, unless O(force) is set or the server reports
        another checksum than O(checksum). A URL with another name is pulled.
      - Of an OVF package or an OVA archive, the server decides which files the library item has. A library item that
        has content stays unchanged then, unless O(force) is set. The module does not notice another URL.
    type: str
  purge:
    description:
      - Whether to remove the files of the library item that O(src) or O(url) does not name. Only used with one of them,
        and not with the O(url) of an OVF package or an OVA archive.
    type: bool
    default: true
  force:
    description: Whether to send the content even if it does not differ.
    type: bool
    default: false
seealso:
  - module: vsphere.content_library.library_items
  - module: vsphere.content_library.library_item_info
  - module: vsphere.content_library.update_session_file
"""

EXAMPLES = r"""
- name: Publish an ISO image
  vsphere.content_library.library_item:
    library_name: demo
    name: tools
    src: "{{ files }}/tools.iso"
    checksum: sha256:{{ files_checksum }}

- name: Publish an OVF package with its disks, manifest and certificate
  vsphere.content_library.library_item:
    library_name: demo
    name: appliance
    src: "{{ files }}/appliance.ovf"
    warning_behavior:
      - type: SELF_SIGNED_CERTIFICATE
  register: published

- name: Tell what was sent
  ansible.builtin.debug:
    msg: "{{ published.files | selectattr('action', 'equalto', 'uploaded') | map(attribute='name') | join(', ') }}"

- name: Remove a library item with its content
  vsphere.content_library.library_item:
    library_name: demo
    name: tools
    state: absent

- name: Copy a library item to another library
  vsphere.content_library.library_item:
    library_name: production
    name: appliance
    source_library_item_id: "{{ published.library_item.id }}"
  register: copied
  when: not ansible_check_mode

- name: Rename the copy
  vsphere.content_library.library_item:
    library_item_id: "{{ copied.library_item.id }}"
    name: appliance-2026-11
  when: not ansible_check_mode
"""

RETURN = r"""
library_item:
  description: The library item. Null once it is deleted. In check mode as it would be.
  type: dict
  returned: success
  contains:  # LibraryItem
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
  description: What the module did with each file.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The name of the file.
      type: str
      returned: always
      sample: tools.iso
    size:
      description: The size of the file in bytes. Null for a pulled file whose size the server has not reported.
      type: int
      returned: always
      sample: 658505728
    checksum:
      description: The checksum of the file. Null if the module computed none and the server reported none.
      type: str
      returned: always
      sample: sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709
    checksum_verified:
      description: Whether the server reported the same checksum.
      type: bool
      returned: always
      sample: true
    action:
      description: V(uploaded), V(pulled), V(copied), V(unchanged) or V(removed).
      type: str
      returned: always
      sample: uploaded
    seconds:
      description: How many seconds the transfer took.
      type: float
      returned: always
      sample: 7.25
bytes_transferred:
  description: How many bytes the module pushed.
  type: int
  returned: success
  sample: 658505728
update_session:
  description:
    - The update session that changed the item. Null where none was needed. In check mode as it would be, with a null
      C(id).
    - It has the keys that RV(vsphere.content_library.update_session_info#module:update_sessions) describes,
      without C(files) and C(validation).
  type: dict
  returned: success, and failure where a session was read
  sample:
    id: 6ad2ac1f-9d6f-4f2a-8d60-0c9f04ea28ac:0b4ab54e-77bb-4b27-a3a5-5ed7d3ee27dc
    library_item_id: 3f6cb4c0-5f52-4d3e-b1fd-4f9ef9f7e0a3
    state: DONE
    client_progress: 100
    error_message: null
operations:
  description: The API operations performed, in order; in check mode those that would be. Reads are not listed.
  type: list
  elements: str
  returned: success
  sample:
    - create_item
    - create
    - add_file
    - upload
    - complete
diff:
  description: What the task changes, as C(before) and C(after).
  type: dict
  returned: when diff mode is on
  sample:
    before: {}
    after:
      name: tools
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

from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._argspec import (
    CONTENT,
    CONTENT_RULES,
    ITEM,
    LIBRARY,
    TIMEOUTS,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._module import module_main
from ansible_collections.vsphere.content_library.plugins.module_utils._publish import publish_item
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task

SPEC = dict(
    argument_spec=dict(**LIBRARY, **ITEM, **CONTENT, **TIMEOUTS),
    required_one_of=[("name", "library_item_id"), ("library_name", "library_id", "library_item_id")],
    mutually_exclusive=[("library_name", "library_id"), *CONTENT_RULES["mutually_exclusive"]],
    required_by=CONTENT_RULES["required_by"],
    supports_check_mode=True,
)


def run(task: Task) -> dict[str, Any]:
    """Bring the item and its content into the state."""
    return publish_item(task)


def main() -> None:
    module_main(SPEC, run)


if __name__ == "__main__":
    main()
