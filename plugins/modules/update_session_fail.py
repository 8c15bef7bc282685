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
  - Ends an open update session in V(ERROR) with a message of the client's, which the vSphere Client shows too.
  - Made for C(rescue). The item is free again, keeps its content, and whoever looks at the session sees why.
  - An update session that is in V(ERROR) already is left as it is, with the message it has.
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
    description: Why it fails. It is sent whole, however long it is.
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
  rescue:
    - name: Fail the update session with the reason
      vsphere.content_library.update_session_fail:
        update_session_id: "{{ opened.update_session.id }}"
        client_error_message: "{{ ansible_failed_result.msg }}"
      when: opened.update_session is defined
"""

RETURN = r"""
update_session:
  description: The update session, in check mode as it would be. Keys that a newer vCenter adds are passed through.
  type: dict
  returned: success, and failure where a session was read
  contains:  # UpdateSession
    id:
      description: The identifier of the update session.
      type: str
      returned: always
      sample: 6ad2ac1f-9d6f-4f2a-8d60-0c9f04ea28ac:0b4ab54e-77bb-4b27-a3a5-5ed7d3ee27dc
    library_item_id:
      description: The library item that the update session changes.
      type: str
      returned: always
      sample: 3f6cb4c0-5f52-4d3e-b1fd-4f9ef9f7e0a3
    library_item_content_version:
      description: The content version of the library item when the update session was created.
      type: str
      returned: always
      sample: "2"
    client_progress:
      description: The progress that the client told, from 0 to 100.
      type: int
      returned: always
      sample: 40
    state:
      description: V(ACTIVE), V(DONE), V(ERROR) or V(CANCELED).
      type: str
      returned: always
      sample: ACTIVE
    expiration_time:
      description: The time before which the update session does not expire.
      type: str
      returned: always
      sample: "2026-01-15T10:25:31.651Z"
    error_message:
      description: Why the update session is in V(ERROR). Null in every other state.
      type: dict
      returned: always
      contains:  # Message
        id:
          description: The identifier of the message.
          type: str
          returned: always
          sample: com.vmware.vdcs.cls-main.client_error
        default_message:
          description: The message in English.
          type: str
          returned: always
          sample: The disk image is not readable.
        args:
          description: The values that are inserted into the message.
          type: list
          elements: str
          returned: always
          sample: []
        params:
          description: The same values by name. Null where the server tells none.
          type: dict
          returned: always
          sample: null
        localized:
          description: The message in the language of the API session. Null where the server tells none.
          type: str
          returned: always
          sample: null
    preview_info:
      description: What the server reads in the files so far. Null unless the update session is V(ACTIVE).
      type: dict
      returned: always
      contains:  # Preview
        state:
          description: V(UNAVAILABLE), V(AVAILABLE) or V(NOT_APPLICABLE).
          type: str
          returned: always
          sample: AVAILABLE
        certificate_info:
          description: The certificate that signed the package. Null where there is none.
          type: dict
          returned: always
          sample: null
        cert_chain:
          description: The chain of that certificate.
          type: list
          elements: str
          returned: always
          sample: []
        warnings:
          description: The warnings that the server raised.
          type: list
          elements: dict
          returned: always
          contains:  # PreviewWarning
            type:
              description: The type of the warning.
              type: str
              returned: where the server tells it
              sample: SELF_SIGNED_CERTIFICATE
            message:
              description: What the server says about it.
              type: dict
              returned: where the server tells it
              sample:
                id: com.vmware.ovfs.ovfs-main.warning
                default_message: The certificate is self-signed.
                args: []
            ignored:
              description: Whether the warning is ignored.
              type: bool
              returned: where the server tells it
              sample: false
    warning_behavior:
      description: Which warnings do not fail the update session.
      type: list
      elements: dict
      returned: always
      contains:  # WarningBehavior
        type:
          description: The type of the warning.
          type: str
          returned: where the server tells it
          sample: SELF_SIGNED_CERTIFICATE
        ignored:
          description: Whether the update session completes although the server raises this warning.
          type: bool
          returned: where the server tells it
          sample: true
    expires_in:
      description:
        - Whole seconds until C(expiration_time), by the server's clock. Never below 0.
        - Null where the server tells no expiration time.
      type: int
      returned: always
      sample: 291
    blocking_warnings:
      description: The types of the warnings that are raised and that nobody ignored. They will fail a complete.
      type: list
      elements: str
      returned: always
      sample: []
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
    - What kind of failure it was, as one of the discriminators of the vSphere API's standard errors,
      such as V(NOT_FOUND), V(NOT_ALLOWED_IN_CURRENT_STATE), V(RESOURCE_BUSY), V(UNAUTHENTICATED) or
      V(ERROR).
    - A failure that no server reported uses the same words. V(INVALID_ARGUMENT) - the module refused an
      option. V(UNVERIFIED_PEER) - a certificate or TLS. V(RESOURCE_INACCESSIBLE) - no connection.
      V(TIMED_OUT) - a wait was too long. V(INTERNAL_SERVER_ERROR) - an answer that can't be read.
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
    - The messages of the server, from the operation to the cause. Each has C(id), C(default_message),
      C(args).
  type: list
  elements: dict
  returned: failure
  sample: []
operation:
  description: The operation of the API that failed. Null where none was tried.
  type: str
  returned: failure
  sample: update_session.complete
"""

from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import NotAllowedInCurrentState
from ansible_collections.vsphere.content_library.plugins.module_utils._models import message_facts, session_diff_state
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
    before = session = sessions.get(update_session_id)
    if session["state"] in ("DONE", "CANCELED"):
        raise NotAllowedInCurrentState(
            f"update session {update_session_id} on {task.host} is {session['state']} and can't be failed",
            operation="update_session.fail",
            update_session=session,
        )
    if session["state"] == "ACTIVE":
        task.perform("fail", sessions.fail, update_session_id, message)
        told = message_facts({"default_message": message})
        predicted = dict(session, state="ERROR", error_message=told, preview_info=None, blocking_warnings=[])
        session = predicted if task.check_mode else sessions.get(update_session_id)
    return dict(update_session=session, diff=dict(before=session_diff_state(before), after=session_diff_state(session)))


def main() -> None:
    module_main(SPEC, run)


if __name__ == "__main__":
    main()
