# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes from download endpoints: streaming to disk, hashing, going on after a broken connection."""

from __future__ import annotations

import hashlib
import http.client
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import as_completed
from functools import partial
from typing import Any, NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    DEFAULT_ALGORITHM,
    Checksum,
    digest_of,
    server_checksum,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._client import TOKEN_HEADER, VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._download_sessions import DownloadSessions
from ansible_collections.vsphere.content_library.plugins.module_utils._endpoint import (
    Endpoint,
    NoConnection,
    OpenSockets,
    connection_to,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InternalServerError,
    ResourceInaccessible,
    TimedOut,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import message_text
from ansible_collections.vsphere.content_library.plugins.module_utils._file_attributes import Attributes
from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import KeepAlive
from ansible_collections.vsphere.content_library.plugins.module_utils._local_files import TemporaryFile, check_room
from ansible_collections.vsphere.content_library.plugins.module_utils._progress import Progress
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import threads
from ansible_collections.vsphere.content_library.plugins.module_utils._tries import Broken, Tries, fault, refusal
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline, poll

PARALLEL = 4
BLOCK = 1 << 18
ERROR_LIMIT = 1 << 20


class Wanted(NamedTuple):
    """A file to fetch: its name in the item, its place here, and its checksum where the item tells one."""

    name: str
    path: str
    checksum: Checksum | None


class Fetched(NamedTuple):
    """A file that was fetched. verified: the server told the same checksum."""

    name: str
    size: int
    checksum: Checksum
    verified: bool
    seconds: float


class _Content:
    """What arrived of one file."""

    def __init__(self, file: TemporaryFile, algorithm: str) -> None:
        self._file, self._algorithm = file, algorithm
        self._block = memoryview(bytearray(BLOCK))
        self.restart()

    def restart(self) -> None:
        """Forget what arrived."""
        self.position = 0
        self._digest = hashlib.new(self._algorithm.lower(), usedforsecurity=False)
        self._file.truncate()

    def receive(self, response: http.client.HTTPResponse) -> int:
        """Take the next bytes of an answer, hash and write them. Returns how many; 0 at its end.

        Measured on two cores, a thread of its own for that is no faster, and takes more CPU time.
        """
        count = response.readinto(self._block)
        if count:
            data = self._block[:count]
            self._digest.update(data)
            self._file.write(data, self.position)
            self.position += count
        return count

    def checksum(self) -> Checksum:
        return Checksum(self._algorithm, self._digest.hexdigest())


class Download:
    """Fetches files of a download session that keeper keeps alive.

    wait_timeout is how many seconds the server may take to make a file ready. A download fails when it got no further
    for the request_timeout of the client. report shows a person the progress. kept has the files that are in their
    places, after a failure too.
    """

    def __init__(
        self,
        client: VCenterClient,
        sessions: DownloadSessions,
        download_session_id: str,
        keeper: KeepAlive,
        *,
        wait_timeout: float,
        total: int,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self._client, self._files, self._id = client, sessions.files, download_session_id
        self._keeper, self._wait_timeout = keeper, wait_timeout
        self._stop = threading.Event()
        self._sockets = OpenSockets()
        self._told = 0
        self.kept: list[Fetched] = []
        self.progress = Progress(total, 0, report)

    def fetch(self, wanted: Sequence[Wanted], attributes: Attributes) -> list[Fetched]:
        """Fetch files side by side. Raises VapiError, after it ended all that is still under way."""
        with self._keeper.during(self._grown, self._sockets.hang_up), threads(PARALLEL) as pool:
            try:
                futures = [pool.submit(self._fetch, file, attributes) for file in wanted]
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                self._stop.set()
                self._sockets.hang_up()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return [future.result() for future in futures]

    def _grown(self) -> int | None:
        """The progress, where it is greater than the one that the server was told: it takes no other."""
        percent = self.progress.percent()
        if percent <= self._told:
            return None
        self._told = percent
        return percent

    def _fetch(self, wanted: Wanted, attributes: Attributes) -> Fetched:
        start = time.monotonic()
        info = self._prepared(wanted)
        known = server_checksum(info) or wanted.checksum
        with TemporaryFile(wanted.path) as file:
            check_room(wanted.path, info["size"] or 0)
            content = _Content(file, known.algorithm if known else DEFAULT_ALGORITHM)
            self._receive(wanted, info, content)
            checksum = content.checksum()
            verified = self._verified(wanted, file, checksum, content.position)
            self._check_going_on()
            file.keep(attributes)
        fetched = Fetched(wanted.name, content.position, checksum, verified, time.monotonic() - start)
        self.kept.append(fetched)
        return fetched

    def _prepared(self, wanted: Wanted) -> Mapping[str, Any]:
        """Ask for the file and wait until it is ready. The library may have to fetch it first."""
        info = self._files.prepare(self._id, wanted.name)
        for _waited in poll(Deadline(self._wait_timeout), self._stop.wait):
            if info["status"] == "PREPARED":
                return info
            if info["status"] == "ERROR":
                reason = message_text(info["error_message"]) or "no reason given"
                raise self._failed(ResourceInaccessible, f"the server can't prepare it: {reason}", wanted)
            self._check_going_on()
            info = self._files.get(self._id, wanted.name)
        raise self._failed(TimedOut, f"it is not prepared after {self._wait_timeout:.0f} seconds", wanted)

    def _receive(self, wanted: Wanted, info: Mapping[str, Any], content: _Content) -> None:
        """Get all bytes; after a broken connection go on, as long as that gets further than ever before."""
        tries = Tries(self._client.request_timeout, self._stop)
        while True:
            try:
                return self._get(wanted, info, content)
            except Broken as broken:
                self._check_going_on()
                tries.position = content.position
                tries.wait(broken)

    def _get(self, wanted: Wanted, info: Mapping[str, Any], content: _Content) -> None:
        """One GET, from the byte that was reached. Raises Broken where another one may succeed."""
        model = info.get("download_endpoint") or {}
        if not model.get("uri"):
            raise self._failed(VapiError, "the server named no download endpoint, as if the session had ended", wanted)
        self._client.secrets.add(model["uri"])
        try:
            endpoint = Endpoint.parse(model)
        except ValueError:
            raise self._failed(VapiError, "its download endpoint is no URL", wanted) from None
        token = self._client.token()
        try:
            self._exchange(wanted, info["size"], endpoint, token, content)
        except (OSError, http.client.HTTPException, NoConnection) as error:
            raise fault(partial(self._failed, wanted=wanted), "download", endpoint, error) from None

    def _exchange(self, wanted: Wanted, size: int | None, endpoint: Endpoint, token: str, content: _Content) -> None:
        connection = connection_to(self._client, endpoint)
        with self._sockets.opened(connection):
            self._check_going_on()
            connection.putrequest("GET", endpoint.target)
            connection.putheader(TOKEN_HEADER, token)
            if content.position:
                connection.putheader("Range", f"bytes={content.position}-")
            connection.endheaders()
            response = connection.getresponse()
            if response.status not in (200, 206):
                raise self._refused(wanted, response, token, content)
            end = self._end(wanted, size, response, content)
            count = content.receive(response)
            while count:
                self._check_going_on()
                self.progress.moved(wanted.name, content.position, count)
                count = content.receive(response)
            if end is not None and content.position < end:
                text = f"the server sent {content.position} of {end} bytes"
                raise Broken(self._failed(InternalServerError, text, wanted))

    def _end(
        self, wanted: Wanted, size: int | None, response: http.client.HTTPResponse, content: _Content
    ) -> int | None:
        """Where the file ends, by this answer and by the download session; None where neither tells."""
        if response.status == 200 and content.position:
            content.restart()
        begin, end = 0, response.length
        if response.status == 206:
            found = re.fullmatch(r"bytes (\d{1,18})-\d+/(\d{1,18}|\*)", response.headers.get("Content-Range", ""))
            begin, end = int(found[1]) if found else -1, int(found[2]) if found and found[2] != "*" else None
        if begin != content.position:
            content.restart()
            raise Broken(
                self._failed(InternalServerError, "the server sent another part than it was asked for", wanted)
            )
        if None not in (end, size) and end != size:
            raise self._failed(InternalServerError, f"the server sends {end} bytes, and told a size of {size}", wanted)
        return size if end is None else end

    def _refused(self, wanted: Wanted, response: http.client.HTTPResponse, token: str, content: _Content) -> Exception:
        """The exception for an answer that is no success."""
        failed = partial(self._failed, wanted=wanted)
        told = response.read(ERROR_LIMIT)
        error = refusal(failed, response.status, response.headers, told, self._client, token)
        if response.status == 416 and isinstance(error, VapiError):
            content.restart()
            return Broken(error)
        return error

    def _verified(self, wanted: Wanted, file: TemporaryFile, checksum: Checksum, size: int) -> bool:
        """Whether the server tells the checksum of what arrived. It may tell only after the download."""
        info = self._files.get(self._id, wanted.name)
        if info["size"] not in (None, size):
            text = f"{size} bytes arrived, and the server told a size of {info['size']}"
            raise self._failed(InternalServerError, text, wanted)
        known = server_checksum(info) or wanted.checksum
        if known is None:
            return False
        if known.algorithm != checksum.algorithm:
            checksum = digest_of(file.fd, known.algorithm)
        if known != checksum:
            text = f"other bytes arrived: {checksum.algorithm} is {checksum.value}, not {known.value}"
            raise self._failed(InternalServerError, text, wanted)
        return True

    def _check_going_on(self) -> None:
        self._keeper.check()
        if self._stop.is_set():
            raise VapiError("the download was given up", operation="download")

    def _failed(self, cls: type[VapiError], text: str, wanted: Wanted, **details: Any) -> VapiError:
        tried = f"download of file {wanted.name} for download session {self._id} on {self._client.peer.host}"
        return cls(f"{tried} failed: {text}", operation="download", **details)
