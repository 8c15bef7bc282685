# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the run of a module gets: its options, the services, and where to note what it did."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import VapiError

if TYPE_CHECKING:
    from ansible_collections.vsphere.content_library.plugins.module_utils._download_sessions import DownloadSessions
    from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import KeepAlive
    from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import (
        Datastores,
        Libraries,
        LocalLibraries,
        SubscribedItems,
        SubscribedLibraries,
    )
    from ansible_collections.vsphere.content_library.plugins.module_utils._library_items import LibraryItems
    from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession
    from ansible_collections.vsphere.content_library.plugins.module_utils._transfer import Shared
    from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions

Report = Callable[[str], None]


class Services:
    """The services of one vCenter. Each is made, and its code imported, when it is first used.

    Most tasks need one or two of them, and each process of a module compiles what it imports.
    """

    def __init__(self, client: VCenterClient) -> None:
        self.client = client
        self.pushes: Shared | None = None  # what they share with those of other tasks

    def kept_alive(self, session: UpdateSession, stale_after: float) -> KeepAlive:
        """What keeps an update session alive, as a context manager."""
        from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import KeepAlive

        return KeepAlive(self.update_sessions.keep_alive, session, stale_after)

    @cached_property
    def update_sessions(self) -> UpdateSessions:
        from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions

        return UpdateSessions(self.client)

    @cached_property
    def libraries(self) -> Libraries:
        from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import Libraries

        return Libraries(self.client)

    @cached_property
    def local_libraries(self) -> LocalLibraries:
        from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import LocalLibraries

        return LocalLibraries(self.client, self.libraries)

    @cached_property
    def subscribed_libraries(self) -> SubscribedLibraries:
        from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import SubscribedLibraries

        return SubscribedLibraries(self.client, self.libraries)

    @cached_property
    def subscribed_items(self) -> SubscribedItems:
        from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import SubscribedItems

        return SubscribedItems(self.client)

    @cached_property
    def datastores(self) -> Datastores:
        from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import Datastores

        return Datastores(self.client)

    @cached_property
    def library_items(self) -> LibraryItems:
        from ansible_collections.vsphere.content_library.plugins.module_utils._library_items import LibraryItems

        return LibraryItems(self.client)

    @cached_property
    def download_sessions(self) -> DownloadSessions:
        from ansible_collections.vsphere.content_library.plugins.module_utils._download_sessions import DownloadSessions

        return DownloadSessions(self.client)


class Task:
    """One task of a playbook: params and check_mode, the services, and the operations and warnings of its result.

    update_session is the session that it works on, as last seen, for the result of a failure. Several tasks may share
    services. report shows a person a line while the task runs; None where that can't be done.
    """

    def __init__(
        self, params: dict[str, Any], check_mode: bool, services: Services, report: Report | None = None
    ) -> None:
        self.params, self.check_mode, self.services, self.report = params, check_mode, services, report
        self.host = services.client.peer.host
        self.operations: list[str] = []
        self.warnings: list[str] = []
        self.update_session: UpdateSession | None = None

    @property
    def changed(self) -> bool:
        """Whether there was anything to do."""
        return bool(self.operations)

    def perform(self, operation: str, call: Callable[..., Any], *args: Any) -> Any:
        """Do a write and note it; in check mode note it only. Returns what call returns; None in check mode."""
        result = None if self.check_mode else call(*args)
        self.note(operation)
        return result

    def note(self, *operations: str) -> None:
        """Note operations that were performed or, in check mode, would be."""
        self.operations.extend(operations)


def failure_of(error: BaseException, task: Task | None) -> dict[str, Any]:
    """What a result tells of the failure of a task, as arguments of fail_json. Call it where the error is caught."""
    if isinstance(error, VapiError):
        error.update_session = error.update_session or (task.update_session if task else None)
        return error.fail_kwargs()
    bug = VapiError(f"This is a bug in the collection: {error!r}")
    return {**bug.fail_kwargs(), "exception": traceback.format_exc()}
