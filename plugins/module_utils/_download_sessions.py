# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The download session services of the vSphere API: com.vmware.content.library.item.DownloadSession and its File.

A download session locks nothing, and there is no complete: whoever opened one deletes it.
"""

from __future__ import annotations

from contextlib import suppress

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import NotFound
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import with_expiry, with_id
from ansible_collections.vsphere.content_library.plugins.module_utils._models import DownloadFile, DownloadSession


class DownloadSessions:
    """com.vmware.content.library.item.DownloadSession"""

    def __init__(self, client: VCenterClient) -> None:
        self._client = client
        self.files = DownloadSessionFiles(client)

    def create(self, library_item_id: str) -> str:
        """Open a session on an item and return its id. Raises NotFound.

        One whose answer was lost expires by itself.
        """
        model = {"library_item_id": library_item_id}
        return self._client.create("download_session.create", model)

    def get(self, download_session_id: str) -> DownloadSession:
        """One session. Raises NotFound."""
        session, date = self._client.call("download_session.get", download_session_id=download_session_id)
        return with_expiry(with_id(session, download_session_id), date)

    def find(self, download_session_id: str) -> DownloadSession | None:
        """One session, or None where there is none."""
        try:
            return self.get(download_session_id)
        except NotFound:
            return None

    def keep_alive(self, download_session_id: str, progress: int | None = None) -> None:
        """Extend the session's life, and tell the progress (0 to 100), which has to be greater than the server's."""
        model = {} if progress is None else {"progress": progress}
        self._client.call("download_session.keep_alive", model, download_session_id=download_session_id)

    def fail(self, download_session_id: str, client_error_message: str) -> None:
        """End the session in ERROR with a message of the client's."""
        self._client.call(
            "download_session.fail",
            download_session_id=download_session_id,
            client_error_message=client_error_message,
        )

    def delete(self, download_session_id: str) -> None:
        """Remove a session. One that is gone is fine."""
        with suppress(NotFound):
            self._client.call("download_session.delete", download_session_id=download_session_id)


class DownloadSessionFiles:
    """com.vmware.content.library.item.downloadsession.File"""

    def __init__(self, client: VCenterClient) -> None:
        self._client = client

    def prepare(self, download_session_id: str, file_name: str) -> DownloadFile:
        """Ask the server to make a file ready for HTTPS. Once is enough; asking again does no harm."""
        return self._client.call(
            "download_file.prepare",
            download_session_id=download_session_id,
            file_name=file_name,
            endpoint_type="HTTPS",
        ).value

    def get(self, download_session_id: str, file_name: str) -> DownloadFile:
        """A file as the server has it by now."""
        call = self._client.call
        return call("download_file.get", download_session_id=download_session_id, file_name=file_name).value
