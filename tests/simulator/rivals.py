# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Others who work with the same vCenter, and act between two requests of a client.

An act is done by the operations that any client has, under the same rules: what they refuse, a rival can't do either.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from .errors import VapiError, message
from .models import DownloadSession, Item, UpdateSession, item_state
from .operations import Call, perform
from .store import ADMINISTRATOR, Store
from .transfers import store_content
from .triggers import Trigger, read

FILES = {"rival.iso": "of the rival\n"}
BACKINGS = [{"type": "DATASTORE", "datastore_id": "datastore-11"}]


@dataclass
class Rival(Trigger):
    """Acts before the requests that are matched. ``after`` in an act are seconds by which it is later."""

    acts: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        for wanted in self.acts:
            check(wanted)


@dataclass
class Act:
    """What a rival does, and the ids that it needs to find what it does it to."""

    rivals: Rivals
    token: str | None
    act: str
    user: str = ADMINISTRATOR
    library: str = "demo"
    item: str | None = None
    type: str = "iso"
    files: dict[str, str] = field(default_factory=lambda: dict(FILES))
    remove: list[str] = field(default_factory=list)
    purge: bool = False
    to: str = "renamed by a rival"
    description: str = "of a rival"
    progress: int = 100
    reason: str = "the rival's reason"
    keep_alive: float | None = None
    lifetime: float | None = None
    after: float = 0.0

    @property
    def store(self) -> Store:
        return self.rivals.store

    def call(self, name: str, spec: dict[str, Any] | None = None, **arguments: Any) -> Any:
        """An operation of the API, as this user."""
        args = arguments if spec is None else {**arguments, "spec": spec}
        result = perform(name, Call(self.store, "api", args, None, "", "https://127.0.0.1", self.user))
        if inspect.iscoroutine(result):  # it asks another server: nobody waits for that
            self.store.start(quietly(result))
            return None
        return result

    def library_id(self) -> str:
        found = [library.id for library in self.store.libraries.values() if library.name == self.library]
        return found[0] if found else self.library

    def library_service(self) -> str:
        library = self.store.library(self.library_id())
        return "local_library" if library.type == "LOCAL" else "subscribed_library"

    def find_item(self) -> Item | None:
        library_id = self.library_id()
        items = [item for item in self.store.items.values() if item.library_id == library_id]
        return next((item for item in items if self.item in (item.name, item.id)), None)

    def the_item(self) -> Item:
        """The item of that name, or with that id."""
        item = self.find_item()
        if item is None:
            raise VapiError("NOT_FOUND", message("item_not_found", "The library item <> does not exist.", self.item))
        return item

    def own(self) -> UpdateSession:
        """The rival's own session on the item, opened where there is none."""
        item = self.the_item()
        known = self.rivals.sessions.get((self.user, item.id))
        session = self.store.sessions.get(known or "")
        if session is None or session.state != "ACTIVE" or not self.store.settle(session):
            session = self.store.session(self.call("update_session.create", {"library_item_id": item.id}))
            self.rivals.sessions[self.user, item.id] = session.id
            self.rivals.opened.add(session.id)
            session.lifetime = session.lifetime if self.lifetime is None else self.lifetime
            session.keep_alive = self.keep_alive
            session.touch()
        return session

    def fill(self, session: UpdateSession) -> UpdateSession:
        """Add the files and push them, remove others."""
        for name, text in self.files.items():
            if name not in session.files:
                self.push(session, name, text)
        names = set(self.store.items[session.item_id].files)
        for name in [*self.remove, *(names - self.files.keys() if self.purge else ())]:
            self.call("file.remove", update_session_id=session.id, file_name=name)
        return session

    def push(self, session: UpdateSession, name: str, text: str) -> None:
        self.call("file.add", {"name": name, "source_type": "PUSH"}, update_session_id=session.id)
        store_content(self.store, session.files[name], text.encode())

    def ours(self) -> UpdateSession:
        """The client's session: the newest that no rival has opened, one that is ACTIVE if there is any."""
        self.store.settle_all()
        theirs = self.rivals.opened
        sessions = [session for session in self.store.sessions.values() if session.id not in theirs]
        if not sessions:
            raise VapiError("NOT_FOUND", message("no_session", "The client has no update session."))
        return ([session for session in sessions if session.state == "ACTIVE"] or sessions)[-1]

    def our_download(self) -> DownloadSession:
        self.store.downloads.settle_all()
        sessions = list(self.store.downloads.sessions.values())
        if not sessions:
            raise VapiError("NOT_FOUND", message("no_session", "The client has no download session."))
        return sessions[-1]


async def quietly(work: Coroutine[Any, Any, Any]) -> None:
    with contextlib.suppress(VapiError):
        await work


ACTS: dict[str, Callable[[Act], Any]] = {}


def act(function: Callable[[Act], Any]) -> Callable[[Act], Any]:
    ACTS[function.__name__] = function
    return function


def check(wanted: dict[str, Any]) -> None:
    names = Act.__dataclass_fields__.keys() - {"rivals", "token"}
    if wanted.keys() - names or wanted.get("act") not in ACTS:
        raise ValueError(f"an act has {', '.join(sorted(names))}, and is one of {', '.join(ACTS)}: {wanted}")


# Items and libraries


@act
def create_item(act: Act) -> str:
    return act.call("item.create", {"library_id": act.library_id(), "name": act.item, "type": act.type})


@act
def publish_item(act: Act) -> None:
    """An item of that name with the files: created, or its content changed in a session from start to end."""
    if act.find_item() is None:
        create_item(act)
    delete_session(act, "complete")


@act
def delete_item(act: Act) -> None:
    act.call("item.delete", library_item_id=act.the_item().id)


@act
def rename_item(act: Act) -> None:
    act.call("item.update", {"name": act.to}, library_item_id=act.the_item().id)


@act
def describe_item(act: Act) -> None:
    act.call("item.update", {"description": act.description}, library_item_id=act.the_item().id)


@act
def create_library(act: Act) -> str:
    return act.call("local_library.create", {"name": act.library, "storage_backings": BACKINGS})


@act
def delete_library(act: Act) -> None:
    act.call(f"{act.library_service()}.delete", library_id=act.library_id())


@act
def rename_library(act: Act) -> None:
    act.call("library.update", {"name": act.to}, library_id=act.library_id())


@act
def sync_library(act: Act) -> None:
    act.call("subscribed_library.get", library_id=act.library_id())  # which tells at once what is wrong
    act.call("subscribed_library.sync", library_id=act.library_id())


@act
def evict_library(act: Act) -> None:
    act.call("subscribed_library.evict", library_id=act.library_id())


# The rival's own session on the item


@act
def open_session(act: Act) -> str:
    return act.own().id


@act
def fill_session(act: Act) -> None:
    act.fill(act.own())


@act
def complete_session(act: Act) -> None:
    act.call("update_session.complete", update_session_id=act.fill(act.own()).id)


@act
def cancel_session(act: Act) -> None:
    act.call("update_session.cancel", update_session_id=act.fill(act.own()).id)


@act
def fail_session(act: Act) -> None:
    session = act.fill(act.own())
    act.call("update_session.fail", update_session_id=session.id, client_error_message=act.reason)


@act
def delete_session(act: Act, end: str = "cancel") -> None:
    """Filled, ended and deleted."""
    session = act.fill(act.own())
    act.call(f"update_session.{end}", update_session_id=session.id)
    if session.state != "ACTIVE":
        act.call("update_session.delete", update_session_id=session.id)


# The client's sessions, and its token


@act
def add_file(act: Act) -> None:
    session = act.ours()
    for name, text in act.files.items():
        act.push(session, name, text)


@act
def remove_file(act: Act) -> None:
    """Those that are named, else the first that the session or its item has."""
    session = act.ours()
    names = act.remove or [*session.files, *act.store.items[session.item_id].files, "none"][:1]
    for name in names:
        act.call("file.remove", update_session_id=session.id, file_name=name)


@act
def complete_ours(act: Act) -> None:
    act.call("update_session.complete", update_session_id=act.ours().id)


@act
def cancel_ours(act: Act) -> None:
    act.call("update_session.cancel", update_session_id=act.ours().id)


@act
def fail_ours(act: Act) -> None:
    act.call("update_session.fail", update_session_id=act.ours().id, client_error_message=act.reason)


@act
def delete_ours(act: Act) -> None:
    session = act.ours()
    if session.state == "ACTIVE":
        act.call("update_session.cancel", update_session_id=session.id)
    act.call("update_session.delete", update_session_id=session.id)


@act
def expire_ours(act: Act) -> None:
    act.store.forget(act.ours())


@act
def tell_progress(act: Act) -> None:
    act.call("update_session.keep_alive", update_session_id=act.ours().id, client_progress=act.progress)


@act
def cancel_download(act: Act) -> None:
    act.call("download_session.cancel", download_session_id=act.our_download().id)


@act
def delete_download(act: Act) -> None:
    act.call("download_session.delete", download_session_id=act.our_download().id)


@act
def expire_download(act: Act) -> None:
    act.store.downloads.forget(act.our_download())


@act
def log_out(act: Act) -> None:
    """The client's token: that of the request before which this happens, else all."""
    if act.token is None:
        act.store.tokens.clear()
    act.store.tokens.pop(act.token or "", None)


class Rivals:
    """The rivals that are set, and what they have done."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.set([])

    def set(self, wanted: list[dict[str, Any]]) -> None:
        rivals = read(Rival, wanted)
        for timer in getattr(self, "timers", []):
            timer.cancel()
        self.rivals = rivals
        self.timers: list[asyncio.TimerHandle] = []
        self.done: list[dict[str, Any]] = []
        self.sessions: dict[tuple[str, str], str] = {}
        self.opened: set[str] = set()

    def before(self, number: int, token: str | None, request: tuple[str, str, str | None, str | None]) -> None:
        """Do what is to be done before this request."""
        for rival in [rival for rival in self.rivals if rival.strikes(*request)]:
            for wanted in rival.acts:
                if wanted.get("after"):
                    loop = asyncio.get_running_loop()
                    self.timers.append(loop.call_later(wanted["after"], self.perform, wanted, token, number))
                else:
                    self.perform(wanted, token, number)

    def perform(self, wanted: dict[str, Any], token: str | None = None, number: int | None = None) -> dict[str, Any]:
        """Do it, and keep what came of it."""
        doing = Act(self, token, **wanted)
        try:
            ACTS[doing.act](doing)
            outcome = "done"
        except VapiError as error:
            outcome = error.error_type
        except Exception as error:  # a mistake here must show in the test, not in the client's answer
            outcome = f"broken: {error!r}"
        left = [item for item in self.store.items.values() if doing.item in (item.name, item.id)]
        record = {
            **wanted,
            "request": number,
            "outcome": outcome,
            "left": [item_state(item) for item in left],
            "sessions": sorted(self.opened),
        }
        self.done.append(record)
        return record
