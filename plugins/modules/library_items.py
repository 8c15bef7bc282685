#!/usr/bin/python
# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: library_items
short_description: Bring many items of a content library into a desired state
version_added: 2.0.0
description:
  - Does for each entry of a list what M(vsphere.content_library.library_item) does for one library item, with one login
    and one look at the library. Several library items are published at a time.
  - The module reads all sources first. An entry whose source can't be read fails alone. All other entries are tried.
    The task fails at the end if one of them failed.
  - An entry that fails leaves no open update session and no incomplete item behind. A library item that existed before
    keeps its content. What other entries did stays.
  - A task that is interrupted ends all entries in this way. Library items that are complete stay.
author:
  - vsphere.content_library contributors (!UNKNOWN)
extends_documentation_fragment:
  - vsphere.content_library.vcenter
  - vsphere.content_library.library
  - vsphere.content_library.content.timeouts
  - vsphere.content_library.attributes
  - vsphere.content_library.attributes.resource_module
options:
  library_name:
    description:
      - The library, by its exact name. Where several libraries have the name, use O(library_id).
      - One of O(library_name) and O(library_id) is required.
    type: str
  items:
    description:
      - The library items. Two entries with the same name are refused before anything is sent.
      - An empty list changes nothing. With O(exclusive=true) it is refused.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The library item, by its exact name in the library. It is created where it does not exist.
        type: str
        required: true
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
          - Another library item, by its identifier. The server copies it, as
            O(vsphere.content_library.library_item#module:source_library_item_id) says.
        type: str
      src:
        description:
          - The files of the library item, as a path or a list of paths on the host that runs the module, as
            O(vsphere.content_library.library_item#module:src) says.
        type: raw
      url:
        description:
          - The URL from which the server pulls the file, as O(vsphere.content_library.library_item#module:url) says.
        type: str
      ssl_thumbprint:
        description:
          - The thumbprint of the certificate that O(items[].url) presents. Needed where the server can't verify that
            certificate.
          - SHA-1 up to vSphere 8, SHA-256 from 9.1.
        type: str
      checksum:
        description: The checksum of a single file in md5, sha1, sha256 or sha512, such as V(sha256:2c26b46b...).
        type: str
      purge:
        description:
          - Whether to remove the files of the library item that O(items[].src) or O(items[].url) does not name. Only
            used with one of them, and not with the URL of an OVF package or an OVA archive.
        type: bool
        default: true
      force:
        description: Whether to send the content even if it does not differ.
        type: bool
        default: false
      warning_behavior:
        description: Which warnings do not fail the update session. A type that is not in the list keeps its behavior.
        type: list
        elements: dict
        suboptions:
          type:
            description: The type of the warning.
            type: str
            required: true
            choices:
              - SELF_SIGNED_CERTIFICATE
              - EXPIRED_CERTIFICATE
              - NOT_YET_VALID_CERTIFICATE
              - UNTRUSTED_CERTIFICATE
          ignored:
            description: Whether the warning is ignored.
            type: bool
            default: true
  parallel:
    description: How many library items are published at a time, from 1 to 16.
    type: int
    default: 4
  exclusive:
    description:
      - Whether to delete the items of the library that O(items) does not name. The module does so after all entries
        succeeded, and not if one failed.
      - It looks at the library again before that. What others added meanwhile is deleted too.
    type: bool
    default: false
seealso:
  - module: vsphere.content_library.library_item
  - module: vsphere.content_library.library_item_info
"""

EXAMPLES = r"""
- name: Publish two library items
  vsphere.content_library.library_items:
    library_name: demo
    items:
      - name: tools
        src: "{{ files }}/tools.iso"
      - name: appliance
        src: "{{ files }}/appliance.ovf"
        warning_behavior:
          - type: SELF_SIGNED_CERTIFICATE
  register: published

- name: Tell what was sent
  ansible.builtin.debug:
    msg: "{{ published.results | selectattr('changed') | map(attribute='name') | join(', ') }}"

- name: Make a library what a list says, and delete every other item of it
  vsphere.content_library.library_items:
    library_name: production
    items: "{{ images }}"
    exclusive: true
    parallel: 8
  vars:
    images:
      - name: tools
        src: "{{ files }}/tools.iso"
      - name: outdated
        state: absent
"""

RETURN = r"""
results:
  description:
    - What became of each entry, in the order of the list, then of each library item that O(exclusive) deleted.
    - It is not called C(items), because C(published.items) would be a method in a template.
  type: list
  elements: dict
  returned: success, and failure of an entry
  contains:
    name:
      description: The name of the library item.
      type: str
      returned: always
      sample: tools
    changed:
      description: Whether the library item changed. In check mode, whether it would.
      type: bool
      returned: always
      sample: true
    operations:
      description: The API operations performed for it, in order; in check mode those that would be.
      type: list
      elements: str
      returned: always
      sample:
        - create_item
        - create
        - add_file
        - upload
        - complete
    failed:
      description: Whether the entry failed.
      type: bool
      returned: failure
      sample: true
    msg:
      description: Why the entry failed.
      type: str
      returned: failure
      sample: "src: '/srv/tools.iso' can't be read: No such file or directory"
    error_type:
      description: The kind of the failure, as RV(error_type) has it.
      type: str
      returned: failure
      sample: INVALID_ARGUMENT
    http_status:
      description: The HTTP status of the answer that failed the entry. Null where no answer came.
      type: int
      returned: failure
      sample: null
    messages:
      description: The messages of the server, as RV(messages) has them.
      type: list
      elements: dict
      returned: failure
      sample: []
    operation:
      description: The operation of the API that failed. Null where none was tried.
      type: str
      returned: failure
      sample: null
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
        - The update session that changed the item. Null where none was needed. In check mode as it would be, with a
          null C(id).
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
failed_items:
  description: The names of the entries that failed.
  type: list
  elements: str
  returned: success, and failure of an entry
  sample: []
bytes_transferred:
  description: How many bytes the module pushed.
  type: int
  returned: success
  sample: 658505728
operations:
  description:
    - The API operations performed, entry by entry; in check mode those that would be. Reads are not listed.
  type: list
  elements: str
  returned: success, and failure of an entry
  sample:
    - create_item
    - create
    - add_file
    - upload
    - complete
diff:
  description: What the task changes, as C(before) and C(after), which have each library item that changes by its name.
  type: dict
  returned: when diff mode is on
  sample:
    before: {}
    after:
      tools:
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
    LIBRARY,
    TIMEOUTS,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._module import module_main
from ansible_collections.vsphere.content_library.plugins.module_utils._publish_many import publish_items
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task

SPEC = dict(
    argument_spec=dict(
        **LIBRARY,
        items=dict(
            type="list",
            elements="dict",
            required=True,
            options=dict(name=dict(type="str", required=True), **CONTENT),
            **CONTENT_RULES,
        ),
        parallel=dict(type="int", default=4),
        exclusive=dict(type="bool", default=False),
        **TIMEOUTS,
    ),
    required_one_of=[("library_name", "library_id")],
    mutually_exclusive=[("library_name", "library_id")],
    supports_check_mode=True,
)


def run(task: Task) -> dict[str, Any]:
    """Bring all items into their states."""
    return publish_items(task)


def main() -> None:
    module_main(SPEC, run)


if __name__ == "__main__":
    main()
