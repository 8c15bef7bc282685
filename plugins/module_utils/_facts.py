# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Models as facts: read from an answer or a prediction, completed, and made ready for a result or a diff."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, TypeVar, cast

from ansible_collections.vsphere.content_library.plugins.module_utils._models import (
    DownloadSession,
    Field,
    Library,
    LibraryItem,
    Message,
    Preview,
    UpdateSession,
    UpdateSessionFile,
    UploadFile,
    WarningBehavior,
    field_of,
    fields,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._safe_text import user_info

M = TypeVar("M", UpdateSession, DownloadSession, LibraryItem, Library)
S = TypeVar("S", UpdateSession, DownloadSession)

# What a task can change. What moves by itself is not in a diff.
_SESSION_DIFF = ("state", "client_progress", "warning_behavior", "error_message")
_FILE_DIFF = ("name", "source_type", "status", "size", "checksum_info")
_ITEM_DIFF = ("name", "type", "description")
_LIBRARY_DIFF = (
    "name",
    "type",
    "description",
    "storage_backings",
    "publish_info",
    "subscription_info",
    "optimization_info",
    "security_policy_id",
)
_TYPES: dict[str, Any] = {"str": str, "int": int, "float": float, "bool": bool, "dict": dict, "list": list}


def read(annotation: str, value: Any) -> Any:
    """The value of an answer, or of a prediction, as an annotation says: a model, a list of models, or a scalar.

    Every field of a model is there in what this returns. What a newer vCenter adds is passed through. Raises TypeError
    or ValueError where something has another type, is missing and can't be null, or can't be used.
    """
    if value is None:
        raise TypeError(f"null instead of {annotation}")
    return _checked(annotation, field_of(annotation), value)


def _checked(name: str, field: Field, value: Any) -> Any:
    if value is None and field.may_be_null:
        return None
    # A list that is empty may be left out, and /rest tells an empty map as an empty list.
    if value is None and field.kind == "list":
        value = []
    elif value == [] and field.kind == "dict" and not field.model:
        value = {}
    if not isinstance(value, _TYPES[field.kind]):
        raise TypeError(f"{name} is {type(value).__name__}, not {field.kind}")
    if field.format:
        _CHECKS[field.format](value)
    if field.elements:
        return [_checked(name, field.elements, member) for member in value]
    return _with_every_field(field.model, value) if field.model else value


def _with_every_field(model: type, value: dict[str, Any]) -> dict[str, Any]:
    known = {
        name: _checked(name, field, value.get(name))
        for name, field in fields(model).items()
        if field.always or value.get(name) is not None
    }
    return {**known, **{name: member for name, member in value.items() if name not in known and "password" not in name}}


def is_token(text: str) -> bool:
    """Whether a header can carry it."""
    return text.isascii() and text.isprintable() and text != "" and " " not in text


def _check_token(text: str) -> None:
    if not is_token(text):
        raise ValueError("no API token")


def _check_identifier(text: str) -> None:
    if text.strip(" .") == "":
        raise ValueError("no identifier")


def _moment(text: str) -> datetime:
    """Read the date-time of vAPI: 2015-01-01T22:13:05.651Z, always UTC."""
    return datetime.fromisoformat(text[:19]).replace(tzinfo=timezone.utc)


_CHECKS: dict[str, Callable[[str], object]] = {
    "Time": _moment,
    "Token": _check_token,
    "Identifier": _check_identifier,
}


def message_facts(model: Mapping[str, Any]) -> Message:
    """A LocalizableMessage with every field."""
    return read("Message", model)


def message_text(message: Mapping[str, Any] | None) -> str | None:
    """What a localizable message says."""
    if not message:
        return None
    return message.get("localized") or message.get("default_message") or message.get("id")


def with_id(model: M, identifier: str) -> M:
    """The model with the id of the request, where the server leaves it out."""
    model["id"] = model["id"] or identifier
    return model


def id_of(model: Mapping[str, Any]) -> str:
    """The id of what is on the server. Only what would be created in check mode has none."""
    return model["id"]


def session_facts(model: Mapping[str, Any], now: float) -> UpdateSession:
    """An UpdateSessionModel with every field, the computed ones too."""
    return with_computed(read("UpdateSession", model), now)


def with_computed(session: UpdateSession, now: float) -> UpdateSession:
    """The session with its computed fields. now as in with_expiry."""
    session["blocking_warnings"] = blocking_warnings(session)
    return with_expiry(session, now)


def with_expiry(session: S, now: float) -> S:
    """The session with the time until it expires. now is the clock of the server, so that ours does not matter."""
    expiration_time = session["expiration_time"]
    session["expires_in"] = max(0, int(_moment(expiration_time).timestamp() - now)) if expiration_time else None
    return session


def behavior_of(session: UpdateSession) -> dict[str, bool]:
    """Which warning types the session ignores. Where the server leaves warning_behavior out, its preview tells."""
    preview = session["preview_info"]
    entries = session["warning_behavior"] or (preview["warnings"] if preview else [])
    return {entry["type"]: bool(entry.get("ignored")) for entry in entries}


def with_behavior(session: UpdateSession, warning_behavior: list[WarningBehavior]) -> UpdateSession:
    """The session as it will be with this warning_behavior."""
    preview = session["preview_info"]
    if preview:
        ignored = {entry["type"]: bool(entry.get("ignored")) for entry in warning_behavior}
        warnings = [{**warning, "ignored": ignored.get(warning["type"], False)} for warning in preview["warnings"]]
        preview = cast(Preview, {**preview, "warnings": warnings})
    changed: UpdateSession = {**session, "warning_behavior": warning_behavior, "preview_info": preview}
    changed["blocking_warnings"] = blocking_warnings(changed)
    return changed


def blocking_warnings(session: UpdateSession) -> list[str]:
    """The types of the warnings that the preview raised and that nobody ignored."""
    ignored, preview = behavior_of(session), session["preview_info"]
    warnings = preview["warnings"] if preview else []
    return [warning["type"] for warning in warnings if not ignored.get(warning["type"], warning.get("ignored"))]


def session_diff_state(session: UpdateSession | None) -> dict[str, Any]:
    """What of a session a task can change, for a diff."""
    return _diff_state(session, _SESSION_DIFF)


def file_facts(model: Mapping[str, Any]) -> UploadFile:
    """A file of an update session with every field."""
    return read("UploadFile", model)


def file_diff_state(file: UpdateSessionFile | None) -> dict[str, Any]:
    """What of a session's file a task can change, for a diff."""
    return _diff_state(file, _FILE_DIFF)


def without_upload_endpoint(file: UpdateSessionFile) -> UpdateSessionFile:
    """A file as results may show it: without the upload endpoint, nor the user info in a source's URL."""
    shown = {key: value for key, value in file.items() if key != "upload_endpoint"}
    source = file["source_endpoint"] or {}
    if source.get("uri"):
        shown["source_endpoint"] = {**source, "uri": without_user_info(source["uri"])}
    return shown  # type: ignore[return-value]


def without_user_info(url: str) -> str:
    """A URL as people may see it."""
    scheme, mark, rest = url.partition("://")
    return scheme + mark + rest[len(user_info(rest)) :].removeprefix("@")


def item_facts(model: Mapping[str, Any]) -> LibraryItem:
    """An ItemModel with every field."""
    return read("LibraryItem", model)


def item_diff_state(item: LibraryItem | None) -> dict[str, Any]:
    """What of an item, its content aside, a task can change, for a diff."""
    return _diff_state(item, _ITEM_DIFF)


def library_diff_state(library: Library | None) -> dict[str, Any]:
    """What of a library a task can change, for a diff."""
    return _diff_state(library, _LIBRARY_DIFF)


def _diff_state(model: Mapping[str, Any] | None, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: model[name] for name in names} if model else {}
