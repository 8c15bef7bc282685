#!/usr/bin/python
# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: library_sync
short_description: Synchronize a subscribed content library, or evict its content
version_added: 2.0.0
description:
  - Brings a subscribed library, or one item of it, to what its publisher has, and waits until that is done.
  - Evicts content that a library fetched on demand. The items stay.
  - The server tells neither that a synchronization is under way, nor that it failed. So the module watches the library
    until the time of its last synchronization has moved, its items have stood still for two seconds, and, where the
    library is not on demand, all files are there. A file that did not come is asked for again every minute.
author:
  - vsphere.content_library contributors (!UNKNOWN)
extends_documentation_fragment:
  - vsphere.content_library.vcenter
  - vsphere.content_library.library
  - vsphere.content_library.library.item
  - vsphere.content_library.attributes
  - vsphere.content_library.attributes.resource_module
attributes:
  check_mode:
    details:
      - In check mode the module reads and never writes. Logging in is no write.
      - What a synchronization would bring can't be known, so check mode reports it as changed.
options:
  library_name:
    description:
      - The library, by its exact name. Where several libraries have the name, use O(library_id).
      - One of O(library_name), O(library_id) and O(library_item_id) is required.
    type: str
  name:
    description: One item of the library, by its exact name. Without it the whole library is meant.
    type: str
  library_item_id:
    description: One item, by its identifier.
    type: str
  state:
    description:
      - V(synced) brings the library to what its publisher has.
      - V(evicted) removes the content, of a library that synchronizes on demand.
    type: str
    default: synced
    choices:
      - synced
      - evicted
  force_content:
    description: Whether a library that synchronizes on demand shall get the content of its items too.
    type: bool
    default: false
  wait:
    description: Whether to wait until it is done.
    type: bool
    default: true
  wait_timeout:
    description: How many seconds to wait for that.
    type: int
    default: 3600
seealso:
  - module: vsphere.content_library.library
  - module: vsphere.content_library.library_item_info
"""

EXAMPLES = r"""
- name: Synchronize a library
  vsphere.content_library.library_sync:
    library_name: mirror of images
  register: synchronized

- name: Tell what is new
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.change }}"
  loop: "{{ synchronized.library_items }}"
  loop_control:
    label: "{{ item.id }}"

- name: Get the content of one item of a library that synchronizes on demand
  vsphere.content_library.library_sync:
    library_name: on demand
    name: debian-12
    force_content: true

- name: Free the space again
  vsphere.content_library.library_sync:
    library_name: on demand
    state: evicted
"""

RETURN = r"""
library:
  description:
    - The library afterwards.
    - It has the keys that RV(vsphere.content_library.library_info#module:libraries) describes, without C(items).
  type: dict
  returned: success, and failure where a wait for it took too long
  sample:
    id: 8a4ee4c2-7d1c-4d2e-9c6f-0d1f8d7f5c11
    name: mirror
    type: SUBSCRIBED
    last_sync_time: "2026-01-15T10:25:31.651Z"
library_items:
  description:
    - The items that changed, sorted by name. In check mode those that would be evicted; what a synchronization would
      bring is not known.
  type: list
  elements: dict
  returned: success
  contains:
    id:
      description: The identifier of the library item.
      type: str
      returned: always
      sample: 3f6cb4c0-5f52-4d3e-b1fd-4f9ef9f7e0a3
    name:
      description: The name of the library item.
      type: str
      returned: always
      sample: debian-12
    change:
      description: V(added), V(updated), V(removed), V(cached) or V(evicted).
      type: str
      returned: always
      sample: updated
operations:
  description: The API operations performed, in order; in check mode those that would be. Reads are not listed.
  type: list
  elements: str
  returned: success
  sample:
    - sync
diff:
  description: The items with their versions, and whether their content is there, as C(before) and C(after).
  type: dict
  returned: when diff mode is on
  sample:
    before:
      debian-12: version 3, content 2, cached
    after:
      debian-12: version 3, content 3, cached
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

from collections.abc import Callable
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._argspec import ITEM, LIBRARY
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    TimedOut,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of
from ansible_collections.vsphere.content_library.plugins.module_utils._locate import existing_library_item, find_library
from ansible_collections.vsphere.content_library.plugins.module_utils._models import Library
from ansible_collections.vsphere.content_library.plugins.module_utils._module import module_main
from ansible_collections.vsphere.content_library.plugins.module_utils._synchronization import (
    EMPTY,
    RETRY,
    STILL,
    ItemState,
    Seen,
    changes_between,
    look_at_item,
    look_at_library,
    wait_until_still,
    with_library,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline

SPEC = dict(
    argument_spec=dict(
        **LIBRARY,
        **ITEM,
        state=dict(type="str", choices=["synced", "evicted"], default="synced"),
        force_content=dict(type="bool", default=False),
        wait=dict(type="bool", default=True),
        wait_timeout=dict(type="int", default=3600),
    ),
    required_one_of=[("library_name", "library_id", "library_item_id")],
    mutually_exclusive=[("library_name", "library_id"), ("name", "library_item_id")],
    supports_check_mode=True,
)


class Target:
    """What a task is about: a library, or one item of it."""

    def __init__(self, task: Task, library: Library, library_item_id: str | None) -> None:
        self.task, self.library, self.library_item_id = task, library, library_item_id
        self.deadline = Deadline(task.params["wait_timeout"])
        self.on_demand = bool((library["subscription_info"] or {"on_demand": False})["on_demand"])

    def look(self) -> Seen:
        services = self.task.services
        if self.library_item_id:
            return look_at_item(services, self.library_item_id)
        return look_at_library(services, id_of(self.library))

    def sync(self) -> None:
        """Trigger a synchronization. During another one of the library this has no effect."""
        services = self.task.services
        if self.library_item_id:
            self.sync_item(self.library_item_id)
        else:
            self.task.perform("sync", services.subscribed_libraries.sync, id_of(self.library))

    def sync_item(self, library_item_id: str) -> None:
        force = self.task.params["force_content"]
        self.task.perform("sync_item", self.task.services.subscribed_items.sync, library_item_id, force)

    def evict(self) -> None:
        services = self.task.services
        if self.library_item_id:
            self.task.perform("evict_item", services.subscribed_items.evict, self.library_item_id)
        else:
            self.task.perform("evict", services.subscribed_libraries.evict, id_of(self.library))

    def watch(self, still: Callable[[Seen], float | None], nudge: Callable[[Seen, float], None], what: str) -> Seen:
        """Look until it is done. Raises TimedOut with the library."""
        seen, done = wait_until_still(self.look, still, self.deadline, nudge)
        if not done:
            timeout = self.task.params["wait_timeout"]
            missing = f": not here are {', '.join(seen.missing[:5])}" if seen.missing else ""
            text = f"library {self.library['name']} on {self.task.host} is not {what} after {timeout} seconds{missing}"
            raise with_library(TimedOut(text), self.task.services.libraries.get(id_of(self.library)))
        return seen


def run(task: Task) -> dict[str, Any]:
    """Synchronize or evict, and tell what changed."""
    target = find(task)
    before = target.look()
    after = evicted(target, before) if task.params["state"] == "evicted" else synced(target, before)
    items = changes_between(before, after)
    library = target.library if task.check_mode else task.services.libraries.get(id_of(target.library))
    unknown = task.check_mode and task.params["state"] == "synced"
    return dict(
        changed=bool(items) or unknown,
        library=library,
        library_items=items,
        diff=dict(before=shown(before), after=shown(after)),
    )


def find(task: Task) -> Target:
    """What the task is about. Raises NotFound, or InvalidArgument for a local library."""
    params, services = task.params, task.services
    item = None
    if params["name"] or params["library_item_id"]:
        item = existing_library_item(params, services)
        library_id = str(item["library_id"])
    else:
        library_id = str(find_library(params, services))
    library = services.libraries.get(library_id)
    if library["type"] != "SUBSCRIBED":
        raise InvalidArgument(f"library {library['name']} on {task.host} is local: it has nothing to synchronize with")
    return Target(task, library, item and id_of(item))


def synced(target: Target, before: Seen) -> Seen:
    """Trigger a synchronization, and watch it."""
    task, force = target.task, target.task.params["force_content"]
    with_content = not target.on_demand or (force and bool(target.library_item_id))
    target.sync()
    if task.check_mode:
        return before
    if not task.params["wait"]:
        return target.look()

    def still(seen: Seen) -> float | None:
        if with_content and seen.missing:
            return None
        if seen.began is None:
            return EMPTY  # a server that does not tell it
        return None if seen.began == before.began else STILL

    def nudge(seen: Seen, seconds: float) -> None:
        # One that had no effect, as another was under way, or one that did not bring all.
        had_no_effect = seen.began is not None and seen.began == before.began
        if had_no_effect or (with_content and seen.missing and seconds >= RETRY):
            target.sync()

    seen = target.watch(still, nudge, "synchronized")
    return fetched(target, seen) if force and not with_content else seen


def fetched(target: Target, seen: Seen) -> Seen:
    """Get the content of all items of a library on demand, which its own synchronization does not bring."""

    asked: set[str] = set()

    def ask(seen: Seen) -> None:
        for item in seen.items:
            if item.missing and item.id not in asked:
                target.sync_item(item.id)
                asked.add(item.id)

    def still(seen: Seen) -> float | None:
        return None if seen.missing else 0.0

    def nudge(seen: Seen, seconds: float) -> None:
        if seconds >= RETRY:
            asked.clear()
        ask(seen)  # those that were listed late, too

    ask(seen)
    return target.watch(still, nudge, "filled")


def evicted(target: Target, before: Seen) -> Seen:
    """Remove the content, where there is any. Raises NotAllowedInCurrentState where it would come back at once."""
    if not target.on_demand:
        raise NotAllowedInCurrentState(
            f"library {target.library['name']} on {target.task.host} does not synchronize on demand: "
            "its content can't be evicted",
            operation="subscribed_item.evict" if target.library_item_id else "subscribed_library.evict",
        )
    if not any(item.cached for item in before.items):
        return before
    target.evict()
    if target.task.check_mode:
        return before._replace(items=tuple(map(without_content, before.items)))
    if not target.task.params["wait"]:
        return target.look()

    def still(seen: Seen) -> float | None:
        return None if any(item.cached for item in seen.items) else 0.0

    return target.watch(still, lambda seen, seconds: None, "evicted")


def without_content(item: ItemState) -> ItemState:
    """The item as it would be once its content is evicted."""
    return item._replace(cached=False, missing=("*", *item.missing)) if item.cached else item


def shown(seen: Seen) -> dict[str, str]:
    """The items for a diff."""
    found = {}
    for item in seen.items:
        cached = "cached" if item.cached else "not cached"
        found[item.name] = f"version {item.version}, content {item.content_version}, {cached}"
    return found


def main() -> None:
    module_main(SPEC, run)


if __name__ == "__main__":
    main()
