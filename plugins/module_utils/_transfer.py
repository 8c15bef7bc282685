# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes to transfer endpoints: streaming, hashing, keep-alive, progress.

http.client pushes, because it sends a megabyte at a time straight from one buffer: measured at the speed of curl -T in
constant memory, where requests with its 16 KiB blocks takes half as long again.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    DEFAULT_ALGORITHM,
    Checksum,
    checksum_info,
    digest,
    matches_checksum,
    read_block,
    server_checksum,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._client import (
    TOKEN_HEADER,
    VCenterClient,
    distrust,
    is_loopback,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._dialects import read_error
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInaccessible,
    TimedOut,
    UnverifiedPeer,
    VapiError,
    error_class,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession, message_text
from ansible_collections.vsphere.content_library.plugins.module_utils._packages import SourceFile
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline, poll

BLOCK = 1 << 20
BYTES_ACKED = 120  # where Linux has tcpi_bytes_acked in its struct tcp_info
TRIES = 3
PAUSE = 1.0  # after the first try; longer after the next
PARALLEL = 4
# A 2xx for the PUT and still WAITING_FOR_TRANSFER: after so many seconds the server is one that does not tell.
UNTOLD = 5.0
ANSWER_LIMIT = 1 << 20
LEGAL = "%/?:@!$&'()*+,;=~"  # beside letters and digits, in a path or a query (RFC 3986)
REPORT_EVERY = 10.0


class Pushed(NamedTuple):
    """A file that was pushed.

    checksum is that of the bytes sent. verified: the server told the same one. received: the server said that it has
    the file, which vcsim never does.
    """

    source: SourceFile
    checksum: Checksum | None
    verified: bool
    received: bool
    seconds: float


def _send(sock: socket.socket, data: memoryview) -> None:
    """sendall, but the time-out holds for a byte: a whole block may take longer on a slow link."""
    acknowledged = _acknowledged(sock)
    while data:
        try:
            data = data[sock.send(data) :]
        except (TimeoutError, socket.timeout):
            before, acknowledged = acknowledged, _acknowledged(sock)
            if acknowledged == before:
                raise


def _acknowledged(sock: socket.socket) -> int:
    """How many bytes have arrived at the other side; always 0 where the system does not tell."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256) if hasattr(socket, "TCP_INFO") else b""
    return int.from_bytes(info[BYTES_ACKED : BYTES_ACKED + 8], sys.byteorder)


class _Broken(Exception):
    """A push that another one may mend: the connection broke, or the server failed."""

    def __init__(self, error: VapiError) -> None:
        super().__init__(str(error))
        self.error = error


class KeepAlive:
    """Keeps an update session, and with it the API token, alive from a thread of its own: a context manager.

    A session expires after five idle minutes, a token after thirty, and bytes that flow extend neither for certain
    (govmomi issue 1832). Keep-alives with the progress go out three times in stale_after seconds, so that others can
    tell living work from dead, and three times in what the session had to live. lost is the error that says that the
    session is no longer there, or ACTIVE; on_loss is called then.
    """

    def __init__(
        self,
        sessions: UpdateSessions,
        session: UpdateSession,
        stale_after: float,
        progress: Callable[[], int | None] = lambda: None,
        on_loss: Callable[[], None] = lambda: None,
    ) -> None:
        self._sessions, self._id, self._progress, self._on_loss = sessions, session["id"], progress, on_loss
        lifetime = session["expires_in"]
        self._interval = max(0.2, (stale_after if lifetime is None else min(stale_after, lifetime)) / 3)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.lost: VapiError | None = None

    def __enter__(self) -> KeepAlive:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._interval):
            try:
                self._sessions.keep_alive(self._id, self._progress())
            except (NotFound, NotAllowedInCurrentState) as error:
                self.lost = error
                self._on_loss()
                return
            except VapiError:
                # vcsim answers only after the PUT. As long as the work goes on, a late keep-alive is no reason to end.
                continue


class Transfer:
    """Pushes the files of an update session, and keeps the session and the API token alive meanwhile.

    algorithm is what to hash the bytes in while they are pushed, None to do without; a manifest's goes first.
    wait_timeout bounds, in seconds, the time from the last byte of a file until the server has it. A push ends when no
    byte moved for the client's request_timeout. report is told the progress of a long push, a line every ten seconds.
    """

    def __init__(
        self,
        client: VCenterClient,
        sessions: UpdateSessions,
        session: UpdateSession,
        *,
        algorithm: str | None = DEFAULT_ALGORITHM,
        stale_after: float = 30,
        wait_timeout: float = 3600,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self._client, self._sessions, self._id = client, sessions, session["id"]
        self._algorithm = algorithm
        self._wait_timeout = wait_timeout
        self._report = report
        self._start = self._reported = time.monotonic()
        self._keeper = KeepAlive(sessions, session, stale_after, self._percent, self._hang_up)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._sent: dict[str, int] = {}
        self._total = 0
        self._progress: int = session["client_progress"] or 0
        self.bytes_transferred = 0

    def push(self, sources: Sequence[SourceFile]) -> list[Pushed]:
        """Add and push files, metadata in order and the rest side by side.

        Raises VapiError, after whatever is still under way was ended.
        """
        self._total = sum(source.size for source in sources)
        with self._keeper, ThreadPoolExecutor(PARALLEL) as hashers, ThreadPoolExecutor(PARALLEL) as pushers:
            try:
                # vCenter wants manifest and certificate before the descriptor, and the descriptor before the disks.
                ordered = [source for source in sources if source.role != "content"]
                pushed = {source.name: self._push(source, hashers) for source in ordered}
                futures = {
                    pushers.submit(self._push, source, hashers): source.name
                    for source in sources
                    if source.role == "content"
                }
                pushed.update((futures[future], future.result()) for future in as_completed(futures))
            except BaseException:
                self._stop.set()
                self._hang_up()
                pushers.shutdown(wait=True, cancel_futures=True)
                raise
        return [pushed[source.name] for source in sources]

    def _hang_up(self) -> None:
        """End what waits for a server, which may do so for wait_timeout."""
        with self._lock:
            for sock in self._open:
                # Not that of an SSLSocket, which forgets that it is one while another thread writes.
                with suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _percent(self) -> int:
        """The progress of the whole push; neither a file that is pushed again nor the next push may bring it down."""
        if self._total:
            self._progress = max(self._progress, 100 * sum(list(self._sent.values())) // self._total)
        return self._progress

    def _push(self, source: SourceFile, hashers: ThreadPoolExecutor) -> Pushed:
        spec: dict[str, Any] = {"name": source.name, "source_type": "PUSH", "size": source.size}
        algorithm = self._algorithm
        if source.checksum:
            algorithm = source.checksum.algorithm
            spec["checksum_info"] = checksum_info(source.checksum)
        start = time.monotonic()
        hashed = hashers.submit(digest, source, algorithm, self._stop) if algorithm else None
        for tries in range(1, TRIES + 1):
            info = self._sessions.files.add(self._id, spec)
            try:
                self._put(source, info.get("upload_endpoint"))
                break
            except _Broken as broken:
                self._check_going_on()
                if tries == TRIES or self._stop.wait(tries * PAUSE):
                    raise broken.error from None
        return self._verified(source, self._settled(source), hashed, time.monotonic() - start)

    def _verified(
        self, source: SourceFile, info: dict[str, Any], hashed: Future[Checksum] | None, seconds: float
    ) -> Pushed:
        checksum = hashed.result() if hashed else None
        if checksum and source.checksum and checksum != source.checksum:
            raise InvalidArgument(
                f"{source.path}: {checksum.algorithm} is {checksum.value}, not {source.checksum.value}"
            )
        # What vcsim tells of a file that it does not follow is what the client told.
        ready = info["status"] == "READY"
        received = server_checksum(info) if ready else None
        if received and checksum and not matches_checksum(source, received, checksum):
            raise self._failed(VapiError, source, f"the server received other bytes, with {' '.join(received)}")
        return Pushed(source, checksum, bool(received and checksum), ready, seconds)

    def _settled(self, source: SourceFile) -> dict[str, Any]:
        """The file's info once the server has it: a 2xx for the PUT does not mean that."""
        info = None
        for waited in poll(Deadline(self._wait_timeout)):
            info = self._sessions.files.find(self._id, source.name)
            if info is None:
                raise self._failed(NotFound, source, "the session has lost the file")
            if info["status"] == "READY":
                return info
            if info["status"] == "ERROR":
                raise self._failed(VapiError, source, message_text(info["error_message"]) or "no reason given")
            untold = info["bytes_transferred"] is None or (waited > UNTOLD and not info["bytes_transferred"])
            if info["status"] == "WAITING_FOR_TRANSFER" and untold:
                return info
            self._check_going_on()
        raise self._failed(TimedOut, source, f"the server does not have it after {self._wait_timeout:.0f} seconds")

    def _put(self, source: SourceFile, endpoint: dict[str, Any] | None) -> None:
        """One PUT. Raises _Broken for what another one may mend."""
        endpoint = endpoint or {}
        try:
            uri = urlsplit(endpoint.get("uri") or "")
            address = (uri.hostname or "", uri.port or (80 if uri.scheme == "http" else 443))
            address[0].encode("idna")  # which a connection begins with, and where some names fail
        except ValueError:
            raise self._failed(VapiError, source, "its upload endpoint is no URL") from None
        if not uri.scheme:
            raise self._failed(VapiError, source, "the server named no upload endpoint")
        self._client.secrets.add(endpoint["uri"])
        token = self._client.token()
        connection = self._connection(source, uri.scheme, address, endpoint.get("ssl_certificate_thumbprint"))
        try:
            with source.opened() as fd, self._opened(connection) as sock:
                target = uri.path + (f"?{uri.query}" if uri.query else "")
                connection.putrequest("PUT", quote(target, safe=LEGAL))
                connection.putheader("Content-Type", "application/octet-stream")
                connection.putheader("Content-Length", str(source.size))
                connection.putheader(TOKEN_HEADER, token)
                connection.endheaders()
                with suppress(ConnectionError, ssl.SSLEOFError):  # it may have answered before it hung up
                    self._stream(source, fd, sock)
                sock.settimeout(self._wait_timeout)
                response = connection.getresponse()
                status, content = response.status, response.read(ANSWER_LIMIT)
        except (OSError, http.client.HTTPException) as error:
            reason = distrust(error)
            if reason:
                raise self._failed(UnverifiedPeer, source, f"the upload endpoint is not trusted: {reason}") from None
            cls = TimedOut if isinstance(error, (TimeoutError, socket.timeout)) else ResourceInaccessible
            text = f"the connection broke: {str(error) or type(error).__name__}"
            raise _Broken(self._failed(cls, source, text)) from None
        if 200 <= status < 300:
            return
        refusal = read_error(status, content)
        error = self._failed(
            error_class(refusal.error_type),
            source,
            refusal.text,
            error_type=refusal.error_type,
            http_status=status,
            messages=refusal.messages,
        )
        if status >= 500 or (status == 401 and self._client.renew(token)):
            raise _Broken(error)
        raise error

    @contextmanager
    def _opened(self, connection: http.client.HTTPConnection) -> Iterator[socket.socket]:
        """Connect, within reach of _hang_up."""
        sock = None
        try:
            connection.connect()
            sock = connection.sock
            with self._lock:
                self._open.add(sock)
            self._check_going_on()
            yield sock
        finally:
            with self._lock:
                self._open.discard(sock)
            connection.close()

    def _stream(self, source: SourceFile, fd: int, sock: socket.socket) -> None:
        buffer = memoryview(bytearray(BLOCK))
        position, end = source.offset, source.offset + source.size
        while position < end:
            self._check_going_on()
            count = read_block(source, fd, buffer[: end - position], position)
            if not count:
                raise InvalidArgument(f"src: {source.path!r} became shorter while it was read")
            _send(sock, buffer[:count])
            position += count
            with self._lock:
                self._sent[source.name] = position - source.offset
                self.bytes_transferred += count
                self._tell_progress()

    def _tell_progress(self) -> None:
        now = time.monotonic()
        if self._report is None or now - self._reported < REPORT_EVERY:
            return
        self._reported = now
        rate = self.bytes_transferred / (now - self._start)
        left = (self._total - sum(self._sent.values())) / rate
        self._report(f"{self._percent()} % of {self._total} bytes, {rate / 1e6:.1f} MB/s, {left:.0f} s left")

    def _check_going_on(self) -> None:
        if self._keeper.lost is not None:
            raise self._keeper.lost
        if self._stop.is_set():
            raise VapiError("the push was given up", operation="upload")

    def _connection(
        self, source: SourceFile, scheme: str, address: tuple[str, int], thumbprint: str | None
    ) -> http.client.HTTPConnection:
        """A connection to the endpoint's address that gives the token to none but the configured host."""
        (host, port), client = address, self._client
        if scheme == "http" and is_loopback(host) and is_loopback(client.peer.host):
            return http.client.HTTPConnection(host, port, timeout=client.request_timeout)
        if scheme != "https":
            raise self._failed(UnverifiedPeer, source, f"its upload endpoint is {scheme}, not https")
        proxy = client.proxy_for(f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}")
        if not client.validate_certs and proxy and host != client.peer.host:
            raise self._failed(UnverifiedPeer, source, f"behind a proxy, its upload endpoint {host} can't be checked")
        connection = _VerifiedConnection(client, host, port, thumbprint if client.validate_certs else None)
        if proxy:
            connection.tunnel_through(urlsplit(proxy))
        return connection

    def _failed(self, cls: type[VapiError], source: SourceFile, text: str, **kwargs: Any) -> VapiError:
        tried = f"upload of file {source.name} for update session {self._id} on {self._client.peer.host}"
        return cls(f"{tried} failed: {text}", operation="upload", **kwargs)


class _VerifiedConnection(http.client.HTTPSConnection):
    """A connection to wherever the endpoint is, verified as the configured host.

    The endpoint may be an address or another name. With a thumbprint, which came over the verified control connection,
    that certificate and no other is taken. Without verification, the address that control has is the one thing known.
    """

    def __init__(self, client: VCenterClient, host: str, port: int, thumbprint: str | None) -> None:
        self._client, self._thumbprint = client, thumbprint
        context = client.tls_context
        if thumbprint:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self._tls = context
        super().__init__(host, port, timeout=client.request_timeout, context=context)

    def tunnel_through(self, proxy: SplitResult) -> None:
        headers = {}
        if proxy.username:
            credentials = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
            headers["Proxy-Authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()
        host, port = self.host, self.port
        self.host, self.port = proxy.hostname, proxy.port or 8080
        self.set_tunnel(host, port, headers)

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        if not self._client.validate_certs and not self._tunnel_host:
            address = self.sock.getpeername()[0]
            if address != self._client.peer_address:
                raise ssl.SSLCertVerificationError(f"{address} is not the address of {self._client.peer.host}")
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._client.peer.host)
        if self._thumbprint:
            wanted = self._thumbprint.replace(":", "").lower()
            algorithm = {40: "sha1", 64: "sha256"}.get(len(wanted))
            certificate = self.sock.getpeercert(binary_form=True) or b""
            if not algorithm or hashlib.new(algorithm, certificate, usedforsecurity=False).hexdigest() != wanted:
                raise ssl.SSLCertVerificationError("its certificate does not have the thumbprint that vCenter told")
