# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an update session would make of its item, and what is wrong with that: validate and preview_info."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import ovf
from .errors import message
from .models import OPEN_STATUSES, Blob, UpdateSession

if TYPE_CHECKING:
    from .store import Store


def contents(store: Store, session: UpdateSession) -> dict[str, Blob | None]:
    """The item's files as they would be after the session; None for what has not been received."""
    blobs: dict[str, Blob | None] = {
        name: file.blob for name, file in store.items[session.item_id].files.items() if name not in session.removed
    }
    for file in session.files.values():
        blobs[file.name] = file.blob if file.status == "READY" else None
    return blobs


def validate(store: Store, session: UpdateSession) -> dict[str, Any]:
    """A ValidationResult: what the OVF descriptor and the manifest ask for against what is there."""
    missing: set[str] = set()
    invalid = {file.name: file.error for file in session.files.values() if file.error}
    if is_ovf(store, session):
        blobs = contents(store, session)
        descriptors = [name for name in blobs if name.endswith(".ovf")]
        if blobs and not descriptors and not any(name.endswith(".ova") for name in blobs):
            missing.add(f"{store.items[session.item_id].name}.ovf")
        for name in descriptors:
            check_references(name, blobs, missing, invalid)
        for name, manifest in blobs.items():
            if name.endswith(".mf") and manifest:
                check_digests(manifest, blobs, invalid)
    return {
        "has_errors": bool(missing or invalid),
        "missing_files": sorted(missing),
        "invalid_files": [{"name": name, "error_message": error} for name, error in sorted(invalid.items())],
    }


def check_references(
    name: str, blobs: dict[str, Blob | None], missing: set[str], invalid: dict[str, dict[str, Any]]
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
    # A file may be there in chunks (DSP0243); it is there if the first of them is.
    missing.update(href for href in wanted if href not in blobs and f"{href}.000000000" not in blobs)


def check_digests(manifest: Blob, blobs: dict[str, Blob | None], invalid: dict[str, dict[str, Any]]) -> None:
    for name, (algorithm, digest) in ovf.digests(manifest.path).items():
        blob = blobs.get(name)
        if blob and blob.digest(algorithm) != digest:
            text = "The <> checksum of file <> is not the one in the manifest."
            invalid.setdefault(name, message("manifest_mismatch", text, algorithm, name))


def is_ovf(store: Store, session: UpdateSession) -> bool:
    return store.items[session.item_id].type.lower() == "ovf"


def preview(store: Store, session: UpdateSession) -> dict[str, Any]:
    """A PreviewInfo; warnings are only in state AVAILABLE."""
    details: dict[str, Any] = {}
    raised = session.preview_warnings
    if raised is None and store.config.raise_warnings:
        raised = store.config.raise_warnings
    ready = {name: file for name, file in session.files.items() if file.status == "READY"}
    if session.preview_state:
        state = session.preview_state
    elif raised is not None:
        state = "AVAILABLE"
    elif not is_ovf(store, session):
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
