# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes to upload endpoints: streaming, hashing, progress.

http.client sends them, because it takes a megabyte at a time straight from one buffer. Measured, that is the speed of
curl -T in constant memory; requests with its blocks of 16 KiB takes half as long again.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, suppress
from email.message import Message
from functools import partial
from typing import Any, NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    BLOCK,
    DEFAULT_ALGORITHM,
    Checksum,
    check,
    check_whole,
    checksum_info,
    digests,
    matches_checksum,
    read_block,
    server_checksum,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._client import TOKEN_HEADER, VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._endpoint import (
    Connections,
    Endpoint,
    NoConnection,
    OpenSockets,
    connection_to,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InternalServerError,
    InvalidArgument,
    NotFound,
    TimedOut,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import id_of, message_text
from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import KeepAlive
from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession
from ansible_collections.vsphere.content_library.plugins.module_utils._progress import OverallProgress, Progress
from ansible_collections.vsphere.content_library.plugins.module_utils._request_body import LOOK_EVERY, EarlyAnswer, send
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import threads
from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import SourceFile
from ansible_collections.vsphere.content_library.plugins.module_utils._tries import Broken, Tries, fault, refusal
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline, poll

PARALLEL = 4
# Seconds after a 2xx for a PUT. A server where the file is still WAITING_FOR_TRANSFER then does not report transfers.
REPORTED_WITHIN = 5.0
ANSWER_LIMIT = 1 << 20


class Shared(NamedTuple):
    """What pushes into several sessions share.

    parallel is how many files of one session are sent at a time. connections are kept for the next file; None where
    each file has one of its own.
    """

    parallel: int = PARALLEL
    connections: Connections | None = None
    overall: OverallProgress | None = None


class Pushed(NamedTuple):
    """A file that was pushed.

    checksum is that of the bytes sent. verified: the server reported the same one. received: the server reported that
    it has the file, which vcsim never does.
    """

    source: SourceFile
    checksum: Checksum | None
    verified: bool
    received: bool
    seconds: float


class Upload:
    """Pushes files into an update session that keeper keeps alive.

    The bytes are hashed in algorithm while they are pushed, and in those of the checksums of their source; None for no
    algorithm of its own. After the last byte of a file the server has wait_timeout seconds to take it. A push fails
    when no byte moved for the request_timeout of the client. After a failure that may pass the file is pushed again, as
    long as that gets further than ever before within request_timeout. report shows a person the progress. An
    interruption of the client ends it.
    """

    def __init__(
        self,
        client: VCenterClient,
        sessions: UpdateSessions,
        session: UpdateSession,
        keeper: KeepAlive,
        *,
        algorithm: str | None = DEFAULT_ALGORITHM,
        wait_timeout: float = 3600,
        report: Callable[[str], None] | None = None,
        shared: Shared | None = None,
    ) -> None:
        self._client, self._files, self._keeper = client, sessions.files, keeper
        self._shared = shared or Shared()
        self._session, self._id = session, id_of(session)
        self._algorithm, self._wait_timeout, self._report = algorithm, wait_timeout, report
        self._stop = threading.Event()
        self._sockets = OpenSockets()
        self.progress = Progress(0, 0)

    def push(self, sources: Sequence[SourceFile]) -> list[Pushed]:
        """Add and push files: the metadata of a package in order, then the others side by side.

        Raises VapiError. No push goes on then.
        """
        total, at_least = sum(source.size for source in sources), self._session["client_progress"] or 0
        self.progress = Progress(total, at_least, self._report, self._shared.overall)
        with ExitStack() as stack:
            stack.enter_context(self._keeper.during(self.progress.percent, self._sockets.hang_up))
            if self._client.interruption:
                stack.enter_context(self._client.interruption.calling(self._give_up))
            hashers = stack.enter_context(threads(self._shared.parallel))
            pushers = stack.enter_context(threads(self._shared.parallel))
            try:
                # vCenter wants manifest and certificate before the descriptor, and the descriptor before the disks.
                ordered = [source for source in sources if source.role != "content"]
                pushed = {source.name: self._push(source, hashers) for source in ordered}
                futures = {
                    pushers.submit(self._push, source, hashers): source.name
                    for source in sources
                    if source.role == "content"
                }
                wholes = {source.whole.name: source.whole for source in sources if source.whole}
                checks = [hashers.submit(check_whole, whole, self._stop) for whole in wholes.values()]
                pushed.update((futures[future], future.result()) for future in as_completed(futures))
                for checked in checks:
                    checked.result()
            except BaseException:
                self._give_up()
                pushers.shutdown(wait=True, cancel_futures=True)
                raise
        return [pushed[source.name] for source in sources]

    def _push(self, source: SourceFile, hashers: ThreadPoolExecutor) -> Pushed:
        spec: dict[str, Any] = {"name": source.name, "source_type": "PUSH", "size": source.size}
        algorithm = self._algorithm
        if source.checksum:
            algorithm = source.checksum.algorithm
            spec["checksum_info"] = checksum_info(source.checksum)
        start = time.monotonic()
        algorithms = {checksum.algorithm for checksum in source.checksums} | ({algorithm} if algorithm else set())
        hashed = hashers.submit(digests, [source], algorithms, self._stop)
        self._put_until_taken(source, spec)
        return self._verified(source, self._settled(source), hashed.result(), time.monotonic() - start)

    def _put_until_taken(self, source: SourceFile, spec: dict[str, Any]) -> None:
        tries = Tries(self._client.request_timeout, self._stop)
        while True:
            info = self._files.add(self._id, spec)
            try:
                return self._put(source, info.get("upload_endpoint") or {}, tries)
            except Broken as broken:
                self._check_going_on()
                tries.wait(broken)

    def _verified(
        self, source: SourceFile, info: Mapping[str, Any], found: Mapping[str, Checksum], seconds: float
    ) -> Pushed:
        """Compare the checksums of the bytes with those wanted, and with that reported by the server."""
        for wanted in source.checksums:
            check(f"src: {source.path!r}{source.in_archive}", wanted, found)
        checksum = found.get(source.checksum.algorithm if source.checksum else self._algorithm or "")
        # vcsim, where no file gets READY, repeats the checksum of the file's spec.
        ready = info["status"] == "READY"
        received = server_checksum(info) if ready else None
        if received and checksum and not matches_checksum(source, received, found.get(received.algorithm)):
            raise self._failed(
                VapiError,
                f"the server received other bytes, with {' '.join(received)}; something on the way changed them",
                source,
            )
        return Pushed(source, checksum, bool(received and checksum), ready, seconds)

    def _settled(self, source: SourceFile) -> Mapping[str, Any]:
        """Wait until the server has the file, which a 2xx for the PUT does not prove. Returns its info."""
        for waited in poll(Deadline(self._wait_timeout), self._client.pause):
            info = self._files.get(self._id, source.name)
            if info is None:
                raise self._failed(
                    NotFound, "the session has lost the file: somebody removed it, or the server was restarted", source
                )
            if info["status"] == "READY":
                return info
            if info["status"] == "ERROR":
                raise self._failed(VapiError, message_text(info["error_message"]) or "no reason given", source)
            count = info["bytes_transferred"]
            if info["status"] == "WAITING_FOR_TRANSFER" and (count is None or (waited > REPORTED_WITHIN and not count)):
                return info
            self._check_going_on()
        raise self._failed(
            TimedOut,
            f"the server does not have it after {self._wait_timeout:.0f} seconds; raise wait_timeout if it is slow",
            source,
        )

    def _put(self, source: SourceFile, model: Mapping[str, Any], tries: Tries) -> None:
        """Send the bytes once. Raises Broken where another try may succeed."""
        failed = partial(self._failed, source=source)
        if not model.get("uri"):
            raise failed(VapiError, "the server named no upload endpoint")
        self._client.secrets.add(model["uri"])
        try:
            endpoint = Endpoint.parse(model)
        except ValueError:
            raise failed(VapiError, "its upload endpoint is not a URL") from None
        token = self._client.token()
        try:
            status, headers, content = self._exchange(source, endpoint, token, tries)
        except (OSError, http.client.HTTPException, NoConnection) as error:
            raise _final(fault(failed, "upload", endpoint, error)) from None
        if not 200 <= status < 300:
            raise refusal(failed, status, headers, content, self._client, token)
        if tries.position < source.size:
            raise Broken(failed(InternalServerError, f"the server answered {status} before it had the whole file"))

    def _exchange(self, source: SourceFile, endpoint: Endpoint, token: str, tries: Tries) -> tuple[int, Message, bytes]:
        """One PUT. Returns the status, the headers and the body of the answer."""
        kept = self._shared.connections
        connection = kept.take(self._client, endpoint) if kept else connection_to(self._client, endpoint)
        is_idle = may_stay = False
        try:
            with source.opened() as fd, self._sockets.watched(connection) as sock:
                self._check_going_on()
                connection.putrequest("PUT", endpoint.target)
                connection.putheader("Content-Type", "application/octet-stream")
                connection.putheader("Content-Length", str(source.size))
                connection.putheader(TOKEN_HEADER, token)
                connection.endheaders()
                try:
                    with suppress(ConnectionError, ssl.SSLEOFError):  # The server may have answered before it hung up.
                        self._stream(source, fd, sock, tries)
                    sock.settimeout(self._wait_timeout)
                    response = connection.getresponse()
                    may_stay = connection.sock is not None
                except EarlyAnswer as early:
                    sock.settimeout(self._client.request_timeout)
                    response = early.response(sock)
                content = response.read(ANSWER_LIMIT)
            is_idle = may_stay and response.isclosed()
            return response.status, response.headers, content
        finally:
            if kept and is_idle:
                kept.give_back(endpoint, connection)
            else:
                connection.close()

    def _stream(self, source: SourceFile, fd: int, sock: socket.socket, tries: Tries) -> None:
        buffer, timeout = memoryview(bytearray(BLOCK)), self._client.request_timeout
        position, end = source.offset, source.offset + source.size
        tries.position = 0
        sock.settimeout(min(LOOK_EVERY, timeout))
        while position < end:
            self._check_going_on()
            count = read_block(source, fd, buffer[: end - position], position)
            if not count:
                raise InvalidArgument(f"src: {source.path!r} became shorter while it was read: something writes to it")
            send(sock, buffer[:count], timeout)
            position += count
            tries.position = position - source.offset
            self.progress.moved(source.name, tries.position, count)

    def _give_up(self) -> None:
        self._stop.set()
        self._sockets.hang_up()

    def _check_going_on(self) -> None:
        self._keeper.check()
        if self._client.interruption:
            self._client.interruption.check()
        if self._stop.is_set():
            raise VapiError("the push was given up", operation="upload")

    def _failed(self, cls: type[VapiError], text: str, source: SourceFile, **details: Any) -> VapiError:
        tried = f"upload of file {source.name} for update session {self._id} on {self._client.peer.host}"
        return cls(f"{tried} failed: {text}", operation="upload", **details)


def _final(error: Exception) -> Exception:
    """No byte moved for as long as a push may stand still: that is its end."""
    return error.error if isinstance(error, Broken) and isinstance(error.error, TimedOut) else error
