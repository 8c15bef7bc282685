# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every operation of the client, and a server that records what it is asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._dialects import OPERATIONS
from ansible_collections.vsphere.content_library.plugins.module_utils._module import Services

TOKEN = "6ad2ac1f9d6f4f2a8d600c9f04ea28ac"
USERNAME, PASSWORD = "administrator@vsphere.local", "pa:ss wörd"
SESSION = "6ad2ac1f-9d6f-4f2a-8d60-0c9f04ea28ac:0b4ab54e-77bb-4b27-a3a5-5ed7d3ee27dc"
SOURCE_ITEM = "5d0c8e6f-2f7e-4a0b-8a3c-9b6c1f3f2e11"
ITEM, LIBRARY = "3f6cb4c0-5f52-4d3e-b1fd-4f9ef9f7e0a3", "c1b5a3e0-7a0e-4d57-9d3c-0f2d1c5f7a11"
# No # and no ?, which the SDK would send as they are, so that the name ended there.
NAME = "Früh & spät (100%).iso"
MESSAGE = 'It "failed", für immer.\nReally.'
BEHAVIOR = [
    {"type": "SELF_SIGNED_CERTIFICATE", "ignored": True},
    {"type": "UNTRUSTED_CERTIFICATE", "ignored": False},
]
PUSH = {"name": NAME, "source_type": "PUSH", "size": 7, "checksum_info": {"algorithm": "SHA256", "checksum": "0f" * 32}}
PULL = {
    "name": NAME,
    "source_type": "PULL",
    "source_endpoint": {"uri": "https://mirror.example.com/a.iso", "ssl_certificate_thumbprint": "AA:BB"},
}
FILE = {"name": NAME, "source_type": "NONE", "status": "READY", "bytes_transferred": 0}
DOWNLOAD_FILE = {"name": NAME, "bytes_transferred": 0, "status": "PREPARED"}
VALIDATION = {"has_errors": False, "missing_files": [], "invalid_files": []}
KNOWN = {"id": LIBRARY, "version": "3"}
BACKINGS = [{"type": "DATASTORE", "datastore_id": "datastore-11"}]
PUBLISH_INFO = {"published": True, "authentication_method": "BASIC", "password": "new", "current_password": "old"}
SUBSCRIPTION = {
    "subscription_url": "https://vcenter.example.com:443/cls/vcsp/lib/x/lib.json",
    "authentication_method": "BASIC",
    "user_name": "vcsp",
    "password": "new",
    "ssl_thumbprint": "AA:BB",
    "automatic_sync_enabled": False,
    "on_demand": True,
}
LOCAL = {
    "name": NAME,
    "description": MESSAGE,
    "storage_backings": BACKINGS,
    "optimization_info": {"optimize_remote_publishing": True},
}
PUBLISHED = {"name": NAME, "publish_info": PUBLISH_INFO, "unset_security_policy_id": True}
SUBSCRIBED = {"name": NAME, "storage_backings": BACKINGS, "subscription_info": SUBSCRIPTION}


@dataclass(frozen=True)
class Case:
    """An operation as the services call it. answer is the value that the server gives."""

    name: str
    operation: str
    call: Callable[[Services], Any]
    answer: Any = None


CASES = [
    Case("log in", "session.create", lambda services: services.client.token(), TOKEN),
    Case("log out", "session.delete", lambda services: services.client.log_out()),
    Case("list", "update_session.list", lambda services: services.update_sessions.list_all_sessions(), []),
    Case("list of item", "update_session.list", lambda services: services.update_sessions.list_sessions(ITEM), []),
    Case("get", "update_session.get", lambda services: services.update_sessions.get(SESSION), {"state": "ACTIVE"}),
    Case("create", "update_session.create", lambda services: services.update_sessions.create(ITEM), SESSION),
    Case(
        "create with behavior",
        "update_session.create",
        lambda services: services.update_sessions.create(ITEM, BEHAVIOR),
        SESSION,
    ),
    Case("update", "update_session.update", lambda services: services.update_sessions.update(SESSION, BEHAVIOR)),
    Case("keep alive", "update_session.keep_alive", lambda services: services.update_sessions.keep_alive(SESSION)),
    Case("progress", "update_session.keep_alive", lambda services: services.update_sessions.keep_alive(SESSION, 40)),
    Case("complete", "update_session.complete", lambda services: services.update_sessions.complete(SESSION, 60)),
    Case("cancel", "update_session.cancel", lambda services: services.update_sessions.cancel(SESSION)),
    Case("fail", "update_session.fail", lambda services: services.update_sessions.fail(SESSION, MESSAGE)),
    Case("delete", "update_session.delete", lambda services: services.update_sessions.delete(SESSION)),
    Case("files", "file.list", lambda services: services.update_sessions.files.list_files(SESSION), []),
    Case("file", "file.get", lambda services: services.update_sessions.files.get(SESSION, NAME), FILE),
    Case("push", "file.add", lambda services: services.update_sessions.files.add(SESSION, PUSH), FILE),
    Case("pull", "file.add", lambda services: services.update_sessions.files.add(SESSION, PULL), FILE),
    Case("remove", "file.remove", lambda services: services.update_sessions.files.remove(SESSION, NAME)),
    Case("validate", "file.validate", lambda services: services.update_sessions.files.validate(SESSION), VALIDATION),
    Case(
        "create download", "download_session.create", lambda services: services.download_sessions.create(ITEM), SESSION
    ),
    Case(
        "download session",
        "download_session.get",
        lambda services: services.download_sessions.get(SESSION),
        {"state": "ACTIVE"},
    ),
    Case(
        "keep download alive",
        "download_session.keep_alive",
        lambda services: services.download_sessions.keep_alive(SESSION),
    ),
    Case(
        "progress of download",
        "download_session.keep_alive",
        lambda services: services.download_sessions.keep_alive(SESSION, 40),
    ),
    Case("fail download", "download_session.fail", lambda services: services.download_sessions.fail(SESSION, MESSAGE)),
    Case("delete download", "download_session.delete", lambda services: services.download_sessions.delete(SESSION)),
    Case(
        "prepare",
        "download_file.prepare",
        lambda services: services.download_sessions.files.prepare(SESSION, NAME),
        DOWNLOAD_FILE,
    ),
    Case(
        "prepared",
        "download_file.get",
        lambda services: services.download_sessions.files.get(SESSION, NAME),
        DOWNLOAD_FILE,
    ),
    Case("library", "library.get", lambda services: services.libraries.get(LIBRARY), {"name": NAME, "type": "LOCAL"}),
    Case("find library", "library.find", lambda services: services.libraries.find(NAME), []),
    Case("libraries", "library.list", lambda services: services.libraries.list_libraries(), []),
    Case(
        "libraries of a type",
        "library.find",
        lambda services: services.libraries.list_libraries(name=NAME, type="SUBSCRIBED"),
        [],
    ),
    Case("create library", "local_library.create", lambda services: services.local_libraries.create(LOCAL), LIBRARY),
    Case("update library", "local_library.update", lambda services: services.local_libraries.update(KNOWN, PUBLISHED)),
    Case("delete library", "local_library.delete", lambda services: services.local_libraries.delete(LIBRARY)),
    Case(
        "force-delete library",
        "local_library.force_delete",
        lambda services: services.local_libraries.force_delete(LIBRARY),
    ),
    Case(
        "subscribe",
        "subscribed_library.create",
        lambda services: services.subscribed_libraries.create(SUBSCRIBED),
        LIBRARY,
    ),
    Case(
        "update subscription",
        "subscribed_library.update",
        lambda services: services.subscribed_libraries.update(KNOWN, {"subscription_info": SUBSCRIPTION}),
    ),
    Case(
        "delete subscribed library",
        "subscribed_library.delete",
        lambda services: services.subscribed_libraries.delete(LIBRARY),
    ),
    Case(
        "force-delete subscribed library",
        "subscribed_library.force_delete",
        lambda services: services.subscribed_libraries.force_delete(LIBRARY),
    ),
    Case(
        "probe",
        "subscribed_library.probe",
        lambda services: services.subscribed_libraries.probe(SUBSCRIPTION),
        {"status": "SUCCESS", "error_messages": []},
    ),
    Case("sync library", "subscribed_library.sync", lambda services: services.subscribed_libraries.sync(LIBRARY)),
    Case("evict library", "subscribed_library.evict", lambda services: services.subscribed_libraries.evict(LIBRARY)),
    Case("sync item", "subscribed_item.sync", lambda services: services.subscribed_items.sync(ITEM, True)),
    Case("evict item", "subscribed_item.evict", lambda services: services.subscribed_items.evict(ITEM)),
    Case("datastores", "datastore.list", lambda services: services.datastores.named(NAME), []),
    Case("items", "item.list", lambda services: services.library_items.list_items(LIBRARY), []),
    Case("find items", "item.find", lambda services: services.library_items.named(LIBRARY, NAME), []),
    Case("search items", "item.find", lambda services: services.library_items.search(name=NAME, type="iso"), []),
    Case("storage", "item_storage.list", lambda services: services.library_items.storage(ITEM), []),
    Case("item", "item.get", lambda services: services.library_items.get(ITEM), {"name": NAME}),
    Case(
        "create item",
        "item.create",
        lambda services: services.library_items.create(LIBRARY, NAME, "iso", MESSAGE),
        ITEM,
    ),
    Case(
        "copy item",
        "item.copy",
        lambda services: services.library_items.copy(SOURCE_ITEM, LIBRARY, NAME, MESSAGE),
        ITEM,
    ),
    Case(
        "update item",
        "item.update",
        lambda services: services.library_items.update(ITEM, {"name": NAME, "description": MESSAGE}),
    ),
    Case("delete item", "item.delete", lambda services: services.library_items.delete(ITEM)),
    Case("files of item", "item_file.list", lambda services: services.library_items.files(ITEM), []),
]


@dataclass(frozen=True)
class Recorded:
    """A request as a server understands it: quoting undone, JSON read, the headers that say something of the content.

    The type of a body that is empty says nothing.
    """

    method: str
    path: list[str]
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: Any

    @classmethod
    def read(cls, method: str, target: str, headers: dict[str, str], content: bytes) -> Recorded:
        path, _mark, query = target.partition("?")
        telling = {"accept", "authorization", "vmware-api-session-id", *(["content-type"] if content else [])}
        return cls(
            method,
            [unquote(part) for part in path.split("/")],
            parse_qsl(query, keep_blank_values=True),
            {name.lower(): value for name, value in headers.items() if name.lower() in telling},
            json.loads(content) if content else None,
        )


class Recorder(ThreadingHTTPServer):
    """Answers every request alike. wrapped: as {"value": ...}."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[Recorded] = []
        self.answer(200, None, False)

    def answer(self, status: int, value: Any, wrapped: bool) -> None:
        self.status = status
        self.content = json.dumps({"value": value} if wrapped else value).encode()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that its client left is nothing to report."""

    def __enter__(self) -> Recorder:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def _record(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append(Recorded.read(self.command, self.path, dict(self.headers), content))
        self.send_response(self.server.status)
        if self.server.status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        if self.server.status != 204:
            self.wfile.write(self.server.content)

    do_GET = do_POST = do_PATCH = do_DELETE = _record

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class NamingClient(VCenterClient):
    """Notes which operations are called."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.called: list[str] = []

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        self.called.append(name)
        return super().call(name, *args, **kwargs)


def sent_by_client(recorder: Recorder, dialect: str, case: Case) -> Recorded:
    """The one request that the client makes of a case, which has to be of the case's operation."""
    operation = OPERATIONS[case.operation]
    recorder.answer(operation.status if dialect == "api" else 200, case.answer, dialect == "rest")
    recorder.requests.clear()
    identity = {"username": USERNAME, "password": PASSWORD}
    if case.operation != "session.create":
        identity = {"session_id": TOKEN}
    client = NamingClient(hostname=recorder.url, api_endpoint=dialect, **identity)
    case.call(Services(client))
    assert client.called == [case.operation]
    (request,) = recorder.requests
    return request
