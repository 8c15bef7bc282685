#!/usr/bin/python
# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: library_info
short_description: See the content libraries of a vCenter
version_added: 2.0.0
description:
  - Returns content libraries as facts. These are all libraries, those of one name or one type, or a single one.
  - The list is empty if nothing matches.
author:
  - vsphere.content_library contributors (!UNKNOWN)
extends_documentation_fragment:
  - vsphere.content_library.vcenter
  - vsphere.content_library.attributes
  - vsphere.content_library.attributes.info_module
options:
  name:
    description: Return only libraries with exactly this name. There may be several.
    type: str
  library_id:
    description: Return only the library with this identifier.
    type: str
  type:
    description: Return only libraries of this type.
    type: str
    choices:
      - local
      - subscribed
  gather_usage_count:
    description:
      - Whether to add the number of library items to each library.
    type: bool
    default: false
seealso:
  - module: vsphere.content_library.library_sync
  - module: vsphere.content_library.library
  - module: vsphere.content_library.library_item_info
"""

EXAMPLES = r"""
- name: See all libraries
  vsphere.content_library.library_info:
  register: found

- name: Tell their names
  ansible.builtin.debug:
    msg: "{{ found.libraries | map(attribute='name') | join(', ') }}"

- name: See how one library is published
  vsphere.content_library.library_info:
    name: demo
  register: found

- name: Tell the URL for subscribers
  ansible.builtin.debug:
    msg: "{{ found.libraries[0].publish_info.publish_url }}"

- name: See how many items the subscribed libraries have
  vsphere.content_library.library_info:
    type: subscribed
    gather_usage_count: true
  register: found

- name: Tell them
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.item_count }} items"
  loop: "{{ found.libraries }}"
  loop_control:
    label: "{{ item.id }}"
"""

RETURN = r"""
libraries:
  description: The libraries found, sorted by name. Keys that a newer vCenter adds are passed through.
  type: list
  elements: dict
  returned: success
  contains:  # LibraryInfo
    id:
      description: The identifier of the library. Null for one that check mode would create.
      type: str
      returned: always
      sample: 8a4ee4c2-7d1c-4d2e-9c6f-0d1f8d7f5c11
    name:
      description: The name of the library. Several libraries may have the same.
      type: str
      returned: always
      sample: demo
    type:
      description: V(LOCAL) or V(SUBSCRIBED).
      type: str
      returned: always
      sample: LOCAL
    description:
      description: The description of the library.
      type: str
      returned: always
      sample: Images for everybody
    storage_backings:
      description: Where the library stores its content.
      type: list
      elements: dict
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
    publish_info:
      description: How a local library is published. Null for a subscribed library.
      type: dict
      returned: always
      contains:  # Publication
        authentication_method:
          description: V(NONE), or V(BASIC) where subscribers need a password.
          type: str
          returned: always
          sample: NONE
        published:
          description: Whether others can subscribe to the library.
          type: bool
          returned: always
          sample: true
        publish_url:
          description: The URL to subscribe to. Null where the library is not published.
          type: str
          returned: always
          sample: https://vcenter.example.com:443/cls/vcsp/lib/8a4ee4c2-7d1c-4d2e-9c6f-0d1f8d7f5c11/lib.json
        user_name:
          description: The name that subscribers give with the password. Null where the library is not published.
          type: str
          returned: always
          sample: vcsp
        persist_json_enabled:
          description: Whether the published descriptions are stored beside the content too.
          type: bool
          returned: always
          sample: false
    subscription_info:
      description: What a subscribed library is subscribed to. Null for a local library.
      type: dict
      returned: always
      contains:  # Subscription
        authentication_method:
          description: V(NONE), or V(BASIC) where the publisher wants a password.
          type: str
          returned: always
          sample: NONE
        automatic_sync_enabled:
          description: Whether the server synchronizes the library by itself from time to time.
          type: bool
          returned: always
          sample: true
        on_demand:
          description: Whether content comes only when it is asked for. V(false) where a synchronization brings it.
          type: bool
          returned: always
          sample: false
        subscription_url:
          description: The URL that the library is subscribed to.
          type: str
          returned: always
          sample: https://vcenter.example.com:443/cls/vcsp/lib/c1b5a3e0-7a0e-4d57-9d3c-0f2d1c5f7a11/lib.json
        user_name:
          description: The name for the publisher. Null where it wants none.
          type: str
          returned: always
          sample: null
        ssl_thumbprint:
          description: Always null. No server tells it.
          type: str
          returned: always
          sample: null
        source_info:
          description: The published library, where that library knows this subscription. Else null.
          type: dict
          returned: always
          sample: null
    optimization_info:
      description: What the library is optimized for. Null where the server reports nothing.
      type: dict
      returned: always
      contains:  # Optimization
        optimize_remote_publishing:
          description: Whether the library stores its content so that it is published faster to other vCenters.
          type: bool
          returned: always
          sample: true
    security_policy_id:
      description: The security policy of the library. Null where it has none.
      type: str
      returned: always
      sample: null
    server_guid:
      description: The identifier of the vCenter Server.
      type: str
      returned: always
      sample: 9a0d2f4c-2f4f-4d7e-9d9b-5a0a53d2a4e1
    version:
      description: A number that rises with each change of the library, but not of its items.
      type: str
      returned: always
      sample: "3"
    creation_time:
      description: When the library was created.
      type: str
      returned: always
      sample: "2026-01-15T10:20:31.651Z"
    last_modified_time:
      description: When the library was last changed.
      type: str
      returned: always
      sample: "2026-01-15T10:25:31.651Z"
    last_sync_time:
      description: When the last synchronization of a subscribed library began. Null before the first one.
      type: str
      returned: always
      sample: null
    item_count:
      description: The number of library items.
      type: int
      returned: when O(gather_usage_count=true)
      sample: 12
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

from contextlib import suppress
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import NotFound
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of
from ansible_collections.vsphere.content_library.plugins.module_utils._models import Library, LibraryInfo
from ansible_collections.vsphere.content_library.plugins.module_utils._module import module_main
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task

SPEC = dict(
    argument_spec=dict(
        name=dict(type="str"),
        library_id=dict(type="str"),
        type=dict(type="str", choices=["local", "subscribed"]),
        gather_usage_count=dict(type="bool", default=False),
    ),
    mutually_exclusive=[("name", "library_id")],
    supports_check_mode=True,
)


def run(task: Task) -> dict[str, Any]:
    """Find the libraries, count their items if asked to."""
    found = find(task)
    if not task.params["gather_usage_count"]:
        return dict(libraries=found)
    counted = task.services.client.map(lambda library: with_count(task, library), found)
    return dict(libraries=[library for library in counted if library])


def with_count(task: Task, library: Library) -> LibraryInfo | None:
    """The library with the number of its items; None for one that is gone meanwhile."""
    try:
        return {**library, "item_count": len(task.services.library_items.list_ids(id_of(library)))}
    except NotFound:
        return None


def find(task: Task) -> list[Library]:
    """The libraries that match."""
    params, libraries = task.params, task.services.libraries
    type_ = params["type"] and params["type"].upper()
    if not params["library_id"]:
        wanted = {"name": params["name"], "type": type_}
        return libraries.list_libraries(**{key: value for key, value in wanted.items() if value})
    with suppress(NotFound):
        library = libraries.get(params["library_id"])
        return [library] if type_ in (None, library["type"]) else []
    return []


def main() -> None:
    module_main(SPEC, run)


if __name__ == "__main__":
    main()
