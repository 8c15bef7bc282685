# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service knows: users, tokens, libraries, items and update sessions, and the life of a session."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
import shutil
import ssl
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import ovf
from .errors import VapiError, message

ADMINISTRATOR = "administrator@vsphere.local"
OPERATOR = "operator@vsphere.local"
DEFAULT_ALGORITHM = "SHA1"  # "vSphere API: item.File.ChecksumInfo.algorithm"
OPEN_STATUSES = ("WAITING_FOR_TRANSFER", "TRANSFERRING", "VALIDATING")


@dataclass
class Config:
    """What tests may set; every name is a key of POST /control/config."""

    latency: float = 0.0
    session_lifetime: float = 300.0
    token_lifetime: float = 1800.0
    ready_delay: float = 0.0
    complete_delay: float = 0.0
    item_checksum_algorithm: str | None = DEFAULT_ALGORITHM
    session_file_checksum: bool = True
    item_size_zero: bool = False
    disable_api: bool = False
    disable_rest: bool = False
    upload_host: str | None = None
    upload_thumbprint: bool | str = False
    upload_rate: float | None = None
    get_has_id: bool | None = None
    raise_warnings: list[str] = field(default_factory=list)
    hide_warning_behavior: bool = False
    hide_error_type: bool = False
    clock_offset: float = 0.0


@dataclass
class Token:
    user: str
    created: float
    accessed: float


@dataclass
class Library:
    id: str
    name: str
    type: str
    description: str = ""
    version: int = 1
    created: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass
class Blob:
    """Bytes on disk and their digests."""

    path: Path
    size: int = 0
    digests: dict[str, str] = field(default_factory=dict)

    def digest(self, algorithm: str) -> str:
        if algorithm not in self.digests:
            digest = hashlib.new(algorithm.lower(), usedforsecurity=False)
            with self.path.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
            self.digests[algorithm] = digest.hexdigest()
        return self.digests[algorithm]


@dataclass
class ItemFile:
    name: str
    blob: Blob
    version: int = 1


@dataclass
class Item:
    id: str
    library_id: str
    name: str
    type: str
    description: str = ""
    content_version: int = 1
    metadata_version: int = 1
    created: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)
    files: dict[str, ItemFile] = field(default_factory=dict)


@dataclass
class SessionFile:
    """A file that a session adds or replaces."""

    name: str
    source_type: str
    upload_id: str
    blob: Blob
    keep_in_storage: bool
    source_endpoint: dict[str, Any] | None = None
    size: int | None = None
    checksum: tuple[str, str] | None = None
    bytes_transferred: int = 0
    transfer_status: str = "WAITING_FOR_TRANSFER"
    ready_at: float = 0.0
    error: dict[str, Any] | None = None
    canceled: threading.Event = field(default_factory=threading.Event)

    @property
    def status(self) -> str:
        if self.transfer_status == "VALIDATING" and time.time() >= self.ready_at:
            self.transfer_status = "READY"
        return self.transfer_status

    def fail(self, error: dict[str, Any]) -> None:
        self.error = error
        self.transfer_status = "ERROR"

    def received(self, ready_delay: float) -> None:
        """All bytes are here: they are checked against what the client announced."""
        blob = self.blob
        if self.size is not None and self.size != blob.size:
            text = "The file <> has <> bytes; expected <>."
            self.fail(message("size_mismatch", text, self.name, blob.size, self.size))
        elif self.checksum and blob.digest(self.checksum[0]) != self.checksum[1]:
            algorithm, expected = self.checksum
            actual = blob.digest(algorithm)
            text = "The <> checksum of file <> is <>; expected <>."
            self.fail(message("checksum_mismatch", text, algorithm, self.name, actual, expected))
        else:
            self.ready_at = time.time() + ready_delay
            self.transfer_status = "VALIDATING" if ready_delay else "READY"


@dataclass
class UpdateSession:
    id: str
    item_id: str
    user: str
    lifetime: float
    content_version: int
    expiration_time: float = 0.0
    state: str = "ACTIVE"
    client_progress: int = 0
    warning_behavior: list[dict[str, Any]] | None = None
    preview_warnings: list[str] | None = None
    preview_state: str | None = None
    error_message: dict[str, Any] | None = None
    files: dict[str, SessionFile] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    completing: bool = False
    complete_at: float = 0.0

    def touch(self) -> None:
        self.expiration_time = time.time() + self.lifetime

    def end(self, state: str, error_message: dict[str, Any] | None = None) -> None:
        self.state = state
        self.error_message = error_message
        self.touch()
        for file in self.files.values():
            file.canceled.set()


class Store:
    """The state of one vCenter, and the rules that keep it consistent."""

    def __init__(self, directory: Path, password: str, thumbprint: str = "", ca: ssl.SSLContext | None = None) -> None:
        self.directory = directory
        self.thumbprint = thumbprint
        self.pull_context = ca or ssl.create_default_context()
        self.users = {ADMINISTRATOR: password, OPERATOR: password}
        self.reset()

    def reset(self) -> None:
        """Back to the state that a test may count on."""
        for session in getattr(self, "sessions", {}).values():
            session.end("CANCELED")
        self.config = Config()
        self.tokens: dict[str, Token] = {}
        self.libraries: dict[str, Library] = {}
        self.items: dict[str, Item] = {}
        self.sessions: dict[str, UpdateSession] = {}
        self.active: dict[str, str] = {}
        self.uploads: dict[str, tuple[UpdateSession, SessionFile]] = {}
        self.content = self.directory / "content"
        shutil.rmtree(self.content, ignore_errors=True)
        self.content.mkdir(parents=True)
        self.seed()

    def seed(self) -> None:
        for name, kind in (("demo", "LOCAL"), ("images", "LOCAL"), ("mirror", "SUBSCRIBED")):
            library = Library(stable_id("library", name), name, kind)
            self.libraries[library.id] = library
        demo, mirror = stable_id("library", "demo"), stable_id("library", "mirror")
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

    # Libraries and items

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
        return item

    def delete_item(self, item: Item) -> None:
        for session in [session for session in self.sessions.values() if session.item_id == item.id]:
            self.forget(session)
        for file in item.files.values():
            file.blob.path.unlink(missing_ok=True)
        del self.items[item.id]

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
        if session.completing:
            if now >= session.complete_at and not any(f.status in OPEN_STATUSES for f in session.files.values()):
                self.finish(session)
        elif now > session.expiration_time:
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
        result = self.validate(session)
        failed = next((file for file in session.files.values() if file.error), None)
        blocking = [warning["type"] for warning in self.preview(session).get("warnings", []) if not warning["ignored"]]
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

    def contents(self, session: UpdateSession) -> dict[str, Blob | None]:
        """The item's files as they would be after the session; None for what has not been received."""
        blobs: dict[str, Blob | None] = {
            name: file.blob for name, file in self.items[session.item_id].files.items() if name not in session.removed
        }
        for file in session.files.values():
            blobs[file.name] = file.blob if file.status == "READY" else None
        return blobs

    def validate(self, session: UpdateSession) -> dict[str, Any]:
        """A ValidationResult: what the OVF descriptor and the manifest ask for against what is there."""
        missing: set[str] = set()
        invalid = {file.name: file.error for file in session.files.values() if file.error}
        if self.is_ovf(session):
            blobs = self.contents(session)
            descriptors = [name for name in blobs if name.endswith(".ovf")]
            if blobs and not descriptors and not any(name.endswith(".ova") for name in blobs):
                missing.add(f"{self.items[session.item_id].name}.ovf")
            for name in descriptors:
                self.check_references(name, blobs, missing, invalid)
            for name, manifest in blobs.items():
                if name.endswith(".mf") and manifest:
                    self.check_digests(manifest, blobs, invalid)
        return {
            "has_errors": bool(missing or invalid),
            "missing_files": sorted(missing),
            "invalid_files": [{"name": name, "error_message": error} for name, error in sorted(invalid.items())],
        }

    def check_references(
        self, name: str, blobs: dict[str, Blob | None], missing: set[str], invalid: dict[str, dict[str, Any]]
    ) -> None:
        descriptor = blobs[name]
        if descriptor is None:
            return
        try:
            wanted = ovf.references(descriptor.path)
        except ValueError as error:
            text = "The OVF descriptor <> is invalid: <>."
            invalid.setdefault(name, message("descriptor_invalid", text, name, error))
            return
        for href, size in wanted.items():
            if href not in blobs:
                missing.add(href)
            elif size is not None and blobs[href] and blobs[href].size != size:
                text = "The file <> has <> bytes; the OVF descriptor says <>."
                invalid.setdefault(href, message("size_mismatch", text, href, blobs[href].size, size))

    def check_digests(self, manifest: Blob, blobs: dict[str, Blob | None], invalid: dict[str, dict[str, Any]]) -> None:
        for name, (algorithm, digest) in ovf.digests(manifest.path).items():
            blob = blobs.get(name)
            if blob and blob.digest(algorithm) != digest:
                text = "The <> checksum of file <> is not the one in the manifest."
                invalid.setdefault(name, message("manifest_mismatch", text, algorithm, name))

    def is_ovf(self, session: UpdateSession) -> bool:
        return self.items[session.item_id].type.lower() == "ovf"

    def preview(self, session: UpdateSession) -> dict[str, Any]:
        """A PreviewInfo; warnings are only in state AVAILABLE."""
        details: dict[str, Any] = {}
        raised = session.preview_warnings
        if raised is None and self.config.raise_warnings:
            raised = self.config.raise_warnings
        ready = {name: file for name, file in session.files.items() if file.status == "READY"}
        if session.preview_state:
            state = session.preview_state
        elif raised is not None:
            state = "AVAILABLE"
        elif not self.is_ovf(session):
            state = "NOT_APPLICABLE"
        elif any(name.endswith(".ovf") for name in ready):
            state = "AVAILABLE"
        elif any(name.endswith(".ovf") and file.status in OPEN_STATUSES for name, file in session.files.items()):
            state = "PREPARING"
        else:
            state = "UNAVAILABLE"
        if state != "AVAILABLE":
            return {"state": state}
        certificate = next((file for name, file in ready.items() if name.endswith(".cert")), None)
        if raised is None and certificate:
            raised, details = ovf.certificate_preview(certificate.blob.path)
        ignored = {entry["type"] for entry in session.warning_behavior or () if entry["ignored"]}
        warnings = [
            {
                "type": kind,
                "message": message(kind.lower(), "The content raised the warning <>.", kind),
                "ignored": kind in ignored,
            }
            for kind in raised or ()
        ]
        return {"state": state, "warnings": warnings, **details}

    def now(self) -> float:
        """The time by the clock that clients see."""
        return time.time() + self.config.clock_offset

    def timestamp(self, moment: float) -> str:
        shown = datetime.fromtimestamp(moment + self.config.clock_offset, timezone.utc)
        return shown.strftime("%Y-%m-%dT%H:%M:%S.") + f"{shown.microsecond // 1000:03d}Z"


def stable_id(*names: str) -> str:
    """An id that is the same after each reset."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(names)))


def field_names(kind: type) -> set[str]:
    return {entry.name for entry in dataclasses.fields(kind)}
