# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The models of the vSphere API as playbooks see them.

A field stands once, in the class of its model. Answers are read by these classes (see _facts.py), and RETURN of the
modules is written from them. A class with total=False has fields that a server, or a module, may leave out: all but
those that are Required.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from typing import TypedDict

    from typing_extensions import Required
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

# Strings that _facts.py checks.
Time = str
Token = str
Identifier = str
# Left out by some answers, and then that of the request. In check mode it is null for what would be created.
Id = str

_KINDS = ("str", "int", "float", "bool", "dict", "list")
_FORMATS = ("Time", "Token", "Identifier")


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

    type: Required[str]
    ignored: bool


class PreviewWarning(TypedDict, total=False):
    """updatesession.PreviewWarningInfo"""

    type: Required[str]
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

    id: Id
    library_item_id: str | None
    library_item_content_version: str | None
    client_progress: int | None
    state: str
    expiration_time: Time | None
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

    id: Id
    library_item_id: str | None
    library_item_content_version: str | None
    client_progress: int | None
    state: str
    expiration_time: Time | None
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

    id: Id
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
    """content.library.item.storage.Info. datastore_path is computed here."""

    name: str
    size: int | None
    cached: bool | None
    version: str | None
    checksum_info: ChecksumInfo | None
    storage_backing: StorageBacking | None
    storage_uris: list[str]
    datastore_path: str | None


class LibraryItemInfo(LibraryItem, total=False):
    """A library item with what library_item_info adds when it is asked to."""

    files: list[LibraryItemFile]
    storage: list[StoredFile]


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

    id: Id
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


class LibraryInfo(Library, total=False):
    """A library with what library_info adds when it is asked to."""

    item_count: int


class Probe(TypedDict):
    """content.SubscribedLibraryProbeResult"""

    status: str
    ssl_thumbprint: str | None
    error_messages: list[Message]


class Datastore(TypedDict):
    """A datastore as the vCenter lists it"""

    datastore: str
    name: str


class Field(NamedTuple):
    """What an annotation says of a field, or of an answer.

    kind is the name of a type of Python that JSON has. model is the class of a dict that is a model, elements describes
    those of a list. format is the name of a check for a str.
    """

    kind: str
    model: type | None = None
    elements: Field | None = None
    format: str | None = None
    may_be_null: bool = False
    always: bool = True


@cache
def fields(model: type) -> dict[str, Field]:
    """The fields of a model by name."""
    found: dict[str, Field] = {}
    bases: Any = reversed(model.__mro__[:-2])
    for cls in bases:
        for name, annotation in cls.__annotations__.items():
            required = annotation.removeprefix("Required[")
            is_required = required != annotation
            field = field_of(required[:-1] if is_required else annotation)
            found[name] = field._replace(always=cls.__total__ or is_required)
    return found


@cache
def field_of(annotation: str) -> Field:
    """What an annotation says, such as "list[Message]" or "str | None"."""
    text = annotation.removesuffix(" | None")
    may_be_null = text != annotation
    kind, _bracket, inner = text.partition("[")
    if kind == "list":
        return Field(kind, elements=field_of(inner[:-1]), may_be_null=may_be_null)
    if kind == "Id":
        return Field("str", may_be_null=True)
    if kind in _FORMATS:
        return Field("str", format=kind, may_be_null=may_be_null)
    if kind in _KINDS:
        return Field(kind, may_be_null=may_be_null)
    return Field("dict", model=globals()[kind], may_be_null=may_be_null)
