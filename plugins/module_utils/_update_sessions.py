# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The update session services of the vSphere API: com.vmware.content.library.item.UpdateSession and updatesession.File.

One method for each operation, plain data in and out. An operation that finds its wanted state already reached is a
success: the answer to a first try was lost, or somebody else did it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InternalServerError,
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    TimedOut,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline, wait_for

Session = dict[str, Any]

STATES = ("ACTIVE", "DONE", "ERROR", "CANCELED")
WARNING_TYPES = (
    "SELF_SIGNED_CERTIFICATE",
    "EXPIRED_CERTIFICATE",
    "NOT_YET_VALID_CERTIFICATE",
    "UNTRUSTED_CERTIFICATE",
)

_SESSION_KEYS = (
    "id",
    "library_item_id",
    "library_item_content_version",
    "client_progress",
    "state",
    "expiration_time",
    "error_message",
    "preview_info",
)
_MESSAGE_KEYS = ("id", "default_message", "params", "localized")
_PREVIEW_KEYS = ("state", "certificate_info")


def filled(model: dict[str, Any], keys: tuple[str, ...], lists: tuple[str, ...] = ()) -> dict[str, Any]:
    """The model with every key there: null, or [] for lists, where the server leaves one out.

    Raises AttributeError for what is no model, and TypeError for a list that is none.
    """
    known = {key: model.get(key) for key in keys}
    found = {key: model.get(key) or [] for key in lists}
    expect(found, list, *lists)
    return {**known, **model, **found}


def expect(model: dict[str, Any], kind: type, *keys: str) -> None:
    """Raise TypeError for a key with something that is neither of the kind nor null."""
    for key in keys:
        if not isinstance(model.get(key), (kind, type(None))):
            raise TypeError(f"{key} is {type(model[key]).__name__}, not {kind.__name__}")


def message_facts(model: dict[str, Any] | None) -> dict[str, Any] | None:
    """A LocalizableMessage with every key there, null where there is none. Raises TypeError for what is none."""
    if model is None:
        return None
    message = filled(model, _MESSAGE_KEYS, ("args",))
    expect(message, str, "id", "default_message", "localized")
    return message


def behavior_of(session: Session) -> dict[str, bool]:
    """Which warning types the session ignores. Where the server leaves warning_behavior out, its preview tells."""
    preview = session["preview_info"] or {}
    told = session["warning_behavior"] or preview.get("warnings") or []
    return {entry["type"]: bool(entry.get("ignored")) for entry in told}


def blocking_warnings(session: Session) -> list[str]:
    """The types of the warnings that the preview raised and that nobody ignored."""
    ignored = behavior_of(session)
    warnings = (session["preview_info"] or {}).get("warnings", [])
    return [warning["type"] for warning in warnings if not ignored.get(warning["type"], warning.get("ignored"))]


def session_facts(model: dict[str, Any], update_session_id: str, now: float) -> Session:
    """An UpdateSessionModel as playbooks see it, the same whichever dialect carried it.

    now is the server's clock in seconds since the epoch: expires_in must not depend on ours. Raises TypeError,
    KeyError, ValueError or AttributeError for what is no UpdateSessionModel.
    """
    session = filled(model, _SESSION_KEYS, ("warning_behavior",))
    expect(session, str, "id", "library_item_id")
    if not isinstance(session["state"], str) or not isinstance(session["client_progress"], (int, type(None))):
        raise TypeError("no state, or a client_progress that is no number")
    session["id"] = session["id"] or update_session_id
    session["error_message"] = message_facts(session["error_message"])
    if session["preview_info"] is not None:
        session["preview_info"] = filled(session["preview_info"], _PREVIEW_KEYS, ("cert_chain", "warnings"))
    for warning in [*session["warning_behavior"], *(session["preview_info"] or {}).get("warnings", [])]:
        expect(warning, str, "type")
    session["expires_in"] = _seconds_until(session["expiration_time"], now)
    session["blocking_warnings"] = blocking_warnings(session)
    return session


def _seconds_until(expiration_time: str | None, now: float) -> int | None:
    """Whole seconds, never below 0. vAPI's date-time is 2015-01-01T22:13:05.651Z, always UTC."""
    if not expiration_time:
        return None
    moment = datetime.fromisoformat(expiration_time[:19]).replace(tzinfo=timezone.utc)
    return max(0, int(moment.timestamp() - now))


def sorted_ids(value: list[Any], now: float) -> list[str]:
    """The ids of a list answer in a stable order. Raises TypeError for what is no list of ids."""
    if not all(isinstance(member, str) for member in value):
        raise TypeError("not a list of ids")
    return sorted(value)


def managed(session: Session | None) -> dict[str, Any]:
    """What of a session a task can change, for a diff. What moves by itself is not in it."""
    keys = ("state", "client_progress", "warning_behavior", "error_message")
    return {key: session[key] for key in keys} if session else {}


def message_text(message: dict[str, Any] | None) -> str | None:
    """What a localizable message says."""
    if not message:
        return None
    return message.get("localized") or message.get("default_message") or message.get("id")


class UpdateSessions:
    """com.vmware.content.library.item.UpdateSession"""

    def __init__(self, client: VCenterClient) -> None:
        self._client = client
        self.files = UpdateSessionFiles(client)

    def list_sessions(self, library_item_id: str | None = None) -> list[Session]:
        """All sessions of the calling user, or those on one item; sorted by id. Raises NotFound for a missing item.

        A session that vanishes between list and get is left out.
        """
        ids = self._client.call("update_session.list", read=sorted_ids, library_item_id=library_item_id)
        sessions = [session for session in self._client.map(self.find, ids) if session is not None]
        # vcsim ignores library_item_id.
        return [session for session in sessions if library_item_id in (None, session["library_item_id"])]

    def get(self, update_session_id: str) -> Session:
        """One session. Raises NotFound."""
        return self._client.call(
            "update_session.get",
            read=lambda model, now: session_facts(model, update_session_id, now),
            update_session_id=update_session_id,
        )

    def find(self, update_session_id: str) -> Session | None:
        """One session, or None where there is none."""
        try:
            return self.get(update_session_id)
        except NotFound:
            return None

    def create(self, library_item_id: str, warning_behavior: list[dict[str, Any]] | None = None) -> str:
        """Open a session on an item and return its id. Raises NotFound, ResourceBusy."""
        model: dict[str, Any] = {"library_item_id": library_item_id}
        if warning_behavior:
            model["warning_behavior"] = warning_behavior

        def landed() -> str | None:
            active = [session for session in self.list_sessions(library_item_id) if session["state"] == "ACTIVE"]
            return active[0]["id"] if active else None

        try:
            return self._client.call("update_session.create", model, landed=landed)
        except InternalServerError:
            # It may be there all the same, and hold the item.
            made = landed()
            if made is None:
                raise
            return made

    def update(self, update_session_id: str, warning_behavior: list[dict[str, Any]]) -> None:
        """Set warning_behavior, the one property that an update changes."""
        model = {"warning_behavior": warning_behavior}
        self._client.call("update_session.update", model, update_session_id=update_session_id)

    def keep_alive(self, update_session_id: str, client_progress: int | None = None) -> None:
        """Extend the session's life, and tell the progress (0 to 100; it must not go down)."""
        model = {} if client_progress is None else {"client_progress": client_progress}
        self._client.call("update_session.keep_alive", model, update_session_id=update_session_id)

    def complete(self, update_session_id: str, wait_timeout: float) -> None:
        """Make the session's changes visible. Asynchronous after a PULL: wait afterwards.

        Bounded by wait_timeout seconds. After a lost answer the session is watched; only one that stays ACTIVE for a
        request_timeout is completed again.
        """
        deadline = Deadline(wait_timeout)

        def landed() -> bool | None:
            within = Deadline(min(self._client.request_timeout, max(deadline.remaining(), 0)))
            _session, ended = self._watch(update_session_id, within)
            return ended or None

        self._end("complete", update_session_id, "DONE", landed=landed, deadline=deadline)

    def cancel(self, update_session_id: str) -> None:
        """Give the session up; the item stays as it was."""
        self._end("cancel", update_session_id, "CANCELED")

    def fail(self, update_session_id: str, client_error_message: str) -> None:
        """End the session in ERROR with a message of the client's."""
        self._end("fail", update_session_id, "ERROR", client_error_message=client_error_message)

    def delete(self, update_session_id: str) -> None:
        """Remove a session that has ended. One that is gone is fine."""
        with suppress(NotFound):
            self._client.call("update_session.delete", update_session_id=update_session_id)

    def finish(self, update_session_id: str, wait_timeout: float, wait: bool = True) -> Session:
        """Complete a session and wait until it is DONE. Raises VapiError with the cause when it ends otherwise.

        Without wait it may still be ACTIVE.
        """
        deadline = Deadline(wait_timeout)
        try:
            self.complete(update_session_id, wait_timeout)
        except VapiError as error:
            session = error.update_session
            with suppress(VapiError):  # The complete's own error is the one to tell.
                session = session or self.find(update_session_id)
            raise (self.explained(error, session) if session else error) from None
        session, ended = self._watch(update_session_id, deadline if wait else Deadline(0))
        if not (ended or wait):
            return session
        operation = "update_session.complete"
        subject = f"update session {update_session_id} on {self._client.peer.host}"
        if not ended:
            text = f"{subject} is still ACTIVE {wait_timeout:.0f} seconds after its complete"
            raise self.explained(TimedOut(text, operation=operation), session)
        if session["state"] != "DONE":
            text = f"{subject} ended in {session['state']} when it was completed"
            raise self.explained(VapiError(text, operation=operation), session)
        return session

    def reasons(self, session: Session) -> list[str]:
        """Why a session failed or will: its own message, its files' and, while ACTIVE, what validate finds.

        The error of a complete hides the cause ("has missing or invalid files"; "Pipe closed", image-factory issue
        232), so ask. Never raises for what the server can't say any more.
        """
        texts = [message_text(session["error_message"])]
        with suppress(VapiError):
            files = self.files.list_files(session["id"])
            failed = [file for file in files if file["status"] == "ERROR"]
            texts += [f"{file['name']}: {message_text(file['error_message']) or 'ERROR'}" for file in failed]
            if session["state"] == "ACTIVE":
                found = self.files.validate(session["id"])
                texts += [f"{name}: missing" for name in found["missing_files"]]
                texts += [f"{bad['name']}: {message_text(bad['error_message'])}" for bad in found["invalid_files"]]
        return list(dict.fromkeys(text for text in texts if text))

    def explained(self, error: VapiError, session: Session) -> VapiError:
        """The error with the session as last seen and the reasons that it gives."""
        error.update_session = session
        error.args = ("; ".join([str(error), *self.reasons(session)]),)
        return error

    def settle_others(
        self, library_item_id: str, stale_after: float, busy_timeout: float
    ) -> tuple[list[Session], bool]:
        """Watch the user's ACTIVE sessions on an item until none of them lives.

        Returns those that did not move for stale_after seconds, left behind by a run that was killed, and whether one
        ended meanwhile, so that the item may have changed. From the first movement seen, the living ones have
        busy_timeout seconds; then ResourceBusy is raised.
        """
        seen: dict[str, tuple[Any, float]] = {}
        busy = None
        while True:
            now = time.monotonic()
            active = [session for session in self.list_sessions(library_item_id) if session["state"] == "ACTIVE"]
            for session in active:
                position = self._position(session)
                known = seen.setdefault(session["id"], (position, now))
                if known[0] != position:
                    seen[session["id"]] = (position, now)
                    busy = busy or Deadline(busy_timeout)
            stale = [session for session in active if now - seen[session["id"]][1] >= stale_after]
            if len(stale) == len(active):
                return stale, len(seen) > len(active)
            if busy and busy.remaining() <= 0:
                item = f"library item {library_item_id} on {self._client.peer.host}"
                raise ResourceBusy(
                    f"update session {active[0]['id']} of {item} is at work",
                    operation="update_session.create",
                    update_session=active[0],
                )
            time.sleep(1)

    def _position(self, session: Session) -> Any:
        """What moves while somebody works with a session."""
        with suppress(NotFound):
            files = self.files.list_files(session["id"])
            moved = [(file["name"], file["status"], file["bytes_transferred"]) for file in files]
            return session["expiration_time"], session["client_progress"], moved

    def _watch(self, update_session_id: str, deadline: Deadline) -> tuple[Session, bool]:
        return wait_for(lambda: self.get(update_session_id), lambda session: session["state"] != "ACTIVE", deadline)

    def _end(
        self,
        action: str,
        update_session_id: str,
        wanted: str,
        landed: Callable[[], Any] | None = None,
        deadline: Deadline | None = None,
        **arguments: Any,
    ) -> None:
        def reached() -> bool | None:
            return self.get(update_session_id)["state"] == wanted or None

        try:
            self._client.call(
                f"update_session.{action}",
                landed=landed or reached,
                deadline=deadline,
                update_session_id=update_session_id,
                **arguments,
            )
        except VapiError as error:
            # error_type is optional in a 400 of /api, so a plain ERROR may be NOT_ALLOWED_IN_CURRENT_STATE too.
            if not (isinstance(error, NotAllowedInCurrentState) or error.http_status == 400):
                raise
            session = self.get(update_session_id)
            if session["state"] != wanted:
                error.update_session = session
                raise


_FILE_KEYS = (
    "name",
    "source_type",
    "size",
    "checksum_info",
    "source_endpoint",
    "bytes_transferred",
    "status",
    "error_message",
    "keep_in_storage",
)


def file_facts(model: dict[str, Any]) -> dict[str, Any]:
    """A file info of the session with every key there. Raises TypeError for what is none."""
    file = filled(model, _FILE_KEYS)
    if not isinstance(file["name"], str) or not isinstance(file["status"], str):
        raise TypeError("a file without a name or a status")
    expect(file, dict, "checksum_info", "source_endpoint", "upload_endpoint")
    for endpoint in (file["source_endpoint"], file.get("upload_endpoint")):
        expect(endpoint or {}, str, "uri", "ssl_certificate_thumbprint")
    file["error_message"] = message_facts(file["error_message"])
    return file


def validation_facts(model: dict[str, Any]) -> dict[str, Any]:
    """A ValidationResult with every key there. Raises TypeError, KeyError or AttributeError for what is none."""
    found = filled(model, ("has_errors",), ("missing_files", "invalid_files"))
    names = [*found["missing_files"], *(bad["name"] for bad in found["invalid_files"])]
    if not all(isinstance(name, str) for name in names):
        raise TypeError("a file without a name")
    for bad in found["invalid_files"]:
        bad["error_message"] = message_facts(bad.get("error_message"))
    return found


class UpdateSessionFiles:
    """com.vmware.content.library.item.updatesession.File"""

    def __init__(self, client: VCenterClient) -> None:
        self._client = client

    def list_files(self, update_session_id: str) -> list[dict[str, Any]]:
        """The files of a session, by name. Raises NotFound."""
        return self._client.call(
            "file.list",
            read=lambda models, now: sorted(map(file_facts, models), key=lambda file: file["name"]),
            update_session_id=update_session_id,
        )

    def find(self, update_session_id: str, name: str) -> dict[str, Any] | None:
        """One file, or None where the session has none of that name. Raises NotFound for a missing session.

        Listed, because vcsim answers a get of a missing file with nothing at all. There, a name added twice is listed
        twice.
        """
        named = [file for file in self.list_files(update_session_id) if file["name"] == name]
        return named[-1] if named else None

    def add(self, update_session_id: str, spec: dict[str, Any]) -> dict[str, Any]:
        """Announce a file, or new content for one (vSphere API: updatesession File.AddSpec). Returns its info."""

        def landed() -> dict[str, Any] | None:
            # One of that name may be there already: the item's (its source_type is NONE), or what was pushed before.
            file = self.find(update_session_id, spec["name"])
            untouched = file and (file["source_type"] == "PULL" or file["status"] == "WAITING_FOR_TRANSFER")
            return file if untouched and file["source_type"] == spec["source_type"] else None

        return self._client.call(
            "file.add",
            spec,
            read=lambda model, now: file_facts(model),
            landed=landed,
            update_session_id=update_session_id,
        )

    def remove(self, update_session_id: str, name: str) -> None:
        """Take a file out of the item when the session completes. One that is gone is fine."""

        def landed() -> bool | None:
            return self.find(update_session_id, name) is None or None

        self._client.call("file.remove", landed=landed, update_session_id=update_session_id, file_name=name)

    def validate(self, update_session_id: str) -> dict[str, Any]:
        """What is missing or wrong before a complete: {has_errors, missing_files, invalid_files}.

        Raises NotAllowedInCurrentState for a session that is not ACTIVE.
        """
        return self._client.call(
            "file.validate",
            read=lambda model, now: validation_facts(model),
            update_session_id=update_session_id,
        )


def shown(file: dict[str, Any]) -> dict[str, Any]:
    """A file as results may show it: without the upload endpoint, nor the user info in a source's URL."""
    file = {key: value for key, value in file.items() if key != "upload_endpoint"}
    uri = (file["source_endpoint"] or {}).get("uri")
    if uri:
        file["source_endpoint"] = {**file["source_endpoint"], "uri": without_user_info(uri)}
    return file


def without_user_info(url: str) -> str:
    """A URL as people may see it."""
    scheme, mark, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}"
