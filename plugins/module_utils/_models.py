# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The models of the vSphere API as playbooks see them: the fields of each, its facts, and its state for a diff.

A field stands once, in the class of its model. The facts functions fill in and check what the classes say, and RETURN
of the modules is written from them. A class with total=False has fields that a server, or a module, may leave out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from typing import TypedDict
else:

    class TypedDict:
        """Keeps the annotations as they are written. That of typing compiles each of them at every import."""

        def __init_subclass__(cls, total: bool = True) -> None:
            cls.__total__ = total


STATES = ("ACTIVE", "DONE", "ERROR", "CANCELED")
WARNING_TYPES = (
    "SELF_SIGNED_CERTIFICATE",
    "EXPIRED_CERTIFICATE",
    "NOT_YET_VALID_CERTIFICATE",
    "UNTRUSTED_CERTIFICATE",
)


class Message(TypedDict):
    """vapi.std.LocalizableMessage"""

    id: str | None
    default_message: str | None
    args: list[str]
    params: dict[str, Any] | None
    localized: str | None


class Failure(TypedDict):
    """What a failed module returns beside msg."""

    error_type: str
    http_status: int | None
    messages: list[dict[str, Any]]
    operation: str | None


class WarningBehavior(TypedDict, total=False):
    """updatesession.WarningBehavior"""

    type: str
    ignored: bool


class PreviewWarning(TypedDict, total=False):
    """updatesession.PreviewWarningInfo"""

    type: str
    message: dict[str, Any]
    ignored: bool


class Preview(TypedDict):
    """updatesession.PreviewInfo"""

    state: str | None
    certificate_info: dict[str, Any] | None
    cert_chain: list[str]
    warnings: list[PreviewWarning]


class UpdateSession(TypedDict):
    """content.library.item.UpdateSessionModel. expires_in and blocking_warnings are computed here."""

    id: str | None
    library_item_id: str | None
    library_item_content_version: str | None
    client_progress: int | None
    state: str
    expiration_time: str | None
    error_message: Message | None
    preview_info: Preview | None
    warning_behavior: list[WarningBehavior]
    expires_in: int | None
    blocking_warnings: list[str]


class ChecksumInfo(TypedDict, total=False):
    """content.library.item.file.ChecksumInfo"""

    algorithm: str
    checksum: str


class Endpoint(TypedDict, total=False):
    """content.library.item.TransferEndpoint"""

    uri: str
    ssl_certificate_thumbprint: str


class UpdateSessionFile(TypedDict):
    """updatesession.file.Info as results show it"""

    name: str
    source_type: str | None
    size: int | None
    checksum_info: ChecksumInfo | None
    source_endpoint: Endpoint | None
    bytes_transferred: int | None
    status: str
    error_message: Message | None
    keep_in_storage: bool | None


class UploadFile(UpdateSessionFile, total=False):
    """updatesession.file.Info. Whoever knows an upload endpoint may write to it, so no result shows one."""

    upload_endpoint: Endpoint | None


class InvalidFile(TypedDict):
    """updatesession.file.ValidationError"""

    name: str
    error_message: Message | None


class Validation(TypedDict):
    """updatesession.file.ValidationResult"""

    has_errors: bool | None
    missing_files: list[str]
    invalid_files: list[InvalidFile]


class UpdateSessionInfo(UpdateSession, total=False):
    """An update session with what update_session_info adds when it is asked to."""

    files: list[UpdateSessionFile]
    validation: Validation | None


class DownloadSession(TypedDict):
    """content.library.item.DownloadSessionModel. expires_in is computed here."""

    id: str | None
    library_item_id: str | None
    library_item_content_version: str | None
    client_progress: int | None
    state: str
    expiration_time: str | None
    error_message: Message | None
    expires_in: int | None


class DownloadSessionFile(TypedDict):
    """downloadsession.file.Info as results show it"""

    name: str
    size: int | None
    bytes_transferred: int | None
    status: str
    checksum_info: ChecksumInfo | None
    error_message: Message | None


class DownloadFile(DownloadSessionFile, total=False):
    """downloadsession.file.Info. Whoever knows a download endpoint may read from it, so no result shows one."""

    download_endpoint: Endpoint | None


class LibraryItem(TypedDict):
    """content.library.ItemModel"""

    id: str | None
    library_id: str | None
    name: str
    type: str | None
    description: str | None
    content_version: str | None
    version: str | None
    size: int | None
    cached: bool | None
    creation_time: str | None
    last_modified_time: str | None


class LibraryItemFile(TypedDict):
    """content.library.item.file.Info"""

    name: str
    size: int | None
    cached: bool | None
    version: str | None
    checksum_info: ChecksumInfo | None


class StorageBacking(TypedDict):
    """content.library.StorageBacking"""

    type: str | None
    datastore_id: str | None
    storage_uri: str | None


class StoredFile(TypedDict):
    """content.library.item.storage.Info"""

    name: str
    size: int | None
    cached: bool | None
    version: str | None
    checksum_info: ChecksumInfo | None
    storage_backing: StorageBacking | None
    storage_uris: list[str]


class LibraryItemInfo(LibraryItem, total=False):
    """A library item with what library_item_info adds when it is asked to."""

    files: list[LibraryItemFile]


class Publication(TypedDict):
    """content.library.PublishInfo without its passwords"""

    authentication_method: str | None
    published: bool | None
    publish_url: str | None
    user_name: str | None
    persist_json_enabled: bool | None


class Subscription(TypedDict):
    """content.library.SubscriptionInfo without its password"""

    authentication_method: str | None
    automatic_sync_enabled: bool | None
    on_demand: bool | None
    subscription_url: str | None
    user_name: str | None
    ssl_thumbprint: str | None
    source_info: dict[str, Any] | None


class Optimization(TypedDict):
    """content.library.OptimizationInfo"""

    optimize_remote_publishing: bool | None


class Library(TypedDict):
    """content.LibraryModel"""

    id: str | None
    name: str
    type: str
    description: str | None
    storage_backings: list[StorageBacking]
    publish_info: Publication | None
    subscription_info: Subscription | None
    optimization_info: Optimization | None
    security_policy_id: str | None
    server_guid: str | None
    version: str | None
    creation_time: str | None
    last_modified_time: str | None
    last_sync_time: str | None


# What a task can change. What moves by itself is not in a diff.
_SESSION_DIFF = ("state", "client_progress", "warning_behavior", "error_message")
_FILE_DIFF = ("name", "source_type", "status", "size", "checksum_info")
_ITEM_DIFF = ("name", "type", "description")
_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "dict": dict, "list": list}


class Field(NamedTuple):
    """A field of a model. kind is a name of _TYPES, model the class of a dict, elements describes those of a list."""

    kind: str
    model: type | None
    elements: Field | None
    may_be_null: bool
    always: bool


@cache
def fields(model: type) -> dict[str, Field]:
    """The fields of a model by name."""
    found: dict[str, Field] = {}
    bases: Any = reversed(model.__mro__[:-2])
    for cls in bases:
        for name, annotation in cls.__annotations__.items():
            found[name] = _field(annotation, cls.__total__)
    return found


def _field(annotation: str, always: bool) -> Field:
    text = annotation.removesuffix(" | None")
    kind, _bracket, inner = text.partition("[")
    model = None
    if kind not in _TYPES:
        kind, model = "dict", globals()[kind]
    elements = _field(inner[:-1], True) if kind == "list" else None
    return Field(kind, model, elements, text != annotation, always)


def _facts(model: type, value: Any) -> Any:
    """The value with every field of the model there, and those that the model does not know, but for passwords.

    Raises TypeError for a field that has another type than the model says, or is missing and can't be null.
    """
    if not isinstance(value, dict):
        raise TypeError(f"{type(value).__name__} instead of {model.__name__}")
    facts = {}
    for name, field in fields(model).items():
        if field.always or value.get(name) is not None:
            facts[name] = _checked(name, field, value.get(name))
    others = {name: member for name, member in value.items() if name not in facts and "password" not in name}
    return {**facts, **others}


def _checked(name: str, field: Field, value: Any) -> Any:
    if value is None and field.may_be_null:
        return None
    # /rest tells an empty map as an empty list, and a list that is empty may be left out.
    if value == [] and field.kind == "dict":
        value = {}
    elif value is None and field.kind == "list":
        value = []
    if not isinstance(value, _TYPES[field.kind]):
        raise TypeError(f"{name} is {type(value).__name__}, not {field.kind}")
    if field.elements:
        return [_checked(name, field.elements, member) for member in value]
    return _facts(field.model, value) if field.model else value


def message_facts(model: Mapping[str, Any]) -> Message:
    """A LocalizableMessage. Raises TypeError for what is none."""
    return _facts(Message, model)


def message_text(message: Mapping[str, Any] | None) -> str | None:
    """What a localizable message says."""
    if not message:
        return None
    return message.get("localized") or message.get("default_message") or message.get("id")


def session_facts(model: Mapping[str, Any], update_session_id: str | None, now: float) -> UpdateSession:
    """An UpdateSessionModel as playbooks see it, the same whichever dialect carried it.

    now is the server's clock in seconds since the epoch: expires_in must not depend on ours. Raises TypeError,
    KeyError, ValueError or AttributeError for what is no UpdateSessionModel.
    """
    session = _facts(UpdateSession, {**model, "expires_in": None, "blocking_warnings": None})
    session["id"] = session["id"] or update_session_id
    session["expires_in"] = _seconds_until(session["expiration_time"], now)
    session["blocking_warnings"] = blocking_warnings(session)
    return session


def _seconds_until(expiration_time: str | None, now: float) -> int | None:
    """Whole seconds, never below 0. vAPI's date-time is 2015-01-01T22:13:05.651Z, always UTC."""
    if not expiration_time:
        return None
    moment = datetime.fromisoformat(expiration_time[:19]).replace(tzinfo=timezone.utc)
    return max(0, int(moment.timestamp() - now))


def behavior_of(session: UpdateSession) -> dict[str, bool]:
    """Which warning types the session ignores. Where the server leaves warning_behavior out, its preview tells."""
    preview = session["preview_info"]
    entries = session["warning_behavior"] or (preview["warnings"] if preview else [])
    return {entry["type"]: bool(entry.get("ignored")) for entry in entries}


def blocking_warnings(session: UpdateSession) -> list[str]:
    """The types of the warnings that the preview raised and that nobody ignored."""
    ignored, preview = behavior_of(session), session["preview_info"]
    warnings = preview["warnings"] if preview else []
    return [warning["type"] for warning in warnings if not ignored.get(warning["type"], warning.get("ignored"))]


def session_diff_state(session: UpdateSession | None) -> dict[str, Any]:
    """What of a session a task can change, for a diff."""
    return _diff_state(session, _SESSION_DIFF)


def file_facts(model: Mapping[str, Any]) -> UploadFile:
    """A file of an update session. Raises TypeError for what is none."""
    return _facts(UploadFile, model)


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
    authority, slash, path = rest.partition("/")
    return f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}"


def validation_facts(model: Mapping[str, Any]) -> Validation:
    """A ValidationResult. Raises TypeError for what is none."""
    return _facts(Validation, model)


def item_facts(model: Mapping[str, Any], library_item_id: str | None) -> LibraryItem:
    """An ItemModel. Raises TypeError for what is none."""
    item = _facts(LibraryItem, model)
    item["id"] = item["id"] or library_item_id
    return item


def item_diff_state(item: LibraryItem | None) -> dict[str, Any]:
    """What of an item, its content aside, a task can change, for a diff."""
    return _diff_state(item, _ITEM_DIFF)


def item_file_facts(model: Mapping[str, Any]) -> LibraryItemFile:
    """A file of an item. Raises TypeError for what is none."""
    return _facts(LibraryItemFile, model)


def library_facts(model: Mapping[str, Any], library_id: str | None) -> Library:
    """A LibraryModel. Raises TypeError for what is none."""
    library = _facts(Library, model)
    library["id"] = library["id"] or library_id
    return library


def sorted_ids(value: list[Any]) -> list[str]:
    """The ids of a list answer in a stable order. Raises TypeError for what is no list of ids."""
    if not all(isinstance(member, str) for member in value):
        raise TypeError("not a list of ids")
    return sorted(value)


def _diff_state(model: Mapping[str, Any] | None, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: model[name] for name in names} if model else {}
