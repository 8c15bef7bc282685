# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors of this collection, in the vocabulary of vAPI.

Every failure is a VapiError, whether a server reported it or this collection noticed it. Its error_type is one of the
discriminators of the vSphere API's standard errors (specification: VapiStdErrorsErrorType). Code that reacts to one
kind of error catches its class. Playbooks branch on error_type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.vsphere.content_library.plugins.module_utils._safe_text import without_passwords

if TYPE_CHECKING:
    from ansible_collections.vsphere.content_library.plugins.module_utils._models import UpdateSession

ERROR_TYPES = frozenset(
    (
        "ERROR",
        "ALREADY_EXISTS",
        "ALREADY_IN_DESIRED_STATE",
        "CANCELED",
        "CONCURRENT_CHANGE",
        "FEATURE_IN_USE",
        "INTERNAL_SERVER_ERROR",
        "INVALID_ARGUMENT",
        "INVALID_ELEMENT_CONFIGURATION",
        "INVALID_ELEMENT_TYPE",
        "INVALID_REQUEST",
        "NOT_ALLOWED_IN_CURRENT_STATE",
        "NOT_FOUND",
        "OPERATION_NOT_FOUND",
        "RESOURCE_BUSY",
        "RESOURCE_IN_USE",
        "RESOURCE_INACCESSIBLE",
        "SERVICE_UNAVAILABLE",
        "TIMED_OUT",
        "UNABLE_TO_ALLOCATE_RESOURCE",
        "UNAUTHENTICATED",
        "UNAUTHORIZED",
        "UNEXPECTED_INPUT",
        "UNSUPPORTED",
        "UNVERIFIED_PEER",
    )
)

TEXT_LIMIT = 2000


class VapiError(Exception):
    """A failed operation.

    message is one sentence for people. Of a long one, the two ends are shown. http_status is None where no answer came.
    messages are the localizable messages of the server, from the operation to the cause. operation is a name of the
    table in _dialects. update_session is the session as last seen, where one was read. facts is what else a
    result of the failure has. retry_after is how many seconds the server asks to wait before the next request.
    is_of_vapi: a server wrote it in vAPI's form, and knows the operation.
    """

    error_type = "ERROR"
    is_of_vapi = False

    def __init__(
        self,
        message: str,
        *,
        error_type: str | None = None,
        http_status: int | None = None,
        messages: list[dict[str, Any]] | None = None,
        operation: str | None = None,
        update_session: UpdateSession | None = None,
    ) -> None:
        super().__init__(message)
        if error_type is not None:
            self.error_type = error_type
        self.http_status = http_status
        self.messages = messages or []
        self.operation = operation
        self.update_session = update_session
        self.facts: dict[str, Any] = {}
        self.retry_after = 0.0

    def __str__(self) -> str:
        text = super().__str__()
        if len(text) <= TEXT_LIMIT:
            return text
        text = without_passwords(text)  # Half of a URL would not be known for one.
        # What was tried is told first, and the cause last.
        return f"{text[: TEXT_LIMIT // 2]} [...] {text[-TEXT_LIMIT // 2 :]}"

    def fail_kwargs(self) -> dict[str, Any]:
        """The keyword arguments of fail_json that tell a playbook what happened."""
        kwargs: dict[str, Any] = dict(
            msg=str(self),
            error_type=self.error_type,
            http_status=self.http_status,
            messages=self.messages,
            operation=self.operation,
        )
        if self.update_session is not None:
            kwargs["update_session"] = self.update_session
        return {**kwargs, **self.facts}


class AlreadyExists(VapiError):
    """There is an item of that name, or the like, already."""

    error_type = "ALREADY_EXISTS"


class InternalServerError(VapiError):
    """The server failed, or gave an answer that can't be read."""

    error_type = "INTERNAL_SERVER_ERROR"


class InvalidArgument(VapiError):
    """The server, or a check made here before anything was sent, refuses the input."""

    error_type = "INVALID_ARGUMENT"


class NotAllowedInCurrentState(VapiError):
    """The session, or item, is in a state that rules the operation out."""

    error_type = "NOT_ALLOWED_IN_CURRENT_STATE"


class NotFound(VapiError):
    """There is no such session, file, item or library."""

    error_type = "NOT_FOUND"


class ResourceBusy(VapiError):
    """Another update session holds the library item."""

    error_type = "RESOURCE_BUSY"


class ResourceInaccessible(VapiError):
    """No connection, or one that broke before the answer."""

    error_type = "RESOURCE_INACCESSIBLE"


class TimedOut(VapiError):
    """The time allowed for an operation or a wait was over."""

    error_type = "TIMED_OUT"


class UnableToAllocateResource(VapiError):
    """There is no space left for what is to be stored."""

    error_type = "UNABLE_TO_ALLOCATE_RESOURCE"


class Unauthenticated(VapiError):
    """The credentials or the API token are not (or no longer) valid."""

    error_type = "UNAUTHENTICATED"


class UnknownPath(NotFound):
    """A 404 that vAPI did not write: nothing is served at that path, which says nothing of what it names."""


class UnverifiedPeer(VapiError):
    """The peer did not prove to be the configured host."""

    error_type = "UNVERIFIED_PEER"


_CLASSES = {cls.error_type: cls for cls in VapiError.__subclasses__()}


def error_class(error_type: str) -> type[VapiError]:
    """The class to raise for a discriminator; VapiError itself where nothing reacts to that kind."""
    return _CLASSES.get(error_type, VapiError)


def could_be(error: VapiError, kind: type[VapiError]) -> bool:
    """Whether an error is of a kind that is a 400, or does not tell its kind: error_type is optional there."""
    return isinstance(error, kind) or (error.http_status == 400 and error.error_type == VapiError.error_type)


def reason_of(error: BaseException) -> str:
    """What ended a task, in words that the server can show.

    The timeout of a task has no text before ansible-core 2.19, and its class is none that a managed node knows.
    """
    name = type(error).__name__
    return str(error) or ("the task timed out" if name == "TaskTimeoutError" else name)
