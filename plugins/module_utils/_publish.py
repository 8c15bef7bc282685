# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A library item as desired state: find it, plan, then predict or perform.

All that library_item does is here and below, for one item and as often as somebody asks. Nothing here knows Ansible.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    format_checksum,
    parse_checksum,
    server_checksum,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._content_plan import File, pull_spec
from ansible_collections.vsphere.content_library.plugins.module_utils._copy import (
    finish_copy,
    original_of,
    plan_copy,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    ResourceBusy,
    VapiError,
    could_be,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of, item_diff_state, item_facts
from ansible_collections.vsphere.content_library.plugins.module_utils._locate import find_library_item
from ansible_collections.vsphere.content_library.plugins.module_utils._models import LibraryItem
from ansible_collections.vsphere.content_library.plugins.module_utils._packages import (
    Package,
    open_package,
    source_paths,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._publish_content import (
    Content,
    publish_content,
    refuse_subscribed,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._publish_undo import undo
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import (
    defer_signals,
    uninterrupted,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task

Params = Mapping[str, Any]

LONGEST = dict(name=80, description=2000)
LEAST = dict(stale_after=1, busy_timeout=0, wait_timeout=1)
UPDATE_TRIES = 5  # of one update; between each two of them somebody else has changed the item
TYPES = {".iso": "iso", ".ovf": "ovf", ".ova": "ovf"}


class ItemPlan(NamedTuple):
    """What has to happen to the item itself.

    before is the item as it is, None for one to create. changes are the properties to update. after is the item as it
    will be, with a null id for one to create.
    """

    library_id: str
    before: LibraryItem | None
    changes: dict[str, Any]
    after: LibraryItem

    @property
    def differs(self) -> bool:
        """Whether anything has to happen."""
        return self.before is None or bool(self.changes)


def publish_item(task: Task) -> dict[str, Any]:
    """Bring one library item into the state that the task wants. Returns its facts."""
    refuse_times(task.params)
    return publish_source(task, read_source(task.params))


def publish_source(task: Task, source: Package) -> dict[str, Any]:
    """The same, with what read_source has read."""
    task.warnings += source.warnings
    if task.params["state"] == "absent":
        return absent(task)
    library_id, before = find_library_item(task.params, task.services)
    original = original_of(task)
    if original:
        source = Package(original["type"], ())
    return present(task, source, library_id, before, original)


def refuse_times(params: Params) -> None:
    """Raise InvalidArgument for a time that is too short."""
    for option, least in LEAST.items():
        if params[option] < least:
            raise InvalidArgument(f"{option} {params[option]} is below {least}")


def read_source(params: Params) -> Package:
    """Inspect what the task brings. Whatever is wrong with it is refused before anything is sent."""
    for option, most in LONGEST.items():
        if params["state"] == "present" and len(params[option] or "") > most:
            raise InvalidArgument(f"{option} has {len(params[option])} characters; the server takes {most} at most")
    checksum = parse_checksum(params["checksum"]) if params["checksum"] else None
    if checksum and not (params["src"] or params["url"]):
        raise InvalidArgument("checksum is for src or url, and neither is set")
    if params["url"]:
        extension = os.path.splitext(pull_spec(params)["name"])[1].lower()
        return Package(TYPES.get(extension), ())
    if params["src"] is None or params["state"] == "absent":
        return Package(None, ())
    return open_package(source_paths(params["src"]), checksum)


def absent(task: Task) -> dict[str, Any]:
    """Delete the item with its content, if there is one."""
    before = None
    with suppress(NotFound):
        library_id, before = find_library_item(task.params, task.services)
    if before:
        if task.params["name"] not in (None, before["name"]):
            raise InvalidArgument(f"library item {before['id']} has the name {before['name']}, not that of the task")
        refuse_subscribed(task, library_id)
        task.perform("delete_item", task.services.library_items.delete, id_of(before))
    return result_of(before, None, Content())


def present(
    task: Task, source: Package, library_id: str, before: LibraryItem | None, original: LibraryItem | None
) -> dict[str, Any]:
    """Bring the item, then its content, into the wanted state. original is the item that it is a copy of."""
    plan = plan_item(task.params, source, library_id, before, original)
    try:
        after, content = bring_about(task, source, plan, original)
    except VapiError as error:
        if error.operation not in ("item.create", "item.copy") or not could_be(error, AlreadyExists):
            raise
        # Somebody else created it after this task looked for it.
        library_id, before = find_library_item(task.params, task.services)
        if before is None:  # the name differs in case
            raise
        return present(task, source, library_id, before, original)
    return result_of(before, after, content)


def plan_item(
    params: Params, source: Package, library_id: str, before: LibraryItem | None, original: LibraryItem | None
) -> ItemPlan:
    """Compare the item itself with what the task wants. Raises InvalidArgument for a type that can't change."""
    description = params["description"]
    if original:
        check_type(params, None, original)
    if before is None:
        if original and description is None:
            description = original["description"]
        model = dict(library_id=library_id, name=params["name"], description=description)
        return ItemPlan(library_id, None, {}, item_facts({**model, "type": params["type"] or source.type}))
    check_type(params, source.type, before)
    changes = {}
    if params["name"] not in (None, before["name"]):
        changes["name"] = params["name"]
    if description is not None and description != (before["description"] or ""):
        changes["description"] = description
    after: Any = {**before, **changes}
    return ItemPlan(library_id, before, changes, after)


def check_type(params: Params, derived: str | None, item: LibraryItem) -> None:
    """Refuse another type than that of the item. A type derived from the source matters for OVF packages only."""
    has, wanted = item["type"] or "", params["type"] or derived or ""
    if (params["type"] or "ovf" in (has, wanted)) and wanted and has != wanted:
        raise InvalidArgument(
            f"type {wanted} is not the type of library item {item['id']}, which is {has or 'not set'}."
            " It can't change: leave type out, or remove the item first"
        )


def bring_about(
    task: Task, source: Package, plan: ItemPlan, original: LibraryItem | None
) -> tuple[LibraryItem, Content]:
    """Create or update the item, then its content. After a failure the item is as it was before."""
    item_id = id_of(plan.before) if plan.before else None
    content = Content(plan_copy(task, original, item_id)) if original else Content()
    if plan.differs:
        refuse_subscribed(task, plan.library_id)
    if "name" in plan.changes:
        refuse_taken_name(task, plan)
    if plan.changes:
        plan = plan._replace(
            before=task.perform("update_item", update_item, task, plan.before, plan.changes) or plan.before
        )
    try:
        if plan.before is None:
            with defer_signals():
                item_id = make_item(task, plan.after, original)
        fill_item(task, source, plan, item_id, original, content)
    except BaseException as error:
        # A new item that is busy is one that somebody else fills.
        is_anothers = plan.before is None and isinstance(error, ResourceBusy)
        if item_id and not task.check_mode and not is_anothers:
            with uninterrupted():
                undo(task, item_id, plan.before, plan.changes, content)
        raise
    has_changed = not task.check_mode and (plan.differs or content.plan.differs)
    return (reread(task, item_id, plan.after["name"]) if item_id and has_changed else plan.after), content


def update_item(task: Task, before: LibraryItem, changes: Mapping[str, Any]) -> LibraryItem:
    """Change the properties. Returns the item as it was before, with what others changed after it was looked at.

    The server refuses that once the item has another version: by somebody else, or by this very request, where its
    answer was lost and it was sent again.
    """
    items, tries = task.services.library_items, 0
    while changes:
        try:
            items.update(id_of(before), changes, before["version"])
            break
        except VapiError as error:
            tries += 1
            if tries == UPDATE_TRIES or not could_be(error, InvalidArgument):
                raise
            now: Any = items.get(id_of(before))
            if now["version"] == before["version"]:
                raise
            changes = {name: value for name, value in changes.items() if value != (now[name] or "")}
            with_theirs: Any = {**before, **{name: now[name] for name in (*changes, "version")}}
            before = with_theirs
    return before


def reread(task: Task, item_id: str, name: str) -> LibraryItem:
    """The item as it is now. Raises NotFound where it has lost the name that the task is about."""
    item = task.services.library_items.get(item_id)
    if item["name"] != name:
        text = f"somebody else renamed library item {item_id} on {task.host} from {name} to {item['name']}"
        raise NotFound(text, operation="item.get")
    return item


def refuse_taken_name(task: Task, plan: ItemPlan) -> None:
    """Raise AlreadyExists for a new name that another item of the library has."""
    name = plan.changes["name"]
    for other in task.services.library_items.named(plan.library_id, name):
        text = f"library item {other['id']} of library {plan.library_id} on {task.host} has the name {name} already"
        raise AlreadyExists(text, operation="item.update")


def make_item(task: Task, item: LibraryItem, original: LibraryItem | None) -> str:
    """Create an empty item, or begin to copy one. Returns its id; None in check mode."""
    items, library_id = task.services.library_items, item["library_id"] or ""
    if original:
        description = task.params["description"]
        return task.perform("copy_item", items.copy, id_of(original), library_id, item["name"], description)
    return task.perform("create_item", items.create, library_id, item["name"], item["type"], item["description"])


def fill_item(
    task: Task,
    source: Package,
    plan: ItemPlan,
    item_id: str | None,
    original: LibraryItem | None,
    content: Content,
) -> None:
    """Give the item its content."""
    if original:
        finish_copy(task, original, item_id if plan.before is None else None, content)
    elif task.params["src"] or task.params["url"]:
        publish_content(task, source, plan.library_id, item_id, plan.before, content)


def result_of(before: LibraryItem | None, after: LibraryItem | None, content: Content) -> dict[str, Any]:
    """The facts of a task."""
    return dict(
        library_item=after,
        files=[change.row for change in content.changes],
        update_session=content.update_session,
        bytes_transferred=content.bytes_transferred,
        diff=dict(before=diff_state(before, content.plan.before), after=diff_state(after, content.after)),
    )


def diff_state(item: LibraryItem | None, files: Mapping[str, File]) -> dict[str, Any]:
    """What of an item and its content a task can change, for a diff."""
    if item is None:
        return {}
    contents = {
        name: dict(size=file.get("size"), checksum=format_checksum(server_checksum(file)))
        for name, file in files.items()
    }
    return {**item_diff_state(item), "files": contents}
