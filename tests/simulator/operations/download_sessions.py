# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Download sessions and their files."""

from __future__ import annotations

from typing import Any

from ..errors import VapiError, message
from ..models import DownloadFile, DownloadSession
from .call import Call, invalid, missing_privilege, operation
from .endpoints import transfer_endpoint
from .storage import storage_uri

SESSION_SPEC = {
    "id": str,
    "library_item_id": str,
    "library_item_content_version": str,
    "error_message": dict,
    "client_progress": int,
    "state": ("ACTIVE", "CANCELED", "ERROR"),
    "expiration_time": str,
}
ENDPOINT_TYPES = ("HTTPS", "DIRECT")


@operation("download_session.list")
def download_session_list(call: Call) -> list[str]:
    call.store.downloads.settle_all()
    item_id = call.args.get("library_item_id")
    if item_id:
        call.store.item(item_id)
    sessions = call.store.downloads.sessions.values()
    return [entry.id for entry in sessions if entry.user == call.user and item_id in (None, "", entry.item_id)]


@operation("download_session.create")
def download_session_create(call: Call) -> str:
    spec = call.spec(SESSION_SPEC, "library_item_id")
    return call.store.downloads.add(call.store.item(spec["library_item_id"]), call.user).id


@operation("download_session.get")
def download_session_get(call: Call) -> dict[str, Any]:
    session = any_session(call)
    model: dict[str, Any] = {"id": session.id} if call.shows_ids else {}
    model.update(
        library_item_id=session.item_id,
        library_item_content_version=str(session.content_version),
        client_progress=session.client_progress,
        state=session.state,
        expiration_time=call.store.timestamp(session.expiration_time),
    )
    if session.error_message is not None:
        model["error_message"] = session.error_message
    return model


@operation("download_session.keep_alive")
def download_session_keep_alive(call: Call) -> None:
    session = active(call, "keep_alive")
    progress = call.args.get("progress")
    if progress is not None:
        if not isinstance(progress, int) or isinstance(progress, bool) or not 0 <= progress <= 100:
            raise invalid("progress <> is not between 0 and 100", progress)
        if progress <= session.client_progress:
            raise invalid("progress <> is not greater than <>", progress, session.client_progress)
        session.client_progress = progress
    session.touch()


@operation("download_session.cancel")
def download_session_cancel(call: Call) -> None:
    call.store.downloads.end(active(call, "cancel"), "CANCELED")


@operation("download_session.fail")
def download_session_fail(call: Call) -> None:
    text = call.text("client_error_message")
    call.store.downloads.end(active(call, "fail"), "ERROR", message("client_error", "<>", text))


@operation("download_session.delete")
def download_session_delete(call: Call) -> None:
    """In any state, unlike an update session."""
    call.store.downloads.forget(any_session(call))


def any_session(call: Call) -> DownloadSession:
    return call.store.downloads.session(call.text("download_session_id"))


def active(call: Call, operation: str) -> DownloadSession:
    return call.store.downloads.active_session(call.text("download_session_id"), operation)


@operation("download_file.list")
def download_file_list(call: Call) -> list[dict[str, Any]]:
    session = any_session(call)
    return [download_file_info(call, session, file) for file in session.files.values()]


@operation("download_file.get")
def download_file_get(call: Call) -> dict[str, Any]:
    session = any_session(call)
    return download_file_info(call, session, named(call, session))


@operation("download_file.prepare")
def download_file_prepare(call: Call) -> dict[str, Any]:
    session = active(call, "prepare")
    kind = call.args.get("endpoint_type", "HTTPS")
    if kind not in ENDPOINT_TYPES:
        raise invalid("<> is not one of <>", "endpoint_type", ", ".join(ENDPOINT_TYPES))
    file = named(call, session)
    if kind == "DIRECT":
        return direct_file_info(call, session, file)
    begun = file.requested_at is None
    call.store.downloads.prepare(session, file)
    session.touch()
    if begun and not call.store.config.prepare_at_once:
        return {"name": file.file.name, "bytes_transferred": 0, "status": "PREPARE_REQUESTED"}
    return download_file_info(call, session, file)


def named(call: Call, session: DownloadSession) -> DownloadFile:
    name = call.text("file_name")
    if name not in session.files:
        text = "The file <> does not exist in the download session <>."
        raise VapiError("INVALID_ARGUMENT", message("file_not_found", text, name, session.id))
    return session.files[name]


def direct_file_info(call: Call, session: DownloadSession, file: DownloadFile) -> dict[str, Any]:
    """The file where it is stored, for those who may read there."""
    if "ContentLibrary.ReadStorage" in call.store.config.missing_privileges:
        raise missing_privilege("ContentLibrary.ReadStorage")
    uri = storage_uri(call.store, call.store.item(session.item_id), file.file)
    size = file.file.blob.size
    info = {"name": file.file.name, "size": size, "bytes_transferred": size, "status": "PREPARED"}
    return {**info, "download_endpoint": {"uri": uri}}


def download_file_info(call: Call, session: DownloadSession, file: DownloadFile) -> dict[str, Any]:
    config, blob = call.store.config, file.file.blob
    status = call.store.downloads.status(file)
    prepared = status == "PREPARED"
    info: dict[str, Any] = {
        "name": file.file.name,
        "bytes_transferred": int(blob.size * call.store.downloads.progress(file)),
        "status": status,
    }
    if prepared and tells(config.download_size, file):
        info["size"] = blob.size
    if file.error:
        info["error_message"] = file.error
    if prepared and session.state == "ACTIVE":
        path = f"{file.download_id}/{file.file.name}"
        info["download_endpoint"] = transfer_endpoint(call, path, config.download_host, config.download_thumbprint)
    algorithm = config.item_checksum_algorithm
    if algorithm and prepared and tells(config.download_checksum, file):
        info["checksum_info"] = {"algorithm": algorithm, "checksum": blob.digest(algorithm)}
    return info


def tells(when: str, file: DownloadFile) -> bool:
    """Whether the service tells something: once "prepared", "after" the download, or "never"."""
    return when == "prepared" or (when == "after" and file.downloaded)
