# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way to a vCenter: its API token, and the funnel with retries that every control request goes through."""

from __future__ import annotations

import base64
import copy
import random
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible_collections.vsphere.content_library.plugins.module_utils._call import Answer, Call, Fault
from ansible_collections.vsphere.content_library.plugins.module_utils._dialects import DIALECTS, OPERATIONS, ApiDialect
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotFound,
    TimedOut,
    Unauthenticated,
    UnknownPath,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import is_token
from ansible_collections.vsphere.content_library.plugins.module_utils._peer import Peer, proxy_url
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import (
    GRACE,
    Interruption,
    defer_signals,
    threads,
    uninterrupted,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._tls import tls_context
from ansible_collections.vsphere.content_library.plugins.module_utils._transport import (
    POOL_SIZE,
    NoReply,
    Transport,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import LONGEST, Deadline

T = TypeVar("T")
S = TypeVar("S")

TOKEN_HEADER = "vmware-api-session-id"


@dataclass
class _Login:
    """The API token, and the dialect that the server has proven to speak. Siblings share it."""

    token: str | None
    owned: bool
    proven: ApiDialect | None = None
    lock: Any = field(default_factory=threading.RLock)


class VCenterClient:
    """One vCenter and one identity: a context manager. At its end an API token of its own is deleted.

    With session_id it uses that token and never deletes it. Without, the first call logs in with username and password.
    Nothing is sent before the first call. warnings is what a user should know although nothing failed. secrets is what
    no output may show.
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
        _check_identity(username, password, session_id)
        if request_timeout < 1:
            raise InvalidArgument(f"request_timeout {request_timeout} is not at least 1 second")
        self.peer = Peer.parse(hostname, port)
        self.validate_certs = validate_certs
        self.request_timeout = min(request_timeout, LONGEST)
        self.tls_context = tls_context(self.peer.name, validate_certs, ca_path)
        self.warnings: list[str] = []
        self.secrets: set[str] = set()
        self._credentials = (username, password)
        self._login = _Login(session_id or None, owned=not session_id)
        self.interruption: Interruption | None = None
        self._dialects = [DIALECTS[api_endpoint]] if api_endpoint in DIALECTS else list(DIALECTS.values())
        self._transport = Transport(self.peer, self.tls_context, proxy_url(proxy_host, proxy_port))

    def __enter__(self) -> VCenterClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self.limit_timeouts()
        self.close()

    def sibling(self, request_timeout: int | None = None) -> VCenterClient:
        """A client with the same token and connections, for a thread of its own, where an interruption ends it.

        Its time-outs are its own. Nobody has to close it.
        """
        other = copy.copy(self)
        other.interruption = Interruption()
        other.request_timeout = min(request_timeout or self.request_timeout, self.request_timeout)
        return other

    def pause(self, seconds: float) -> None:
        """Sleep so many seconds. Raises Interrupted for a sibling that is interrupted."""
        if self.interruption:
            self.interruption.wait(seconds)
        else:
            time.sleep(seconds)

    def hang_up(self, seconds: float) -> None:
        """Break off what has waited for an answer for so many seconds."""
        self._transport.hang_up(seconds)

    def limit_timeouts(self) -> None:
        """The task was told to end: from now on no operation may take longer than GRACE seconds."""
        self.request_timeout = min(self.request_timeout, GRACE)

    @property
    def peer_address(self) -> str | None:
        """The address of the server behind the control connections. None before the first, and behind a proxy."""
        return self._transport.peer_address

    @property
    def proxy(self) -> str | None:
        """The proxy in front of the server."""
        return self._transport.proxy

    def proxy_for(self, url: str) -> str | None:
        """The proxy to reach a URL through. Loopback is never proxied."""
        return self._transport.proxy_for(url)

    def token(self) -> str:
        """The API token, after a login where there is none yet."""
        with self._login.lock:
            if self._login.token is None:
                with defer_signals():
                    self._login.token = self._log_in()
            return self._login.token

    def hand_over_token(self) -> str:
        """Log in, whatever token there is. The caller gets the new token, and the duty to log out."""
        if not all(self._credentials):
            raise InvalidArgument("credentials are missing: a login takes username and password")
        self._login.token = None
        token = self.token()
        self._login.owned = False
        self.secrets.discard(token)
        return token

    def renew(self, token: str) -> bool:
        """Forget a token that the server no longer takes, so that the next call logs in. False where we can't."""
        if not self._login.owned:
            return False
        with self._login.lock:
            if self._login.token == token:
                self._login.token = None
        return True

    def close(self) -> None:
        """Delete the API token if it is our own, and close the connections. Never raises."""
        with self._login.lock:  # A login that is under way in another thread ends first.
            if self._login.owned and self._login.token is not None:
                try:
                    self.retry_cleanup(self.log_out)
                except VapiError as error:
                    self.warnings.append(
                        f"The API token of this task could not be deleted: {error}. It ends after 30 idle minutes."
                    )
        self._transport.close()

    def log_out(self) -> None:
        """Delete the API token. One that is dead already is fine."""
        with defer_signals():
            with suppress(Unauthenticated, NotFound):
                self.call("session.delete")
            self._login.token = None

    def retry_cleanup(self, call: Callable[..., T], *args: Any) -> T:
        """Run a clean-up call; retry it once after an error answer or a timeout.

        After a timeout, this and what follows has little time.
        """
        with uninterrupted():
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
        with threads(min(POOL_SIZE, len(values))) as pool:
            return list(pool.map(function, values))

    def create(self, name: str, model: dict[str, Any], **arguments: Any) -> str:
        """Perform an operation that makes something, and return its id. arguments as in call."""
        return self.call(name, model, **arguments).value

    def call(
        self,
        name: str,
        model: dict[str, Any] | None = None,
        *,
        verify: Callable[[], bool] | None = None,
        find: Callable[[], Any] | None = None,
        deadline: Deadline | None = None,
        **arguments: Any,
    ) -> Answer:
        """Perform one operation of the table in _dialects, with its retries, within request_timeout.

        verify and find look at the state after the answer to an operation that is not repeatable was lost. verify says
        whether the operation was done. find returns the value of an operation that made something, None where nothing
        was made. What was not done is sent again, and so is what takes a client token, with the same one. deadline
        replaces request_timeout as the bound of the operation; a single try never waits longer than request_timeout.
        Raises VapiError.
        """
        operation, deadline = OPERATIONS[name], deadline or Deadline(self.request_timeout)
        client_token = _new_client_token() if operation.takes_client_token else None
        call = Call(operation, arguments, model, self.peer.host, deadline, client_token)
        may_renew, may_fail, pause = name != "session.delete", True, 0.25
        while True:
            if self.interruption:
                self.interruption.check()
            token = None if name == "session.create" else self.token()
            try:
                return self._dispatch(call, token)
            except Unauthenticated:
                if not (token and may_renew and self.renew(token)):
                    raise
                may_renew = False
            except Fault as fault:
                done = _look(call, verify, find, fault)
                if done:
                    return done
                if fault.once and not may_fail:
                    raise fault.error from None
                may_fail = may_fail and not fault.once
                call = self._pause(call, fault, pause)
                pause = min(pause * 2, 8.0)

    def _log_in(self) -> str:
        try:
            token = self.call("session.create").value
        except Unauthenticated as error:
            # One and the same text from every vCenter for a wrong name and a wrong password; say whose it was.
            error.args = (f"{error} (as {self._credentials[0]})",)
            raise
        self.secrets.add(token)
        return token

    def _dispatch(self, call: Call, token: str | None) -> Answer:
        """One try. Until a generation of the REST API has proven to exist, one with each that may."""
        if self._login.proven:
            return self._exchange(call, self._login.proven, token)
        failures = []
        for dialect in self._dialects:
            try:
                answer = self._exchange(call, dialect, token)
            except VapiError as error:
                if error.is_of_vapi:
                    self._login.proven = dialect
                if error.is_of_vapi or not _may_be_no_api(error):
                    raise
                failures.append(error)
            else:
                self._login.proven = dialect
                return answer
        raise self._without_api(call, token, failures) from None

    def _without_api(self, call: Call, token: str | None, failures: list[VapiError]) -> VapiError:
        """What to raise where no answer proved that there is an API. failures has one for each dialect."""
        last = failures[-1]
        if isinstance(last, UnknownPath) and call.names_something and self._has_api(call, token):
            return last  # vcsim says in plain text what it does not find.
        prefixes = [dialect.prefix for dialect in self._dialects]
        if all(isinstance(failure, UnknownPath) for failure in failures):
            missing = " and no ".join(prefixes)
            text = f"there is no {missing} on this server: do hostname, port and api name a vCenter Server?"
            return call.error(VapiError, text, error_type="OPERATION_NOT_FOUND", http_status=last.http_status)
        if len(failures) == 1:
            return last
        told = [f"at {prefix} {call.reason(failure)}" for prefix, failure in zip(prefixes, failures)]
        return call.error(
            VapiError,
            f"the server does not answer as a vCenter does: {'; '.join(told)}",
            error_type=last.error_type,
            http_status=last.http_status,
        )

    def _has_api(self, call: Call, token: str | None) -> bool:
        """Whether the last dialect answers when it is asked for something that can't be missing."""
        dialect = self._dialects[-1]
        try:
            self._exchange(call.instead(OPERATIONS["update_session.list"]), dialect, token)
        except (VapiError, Fault) as error:
            if not getattr(error, "is_of_vapi", False):
                return False
        self._login.proven = dialect
        return True

    def _pause(self, call: Call, fault: Fault, seconds: float) -> Call:
        """Wait about so many seconds, or as long as the server asks, and return what to try next.

        Raises VapiError if there is no time for that. But what has a client token may have been made, and without an
        answer nobody could end it: it gets one more try, with the same token.
        """
        delay = max(fault.retry_after, seconds * random.uniform(0.5, 1.0))
        if delay < call.deadline.remaining() and not call.is_last:
            self.pause(delay)
            return call
        if call.is_last or call.client_token is None or fault.unprocessed:
            raise fault.error from None
        return call._replace(deadline=Deadline(self.request_timeout), is_last=True)

    def _exchange(self, call: Call, dialect: ApiDialect, token: str | None) -> Answer:
        """Send one request and read its answer. Raises VapiError, or Fault for what may pass."""
        request = dialect.request(call.operation, call.arguments, call.model, call.client_token)
        headers = {"Accept": "application/json", **dict(request.headers), **self._authorization(token)}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        timeout = min(max(call.deadline.remaining(), 0.1), self.request_timeout)
        try:
            reply = self._transport.send(request.method, request.target, headers, request.body, timeout)
        except NoReply as none:
            raise call.failure(none) from None
        return call.answer(dialect, reply)

    def _authorization(self, token: str | None) -> dict[str, str]:
        if token is not None:
            return {TOKEN_HEADER: token}
        username, password = self._credentials
        basic = base64.b64encode(f"{username}:{password}".encode()).decode()
        self.secrets.add(basic)
        return {"Authorization": f"Basic {basic}"}


def _may_be_no_api(error: VapiError) -> bool:
    """Whether something else than the API may have answered. A refused login is not tried twice: a server may count."""
    status = error.http_status
    return status is not None and status not in (401, 429) and (status < 500 or status == 501)


def _new_client_token() -> str:
    from uuid import uuid4  # Most tasks create nothing.

    return str(uuid4())


def _check_identity(username: str | None, password: str | None, session_id: str | None) -> None:
    if not session_id and not (username and password):
        raise InvalidArgument(
            "credentials are missing: give username and password (VMWARE_USER, VMWARE_PASSWORD), or session_id"
        )
    for name, text in (("username", username), ("password", password)):
        try:
            (text or "").encode()
        except UnicodeEncodeError:  # Python makes halves of surrogate pairs of other bytes in the environment.
            raise InvalidArgument(f"{name} has bytes that are not UTF-8") from None
    if session_id and not is_token(session_id):
        raise InvalidArgument("session_id is no API token: it has characters that no token has")


def _look(call: Call, verify: Callable[[], bool] | None, find: Callable[[], Any] | None, fault: Fault) -> Answer | None:
    """What an operation did whose answer was lost, None where it is to be sent again. Raises where nobody can say."""
    if fault.unprocessed or call.operation.repeatable:
        return None
    if verify is None and find is None:
        if call.client_token is None:
            raise fault.error from None
        return None
    if verify and verify():
        return Answer(None, time.time())
    found = find() if find else None
    return None if found is None else Answer(found, time.time())
