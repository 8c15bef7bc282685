# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control requests over HTTP: one request out, one whole answer in, in bounded time and memory.

This is the only file that uses requests. It knows nothing of the API.
"""

from __future__ import annotations

import io
import os
import socket
import ssl
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InternalServerError,
    InvalidArgument,
    ResourceInaccessible,
    TimedOut,
    UnverifiedPeer,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._peer import Peer, is_loopback
from ansible_collections.vsphere.content_library.plugins.module_utils._tls import distrust
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline

if TYPE_CHECKING:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter

    REQUESTS_IMPORT_ERROR: str | None
else:
    try:
        import requests
        import urllib3
        from requests.adapters import HTTPAdapter
    except Exception:
        # Not only ImportError: a requests that does not fit its pyOpenSSL or urllib3 raises whatever it meets, and on
        # the controller that would end the playbook.
        REQUESTS_IMPORT_ERROR = traceback.format_exc()
        HTTPAdapter = object
    else:
        REQUESTS_IMPORT_ERROR = None

POOL_SIZE = 16
ANSWER_LIMIT = 16 << 20


class Reply(NamedTuple):
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class NoReply(Exception):
    """No complete answer came.

    error_class is the kind of error that it is. passing: another try may succeed. unprocessed: the server can't have
    acted on the request. status is that of an answer that was not read to its end.
    """

    def __init__(
        self,
        error_class: type[VapiError],
        text: str,
        *,
        passing: bool = False,
        unprocessed: bool = False,
        status: int | None = None,
    ) -> None:
        super().__init__(text)
        self.error_class, self.passing, self.unprocessed, self.status = error_class, passing, unprocessed, status


class Transport:
    """Kept-alive connections to one host, through a proxy or not.

    proxy_url is the configured proxy. Where that is None, the usual proxy variables of the environment hold.
    """

    def __init__(self, peer: Peer, tls_context: ssl.SSLContext, proxy_url: str | None) -> None:
        self._peer = peer
        self._verify = tls_context.verify_mode != ssl.CERT_NONE
        self._proxy_url = proxy_url
        self.proxy = self.proxy_for(peer.url)
        self._peer_address: str | None = None
        self._waiting: dict[_DeadlineReader, float] = {}
        self._base: str | None = None
        self._http = requests.Session()
        adapter = _Adapter(tls_context, self._waiting)
        self._http.mount("https://", adapter)
        self._http.mount("http://", adapter)
        if not self._verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    @property
    def peer_address(self) -> str | None:
        """The address that sent the newest answer. None before there is one, and behind a proxy."""
        return None if self.proxy else self._peer_address

    def proxy_for(self, url: str) -> str | None:
        """The URL of the HTTP proxy to reach a URL through. Loopback is never proxied. Raises InvalidArgument."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if is_loopback(host):
            return None
        if self._proxy_url:
            return self._proxy_url
        if host.endswith("."):  # NO_PROXY has no such names.
            url = parts._replace(netloc=parts.netloc.replace(f"{host}", host[:-1], 1)).geturl()
        proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
        return _http_proxy(proxy) if proxy else None

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes | None, timeout: float) -> Reply:
        """Send one request and read the answer within timeout seconds. Raises NoReply."""
        request = self._request(method, target, headers, body)
        whole: Any = urllib3.Timeout(total=timeout)
        try:
            # Without the session, which would look for cookies and for where a redirect leads.
            response = self._http.get_adapter(request.url).send(
                request,
                stream=True,
                timeout=whole,
                verify=self._verify,
                proxies={"http": self.proxy, "https": self.proxy} if self.proxy else {},
            )
            with response:
                answer = response.raw._original_response
                self._peer_address = getattr(answer, "peer_address", None) or self._peer_address
                content = _content(response.raw)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._no_reply(error) from None
        if len(content) > ANSWER_LIMIT:
            text = f"the answer is larger than {ANSWER_LIMIT} bytes: is this a vCenter?"
            raise NoReply(InternalServerError, text, status=response.status_code)
        return Reply(response.status_code, response.headers, content)

    def _request(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> Any:
        """A request as requests prepares it, but that it looks at the server's URL once, which is half of its time."""
        if self._base is None:
            self._base = str(requests.Request("GET", self._peer.url).prepare().url).rstrip("/")
        request: Any = requests.PreparedRequest()
        request.method, request.url, request.body = method, requests.utils.requote_uri(self._base + target), body
        request.prepare_headers(headers)
        request.prepare_content_length(body)
        return request

    def close(self) -> None:
        self._http.close()

    def hang_up(self, seconds: float) -> None:
        """Break the connections on which an answer has been waited for for so many seconds."""
        for reader, since in list(self._waiting.items()):
            if time.monotonic() - since >= seconds:
                reader.hang_up()

    def _no_reply(self, error: Exception) -> NoReply:
        causes = list(_causes(error))

        def caused_by(*classes: type[BaseException]) -> bool:
            return any(isinstance(cause, classes) for cause in causes)

        reason = next(filter(None, map(distrust, causes)), None)
        if reason:
            return NoReply(UnverifiedPeer, f"{self._peer.url} is not trusted: {reason}")
        text = next((str(cause) for cause in reversed(causes) if isinstance(cause, OSError)), str(causes[-1]))
        if any(isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME for cause in causes):
            return NoReply(ResourceInaccessible, f"no address for {self._peer.host}: {text}. Check hostname and DNS")
        if isinstance(error, requests.exceptions.ConnectTimeout) or caused_by(
            ConnectionRefusedError, urllib3.exceptions.NewConnectionError
        ):
            told = f"no connection to {self._peer.url}: {text}. Check hostname, port, firewall and proxy"
            return NoReply(ResourceInaccessible, told, passing=True, unprocessed=True)
        if caused_by(TimeoutError, urllib3.exceptions.TimeoutError):
            return NoReply(
                TimedOut, "no complete answer within request_timeout; raise it if the server is slow", passing=True
            )
        return NoReply(ResourceInaccessible, f"the connection broke: {text}", passing=True)


def _http_proxy(given: str) -> str:
    """The URL of a proxy of the environment, which may leave out its scheme. Raises InvalidArgument.

    What requests and urllib3 can't read is refused here, as their errors would show a part of its password.
    """
    names = [name for name, value in os.environ.items() if name.lower().endswith("_proxy") and value == given]
    where = f"the proxy of the environment{' (' + names[0] + ')' if names else ''}"
    try:
        url = given if "://" in given else f"http://{given}"
        parts = urlsplit(url)
        is_readable = urllib3.util.parse_url(url).host and "@" not in parts.path + parts.query + parts.fragment
    except ValueError:
        is_readable = False
    if not is_readable:
        raise InvalidArgument(f"{where} is not a URL like http://host:port; quote / and # in its password")
    if parts.scheme != "http":
        raise InvalidArgument(
            f"{where} is to be reached by {parts.scheme}, and only http is possible: write http://host:port (what goes"
            " through it is encrypted all the same), or name an HTTP proxy by proxy_host and proxy_port"
        )
    return url


def _content(raw: Any) -> bytes:
    """The body of an answer, or the first part of one that is too large. Raises IncompleteRead for one cut short."""
    raw.enforce_content_length = True  # urllib3 1.26 does not by itself.
    content = bytearray()
    # Part by part, as http.client of Python 3.9 sets aside as much memory as it is asked for.
    while len(content) <= ANSWER_LIMIT:
        part = raw.read(1 << 16)
        if not part:
            break
        content += part
    return bytes(content)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and what it wraps. requests and urllib3 keep the cause in reason, in args, or in the context."""
    while error is not None:
        yield error
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        if inner is None and isinstance(error, urllib3.exceptions.NewConnectionError):
            inner = error.__context__  # where urllib3 1.26 keeps it
        error = inner or error.__cause__


class _Adapter(HTTPAdapter):
    """requests' transport with our TLS context, and with answers that have a deadline.

    waiting gets what reads an answer, and since when, as long as it waits for it.
    """

    def __init__(self, tls_context: ssl.SSLContext, waiting: dict[_DeadlineReader, float]) -> None:
        self._tls_context, self._waiting = tls_context, waiting
        super().__init__(pool_connections=1, pool_maxsize=POOL_SIZE)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **self._trusting(kwargs))
        _limit_answers(self.poolmanager, self._waiting)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **self._trusting(kwargs))
        _limit_answers(manager, self._waiting)
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Keep requests from loading its own bundle into our context."""

    def _trusting(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {**kwargs, "ssl_context": self._tls_context, "cert_reqs": self._tls_context.verify_mode}


def _limit_answers(manager: Any, waiting: dict[_DeadlineReader, float]) -> None:
    """Let every connection of a pool manager, be it direct, through a proxy or through SOCKS, read our _Response."""
    manager.pool_classes_by_scheme = {
        scheme: _answering_in_time(pool, waiting) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def _answering_in_time(pool: Any, waiting: dict[_DeadlineReader, float]) -> type:
    class Answer(_Response):
        readers = waiting

    class Connection(pool.ConnectionCls):
        response_class = Answer

    class Pool(pool):
        ConnectionCls = Connection

    return Pool


class _Response(HTTPResponse):
    """An answer whose time-out counts for the whole of it, and that knows the address that it came from."""

    peer_address: str | None = None
    readers: dict[_DeadlineReader, float]

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        with suppress(OSError):  # The connection may be reset already, with the answer still to be read.
            self.peer_address = sock.getpeername()[0]
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock, self.readers))


class _DeadlineReader(io.RawIOBase):
    """The stream of a socket. Its time-out counts once for a whole answer, so that a trickle can't hold a task."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, waiting: dict[_DeadlineReader, float]) -> None:
        self._raw, self._sock, self._timeout, self._waiting = raw, sock, sock.gettimeout(), waiting
        self._deadline = Deadline(self._timeout or float("inf"))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._timeout is not None:
            remaining = self._deadline.remaining()
            if remaining <= 0:
                raise TimeoutError("the answer took too long")
            self._sock.settimeout(remaining)
        self._waiting[self] = time.monotonic()
        try:
            return self._raw.readinto(buffer)
        finally:
            del self._waiting[self]

    def hang_up(self) -> None:
        """End the wait of another thread."""
        with suppress(OSError):  # Not by the method of SSLSocket, which forgets that it is one.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def close(self) -> None:
        if not self.closed:
            if self._timeout is not None and self._sock.fileno() >= 0:
                self._sock.settimeout(self._timeout)
            self._raw.close()
        super().close()
