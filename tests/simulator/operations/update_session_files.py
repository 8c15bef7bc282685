# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an update session."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

from ..errors import VapiError, message
from ..models import ItemFile, SessionFile, UpdateSession
from ..store import Store
from ..transfers import start_pull
from ..validation import is_ovf, validate
from .call import Call, invalid, operation
from .endpoints import transfer_endpoint
from .update_sessions import active

ALGORITHMS = ("SHA1", "MD5", "SHA256", "SHA512")
SOURCE_TYPES = ("NONE", "PUSH", "PULL")

ENDPOINT = {"uri": str, "ssl_certificate_thumbprint": str, "ssl_certificate": str}
FILE_SPEC = {
    "name": str,
    "source_type": SOURCE_TYPES,
    "source_endpoint": ENDPOINT,
    "size": int,
    "checksum_info": {"algorithm": ALGORITHMS, "checksum": str},
}


@operation("file.add")
def file_add(call: Call) -> dict[str, Any]:
    session = active(call, "add")
    store = call.store
    spec = call.spec(FILE_SPEC, "name", "source_type")
    name, source = spec["name"], spec["source_type"]
    if source == "NONE" or "/" in name or name in (".", ".."):
        raise invalid("a file <> of source type <> can't be added", name, source)
    metadata = is_ovf(store, session) and name.endswith((".mf", ".cert"))
    if session.completing:
        raise VapiError("NOT_ALLOWED_IN_CURRENT_STATE", message("completing", "<> is completing.", session.id))
    if metadata and any(known.endswith(".ovf") for known in session.files):
        text = "The file <> must be added before the OVF descriptor."
        raise VapiError("NOT_ALLOWED_IN_CURRENT_STATE", message("descriptor_first", text, name))
    endpoint = spec.get("source_endpoint")
    if source == "PULL":
        check_source(endpoint)
    info = spec.get("checksum_info")
    if info is not None and not info.get("checksum"):
        raise invalid("<> is required", "checksum_info.checksum")
    previous = session.files.pop(name, None)
    if previous:
        withdraw(store, previous)
    session.removed.discard(name)
    file = SessionFile(
        name=name,
        source_type=source,
        upload_id=str(uuid.uuid4()),
        blob=store.new_blob(),
        keep_in_storage=not metadata,
        source_endpoint=endpoint,
        size=spec.get("size"),
        checksum=(info.get("algorithm", "SHA1"), info["checksum"].lower()) if info else None,
    )
    session.files[name] = file
    session.touch()
    if source == "PUSH":
        store.uploads[file.upload_id] = (session, file)
    else:
        start_pull(store, file)
    return session_file_info(call, file)


def check_source(endpoint: dict[str, Any] | None) -> None:
    if not endpoint or not endpoint.get("uri"):
        raise invalid("<> is required for source type PULL", "source_endpoint")
    scheme = urlsplit(endpoint["uri"]).scheme
    if scheme in ("ds", "file"):
        text = "The privilege <> is required to import <>."
        arguments = ("ContentLibrary.ReadStorage", endpoint["uri"])
        raise VapiError("UNAUTHORIZED", message("read_storage_denied", text, *arguments))
    if scheme not in ("http", "https"):
        raise invalid("the scheme of <> is not supported", endpoint["uri"])


def withdraw(store: Store, file: SessionFile) -> None:
    file.canceled.set()
    store.uploads.pop(file.upload_id, None)
    file.blob.path.unlink(missing_ok=True)


def session_file_info(call: Call, file: SessionFile) -> dict[str, Any]:
    info: dict[str, Any] = {
        "name": file.name,
        "source_type": file.source_type,
        "bytes_transferred": file.bytes_transferred,
        "status": file.status,
        "keep_in_storage": file.keep_in_storage,
    }
    if info["status"] == "READY":
        info["size"] = file.blob.size
        algorithm = file.checksum[0] if file.checksum else call.store.config.item_checksum_algorithm
        if algorithm and call.store.config.session_file_checksum:
            info["checksum_info"] = {"algorithm": algorithm, "checksum": file.blob.digest(algorithm)}
    if file.error:
        info["error_message"] = file.error
    if file.source_endpoint:
        info["source_endpoint"] = file.source_endpoint
    if file.source_type == "PUSH":
        info["upload_endpoint"] = upload_endpoint(call, file)
    return info


def upload_endpoint(call: Call, file: SessionFile) -> dict[str, str]:
    config = call.store.config
    path = f"{file.upload_id}/{file.name}"
    return transfer_endpoint(call, path, config.upload_host, config.upload_thumbprint)


def unchanged_file_info(call: Call, file: ItemFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "source_type": "NONE",
        "size": file.blob.size,
        "bytes_transferred": file.blob.size,
        "status": "READY",
        "keep_in_storage": True,
    }


def session_files(call: Call, session: UpdateSession) -> list[dict[str, Any]]:
    kept = call.store.items[session.item_id].files
    names = [name for name in kept if name not in session.files]
    infos = [session_file(call, session, name) for name in [*names, *session.files]]
    return [info for info in infos if info]


def session_file(call: Call, session: UpdateSession, name: str) -> dict[str, Any] | None:
    if name in session.files:
        return session_file_info(call, session.files[name])
    kept = call.store.items[session.item_id].files
    return unchanged_file_info(call, kept[name]) if name in kept and name not in session.removed else None


@operation("file.list")
def file_list(call: Call) -> list[dict[str, Any]]:
    return session_files(call, call.store.session(call.text("update_session_id")))


@operation("file.get")
def file_get(call: Call) -> dict[str, Any]:
    session = call.store.session(call.text("update_session_id"))
    name = call.text("file_name")
    info = session_file(call, session, name)
    if info is None:
        raise no_file(session, name)
    return info


def no_file(session: UpdateSession, name: str) -> VapiError:
    text = "The file <> does not exist in the update session <>."
    return VapiError("INVALID_ARGUMENT", message("file_not_found", text, name, session.id))


@operation("file.remove")
def file_remove(call: Call) -> None:
    session, name = active(call, "remove"), call.text("file_name")
    if session_file(call, session, name) is None:
        raise no_file(session, name)
    added = session.files.pop(name, None)
    if added:
        withdraw(call.store, added)
    if name in call.store.items[session.item_id].files:
        session.removed.add(name)
    session.touch()


@operation("file.validate")
def file_validate(call: Call) -> dict[str, Any]:
    session = active(call, "validate")
    if any(file.status not in ("READY", "ERROR") for file in session.files.values() if file.source_type == "PUSH"):
        raise VapiError("NOT_ALLOWED_IN_CURRENT_STATE", call.store.incomplete(session))
    session.touch()
    return validate(call.store, session)
