# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of a library item as desired state: a plan, then predicted, or performed in one update session."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    DEFAULT_ALGORITHM,
    format_checksum,
    matches_checksum,
    server_checksum,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._content_plan import (
    NOTHING,
    PULLED,
    REMOVED,
    UPLOADED,
    ContentPlan,
    File,
    FileChange,
    compare,
    contradicts,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    ResourceBusy,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of, session_facts
from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import KeepAlive
from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession
from ansible_collections.vsphere.content_library.plugins.module_utils._packages import Package
from ansible_collections.vsphere.content_library.plugins.module_utils._session_policy import (
    cancel_unless_ended,
    explained,
    finish,
    settle_others,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import defer_signals
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task
from ansible_collections.vsphere.content_library.plugins.module_utils._transfer import Pushed, Upload
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline, poll


@dataclass
class Content:
    """The plan for the content of an item, and what came of it.

    changes are those of the plan with their results, after the files that the item has then.
    """

    plan: ContentPlan = NOTHING
    changes: tuple[FileChange, ...] = ()
    after: Mapping[str, File] = field(default_factory=dict)
    update_session: UpdateSession | None = None
    pushed: dict[str, Pushed] = field(default_factory=dict)
    bytes_transferred: int = 0


def refuse_subscribed(task: Task, library_id: str) -> None:
    """Raise InvalidArgument for a library whose items can't be written."""
    if task.services.libraries.get(library_id).get("type") == "SUBSCRIBED":
        raise InvalidArgument(f"library {library_id} is subscribed: change its items where they are published")


def publish_content(task: Task, source: Package, library_id: str, item_id: str | None, is_new: bool) -> Content:
    """Compare, then send what differs in one update session. item_id is None for an item that would be created."""
    sessions = task.services.update_sessions
    abandoned: list[UpdateSession] = []
    if is_new or item_id is None:
        plan = compare(task.params, source, ())
    else:
        plan, abandoned = plan_for(task, source, library_id, item_id)
    if not plan.differs:
        return Content(plan, plan.changes, plan.before)
    for session in abandoned:
        task.perform("cancel", cancel_unless_ended, sessions, id_of(session))
        task.perform("delete", sessions.delete, id_of(session))
    if task.check_mode or item_id is None:
        return predict(task, plan, item_id)
    return perform(task, plan, item_id)


def plan_for(task: Task, source: Package, library_id: str, item_id: str) -> tuple[ContentPlan, list[UpdateSession]]:
    """Plan for an item that exists, once nobody else is at work on it.

    Returns the plan, and the sessions that killed runs left behind on the item.
    """
    params, services = task.params, task.services
    while True:
        plan = compare(params, source, services.library_items.files(item_id))
        if not plan.differs:
            return plan, []
        refuse_subscribed(task, library_id)
        abandoned, has_changed = settle_others(
            services.update_sessions, item_id, params["stale_after"], params["busy_timeout"]
        )
        if not has_changed:
            return plan, abandoned


def predict(task: Task, plan: ContentPlan, item_id: str | None) -> Content:
    """What a run outside of check mode would do."""
    session = dict(library_item_id=item_id, state="DONE", warning_behavior=task.params["warning_behavior"])
    task.note("create")
    for change in plan.changes:
        task.note(*change.operations)
    task.note("complete")
    return Content(plan, plan.changes, plan.after(), session_facts(session, 0))


def perform(task: Task, plan: ContentPlan, item_id: str) -> Content:
    """Carry out a plan in one update session. After a failure the session is failed with the reason."""
    params, services = task.params, task.services
    sessions, content = services.update_sessions, Content(plan)
    session_id = None
    try:
        with defer_signals():
            session_id = task.perform("create", open_session, task, item_id)
        session = content.update_session = sessions.get(session_id)
        with KeepAlive(sessions.keep_alive, session, params["stale_after"]) as keeper:
            fill(task, content, session, keeper)
            content.update_session = task.perform("complete", finish, sessions, session_id, params["wait_timeout"])
    except BaseException as error:
        if not isinstance(error, Exception):
            services.client.limit_timeouts()
        if session_id:
            give_up(task, content, session_id, error)
        raise
    verify(task, content, item_id)
    return content


def open_session(task: Task, item_id: str) -> str:
    """Open a session on the item. That of another user can't be seen, only waited for. Returns the id."""
    params, busy = task.params, None
    for _waited in poll(Deadline(params["busy_timeout"])):
        try:
            return task.services.update_sessions.create(item_id, params["warning_behavior"])
        except ResourceBusy as error:
            busy = error
    raise busy or ResourceBusy(f"library item {item_id} on {task.host} is busy")


def fill(task: Task, content: Content, session: UpdateSession, keeper: KeepAlive) -> None:
    """Remove, pull and push the files."""
    session_id, files = id_of(session), task.services.update_sessions.files
    uploads = content.plan.having(UPLOADED)
    for change in content.plan.changes:
        start = time.monotonic()
        if change.action == REMOVED:
            task.perform("remove_file", files.remove, session_id, change.name)
            change = change._replace(seconds=time.monotonic() - start)
        elif change.action == PULLED:
            task.perform("add_file", files.add, session_id, change.spec)
        content.changes += (change,)
    if uploads:
        push(task, content, uploads, session, keeper)
        # Asked before the complete, whose error hides what is wrong.
        if files.validate(session_id)["has_errors"]:
            text = f"update session {session_id} on {task.host} has missing or invalid files"
            raise VapiError(text, operation="file.validate")


def push(task: Task, content: Content, uploads: list[FileChange], session: UpdateSession, keeper: KeepAlive) -> None:
    """Push files, hashed in the algorithm in which the server reports checksums, so that the two can be compared."""
    reported = filter(None, map(server_checksum, content.plan.before.values()))
    upload = Upload(
        task.services.client,
        task.services.update_sessions,
        session,
        keeper,
        algorithm=next((checksum.algorithm for checksum in reported), DEFAULT_ALGORITHM),
        wait_timeout=task.params["wait_timeout"],
        report=task.report,
    )
    pushed = upload.push([change.source for change in uploads if change.source])
    content.pushed = {result.source.name: result for result in pushed}
    content.bytes_transferred = upload.progress.bytes_transferred
    for change in uploads:
        task.note(*change.operations)


class _NotAsSent(Exception):
    """Why a file of the item is not the one that was sent."""


def verify(task: Task, content: Content, item_id: str) -> None:
    """Hold what the item has against what was sent."""
    content.after = {file["name"]: file for file in task.services.library_items.files(item_id)}
    verified = []
    for change in content.changes:
        has = content.after.get(change.name, {})
        try:
            if change.action == UPLOADED:
                change = verify_pushed(change, content.pushed[change.name], has)
            elif change.action == PULLED:
                change = verify_pulled(change, has)
        except _NotAsSent as why:
            what = f"file {change.name} of library item {item_id} on {task.host}"
            raise VapiError(f"{what} is not what was sent: {why}", operation="item_file.list") from None
        verified.append(change)
    content.changes = tuple(verified)


def verify_pushed(change: FileChange, pushed: Pushed, has: File) -> FileChange:
    """Compare a file of the item with what was pushed: by the checksum that the server reports, else by the size."""
    reported, verified = server_checksum(has), pushed.verified
    # A file that was verified in the session is not read again for a checksum in another algorithm.
    is_other = bool(verified and reported and pushed.checksum and reported.algorithm != pushed.checksum.algorithm)
    if reported and not is_other:
        verified = matches_checksum(pushed.source, reported, pushed.checksum)
        if not verified:
            raise _NotAsSent(f"the server reports {format_checksum(reported)}")
    elif not pushed.received and pushed.source.keep_in_storage and has.get("size") != pushed.source.size:
        raise _NotAsSent(f"its size is {has.get('size')}, not {pushed.source.size}")
    return change._replace(checksum=pushed.checksum, verified=verified, seconds=pushed.seconds)


def verify_pulled(change: FileChange, has: File) -> FileChange:
    """Compare a file of the item with the checksum that the task wants, where both are in one algorithm."""
    reported, asked = server_checksum(has), server_checksum(change.spec or {})
    if contradicts(reported, asked):
        raise _NotAsSent(f"the server reports {format_checksum(reported)}")
    return change._replace(size=has.get("size"), checksum=reported, verified=bool(asked) and reported == asked)


def give_up(task: Task, content: Content, session_id: str, error: BaseException) -> None:
    """Fail the session with the reason, so that the item is free and everybody can see why."""
    sessions, retry_cleanup = task.services.update_sessions, task.services.client.retry_cleanup
    try:
        session = retry_cleanup(sessions.find, session_id)
        if isinstance(error, VapiError) and error.update_session is None:
            if session is None:
                error.update_session = content.update_session
                error.args = (f"{error}; update session {session_id} is gone: it expired, or was deleted",)
            else:
                explained(sessions, error, session)
        if session and session["state"] == "ACTIVE":
            retry_cleanup(sessions.fail, session_id, str(error) or type(error).__name__)
            if isinstance(error, VapiError):
                with suppress(VapiError):
                    error.update_session = sessions.find(session_id)
    except VapiError as second:
        task.warnings.append(f"Update session {session_id} could not be failed: {second}")
