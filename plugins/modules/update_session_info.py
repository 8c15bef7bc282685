#!/usr/bin/python
# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: update_session_info
short_description: See the update sessions of a content library
version_added: 0.1.0
description:
  - Returns update sessions as facts that a playbook can use in conditions. These are all update sessions of the user,
    those on one library item, or a single one.
  - A vCenter Server shows each user only the sessions that this user created.
author:
  - vsphere.content_library contributors (!UNKNOWN)
extends_documentation_fragment:
  - vsphere.content_library.vcenter
  - vsphere.content_library.attributes
  - vsphere.content_library.attributes.info_module
options:
  update_session_id:
    description: The update session to see. One that does not exist gives an empty list.
    type: str
  library_item_id:
    description: See the update sessions on this library item. One that does not exist gives an empty list.
    type: str
  states:
    description: Return only update sessions in one of these states.
    type: list
    elements: str
    choices:
      - ACTIVE
      - DONE
      - ERROR
      - CANCELED
  gather_files:
    description: Whether to add the files of each update session.
    type: bool
    default: false
  validate:
    description: Whether to let the server validate each V(ACTIVE) update session, and to add what it found.
    type: bool
    default: false
seealso:
  - module: vsphere.content_library.update_session
  - module: vsphere.content_library.update_session_fail
"""

EXAMPLES = r"""
- name: See my update sessions that are still open
  vsphere.content_library.update_session_info:
    states:
      - ACTIVE
  register: sessions

- name: Stop where a warning would fail one of them
  ansible.builtin.assert:
    that: sessions.update_sessions | map(attribute='blocking_warnings') | flatten | length == 0
    fail_msg: A certificate warning is raised and nobody ignored it.

- name: Wait until an item has no open update session
  vsphere.content_library.update_session_info:
    library_item_id: "{{ library_item_id }}"
    states:
      - ACTIVE
  register: sessions
  until: not sessions.update_sessions
  retries: 30
  delay: 10

- name: See the files of one update session, and what is missing
  vsphere.content_library.update_session_info:
    update_session_id: "{{ update_session_id }}"
    gather_files: true
    validate: true
"""

RETURN = r"""
update_sessions:
  description: The update sessions found, sorted by id. Keys that a newer vCenter adds are passed through.
  type: list
  elements: dict
  returned: success
  contains:  # UpdateSessionInfo
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
      description: The progress that the client reported, from 0 to 100.
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
          description: The same values by name. Null where the server reports none.
          type: dict
          returned: always
          sample: null
        localized:
          description: The message in the language of the API session. Null where the server reports none.
          type: str
          returned: always
          sample: null
    preview_info:
      description: What the server reads in the files so far. Null unless the update session is V(ACTIVE).
      type: dict
      returned: always
      contains:  # Preview
        state:
          description: V(UNAVAILABLE), V(PREPARING), V(AVAILABLE) or V(NOT_APPLICABLE).
          type: str
          returned: always
          sample: AVAILABLE
        certificate_info:
          description: The certificate that signed the package. Null where there is none.
          type: dict
          returned: always
          sample:
            issuer: CN=Example CA
            subject: CN=Example Build
            self_signed: false
            x509: MIIDdzCCAl+gAwIBAgIE...
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
              returned: always
              sample: SELF_SIGNED_CERTIFICATE
            message:
              description: What the server says about it.
              type: dict
              returned: when the server reports it
              sample:
                id: com.vmware.ovfs.ovfs-main.warning
                default_message: The certificate is self-signed.
                args: []
            ignored:
              description: Whether the warning is ignored.
              type: bool
              returned: when the server reports it
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
          returned: always
          sample: SELF_SIGNED_CERTIFICATE
        ignored:
          description: Whether the update session completes although the server raises this warning.
          type: bool
          returned: when the server reports it
          sample: true
    expires_in:
      description:
        - Whole seconds until C(expiration_time), by the server's clock. Never below 0.
        - Null where the server reports no expiration time.
      type: int
      returned: always
      sample: 291
    blocking_warnings:
      description: The types of the warnings that are raised and that nobody ignored. They will fail a complete.
      type: list
      elements: str
      returned: always
      sample: []
    files:
      description: The files of the update session, without their upload endpoints.
      type: list
      elements: dict
      returned: when O(gather_files=true)
      contains:  # UpdateSessionFile
        name:
          description: The name of the file.
          type: str
          returned: always
          sample: tools.iso
        source_type:
          description: V(PUSH), V(PULL), or V(NONE) for a file of the library item that does not change.
          type: str
          returned: always
          sample: PUSH
        size:
          description: The size in bytes. Null until the server knows it.
          type: int
          returned: always
          sample: 658505728
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
        source_endpoint:
          description: Where the server pulls the file from. Null for a file that is pushed.
          type: dict
          returned: always
          contains:  # Endpoint
            uri:
              description: Where the file is, without the user name and the password that the URL may have had.
              type: str
              returned: when the server reports it
              sample: https://mirror.example.com/tools.iso
            ssl_certificate_thumbprint:
              description: The thumbprint of the certificate that the server has to present.
              type: str
              returned: when the server reports it
              sample: 2D:6D:4B:9A:71:9C:8F:13:0D:66:0F:EE:9A:6B:44:1B:DF:F5:DE:1A
        bytes_transferred:
          description: How many bytes the server has.
          type: int
          returned: always
          sample: 658505728
        status:
          description: V(WAITING_FOR_TRANSFER), V(TRANSFERRING), V(VALIDATING), V(READY) or V(ERROR).
          type: str
          returned: always
          sample: READY
        error_message:
          description: Why the file is in V(ERROR). Null in every other status.
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
              description: The same values by name. Null where the server reports none.
              type: dict
              returned: always
              sample: null
            localized:
              description: The message in the language of the API session. Null where the server reports none.
              type: str
              returned: always
              sample: null
        keep_in_storage:
          description: Whether the library item will have the file. Manifests and certificates are not kept.
          type: bool
          returned: always
          sample: true
    validation:
      description:
        - The files that are missing or invalid. Null where the server can't say, as for a session not
          V(ACTIVE).
      type: dict
      returned: when O(validate=true)
      contains:  # Validation
        has_errors:
          description: Whether a file is missing or invalid.
          type: bool
          returned: always
          sample: true
        missing_files:
          description: The names of the files that are missing.
          type: list
          elements: str
          returned: always
          sample:
          - disk-0.vmdk
        invalid_files:
          description: The files that are invalid.
          type: list
          elements: dict
          returned: always
          contains:  # InvalidFile
            name:
              description: The name of the file.
              type: str
              returned: always
              sample: disk-0.vmdk
            error_message:
              description: What is wrong with it.
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
                  description: The same values by name. Null where the server reports none.
                  type: dict
                  returned: always
                  sample: null
                localized:
                  description: The message in the language of the API session. Null where the server reports none.
                  type: str
                  returned: always
                  sample: null
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

from typing import Any, cast

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    NotAllowedInCurrentState,
    NotFound,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of, without_upload_endpoint
from ansible_collections.vsphere.content_library.plugins.module_utils._models import (
    STATES,
    UpdateSession,
    UpdateSessionInfo,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._module import module_main
from ansible_collections.vsphere.content_library.plugins.module_utils._session_policy import find_sessions
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task

SPEC = dict(
    argument_spec=dict(
        update_session_id=dict(type="str"),
        library_item_id=dict(type="str"),
        states=dict(type="list", elements="str", choices=list(STATES)),
        gather_files=dict(type="bool", default=False),
        validate=dict(type="bool", default=False),
    ),
    mutually_exclusive=[("update_session_id", "library_item_id")],
    supports_check_mode=True,
)


def run(task: Task) -> dict[str, Any]:
    """Find the sessions, filter them, add what was asked for."""
    params, sessions = task.params, task.services.update_sessions
    by_id = params["update_session_id"] or params["library_item_id"]
    found = find_sessions(sessions, params) if by_id else sessions.list_all_sessions()
    if params["states"]:
        found = [session for session in found if session["state"] in params["states"]]
    if not (params["gather_files"] or params["validate"]):
        return dict(update_sessions=found)
    detailed = task.services.client.map(lambda session: with_details(task, session), found)
    return dict(update_sessions=[session for session in detailed if session])


def with_details(task: Task, session: UpdateSession) -> UpdateSessionInfo | None:
    """The session with its files and its validation, as asked for; None for one that is gone meanwhile."""
    params, files, update_session_id = task.params, task.services.update_sessions.files, id_of(session)
    details: dict[str, Any] = {}
    if params["gather_files"]:
        details["files"] = []
    if params["validate"]:
        details["validation"] = None
    try:
        if params["gather_files"]:
            details["files"] = [without_upload_endpoint(file) for file in files.list_files(update_session_id)]
        if params["validate"] and session["state"] == "ACTIVE":
            details["validation"] = files.validate(update_session_id)
    except NotFound:
        return None
    except VapiError as error:
        # It ended after it was read, or its files are not there yet. error_type is optional in a 400 of /api.
        if not (isinstance(error, NotAllowedInCurrentState) or error.http_status == 400):
            raise
    return cast(UpdateSessionInfo, {**session, **details})


def main() -> None:
    module_main(SPEC, run)


if __name__ == "__main__":
    main()
