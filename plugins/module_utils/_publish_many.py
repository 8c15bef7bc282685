# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many items of one library as desired state: what library_item does for one, for each of them, several at a time.

Each item has a Task, a client with time-outs, and an end of its own. They share the login, the connections, the look at
the library, the thread that sends keep-alives, and the line of progress.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._endpoint import Connections
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotFound,
    VapiError,
    reason_of,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of
from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import (
    LONGEST_INTERVAL,
    KeepAlive,
    Sender,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._library_look import (
    KnownItems,
    KnownLibraries,
    LibraryLook,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._locate import find_library
from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession
from ansible_collections.vsphere.content_library.plugins.module_utils._packages import Package
from ansible_collections.vsphere.content_library.plugins.module_utils._progress import REPORT_EVERY, OverallProgress
from ansible_collections.vsphere.content_library.plugins.module_utils._publish import (
    publish_source,
    read_source,
    refuse_times,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import GRACE, threads
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Services, Task, failure_of
from ansible_collections.vsphere.content_library.plugins.module_utils._transfer import PARALLEL, Shared
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions

MOST_PARALLEL = 16
# Options of the task that hold for each item.
FOR_EACH = ("library_name", "library_id", "stale_after", "busy_timeout", "wait_timeout")
TOLD = 3  # failures in the message of the task; the others are in its results
NO_CONTENT = dict.fromkeys(
    ("type", "description", "source_library_item_id", "src", "url", "ssl_thumbprint", "checksum", "warning_behavior")
)


class Entry(NamedTuple):
    """One item: its Task, what was read of its source, and what became of it."""

    task: Task
    source: Package
    result: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.task.params["name"])

    @property
    def size(self) -> int:
        """How many bytes its source has."""
        return sum(file.size for file in self.source.files)

    @property
    def failed(self) -> bool:
        return "failed" in self.result


class EntryServices(Services):
    """The services for one item. What does not depend on it they share with those for the others."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(batch.task.services.client.sibling())
        self._batch = batch
        self.libraries = batch.libraries
        self.library_items = KnownItems(self.client, batch.look)

    def kept_alive(self, session: UpdateSession, stale_after: float) -> KeepAlive:
        return KeepAlive(self._batch.keep_alive, session, stale_after, self._batch.sender)


class Batch:
    """The items of one task: what they share, and the threads in which they are published."""

    def __init__(self, task: Task) -> None:
        self.task, client = task, task.services.client
        self.libraries = KnownLibraries(client)
        self.look = LibraryLook(task.services.library_items)
        # It has a client of its own: what ends an item does not end this, and one that hangs is not waited for long.
        self.keep_alive = UpdateSessions(client.sibling(int(LONGEST_INTERVAL))).keep_alive
        self.sender, self.connections = Sender(), Connections()

    def entry(self, **params: Any) -> Entry:
        """One item, with its source read."""
        own = {**params, **{name: self.task.params[name] for name in FOR_EACH}}
        task, source = Task(own, self.task.check_mode, EntryServices(self)), Package(None, ())
        result: dict[str, Any] = {}
        try:
            source = read_source(own)
        except VapiError as error:
            result = failed_result(task, error)
        return Entry(task, source, result)

    def library_id(self) -> str | None:
        """The library; None where there is none, which is a failure of those items alone that shall be present."""
        with suppress(NotFound):
            self.task.services.libraries = self.libraries
            return find_library(self.task.params, self.task.services)
        return None

    def publish(self, entries: Sequence[Entry]) -> None:
        """Publish all that have not failed, several at a time, and tell a person how far it is."""
        due = [entry for entry in entries if not entry.failed]
        overall = OverallProgress([entry.size for entry in due])
        pushes = Shared(max(1, min(PARALLEL, MOST_PARALLEL // self.task.params["parallel"])), self.connections, overall)

        def run(entry: Entry) -> None:
            entry.task.services.pushes = pushes
            publish_entry(entry)
            overall.ended(entry.size)

        with threads(self.task.params["parallel"]) as pool:
            futures = [pool.submit(run, entry) for entry in due]
            with self._interrupting(due, futures, pool):
                pending = set(futures)
                while pending:
                    done, pending = wait(pending, timeout=REPORT_EVERY)
                    for future in done:
                        future.result()
                    if pending and self.task.report:
                        self.task.report(overall.line())

    @contextmanager
    def _interrupting(
        self, entries: Sequence[Entry], futures: Sequence[Future[None]], pool: ThreadPoolExecutor
    ) -> Iterator[None]:
        """What ends this task ends each item that is under way as it would end a task with that item alone."""
        try:
            yield
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            client, reason = self.task.services.client, reason_of(error)
            for one in (client, *(entry.task.services.client for entry in entries)):
                one.limit_timeouts()
                if one.interruption:
                    one.interruption.come(reason)
            wait(futures, timeout=GRACE)
            client.hang_up(GRACE)
            raise


def publish_items(task: Task) -> dict[str, Any]:
    """Bring many items of one library into the state that the task wants. Returns its facts.

    Raises VapiError at the end, with these facts, where an item failed.
    """
    refuse(task.params)
    batch = Batch(task)
    try:
        entries = [batch.entry(**member, library_item_id=None) for member in task.params["items"]]
        names = {entry.name for entry in entries}
        is_exclusive = task.params["exclusive"]
        if not all(entry.failed for entry in entries):
            library_id = batch.library_id()
            if library_id:
                with suppress(NotFound):  # Each item that needs the library says so.
                    batch.look.look(library_id, names, is_exclusive)
            batch.publish(entries)
            if is_exclusive and library_id and not any(entry.failed for entry in entries):
                unnamed = remove_others(batch, library_id, names)
                return result_of(task, [*entries, *unnamed])
        return result_of(task, entries)
    finally:
        batch.connections.close()


def refuse(params: Mapping[str, Any]) -> None:
    """Raise InvalidArgument for what is wrong with the task, whatever its items are."""
    refuse_times(params)
    if not 1 <= params["parallel"] <= MOST_PARALLEL:
        raise InvalidArgument(f"parallel {params['parallel']} is not from 1 to {MOST_PARALLEL}")
    if params["exclusive"] and not params["items"]:
        raise InvalidArgument(
            "items is empty, and with exclusive all items of the library would be deleted: set exclusive to false, or"
            " remove the library (vsphere.content_library.library)"
        )
    names = Counter(member["name"] for member in params["items"])
    twins = [name for name, count in names.items() if count > 1]
    if twins:
        raise InvalidArgument(f"items has more than one entry with the name {', '.join(sorted(twins))}")


def publish_entry(entry: Entry) -> None:
    """Publish one item. Its failure is its own."""
    task = entry.task
    try:
        facts = publish_source(task, entry.source)
    except (Exception, SystemExit) as error:
        entry.result.update(failed_result(task, error))
    else:
        entry.result.update(name=entry.name, changed=task.changed, operations=task.operations, **facts)


def failed_result(task: Task, error: BaseException) -> dict[str, Any]:
    """What is told of an item that failed. Call it where the error is caught."""
    failure = failure_of(error, task)
    return dict(name=task.params["name"], changed=task.changed, operations=task.operations, failed=True, **failure)


def remove_others(batch: Batch, library_id: str, names: set[str]) -> list[Entry]:
    """Delete the items of the library that have none of these names."""
    try:
        others = batch.look.others(library_id, names)
    except NotFound:
        return []
    entries = [
        batch.entry(
            name=item["name"], library_item_id=id_of(item), state="absent", purge=True, force=False, **NO_CONTENT
        )
        for item in others
    ]
    batch.publish(entries)
    return entries


def result_of(task: Task, entries: Sequence[Entry]) -> dict[str, Any]:
    """The facts of the task. Raises VapiError, with the facts, where an item failed."""
    diff: dict[str, Any] = dict(before={}, after={})
    for entry in entries:
        task.note(*entry.task.operations)
        task.warnings += [f"{entry.name}: {warning}" for warning in entry.task.warnings]
        own = entry.result.pop("diff", {})
        if own.get("before") != own.get("after"):
            for side, shown in diff.items():
                shown.update({entry.name: own[side]} if own[side] else {})
    failures = [entry for entry in entries if entry.failed]
    facts = dict(results=[entry.result for entry in entries], failed_items=[entry.name for entry in failures])
    if failures:
        raise failure(task, entries, failures, facts)
    sent = sum(entry.result["bytes_transferred"] for entry in entries)
    return dict(**facts, bytes_transferred=sent, diff=diff)


def failure(task: Task, entries: Sequence[Entry], failures: Sequence[Entry], facts: dict[str, Any]) -> VapiError:
    """The error of a task in which items failed. Its kind is that of the first one."""
    told = [f"{entry.name}: {entry.result['msg']}" for entry in failures[:TOLD]]
    if len(failures) > TOLD:
        told.append(f"and {len(failures) - TOLD} more")
    first = failures[0].result
    details = {name: first[name] for name in ("error_type", "http_status", "messages", "operation")}
    error = VapiError(f"{len(failures)} of {len(entries)} items failed: {'; '.join(told)}", **details)
    error.facts = dict(changed=task.changed, operations=task.operations, **facts)
    return error
