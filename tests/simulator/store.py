# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the service, and the life of a session."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import ssl
import time
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .downloads import Downloads
from .errors import VapiError, message
from .models import (
    OPEN_STATUSES,
    Blob,
    Config,
    Copy,
    Datastore,
    Item,
    ItemFile,
    Library,
    SessionFile,
    Token,
    UpdateSession,
)
from .validation import preview, validate

ADMINISTRATOR = "administrator@vsphere.local"
OPERATOR = "operator@vsphere.local"
SECURITY_POLICY = str(uuid.uuid5(uuid.NAMESPACE_URL, "security-policy/OVF default policy"))
FETCHERS = 16
NO_PUBLISHER = {
    "authentication_method": "NONE",
    "automatic_sync_enabled": False,
    "on_demand": False,
    "subscription_url": "https://127.0.0.1:1/cls/vcsp/lib/00000000-0000-0000-0000-000000000000/lib.json",
}


class Store:
    """The state of one vCenter, and the rules that keep it consistent."""

    def __init__(self, directory: Path, password: str, thumbprint: str = "", ca: ssl.SSLContext | None = None) -> None:
        self.directory = directory
        self.thumbprint = thumbprint
        self.url = ""
        self.server_guid = str(uuid.uuid4())
        self.pull_context = ca or ssl.create_default_context()
        # Not asyncio's own, whose few threads a slow publisher would take from all else.
        self.fetchers = ThreadPoolExecutor(FETCHERS, "fetch")
        self.tasks: set[asyncio.Task[Any]] = set()
        self.users = {ADMINISTRATOR: password, OPERATOR: password}
        self.reset()

    def reset(self) -> None:
        """Back to the state that a test may count on."""
        for session in getattr(self, "sessions", {}).values():
            session.end("CANCELED")
        for task in self.tasks:
            task.cancel()
        self.config = Config()
        self.tokens: dict[str, Token] = {}
        self.libraries: dict[str, Library] = {}
        self.items: dict[str, Item] = {}
        self.sessions: dict[str, UpdateSession] = {}
        self.active: dict[str, str] = {}
        self.uploads: dict[str, tuple[UpdateSession, SessionFile]] = {}
        self.downloads = Downloads(self)
        self.copies: dict[str, Copy] = {}
        self.datastores: dict[str, Datastore] = {}
        self.created: dict[tuple[str, str, str], Any] = {}
        self.content = self.directory / "content"
        shutil.rmtree(self.content, ignore_errors=True)
        self.content.mkdir(parents=True)
        self.seed()

    def seed(self) -> None:
        for name, kind in (("nfs-01", "NFS"), ("vmfs-01", "VMFS"), ("local", "VMFS"), ("local", "VMFS")):
            self.add_datastore(name, kind)
        for name, kind in (("demo", "LOCAL"), ("images", "LOCAL"), ("mirror", "SUBSCRIBED")):
            self.add_library(Library(stable_id("library", name), name, kind))
        demo, mirror = stable_id("library", "demo"), stable_id("library", "mirror")
        self.libraries[mirror].subscription_info = dict(NO_PUBLISHER)
        self.add_item(demo, "debian-12", "iso", {"debian-12.iso": b"debian 12\n"}, stable_id("item", "debian-12"))
        self.add_item(mirror, "mirrored", "iso", {"mirrored.iso": b"mirrored\n"}, stable_id("item", "mirrored"))

    # Tokens

    def log_in(self, user: str) -> str:
        token = secrets.token_hex(16)
        now = time.time()
        self.tokens[token] = Token(user, now, now)
        return token

    def token(self, value: str | None) -> Token:
        """The token of a request, which is used by that."""
        found = self.tokens.get(value or "")
        if found is None or self.is_idle(found):
            self.tokens.pop(value or "", None)
            raise VapiError("UNAUTHENTICATED", message("unauthenticated", "Authentication required."))
        found.accessed = time.time()
        return found

    def is_idle(self, token: Token) -> bool:
        return time.time() - token.accessed > self.config.token_lifetime

    # What goes on in the background

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Go on with this until it is done, or until the state is reset."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def fetch(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The result of a function that waits for another server."""
        return await asyncio.get_running_loop().run_in_executor(self.fetchers, function, *arguments)

    # Libraries and items

    def is_at_least(self, version: str) -> bool:
        """Whether this is that version of vCenter, or a later one."""
        mine, other = ([int(part) for part in text.split(".")] for text in (self.config.version, version))
        return mine >= other

    def add_library(self, library: Library) -> Library:
        self.libraries[library.id] = library
        return library

    def delete_library(self, library: Library) -> None:
        """Its entry is gone at once, or stays to be seen for the delay that a test has set."""
        if library.deleted:
            return
        library.deleted = True
        if self.config.delete_delay:
            self.start(self.delete_later(library))
        else:
            self.forget_library(library)

    async def delete_later(self, library: Library) -> None:
        await asyncio.sleep(self.config.delete_delay)
        self.forget_library(library)

    def forget_library(self, library: Library) -> None:
        for item in self.library_items(library):
            self.delete_item(item)
        del self.libraries[library.id]

    def library_items(self, library: Library) -> list[Item]:
        return [item for item in self.items.values() if item.library_id == library.id]

    def library(self, library_id: str) -> Library:
        if library_id not in self.libraries:
            raise VapiError("NOT_FOUND", message("library_not_found", "The library <> does not exist.", library_id))
        return self.libraries[library_id]

    def item(self, item_id: str) -> Item:
        if item_id not in self.items:
            raise VapiError("NOT_FOUND", message("item_not_found", "The library item <> does not exist.", item_id))
        active = self.active.get(item_id)
        if active:
            self.settle(self.sessions[active])
        return self.items[item_id]

    def add_item(
        self, library_id: str, name: str, kind: str, files: dict[str, bytes] | None = None, item_id: str | None = None
    ) -> Item:
        item = Item(item_id or str(uuid.uuid4()), library_id, name, kind)
        for file_name, content in (files or {}).items():
            blob = self.new_blob()
            blob.path.write_bytes(content)
            blob.size = len(content)
            item.files[file_name] = ItemFile(file_name, blob)
        self.items[item.id] = item
        self.change_items(library_id)
        return item

    def change_items(self, library_id: str) -> None:
        """Some item of the library is not what it was: its subscribers are to see that."""
        self.libraries[library_id].changes += 1

    def add_datastore(self, name: str, kind: str) -> Datastore:
        datastore_id = f"datastore-{11 + len(self.datastores)}"
        volume = stable_id("volume", datastore_id)
        self.datastores[datastore_id] = Datastore(datastore_id, name, kind, volume)
        return self.datastores[datastore_id]

    def delete_item(self, item: Item) -> None:
        self.copies.pop(item.id, None)
        for download in [entry for entry in self.downloads.sessions.values() if entry.item_id == item.id]:
            self.downloads.forget(download)
        for session in [session for session in self.sessions.values() if session.item_id == item.id]:
            self.forget(session)
        for file in item.files.values():
            file.blob.path.unlink(missing_ok=True)
        del self.items[item.id]
        self.change_items(item.library_id)

    def is_cached(self, file: ItemFile) -> bool:
        return file.cached and not self.config.item_size_zero

    def stored_size(self, file: ItemFile) -> int:
        """What the file takes of the datastore."""
        return file.blob.size if self.is_cached(file) else 0

    def is_item_cached(self, item: Item) -> bool:
        return bool(item.files) and all(map(self.is_cached, item.files.values()))

    def backing(self, item: Item) -> dict[str, Any]:
        """The storage backing that an item's files are on."""
        return self.libraries[item.library_id].storage_backings[0]

    def new_blob(self) -> Blob:
        return Blob(self.content / str(uuid.uuid4()))

    # Update sessions

    def add_session(self, item: Item, user: str) -> UpdateSession:
        session = UpdateSession(
            id=f"{uuid.uuid4()}:{uuid.uuid4()}",
            item_id=item.id,
            user=user,
            lifetime=self.config.session_lifetime,
            content_version=item.content_version,
        )
        session.touch()
        self.sessions[session.id] = session
        self.active[item.id] = session.id
        return session

    def session(self, session_id: str) -> UpdateSession:
        session = self.sessions.get(session_id)
        if session is None or not self.settle(session):
            text = "The update session <> does not exist."
            raise VapiError("NOT_FOUND", message("update_session_not_found", text, session_id))
        return session

    def active_session(self, session_id: str, operation: str) -> UpdateSession:
        session = self.session(session_id)
        if session.state != "ACTIVE":
            raise VapiError(
                "NOT_ALLOWED_IN_CURRENT_STATE",
                message("update_session_operation", "The operation <> failed on <>.", operation, session_id),
                message("update_session_not_active", "The update session is in state <>, not ACTIVE.", session.state),
            )
        return session

    def settle(self, session: UpdateSession) -> bool:
        """What time has done to a session: it is complete by now, or expired (then False: it is gone)."""
        now = time.time()
        if session.keep_alive and session.state == "ACTIVE":
            # As the last of those keep-alives has left it.
            behind = now - (session.expiration_time - session.lifetime)
            session.expiration_time += behind // session.keep_alive * session.keep_alive
        expired = now > session.expiration_time
        if session.completing and not any(f.status in OPEN_STATUSES for f in session.files.values()):
            # What took effect before the end of its time did so, whenever somebody looks.
            expired = expired and session.complete_at > session.expiration_time
            if now >= session.complete_at and not expired:
                self.finish(session)
                return session.id in self.sessions
        if expired:
            self.forget(session)
        return session.id in self.sessions

    def settle_all(self) -> None:
        for session in list(self.sessions.values()):
            self.settle(session)

    def forget(self, session: UpdateSession) -> None:
        del self.sessions[session.id]
        self.release(session)
        for file in session.files.values():
            file.canceled.set()
            self.uploads.pop(file.upload_id, None)
            if session.state != "DONE":
                file.blob.path.unlink(missing_ok=True)

    def release(self, session: UpdateSession) -> None:
        if self.active.get(session.item_id) == session.id:
            del self.active[session.item_id]

    def end(self, session: UpdateSession, state: str, error_message: dict[str, Any] | None = None) -> None:
        session.completing = False
        session.end(state, error_message)
        self.release(session)

    def finish(self, session: UpdateSession) -> None:
        """A completed session's transfers are over: it takes effect, or ends in ERROR."""
        result = validate(self, session)
        failed = next((file for file in session.files.values() if file.error), None)
        blocking = [warning["type"] for warning in preview(self, session).get("warnings", []) if not warning["ignored"]]
        if failed:
            self.end(session, "ERROR", failed.error)
        elif result["has_errors"]:
            self.end(session, "ERROR", self.incomplete(session))
        elif blocking:
            text = "The update session <> raised warnings that were not ignored: <>."
            self.end(session, "ERROR", message("warnings_not_ignored", text, session.id, ", ".join(blocking)))
        else:
            self.apply(session)
            self.end(session, "DONE")

    def incomplete(self, session: UpdateSession) -> dict[str, Any]:
        text = "The update session <> has missing or invalid files."
        return message("update_session_incomplete", text, session.id)

    def apply(self, session: UpdateSession) -> None:
        item = self.items[session.item_id]
        for name in session.removed & item.files.keys():
            item.files.pop(name).blob.path.unlink(missing_ok=True)
        for file in session.files.values():
            self.uploads.pop(file.upload_id, None)
            if file.keep_in_storage:
                previous = item.files.get(file.name)
                item.files[file.name] = ItemFile(file.name, file.blob, previous.version + 1 if previous else 1)
                if previous:
                    previous.blob.path.unlink(missing_ok=True)
            else:
                file.blob.path.unlink(missing_ok=True)
        item.content_version += 1
        item.modified = time.time()
        self.change_items(item.library_id)

    def now(self) -> float:
        """The time by the clock that clients see."""
        return time.time() + self.config.clock_offset

    def timestamp(self, moment: float) -> str:
        shown = datetime.fromtimestamp(moment + self.config.clock_offset, timezone.utc)
        return shown.strftime("%Y-%m-%dT%H:%M:%S.") + f"{shown.microsecond // 1000:03d}Z"


def stable_id(*names: str) -> str:
    """An id that is the same after each reset."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(names)))
