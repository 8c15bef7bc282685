# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes that are measured while they work on a file: ``python -m tests.benchmark.pushes HOW ARGUMENTS...``.

The server is that of the environment variables VMWARE_*. The last line printed is JSON: seconds, from after the imports
until the end of the work; put_seconds, from the first byte of the PUT to its answer; read, the bytes read meanwhile.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import runpy
import ssl
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._download import BLOCK as DOWNLOAD_BLOCK
from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import KeepAlive
from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import Libraries
from ansible_collections.vsphere.content_library.plugins.module_utils._library_items import LibraryItems
from ansible_collections.vsphere.content_library.plugins.module_utils._session_policy import finish
from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import open_file
from ansible_collections.vsphere.content_library.plugins.module_utils._transfer import Upload
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions

BLOCK = 1 << 20
WAIT_TIMEOUT = 600


class PutClock:
    """Times the PUTs of all http.client connections of this process, whoever makes them."""

    def __init__(self) -> None:
        self.seconds = 0.0
        clock, connection = self, http.client.HTTPConnection
        putrequest, getresponse = connection.putrequest, connection.getresponse

        def start(self: Any, method: str, *args: Any, **kwargs: Any) -> None:
            self.put_started = time.monotonic() if method == "PUT" else None
            putrequest(self, method, *args, **kwargs)

        def end(self: Any) -> http.client.HTTPResponse:
            response = getresponse(self)
            if self.put_started is not None:
                clock.seconds += time.monotonic() - self.put_started
            return response

        connection.putrequest, connection.getresponse = start, end


def transfer(library: str, item: str, path: str, algorithm: str) -> None:
    """What govc library.import does, by the transfer layer: from the login until the session is DONE."""
    client = VCenterClient(
        os.environ["VMWARE_HOST"],
        int(os.environ["VMWARE_PORT"]),
        username=os.environ["VMWARE_USER"],
        password=os.environ["VMWARE_PASSWORD"],
        ca_path=os.environ["VMWARE_CA_PATH"],
    )
    with client:
        sessions = UpdateSessions(client)
        item_id = LibraryItems(client).create(Libraries(client).find(library), item, None, None)
        session = sessions.get(sessions.create(item_id))
        with KeepAlive(sessions.keep_alive, session) as keeper:
            Upload(client, sessions, session, keeper, algorithm=algorithm or None).push([open_file(path)])
        finish(sessions, session["id"], WAIT_TIMEOUT)


def connection_to(uri: SplitResult) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=os.environ["VMWARE_CA_PATH"])
    return http.client.HTTPSConnection(uri.hostname, uri.port, context=context)


def bare(endpoint: str, token: str, path: str) -> None:
    """The least that http.client can do: one PUT in blocks of 1 MiB, to an endpoint that was opened before."""
    uri = urlsplit(endpoint)
    connection = connection_to(uri)
    connection.connect()
    buffer = memoryview(bytearray(BLOCK))
    with open(path, "rb", buffering=0) as file:
        connection.putrequest("PUT", uri.path)
        connection.putheader("Content-Type", "application/octet-stream")
        connection.putheader("Content-Length", str(os.path.getsize(path)))
        connection.putheader("vmware-api-session-id", token)
        connection.endheaders()
        while count := file.readinto(buffer):
            connection.sock.sendall(buffer[:count])
        response = connection.getresponse()
        response.read()
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"the PUT was answered with {response.status}")


def bare_get(endpoint: str, token: str, path: str) -> None:
    """The least that http.client can do: one GET in the blocks that the collection takes, written as they come."""
    uri = urlsplit(endpoint)
    connection = connection_to(uri)
    connection.request("GET", uri.path, headers={"vmware-api-session-id": token})
    response = connection.getresponse()
    block = memoryview(bytearray(DOWNLOAD_BLOCK))
    with open(path, "wb", buffering=0) as file:
        while count := response.readinto(block):
            file.write(block[:count])
        os.fsync(file.fileno())
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"the GET was answered with {response.status}")


def module(name: str, arguments: str) -> None:
    """A module of the collection, as ansible-core runs it."""
    sys.argv = [name, arguments]
    try:
        runpy.run_module(f"ansible_collections.vsphere.content_library.plugins.modules.{name}", run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            raise


def sha1(path: str) -> None:
    """Read and hash a file, and nothing else."""
    found = hashlib.sha1(usedforsecurity=False)
    buffer = memoryview(bytearray(BLOCK))
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            found.update(buffer[:count])


def bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def main() -> None:
    how, *arguments = sys.argv[1:]
    clock = PutClock()
    read, start = bytes_read(), time.monotonic()
    {"transfer": transfer, "bare": bare, "bare_get": bare_get, "module": module, "sha1": sha1}[how](*arguments)
    seconds = time.monotonic() - start
    print(json.dumps({"seconds": seconds, "put_seconds": clock.seconds, "read": bytes_read() - read}))


if __name__ == "__main__":
    main()
