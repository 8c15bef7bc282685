# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a library item has what was sent to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    format_checksum,
    matches_checksum,
    server_checksum,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._content_plan import (
    PACKAGES,
    PULLED,
    UPLOADED,
    File,
    FileChange,
    contradicts,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import VapiError
from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task
from ansible_collections.vsphere.content_library.plugins.module_utils._transfer import Pushed

if TYPE_CHECKING:
    from ansible_collections.vsphere.content_library.plugins.module_utils._publish_content import Content


class _NotAsSent(Exception):
    """Why a file of the item, whose name this is, is not the one that was sent."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


def verify(task: Task, content: Content, item_id: str) -> None:
    """Hold what the item has against what was sent.

    Where somebody else replaced it after the session was done, what the session told of the files is all there is.
    """
    content.after = {file["name"]: file for file in task.services.library_items.files(item_id)}
    try:
        _check_names(content)
        content.changes = tuple(_verified(change, content) for change in content.changes)
    except _NotAsSent as why:
        done = completions_since(content.update_session, task.services.library_items.get(item_id)["content_version"])
        if done is None or done < 2:
            raise VapiError(
                f"file {why.name} of library item {item_id} on {task.host} is not what was sent: {why}",
                operation="item_file.list",
            ) from None
        content.changes = tuple(_as_sent(change, content) for change in content.changes)


def completions_since(session: UpdateSession | None, content_version: str | None) -> int | None:
    """How many update sessions of an item were completed since this one was opened. None where nobody can tell."""
    opened = session and session["library_item_content_version"]
    if not opened or not content_version or not (opened.isdecimal() and content_version.isdecimal()):
        return None
    return int(content_version) - int(opened)


def _check_names(content: Content) -> None:
    """Raise _NotAsSent where somebody else added or removed a file in the session.

    Which files the URL of a package brings can't be known.
    """
    if any(change.name.lower().endswith(PACKAGES) for change in content.plan.having(PULLED)):
        return
    wanted = content.plan.after()
    for name in sorted(wanted.keys() - content.after.keys()):
        raise _NotAsSent(name, "it is missing, as if somebody else removed it from the update session")
    for name in sorted(content.after.keys() - wanted.keys() - content.plan.before.keys()):
        raise _NotAsSent(name, "somebody else added it to the update session")


def _verified(change: FileChange, content: Content) -> FileChange:
    has = content.after.get(change.name, {})
    if change.action == UPLOADED:
        return verify_pushed(change, content.pushed[change.name], has)
    return verify_pulled(change, has) if change.action == PULLED else change


def _as_sent(change: FileChange, content: Content) -> FileChange:
    pushed = content.pushed.get(change.name)
    if pushed is None:
        return change
    return change._replace(checksum=pushed.checksum, verified=pushed.verified, seconds=pushed.seconds)


def verify_pushed(change: FileChange, pushed: Pushed, has: File) -> FileChange:
    """Compare a file of the item with what was pushed: by the checksum that the server reports, else by the size."""
    reported, verified = server_checksum(has), pushed.verified
    # A file that was verified in the session is not read again for a checksum in another algorithm.
    is_other = bool(verified and reported and pushed.checksum and reported.algorithm != pushed.checksum.algorithm)
    if reported and not is_other:
        verified = matches_checksum(pushed.source, reported, pushed.checksum)
        if not verified:
            raise _NotAsSent(change.name, f"the server reports {format_checksum(reported)}")
    elif not pushed.received and pushed.source.keep_in_storage and has.get("size") != pushed.source.size:
        raise _NotAsSent(change.name, f"its size is {has.get('size')}, not {pushed.source.size}")
    return change._replace(checksum=pushed.checksum, verified=verified, seconds=pushed.seconds)


def verify_pulled(change: FileChange, has: File) -> FileChange:
    """Compare a file of the item with the checksum that the task wants, where both are in one algorithm."""
    reported, asked = server_checksum(has), server_checksum(change.spec or {})
    if contradicts(reported, asked):
        raise _NotAsSent(change.name, f"the server reports {format_checksum(reported)}")
    return change._replace(size=has.get("size"), checksum=reported, verified=bool(asked) and reported == asked)
