# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to update sessions, libraries and library items between two looks. For the event source."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    NotFound,
    Unauthenticated,
    UnknownPath,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import Libraries
from ansible_collections.vsphere.content_library.plugins.module_utils._library_items import LibraryItems
from ansible_collections.vsphere.content_library.plugins.module_utils._models import (
    Library,
    LibraryItem,
    UpdateSession,
    fields,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._transport import POOL_SIZE
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions

LOGGER = logging.getLogger("vsphere.content_library.update_sessions")
END_EVENTS = {"DONE": "done", "ERROR": "error", "CANCELED": "canceled"}

Event = dict[str, Any]


class Kind(ABC):
    """All things of a kind as they were seen last. Whether there is one is for the list to say, and no get's answer.

    shown makes a text for people of an error. Set is_stopped to end the look that is under way in another thread.
    """

    def __init__(self, client: VCenterClient, shown: Callable[[VapiError], str]) -> None:
        self.client, self.shown = client, shown
        self.known: dict[str, Any] = {}
        self.has_looked = self.is_stopped = False
        self.unread: set[str] = set()  # which were there at the start
        self.faults: dict[str, str] = {}  # of the look under way
        self.faults_before: dict[str, str] = {}
        self.unanswered = 0

    @abstractmethod
    def list_ids(self) -> list[str]:
        """The ids of all that there is."""

    @abstractmethod
    def get(self, key: str) -> Any:
        """One of them. None for one that is not watched."""

    @abstractmethod
    def changes(self, before: Any, after: Any, is_old: bool) -> Iterator[Event]:
        """Yield what happened to one of them. before is None at first; is_old, then: it was there at the start."""

    @abstractmethod
    def gone(self, before: Any) -> Event:
        """The event of one that is not there any more."""

    def is_final(self, known: Any) -> bool:
        """Tell whether one of them changes no more."""
        return False

    def look(self) -> list[Event]:
        """See all of them, and tell what happened to each since the last look."""
        self.unanswered = 0
        self.faults_before, self.faults = self.faults, {}
        ids = self.list_ids()
        seen = dict(zip(ids, self.client.map(self.see, ids)))
        if self.is_stopped:
            return []
        old = self.unread if self.has_looked else set(ids)
        events: list[Event] = []
        for key, after in seen.items():
            before = self.known.get(key)
            if after and after is not before:
                events += self.changes(before, after, key in old)
        events += [self.gone(before) for key, before in self.known.items() if key not in seen]
        self.unread = {key for key in old if key in seen and seen[key] is None}
        self.known = {key: after for key, after in seen.items() if after}
        self.has_looked = True
        return events

    def see(self, key: str) -> Any:
        """See one of them; as it was before where that fails, which must not keep the others from being seen."""
        known = self.known.get(key)
        return known if known and self.is_final(known) else self.attempt(self.get, key, known)

    def attempt(self, read: Callable[[str], Any], key: str, otherwise: Any) -> Any:
        """Read something that concerns one of them. Raises only what concerns all."""
        # When no connection of the pool brings an answer, the server has gone.
        if self.is_stopped or self.unanswered >= POOL_SIZE:
            return otherwise
        try:
            return read(key)
        except VapiError as error:
            if isinstance(error, Unauthenticated) or error.operation == "session.create":
                raise
            self.unanswered += error.http_status is None
            text = self.shown(error)
            # Once, until that changes. Where vAPI says that there is none, it vanished since the list.
            is_gone = isinstance(error, NotFound) and not isinstance(error, UnknownPath)
            if self.faults_before.get(key) != text and not is_gone:
                LOGGER.warning("%s; the others are watched", text)
            self.faults[key] = text
            return otherwise


class WatchedSessions(Kind):
    """The update sessions of the calling user, all or those on one library item."""

    def __init__(
        self,
        client: VCenterClient,
        shown: Callable[[VapiError], str],
        library_item_id: str | None,
        expiring_within: float,
    ) -> None:
        super().__init__(client, shown)
        self.service = UpdateSessions(client)
        self.library_item_id, self.expiring_within = library_item_id, expiring_within

    def list_ids(self) -> list[str]:
        if self.library_item_id is None:
            return self.service.list_all_ids()
        try:
            return self.service.list_ids(self.library_item_id)
        except NotFound as error:
            if isinstance(error, UnknownPath):
                raise
            return []

    def get(self, key: str) -> UpdateSession | None:
        session = self.service.get(key)
        # vcsim lists those on other items, too.
        return session if self.library_item_id in (None, session["library_item_id"]) else None

    def is_final(self, known: UpdateSession) -> bool:
        return known["state"] in END_EVENTS

    def gone(self, before: UpdateSession) -> Event:
        return {"type": "gone", "update_session": before}

    def changes(self, before: UpdateSession | None, after: UpdateSession, is_old: bool) -> Iterator[Event]:
        """In the order in which it happens. One that had ended at the start is not told."""
        if before is None and is_old and after["state"] in END_EVENTS:
            return
        if before is None:
            yield {"type": "created", "update_session": after}
        elif after["client_progress"] != before["client_progress"]:
            yield {"type": "progress", "update_session": after}
        for warning in after["blocking_warnings"]:
            if before is None or warning not in before["blocking_warnings"]:
                yield {"type": "warning_raised", "warning": warning, "update_session": after}
        if self.expires_soon(after) and not (before and self.expires_soon(before)):
            yield {"type": "expiring_soon", "update_session": after}
        if after["state"] in END_EVENTS:
            yield {"type": END_EVENTS[after["state"]], "update_session": after}

    def expires_soon(self, session: UpdateSession) -> bool:
        """Tell whether a session is open and has expiring_within seconds left, or less; 0 is for never."""
        left = session["expires_in"]
        is_short = left is not None and left <= self.expiring_within
        return is_short and session["state"] == "ACTIVE" and self.expiring_within > 0


class LibraryIds:
    """The list of libraries, all or one, which whoever looks at them shares."""

    def __init__(self, client: VCenterClient, library_id: str | None) -> None:
        self.service, self.library_id = Libraries(client), library_id
        self.ids: list[str] | None = None

    def forget(self) -> None:
        self.ids = None

    def get(self) -> list[str]:
        if self.ids is None:
            self.ids = [key for key in self.service.list_ids() if self.library_id in (None, key)]
        return self.ids


class WatchedLibraries(Kind):
    """Libraries: what their models say, which is nothing of their items."""

    def __init__(self, client: VCenterClient, shown: Callable[[VapiError], str], libraries: LibraryIds) -> None:
        super().__init__(client, shown)
        self.libraries = libraries

    def list_ids(self) -> list[str]:
        return self.libraries.get()

    def get(self, key: str) -> Library:
        return self.libraries.service.get(key)

    def gone(self, before: Library) -> Event:
        return {"type": "library_deleted", "library": before}

    def changes(self, before: Library | None, after: Library, is_old: bool) -> Iterator[Event]:
        if before is None:
            if not is_old:
                yield {"type": "library_created", "library": after}
            return
        changed = changed_fields(Library, before, after)
        if "last_sync_time" in changed:
            yield {"type": "library_synchronized", "library": after}
            changed.remove("last_sync_time")
        if changed:
            yield {"type": "library_updated", "changed": changed, "library": after}


class WatchedItems(Kind):
    """The items of libraries. No field of a library moves with its items, so each is looked at."""

    def __init__(self, client: VCenterClient, shown: Callable[[VapiError], str], libraries: LibraryIds) -> None:
        super().__init__(client, shown)
        self.libraries, self.service = libraries, LibraryItems(client)
        # By library; None where that could not be listed at the start.
        self.lists: dict[str, list[str] | None] = {}

    def list_ids(self) -> list[str]:
        libraries = self.libraries.get()
        lists = dict(zip(libraries, self.client.map(self.list_items, libraries)))
        for library_id, before in self.lists.items():
            if before is None:
                self.unread.update(lists.get(library_id) or [])
        self.lists = lists
        return [key for ids in lists.values() for key in ids or []]

    def list_items(self, library_id: str) -> list[str] | None:
        before = self.lists.get(library_id, [] if self.has_looked else None)
        return self.attempt(self.service.list_ids, library_id, before)

    def get(self, key: str) -> LibraryItem:
        return self.service.get(key)

    def gone(self, before: LibraryItem) -> Event:
        return {"type": "item_removed", "library_item": before}

    def changes(self, before: LibraryItem | None, after: LibraryItem, is_old: bool) -> Iterator[Event]:
        if before is None:
            if not is_old:
                yield {"type": "item_added", "library_item": after}
            return
        changed = changed_fields(LibraryItem, before, after)
        if changed:
            yield {"type": "item_updated", "changed": changed, "library_item": after}


def changed_fields(model: type, before: Any, after: Any) -> list[str]:
    """The names of the fields of a model that have another value now."""
    return [name for name in fields(model) if before[name] != after[name]]
