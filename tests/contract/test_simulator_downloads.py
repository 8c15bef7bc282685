# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gets content out of the simulator: download sessions, storage, datastores and copies."""

from __future__ import annotations

import hashlib
import http.client
import re
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.contract.test_simulator_sessions import eventually
from tests.simulator.process import SimulatorProcess
from tests.simulator.wire import Reply, Wire

pytest_plugins = ["tests.simulator.fixtures"]

NOT_ALLOWED = "NOT_ALLOWED_IN_CURRENT_STATE"
CONTENT = b"0123456789" * 100


@pytest.fixture
def image(vcenter: SimulatorProcess) -> str:
    return vcenter.add_item("image", type="iso", files={"a b\u00fc.iso": CONTENT.decode(), "b.txt": "second"})


NAME = "a b\u00fc.iso"


def begin(wire: Wire, item: str) -> str:
    reply = wire.call("download_session.create", {"library_item_id": item})
    assert reply.error_type is None, reply
    return reply.value


def info(wire: Wire, session: str, name: str = NAME) -> dict[str, Any]:
    return wire.call("download_file.get", download_session_id=session, file_name=name).value


def prepare(wire: Wire, session: str, name: str = NAME, **arguments: str) -> Reply:
    return wire.call("download_file.prepare", download_session_id=session, file_name=name, **arguments)


def ready(wire: Wire, item: str) -> tuple[str, str]:
    """A session whose file is prepared, and its URL."""
    session = begin(wire, item)
    prepare(wire, session)
    return session, info(wire, session)["download_endpoint"]["uri"]


# Preparing


def test_life_of_a_file(wire: Wire, image: str) -> None:
    """Size and endpoint are there once it is prepared, the checksum after the download."""
    session = begin(wire, image)
    assert info(wire, session) == {"name": NAME, "status": "UNPREPARED", "bytes_transferred": 0}
    wire.process.config(prepare_delay=0.6)
    assert prepare(wire, session).value == {"name": NAME, "status": "PREPARE_REQUESTED", "bytes_transferred": 0}
    statuses = []
    while (found := info(wire, session))["status"] != "PREPARED":
        assert "download_endpoint" not in found
        statuses.append(found["status"])
    assert list(dict.fromkeys(statuses)) == ["PREPARE_REQUESTED", "PREPARING"]
    assert (found["size"], found["bytes_transferred"], "checksum_info" in found) == (1000, 1000, False)
    assert prepare(wire, session).value == found
    reply = wire.fetch(found["download_endpoint"]["uri"])
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, CONTENT, "1000")
    checksum = hashlib.sha1(CONTENT).hexdigest()
    assert info(wire, session)["checksum_info"] == {"algorithm": "SHA1", "checksum": checksum}
    assert info(wire, session, "b.txt")["status"] == "UNPREPARED"


@pytest.mark.parametrize(
    ("when", "told"), [("prepared", (True, True)), ("after", (False, True)), ("never", (False,) * 2)]
)
@pytest.mark.parametrize("what", ["size", "checksum"])
def test_when_it_is_told(wire: Wire, image: str, what: str, when: str, told: tuple[bool, bool]) -> None:
    wire.process.config(**{f"download_{what}": when})
    session, uri = ready(wire, image)
    key = {"size": "size", "checksum": "checksum_info"}[what]
    before = key in info(wire, session)
    wire.fetch(uri)
    assert (before, key in info(wire, session)) == told


def test_at_once(wire: Wire, image: str) -> None:
    wire.process.config(prepare_at_once=True)
    assert prepare(wire, begin(wire, image)).value["status"] == "PREPARED"


def test_failed_preparation(wire: Wire, image: str) -> None:
    wire.process.config(prepare_error="The host is gone.")
    session = begin(wire, image)
    prepare(wire, session)
    found = info(wire, session)
    assert (found["status"], found["error_message"]["default_message"]) == ("ERROR", "The host is gone.")
    assert "download_endpoint" not in found
    wire.process.config(prepare_error=None)
    prepare(wire, session)
    assert info(wire, session)["status"] == "PREPARED"


def test_uncached_file(wire: Wire, vcenter: SimulatorProcess) -> None:
    """It is fetched first, and cached from then on."""
    vcenter.config(fetch_delay=0.3)
    item = vcenter.add_item("distant", files={"x.iso": "content"}, cached=False)
    file = wire.call("item_file.get", library_item_id=item, name="x.iso").value
    assert (file["cached"], file["size"]) == (False, 0)
    assert wire.call("item.get", library_item_id=item).value["cached"] is False
    assert item in wire.call("item.find", {"cached": False}).value
    session = begin(wire, item)
    prepare(wire, session, "x.iso")
    assert info(wire, session, "x.iso")["status"] != "PREPARED"
    found = eventually(lambda: (now := info(wire, session, "x.iso"))["status"] == "PREPARED" and now)
    assert wire.fetch(found["download_endpoint"]["uri"]).body == b"content"
    file = wire.call("item_file.get", library_item_id=item, name="x.iso").value
    assert (file["cached"], file["size"]) == (True, 7)


@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_it_locks_nothing(wire: Wire, image: str, change: str) -> None:
    """A file that an update session replaces or removes can't be had any more."""
    session, uri = ready(wire, image)
    update = wire.create(image)
    if change == "replaced":
        wire.push(update, NAME, b"new")
    else:
        wire.call("file.remove", update_session_id=update, file_name=NAME)
    wire.call("update_session.complete", update_session_id=update)
    assert wire.fetch(uri).status == 404
    assert info(wire, session)["status"] == "ERROR"
    assert wire.call("download_session.get", download_session_id=session).value["library_item_content_version"] == "1"


def test_arguments(wire: Wire, image: str) -> None:
    session = begin(wire, image)
    for reply in (
        wire.call("download_session.create", {}),
        prepare(wire, session, "none"),
        wire.call("download_file.get", download_session_id=session, file_name="none"),
        prepare(wire, session, endpoint_type="FTP"),
        wire.call("download_session.fail", download_session_id=session),
    ):
        assert (reply.status, reply.error_type) == (400, "INVALID_ARGUMENT")


def test_direct_endpoint(wire: Wire, image: str) -> None:
    """Where the file is stored, for those who may read there."""
    session = begin(wire, image)
    found = prepare(wire, session, endpoint_type="DIRECT").value
    (storage,) = wire.call("item_storage.get", library_item_id=image, file_name=NAME).value
    assert [found["download_endpoint"]["uri"]] == storage["storage_uris"]
    wire.process.config(missing_privileges=["ContentLibrary.ReadStorage"])
    assert prepare(wire, session, endpoint_type="DIRECT").error_type == "UNAUTHORIZED"


# The data


def test_token(wire: Wire, image: str) -> None:
    _session, uri = ready(wire, image)
    wire.token, token = None, wire.token
    assert wire.fetch(uri).status == 401
    wire.token = token
    assert wire.fetch(uri).status == 200
    assert wire.fetch(uri.replace("b%C3%BC", "c")).status == 404


@pytest.mark.parametrize(
    ("header", "status", "expected", "content_range"),
    [
        ("bytes=990-", 206, b"0123456789", "bytes 990-999/1000"),
        ("bytes=3-5", 206, b"345", "bytes 3-5/1000"),
        ("bytes=998-2000", 206, b"89", "bytes 998-999/1000"),
        ("bytes=0-", 206, CONTENT, "bytes 0-999/1000"),
        ("bytes=1000-", 416, b"", "bytes */1000"),
        ("lines=1-", 200, CONTENT, None),
    ],
)
def test_range(wire: Wire, image: str, header: str, status: int, expected: bytes, content_range: str | None) -> None:
    _session, uri = ready(wire, image)
    reply = wire.fetch(uri, {"Range": header})
    assert (reply.status, reply.body, reply.headers.get("content-range")) == (status, expected, content_range)
    assert wire.process.requests()[-1]["sent"] == len(expected)


def test_no_ranges(wire: Wire, image: str) -> None:
    wire.process.config(ranges=False)
    reply = wire.fetch(ready(wire, image)[1], {"Range": "bytes=990-"})
    assert (reply.status, reply.body, reply.headers.get("accept-ranges")) == (200, CONTENT, None)


def test_endpoint(wire: Wire, image: str) -> None:
    process = wire.process
    assert urlsplit(ready(wire, image)[1]).netloc == f"{process.host}:{process.port}"
    process.config(download_host="localhost", download_thumbprint="AB:CD")
    session = ready(wire, image)[0]
    endpoint = info(wire, session)["download_endpoint"]
    assert urlsplit(endpoint["uri"]).netloc == f"localhost:{process.port}"
    assert endpoint["ssl_certificate_thumbprint"] == "AB:CD"
    process.config(download_thumbprint=True)
    assert len(info(wire, session)["download_endpoint"]["ssl_certificate_thumbprint"]) == 59


def test_rate(wire: Wire, image: str) -> None:
    wire.process.config(download_rate=5000)
    started = time.monotonic()
    assert wire.fetch(ready(wire, image)[1]).body == CONTENT
    assert time.monotonic() - started > 0.19


@pytest.mark.parametrize("end", ["cancel", "delete", "expire"])
def test_session_ends_in_mid_download(wire: Wire, operator: Wire, image: str, end: str) -> None:
    """It breaks the transfer, and the URL is worth nothing any more."""
    session, uri = ready(wire, image)
    wire.process.config(download_rate=1000)
    wire.connection.request("GET", urlsplit(uri).path, headers={"vmware-api-session-id": wire.token})
    response = wire.connection.getresponse()
    assert response.read(1)
    if end == "expire":
        wire.process.change_download_session(session, expires_in=-1)
    else:
        operator.call(f"download_session.{end}", download_session_id=session)
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        response.read()
    wire.close()
    assert wire.fetch(uri).status == 404


@pytest.mark.parametrize(
    ("fault", "announced"),
    [
        ({}, 1000),
        ({"bytes": 7}, 1000),
        ({"announced": "cut"}, 500),
        ({"announced": None}, None),
        ({"announced": 600}, 600),
        ({"bytes": 999, "end": "reset"}, 1000),
        ({"bytes": 3, "end": "hang", "seconds": 0.1}, 1000),
    ],
)
def test_cut(wire: Wire, image: str, fault: dict[str, Any], announced: int | None) -> None:
    """A body that ends too early, with a Content-Length that is right, wrong or missing."""
    session, uri = ready(wire, image)
    wire.process.faults([{"match": {"operation": "download"}, "fault": {"kind": "cut", **fault}}])
    wire.connection.request("GET", urlsplit(uri).path, headers={"vmware-api-session-id": wire.token})
    response = wire.connection.getresponse()
    assert (response.status, response.length) == (200, announced)
    size = fault.get("bytes", 500)
    try:
        received = response.read()
        assert announced in (None, size)
    except http.client.IncompleteRead as error:
        received = error.partial
    except ConnectionError:
        received = b""
        assert fault["end"] == "reset"
    assert received in (CONTENT[:size], b"")
    wire.close()
    assert "checksum_info" not in info(wire, session)
    assert wire.fetch(uri).body == CONTENT


def test_big_file(wire: Wire, item: str) -> None:
    content = bytes(range(256)) * 20_000
    update = wire.create(item)
    wire.push(update, "big", content)
    wire.call("update_session.complete", update_session_id=update)
    session = begin(wire, item)
    prepare(wire, session, "big")
    assert wire.fetch(info(wire, session, "big")["download_endpoint"]["uri"]).body == content


# The session


@pytest.mark.parametrize("end", ["cancel", "fail"])
def test_ended_session(wire: Wire, image: str, end: str) -> None:
    session, uri = ready(wire, image)
    message = {"client_error_message": "disk full"} if end == "fail" else {}
    wire.call(f"download_session.{end}", download_session_id=session, **message)
    model = wire.call("download_session.get", download_session_id=session).value
    assert model["state"] == {"cancel": "CANCELED", "fail": "ERROR"}[end]
    assert model.get("error_message", {}).get("default_message") == message.get("client_error_message")
    assert wire.fetch(uri).status == 404
    assert "download_endpoint" not in info(wire, session)
    for operation, arguments in (
        ("download_session.cancel", {}),
        ("download_session.fail", {"client_error_message": "x"}),
        ("download_session.keep_alive", {}),
        ("download_file.prepare", {"file_name": NAME}),
    ):
        reply = wire.call(operation, download_session_id=session, **arguments)
        assert (reply.status, reply.error_type) == (400, NOT_ALLOWED)
    wire.call("download_session.delete", download_session_id=session)
    assert wire.call("download_session.get", download_session_id=session).error_type == "NOT_FOUND"


def test_active_session_can_be_deleted(wire: Wire, image: str) -> None:
    session = begin(wire, image)
    assert wire.call("download_session.delete", download_session_id=session).error_type is None
    assert wire.process.state()["download_sessions"] == {}


def test_several_sessions(wire: Wire, operator: Wire, image: str, item: str) -> None:
    """As many as one likes on an item; everybody sees their own."""
    mine = [begin(wire, image), begin(wire, image), begin(wire, item)]
    theirs = begin(operator, image)
    assert wire.call("download_session.list").value == mine
    assert wire.call("download_session.list", library_item_id=image).value == mine[:2]
    assert operator.call("download_session.list").value == [theirs]
    assert wire.create(image)


def test_progress(wire: Wire, image: str) -> None:
    """It must be greater than before; without one, keep-alive just keeps alive."""
    session = begin(wire, image)

    def keep_alive(**progress: int) -> str | None:
        return wire.call("download_session.keep_alive", download_session_id=session, **progress).error_type

    wire.process.change_download_session(session, expires_in=1)
    assert [keep_alive(), keep_alive(progress=1), keep_alive(progress=50)] == [None] * 3
    assert [keep_alive(progress=progress) for progress in (50, 49, 101, -1)] == ["INVALID_ARGUMENT"] * 4
    model = wire.process.state()["download_sessions"][session]
    assert (model["client_progress"], model["expires_in"] > 200) == (50, True)


def test_expiry(wire: Wire, image: str) -> None:
    session, uri = ready(wire, image)
    wire.process.change_download_session(session, expires_in=-0.001)
    assert wire.fetch(uri).status == 404
    assert wire.call("download_session.list").value == []
    assert wire.call("download_session.keep_alive", download_session_id=session).error_type == "NOT_FOUND"


def test_deleted_item(wire: Wire, image: str) -> None:
    session = begin(wire, image)
    wire.call("item.delete", library_item_id=image)
    assert wire.call("download_session.get", download_session_id=session).error_type == "NOT_FOUND"


# Storage and datastores


def test_storage(wire: Wire, image: str) -> None:
    """The URI says where the datastore has it, under a name with a UUID in it."""
    storage = {entry["name"]: entry for entry in wire.call("item_storage.list", library_item_id=image).value}
    assert set(storage) == {NAME, "b.txt"}
    found = storage[NAME]
    assert (found["size"], found["cached"], found["version"]) == (1000, True, "1")
    assert found["checksum_info"]["checksum"] == hashlib.sha1(CONTENT).hexdigest()
    (uri,) = found["storage_uris"]
    library = wire.process.state()["items"][image]["library_id"]
    uuid = "[0-9a-f-]{36}"
    pattern = f"ds:///vmfs/volumes/{uuid}/contentlib-{library}/{image}/a%20b%C3%BC_{uuid}\\.iso\\?serverId={uuid}"
    assert re.fullmatch(pattern, uri)


def test_storage_of_an_uncached_item(wire: Wire, vcenter: SimulatorProcess) -> None:
    item = vcenter.add_item("distant", files={"x.iso": "content"}, cached=False)
    (found,) = wire.call("item_storage.list", library_item_id=item).value
    assert (found["size"], found["cached"], found["storage_uris"]) == (0, False, [])


def test_other_storage(wire: Wire) -> None:
    backing = {"type": "OTHER", "storage_uri": "nfs://nas/export"}
    library = wire.call("local_library.create", {"name": "on nfs", "storage_backings": [backing]}).value
    item = wire.process.add_item("x", library_id=library, files={"x.iso": "content"})
    (found,) = wire.call("item_storage.list", library_item_id=item).value
    assert found["storage_backing"] == backing
    assert found["storage_uris"][0].startswith(f"nfs://nas/export/contentlib-{library}/{item}/x_")


@pytest.mark.parametrize(
    ("operation", "privilege"),
    [
        ("item_storage.list", "ContentLibrary.ReadStorage"),
        ("download_session.create", "ContentLibrary.DownloadSession"),
    ],
)
def test_missing_privilege(wire: Wire, image: str, operation: str, privilege: str) -> None:
    wire.process.config(missing_privileges=[privilege])
    spec = {"library_item_id": image} if operation.endswith("create") else None
    reply = wire.call(operation, spec, **({} if spec else {"library_item_id": image}))
    assert (reply.status, reply.error_type) == (403, "UNAUTHORIZED")
    assert privilege in reply.messages[0]


def test_datastores(wire: Wire) -> None:
    prefix = "filter." if wire.dialect == "rest" else ""

    def names(**filters: list[str]) -> list[str]:
        filters = {f"{prefix}{name}": values for name, values in filters.items()}
        return [datastore["name"] for datastore in wire.call("datastore.list", **filters).value]

    assert names() == ["nfs-01", "vmfs-01", "local", "local"]
    assert names(datastores=["datastore-11", "datastore-13"]) == ["nfs-01", "local"]
    assert names(names=["local", "nfs-01"]) == ["nfs-01", "local", "local"]
    assert names(names=["Local"], datastores=["datastore-14"]) == []
    assert names(datastores=["datastore-99"]) == []
    added = wire.process.control("POST", "/datastores", {"name": "a b&c", "type": "NFS41"})["id"]
    assert names(names=["a b&c"]) == ["a b&c"]
    wire.process.control("DELETE", f"/datastores/{added}")
    assert names(datastores=[added]) == []


# Copies


def copy(wire: Wire, source: str, **spec: str) -> Reply:
    library = wire.process.state()["items"][source]["library_id"]
    return wire.call("item.copy", {"library_id": library, **spec}, source_library_item_id=source)


def names_of(wire: Wire, item: str) -> list[str]:
    return [file["name"] for file in wire.call("item_file.list", library_item_id=item).value]


def test_copy(wire: Wire, image: str) -> None:
    """The answer comes first, then the item is empty, then its files come one by one."""
    wire.process.config(copy_delay=0.6)
    reply = copy(wire, image, name="copy", description="a copy")
    assert reply.status == 200
    item = reply.value
    assert names_of(wire, item) == []
    busy = wire.call("update_session.create", {"library_item_id": item})
    assert busy.error_type == "RESOURCE_BUSY"
    eventually(lambda: names_of(wire, item) == [NAME])
    assert wire.call("item.get", library_item_id=item).value["content_version"] == "1"
    eventually(lambda: names_of(wire, item) == [NAME, "b.txt"])
    model = wire.call("item.get", library_item_id=item).value
    assert (model["name"], model["description"], model["type"]) == ("copy", "a copy", "iso")
    assert model["content_version"] == "2"
    wire.call("item.delete", library_item_id=image)
    assert wire.process.item_file(item, NAME) == CONTENT
    assert wire.create(item)


@pytest.mark.parametrize("why", ["config", "source"])
def test_failed_copy(wire: Wire, image: str, why: str) -> None:
    """It takes its item with it: a 404 is how one learns of it."""
    wire.process.config(copy_delay=0.2, copy_fails=why == "config")
    item = copy(wire, image, name="copy").value
    assert names_of(wire, item) == []
    if why == "source":
        wire.call("item.delete", library_item_id=image)
    eventually(lambda: wire.call("item.get", library_item_id=item).error_type == "NOT_FOUND")
    assert item not in wire.process.state()["items"]


def test_copy_arguments(wire: Wire, image: str) -> None:
    mirror = wire.call("library.find", {"name": "mirror"}).value[0]
    for spec, error_type in (
        ({"name": "image"}, "ALREADY_EXISTS"),
        ({}, "ALREADY_EXISTS"),
        ({"name": "x" * 81}, "INVALID_ARGUMENT"),
        ({"name": "x", "library_id": mirror}, "INVALID_ELEMENT_TYPE"),
    ):
        assert copy(wire, image, **spec).error_type == error_type
    images = wire.call("library.find", {"name": "images"}).value[0]
    other = copy(wire, image, library_id=images).value
    assert wire.call("item.get", library_item_id=other).value["name"] == "image"


def test_copy_from_a_subscribed_library(wire: Wire, vcenter: SimulatorProcess) -> None:
    mirrored = wire.call("item.find", {"name": "mirrored"}).value[0]
    demo = wire.call("library.find", {"name": "demo"}).value[0]
    item = copy(wire, mirrored, library_id=demo, name="ours").value
    assert vcenter.item_file(item, "mirrored.iso") == b"mirrored\n"


@pytest.mark.parametrize("there", [True, False])
def test_copy_of_an_uncached_item(wire: Wire, publisher: SimulatorProcess, there: bool) -> None:
    """Its content is fetched first; where it can't be had, the copy fails."""
    items = [{"name": "tools", "type": "iso", "files": {"tools.iso": "tools"}}]
    source = publisher.publish("published", items=items)
    library = wire.process.subscribe("mine", publisher, source, on_demand=True)
    (distant,) = wire.call("item.list", library_id=library).value
    assert wire.call("item.get", library_item_id=distant).value["cached"] is False
    if not there:
        publisher.delete_item(item_of(publisher, source))
    demo = wire.call("library.find", {"name": "demo"}).value[0]
    item = copy(wire, distant, library_id=demo, name="ours").value
    if there:
        eventually(lambda: names_of(wire, item) == ["tools.iso"])
        assert wire.process.item_file(item, "tools.iso") == b"tools"
        assert wire.call("item.get", library_item_id=distant).value["cached"] is True
    else:
        eventually(lambda: wire.call("item.get", library_item_id=item).status == 404)


def item_of(process: SimulatorProcess, library: str) -> str:
    return next(key for key, item in process.state()["items"].items() if item["library_id"] == library)


def test_rename(wire: Wire, image: str) -> None:
    """Name and description in one request; a name that another item has is refused."""
    taken = wire.call("item.update", {"name": "debian-12", "description": "x"}, library_item_id=image)
    assert (taken.status, taken.error_type) == (400, "ALREADY_EXISTS")
    assert wire.call("item.get", library_item_id=image).value["description"] == ""
    wire.call("item.update", {"name": "renamed", "description": "x"}, library_item_id=image)
    model = wire.call("item.get", library_item_id=image).value
    assert (model["name"], model["description"], model["content_version"]) == ("renamed", "x", "1")
