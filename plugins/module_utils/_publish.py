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
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    ResourceBusy,
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
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import defer_signals
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task

Params = Mapping[str, Any]

LEAST = dict(stale_after=1, busy_timeout=0, wait_timeout=1)
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
    source = read_source(task.params)
    task.warnings += source.warnings
    if task.params["state"] == "absent":
        return absent(task)
    library_id, before = find_library_item(task.params, task.services)
    return present(task, source, library_id, before)


def read_source(params: Params) -> Package:
    """Inspect what the task brings. Whatever is wrong with it is refused before anything is sent."""
    for option, least in LEAST.items():
        if params[option] < least:
            raise InvalidArgument(f"{option} {params[option]} is below {least}")
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
        refuse_subscribed(task, library_id)
        task.perform("delete_item", task.services.library_items.delete, id_of(before))
    return result_of(before, None, Content())


def present(task: Task, source: Package, library_id: str, before: LibraryItem | None) -> dict[str, Any]:
    """Bring the item, then its content, into the wanted state."""
    plan = plan_item(task.params, source, library_id, before)
    try:
        after, content = bring_about(task, source, plan)
    except AlreadyExists as error:
        if error.operation != "item.create":
            raise
        # Somebody else created it after this task looked for it.
        library_id, before = find_library_item(task.params, task.services)
        if before is None:  # the name differs in case
            raise
        return present(task, source, library_id, before)
    return result_of(before, after, content)


def plan_item(params: Params, source: Package, library_id: str, before: LibraryItem | None) -> ItemPlan:
    """Compare the item itself with what the task wants. Raises InvalidArgument for a type that can't change."""
    description = params["description"]
    if before is None:
        model = dict(library_id=library_id, name=params["name"], description=description)
        return ItemPlan(library_id, None, {}, item_facts({**model, "type": params["type"] or source.type}))
    check_type(params, source.type, before)
    changes = {}
    if description is not None and description != (before["description"] or ""):
        changes["description"] = description
    after: Any = {**before, **changes}
    return ItemPlan(library_id, before, changes, after)


def check_type(params: Params, derived: str | None, item: LibraryItem) -> None:
    """Refuse another type than that of the item. A type derived from the source matters for OVF packages only."""
    has, wanted = item["type"] or "", params["type"] or derived or ""
    if (params["type"] or "ovf" in (has, wanted)) and wanted and has != wanted:
        raise InvalidArgument(
            f"type {wanted} is not the type of library item {item['id']}, which is {has or 'not set'}"
        )


def bring_about(task: Task, source: Package, plan: ItemPlan) -> tuple[LibraryItem, Content]:
    """Create or update the item, then publish its content. After a failure the item is as it was before."""
    items = task.services.library_items
    item_id = id_of(plan.before) if plan.before else None
    if plan.differs:
        refuse_subscribed(task, plan.library_id)
    if plan.changes:
        task.perform("update_item", items.update, item_id, plan.changes["description"])
    content = Content()
    try:
        if plan.before is None:
            with defer_signals():
                item_id = task.perform("create_item", create_item, task, plan.after)
        if task.params["src"] or task.params["url"]:
            publish_content(task, source, plan.library_id, item_id, plan.before, content)
    except BaseException as error:
        # A new item that is busy is one that somebody else fills.
        is_anothers = plan.before is None and isinstance(error, ResourceBusy)
        if item_id and not task.check_mode and not is_anothers:
            undo(task, item_id, plan.before, plan.changes, content)
        raise
    has_changed = not task.check_mode and (plan.differs or content.plan.differs)
    return (items.get(item_id) if item_id and has_changed else plan.after), content


def create_item(task: Task, item: LibraryItem) -> str:
    """Create an empty item. Returns its id."""
    create = task.services.library_items.create
    return create(item["library_id"] or "", item["name"], item["type"], item["description"])


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
