# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Update sessions."""

from __future__ import annotations

import time
from typing import Any

from ..errors import VapiError, message
from ..models import UpdateSession
from ..validation import preview, validate
from .call import Call, invalid, operation
from .items import require_local

WARNING_TYPES = (
    "SELF_SIGNED_CERTIFICATE",
    "EXPIRED_CERTIFICATE",
    "NOT_YET_VALID_CERTIFICATE",
    "UNTRUSTED_CERTIFICATE",
)

SESSION_SPEC = {
    "id": str,
    "library_item_id": str,
    "library_item_content_version": str,
    "error_message": dict,
    "client_progress": int,
    "state": ("ACTIVE", "DONE", "ERROR", "CANCELED"),
    "expiration_time": str,
    "preview_info": dict,
    "warning_behavior": [{"type": WARNING_TYPES, "ignored": bool}],
}


@operation("update_session.list")
def update_session_list(call: Call) -> list[str]:
    call.store.settle_all()
    item_id = call.args.get("library_item_id")
    if item_id:
        call.store.item(item_id)
    sessions = call.store.sessions.values()
    return [entry.id for entry in sessions if entry.user == call.user and item_id in (None, "", entry.item_id)]


@operation("update_session.create")
def update_session_create(call: Call) -> str:
    spec = call.spec(SESSION_SPEC, "library_item_id")
    store = call.store
    item = store.item(spec["library_item_id"])
    require_local(store, item)
    active = store.active.get(item.id)
    if item.id in store.copies:
        text = "Content is being copied into the library item <>."
        raise VapiError("RESOURCE_BUSY", message("item_being_copied", text, item.id))
    if active and store.settle(store.sessions[active]) and item.id in store.active:
        text = "The library item <> is being updated by the session <>."
        raise VapiError("RESOURCE_BUSY", message("item_busy", text, item.id, active))
    session = store.add_session(item, call.user)
    session.warning_behavior = spec.get("warning_behavior")
    return session.id


@operation("update_session.get")
def update_session_get(call: Call) -> dict[str, Any]:
    session = call.store.session(call.args["update_session_id"])
    model: dict[str, Any] = {"id": session.id} if call.shows_ids else {}
    model.update(
        library_item_id=session.item_id,
        client_progress=session.client_progress,
        state=session.state,
        expiration_time=call.store.timestamp(session.expiration_time),
    )
    if not call.store.config.hide_content_versions:
        model["library_item_content_version"] = str(session.content_version)
    if session.error_message is not None:
        model["error_message"] = session.error_message
    if session.state == "ACTIVE":
        model["preview_info"] = preview(call.store, session)
    if session.warning_behavior is not None and not call.store.config.hide_warning_behavior:
        model["warning_behavior"] = session.warning_behavior
    return model


@operation("update_session.update")
def update_session_update(call: Call) -> None:
    spec = call.spec(SESSION_SPEC)
    session = active(call, "update")
    if "warning_behavior" in spec:
        session.warning_behavior = spec["warning_behavior"]
    session.touch()


@operation("update_session.keep_alive")
def update_session_keep_alive(call: Call) -> None:
    session = active(call, "keep_alive")
    progress = call.args.get("client_progress")
    if progress is not None:
        if not isinstance(progress, int) or isinstance(progress, bool) or not 0 <= progress <= 100:
            raise invalid("client_progress <> is not between 0 and 100", progress)
        if progress < session.client_progress:
            raise invalid("client_progress <> is less than <>", progress, session.client_progress)
        session.client_progress = progress
    session.touch()


@operation("update_session.complete")
def update_session_complete(call: Call) -> None:
    session = active(call, "complete")
    if session.completing:
        return
    pushed = [file for file in session.files.values() if file.source_type == "PUSH"]
    pulls = any(file.source_type == "PULL" for file in session.files.values())
    broken = any(file.status != "READY" for file in pushed)
    if broken or (not pulls and validate(call.store, session)["has_errors"]):
        raise VapiError("NOT_ALLOWED_IN_CURRENT_STATE", call.store.incomplete(session))
    session.completing = True
    session.complete_at = time.time() + call.store.config.complete_delay
    session.touch()
    call.store.settle(session)


@operation("update_session.cancel")
def update_session_cancel(call: Call) -> None:
    call.store.end(active(call, "cancel"), "CANCELED")


@operation("update_session.fail")
def update_session_fail(call: Call) -> None:
    text = call.text("client_error_message")
    session = active(call, "fail")
    call.store.end(session, "ERROR", message("client_error", "<>", text))


@operation("update_session.delete")
def update_session_delete(call: Call) -> None:
    session = call.store.session(call.text("update_session_id"))
    if session.state == "ACTIVE":
        text = "The update session <> is in state ACTIVE and can't be deleted."
        raise VapiError("NOT_ALLOWED_IN_CURRENT_STATE", message("update_session_active", text, session.id))
    call.store.forget(session)


def active(call: Call, operation: str) -> UpdateSession:
    return call.store.active_session(call.text("update_session_id"), operation)
