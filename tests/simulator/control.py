# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/control: what tests set, seed and look at. It is no part of the simulated vCenter, and asks for no token."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from . import copies
from .control_libraries import LibraryControl, library_state
from .errors import VapiError, message
from .faults import Faults, Log
from .models import Config, DownloadSession, UpdateSession, field_names, item_state
from .rivals import ACTS, Rivals, check
from .store import ADMINISTRATOR, Store, stable_id
from .synchronization import synchronize_regularly

SESSION_SEEDS = {
    "state",
    "user",
    "client_progress",
    "lifetime",
    "expires_in",
    "error_message",
    "warning_behavior",
    "preview_warnings",
    "preview_state",
}

DOWNLOAD_SESSION_SEEDS = {"user", "client_progress", "lifetime", "expires_in"}


class Control:
    """The endpoints, over the state that the service has."""

    def __init__(self, store: Store, log: Log, faults: Faults, rivals: Rivals) -> None:
        self.store = store
        self.log = log
        self.faults = faults
        self.rivals = rivals

    async def reset(self, request: Request) -> Any:
        self.store.reset()
        self.log.clear()
        self.faults.set([])
        self.rivals.set([])
        return {}

    async def config(self, request: Request) -> Any:
        """Set what the body names; null sets the default. The answer is the whole configuration."""
        wanted = await request.json() if request.method == "POST" else {}
        unknown = wanted.keys() - field_names(Config)
        if unknown:
            raise ValueError(f"unknown keys: {sorted(unknown)}")
        nullable = ("item_checksum_algorithm",)  # there null is a setting: no checksum
        defaults = dataclasses.asdict(Config())
        for name, value in wanted.items():
            setattr(self.store.config, name, defaults[name] if value is None and name not in nullable else value)
        if wanted.get("automatic_sync_interval"):
            self.store.start(synchronize_regularly(self.store, wanted["automatic_sync_interval"]))
        return dataclasses.asdict(self.store.config)

    async def set_faults(self, request: Request) -> Any:
        self.faults.set(await request.json())
        return {}

    async def get_faults(self, request: Request) -> Any:
        return [dataclasses.asdict(fault) for fault in self.faults.faults]

    async def set_rivals(self, request: Request) -> Any:
        self.rivals.set(await request.json())
        return {}

    async def get_rivals(self, request: Request) -> Any:
        """What they have done."""
        return self.rivals.done

    async def get_acts(self, request: Request) -> Any:
        return list(ACTS)

    async def perform_act(self, request: Request) -> Any:
        wanted = await request.json()
        check(wanted)
        return self.rivals.perform(wanted)

    async def get_requests(self, request: Request) -> Any:
        return list(self.log.entries)

    async def delete_requests(self, request: Request) -> Any:
        """What was logged; in one step, so that a request between reading and deleting is not lost."""
        entries = list(self.log.entries)
        self.log.clear()
        return entries

    async def delete_tokens(self, request: Request) -> Any:
        """End all API tokens, as a restart of the endpoint would."""
        self.store.tokens.clear()
        return {}

    async def state(self, request: Request) -> Any:
        store = self.store
        copies.settle(store)
        store.settle_all()
        store.downloads.settle_all()
        for file in [file for item in store.items.values() for file in item.files.values()]:
            if file.blob.size > 1 << 20:  # which takes longer than the service may stand still
                await asyncio.to_thread(file.blob.digest, "SHA256")
        return {
            "tokens": [
                {"sha256": hashlib.sha256(value.encode()).hexdigest(), "user": token.user}
                for value, token in store.tokens.items()
                if not store.is_idle(token)
            ],
            "libraries": {library.id: library_state(store, library) for library in store.libraries.values()},
            "items": {item.id: item_state(item) for item in store.items.values()},
            "sessions": {session.id: session_state(session) for session in store.sessions.values()},
            "download_sessions": {
                session.id: download_session_state(session) for session in store.downloads.sessions.values()
            },
        }

    async def add_items(self, request: Request) -> Any:
        """Seed an item; a name may be there already, unlike in the API."""
        wanted = await request.json()
        library_id = self.library_id(wanted.pop("library_id", None))
        files = {name: text.encode() for name, text in wanted.pop("files", {}).items()}
        name, kind = wanted.pop("name"), wanted.pop("type", "")
        description, cached = wanted.pop("description", ""), wanted.pop("cached", True)
        if wanted:
            raise ValueError(f"unknown keys: {sorted(wanted)}")
        item = self.store.add_item(library_id, name, kind, files)
        item.description = description
        for file in item.files.values():
            file.cached = cached
        return {"id": item.id}

    def library_id(self, library_id: str | None) -> str:
        library_id = library_id or stable_id("library", "demo")
        return self.store.library(library_id).id

    async def item_file(self, request: Request) -> Response:
        copies.settle(self.store)
        item = self.store.item(request.path_params["item_id"])
        file = item.files.get(request.path_params["name"])
        with contextlib.suppress(FileNotFoundError):  # somebody deletes the item
            if file is not None:
                return Response(file.blob.path.read_bytes(), media_type="application/octet-stream")
        raise VapiError("NOT_FOUND", message("item_file_not_found", "No such file."))

    async def add_sessions(self, request: Request) -> Any:
        """Seed sessions, each on an item of its own unless library_item_id is given."""
        wanted = await request.json()
        count = wanted.pop("count", 1)
        item_id = wanted.pop("library_item_id", None)
        ids = []
        for number in range(count):
            if item_id:
                item = self.store.item(item_id)
            else:
                item = self.store.add_item(self.library_id(None), f"seeded-{len(self.store.items)}-{number}", "")
            session = self.store.add_session(item, wanted.get("user", ADMINISTRATOR))
            self.change(session, wanted)
            ids.append(session.id)
        return {"ids": ids}

    async def change_session(self, request: Request) -> Any:
        session = self.store.session(request.path_params["session_id"])
        self.change(session, await request.json())
        return session_state(session)

    def change(self, session: UpdateSession, wanted: dict[str, Any]) -> None:
        unknown = wanted.keys() - SESSION_SEEDS
        if unknown:
            raise ValueError(f"unknown keys: {sorted(unknown)}")
        values = dict(wanted)
        error = values.pop("error_message", None)
        if error is not None:
            session.error_message = error if isinstance(error, dict) else message("client_error", "<>", error)
        state = values.pop("state", session.state)
        if state == "ACTIVE":
            session.state = "ACTIVE"
            self.store.active[session.item_id] = session.id
        elif state != session.state:
            self.store.end(session, state, session.error_message)
        if "lifetime" in values:
            session.lifetime = values.pop("lifetime")
            session.touch()
        if "expires_in" in values:
            session.expiration_time = time.time() + values.pop("expires_in")
        for name, value in values.items():
            setattr(session, name, value)

    async def change_download_session(self, request: Request) -> Any:
        session = self.store.downloads.session(request.path_params["session_id"])
        wanted = await request.json()
        if wanted.keys() - DOWNLOAD_SESSION_SEEDS:
            raise ValueError(f"unknown keys: {sorted(wanted.keys() - DOWNLOAD_SESSION_SEEDS)}")
        if "expires_in" in wanted:
            session.expiration_time = time.time() + wanted.pop("expires_in")
        for name, value in wanted.items():
            setattr(session, name, value)
        return download_session_state(session)

    async def delete_download_session(self, request: Request) -> Any:
        self.store.downloads.forget(self.store.downloads.session(request.path_params["session_id"]))
        return {}

    async def add_datastore(self, request: Request) -> Any:
        wanted = await request.json()
        return {"id": self.store.add_datastore(wanted["name"], wanted.get("type", "VMFS")).id}

    async def delete_datastore(self, request: Request) -> Any:
        """The datastore, or the right to see it, is gone."""
        del self.store.datastores[request.path_params["datastore_id"]]
        return {}

    async def delete_session(self, request: Request) -> Any:
        self.store.forget(self.store.session(request.path_params["session_id"]))
        return {}


def download_session_state(session: DownloadSession) -> dict[str, Any]:
    return {
        "id": session.id,
        "library_item_id": session.item_id,
        "user": session.user,
        "state": session.state,
        "client_progress": session.client_progress,
        "expires_in": session.expiration_time - time.time(),
        "error_message": session.error_message,
        "files": {
            name: {"requested": file.requested_at is not None, "downloaded": file.downloaded}
            for name, file in session.files.items()
        },
    }


def session_state(session: UpdateSession) -> dict[str, Any]:
    return {
        "id": session.id,
        "library_item_id": session.item_id,
        "user": session.user,
        "state": session.state,
        "client_progress": session.client_progress,
        "expires_in": session.expiration_time - time.time(),
        "error_message": session.error_message,
        "warning_behavior": session.warning_behavior,
        "files": {
            file.name: {
                "source_type": file.source_type,
                "status": file.status,
                "bytes_transferred": file.bytes_transferred,
                "size": file.size,
                "error_message": file.error,
            }
            for file in session.files.values()
        },
        "removed": sorted(session.removed),
    }


def endpoint(function: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    """Data to JSON, and a mistake of the test to a 4xx that says what it was."""

    async def call(request: Request) -> Response:
        try:
            result = await function(request)
        except VapiError as error:
            return JSONResponse({"error": error.error_type, "messages": error.messages}, error.status("api"))
        except (ValueError, KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            return JSONResponse({"error": repr(error)}, 400)
        return result if isinstance(result, Response) else JSONResponse(result)

    return call


def routes(store: Store, log: Log, faults: Faults, rivals: Rivals) -> list[BaseRoute]:
    control, libraries = Control(store, log, faults, rivals), LibraryControl(store)
    table: list[tuple[str, str, Callable[[Request], Awaitable[Any]]]] = [
        ("POST", "/reset", control.reset),
        ("GET", "/config", control.config),
        ("POST", "/config", control.config),
        ("GET", "/faults", control.get_faults),
        ("POST", "/faults", control.set_faults),
        ("GET", "/rivals", control.get_rivals),
        ("POST", "/rivals", control.set_rivals),
        ("GET", "/acts", control.get_acts),
        ("POST", "/acts", control.perform_act),
        ("GET", "/requests", control.get_requests),
        ("DELETE", "/requests", control.delete_requests),
        ("DELETE", "/tokens", control.delete_tokens),
        ("GET", "/state", control.state),
        ("POST", "/items", control.add_items),
        ("POST", "/items/{item_id}", libraries.update_item),
        ("DELETE", "/items/{item_id}", libraries.delete_item),
        ("POST", "/libraries", libraries.add),
        ("GET", "/libraries/{library_id}", libraries.get),
        ("POST", "/libraries/{library_id}", libraries.update),
        ("DELETE", "/libraries/{library_id}", libraries.delete),
        ("POST", "/libraries/{library_id}/sync", libraries.sync),
        ("GET", "/item/{item_id}/file/{name:path}", control.item_file),
        ("POST", "/sessions", control.add_sessions),
        ("POST", "/sessions/{session_id}", control.change_session),
        ("DELETE", "/sessions/{session_id}", control.delete_session),
        ("POST", "/download-sessions/{session_id}", control.change_download_session),
        ("DELETE", "/download-sessions/{session_id}", control.delete_download_session),
        ("POST", "/datastores", control.add_datastore),
        ("DELETE", "/datastores/{datastore_id}", control.delete_datastore),
    ]
    return [Route(path, endpoint(function), methods=[method]) for method, path, function in table]
