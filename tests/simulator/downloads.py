# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Download sessions: their life, and how their files get prepared."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from .endpoints import EndpointError
from .errors import VapiError, message
from .models import DownloadFile, DownloadSession, Item
from .synchronization import cache

if TYPE_CHECKING:
    from .store import Store


class Downloads:
    """The download sessions of a store. They lock nothing."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sessions: dict[str, DownloadSession] = {}
        self.endpoints: dict[str, tuple[DownloadSession, DownloadFile]] = {}

    def add(self, item: Item, user: str) -> DownloadSession:
        session = DownloadSession(
            id=f"{uuid.uuid4()}:{uuid.uuid4()}",
            item_id=item.id,
            user=user,
            lifetime=self.store.config.session_lifetime,
            content_version=item.content_version,
        )
        session.files = {name: DownloadFile(file) for name, file in item.files.items()}
        session.touch()
        self.sessions[session.id] = session
        return session

    def session(self, session_id: str) -> DownloadSession:
        session = self.sessions.get(session_id)
        if session is None or not self.is_alive(session):
            text = "The download session <> does not exist."
            raise VapiError("NOT_FOUND", message("download_session_not_found", text, session_id))
        return session

    def active_session(self, session_id: str, operation: str) -> DownloadSession:
        session = self.session(session_id)
        if session.state != "ACTIVE":
            raise VapiError(
                "NOT_ALLOWED_IN_CURRENT_STATE",
                message("download_session_operation", "The operation <> failed on <>.", operation, session_id),
                message("download_session_not_active", "The download session is in state <>.", session.state),
            )
        return session

    def is_alive(self, session: DownloadSession) -> bool:
        """False once its time is over: then it is gone."""
        if time.time() > session.expiration_time:
            self.forget(session)
        return session.id in self.sessions

    def settle_all(self) -> None:
        for session in list(self.sessions.values()):
            self.is_alive(session)

    def forget(self, session: DownloadSession) -> None:
        self.sessions.pop(session.id, None)
        self.close_endpoints(session)

    def end(self, session: DownloadSession, state: str, error: dict[str, object] | None = None) -> None:
        session.end(state, error)
        self.close_endpoints(session)

    def close_endpoints(self, session: DownloadSession) -> None:
        for file in session.files.values():
            self.endpoints.pop(file.download_id, None)

    def prepare(self, session: DownloadSession, file: DownloadFile) -> None:
        """Ask for a file. One that is not cached is fetched first; one that failed is tried again."""
        config = self.store.config
        if file.requested_at is None or self.status(file) == "ERROR":
            file.error = None
            file.requested_at = time.time()
            file.delay = config.prepare_delay + (0 if self.store.is_cached(file.file) else config.fetch_delay)
            if file.file.source and not file.file.cached:
                file.fetching = True
                self.store.start(self.fetch(session, file))
            self.endpoints[file.download_id] = (session, file)

    async def fetch(self, session: DownloadSession, file: DownloadFile) -> None:
        """The content of a subscribed library's file comes from its publisher."""
        item = self.store.items[session.item_id]
        try:
            await cache(self.store, self.store.libraries[item.library_id], item, file.file)
        except EndpointError as error:
            text = "The file <> could not be fetched: <>."
            file.error = message("fetch_failed", text, file.file.name, error)
        finally:
            file.fetching = False

    def progress(self, file: DownloadFile) -> float:
        """How much of the preparation is over, from 0 to 1."""
        if file.requested_at is None:
            return 0.0
        return min(1.0, (time.time() - file.requested_at) / file.delay) if file.delay > 0 else 1.0

    def status(self, file: DownloadFile) -> str:
        if file.requested_at is None:
            return "UNPREPARED"
        progress = self.progress(file)
        if file.fetching:
            progress = min(progress, 0.9)
        if progress < 1:
            return "PREPARE_REQUESTED" if progress < 0.3 else "PREPARING"
        if file.error is None and self.store.config.prepare_error is not None:
            file.error = message("prepare_failed", "<>", self.store.config.prepare_error)
        if file.error is None and not file.file.blob.path.exists():
            file.error = message("file_gone", "The file <> is no longer in the library item.", file.file.name)
        if file.error:
            return "ERROR"
        file.file.cached = True
        return "PREPARED"

    def endpoint(self, download_id: str, name: str) -> tuple[DownloadSession, DownloadFile] | None:
        """What a URL of the service leads to; None once its session has ended."""
        session, file = self.endpoints.get(download_id, (None, None))
        if session is None or file is None or file.file.name != name or not self.is_alive(session):
            return None
        return (session, file) if self.status(file) == "PREPARED" else None
