# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Synchronization goes on in the background, and no call tells that one is under way: what can be seen of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import TypeVar

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import TimedOut, VapiError
from ansible_collections.vsphere.content_library.plugins.module_utils._models import Library
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Services
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline

STILL = 2.0  # seconds between two looks that show the same
EMPTY = 10.0  # the same for a library without items: what is listed late looks like nothing at first

T = TypeVar("T", bound=Hashable)


def wait_until_still(look: Callable[[], T], still: Callable[[T], float | None], deadline: Deadline) -> tuple[T, bool]:
    """Look until what is seen has not changed for as long as still says; None for what has to change first.

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
