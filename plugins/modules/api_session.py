#!/usr/bin/python
# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: api_session
short_description: Log in to a vCenter Server once for many tasks
version_added: 0.1.0
description:
  - Logs in and returns the API token, or logs out. A play of many tasks then logs in once, and not once for each task.
  - Pass the token to the other modules as O(session_id). They never delete it, so log out in C(always).
  - The token gives the same access as the password. Set C(no_log) on the task that registers it.
  - The task is never C(changed), because an API token changes nothing that a playbook manages.
author:
  - vsphere.content_library contributors (!UNKNOWN)
extends_documentation_fragment:
  - vsphere.content_library.vcenter
  - vsphere.content_library.attributes
  - vsphere.content_library.attributes.info_module
options:
  state:
    description:
      - V(present) logs in with O(username) and O(password), in check mode too, so that later tasks work. It ignores
        O(session_id).
      - V(absent) logs out, which deletes the token in O(session_id). A token that has already expired is no failure.
    type: str
    choices:
      - present
      - absent
    default: present
"""

EXAMPLES = r"""
- name: Do many things with one login
  block:
    - name: Log in
      vsphere.content_library.api_session:
      register: login
      no_log: true

    - name: See an item
      vsphere.content_library.library_item_info:
        session_id: "{{ login.session_id }}"
        library_name: demo
        name: debian-12

    - name: See the open update sessions
      vsphere.content_library.update_session_info:
        session_id: "{{ login.session_id }}"
  always:
    - name: Log out
      vsphere.content_library.api_session:
        session_id: "{{ login.session_id }}"
        state: absent
      no_log: true
      when: login.session_id is defined
"""

RETURN = r"""
session_id:
  description: The API token. Later tasks pass it on as O(session_id).
  type: str
  returned: success and O(state=present)
  sample: 0f3a5c7e9b1d2468ace013579bdf2468
operations:
  description: The API operations that changed something. The list is empty, because this module changes nothing.
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

from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._module import module_main
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task

SPEC = dict(
    argument_spec=dict(state=dict(type="str", choices=["present", "absent"], default="present")),
    supports_check_mode=True,
)


def run(task: Task) -> dict[str, Any]:
    """Log in and hand the token over, or log out."""
    client = task.services.client
    if task.params["state"] == "present":
        return dict(session_id=client.hand_over_token())
    if not task.params["session_id"]:
        raise InvalidArgument(
            "session_id is missing: give the one that state=present returned, so that it can be logged out"
        )
    client.log_out()
    return {}


def main() -> None:
    module_main(SPEC, run)


if __name__ == "__main__":
    main()
