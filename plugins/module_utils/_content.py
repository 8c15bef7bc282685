# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of a library item as desired state: compare, send what differs in one update session, verify."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    DEFAULT_ALGORITHM,
    Checksum,
    checksum_info,
    format_checksum,
    matches_checksum,
    parse_checksum,
    server_checksum,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import KeepAlive
from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession, session_facts
from ansible_collections.vsphere.content_library.plugins.module_utils._module import Task
from ansible_collections.vsphere.content_library.plugins.module_utils._packages import Package, SourceFile
from ansible_collections.vsphere.content_library.plugins.module_utils._session_policy import (
    explained,
    finish,
    settle_others,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import defer_signals
from ansible_collections.vsphere.content_library.plugins.module_utils._transfer import Pushed, Upload
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline, poll

Facts = dict[str, Any]


@dataclass
class Content:
    """What has to happen to an item's content, and what became of it."""

    rows: list[Facts] = field(default_factory=list)
    send: list[SourceFile] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    pull: Facts | None = None
    pushed: list[Pushed] = field(default_factory=list)
    before: dict[str, Facts] = field(default_factory=dict)
    after: dict[str, Facts] = field(default_factory=dict)
    update_session: UpdateSession | None = None
    bytes_transferred: int = 0

    @property
    def differs(self) -> bool:
        return bool(self.send or self.remove or self.pull)


def row(
    name: str, size: int | None, checksum: Checksum | None, verified: bool, action: str, start: float | None = None
) -> Facts:
    """What became of a file, for the result. start is the monotonic time when work on it began."""
    seconds = 0.0 if start is None else round(time.monotonic() - start, 3)
    return dict(
        name=name,
        size=size,
        checksum=format_checksum(checksum),
        checksum_verified=verified,
        action=action,
        seconds=seconds,
    )


def pull_spec(params: Facts, name: str | None = None) -> Facts:
    """What to tell the server of a file that it shall pull (vSphere API: updatesession File.AddSpec).

    Without a name the file gets the last one of the URL's path.
    """
    try:
        parts = urlsplit(params["url"])
    except ValueError:
        raise InvalidArgument("url is not a URL") from None
    if parts.scheme not in ("http", "https", "ds", "file") or not (parts.netloc or parts.scheme in ("ds", "file")):
        raise InvalidArgument("url is not a URL with http, https, ds or file")
    name = name or unquote(parts.path).rpartition("/")[2]
    if not name:
        raise InvalidArgument("url does not end in the name of a file")
    endpoint = {"uri": params["url"]}
    if params["ssl_thumbprint"]:
        endpoint["ssl_certificate_thumbprint"] = params["ssl_thumbprint"]
    spec = {"name": name, "source_type": "PULL", "source_endpoint": endpoint}
    if params["checksum"]:
        spec["checksum_info"] = checksum_info(parse_checksum(params["checksum"]))
    return spec


def refuse_subscribed(task: Task, library_id: str) -> None:
    """Raise InvalidArgument for a library whose items can't be written."""
    if task.services.libraries.get(library_id).get("type") == "SUBSCRIBED":
        raise InvalidArgument(f"library {library_id} is subscribed: its items change where they are published")


def publish(task: Task, source: Package, library_id: str, item_id: str | None, created: bool) -> Content:
    """Compare, and send what differs in one update session."""
    params, services = task.params, task.services
    sessions, stale = services.update_sessions, []
    changed_meanwhile = True
    while changed_meanwhile:
        existing = [] if created else services.library_items.files(item_id)
        content = compare(params, source, {file["name"]: file for file in existing})
        if not content.differs:
            return content
        changed_meanwhile = False
        if not created:
            refuse_subscribed(task, library_id)
            stale, changed_meanwhile = settle_others(sessions, item_id, params["stale_after"], params["busy_timeout"])
    for session in stale:
        with suppress(NotFound, NotAllowedInCurrentState):  # it may have expired or ended meanwhile
            task.perform("cancel", sessions.cancel, session["id"])
        task.perform("delete", sessions.delete, session["id"])
    if task.check_mode:
        return predict(task, content, item_id)
    session_id = None
    try:
        with defer_signals():
            session_id = open_session(task, item_id)
        session = content.update_session = sessions.get(session_id)
        with KeepAlive(sessions.keep_alive, session, params["stale_after"]) as keeper:
            fill(task, content, session, keeper)
            content.update_session = task.perform("complete", finish, sessions, session_id, params["wait_timeout"])
    except BaseException as error:
        if not isinstance(error, Exception):
            services.client.limit_timeouts()
        if session_id:
            give_up(task, content, session_id, error)
        raise
    verify(task, content, {file["name"]: file for file in services.library_items.files(item_id)})
    return content


def compare(params: Facts, source: Package, existing: dict[str, Facts]) -> Content:
    """What of the source differs from the item. The server's checksum decides alone, where it tells one."""
    content = Content(before=existing, after=existing)
    if params["url"]:
        spec = pull_spec(params)
        has, asked = server_checksum(existing.get(spec["name"], {})), server_checksum(spec)
        other = bool(has and asked and has.algorithm == asked.algorithm and has != asked)
        if params["force"] or not existing or other:
            content.pull = spec
        else:
            content.rows = [
                row(file["name"], file["size"], server_checksum(file), False, "unchanged") for file in existing.values()
            ]
        return content
    for file in [file for file in source.files if file.keep_in_storage]:
        start, has = time.monotonic(), existing.get(file.name)
        has_checksum = server_checksum(has) if has else None
        is_same = bool(has) and not params["force"]
        if is_same:
            is_same = matches_checksum(file, has_checksum) if has_checksum else has["size"] == file.size
        if is_same and params["checksum"] and not matches_checksum(file, file.checksum, has_checksum):
            raise InvalidArgument(f"checksum: {file.path!r} does not have it, and is what the library item has already")
        if is_same:
            content.rows.append(row(file.name, file.size, has_checksum, bool(has_checksum), "unchanged", start))
        else:
            content.send.append(file)
    wanted = {file.name for file in source.files}
    content.remove = [name for name in existing if params["purge"] and name not in wanted]
    if content.send:
        # The server reads a package anew with its descriptor, and forgets manifest and certificate after each session.
        differing = content.send
        content.send = [file for file in source.files if file.role != "content" or file in differing]
        sent = {file.name for file in content.send}
        content.rows = [unchanged for unchanged in content.rows if unchanged["name"] not in sent]
    return content


def predict(task: Task, content: Content, item_id: str | None) -> Content:
    """What a run outside of check mode would do."""
    session = dict(library_item_id=item_id, state="DONE", warning_behavior=task.params["warning_behavior"])
    content.update_session = session_facts(session, None, 0)
    task.operations += ["create", *["remove_file"] * len(content.remove)]
    task.operations += ["add_file"] * bool(content.pull) + ["add_file", "upload"] * len(content.send) + ["complete"]
    content.after = {name: file for name, file in content.before.items() if name not in content.remove}
    content.rows += [row(name, content.before[name]["size"], None, False, "removed") for name in content.remove]
    for file in content.send:
        content.rows.append(row(file.name, file.size, file.checksum, False, "uploaded"))
        if file.keep_in_storage:
            content.after[file.name] = dict(size=file.size, checksum_info=checksum_info(file.checksum))
    if content.pull:
        content.rows.append(row(content.pull["name"], None, None, False, "pulled"))
        content.after = {**content.after, content.pull["name"]: {}}
    return content


def open_session(task: Task, item_id: str) -> str:
    """A session on the item. Another user's can't be seen, only waited for."""
    params, sessions = task.params, task.services.update_sessions
    task.operations.append("create")
    busy = None
    for _waited in poll(Deadline(params["busy_timeout"])):
        try:
            return sessions.create(item_id, params["warning_behavior"])
        except ResourceBusy as error:
            busy = error
    raise busy


def fill(task: Task, content: Content, session: UpdateSession, keeper: KeepAlive) -> None:
    """Remove, pull and push; the server's own check comes last, because a complete hides what is wrong."""
    params, sessions = task.params, task.services.update_sessions
    start = time.monotonic()
    for name in content.remove:
        task.perform("remove_file", sessions.files.remove, session["id"], name)
        content.rows.append(row(name, content.before[name]["size"], None, False, "removed", start))
    if content.pull:
        task.perform("add_file", sessions.files.add, session["id"], content.pull)
        return
    if not content.send:
        return
    algorithms = [checksum.algorithm for checksum in map(server_checksum, content.before.values()) if checksum]
    upload = Upload(
        task.services.client,
        sessions,
        session,
        keeper,
        algorithm=algorithms[0] if algorithms else DEFAULT_ALGORITHM,
        wait_timeout=params["wait_timeout"],
        report=task.report,
    )
    task.operations += ["add_file", "upload"] * len(content.send)
    content.pushed = upload.push(content.send)
    content.bytes_transferred = upload.progress.bytes_transferred
    if sessions.files.validate(session["id"])["has_errors"]:
        text = f"update session {session['id']} on {task.host} has missing or invalid files"
        raise VapiError(text, operation="file.validate")


def verify(task: Task, content: Content, after: dict[str, Facts]) -> None:
    """Hold what the item has against what was sent, and tell what became of each file."""
    content.after = after

    def wrong(name: str, why: str) -> VapiError:
        what = f"file {name} of library item {content.update_session['library_item_id']}"
        where = task.services.client.peer.host
        return VapiError(f"{what} on {where} is not what was sent: {why}", operation="item_file.list")

    for pushed in content.pushed:
        source, has = pushed.source, after.get(pushed.source.name, {})
        has_checksum, verified = server_checksum(has), pushed.verified
        # What was verified in the session is not read again for another algorithm.
        if has_checksum and not (verified and has_checksum.algorithm != pushed.checksum.algorithm):
            verified = matches_checksum(source, has_checksum, pushed.checksum)
            if not verified:
                raise wrong(source.name, f"the server tells {format_checksum(has_checksum)}")
        elif not pushed.received and source.keep_in_storage and has.get("size") != source.size:
            raise wrong(source.name, f"its size is {has.get('size')}, not {source.size}")
        done = row(source.name, source.size, pushed.checksum, verified, "uploaded")
        content.rows.append(dict(done, seconds=round(pushed.seconds, 3)))
    if content.pull:
        name = content.pull["name"]
        has, asked = after.get(name, {}), server_checksum(content.pull)
        has_checksum = server_checksum(has)
        if has_checksum and asked and has_checksum.algorithm == asked.algorithm and has_checksum != asked:
            raise wrong(name, f"the server tells {format_checksum(has_checksum)}")
        content.rows.append(row(name, has.get("size"), has_checksum, bool(asked) and has_checksum == asked, "pulled"))


def give_up(task: Task, content: Content, session_id: str, error: BaseException) -> None:
    """Fail the session with the reason, so that the item is free and whoever looks sees why."""
    sessions, retry_cleanup = task.services.update_sessions, task.services.client.retry_cleanup
    try:
        session = retry_cleanup(sessions.find, session_id)
        if isinstance(error, VapiError) and error.update_session is None:
            if session is None:
                error.update_session = content.update_session
                error.args = (f"{error}; update session {session_id} is gone: it expired, or was deleted",)
            else:
                explained(sessions, error, session)
        if session and session["state"] == "ACTIVE":
            retry_cleanup(sessions.fail, session_id, str(error) or type(error).__name__)
            if isinstance(error, VapiError):
                with suppress(VapiError):
                    error.update_session = sessions.find(session_id)
    except VapiError as second:
        task.warnings.append(f"Update session {session_id} could not be failed: {second}")
