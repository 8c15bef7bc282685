# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of a library item as desired state: a plan, then predicted, or performed in one update session."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    DEFAULT_ALGORITHM,
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
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of, session_facts
from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import KeepAlive
from ansible_collections.vsphere.content_library.plugins.module_utils._models import LibraryItem, UpdateSession
from ansible_collections.vsphere.content_library.plugins.module_utils._packages import Package
from ansible_collections.vsphere.content_library.plugins.module_utils._publish_session import (
    discard,
    give_up,
    open_session,
    remove_abandoned,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._publish_verify import verify
from ansible_collections.vsphere.content_library.plugins.module_utils._session_policy import finish, settle_others
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import (
    defer_signals,
    uninterrupted,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task
from ansible_collections.vsphere.content_library.plugins.module_utils._transfer import Pushed, Upload


@dataclass
class Content:
    """The plan for the content of an item, and what came of it.

    changes are those of the plan with their results, after the files that the item has then. is_completed: the item
    has it, as this task completed the session.
    """

    plan: ContentPlan = NOTHING
    changes: tuple[FileChange, ...] = ()
    after: Mapping[str, File] = field(default_factory=dict)
    update_session: UpdateSession | None = None
    pushed: dict[str, Pushed] = field(default_factory=dict)
    bytes_transferred: int = 0
    is_completed: bool = False

    def leave(self) -> None:
        """Nothing is to be done: the item has what is wanted."""
        self.changes, self.after, self.update_session = self.plan.changes, self.plan.before, None


def refuse_subscribed(task: Task, library_id: str) -> None:
    """Raise InvalidArgument for a library whose items can't be written."""
    if task.services.libraries.get(library_id).get("type") == "SUBSCRIBED":
        raise InvalidArgument(f"library {library_id} is subscribed: change its items where they are published")


def publish_content(
    task: Task, source: Package, library_id: str, item_id: str | None, before: LibraryItem | None, content: Content
) -> None:
    """Compare, then send what differs in one update session.

    item_id is None for an item that would be created, before for one that is new. content gets the plan, and what comes
    of it, also where this raises.
    """
    abandoned: list[UpdateSession] = []
    if before is None or item_id is None:
        content.plan = compare(task.params, source, ())
    else:
        content.plan, abandoned = plan_for(task, source, library_id, item_id)
    if not content.plan.differs:
        content.leave()
        return
    remove_abandoned(task, abandoned)
    if task.check_mode or item_id is None:
        predict(task, content, item_id)
    else:
        perform(task, source, item_id, before and before["content_version"], content)


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


def predict(task: Task, content: Content, item_id: str | None) -> None:
    """What a run outside of check mode would do."""
    session = dict(library_item_id=item_id, state="DONE", warning_behavior=task.params["warning_behavior"])
    task.note("create")
    for change in content.plan.changes:
        task.note(*change.operations)
    task.note("complete")
    content.changes, content.after = content.plan.changes, content.plan.after()
    content.update_session = session_facts(session, 0)


def perform(task: Task, source: Package, item_id: str, compared: str | None, content: Content) -> None:
    """Carry out a plan in one update session. After a failure the session is failed with the reason.

    compared is the content version of the item that the plan is for.
    """
    params, sessions = task.params, task.services.update_sessions
    session_id, is_completing = None, False
    with ExitStack() as stack:
        try:
            with defer_signals():
                session_id = open_session(task, item_id)
            session = content.update_session = task.update_session = sessions.get(session_id)
            keeper = stack.enter_context(task.services.kept_alive(session, params["stale_after"]))
            compare_again(task, source, item_id, compared, content)
            if not content.plan.differs:
                discard(task, session_id)
                content.leave()
                return
            task.note("create")
            fill(task, content, session, keeper)
            is_completing = True
            content.update_session = task.perform("complete", finish, sessions, session_id, params["wait_timeout"])
            content.is_completed, task.update_session = True, content.update_session
        except BaseException as error:
            if not isinstance(error, Exception):
                task.services.client.limit_timeouts()
            done = content.changes
            with uninterrupted():
                if not (session_id and is_settled(task, source, item_id, session_id, content, error)):
                    raise
            if not is_completing:
                return
            task.note("complete")
            content.changes = done
    verify(task, content, item_id)


def compare_again(task: Task, source: Package, item_id: str, compared: str | None, content: Content) -> None:
    """Plan anew in the open session, now that nobody else can change the item, where somebody has since the plan."""
    session = content.update_session
    if session and compared and session["library_item_content_version"] == compared:
        return
    files = task.services.library_items.files(item_id)
    if {file["name"]: file for file in files} != content.plan.before:
        content.plan = compare(task.params, source, files)


def is_settled(
    task: Task, source: Package, item_id: str, session_id: str, content: Content, error: BaseException
) -> bool:
    """After a failure: whether the item has what was wanted, as somebody else completed the session. Else fail it."""
    try:
        session = task.services.client.retry_cleanup(task.services.update_sessions.find, session_id)
    except VapiError as second:
        task.warnings.append(
            f"Update session {session_id} could not be failed, and locks the item until it expires: {second}"
        )
        return False
    is_over = session is None or session["state"] == "DONE"
    if is_over and isinstance(error, VapiError) and has_what_was_wanted(task, source, item_id, session, content):
        return True
    give_up(task, session_id, session, content.update_session, error)
    return False


def has_what_was_wanted(
    task: Task, source: Package, item_id: str, session: UpdateSession | None, content: Content
) -> bool:
    """Whether the item has the content that this task wants, after a session that is DONE or gone."""
    if session is None and task.params["force"]:
        return False
    try:
        plan = compare({**task.params, "force": False}, source, task.services.library_items.files(item_id))
    except VapiError:
        return False
    if not plan.differs:
        content.changes, content.after = plan.changes, plan.before
        content.update_session = session or content.update_session
    return not plan.differs


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
        shared=task.services.pushes,
    )
    pushed = upload.push([change.source for change in uploads if change.source])
    content.pushed = {result.source.name: result for result in pushed}
    content.bytes_transferred = upload.progress.bytes_transferred
    for change in uploads:
        task.note(*change.operations)
