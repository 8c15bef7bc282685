#!/usr/bin/python
# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: update_session
short_description: Open, control and end an update session of a content library
version_added: 0.1.0
description:
  - Brings an update session of a library item into a state. A content library changes an item through an update
    session. A client creates the session, adds files, keeps it alive, and ends it by complete, cancel or fail.
  - To fail an update session with your own message, use M(vsphere.content_library.update_session_fail).
author:
  - vsphere.content_library contributors (!UNKNOWN)
extends_documentation_fragment:
  - vsphere.content_library.vcenter
  - vsphere.content_library.content.warning_behavior
  - vsphere.content_library.attributes
  - vsphere.content_library.attributes.resource_module
options:
  update_session_id:
    description:
      - The update session.
      - Exactly one of O(update_session_id) and O(library_item_id) is required.
    type: str
  library_item_id:
    description:
      - The library item that the update session changes.
      - With O(state=active), the task uses the user's open update session on the item. If there is none, it creates
        one. If another user has an open one, the task fails with C(RESOURCE_BUSY).
      - With O(state=done) and O(state=canceled), the task ends the user's open update session. If there is none, it
        succeeds if the user has one that is in that state already.
      - With O(state=absent), the task deletes all update sessions of the user on the item.
    type: str
  state:
    description:
      - V(active) is an open update session with at least this progress and lifetime, and with this warning behavior.
      - V(done) completes it, so that its changes become visible.
      - V(canceled) cancels it. The item stays as it was.
      - V(absent) deletes it, and cancels it before if it is still open.
      - O(warning_behavior), O(client_progress) and O(min_lifetime) are used with V(active) and V(done).
    type: str
    choices:
      - active
      - done
      - canceled
      - absent
    default: active
  client_progress:
    description:
      - The least progress of the update session, from 0 to 100. The task reports it to the server where that knows a
        lower one.
    type: int
  min_lifetime:
    description:
      - Keep the update session alive if it expires in fewer seconds than this. The task warns if that is not enough.
    type: int
  wait:
    description: Whether to wait with O(state=done) until the server is done. After a pull, that may take minutes.
    type: bool
    default: true
  wait_timeout:
    description: How many seconds the complete operation and the wait may take together.
    type: int
    default: 600
seealso:
  - module: vsphere.content_library.update_session_info
  - module: vsphere.content_library.update_session_fail
"""

EXAMPLES = r"""
- name: Open an update session on an item, or go on with the one that is open
  vsphere.content_library.update_session:
    library_item_id: "{{ library_item_id }}"
    warning_behavior:
      - type: SELF_SIGNED_CERTIFICATE
  register: opened

- name: Keep it alive for at least four minutes
  vsphere.content_library.update_session:
    update_session_id: "{{ opened.update_session.id }}"
    min_lifetime: 240
  when: not ansible_check_mode

- name: Make its changes visible
  vsphere.content_library.update_session:
    update_session_id: "{{ opened.update_session.id }}"
    state: done
  when: not ansible_check_mode

- name: Clear away whatever update sessions I have on the item
  vsphere.content_library.update_session:
    library_item_id: "{{ library_item_id }}"
    state: absent
"""

RETURN = r"""
update_session:
  description:
    - The update session. Null once it is deleted.
    - In check mode as it would be, with a null C(id) where none exists yet.
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
    - create
diff:
  description: What the task changes, as C(before) and C(after).
  type: dict
  returned: when diff mode is on
  sample:
    before:
      state: ACTIVE
    after:
      state: DONE
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

import time
from contextlib import ExitStack, suppress
from typing import Any, NamedTuple, cast

from ansible_collections.vsphere.content_library.plugins.module_utils._argspec import WARNING_BEHAVIOR
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    VapiError,
    could_be,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import (
    behavior_of,
    id_of,
    session_diff_state,
    session_facts,
    with_behavior,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import KeepAlive
from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession
from ansible_collections.vsphere.content_library.plugins.module_utils._module import module_main
from ansible_collections.vsphere.content_library.plugins.module_utils._session_policy import (
    cancel_unless_ended,
    find_sessions,
    finish,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task

SPEC = dict(
    argument_spec=dict(
        update_session_id=dict(type="str"),
        library_item_id=dict(type="str"),
        state=dict(type="str", choices=["active", "done", "canceled", "absent"], default="active"),
        **WARNING_BEHAVIOR,
        client_progress=dict(type="int"),
        min_lifetime=dict(type="int"),
        wait=dict(type="bool", default=True),
        wait_timeout=dict(type="int", default=600),
    ),
    required_one_of=[("update_session_id", "library_item_id")],
    mutually_exclusive=[("update_session_id", "library_item_id")],
    supports_check_mode=True,
)

WANTED = dict(active="ACTIVE", done="DONE", canceled="CANCELED")
OPERATIONS = dict(ACTIVE="update_session.get", DONE="update_session.complete", CANCELED="update_session.cancel")


def run(task: Task) -> dict[str, Any]:
    """Find the session, bring it into the state."""
    params = task.params
    if not 0 <= (params["client_progress"] or 0) <= 100:
        raise InvalidArgument(f"client_progress {params['client_progress']} is not between 0 and 100")
    for option in ("min_lifetime", "wait_timeout"):
        if (params[option] or 0) < 0:
            raise InvalidArgument(f"{option} {params[option]} is below 0")
    if params["state"] == "absent":
        return remove(task)

    wanted = WANTED[params["state"]]
    before = task.update_session = locate(task, wanted)
    before, session = (before, before) if before else create(task)
    check_state(task, session, wanted)
    if session["state"] == "ACTIVE" and wanted != "CANCELED":
        session = steer_unless_done(task, session, wanted)
        check_state(task, session, wanted)
    if session["state"] != wanted:
        session = end(task, session, wanted)
    return dict(update_session=session, diff=dict(before=session_diff_state(before), after=session_diff_state(session)))


def check_state(task: Task, session: UpdateSession, wanted: str) -> None:
    """Refuse a session that has ended in another state."""
    task.update_session = session
    if session["state"] not in ("ACTIVE", wanted):
        raise NotAllowedInCurrentState(
            f"update session {session['id']} on {task.host} is {session['state']} and can't become {wanted}",
            operation=OPERATIONS[wanted],
            update_session=session,
        )


def locate(task: Task, wanted: str) -> UpdateSession | None:
    """The session that is meant; None where one is to be created. Raises NotFound."""
    params, sessions = task.params, task.services.update_sessions
    if params["update_session_id"]:
        return sessions.get(params["update_session_id"])
    by_state = {session["state"]: session for session in sessions.list_sessions(params["library_item_id"])}
    session = by_state.get("ACTIVE") or by_state.get(wanted)
    if session is None and wanted != "ACTIVE":
        item = f"library item {params['library_item_id']} on {task.host}"
        text = f"{item} has no update session of this user that is {wanted}; those of other users can't be seen"
        raise NotFound(text, operation=OPERATIONS[wanted])
    return session


def create(task: Task) -> tuple[UpdateSession | None, UpdateSession]:
    """Open a session on the item, with its warning behavior. Returns it as it was before, and as it is.

    Where the user has one by now, that one is taken.
    """
    sessions = task.services.update_sessions
    item, behavior = task.params["library_item_id"], task.params["warning_behavior"] or []
    try:
        update_session_id = task.perform("create", sessions.create, item, behavior)
    except ResourceBusy:
        found = locate(task, "ACTIVE")
        if found is None:
            raise
        return found, found
    if update_session_id is None:
        session = session_facts({"library_item_id": item, "state": "ACTIVE", "client_progress": 0}, time.time())
    else:
        session = sessions.get(update_session_id)
    # A server may leave it out of get, and it is set: no update is due.
    session["warning_behavior"] = session["warning_behavior"] or behavior
    return None, session


class Steering(NamedTuple):
    """What has to happen to an ACTIVE session. changes are properties as they will be."""

    changes: dict[str, Any]
    is_short: bool  # It expires before min_lifetime.

    @property
    def keeps_alive(self) -> bool:
        """Whether that takes a keep-alive."""
        return self.is_short or "client_progress" in self.changes


def plan_steering(params: dict[str, Any], session: UpdateSession) -> Steering:
    """Compare an ACTIVE session with what the task wants."""
    changes: dict[str, Any] = {}
    ignored = behavior_of(session)
    asked = {entry["type"]: entry["ignored"] for entry in params["warning_behavior"] or []}
    if any(ignored.get(warning, False) != wanted for warning, wanted in asked.items()):
        merged = {**ignored, **asked}
        changes["warning_behavior"] = [dict(type=warning, ignored=wanted) for warning, wanted in merged.items()]
    if (params["client_progress"] or 0) > (session["client_progress"] or 0):
        changes["client_progress"] = params["client_progress"]
    expires_in, min_lifetime = session["expires_in"], params["min_lifetime"]
    return Steering(changes, min_lifetime is not None and expires_in is not None and expires_in < min_lifetime)


def steer_unless_done(task: Task, session: UpdateSession, wanted: str) -> UpdateSession:
    """Steer a session. One that is to be DONE may be completed by somebody else meanwhile."""
    try:
        return steer(task, session)
    except VapiError as error:
        if not could_be(error, NotAllowedInCurrentState):
            raise
        with suppress(NotFound):
            session = task.update_session = task.services.update_sessions.get(id_of(session))
        if session["state"] != "DONE" or wanted != "DONE":
            raise
        return session


def steer(task: Task, session: UpdateSession) -> UpdateSession:
    """Bring the properties of an ACTIVE session, and its lifetime, to what the task wants. Returns the session."""
    sessions, update_session_id = task.services.update_sessions, id_of(session)
    plan = plan_steering(task.params, session)
    if "warning_behavior" in plan.changes:
        task.perform("update", sessions.update, update_session_id, plan.changes["warning_behavior"])
    if plan.keeps_alive:
        keep_alive(task, update_session_id, plan)
    if not (plan.changes or plan.keeps_alive):
        return session
    if task.check_mode:
        behavior = plan.changes.get("warning_behavior")
        predicted = session if behavior is None else with_behavior(session, behavior)
        return cast(UpdateSession, {**predicted, **plan.changes})
    session = sessions.get(update_session_id)
    min_lifetime = task.params["min_lifetime"]
    if plan.is_short and (session["expires_in"] or 0) < min_lifetime:
        task.warnings.append(
            f"Update session {update_session_id} expires in {session['expires_in']} seconds even after a keep-alive;"
            f" min_lifetime asks for {min_lifetime}."
        )
    return session


def keep_alive(task: Task, update_session_id: str, plan: Steering) -> None:
    """Send one keep-alive. The progress asked for is the least: somebody else may have got further since."""
    sessions, progress = task.services.update_sessions, plan.changes.get("client_progress")
    try:
        task.perform("keep_alive", sessions.keep_alive, update_session_id, progress)
    except VapiError as error:
        if progress is None or not could_be(error, InvalidArgument):
            raise
        session = task.update_session = sessions.get(update_session_id)
        if session["state"] != "ACTIVE" or (session["client_progress"] or 0) < progress:
            raise
        if plan.is_short:
            task.perform("keep_alive", sessions.keep_alive, update_session_id)


def end(task: Task, session: UpdateSession, wanted: str) -> UpdateSession:
    """Complete or cancel an ACTIVE session. Returns it afterwards."""
    params, sessions, update_session_id = task.params, task.services.update_sessions, id_of(session)
    ended: UpdateSession | None = None
    if wanted == "DONE" and task.check_mode and session["blocking_warnings"]:
        listed = ", ".join(session["blocking_warnings"])
        raise VapiError(
            f"update session {update_session_id} on {task.host} would end in ERROR when it is completed: its content"
            f" raised {listed}; look into it, or ignore it by warning_behavior",
            operation=OPERATIONS[wanted],
            update_session=session,
        )
    if wanted == "DONE":
        with ExitStack() as stack:
            if not task.check_mode:
                stack.enter_context(KeepAlive(sessions.keep_alive, session))
            timeout, wait = params["wait_timeout"], params["wait"]
            ended = task.perform("complete", finish, sessions, update_session_id, timeout, wait)
    else:
        task.perform("cancel", sessions.cancel, update_session_id)
        if not task.check_mode:
            ended = sessions.find(update_session_id)
    return ended or {**session, "state": wanted, "preview_info": None, "blocking_warnings": []}


def remove(task: Task) -> dict[str, Any]:
    """Delete the session, or all sessions of the user on the item."""
    params, sessions = task.params, task.services.update_sessions
    found = find_sessions(sessions, params)
    before = {id_of(session): session for session in found}
    for update_session_id, session in before.items():
        task.update_session = session
        if session["state"] == "ACTIVE":
            task.perform("cancel", cancel_unless_ended, sessions, update_session_id)
        task.perform("delete", sessions.delete, update_session_id)
    states = {update_session_id: session_diff_state(session) for update_session_id, session in before.items()}
    return dict(update_session=None, diff=dict(before=states, after={}))


def main() -> None:
    module_main(SPEC, run)


if __name__ == "__main__":
    main()
