# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of an operation as a value: what was asked, how the reply to it is read, and the error that it makes."""

from __future__ import annotations

import email.utils
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._dialects import (
    ApiDialect,
    Operation,
    decode,
    read_error,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InternalServerError,
    UnknownPath,
    VapiError,
    error_class,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import read
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline

if TYPE_CHECKING:
    from ansible_collections.vsphere.content_library.plugins.module_utils._transport import NoReply, Reply


_SUBJECTS = ("update_session_id", "download_session_id", "library_item_id", "source_library_item_id", "library_id")


class Answer(NamedTuple):
    """What an operation returned, and the server's clock in seconds since the epoch."""

    value: Any
    date: float


class Call(NamedTuple):
    """One operation of the table in _dialects, with what it works on, and the time until which it is tried.

    client_token is what makes a create or copy repeatable. The same one goes with every try.
    """

    operation: Operation
    arguments: dict[str, Any]
    model: dict[str, Any] | None
    host: str
    deadline: Deadline
    client_token: str | None = None
    is_last: bool = False  # nothing is tried after this

    def instead(self, operation: Operation) -> Call:
        """A call of an operation that takes nothing, within the time of this one."""
        return self._replace(operation=operation, arguments={}, model=None, client_token=None)

    @property
    def names_something(self) -> bool:
        """Whether there is anything that the server could miss."""
        return self.model is not None or any(self.arguments.values())

    def error(self, cls: type[VapiError], text: str, **details: Any) -> VapiError:
        """The error that says that this call failed, and why."""
        return cls(self._tried + text, operation=self.operation.name, **details)

    def reason(self, error: VapiError) -> str:
        """The text of an error of this call alone."""
        return str(error).removeprefix(self._tried)

    @property
    def _tried(self) -> str:
        subject = ", ".join(
            f"{name[:-3].replace('_', ' ')} {value}"
            for name, value in self.arguments.items()
            if name in _SUBJECTS and value
        )
        if self.arguments.get("file_name"):
            subject = f"file {self.arguments['file_name']}, {subject}"
        tried = f"{self.operation.name} for {subject}" if subject else self.operation.name
        return f"{tried} on {self.host} failed: "

    def answer(self, dialect: ApiDialect, reply: Reply) -> Answer:
        """Read a reply. Raises VapiError, or Fault for one that may be due to a broken connection."""
        if reply.status != dialect.success(self.operation):
            raise self._refusal(reply)
        date = _date(reply.headers.get("Date"))
        result = self.operation.result
        if result is None or (result.endswith("| None") and not reply.content):
            return Answer(None, date)
        try:
            value = dialect.value(self.operation, _decoded(reply.content))
            return Answer(read(result, value), date)
        except (KeyError, TypeError, ValueError) as error:
            text = f"HTTP {reply.status} with an answer that can't be read: {error!r}. Is this a vCenter?"
            unread = self.error(InternalServerError, text, http_status=reply.status)
            # Nothing at all is what is left of an answer whose connection broke amid its header: http.client takes
            # that for the header's end.
            passing = not reply.content or not self.operation.repeatable
            raise (Fault(unread, once=bool(reply.content)) if passing else unread) from None

    def failure(self, none: NoReply) -> Exception:
        """What to raise where no reply came."""
        error = self.error(none.error_class, str(none), http_status=none.status)
        return Fault(error, none.unprocessed) if none.passing else error

    def _refusal(self, reply: Reply) -> Exception:
        """What to raise for a reply that is no success."""
        refusal = read_error(reply.status, reply.content)
        redirect = f"a redirect, which is not followed with credentials [{refusal.error_type}, HTTP {reply.status}]"
        is_known = refusal.readable or reply.status != 404
        error = self.error(
            error_class(refusal.error_type) if is_known else UnknownPath,
            redirect if 300 <= reply.status < 400 else refusal.text,
            error_type=refusal.error_type,
            http_status=reply.status,
            messages=refusal.messages,
        )
        error.is_of_vapi = refusal.readable and refusal.error_type != "OPERATION_NOT_FOUND"
        if reply.status in (429, 503):
            return Fault(error, unprocessed=True, retry_after=retry_after(reply.headers.get("Retry-After")))
        if self.client_token and isinstance(error, InternalServerError) and reply.status == 500:
            # It may have been made all the same, and nobody else would delete it.
            return Fault(error, once=True)
        return Fault(error) if reply.status in (502, 504) else error


class Fault(Exception):
    """A try that failed, where another one may succeed.

    error is what to raise if there is none. unprocessed: the server can't have acted on the request. once: where the
    next try ends like this one, no other may succeed.
    """

    def __init__(
        self, error: VapiError, unprocessed: bool = False, retry_after: float = 0.0, once: bool = False
    ) -> None:
        super().__init__(str(error))
        self.once = once
        self.error, self.unprocessed, self.retry_after = error, unprocessed, retry_after
        error.retry_after = retry_after


def _decoded(content: bytes) -> Any:
    try:
        return decode(content)
    except ValueError:
        raise ValueError("not JSON, or not such as models are") from None


def _date(header: str | None) -> float:
    try:
        return email.utils.parsedate_to_datetime(header or "").timestamp()
    except (IndexError, TypeError, ValueError, OverflowError):  # IndexError: Python 3.9
        return time.time()


def retry_after(header: str | None) -> float:
    """Seconds to wait by a Retry-After header: a number, or a date (RFC 9110, 10.2.3)."""
    if header is None:
        return 0.0
    return float(header) if header.isdecimal() else max(0.0, _date(header) - time.time())
