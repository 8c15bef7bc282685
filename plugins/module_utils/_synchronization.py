# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Synchronization goes on in the background, and no call tells that one is under way: what can be seen of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import NamedTuple, TypeVar

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import NotFound, TimedOut, VapiError
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of
from ansible_collections.vsphere.content_library.plugins.module_utils._models import Library, LibraryItem
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Services
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline

STILL = 2.0  # seconds between two looks that show the same
EMPTY = 10.0  # the same for a library without items: what is listed late looks like nothing at first
RETRY = 60.0  # seconds without a change after which a file that did not come is asked for again

T = TypeVar("T", bound=Hashable)


class ItemState(NamedTuple):
    """What a synchronization changes of an item. missing are the files that are not cached, cached says if any is."""

    id: str
    name: str
    content_version: str | None
    version: str | None
    cached: bool
    missing: tuple[str, ...]


class Seen(NamedTuple):
    """A look at a library, or at one item of it. began is when the last synchronization was triggered."""

    began: str | None
    items: tuple[ItemState, ...]

    @property
    def missing(self) -> list[str]:
        """The files that are not cached, by item and name."""
        return [f"{item.name}/{name}" for item in self.items for name in item.missing]


def look_at_library(services: Services, library_id: str) -> Seen:
    """The library and all its items."""
    began = services.libraries.get(library_id)["last_sync_time"]
    items = services.library_items.list_items(library_id)
    states = services.client.map(lambda item: item_state(services, item), items)
    return Seen(began, tuple(state for state in states if state))


def look_at_item(services: Services, library_item_id: str) -> Seen:
    """One item; without items where its source is gone, and so is the item."""
    try:
        item = services.library_items.get(library_item_id)
    except NotFound:
        return Seen("gone", ())
    state = item_state(services, item)
    return Seen(dict(item).get("last_sync_time"), (state,) if state else ())  # type: ignore[arg-type]


def item_state(services: Services, item: LibraryItem) -> ItemState | None:
    """The item with its files, which are listed only where some are missing. None for one that is gone meanwhile."""
    cached, missing = bool(item["cached"]), []
    if not cached:
        try:
            files = services.library_items.files(id_of(item))
        except NotFound:
            return None
        cached = any(file["cached"] for file in files)
        missing = [file["name"] for file in files if not file["cached"]]
    return ItemState(id_of(item), item["name"], item["content_version"], item["version"], cached, tuple(missing))


def changes_between(before: Seen, after: Seen) -> list[dict[str, str]]:
    """The items that changed, by name, each with what happened to it."""
    old, new = ({item.id: item for item in seen.items} for seen in (before, after))
    found = []
    for identifier in old.keys() | new.keys():
        was, is_ = old.get(identifier), new.get(identifier)
        change = change_of(was, is_)
        if change:
            found.append({"id": identifier, "name": (is_ or was or EMPTY_STATE).name, "change": change})
    return sorted(found, key=lambda item: (item["name"], item["id"]))


EMPTY_STATE = ItemState("", "", None, None, False, ())


def change_of(was: ItemState | None, is_: ItemState | None) -> str | None:
    """What happened to an item; None where nothing did."""
    if was is None:
        return "added"
    if is_ is None:
        return "removed"
    if was[1:4] != is_[1:4]:
        return "updated"
    if (was.cached, was.missing) == (is_.cached, is_.missing):
        return None
    return "cached" if len(is_.missing) < len(was.missing) else "evicted"


def wait_until_still(
    look: Callable[[], T],
    still: Callable[[T], float | None],
    deadline: Deadline,
    nudge: Callable[[T, float], None] = lambda seen, seconds: None,
) -> tuple[T, bool]:
    """Look until what is seen has not changed for as long as still says; None for what has to change first.

    nudge gets what is seen after each look that brought nothing new, and for how many seconds it has been like that.
    Returns what was seen last, and whether it stood still in time.
    """
    seen, since = look(), time.monotonic()
    while True:
        needed = still(seen)
        if needed is not None and time.monotonic() - since >= needed:
            return seen, True
        remaining = deadline.remaining()
        if remaining <= 0:
            return seen, False
        # Within a tenth of what it took so far; a server that is busy for hours is asked twice a minute.
        waited = time.monotonic() - since
        time.sleep(min(max(STILL, waited / 10), 30.0, remaining))
        now = look()
        if now != seen:
            seen, since = now, time.monotonic()
        else:
            nudge(seen, time.monotonic() - since)


def wait_until_listed(services: Services, library_id: str, since: str | None, wait_timeout: float) -> Library:
    """Wait until the items of a subscribed library are listed by the synchronization that began after ``since``.

    Raises TimedOut with the library.
    """

    def look() -> tuple[str | None, frozenset[str]]:
        library = services.libraries.get(library_id)
        return library["last_sync_time"], frozenset(services.library_items.list_ids(library_id))

    def still(seen: tuple[str | None, frozenset[str]]) -> float | None:
        began, ids = seen
        if began in (None, since):
            return None
        return STILL if ids else EMPTY

    _seen, listed = wait_until_still(look, still, Deadline(wait_timeout))
    library = services.libraries.get(library_id)
    if not listed:
        text = f"library {library['name']} on {services.client.peer.host}: its items are not listed"
        raise with_library(TimedOut(f"{text} {wait_timeout:.0f} seconds after the synchronization began"), library)
    return library


def with_library(error: VapiError, library: Library) -> VapiError:
    """The error with the library as last seen."""
    error.facts["library"] = library
    return error
