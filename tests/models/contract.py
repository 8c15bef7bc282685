# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules promise, as functions over a small world: nothing of the collection, and no requests.

A function gets the world and a task's options. It changes the world as the task would, and returns what the task
reports; or it raises Refused, with the error_type that the task fails with. In check mode it is given a copy that
foresees nothing: what only the server knows, such as another user's session, shows when something is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ME, OTHER = "administrator@vsphere.local", "operator@vsphere.local"
NEW = "new"  # the id of what a task creates, until the server tells it


class Refused(Exception):
    """The task fails with this error_type."""

    def __init__(self, error_type: str) -> None:
        super().__init__(error_type)
        self.error_type = error_type


@dataclass
class File:
    """A file of an update session. source is NONE for one that the item has anyway; content None until it is there."""

    status: str
    source: str
    content: bytes | None = None
    url: str | None = None


@dataclass
class Session:
    id: str
    item: str
    user: str = ME
    state: str = "ACTIVE"
    progress: int = 0
    behavior: dict[str, bool] | None = None
    raised: tuple[str, ...] | None = None
    error: str | None = None
    lifetime: int = 300
    expires: int = 300
    added: dict[str, File] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    def end(self, state: str, error: str | None = None) -> None:
        self.state, self.error, self.expires = state, error, self.lifetime


@dataclass
class Item:
    id: str
    library: str
    name: str
    type: str = ""
    description: str = ""
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Expected:
    """What a task reports. session and item are those of its result."""

    operations: list[str] = field(default_factory=list)
    session: Session | None = None
    item: Item | None = None
    file: File | None = None
    files: dict[str, str] = field(default_factory=dict)
    found: list[Any] = field(default_factory=list)
    warnings: int = 0


@dataclass
class World:
    """A vCenter. libraries are those that can be written to; checksums: whether it tells any."""

    libraries: tuple[str, ...] = ()
    subscribed: tuple[str, ...] = ()
    items: dict[str, Item] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    raise_warnings: tuple[str, ...] = ()
    hides_behavior: bool = False
    item_checksums: bool = True
    session_checksums: bool = True
    urls: dict[str, bytes | None] = field(default_factory=dict)
    foresees: bool = True

    def late(self, error_type: str) -> None:
        """A refusal that comes only when something is written."""
        if self.foresees:
            raise Refused(error_type)

    def session(self, session_id: str) -> Session:
        if session_id not in self.sessions:
            raise Refused("NOT_FOUND")
        return self.sessions[session_id]

    def mine(self, item_id: str, state: str | None = None) -> list[Session]:
        """The caller's sessions on an item, in the order of their ids."""
        own = [session for session in self.sessions.values() if session.user == ME and session.item == item_id]
        return sorted((session for session in own if state in (None, session.state)), key=lambda session: session.id)

    def raised(self, session: Session) -> tuple[str, ...]:
        return self.raise_warnings if session.raised is None else session.raised

    def ignored(self, session: Session) -> dict[str, bool]:
        """The warning behavior that can be seen."""
        if session.behavior and not self.hides_behavior:
            return dict(session.behavior)
        stored = session.behavior or {}
        return {warning: stored.get(warning, False) for warning in self.raised(session)}

    def blocking(self, session: Session) -> list[str]:
        if session.state != "ACTIVE":
            return []
        return [warning for warning in self.raised(session) if not (session.behavior or {}).get(warning, False)]

    def files(self, session: Session) -> dict[str, File]:
        """A session's files: what it adds, and what of the item it leaves as it is."""
        kept = self.items[session.item].files.items()
        files = {name: File("READY", "NONE", content) for name, content in kept if name not in session.removed}
        return {**files, **session.added}

    def open(self, item_id: str, behavior: dict[str, bool]) -> Session:
        """A new session, the one that may be ACTIVE on the item."""
        others = [session for session in self.sessions.values() if session.item == item_id and session.user != ME]
        if any(session.state == "ACTIVE" for session in others):
            self.late("RESOURCE_BUSY")
        session = Session(NEW, item_id, behavior=behavior or None)
        self.sessions[NEW] = session
        return session

    def complete(self, session: Session) -> None:
        """A complete, and what comes of it."""
        if not self.foresees:
            session.end("DONE")
            return
        if any(file.source == "PUSH" and file.status != "READY" for file in session.added.values()):
            raise Refused("NOT_ALLOWED_IN_CURRENT_STATE")
        if any(file.status == "ERROR" for file in session.added.values()) or self.blocking(session):
            session.end("ERROR", "")
            raise Refused("ERROR")
        item = self.items[session.item]
        for name in session.removed:
            item.files.pop(name, None)
        item.files.update({name: file.content or b"" for name, file in session.added.items()})
        session.end("DONE")


# update_session


def update_session(
    world: World,
    update_session_id: str | None = None,
    library_item_id: str | None = None,
    state: str = "active",
    warning_behavior: list[dict[str, Any]] | None = None,
    client_progress: int | None = None,
    min_lifetime: int | None = None,
) -> Expected:
    """The table of the states, row by row."""
    if client_progress is not None and not 0 <= client_progress <= 100:
        raise Refused("INVALID_ARGUMENT")
    asked = {entry["type"]: entry["ignored"] for entry in warning_behavior or []}
    expected = Expected()
    if state == "absent":
        if update_session_id:
            doomed = [world.sessions[update_session_id]] if update_session_id in world.sessions else []
        else:
            doomed = world.mine(library_item_id)
        for session in doomed:
            expected.operations += ["cancel", "delete"] if session.state == "ACTIVE" else ["delete"]
            del world.sessions[session.id]
        return expected

    wanted = {"active": "ACTIVE", "done": "DONE", "canceled": "CANCELED"}[state]
    if update_session_id:
        session = world.session(update_session_id)
    else:
        if library_item_id not in world.items:
            raise Refused("NOT_FOUND")
        candidates = world.mine(library_item_id, "ACTIVE") or world.mine(library_item_id, wanted)
        if candidates:
            session = candidates[-1]  # which of them is nobody's concern
        elif wanted == "ACTIVE":
            expected.operations.append("create")
            session = world.open(library_item_id, asked)
        else:
            raise Refused("NOT_FOUND")
    expected.session = session
    if session.state == wanted != "ACTIVE":
        return expected
    if session.state != "ACTIVE":
        raise Refused("NOT_ALLOWED_IN_CURRENT_STATE")
    if wanted == "CANCELED":
        expected.operations.append("cancel")
        session.end("CANCELED")
        return expected
    steer(world, session, expected, asked, client_progress, min_lifetime)
    if wanted == "DONE":
        expected.operations.append("complete")
        world.complete(session)
    return expected


def steer(
    world: World,
    session: Session,
    expected: Expected,
    asked: dict[str, bool],
    client_progress: int | None,
    min_lifetime: int | None,
) -> None:
    """What an ACTIVE session can be made to differ in. A type that nothing is said of is not ignored."""
    short = min_lifetime is not None and session.expires < min_lifetime
    current = session.behavior if session.id == NEW else world.ignored(session)
    if any((current or {}).get(warning, False) != ignored for warning, ignored in asked.items()):
        expected.operations.append("update")
        session.behavior, session.expires = {**(current or {}), **asked}, session.lifetime
    if short or (client_progress or 0) > session.progress:
        expected.operations.append("keep_alive")
        session.progress, session.expires = max(session.progress, client_progress or 0), session.lifetime
        expected.warnings += short and world.foresees and session.expires < min_lifetime


# update_session_fail


def update_session_fail(world: World, update_session_id: str, client_error_message: str) -> Expected:
    if not client_error_message.strip():
        raise Refused("INVALID_ARGUMENT")
    session = world.session(update_session_id)
    if session.state in ("DONE", "CANCELED"):
        raise Refused("NOT_ALLOWED_IN_CURRENT_STATE")
    expected = Expected(session=session)
    if session.state == "ACTIVE":
        expected.operations.append("fail")
        session.end("ERROR", client_error_message)
    return expected


# update_session_file


def update_session_file(
    world: World,
    update_session_id: str,
    name: str,
    state: str = "present",
    src: bytes | None = None,
    url: str | None = None,
) -> Expected:
    session = world.session(update_session_id)
    if session.state != "ACTIVE":
        raise Refused("NOT_ALLOWED_IN_CURRENT_STATE")
    expected = Expected(session=session)
    has = expected.file = world.files(session).get(name)
    if state == "absent":
        expected.file = None
        if has:
            expected.operations.append("remove_file")
            session.added.pop(name, None)
            session.removed |= {name} & world.items[session.item].files.keys()
            session.expires = session.lifetime
        return expected
    if src is not None:
        told = world.item_checksums and (has is None or has.source == "NONE" or world.session_checksums)
        if has and has.status == "READY" and is_same(has.content, src, told):
            return expected
        expected.operations += ["add_file", "upload"]
        expected.file = File("READY", "PUSH", src)
    else:
        if has and has.source == "PULL" and has.status != "ERROR" and has.url == url:
            return expected
        content = world.urls[url]
        expected.operations.append("add_file")
        expected.file = File("READY", "PULL", content, url)
        if content is None and world.foresees:
            expected.file.status = "ERROR"
    session.added[name] = expected.file
    session.removed.discard(name)
    session.expires = session.lifetime
    if expected.file.status == "ERROR":
        raise Refused("ERROR")
    return expected


def is_same(has: bytes | None, wanted: bytes, told: bool) -> bool:
    """By the server's checksum where it tells one, else by size."""
    return has == wanted if told else len(has or b"") == len(wanted)


# update_session_info


def update_session_info(
    world: World,
    update_session_id: str | None = None,
    library_item_id: str | None = None,
    states: list[str] | None = None,
) -> Expected:
    if update_session_id:
        found = [world.sessions[update_session_id]] if update_session_id in world.sessions else []
    else:
        own = [session for session in world.sessions.values() if session.user == ME]
        found = sorted(own, key=lambda session: session.id)
        found = [session for session in found if library_item_id in (None, session.item)]
    return Expected(found=[session for session in found if not states or session.state in states])


# library_item and library_item_info


def located(world: World, library_id: str, name: str) -> Item | None:
    if library_id not in world.libraries + world.subscribed:
        raise Refused("NOT_FOUND")
    named = [item for item in world.items.values() if item.library == library_id and item.name == name]
    if len(named) > 1:
        raise Refused("INVALID_ARGUMENT")
    return named[0] if named else None


def library_item(
    world: World,
    library_id: str,
    name: str,
    state: str = "present",
    type: str | None = None,
    description: str | None = None,
    src: dict[str, bytes] | None = None,
    url: str | None = None,
    purge: bool = True,
    force: bool = False,
    warning_behavior: list[dict[str, Any]] | None = None,
) -> Expected:
    """A failure leaves the item as it was, and the session that was opened in ERROR."""
    expected = Expected()
    if state == "absent":
        try:
            item = located(world, library_id, name)
        except Refused as refused:
            if refused.error_type != "NOT_FOUND":
                raise
            return expected
        if item:
            if library_id in world.subscribed:
                raise Refused("INVALID_ARGUMENT")
            expected.operations.append("delete_item")
            forget(world, item)
        return expected

    item = located(world, library_id, name)
    derived = "iso" if all(each.endswith(".iso") for each in src or [url or ""]) else ""
    if item and type and item.type != type:
        raise Refused("INVALID_ARGUMENT")
    described = description is not None and (item is None or description != item.description)
    if library_id in world.subscribed and (item is None or described):
        raise Refused("INVALID_ARGUMENT")
    created, before = item is None, item.description if item else ""
    if created:
        expected.operations.append("create_item")
        item = world.items[NEW] = Item(NEW, library_id, name, type or derived, description or "")
    elif described:
        expected.operations.append("update_item")
        item.description = description
    expected.item = item
    try:
        publish(world, item, expected, src, url, purge, force, warning_behavior)
    except Refused:
        item.description = before
        if created:
            forget(world, item)
        raise
    return expected


def publish(
    world: World,
    item: Item,
    expected: Expected,
    src: dict[str, bytes] | None,
    url: str | None,
    purge: bool,
    force: bool,
    warning_behavior: list[dict[str, Any]] | None,
) -> None:
    """Compare, and send what differs in one session."""
    send, remove, pull = {}, [], {}
    for name, content in (src or {}).items():
        has = item.files.get(name)
        if has is None or force or not is_same(has, content, world.item_checksums):
            send[name] = content
        expected.files[name] = "uploaded" if name in send else "unchanged"
    if src and purge:
        remove = sorted(item.files.keys() - src.keys())
        expected.files.update(dict.fromkeys(remove, "removed"))
    if url:
        name = url.rpartition("/")[2]
        if force or not item.files:
            pull = {name: url}
        expected.files = {name: "pulled"} if pull else dict.fromkeys(item.files, "unchanged")
    if not (send or remove or pull):
        return
    if item.library in world.subscribed:
        raise Refused("INVALID_ARGUMENT")
    for abandoned in world.mine(item.id, "ACTIVE"):
        expected.operations += ["cancel", "delete"]
        del world.sessions[abandoned.id]
    expected.operations.append("create")
    asked = {entry["type"]: entry["ignored"] for entry in warning_behavior or []}
    expected.session = session = world.open(item.id, asked)
    expected.operations += ["remove_file"] * len(remove) + ["add_file"] * len(pull) + ["add_file", "upload"] * len(send)
    expected.operations.append("complete")
    session.removed |= set(remove)
    session.added = {name: File("READY", "PUSH", content) for name, content in send.items()}
    for name, source in pull.items():
        content = world.urls[source]
        session.added[name] = File("READY" if content is not None else "ERROR", "PULL", content, source)
    world.complete(session)


def forget(world: World, item: Item) -> None:
    """Delete an item, and the sessions on it."""
    del world.items[item.id]
    world.sessions = {key: session for key, session in world.sessions.items() if session.item != item.id}


def library_item_info(world: World, library_id: str, name: str | None = None) -> Expected:
    found = [item for item in world.items.values() if item.library == library_id and name in (None, item.name)]
    return Expected(found=sorted(found, key=lambda item: (item.name, item.id)))
