# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service keeps: its configuration, tokens, libraries, items and update sessions."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import message

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
    prepare_delay: float = 0.0
    fetch_delay: float = 0.0
    prepare_at_once: bool = False
    prepare_error: str | None = None
    download_host: str | None = None
    download_thumbprint: bool | str = False
    download_rate: float | None = None
    download_checksum: str = "after"
    download_size: str = "prepared"
    ranges: bool = True
    copy_delay: float = 0.0
    copy_fails: bool = False
    missing_privileges: list[str] = field(default_factory=list)
    client_tokens: bool = True
    hide_content_versions: bool = False
    message_suffix: str = ""
    version: str = "8.0.2"
    sync_delay: float = 0.0
    evict_delay: float = 0.0
    delete_delay: float = 0.0
    automatic_sync_interval: float | None = None
    probe_timeout: float = 10.0
    trusted_ca: str | None = None


@dataclass
class Token:
    user: str
    created: float
    accessed: float


@dataclass
class Library:
    """A library. Its infos hold what clients gave and are not told, such as passwords."""

    id: str
    name: str
    type: str
    description: str = ""
    version: int = 1
    created: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)
    storage_backings: list[dict[str, str]] = field(
        default_factory=lambda: [{"type": "DATASTORE", "datastore_id": "datastore-11"}]
    )
    publish_info: dict[str, Any] = field(default_factory=dict)
    subscription_info: dict[str, Any] = field(default_factory=dict)
    optimization_info: dict[str, Any] = field(default_factory=dict)
    security_policy_id: str | None = None
    used_by: list[str] = field(default_factory=list)
    changes: int = 1  # of its items: the version that subscribers see
    source_id: str | None = None  # of the published library that it was synchronized with
    last_sync: float | None = None
    syncing: bool = False
    sync_error: str | None = None
    deleted: bool = False

    @property
    def on_demand(self) -> bool:
        return bool(self.subscription_info.get("on_demand"))


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
    """A file of an item.

    One that was synchronized has a source, from which its bytes are fetched once it is to be cached. Any other that is
    not cached has its bytes here all the same, and tells nobody.
    """

    name: str
    blob: Blob
    version: int = 1
    cached: bool = True
    source: FileSource | None = None
    fetching: asyncio.Future[None] | None = None


@dataclass(frozen=True)
class FileSource:
    """A file as its publisher tells it."""

    name: str
    url: str
    size: int
    etag: str


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
    source_id: str | None = None
    last_sync: float | None = None


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
class TransferSession:
    """What update and download sessions have in common."""

    id: str
    item_id: str
    user: str
    lifetime: float
    content_version: int
    expiration_time: float = 0.0
    state: str = "ACTIVE"
    client_progress: int = 0
    error_message: dict[str, Any] | None = None

    def touch(self) -> None:
        self.expiration_time = time.time() + self.lifetime

    def end(self, state: str, error_message: dict[str, Any] | None = None) -> None:
        self.state = state
        self.error_message = error_message
        self.touch()


@dataclass
class UpdateSession(TransferSession):
    keep_alive: float | None = None  # somebody sends a keep-alive so often, in seconds
    warning_behavior: list[dict[str, Any]] | None = None
    preview_warnings: list[str] | None = None
    preview_state: str | None = None
    files: dict[str, SessionFile] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    completing: bool = False
    complete_at: float = 0.0

    def end(self, state: str, error_message: dict[str, Any] | None = None) -> None:
        super().end(state, error_message)
        for file in self.files.values():
            file.canceled.set()


@dataclass
class DownloadFile:
    """A file of an item in a download session."""

    file: ItemFile
    download_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    requested_at: float | None = None
    delay: float = 0.0
    error: dict[str, Any] | None = None
    fetching: bool = False
    downloaded: bool = False


@dataclass
class DownloadSession(TransferSession):
    files: dict[str, DownloadFile] = field(default_factory=dict)


@dataclass
class Copy:
    """An item into which another one's content is being copied; it begins once all of that is here."""

    source_id: str
    delay: float
    fails: bool
    files: list[ItemFile] = field(default_factory=list)
    begun: float | None = None

    def share(self) -> float:
        """How much of it is over, from 0 to 1."""
        if self.begun is None:
            return 0.0
        return min(1.0, (time.time() - self.begun) / self.delay) if self.delay > 0 else 1.0


@dataclass
class Datastore:
    """``volume`` is the name of its folder below /vmfs/volumes."""

    id: str
    name: str
    type: str
    volume: str


def item_state(item: Item) -> dict[str, Any]:
    """What tests look at."""
    return {
        "id": item.id,
        "library_id": item.library_id,
        "name": item.name,
        "type": item.type,
        "description": item.description,
        "content_version": str(item.content_version),
        "source_id": item.source_id,
        "files": {file.name: file_state(file) for file in item.files.values()},
    }


def file_state(file: ItemFile) -> dict[str, Any]:
    """Without its digest where its bytes are not here yet."""
    is_here = file.cached or not file.source
    return {
        "size": file.blob.size,
        "sha256": file.blob.digest("SHA256") if is_here else None,
        "version": str(file.version),
        "cached": file.cached,
    }


def field_names(kind: type) -> set[str]:
    return {entry.name for entry in dataclasses.fields(kind)}
