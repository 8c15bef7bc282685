#!/usr/bin/python
# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: update_session_fail
short_description: Fail an update session of a content library with a message
version_added: 0.1.0
description:
  - Ends an open update session in V(ERROR) with your message, which the vSphere Client shows too.
  - Use it in C(rescue). The item keeps its content and is free for another update session. Everybody who looks at the
    failed one sees why it failed.
  - An update session that is in V(ERROR) already stays as it is, with the message that it has.
author:
  - vsphere.content_library contributors (!UNKNOWN)
extends_documentation_fragment:
  - vsphere.content_library.vcenter
  - vsphere.content_library.attributes
  - vsphere.content_library.attributes.resource_module
options:
  update_session_id:
    description: The update session to fail.
    type: str
    required: true
  client_error_message:
    description: Why the update session fails. The module sends the whole text, however long it is.
    type: str
    required: true
seealso:
  - module: vsphere.content_library.update_session
  - module: vsphere.content_library.update_session_info
"""

EXAMPLES = r"""
- name: Change an item, and leave no open update session behind
  block:
    - name: Open an update session
      vsphere.content_library.update_session:
        library_item_id: "{{ library_item_id }}"
      register: opened

    - name: Complete it
      vsphere.content_library.update_session:
        update_session_id: "{{ opened.update_session.id }}"
        state: done
      when: not ansible_check_mode
  rescue:
    - name: Fail the update session with the reason
      vsphere.content_library.update_session_fail:
        update_session_id: "{{ opened.update_session.id }}"
        client_error_message: "{{ ansible_failed_result.msg }}"
      when: opened.update_session is defined
"""

RETURN = r"""
update_session:
  description:
    - The update session. In check mode as it would be.
    - It has the keys that RV(vsphere.content_library.update_session_info#module:update_sessions) describes,
      without C(files) and C(validation).
  type: dict
  returned: success, and failure where a session was read
  sample:
    id: 6ad2ac1f-9d6f-4f2a-8d60-0c9f04ea28ac:0b4ab54e-77bb-4b27-a3a5-5ed7d3ee27dc
    library_item_id: 3f6cb4c0-5f52-4d3e-b1fd-4f9ef9f7e0a3
    state: ERROR
    client_progress: 40
    error_message:
      id: com.vmware.vdcs.cls-main.client_error
      default_message: The disk image is not readable.
operations:
  description: The API operations performed, in order; in check mode those that would be. Reads are not listed.
  type: list
  elements: str
  returned: success
  sample:
    - fail
diff:
  description: What the task changes, as C(before) and C(after).
  type: dict
  returned: when diff mode is on
  sample:
    before:
      state: ACTIVE
    after:
      state: ERROR
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

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import NotAllowedInCurrentState
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import message_facts, session_diff_state
from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession
from ansible_collections.vsphere.content_library.plugins.module_utils._module import module_main
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task

SPEC = dict(
    argument_spec=dict(
        update_session_id=dict(type="str", required=True),
        client_error_message=dict(type="str", required=True),
    ),
    supports_check_mode=True,
)


def run(task: Task) -> dict[str, Any]:
    """Fail the session if it is ACTIVE."""
    sessions = task.services.update_sessions
    update_session_id, message = task.params["update_session_id"], task.params["client_error_message"]
    before = session = task.update_session = sessions.get(update_session_id)
    if session["state"] in ("DONE", "CANCELED"):
        raise NotAllowedInCurrentState(
            f"update session {update_session_id} on {task.host} is {session['state']} and can't be failed",
            operation="update_session.fail",
            update_session=session,
        )
    if session["state"] == "ACTIVE":
        task.perform("fail", sessions.fail, update_session_id, message)
        failed = None if task.check_mode else sessions.find(update_session_id)
        session = failed or predicted(session, message)
    return dict(update_session=session, diff=dict(before=session_diff_state(before), after=session_diff_state(session)))


def predicted(session: UpdateSession, message: str) -> UpdateSession:
    """The session as it would be after the fail."""
    error_message = message_facts({"default_message": message})
    return {
        **session,
        "state": "ERROR",
        "error_message": error_message,
        "preview_info": None,
        "blocking_warnings": [],
    }


def main() -> None:
    module_main(SPEC, run)


if __name__ == "__main__":
    main()
