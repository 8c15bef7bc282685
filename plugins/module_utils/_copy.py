# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An item as a copy of another one, which the server makes, and goes on with after its answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import server_checksum
from ansible_collections.vsphere.content_library.plugins.module_utils._content_plan import (
    COPIED,
    UNCHANGED,
    ContentPlan,
    File,
    FileChange,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotFound,
    TimedOut,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of
from ansible_collections.vsphere.content_library.plugins.module_utils._models import LibraryItem
from ansible_collections.vsphere.content_library.plugins.module_utils._publish_content import Content
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline, poll

Files = Mapping[str, File]


def original_of(task: Task) -> LibraryItem | None:
    """The item that the task wants a copy of; None where it wants none. Raises NotFound."""
    item_id = task.params["source_library_item_id"]
    return task.services.library_items.get(item_id) if item_id else None


def plan_copy(task: Task, original: LibraryItem, item_id: str | None) -> ContentPlan:
    """What a copy has to bring. An item that is there has to have the same files. Raises InvalidArgument."""
    if item_id is None:
        files = _files(task, id_of(original))
        return ContentPlan({}, tuple(_change(file, COPIED, file) for file in files.values()))
    while True:
        seen = _files(task, item_id)
        wanted = _files(task, id_of(original))
        if not _differences(seen, wanted):
            return ContentPlan(seen, tuple(_change(file, UNCHANGED, wanted[name]) for name, file in seen.items()))
        if not (_may_be_under_way(seen, wanted) and _moves(task, item_id, seen)):
            text = f"library item {item_id} is no copy of library item {original['id']}"
            raise InvalidArgument(f"{text}: {'; '.join(_differences(seen, wanted))}. Remove the item first")


def _moves(task: Task, item_id: str, seen: Files) -> bool:
    """Whether the files of an item change within stale_after: a run that was killed may have begun the copy."""
    deadline = Deadline(task.params["stale_after"])
    return any(_files(task, item_id) != seen for _waited in poll(deadline, task.services.client.pause))


def finish_copy(task: Task, original: LibraryItem, item_id: str | None, content: Content) -> None:
    """Wait until a new item has the files of the original. item_id is None where there is nothing to wait for."""
    content.changes, content.after = content.plan.changes, content.plan.after()
    if item_id is None:
        return
    wanted: Files = content.after
    for waited in poll(Deadline(task.params["wait_timeout"]), task.services.client.pause):
        try:
            files = _files(task, item_id)
        except NotFound:
            raise VapiError(_given_up(task, original, item_id), operation="item.copy") from None
        if not _differences(files, wanted):
            changes = (_change(file, COPIED, wanted[name], waited) for name, file in files.items())
            content.changes, content.after = tuple(changes), files
            return
        # What was not in the storage of the library is fetched first, and has a size only then.
        wanted = _files(task, id_of(original))
    seconds, differences = task.params["wait_timeout"], "; ".join(_differences(files, wanted))
    text = f"the copy of library item {original['id']} on {task.host} is not there after {seconds} seconds"
    raise TimedOut(f"{text}: {differences}", operation="item.copy")


def _given_up(task: Task, original: LibraryItem, item_id: str) -> str:
    """Why a copy is gone, as far as the server tells."""
    text = f"the server gave up the copy of library item {original['id']} on {task.host}, and removed item {item_id}"
    try:
        task.services.library_items.get(id_of(original))
    except NotFound:
        return f"{text}: somebody deleted what was to be copied"
    except VapiError:
        return text
    return f"{text}. Its tasks and events in the vSphere Client may tell why, such as no space on the datastore"


def _files(task: Task, item_id: str) -> Files:
    return {file["name"]: file for file in task.services.library_items.files(item_id)}


def _differences(files: Files, wanted: Files) -> list[str]:
    """What files of an item differ, one sentence each, by the checksum that the server tells, else by the size."""
    return [
        *(f"it has no file {name}" for name in wanted if name not in files),
        *(f"file {name} is not in the other" for name in files if name not in wanted),
        *(f"file {name} differs" for name, file in files.items() if name in wanted and not _equal(file, wanted[name])),
    ]


def _equal(file: File, wanted: File) -> bool:
    has, told = server_checksum(file), server_checksum(wanted)
    if has and told and has.algorithm == told.algorithm:
        return has == told
    return file.get("size") == wanted.get("size")


def _may_be_under_way(files: Files, wanted: Files) -> bool:
    """Whether nothing speaks against a copy that is not complete yet."""
    return _names_within(files, wanted) and not any(
        server_checksum(file) and not _equal(file, wanted[name]) for name, file in files.items()
    )


def _names_within(files: Iterable[str], wanted: Files) -> bool:
    return all(name in wanted for name in files)


def _change(file: File, action: str, wanted: File, seconds: float = 0.0) -> FileChange:
    checksum = server_checksum(file)
    verified = file is not wanted and checksum is not None and checksum == server_checksum(wanted)
    return FileChange(file["name"], action, file["size"], checksum, verified, seconds)
