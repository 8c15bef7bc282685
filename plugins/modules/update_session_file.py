#!/usr/bin/python
# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: update_session_file
short_description: Add a file to an update session of a content library, or remove one
version_added: 0.1.0
description:
  - Brings one file of an open update session into a state. The host that runs the module pushes the file, or the server
    pulls it.
  - To manage a library item with all of its content, use M(vsphere.content_library.library_item).
author:
  - vsphere.content_library contributors (!UNKNOWN)
extends_documentation_fragment:
  - vsphere.content_library.vcenter
  - vsphere.content_library.content.pull
  - vsphere.content_library.attributes
  - vsphere.content_library.attributes.resource_module
options:
  update_session_id:
    description: The update session. It must be V(ACTIVE).
    type: str
    required: true
  name:
    description: The name of the file in the library item.
    type: str
    required: true
  state:
    description:
      - With V(present), the server has the file.
      - With V(absent), the file is not in the update session. Once the session is completed, the library item does not
        have the file.
    type: str
    choices:
      - present
      - absent
    default: present
  src:
    description:
      - The file to push, as a path on the host that runs the module.
      - With O(state=present) exactly one of O(src) and O(url) is required.
    type: path
  wait:
    description: Whether to wait until the server has pulled the file.
    type: bool
    default: true
  wait_timeout:
    description: How many seconds the server may take. For a push, the time starts after the last byte.
    type: int
    default: 3600
seealso:
  - module: vsphere.content_library.update_session
  - module: vsphere.content_library.library_item
"""

EXAMPLES = r"""
- name: Change one file of an item, and leave no open update session behind
  block:
    - name: Open an update session
      vsphere.content_library.update_session:
        library_item_id: "{{ library_item_id }}"
      register: opened

    - name: Push the file
      vsphere.content_library.update_session_file:
        update_session_id: "{{ opened.update_session.id }}"
        name: tools.iso
        src: "{{ files }}/tools.iso"
      when: not ansible_check_mode

    - name: Make the change visible
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
file:
  description: The file as the server reports it, without its upload endpoint. Null if the session has no such file.
  type: dict
  returned: success
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
update_session:
  description:
    - The update session.
    - It has the keys that RV(vsphere.content_library.update_session_info#module:update_sessions) describes,
      without C(files) and C(validation).
  type: dict
  returned: success, and failure where a session was read
  sample:
    id: 6ad2ac1f-9d6f-4f2a-8d60-0c9f04ea28ac:0b4ab54e-77bb-4b27-a3a5-5ed7d3ee27dc
    library_item_id: 3f6cb4c0-5f52-4d3e-b1fd-4f9ef9f7e0a3
    state: ACTIVE
    client_progress: 40
    error_message: null
operations:
  description: The API operations performed, in order; in check mode those that would be. Reads are not listed.
  type: list
  elements: str
  returned: success
  sample:
    - add_file
    - upload
diff:
  description: What the task changes, as C(before) and C(after).
  type: dict
  returned: when diff mode is on
  sample:
    before: {}
    after:
      name: tools.iso
      status: READY
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

from contextlib import ExitStack
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._argspec import PULL
from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    checksum_info,
    matches_checksum,
    parse_checksum,
    server_checksum,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._content_plan import (
    PULLED,
    REMOVED,
    UPLOADED,
    FileChange,
    pull_spec,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    TimedOut,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import (
    file_diff_state,
    file_facts,
    message_text,
    without_upload_endpoint,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import KeepAlive
from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession, UploadFile
from ansible_collections.vsphere.content_library.plugins.module_utils._module import module_main
from ansible_collections.vsphere.content_library.plugins.module_utils._session_policy import explained
from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import SourceFile, open_file
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task
from ansible_collections.vsphere.content_library.plugins.module_utils._transfer import Upload
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline, wait_for

SPEC = dict(
    argument_spec=dict(
        update_session_id=dict(type="str", required=True),
        name=dict(type="str", required=True),
        state=dict(type="str", choices=["present", "absent"], default="present"),
        src=dict(type="path"),
        **PULL,
        wait=dict(type="bool", default=True),
        wait_timeout=dict(type="int", default=3600),
    ),
    required_if=[("state", "present", ("src", "url"), True)],
    mutually_exclusive=[("src", "url")],
    required_by=dict(ssl_thumbprint=["url"]),
    supports_check_mode=True,
)


def run(task: Task) -> dict[str, Any]:
    """Look at the source and the session, plan, bring the file into the state."""
    params, sessions = task.params, task.services.update_sessions
    if params["wait_timeout"] < 1:
        raise InvalidArgument(f"wait_timeout {params['wait_timeout']} is below 1")
    wanted = wanted_change(params)
    session = task.update_session = active_session(task, wanted)
    with ExitStack() as stack:
        # To compare a large file takes its time too.
        keeper = None if task.check_mode else stack.enter_context(KeepAlive(sessions.keep_alive, session))
        before = sessions.files.find(params["update_session_id"], params["name"])
        is_due = differs(task, session, wanted, before)
        file = carry_out(task, session, wanted, keeper) if is_due else before
        if wanted.spec and params["wait"] and not task.check_mode:
            file = pulled(task, session, file)
    if is_due and not task.check_mode:
        session = sessions.get(params["update_session_id"])
    return dict(
        file=without_upload_endpoint(file) if file else None,
        update_session=session,
        diff=dict(before=file_diff_state(before), after=file_diff_state(file)),
    )


def wanted_change(params: dict[str, Any]) -> FileChange:
    """What the task asks for: a push, a pull or a removal. Raises InvalidArgument for a source that can't be sent."""
    name = params["name"]
    if params["state"] == "absent":
        return FileChange(name, REMOVED)
    if params["src"]:
        checksum = parse_checksum(params["checksum"]) if params["checksum"] else None
        source = open_file(params["src"], checksum)._replace(name=name)
        return FileChange(name, UPLOADED, source.size, source.checksum, source=source)
    return FileChange(name, PULLED, spec=pull_spec(params, name))


def active_session(task: Task, wanted: FileChange) -> UpdateSession:
    """The session, which must be ACTIVE."""
    session = task.services.update_sessions.get(task.params["update_session_id"])
    if session["state"] != "ACTIVE":
        text = f"update session {session['id']} on {task.host} is {session['state']} and its files can't be changed"
        operation = "file.remove" if wanted.action == REMOVED else "file.add"
        raise NotAllowedInCurrentState(text, operation=operation, update_session=session)
    return session


def differs(task: Task, session: UpdateSession, wanted: FileChange, file: UploadFile | None) -> bool:
    """Whether the session does not have what is wanted yet."""
    if wanted.source:
        return not has_source(task, session, wanted.source, file)
    if wanted.spec:
        return not is_pulled_from(wanted.spec, file)
    return file is not None


def has_source(task: Task, session: UpdateSession, source: SourceFile, file: UploadFile | None) -> bool:
    """Whether the session has the source. The checksum that the server reports decides alone, else the size does."""
    if file is None or file["status"] != "READY":
        return False
    reported = server_checksum(file)
    if reported is None and file["source_type"] == "NONE":
        # The session reports no checksum of a file that it leaves as it is. The item does.
        kept = task.services.library_items.files(session["library_item_id"] or "")
        reported = next((server_checksum(file) for file in kept if file["name"] == source.name), None)
    is_same = matches_checksum(source, reported) if reported else file["size"] == source.size
    if is_same and source.checksum and not matches_checksum(source, source.checksum, reported):
        text = f"checksum: {source.path!r} does not have this checksum, and is what the session has"
        raise InvalidArgument(f"{text}. Correct checksum, or src")
    return is_same


def is_pulled_from(spec: dict[str, Any], file: UploadFile | None) -> bool:
    """Whether the server has the file, or is pulling it, from this URL."""
    if file is None or file["status"] == "ERROR" or file["source_type"] != "PULL":
        return False
    reported, asked = server_checksum(file), server_checksum(spec)
    if reported and asked and reported.algorithm == asked.algorithm:
        return reported == asked
    return (file["source_endpoint"] or {}).get("uri") == spec["source_endpoint"]["uri"]


def carry_out(task: Task, session: UpdateSession, wanted: FileChange, keeper: KeepAlive | None) -> UploadFile | None:
    """Push, pull or remove the file. Returns its info afterwards; in check mode as it would be.

    keeper keeps the session alive; None in check mode.
    """
    update_session_id, files = task.params["update_session_id"], task.services.update_sessions.files
    if wanted.source:
        return push(task, session, wanted, keeper)
    if wanted.spec:
        info = task.perform("add_file", files.add, update_session_id, wanted.spec)
        return info or predicted(task, session, dict(wanted.spec, status="READY"))
    task.perform("remove_file", files.remove, update_session_id, wanted.name)
    return None


def predicted(task: Task, session: UpdateSession, info: dict[str, Any]) -> UploadFile:
    """The file as it would be once the session has it."""
    keeps = True
    if info["name"].lower().endswith((".mf", ".cert")):
        # Of an OVF package they are read and thrown away. In any other item they are files like all others.
        item = task.services.library_items.get(session["library_item_id"] or "")
        keeps = (item["type"] or "").lower() != "ovf"
    return file_facts(dict(info, keep_in_storage=keeps))


def push(task: Task, session: UpdateSession, wanted: FileChange, keeper: KeepAlive | None) -> UploadFile | None:
    """Send the bytes. Returns the info of the file."""
    sessions, source = task.services.update_sessions, wanted.source
    task.note(*wanted.operations)
    if keeper is None or source is None:
        info: dict[str, Any] = dict(name=wanted.name, source_type="PUSH", status="READY", size=wanted.size)
        info.update(bytes_transferred=wanted.size, checksum_info=checksum_info(wanted.checksum))
        return predicted(task, session, info)
    client, wait_timeout = task.services.client, task.params["wait_timeout"]
    try:
        Upload(client, sessions, session, keeper, wait_timeout=wait_timeout, report=task.report).push([source])
    except VapiError as error:
        raise explained(sessions, error, session) from None
    return sessions.files.find(task.params["update_session_id"], source.name)


def pulled(task: Task, session: UpdateSession, file: UploadFile | None) -> UploadFile:
    """Wait until the server has pulled the file. Returns its info."""
    params, sessions = task.params, task.services.update_sessions
    timeout = params["wait_timeout"]
    subject = f"file {params['name']} of update session {session['id']} on {task.host}"

    def look() -> UploadFile | None:
        return sessions.files.find(params["update_session_id"], params["name"])

    if not has_arrived(file):
        file, arrived = wait_for(look, has_arrived, Deadline(timeout))
        if not arrived:
            text = f"{subject} is still not there after {timeout} seconds; raise wait_timeout if its source is slow"
            raise TimedOut(text, operation="file.list", update_session=session)
    if not file or file["status"] == "ERROR":
        reason = message_text(file["error_message"]) if file else "the session has lost it"
        text = f"{subject} was not pulled: {reason}"
        raise VapiError(text, operation="file.add", update_session=session)
    return file


def has_arrived(file: UploadFile | None) -> bool:
    """Whether there is nothing to wait for any more, be it well or not."""
    return file is None or file["status"] in ("READY", "ERROR")


def main() -> None:
    module_main(SPEC, run)


if __name__ == "__main__":
    main()
