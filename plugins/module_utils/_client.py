# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way to a vCenter: connection, API token, and the funnel that every control request goes through."""

from __future__ import annotations

import base64
import email.utils
import io
import ipaddress
import os
import random
import re
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.client import HTTPResponse
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

from ansible_collections.vsphere.content_library.plugins.module_utils._dialects import (
    DIALECTS,
    OPERATIONS,
    ApiDialect,
    Operation,
    decode,
    read_error,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InternalServerError,
    InvalidArgument,
    NotFound,
    ResourceInaccessible,
    TimedOut,
    Unauthenticated,
    UnknownPath,
    UnverifiedPeer,
    VapiError,
    error_class,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import GRACE, defer_signals
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline

try:
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
except Exception:
    # Not only ImportError: a requests that does not fit its pyOpenSSL or urllib3 raises whatever it meets, and on the
    # controller that would end the playbook.
    REQUESTS_IMPORT_ERROR: str | None = traceback.format_exc()
    HTTPAdapter = object
else:
    REQUESTS_IMPORT_ERROR = None

T = TypeVar("T")
S = TypeVar("S")

TOKEN_HEADER = "vmware-api-session-id"
POOL_SIZE = 16
ANSWER_LIMIT = 16 << 20
# What to do, by OpenSSL's number of what is wrong with a certificate (X509_V_ERR_*): no issuer that is known, not the
# time that it is for, not the name or address.
_ADVICE = {
    **dict.fromkeys((18, 19, 20, 21), "ca_path has to name the certificate of the authority that signed it"),
    **dict.fromkeys((9, 10), "renew it, or set the clock right"),
    **dict.fromkeys((62, 64), "either hostname is no name in that certificate, or another machine answered"),
}
# In OpenSSL's names for a handshake that fails however often it is tried.
_NO_AGREEMENT = (
    "WRONG_VERSION_NUMBER",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
    "UNSUPPORTED_PROTOCOL",
    "ALERT_PROTOCOL_VERSION",
    "ALERT_HANDSHAKE_FAILURE",
    "ALERT_INSUFFICIENT_SECURITY",
)
_LABEL = re.compile("[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)


class Peer(NamedTuple):
    """The configured host. http only on loopback, because a token must not travel in the clear."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, hostname: str, port: int | None) -> Peer:
        """Read a name, an address or a URL (an AWX credential carries one). Raises InvalidArgument."""
        text = hostname.strip()
        if "@" in text:
            raise InvalidArgument("hostname must not carry credentials; use username and password")
        if "://" not in text:
            text = f"https://[{text}]" if _is_address(text, 6) else f"https://{text}"
        try:
            parts = urlsplit(text)
            host, own_port = parts.hostname or "", parts.port
        except ValueError as error:
            raise InvalidArgument(f"hostname {hostname!r} is not a host: {error}") from None
        if not _is_host(host) or parts.path.strip("/") or parts.query or parts.fragment:
            raise InvalidArgument(f"hostname {hostname!r} is not a host: give a name, an address or a URL")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
            raise InvalidArgument(f"hostname {hostname!r}: only https, or http to loopback, keeps credentials safe")
        port = own_port if port is None else port
        if port is None:
            port = 443 if parts.scheme == "https" else 80
        if not 0 < port < 65536:
            raise InvalidArgument(f"port {port} is not between 1 and 65535")
        return cls(parts.scheme, host, port)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return f"{self.scheme}://{host}" + ("" if self.port == default else f":{self.port}")


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def _is_host(text: str) -> bool:
    """Whether it is a name or an address, without a port."""
    named = len(text) <= 253 and all(_LABEL.fullmatch(label) for label in text.removesuffix(".").split("."))
    return named or _is_address(text, 6)


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine by definition, without asking a resolver."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class _Context(ssl.SSLContext):
    """Verifies for the configured host where none is named: urllib3 1.26 names none that is an address."""

    host: str

    def wrap_socket(self, *args: Any, server_hostname: str | None = None, **kwargs: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*args, server_hostname=server_hostname or self.host, **kwargs)


def tls_context(host: str, validate_certs: bool, ca_path: str | None) -> ssl.SSLContext:
    """The one trust configuration, of control and of content.

    ca_path, else REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, else the system's store; certifi's bundle where a system has
    none. Raises InvalidArgument for a ca_path that can't be loaded.
    """
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    context.host = host
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    named = {**os.environ, "ca_path": ca_path}
    name = next((name for name in ("ca_path", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if named.get(name)), "")
    path = named.get(name)
    if not path:
        defaults = ssl.get_default_verify_paths()
        if defaults.cafile or defaults.capath or os.name == "nt":
            context.load_default_certs()
            return context
        name, path = "certifi", requests.certs.where()
    try:
        if os.path.isdir(path):
            if not any(re.fullmatch(r"[0-9a-f]{8}\.\d+", entry) for entry in os.listdir(path)):
                raise InvalidArgument(f"{name} {path} has no certificate that is named by its hash: see openssl rehash")
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except OSError as error:
        reason = "it has no certificate in PEM format" if isinstance(error, ssl.SSLError) else error.strerror
        raise InvalidArgument(f"{name} {path} can't be loaded: {reason}") from None
    return context


def distrust(error: BaseException) -> str | None:
    """Why a TLS handshake failed and what to do about it; None for one that another try may mend."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if not hasattr(error, "verify_code"):  # one of our own
            return str(error.args[0])
        advice = _ADVICE.get(error.verify_code)
        return error.verify_message.rstrip(".") + (f"; {advice}" if advice else "")
    reason = getattr(error, "reason", None) if isinstance(error, ssl.SSLError) else None
    if reason and any(part in reason for part in _NO_AGREEMENT):
        return f"no TLS 1.2 or later at this port ({reason.replace('_', ' ').lower()})"
    return None


class _DeadlineReader(io.RawIOBase):
    """A socket's stream whose time-out counts once for a whole answer, so that a trickle can't hold a task."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw, self._sock, self._timeout = raw, sock, sock.gettimeout()
        self._deadline = Deadline(self._timeout or float("inf"))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._timeout is not None:
            remaining = self._deadline.remaining()
            if remaining <= 0:
                raise TimeoutError("the answer took too long")
            self._sock.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            if self._timeout is not None and self._sock.fileno() >= 0:
                self._sock.settimeout(self._timeout)
            self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock))


class _Adapter(HTTPAdapter):
    """requests' transport with our TLS context and deadline, noting the address that answered."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self.peer_address: str | None = None
        super().__init__(pool_connections=1, pool_maxsize=POOL_SIZE)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self.context, cert_reqs=self.context.verify_mode, **kwargs)
        self._adopt(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        kwargs.update(ssl_context=self.context, cert_reqs=self.context.verify_mode)
        manager = super().proxy_manager_for(proxy, **kwargs)
        self._adopt(manager)
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Keep requests from loading its own bundle into our context."""

    def _adopt(self, manager: Any) -> None:
        adapter = self

        def connection(base: type) -> type:
            class Connection(base):
                response_class = _Response

                def connect(self) -> None:
                    super().connect()
                    adapter.peer_address = self.sock.getpeername()[0]

            return Connection

        manager.pool_classes_by_scheme = {
            scheme: type(pool.__name__, (pool,), {"ConnectionCls": connection(pool.ConnectionCls)})
            for scheme, pool in manager.pool_classes_by_scheme.items()
        }


class _Fault(Exception):
    """A try that may be worth another one.

    error is what to raise when it is not. unprocessed: the server can't have acted on the request.
    """

    def __init__(self, error: VapiError, unprocessed: bool, retry_after: float = 0.0) -> None:
        super().__init__(str(error))
        self.error, self.unprocessed, self.retry_after = error, unprocessed, retry_after
        error.retry_after = retry_after


class VCenterClient:
    """One vCenter, one identity. Use as a context manager: on leaving, an API token of our own is deleted.

    With session_id that token is used and never touched; else the first call logs in with username and password.
    Nothing is sent before the first call. warnings holds what a user should be told although nothing failed, secrets
    what no output may show.
    """

    def __init__(
        self,
        hostname: str,
        port: int | None = None,
        username: str | None = None,
        password: str | None = None,
        session_id: str | None = None,
        validate_certs: bool = True,
        ca_path: str | None = None,
        proxy_host: str | None = None,
        proxy_port: int | None = None,
        api_endpoint: str = "auto",
        request_timeout: int = 60,
    ) -> None:
        if not session_id and not (username and password):
            raise InvalidArgument("credentials are missing: give username and password, or session_id")
        for name, text in (("username", username), ("password", password)):
            try:
                (text or "").encode()
            except UnicodeEncodeError:  # Python makes halves of surrogate pairs of other bytes in the environment.
                raise InvalidArgument(f"{name} has bytes that are not UTF-8") from None
        if session_id and not _is_token(session_id):
            raise InvalidArgument("session_id is no API token: it has characters that no token has")
        if request_timeout < 1:
            raise InvalidArgument(f"request_timeout {request_timeout} is not at least 1 second")
        if proxy_port is not None and not (proxy_host and 0 < proxy_port < 65536):
            raise InvalidArgument(f"proxy_port {proxy_port} needs a proxy_host and a number between 1 and 65535")
        self.peer = Peer.parse(hostname, port)
        self.validate_certs = validate_certs
        self.request_timeout = request_timeout
        self.tls_context = tls_context(self.peer.host, validate_certs, ca_path)
        self.warnings: list[str] = []
        self.secrets: set[str] = set()
        self._own_proxy = _proxy_url(proxy_host, proxy_port or 8080) if proxy_host else None
        self.proxy = self.proxy_for(self.peer.url)
        self._credentials = (username, password)
        self._owns_token = not session_id
        self._token = session_id or None
        self._token_lock = threading.RLock()
        self._dialect = DIALECTS.get(api_endpoint)
        self._http = requests.Session()
        self._http.trust_env = False
        # requests would work out where a redirect leads even if told not to follow it.
        self._http.get_redirect_target = lambda response: None
        self._adapter = _Adapter(self.tls_context)
        self._http.mount("https://", self._adapter)
        self._http.mount("http://", self._adapter)
        if not validate_certs:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def __enter__(self) -> VCenterClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self.limit_timeouts()
        self.close()

    def limit_timeouts(self) -> None:
        """The task's time is over: from now on no operation may take longer than GRACE seconds."""
        self.request_timeout = min(self.request_timeout, GRACE)

    @property
    def peer_address(self) -> str | None:
        """The address of the server behind the newest control connection; None before one, and behind a proxy."""
        return None if self.proxy else self._adapter.peer_address

    def proxy_for(self, url: str) -> str | None:
        """The proxy to reach a URL through. Loopback is never proxied."""
        if is_loopback(urlsplit(url).hostname or ""):
            return None
        if self._own_proxy:
            return self._own_proxy
        proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
        if proxy and not _is_proxy(proxy):
            raise InvalidArgument(
                "the proxy of the environment is not a URL like http://host:port; quote / and # in its password"
            )
        return proxy

    def token(self) -> str:
        """The API token, after a login where there is none yet."""
        with self._token_lock:
            if self._token is None:
                with defer_signals():
                    self._token = self._log_in()
            return self._token

    def hand_over_token(self) -> str:
        """Log in, whatever token there is, and leave the new one, with the duty to log out, to the caller."""
        if not all(self._credentials):
            raise InvalidArgument("credentials are missing: a login takes username and password")
        self._token = None
        token = self.token()
        self._owns_token = False
        self.secrets.discard(token)
        return token

    def renew(self, token: str) -> bool:
        """Forget a token that the server no longer takes, so that the next call logs in. False where we can't."""
        if not self._owns_token:
            return False
        with self._token_lock:
            if self._token == token:
                self._token = None
        return True

    def close(self) -> None:
        """Delete the API token if it is our own, and close the connections. Never raises."""
        with self._token_lock:  # A login that is under way in another thread ends first.
            if self._owns_token and self._token is not None:
                try:
                    self.retry_cleanup(self.log_out)
                except VapiError as error:
                    self.warnings.append(f"The API token of this task could not be deleted: {error}")
        self._http.close()

    def log_out(self) -> None:
        """Delete the API token. One that is dead already is fine."""
        with defer_signals():
            with suppress(Unauthenticated, NotFound):
                self.call("session.delete")
            self._token = None

    def retry_cleanup(self, call: Callable[..., T], *args: Any) -> T:
        """Clear up: what the server answers with an error, or not in time, is tried once more; nobody else will do it.

        After an answer that did not come, this and what follows has little time.
        """
        try:
            return call(*args)
        except VapiError as error:
            if error.http_status is None:
                if not isinstance(error, TimedOut):
                    raise
                self.limit_timeouts()
            return call(*args)

    def map(self, function: Callable[[S], T], values: Iterable[S]) -> list[T]:
        """Call function for each value over a small pool of kept-alive connections; results in order."""
        values = list(values)
        if len(values) < 2:
            return [function(value) for value in values]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(POOL_SIZE, len(values))) as pool:
            return list(pool.map(function, values))

    def call(
        self,
        name: str,
        model: dict[str, Any] | None = None,
        *,
        read: Callable[[Any, float], Any] = lambda value, date: value,
        landed: Callable[[], Any] | None = None,
        deadline: Deadline | None = None,
        **arguments: Any,
    ) -> Any:
        """Perform one operation of the table in _dialects, with its retries, within request_timeout.

        read turns the answer's value, and the server's clock in seconds since the epoch, into what is returned; what it
        stumbles over is an answer that can't be read. landed is asked after an answer to something not repeatable was
        lost: it looks at the state and returns the value of the operation that turns out to have worked, or None to
        send it again. deadline replaces request_timeout as the bound of the operation; a single try never waits longer
        than request_timeout. Raises VapiError.
        """
        operation = OPERATIONS[name]
        deadline = deadline or Deadline(self.request_timeout)
        pause = 0.25
        may_log_in = name not in ("session.create", "session.delete")
        while True:
            token = None if name == "session.create" else self.token()
            try:
                return self._dispatch(operation, arguments, model, token, deadline, read)
            except Unauthenticated:
                if not (may_log_in and self.renew(token)):
                    raise
                may_log_in = False
                continue
            except _Fault as fault:
                if not (fault.unprocessed or operation.repeatable):
                    value = None if landed is None else landed()
                    if value is not None:
                        return value
                    if landed is None:
                        raise fault.error from None
                delay = max(fault.retry_after, pause * random.uniform(0.5, 1.0))
                if delay >= deadline.remaining():
                    raise fault.error from None
                time.sleep(delay)
                pause = min(pause * 2, 8.0)

    def _log_in(self) -> str:
        try:
            token = self.call("session.create", read=_token)
        except Unauthenticated as error:
            # One and the same text from every vCenter for a wrong name and a wrong password; say whose it was.
            error.args = (f"{error} (as {self._credentials[0]})",)
            raise
        self.secrets.add(token)
        return token

    def _dispatch(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        model: dict[str, Any] | None,
        token: str | None,
        deadline: Deadline,
        read: Callable[[Any, float], Any],
    ) -> Any:
        """One try; two where the generation of the REST API is not yet known and /api turns out not to exist."""
        known = self._dialect
        dialect = known or DIALECTS["api"]
        try:
            try:
                answer = self._exchange(dialect, operation, arguments, model, token, deadline, read)
            except UnknownPath:
                if known is not None:
                    raise
                # A vCenter that has /api says in JSON what it did not find. One without says so in plain text, or HTML.
                self._dialect = dialect = DIALECTS["rest"]
                return self._exchange(dialect, operation, arguments, model, token, deadline, read)
        except UnknownPath as error:
            if model is not None or any(arguments.values()):
                raise
            # Nothing was named that could be missing, so what is missing is the API.
            raise VapiError(
                f"{operation.name} on {self.peer.host} failed: there is no {dialect.prefix} on this server",
                error_type="OPERATION_NOT_FOUND",
                http_status=error.http_status,
                operation=operation.name,
            ) from None
        self._dialect = dialect
        return answer

    def _exchange(
        self,
        dialect: ApiDialect,
        operation: Operation,
        arguments: dict[str, Any],
        model: dict[str, Any] | None,
        token: str | None,
        deadline: Deadline,
        read: Callable[[Any, float], Any],
    ) -> Any:
        """Send one request and read its answer. Raises VapiError, or _Fault for what passes by itself."""
        request = dialect.request(operation, arguments, model)
        tried = f"{operation.name}{_subject(arguments)} on {self.peer.host}"

        def failed(cls: type[VapiError], text: str, **kwargs: Any) -> VapiError:
            return cls(f"{tried} failed: {text}", operation=operation.name, **kwargs)

        headers = {"Accept": "application/json"}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if token is None:
            username, password = self._credentials
            basic = base64.b64encode(f"{username}:{password}".encode()).decode()
            self.secrets.add(basic)
            headers["Authorization"] = f"Basic {basic}"
        else:
            headers[TOKEN_HEADER] = token
        timeout = min(max(deadline.remaining(), 0.1), self.request_timeout)
        prepared = requests.Request(
            request.method, self.peer.url + request.target, headers=headers, data=request.body
        ).prepare()
        try:
            response = self._http.send(
                prepared,
                stream=True,
                timeout=urllib3.Timeout(total=timeout),
                allow_redirects=False,
                verify=self.validate_certs,
                proxies={"http": self.proxy, "https": self.proxy} if self.proxy else {},
            )
            with response:
                content = _content(response.raw)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._transport_fault(error, failed) from None

        status = response.status_code
        if len(content) > ANSWER_LIMIT:
            raise failed(InternalServerError, f"the answer is larger than {ANSWER_LIMIT} bytes", http_status=status)
        if status == dialect.success(operation):
            if operation.result is None:
                return None
            try:
                try:
                    payload = decode(content)
                except ValueError:
                    raise ValueError("not JSON, or not such as models are") from None
                value = dialect.value(payload)
                # vcsim, which has /rest alone, answers null for an empty list.
                if value is None and operation.result is list and dialect.name == "rest":
                    value = []
                if not isinstance(value, operation.result):
                    raise TypeError(f"{type(value).__name__} instead of {operation.result.__name__}")
                return read(value, _date(response.headers.get("Date")))
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                text = f"HTTP {status} with an answer that can't be read: {error!r}"
                unread = failed(InternalServerError, text, http_status=status)
                # Nothing at all is what is left of an answer whose connection broke amid its header: http.client takes
                # that for the header's end.
                passing = not content or not operation.repeatable
                raise (_Fault(unread, unprocessed=False) if passing else unread) from None
        raise self._refusal(operation, status, content, response.headers, failed)

    def _refusal(
        self, operation: Operation, status: int, content: bytes, headers: Any, failed: Callable[..., VapiError]
    ) -> Exception:
        """The exception for an answer that is no success."""
        refusal = read_error(status, content)
        redirect = f"a redirect, which is not followed with credentials [{refusal.error_type}, HTTP {status}]"
        error = failed(
            error_class(refusal.error_type) if refusal.readable or status != 404 else UnknownPath,
            redirect if 300 <= status < 400 else refusal.text,
            error_type=refusal.error_type,
            http_status=status,
            messages=refusal.messages,
        )
        if status in (429, 503):
            return _Fault(error, unprocessed=True, retry_after=_retry_after(headers.get("Retry-After")))
        if status in (502, 504):
            return _Fault(error, unprocessed=False)
        return error

    def _transport_fault(self, error: Exception, failed: Callable[..., VapiError]) -> Exception:
        """The exception for a try that got no answer."""
        causes = list(_causes(error))
        text = next((str(cause) for cause in reversed(causes) if isinstance(cause, OSError)), str(causes[-1]))
        reason = next(filter(None, map(distrust, causes)), None)
        if reason:
            return failed(UnverifiedPeer, f"{self.peer.url} is not trusted: {reason}")
        if any(isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME for cause in causes):
            return failed(ResourceInaccessible, f"no address for {self.peer.host}: {text}")
        if isinstance(error, requests.exceptions.ConnectTimeout) or any(
            isinstance(cause, (ConnectionRefusedError, urllib3.exceptions.NewConnectionError)) for cause in causes
        ):
            return _Fault(failed(ResourceInaccessible, f"no connection to {self.peer.url}: {text}"), unprocessed=True)
        if any(isinstance(cause, (TimeoutError, urllib3.exceptions.TimeoutError)) for cause in causes):
            return _Fault(failed(TimedOut, "no complete answer in time"), unprocessed=False)
        return _Fault(failed(ResourceInaccessible, f"the connection broke: {text}"), unprocessed=False)


def _proxy_url(proxy_host: str, port: int) -> str:
    user_info, at, host = proxy_host.strip().rpartition("@")
    if not _is_host(host) or "://" in user_info:
        raise InvalidArgument("proxy_host is not a host: give a name or an address")
    return f"http://{quote(user_info, safe=':%')}{at}" + (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def _is_proxy(url: str) -> bool:
    """Whether requests and urllib3 can read the URL of a proxy. Their errors would show a part of its password."""
    try:
        given = urlsplit(url)
        read = urllib3.util.parse_url(requests.utils.prepend_scheme_if_needed(url, "http"))
        return bool(read.host) and "@" not in given.path + given.query + given.fragment
    except ValueError:
        return False


def _content(raw: Any) -> bytes:
    """The body of an answer, or the first of more than ANSWER_LIMIT bytes. Raises IncompleteRead for one cut short."""
    raw.enforce_content_length = True  # urllib3 1.26 does not by itself.
    content = bytearray()
    # Part by part, as http.client of Python 3.9 sets aside as much memory as it is asked for.
    while len(content) <= ANSWER_LIMIT:
        part = raw.read(1 << 16)
        if not part:
            break
        content += part
    return bytes(content)


def _is_token(text: str) -> bool:
    """Whether a header can carry it."""
    return text.isascii() and text.isprintable() and text != "" and " " not in text


def _token(value: str, date: float) -> str:
    if not _is_token(value):
        raise ValueError("no API token")
    return value


def _subject(arguments: dict[str, Any]) -> str:
    """What an operation works on, for people."""
    named = [
        f"{name[:-3].replace('_', ' ')} {value}"
        for name, value in arguments.items()
        if name in ("update_session_id", "library_item_id", "library_id") and value
    ]
    if arguments.get("file_name"):
        named.insert(0, f"file {arguments['file_name']}")
    return " for " + ", ".join(named) if named else ""


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    """An exception and what it wraps. requests and urllib3 keep the cause in reason, in args, or in the context."""
    while error is not None:
        yield error
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        if inner is None and isinstance(error, urllib3.exceptions.NewConnectionError):
            inner = error.__context__  # where urllib3 1.26 keeps it
        error = inner or error.__cause__


def _date(header: str | None) -> float:
    try:
        return email.utils.parsedate_to_datetime(header).timestamp()
    except (IndexError, TypeError, ValueError, OverflowError):  # IndexError: Python 3.9
        return time.time()


def _retry_after(header: str | None) -> float:
    """Seconds to wait by a Retry-After header: a number, or a date (RFC 9110, 10.2.3)."""
    if header is None:
        return 0.0
    return float(header) if header.isdecimal() else max(0.0, _date(header) - time.time())
