# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a library item back to what it was before a task that failed, and leave what is somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._content_plan import COPIED
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import NotFound, ResourceBusy, VapiError
from ansible_collections.vsphere.content_library.plugins.module_utils._models import LibraryItem
from ansible_collections.vsphere.content_library.plugins.module_utils._publish_content import Content
from ansible_collections.vsphere.content_library.plugins.module_utils._publish_session import discard
from ansible_collections.vsphere.content_library.plugins.module_utils._publish_verify import completions_since
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import defer_signals
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task


def undo(task: Task, item_id: str, before: LibraryItem | None, changes: Mapping[str, Any], content: Content) -> None:
    """Leave the item as it was. before is None for one that this task created, changes are those of its properties."""
    try:
        if before is None and content.plan.having(COPIED):
            remove_copy(task, item_id, content)
        elif before is None:
            remove_new_item(task, item_id, content)
        elif changes:
            take_back(task, item_id, before, changes)
    except NotFound:
        return  # Somebody else deleted it.
    except VapiError as error:
        text = f"Library item {item_id} could not be brought back to what it was: {error}."
        task.warnings.append(f"{text} Run the task again, or delete the item.")


def remove_copy(task: Task, item_id: str, content: Content) -> None:
    """Delete a copy that this task began, unless somebody else has published in it."""
    items, retry_cleanup = task.services.library_items, task.services.client.retry_cleanup
    copied = {change.name for change in content.plan.having(COPIED)}
    if any(file["name"] not in copied for file in retry_cleanup(items.files, item_id)):
        _tell_that_it_stays(task, item_id)
    else:
        retry_cleanup(items.delete, item_id)


def take_back(task: Task, item_id: str, before: LibraryItem, changes: Mapping[str, Any]) -> None:
    """Set name and description to what they were, but for what somebody else has changed since."""
    items, retry_cleanup = task.services.library_items, task.services.client.retry_cleanup
    item = retry_cleanup(items.get, item_id)
    facts, old = dict(item), dict(before)
    ours = {key: old[key] or "" for key, value in changes.items() if (facts[key] or "") == value}
    if ours:
        retry_cleanup(items.update, item_id, ours, item["version"])


def remove_new_item(task: Task, item_id: str, content: Content) -> None:
    """Delete an item that this task created, unless somebody else has published in it.

    A session of ours keeps others from that between the look and the delete. Where none can be opened, the look alone
    has to do.
    """
    sessions, retry_cleanup = task.services.update_sessions, task.services.client.retry_cleanup
    lock = None
    try:
        with defer_signals():
            lock = retry_cleanup(sessions.create, item_id)
    except (NotFound, ResourceBusy):
        return  # It is gone, or somebody else fills it.
    except VapiError:
        pass
    try:
        if has_content_of_others(task, item_id, content, lock):
            _tell_that_it_stays(task, item_id)
        else:
            retry_cleanup(task.services.library_items.delete, item_id)
    finally:
        if lock:
            discard(task, lock)


def has_content_of_others(task: Task, item_id: str, content: Content, lock: str | None) -> bool:
    """Whether a new item has content that this task did not bring."""
    services, retry_cleanup = task.services, task.services.client.retry_cleanup
    if content.plan.before:
        return True  # It had some when the session was opened.
    session = retry_cleanup(services.update_sessions.find, lock) if lock else None  # None, too, once it has ended
    version = session["library_item_content_version"] if session else None
    done = completions_since(content.update_session, version)
    if done == 0:
        return False
    if not retry_cleanup(services.library_items.files, item_id):
        return False
    return not (content.is_completed and done == 1)


def _tell_that_it_stays(task: Task, item_id: str) -> None:
    task.warnings.append(f"Library item {item_id} stays, because somebody else has published in it.")
