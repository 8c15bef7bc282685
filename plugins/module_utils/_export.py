# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a library item as files of this host: compared, then fetched in one download session."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    Checksum,
    digest_of,
    server_checksum,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._download import Download, Fetched, Wanted
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import NotFound, VapiError, reason_of
from ansible_collections.vsphere.content_library.plugins.module_utils._file_attributes import Attributes
from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import KeepAlive
from ansible_collections.vsphere.content_library.plugins.module_utils._local_files import (
    check_names,
    check_places,
    folder_for,
    local_error,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._models import DownloadSession
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import defer_signals
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task


class Place(NamedTuple):
    """A file of the item beside what is in its place here. size and checksum are None where nothing is there."""

    name: str
    path: str
    told_size: int | None
    told_checksum: Checksum | None
    size: int | None
    checksum: Checksum | None
    same: bool
    seconds: float


def compare(task: Task, library_item_id: str) -> list[Place]:
    """Each file of the item that is asked for, beside what is in its place. Raises VapiError."""
    folder, wanted = task.params["dest"], task.params["files"]
    told = {file["name"]: file for file in task.services.library_items.files(library_item_id)}
    names = sorted(told if wanted is None else set(wanted))
    missing = [name for name in names if name not in told]
    if missing:
        has = ", ".join(sorted(told)) or "no file"
        raise NotFound(
            f"library item {library_item_id} on {task.host} has no file {', '.join(missing)}; it has {has}",
            operation="item_file.list",
        )
    check_names(folder, names)
    check_places(folder, names)
    return [_beside(task, name, told[name]) for name in names]


def _beside(task: Task, name: str, told: Any) -> Place:
    """A file of the item beside what is in its place. Where the server tells a checksum, that alone decides."""
    start, path = time.monotonic(), os.path.join(task.params["dest"], name)
    told_checksum, checksum = server_checksum(told), None
    try:
        size = os.lstat(path).st_size
        if told_checksum:
            checksum = digest_of(path, told_checksum.algorithm)
    except (FileNotFoundError, NotADirectoryError):
        return Place(name, path, told["size"], told_checksum, None, None, False, 0.0)
    except OSError as error:
        raise local_error(error, path, "read") from None
    same = checksum == told_checksum if told_checksum else size == told["size"]
    same = same and not task.params["force"]
    return Place(name, path, told["size"], told_checksum, size, checksum, same, time.monotonic() - start)


def export(
    task: Task, library_item_id: str, places: Sequence[Place], attributes: Attributes
) -> tuple[DownloadSession, dict[str, Fetched]]:
    """Fetch files in one download session, which is gone afterwards. Returns it as it was last seen."""
    client, sessions = task.services.client, task.services.download_sessions
    session_id = None
    with folder_for(task.params["dest"]):
        try:
            with defer_signals():
                session_id = sessions.create(library_item_id)
            session = sessions.get(session_id)
            with KeepAlive(sessions.keep_alive, session) as keeper:
                fetched = _fetch(task, session_id, keeper, places, attributes)
            session = sessions.find(session_id) or session
        except BaseException as error:
            if not isinstance(error, Exception):
                client.limit_timeouts()
            if session_id:
                _close(task, session_id, reason_of(error))
            raise
        _close(task, session_id)
    return session, {file.name: file for file in fetched}


def _fetch(
    task: Task, download_session_id: str, keeper: KeepAlive, places: Sequence[Place], attributes: Attributes
) -> list[Fetched]:
    download = Download(
        task.services.client,
        task.services.download_sessions,
        download_session_id,
        keeper,
        wait_timeout=task.params["wait_timeout"],
        total=sum(place.told_size or 0 for place in places),
        report=task.report,
    )
    try:
        return download.fetch([Wanted(place.name, place.path, place.told_checksum) for place in places], attributes)
    finally:
        task.note(*["download"] * len(download.kept))


def _close(task: Task, download_session_id: str, reason: str | None = None) -> None:
    """Leave no download session: delete it, after a fail with the reason where there is one."""
    sessions, client = task.services.download_sessions, task.services.client
    try:
        if reason:
            with suppress(VapiError):  # It has ended, or is gone. What counts is that it is deleted.
                client.retry_cleanup(sessions.fail, download_session_id, reason)
        client.retry_cleanup(sessions.delete, download_session_id)
    except VapiError as error:
        task.warnings.append(f"Download session {download_session_id} could not be deleted: {error}")
