# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What takes more than one operation on update sessions: finish one, say why it failed, wait for those of others."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    TimedOut,
    VapiError,
    could_be,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of, message_text
from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline


def finish(sessions: UpdateSessions, update_session_id: str, wait_timeout: float, wait: bool = True) -> UpdateSession:
    """Complete a session and wait until it is DONE. Raises VapiError with the cause if it ends in another state.

    Without wait it may still be ACTIVE.
    """
    deadline = Deadline(wait_timeout)
    try:
        sessions.complete(update_session_id, wait_timeout)
    except VapiError as error:
        last_seen = error.update_session
        with suppress(VapiError):  # The error of the complete is the one to report.
            last_seen = last_seen or sessions.find(update_session_id)
        raise (explained(sessions, error, last_seen) if last_seen else error) from None
    session, ended = sessions.wait_until_ended(update_session_id, deadline if wait else Deadline(0))
    if not (ended or wait):
        return session
    operation = "update_session.complete"
    subject = f"update session {update_session_id} on {sessions.host}"
    if not ended:
        text = f"{subject} is still ACTIVE {wait_timeout:.0f} seconds after its complete"
        raise explained(sessions, TimedOut(text, operation=operation), session)
    if session["state"] != "DONE":
        text = f"{subject} ended in {session['state']} when it was completed"
        raise explained(sessions, VapiError(text, operation=operation), session)
    return session


def explained(sessions: UpdateSessions, error: VapiError, session: UpdateSession) -> VapiError:
    """Add the session as last seen, and the reasons that it gives and the error does not, to an error."""
    error.update_session = session
    told, added = str(error), []
    for of, text in reasons(sessions, session):
        if text not in told:
            added.append(f"{of}: {text}" if of else text)
        elif of and of not in told:
            added.append(f"that is about file {of}")
    error.args = ("; ".join([told, *added]),)
    return error


def reasons(sessions: UpdateSessions, session: UpdateSession) -> list[tuple[str | None, str]]:
    """Why a session failed or will fail: its message, those of its files and, while it is ACTIVE, of a validation.

    The error of a complete hides the cause ("has missing or invalid files"; "Pipe closed", image-factory issue 232).
    Each with the name of the file that it is about, if any. What the server can no longer tell is left out, and so is a
    message of the session that a file has, too.
    """
    found: list[tuple[str | None, str | None]] = [(None, message_text(session["error_message"]))]
    with suppress(VapiError):
        failed = [file for file in sessions.files.list_files(id_of(session)) if file["status"] == "ERROR"]
        for file in failed:
            text = message_text(file["error_message"])
            found.append((file["name"], text) if text else (None, f"{file['name']}: ERROR"))
        if session["state"] == "ACTIVE":
            validation = sessions.files.validate(id_of(session))
            found += [(None, f"{name}: missing") for name in validation["missing_files"]]
            found += [(bad["name"], message_text(bad["error_message"])) for bad in validation["invalid_files"]]
    of_files = {text for of, text in found if of}
    return list(dict.fromkeys((of, text) for of, text in found if text and (of or text not in of_files)))


def find_sessions(sessions: UpdateSessions, params: Mapping[str, Any]) -> list[UpdateSession]:
    """The session of update_session_id, or all sessions of the user on library_item_id. [] where there is none."""
    if params["update_session_id"]:
        session = sessions.find(params["update_session_id"])
        return [session] if session else []
    try:
        return sessions.list_sessions(params["library_item_id"])
    except NotFound:
        return []


def cancel_unless_ended(sessions: UpdateSessions, update_session_id: str) -> None:
    """Cancel a session that was ACTIVE when it was read. It may have ended or expired since."""
    try:
        sessions.cancel(update_session_id)
    except NotFound:
        return
    except VapiError as error:
        is_active = error.update_session and error.update_session["state"] == "ACTIVE"
        if is_active or not could_be(error, NotAllowedInCurrentState):
            raise


def settle_others(
    sessions: UpdateSessions, library_item_id: str, stale_after: float, busy_timeout: float
) -> tuple[list[UpdateSession], bool]:
    """Wait until no ACTIVE session of the user on an item is at work any more.

    Returns the sessions that did not change for stale_after seconds, because a run that was killed left them behind,
    and whether another session ended meanwhile, so that the item may have changed. From the first change on, sessions
    at work have busy_timeout seconds to end. Then this raises ResourceBusy.
    """
    seen: dict[str, tuple[Any, float]] = {}
    busy = None
    while True:
        now = time.monotonic()
        active = [session for session in sessions.list_sessions(library_item_id) if session["state"] == "ACTIVE"]
        for session in active:
            position = _position(sessions, session)
            known = seen.setdefault(id_of(session), (position, now))
            if known[0] != position:
                seen[id_of(session)] = (position, now)
                busy = busy or Deadline(busy_timeout)
        stale = [session for session in active if now - seen[id_of(session)][1] >= stale_after]
        if len(stale) == len(active):
            return stale, len(seen) > len(active)
        if busy and busy.remaining() <= 0:
            item = f"library item {library_item_id} on {sessions.host}"
            raise ResourceBusy(
                f"update session {active[0]['id']} of {item} is at work. Set busy_timeout to wait for it",
                operation="update_session.create",
                update_session=active[0],
            )
        sessions.pause(1)


def _position(sessions: UpdateSessions, session: UpdateSession) -> Any:
    """What changes while somebody works with a session."""
    with suppress(NotFound):
        files = sessions.files.list_files(id_of(session))
        moved = [(file["name"], file["status"], file["bytes_transferred"]) for file in files]
        return session["expiration_time"], session["client_progress"], moved
