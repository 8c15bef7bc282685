# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One function per operation of the API: arguments in, plain data out, VapiError raised."""

from __future__ import annotations

import base64
import binascii
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from .errors import VapiError, message
from .store import Item, ItemFile, Library, SessionFile, Store, UpdateSession
from .transfers import start_pull

ALGORITHMS = ("SHA1", "MD5", "SHA256", "SHA512")
SOURCE_TYPES = ("NONE", "PUSH", "PULL")
WARNING_TYPES = (
    "SELF_SIGNED_CERTIFICATE",
    "EXPIRED_CERTIFICATE",
    "NOT_YET_VALID_CERTIFICATE",
    "UNTRUSTED_CERTIFICATE",
)

# The fields of the structures that clients send. A dict is a structure, a list holds what its elements are, a tuple
# the values of an enumeration.
ENDPOINT = {"uri": str, "ssl_certificate_thumbprint": str, "ssl_certificate": str}
FILE_SPEC = {
    "name": str,
    "source_type": SOURCE_TYPES,
    "source_endpoint": ENDPOINT,
    "size": int,
    "checksum_info": {"algorithm": ALGORITHMS, "checksum": str},
}
SESSION_SPEC = {
    "id": str,
    "library_item_id": str,
    "library_item_content_version": str,
    "error_message": dict,
    "client_progress": int,
    "state": ("ACTIVE", "DONE", "ERROR", "CANCELED"),
    "expiration_time": str,
    "preview_info": dict,
    "warning_behavior": [{"type": WARNING_TYPES, "ignored": bool}],
}
ITEM_SPEC = {
    "id": str,
    "library_id": str,
    "content_version": str,
    "creation_time": str,
    "description": str,
    "last_modified_time": str,
    "last_sync_time": str,
    "metadata_version": str,
    "name": str,
    "cached": bool,
    "size": int,
    "type": str,
    "version": str,
    "source_id": str,
    "security_compliance": bool,
    "certificate_verification_info": dict,
}
LIBRARY_SPEC = {
    "id": str,
    "creation_time": str,
    "description": str,
    "last_modified_time": str,
    "last_sync_time": str,
    "name": str,
    "storage_backings": [{"type": ("DATASTORE", "OTHER"), "datastore_id": str, "storage_uri": str}],
    "type": ("LOCAL", "SUBSCRIBED"),
    "optimization_info": dict,
    "version": str,
    "publish_info": dict,
    "subscription_info": dict,
    "server_guid": str,
    "security_policy_id": str,
    "unset_security_policy_id": bool,
}
ITEM_FIND = {"name": str, "library_id": str, "source_id": str, "type": str, "cached": bool}
LIBRARY_FIND = {"name": str, "type": ("LOCAL", "SUBSCRIBED")}


@dataclass
class Call:
    """One call of an operation."""

    store: Store
    dialect: str
    args: dict[str, Any]
    token: str | None
    authorization: str
    base_url: str
    user: str = ""

    def text(self, name: str) -> str:
        """A required string argument."""
        value = self.args.get(name)
        if not isinstance(value, str) or not value:
            raise invalid("<> is required and a string", name)
        return value

    def spec(self, structure: dict[str, Any], *required: str) -> dict[str, Any]:
        """The structure that the client sent, checked; unset fields are left out."""
        spec = checked(self.args.get("spec") or {}, structure, "")
        for name in required:
            if not spec.get(name):
                raise invalid("<> is required", name)
        return spec

    @property
    def shows_ids(self) -> bool:
        """Whether get returns the id: the vendor's pages say no, the samples of /rest show it."""
        wanted = self.store.config.get_has_id
        return self.dialect == "rest" if wanted is None else wanted


def invalid(template: str, *args: object) -> VapiError:
    return VapiError("INVALID_ARGUMENT", message("invalid_argument", f"Invalid argument: {template}.", *args))


def checked(value: Any, structure: Any, path: str) -> Any:
    """``value`` if it is what ``structure`` describes; fields that are null are taken as unset."""
    if structure in (dict, str, int, bool):
        if not isinstance(value, structure) or (structure is int and isinstance(value, bool)):
            raise invalid("<> has the wrong type", path)
        return value
    if isinstance(structure, tuple):
        if value not in structure:
            raise invalid("<> is not one of <>", path, ", ".join(structure))
        return value
    if isinstance(structure, list):
        if not isinstance(value, list):
            raise invalid("<> is not a list", path)
        return [checked(entry, structure[0], f"{path}[]") for entry in value]
    if not isinstance(value, dict):
        raise invalid("<> is not a structure", path or "the body")
    unknown = sorted(value.keys() - structure.keys())
    if unknown:
        text = "Unexpected fields: <>."
        raise VapiError("UNEXPECTED_INPUT", message("unexpected_input", text, ", ".join(unknown)))
    given = {name: entry for name, entry in value.items() if entry is not None}
    return {name: checked(entry, structure[name], f"{path}.{name}".lstrip(".")) for name, entry in given.items()}


# API tokens


def session_create(call: Call) -> str:
    scheme, _space, encoded = call.authorization.partition(" ")
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, colon, password = "", "", ""
    if scheme.lower() != "basic" or not colon or call.store.users.get(user.lower()) != password:
        raise VapiError("UNAUTHENTICATED", message("unauthenticated", "Authentication required."))
    return call.store.log_in(user.lower())


def session_get(call: Call) -> dict[str, Any]:
    token = call.store.tokens[call.token or ""]
    return {
        "user": token.user,
        "created_time": call.store.timestamp(token.created),
        "last_accessed_time": call.store.timestamp(token.accessed),
    }


def session_delete(call: Call) -> None:
    del call.store.tokens[call.token or ""]


# Update sessions


def update_session_list(call: Call) -> list[str]:
    call.store.settle_all()
    item_id = call.args.get("library_item_id")
    if item_id:
        call.store.item(item_id)
    sessions = call.store.sessions.values()
    return [entry.id for entry in sessions if entry.user == call.user and item_id in (None, "", entry.item_id)]


def update_session_create(call: Call) -> str:
    spec = call.spec(SESSION_SPEC, "library_item_id")
    store = call.store
    item = store.item(spec["library_item_id"])
    require_local(store, item)
    active = store.active.get(item.id)
    if active and store.settle(store.sessions[active]) and item.id in store.active:
        text = "The library item <> is being updated by the session <>."
        raise VapiError("RESOURCE_BUSY", message("item_busy", text, item.id, active))
    session = store.add_session(item, call.user)
    session.warning_behavior = spec.get("warning_behavior")
    return session.id


def require_local(store: Store, item: Item) -> None:
    if store.libraries[item.library_id].type != "LOCAL":
        text = "The library item <> belongs to a subscribed library."
        raise VapiError("INVALID_ELEMENT_TYPE", message("item_subscribed", text, item.id))


def update_session_get(call: Call) -> dict[str, Any]:
    session = call.store.session(call.args["update_session_id"])
    model: dict[str, Any] = {"id": session.id} if call.shows_ids else {}
    model.update(
        library_item_id=session.item_id,
        library_item_content_version=str(session.content_version),
        client_progress=session.client_progress,
        state=session.state,
        expiration_time=call.store.timestamp(session.expiration_time),
    )
    if session.error_message is not None:
        model["error_message"] = session.error_message
    if session.state == "ACTIVE":
        model["preview_info"] = call.store.preview(session)
    if session.warning_behavior is not None and not call.store.config.hide_warning_behavior:
        model["warning_behavior"] = session.warning_behavior
    return model


def update_session_update(call: Call) -> None:
    spec = call.spec(SESSION_SPEC)
    session = active(call, "update")
    if "warning_behavior" in spec:
        session.warning_behavior = spec["warning_behavior"]
    session.touch()


def update_session_keep_alive(call: Call) -> None:
    session = active(call, "keep_alive")
    progress = call.args.get("client_progress")
    if progress is not None:
        if not isinstance(progress, int) or isinstance(progress, bool) or not 0 <= progress <= 100:
            raise invalid("client_progress <> is not between 0 and 100", progress)
        if progress < session.client_progress:
            raise invalid("client_progress <> is less than <>", progress, session.client_progress)
        session.client_progress = progress
    session.touch()


def update_session_complete(call: Call) -> None:
    session = active(call, "complete")
    if session.completing:
        return
    pushed = [file for file in session.files.values() if file.source_type == "PUSH"]
    pulls = any(file.source_type == "PULL" for file in session.files.values())
    broken = any(file.status != "READY" for file in pushed)
    if broken or (not pulls and call.store.validate(session)["has_errors"]):
        raise VapiError("NOT_ALLOWED_IN_CURRENT_STATE", call.store.incomplete(session))
    session.completing = True
    session.complete_at = time.time() + call.store.config.complete_delay
    session.touch()
    call.store.settle(session)


def update_session_cancel(call: Call) -> None:
    call.store.end(active(call, "cancel"), "CANCELED")


def update_session_fail(call: Call) -> None:
    text = call.text("client_error_message")
    session = active(call, "fail")
    call.store.end(session, "ERROR", message("client_error", "<>", text))


def update_session_delete(call: Call) -> None:
    session = call.store.session(call.text("update_session_id"))
    if session.state == "ACTIVE":
        text = "The update session <> is in state ACTIVE and can't be deleted."
        raise VapiError("NOT_ALLOWED_IN_CURRENT_STATE", message("update_session_active", text, session.id))
    call.store.forget(session)


def active(call: Call, operation: str) -> UpdateSession:
    return call.store.active_session(call.text("update_session_id"), operation)


# Files of an update session


def file_add(call: Call) -> dict[str, Any]:
    session = active(call, "add")
    store = call.store
    spec = call.spec(FILE_SPEC, "name", "source_type")
    name, source = spec["name"], spec["source_type"]
    if source == "NONE" or "/" in name or name in (".", ".."):
        raise invalid("a file <> of source type <> can't be added", name, source)
    metadata = store.is_ovf(session) and name.endswith((".mf", ".cert"))
    if session.completing:
        raise VapiError("NOT_ALLOWED_IN_CURRENT_STATE", message("completing", "<> is completing.", session.id))
    if metadata and any(known.endswith(".ovf") for known in session.files):
        text = "The file <> must be added before the OVF descriptor."
        raise VapiError("NOT_ALLOWED_IN_CURRENT_STATE", message("descriptor_first", text, name))
    endpoint = spec.get("source_endpoint")
    if source == "PULL":
        check_source(endpoint)
    info = spec.get("checksum_info")
    if info is not None and not info.get("checksum"):
        raise invalid("<> is required", "checksum_info.checksum")
    previous = session.files.pop(name, None)
    if previous:
        withdraw(store, previous)
    session.removed.discard(name)
    file = SessionFile(
        name=name,
        source_type=source,
        upload_id=str(uuid.uuid4()),
        blob=store.new_blob(),
        keep_in_storage=not metadata,
        source_endpoint=endpoint,
        size=spec.get("size"),
        checksum=(info.get("algorithm", "SHA1"), info["checksum"].lower()) if info else None,
    )
    session.files[name] = file
    session.touch()
    if source == "PUSH":
        store.uploads[file.upload_id] = (session, file)
    else:
        start_pull(store, file)
    return session_file_info(call, file)


def check_source(endpoint: dict[str, Any] | None) -> None:
    if not endpoint or not endpoint.get("uri"):
        raise invalid("<> is required for source type PULL", "source_endpoint")
    scheme = urlsplit(endpoint["uri"]).scheme
    if scheme in ("ds", "file"):
        text = "The privilege <> is required to import <>."
        arguments = ("ContentLibrary.ReadStorage", endpoint["uri"])
        raise VapiError("UNAUTHORIZED", message("read_storage_denied", text, *arguments))
    if scheme not in ("http", "https"):
        raise invalid("the scheme of <> is not supported", endpoint["uri"])


def withdraw(store: Store, file: SessionFile) -> None:
    file.canceled.set()
    store.uploads.pop(file.upload_id, None)
    file.blob.path.unlink(missing_ok=True)


def session_file_info(call: Call, file: SessionFile) -> dict[str, Any]:
    info: dict[str, Any] = {
        "name": file.name,
        "source_type": file.source_type,
        "bytes_transferred": file.bytes_transferred,
        "status": file.status,
        "keep_in_storage": file.keep_in_storage,
    }
    if info["status"] == "READY":
        info["size"] = file.blob.size
        algorithm = file.checksum[0] if file.checksum else call.store.config.item_checksum_algorithm
        if algorithm and call.store.config.session_file_checksum:
            info["checksum_info"] = {"algorithm": algorithm, "checksum": file.blob.digest(algorithm)}
    if file.error:
        info["error_message"] = file.error
    if file.source_endpoint:
        info["source_endpoint"] = file.source_endpoint
    if file.source_type == "PUSH":
        info["upload_endpoint"] = upload_endpoint(call, file)
    return info


def upload_endpoint(call: Call, file: SessionFile) -> dict[str, str]:
    config = call.store.config
    base = urlsplit(call.base_url)
    netloc = f"{config.upload_host}:{base.port}" if config.upload_host else base.netloc
    endpoint = {"uri": f"{base.scheme}://{netloc}/cls/data/{file.upload_id}/{quote(file.name, safe='')}"}
    if config.upload_thumbprint:
        wanted = config.upload_thumbprint
        endpoint["ssl_certificate_thumbprint"] = call.store.thumbprint if wanted is True else wanted
    return endpoint


def unchanged_file_info(call: Call, file: ItemFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "source_type": "NONE",
        "size": file.blob.size,
        "bytes_transferred": file.blob.size,
        "status": "READY",
        "keep_in_storage": True,
    }


def session_files(call: Call, session: UpdateSession) -> dict[str, dict[str, Any]]:
    kept = call.store.items[session.item_id].files
    infos = {
        name: unchanged_file_info(call, file)
        for name, file in kept.items()
        if name not in session.files and name not in session.removed
    }
    infos.update((name, session_file_info(call, file)) for name, file in session.files.items())
    return infos


def file_list(call: Call) -> list[dict[str, Any]]:
    return list(session_files(call, call.store.session(call.text("update_session_id"))).values())


def file_get(call: Call) -> dict[str, Any]:
    session = call.store.session(call.text("update_session_id"))
    infos, name = session_files(call, session), call.text("file_name")
    if name not in infos:
        raise no_file(session, name)
    return infos[name]


def no_file(session: UpdateSession, name: str) -> VapiError:
    text = "The file <> does not exist in the update session <>."
    return VapiError("INVALID_ARGUMENT", message("file_not_found", text, name, session.id))


def file_remove(call: Call) -> None:
    session, name = active(call, "remove"), call.text("file_name")
    if name not in session_files(call, session):
        raise no_file(session, name)
    added = session.files.pop(name, None)
    if added:
        withdraw(call.store, added)
    if name in call.store.items[session.item_id].files:
        session.removed.add(name)
    session.touch()


def file_validate(call: Call) -> dict[str, Any]:
    session = active(call, "validate")
    if any(file.status not in ("READY", "ERROR") for file in session.files.values() if file.source_type == "PUSH"):
        raise VapiError("NOT_ALLOWED_IN_CURRENT_STATE", call.store.incomplete(session))
    session.touch()
    return call.store.validate(session)


# Library items


def item_list(call: Call) -> list[str]:
    library = call.store.library(call.text("library_id"))
    return [item.id for item in call.store.items.values() if item.library_id == library.id]


def item_create(call: Call) -> str:
    spec = call.spec(ITEM_SPEC, "library_id", "name")
    library = call.store.library(spec["library_id"])
    require_local_library(library)
    require_free_name(call.store, library.id, spec["name"])
    item = call.store.add_item(library.id, spec["name"], spec.get("type", ""))
    item.description = spec.get("description", "")
    return item.id


def require_free_name(store: Store, library_id: str, name: str) -> None:
    if any(item.library_id == library_id and item.name == name for item in store.items.values()):
        text = "A library item named <> exists already in the library <>."
        raise VapiError("ALREADY_EXISTS", message("item_exists", text, name, library_id))


def item_get(call: Call) -> dict[str, Any]:
    store = call.store
    item = store.item(call.text("library_item_id"))
    uncached = store.config.item_size_zero
    model: dict[str, Any] = {"id": item.id} if call.shows_ids else {}
    model.update(
        library_id=item.library_id,
        content_version=str(item.content_version),
        creation_time=store.timestamp(item.created),
        description=item.description,
        last_modified_time=store.timestamp(item.modified),
        metadata_version=str(item.metadata_version),
        name=item.name,
        cached=bool(item.files) and not uncached,
        size=0 if uncached else sum(file.blob.size for file in item.files.values()),
        type=item.type,
        version=str(item.metadata_version),
    )
    return model


def item_update(call: Call) -> None:
    spec = call.spec(ITEM_SPEC)
    item = call.store.item(call.text("library_item_id"))
    require_local(call.store, item)
    if spec.get("version", str(item.metadata_version)) != str(item.metadata_version):
        raise invalid("version <> is not the current version <>", spec["version"], item.metadata_version)
    if "name" in spec and spec["name"] != item.name:
        if not spec["name"]:
            raise invalid("<> is empty", "name")
        require_free_name(call.store, item.library_id, spec["name"])
    for name in ("name", "description", "type"):
        setattr(item, name, spec.get(name, getattr(item, name)))
    item.metadata_version += 1
    item.modified = time.time()


def item_delete(call: Call) -> None:
    item = call.store.item(call.text("library_item_id"))
    require_local(call.store, item)
    call.store.delete_item(item)


def item_find(call: Call) -> list[str]:
    spec = call.spec(ITEM_FIND)
    if not spec:
        raise VapiError("INVALID_ARGUMENT", message("find_spec_empty", "The find specification is empty."))
    return [item.id for item in call.store.items.values() if item_matches(call.store, item, spec)]


def item_matches(store: Store, item: Item, spec: dict[str, Any]) -> bool:
    cached = bool(item.files) and not store.config.item_size_zero
    return (
        spec.get("name", item.name).casefold() == item.name.casefold()
        and spec.get("type", item.type).casefold() == item.type.casefold()
        and spec.get("library_id", item.library_id) == item.library_id
        and spec.get("cached", cached) == cached
        and "source_id" not in spec
    )


def item_file_list(call: Call) -> list[dict[str, Any]]:
    item = call.store.item(call.text("library_item_id"))
    return [item_file_info(call.store, file) for file in item.files.values()]


def item_file_get(call: Call) -> dict[str, Any]:
    item, name = call.store.item(call.text("library_item_id")), call.text("name")
    if name not in item.files:
        text = "The file <> does not exist in the library item <>."
        raise VapiError("NOT_FOUND", message("item_file_not_found", text, name, item.id))
    return item_file_info(call.store, item.files[name])


def item_file_info(store: Store, file: ItemFile) -> dict[str, Any]:
    uncached = store.config.item_size_zero
    info: dict[str, Any] = {
        "name": file.name,
        "size": 0 if uncached else file.blob.size,
        "cached": not uncached,
        "version": str(file.version),
    }
    algorithm = store.config.item_checksum_algorithm
    if algorithm:
        info["checksum_info"] = {"algorithm": algorithm, "checksum": file.blob.digest(algorithm)}
    return info


# Libraries


def library_list(call: Call) -> list[str]:
    return list(call.store.libraries)


def library_get(call: Call) -> dict[str, Any]:
    return library_model(call, call.store.library(call.text("library_id")))


def library_model(call: Call, library: Library) -> dict[str, Any]:
    model: dict[str, Any] = {"id": library.id} if call.shows_ids else {}
    model.update(
        creation_time=call.store.timestamp(library.created),
        description=library.description,
        last_modified_time=call.store.timestamp(library.modified),
        name=library.name,
        storage_backings=[{"type": "DATASTORE", "datastore_id": "datastore-11"}],
        type=library.type,
        version=str(library.version),
        server_guid="9a0d2f4c-2f4f-4d7e-9d9b-5a0a53d2a4e1",
    )
    model.update(library.properties)
    return model


def library_find(call: Call) -> list[str]:
    spec = call.spec(LIBRARY_FIND)
    if not spec:
        raise VapiError("INVALID_ARGUMENT", message("find_spec_empty", "The find specification is empty."))
    return [
        library.id
        for library in call.store.libraries.values()
        if spec.get("name", library.name).casefold() == library.name.casefold()
        and spec.get("type", library.type) == library.type
    ]


def library_update(call: Call) -> None:
    spec = call.spec(LIBRARY_SPEC)
    library = call.store.library(call.text("library_id"))
    if spec.get("version", str(library.version)) != str(library.version):
        raise invalid("version <> is not the current version <>", spec["version"], library.version)
    change_library(library, spec)


def change_library(library: Library, spec: dict[str, Any]) -> None:
    if spec.get("name") == "":
        raise invalid("<> is empty", "name")
    library.name = spec.get("name", library.name)
    library.description = spec.get("description", library.description)
    library.version += 1
    library.modified = time.time()


def local_library_list(call: Call) -> list[str]:
    return [library.id for library in call.store.libraries.values() if library.type == "LOCAL"]


def local_library_create(call: Call) -> str:
    spec = call.spec(LIBRARY_SPEC, "name", "storage_backings")
    if len(spec["storage_backings"]) > 1:
        text = "Multiple storage backings are not supported."
        raise VapiError("UNSUPPORTED", message("storage_backings", text))
    library = Library(str(uuid.uuid4()), spec["name"], "LOCAL", spec.get("description", ""))
    library.properties = {"storage_backings": spec["storage_backings"]}
    call.store.libraries[library.id] = library
    return library.id


def local_library(call: Call) -> Library:
    library = call.store.library(call.text("library_id"))
    require_local_library(library)
    return library


def require_local_library(library: Library) -> None:
    if library.type != "LOCAL":
        text = "The library <> is not a local library."
        raise VapiError("INVALID_ELEMENT_TYPE", message("library_subscribed", text, library.id))


def local_library_get(call: Call) -> dict[str, Any]:
    return library_model(call, local_library(call))


def local_library_update(call: Call) -> None:
    spec = call.spec(LIBRARY_SPEC)
    library = local_library(call)
    if spec.get("version", str(library.version)) != str(library.version):
        text = "The version <> is not the current version <>."
        raise VapiError("CONCURRENT_CHANGE", message("library_changed", text, spec["version"], library.version))
    change_library(library, spec)
    if "publish_info" in spec:
        library.properties["publish_info"] = {
            name: value for name, value in spec["publish_info"].items() if "password" not in name
        }


def local_library_delete(call: Call) -> None:
    library = local_library(call)
    for item in [item for item in call.store.items.values() if item.library_id == library.id]:
        call.store.delete_item(item)
    del call.store.libraries[library.id]
