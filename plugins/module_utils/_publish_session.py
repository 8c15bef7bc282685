# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The update session in which a library item gets its content: opened on an item that may be busy, and given up."""

from __future__ import annotations

from contextlib import suppress

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import ResourceBusy, VapiError, reason_of
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of
from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession
from ansible_collections.vsphere.content_library.plugins.module_utils._session_policy import (
    cancel_unless_ended,
    explained,
    settle_others,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline, poll


def open_session(task: Task, item_id: str) -> str:
    """Open a session on the item, once nobody else has one. Returns the id.

    One of another user can't be seen, only waited for. One of this user may have appeared since the item was looked at.
    """
    sessions, params, busy = task.services.update_sessions, task.params, None
    deadline = Deadline(params["busy_timeout"])
    for _waited in poll(deadline, task.services.client.pause):
        try:
            return sessions.create(item_id, params["warning_behavior"])
        except ResourceBusy as error:
            busy = error
        abandoned, _ended = settle_others(sessions, item_id, params["stale_after"], max(deadline.remaining(), 0))
        if abandoned:
            remove_abandoned(task, abandoned)
            return sessions.create(item_id, params["warning_behavior"])
    raise busy or ResourceBusy(
        f"library item {item_id} on {task.host} is busy: another update session is open on it. Set busy_timeout to wait"
    )


def remove_abandoned(task: Task, abandoned: list[UpdateSession]) -> None:
    """Cancel and delete sessions that killed runs left behind."""
    sessions = task.services.update_sessions
    for session in abandoned:
        task.perform("cancel", cancel_unless_ended, sessions, id_of(session))
        task.perform("delete", sessions.delete, id_of(session))


def discard(task: Task, session_id: str) -> None:
    """Remove a session in which nothing is to be done."""
    sessions, retry_cleanup = task.services.update_sessions, task.services.client.retry_cleanup
    try:
        retry_cleanup(cancel_unless_ended, sessions, session_id)
        retry_cleanup(sessions.delete, session_id)
    except VapiError as error:
        task.warnings.append(
            f"Update session {session_id} could not be removed, and locks the item until it expires: {error}"
        )


def give_up(
    task: Task,
    session_id: str,
    session: UpdateSession | None,
    last_seen: UpdateSession | None,
    error: BaseException,
) -> None:
    """Fail a session with the reason, so that the item is free and everybody can see why. None for one that is gone."""
    sessions, retry_cleanup = task.services.update_sessions, task.services.client.retry_cleanup
    if isinstance(error, VapiError) and error.update_session is None:
        if session is None:
            error.update_session = last_seen
            error.args = (f"{error}; update session {session_id} is gone: it expired, or was deleted",)
        else:
            if session["state"] in ("CANCELED", "DONE"):
                error.args = (f"{error}; update session {session_id} is {session['state']}",)
            explained(sessions, error, session)
    if session is None or session["state"] != "ACTIVE":
        return
    try:
        retry_cleanup(sessions.fail, session_id, reason_of(error))
        if isinstance(error, VapiError):
            with suppress(VapiError):
                error.update_session = sessions.find(session_id)
    except VapiError as second:
        task.warnings.append(
            f"Update session {session_id} could not be failed, and locks the item until it expires: {second}"
        )
