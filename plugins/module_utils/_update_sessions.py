# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The update session services of the vSphere API: com.vmware.content.library.item.UpdateSession and updatesession.File.

One method for each operation, plain data in and out. An operation that finds its wanted state already reached is a
success: the answer to a first try was lost, or somebody else did it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    VapiError,
    could_be,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import with_computed, with_id
from ansible_collections.vsphere.content_library.plugins.module_utils._models import (
    UpdateSession,
    UploadFile,
    Validation,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline, wait_for


class UpdateSessions:
    """com.vmware.content.library.item.UpdateSession"""

    def __init__(self, client: VCenterClient) -> None:
        self._client = client
        self.files = UpdateSessionFiles(client)
        self.host, self.pause = client.peer.host, client.pause

    def list_sessions(self, library_item_id: str) -> list[UpdateSession]:
        """The sessions of the calling user on one item, sorted by id. Raises NotFound for a missing item.

        A session that vanishes between list and get is left out.
        """
        found = self._existing(self.list_ids(library_item_id))
        return [session for session in found if session["library_item_id"] == library_item_id]  # vcsim lists them all

    def list_all_sessions(self) -> list[UpdateSession]:
        """All sessions of the calling user, as list_sessions has those on one item."""
        return self._existing(self.list_all_ids())

    def list_ids(self, library_item_id: str) -> list[str]:
        """The ids of what list_sessions returns; vcsim lists those of all items."""
        return sorted(self._client.call("update_session.list", library_item_id=library_item_id).value)

    def list_all_ids(self) -> list[str]:
        """The ids of what list_all_sessions returns."""
        return sorted(self._client.call("update_session.list").value)

    def _existing(self, ids: list[str]) -> list[UpdateSession]:
        return [session for session in self._client.map(self.find, ids) if session is not None]

    def get(self, update_session_id: str) -> UpdateSession:
        """One session. Raises NotFound."""
        session, date = self._client.call("update_session.get", update_session_id=update_session_id)
        return with_computed(with_id(session, update_session_id), date)

    def find(self, update_session_id: str) -> UpdateSession | None:
        """One session, or None where there is none."""
        try:
            return self.get(update_session_id)
        except NotFound:
            return None

    def create(self, library_item_id: str, warning_behavior: list[dict[str, Any]] | None = None) -> str:
        """Open a session on an item and return its id. Raises NotFound, ResourceBusy.

        After a lost answer a server that ignores client tokens says ResourceBusy of a session that may be ours. Nobody
        can tell, so it counts as another's.
        """
        model: dict[str, Any] = {"library_item_id": library_item_id}
        if warning_behavior:
            model["warning_behavior"] = warning_behavior
        return self._client.create("update_session.create", model)

    def update(self, update_session_id: str, warning_behavior: list[dict[str, Any]]) -> None:
        """Set warning_behavior, the one property that an update changes."""
        model = {"warning_behavior": warning_behavior}
        self._client.call("update_session.update", model, update_session_id=update_session_id)

    def keep_alive(self, update_session_id: str, client_progress: int | None = None) -> None:
        """Extend the life of the session, and report the progress, from 0 to 100. It must not go down."""
        model = {} if client_progress is None else {"client_progress": client_progress}
        self._client.call("update_session.keep_alive", model, update_session_id=update_session_id)

    def complete(self, update_session_id: str, wait_timeout: float) -> None:
        """Make the changes of the session visible. After a PULL the server does that later, so wait afterwards.

        This takes at most wait_timeout seconds. After a lost answer it watches the session, and completes it again only
        if it stays ACTIVE for request_timeout seconds.
        """
        deadline = Deadline(wait_timeout)

        def has_ended() -> bool:
            within = Deadline(min(self._client.request_timeout, max(deadline.remaining(), 0)))
            return self.wait_until_ended(update_session_id, within)[1]

        self._end("complete", update_session_id, "DONE", verify=has_ended, deadline=deadline)

    def cancel(self, update_session_id: str) -> None:
        """Cancel the session. The item stays as it was."""
        self._end("cancel", update_session_id, "CANCELED")

    def fail(self, update_session_id: str, client_error_message: str) -> None:
        """End the session in ERROR, with a message from the client."""
        self._end("fail", update_session_id, "ERROR", client_error_message=client_error_message)

    def delete(self, update_session_id: str) -> None:
        """Remove a session that has ended. One that is gone is fine."""
        with suppress(NotFound):
            self._client.call("update_session.delete", update_session_id=update_session_id)

    def wait_until_ended(self, update_session_id: str, deadline: Deadline) -> tuple[UpdateSession, bool]:
        """Wait until a session is no longer ACTIVE. Returns it as last seen, and whether it has ended."""

        def has_ended(session: UpdateSession) -> bool:
            return session["state"] != "ACTIVE"

        return wait_for(lambda: self.get(update_session_id), has_ended, deadline, self.pause)

    def _end(
        self,
        action: str,
        update_session_id: str,
        wanted: str,
        *,
        verify: Callable[[], bool] | None = None,
        deadline: Deadline | None = None,
        **arguments: Any,
    ) -> None:
        """Bring an ACTIVE session into the wanted state. One that is in that state already is fine."""
        name = f"update_session.{action}"
        verify = verify or (lambda: self.get(update_session_id)["state"] == wanted)
        try:
            self._client.call(name, verify=verify, deadline=deadline, update_session_id=update_session_id, **arguments)
        except VapiError as error:
            if not could_be(error, NotAllowedInCurrentState):
                raise
            session = self.get(update_session_id)
            if session["state"] != wanted:
                error.update_session = session
                raise


class UpdateSessionFiles:
    """com.vmware.content.library.item.updatesession.File"""

    def __init__(self, client: VCenterClient) -> None:
        self._client = client

    def list_files(self, update_session_id: str) -> list[UploadFile]:
        """The files of a session, by name. Raises NotFound."""
        files = self._client.call("file.list", update_session_id=update_session_id).value
        return sorted(files, key=lambda file: file["name"])

    def find(self, update_session_id: str, name: str) -> UploadFile | None:
        """One file, or None where the session has none of that name. Raises NotFound for a missing session.

        Listed, because vcsim answers a get of a missing file with nothing at all. There, a name added twice is listed
        twice.
        """
        named = [file for file in self.list_files(update_session_id) if file["name"] == name]
        return named[-1] if named else None

    def get(self, update_session_id: str, name: str) -> UploadFile | None:
        """One file that was added before, or None where the session has lost it. Raises NotFound as find does.

        Asked for alone, because a listing for each of many files would take quadratic time.
        """
        try:
            return self._client.call("file.get", update_session_id=update_session_id, file_name=name).value
        except InvalidArgument:  # the answer for a file that is missing
            return self.find(update_session_id, name)

    def add(self, update_session_id: str, spec: dict[str, Any]) -> UploadFile:
        """Add a file, or new content for a file (vSphere API: updatesession File.AddSpec). Returns its info."""

        def find() -> UploadFile | None:
            # One of that name may be there already: the item's (its source_type is NONE), or what was pushed before.
            file = self.find(update_session_id, spec["name"])
            if file is None or file["source_type"] != spec["source_type"]:
                return None
            return file if file["source_type"] == "PULL" or file["status"] == "WAITING_FOR_TRANSFER" else None

        return self._client.call("file.add", spec, find=find, update_session_id=update_session_id).value

    def remove(self, update_session_id: str, name: str) -> None:
        """Take a file out of the item when the session completes. One that is gone is fine."""
        self._client.call(
            "file.remove",
            verify=lambda: self.find(update_session_id, name) is None,
            update_session_id=update_session_id,
            file_name=name,
        )

    def validate(self, update_session_id: str) -> Validation:
        """What is missing or wrong before a complete: {has_errors, missing_files, invalid_files}.

        Raises NotAllowedInCurrentState for a session that is not ACTIVE.
        """
        return self._client.call("file.validate", update_session_id=update_session_id).value
