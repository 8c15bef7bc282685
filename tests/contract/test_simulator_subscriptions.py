# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's subscribed libraries: from another simulator over HTTPS, its content at once or on demand."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.processes import wait_until
from tests.simulator.process import SimulatorProcess
from tests.simulator.wire import Wire

PATIENCE = 10.0

pytest_plugins = ["tests.simulator.fixtures"]

BACKINGS = [{"type": "DATASTORE", "datastore_id": "datastore-11"}]
ITEMS = [
    {"name": "tools", "type": "iso", "description": "of ours", "files": {"tools 1%.iso": "tools"}},
    {"name": "debian", "type": "ovf", "files": {"debian.ovf": "descriptor", "disk.vmdk": "disk"}},
    {"name": "empty"},
]
PASSWORD = "s3cret"


@pytest.fixture
def source(publisher: SimulatorProcess) -> str:
    """The library that the other simulator publishes."""
    return publisher.publish("published", items=ITEMS)


@pytest.fixture
def info(vcenter: SimulatorProcess, publisher: SimulatorProcess, source: str) -> Callable[..., dict[str, Any]]:
    def build(**changes: Any) -> dict[str, Any]:
        return vcenter.subscription_to(publisher, source, **changes)

    return build


def subscribe(wire: Wire, info: dict[str, Any], wait: bool = True) -> str:
    spec = {"name": "mine", "storage_backings": BACKINGS, "subscription_info": info}
    reply = wire.call("subscribed_library.create", spec)
    assert reply.error_type is None, reply
    if wait:
        settle(wire, reply.value)
    return reply.value


def settle(wire: Wire, library: str) -> None:
    wait_until(lambda: not wire.process.library(library)["syncing"], PATIENCE)


def items(wire: Wire, library: str) -> dict[str, dict[str, Any]]:
    """The library's items by name, each with its id and its files."""
    found = {}
    for item in wire.call("item.list", library_id=library).value:
        model = wire.call("item.get", library_item_id=item).value
        files = wire.call("item_file.list", library_item_id=item).value
        if model is not None and files is not None:  # An item may go after the list.
            found[model["name"]] = {**model, "id": item, "files": {file["name"]: file for file in files}}
    return found


def item_of(process: SimulatorProcess, library: str, name: str) -> str:
    state = process.state()["items"]
    return next(key for key, item in state.items() if (item["library_id"], item["name"]) == (library, name))


def test_all_content(wire: Wire, publisher: SimulatorProcess, source: str, info: Any) -> None:
    library = subscribe(wire, info())
    found = items(wire, library)
    assert found.keys() == {"tools", "debian", "empty"}
    assert (found["tools"]["type"], found["tools"]["description"]) == ("iso", "of ours")
    for name, item in found.items():
        assert item["source_id"] == item_of(publisher, source, name)
        assert item["library_id"] == library
        assert item["last_sync_time"]
        assert item["cached"] is (name != "empty")
    disk = found["debian"]["files"]["disk.vmdk"]
    assert (disk["size"], disk["cached"], disk["version"]) == (4, True, "1")
    for file in ("debian.ovf", "disk.vmdk"):
        copy = wire.process.item_file(found["debian"]["id"], file)
        assert copy == publisher.item_file(found["debian"]["source_id"], file)
    assert wire.call("item.find", {"source_id": found["tools"]["source_id"]}).value == [found["tools"]["id"]]


def test_model(wire: Wire, publisher: SimulatorProcess, info: Any) -> None:
    """Neither the password nor the thumbprint is told."""
    wanted = info(authentication_method="BASIC", user_name="vcsp", password=PASSWORD)
    library = subscribe(wire, wanted)
    for operation in ("subscribed_library.get", "library.get"):
        model = wire.call(operation, library_id=library).value
        assert (model["type"], model["name"], model["storage_backings"]) == ("SUBSCRIBED", "mine", BACKINGS)
        told = {name: value for name, value in wanted.items() if name not in ("password", "ssl_thumbprint")}
        assert model["subscription_info"] == told
        assert model["last_sync_time"]
        assert "publish_info" not in model
        assert PASSWORD not in str(model)
    assert library in wire.call("subscribed_library.list").value
    assert library not in wire.call("local_library.list").value


def test_on_demand(wire: Wire, publisher: SimulatorProcess, source: str, info: Any) -> None:
    """A synchronization brings what is listed; content comes when it is asked for, and can go again."""
    library = subscribe(wire, info(on_demand=True))
    found = items(wire, library)
    for item in found.values():
        assert (item["cached"], item["size"]) == (False, 0)
        for file in item["files"].values():
            assert (file["cached"], file["size"]) == (False, 0)
            assert "checksum_info" not in file
    assert not [entry for entry in publisher.requests() if entry["operation"] == "published.file"]
    debian = found["debian"]["id"]
    wire.call("subscribed_item.sync", library_item_id=debian, force_sync_content=False)
    wait_until(lambda: items(wire, library)["debian"]["last_sync_time"] > found["debian"]["last_sync_time"], PATIENCE)
    assert items(wire, library)["debian"]["cached"] is False
    wire.call("subscribed_item.sync", library_item_id=debian, force_sync_content=True)
    wait_until(lambda: items(wire, library)["debian"]["cached"], PATIENCE)
    assert items(wire, library)["tools"]["cached"] is False
    assert items(wire, library)["debian"]["files"]["disk.vmdk"]["checksum_info"]
    wire.call("subscribed_library.sync", library_id=library)
    settle(wire, library)
    assert items(wire, library)["debian"]["cached"] is True
    assert wire.call("subscribed_item.evict", library_item_id=debian).error_type is None
    assert items(wire, library)["debian"]["cached"] is False
    wire.call("subscribed_item.sync", library_item_id=debian, force_sync_content=True, sync_optional_files=False)
    wait_until(lambda: items(wire, library)["debian"]["cached"], PATIENCE)
    assert wire.call("subscribed_library.evict", library_id=library).error_type is None
    assert not any(item["cached"] for item in items(wire, library).values())
    assert items(wire, library).keys() == found.keys()


def test_eviction_takes_time(wire: Wire, publisher: SimulatorProcess, source: str) -> None:
    library = wire.process.subscribe("mine", publisher, source, on_demand=True)
    item = items(wire, library)["tools"]["id"]
    wire.process.change_item(item, cached=True)
    wire.process.config(evict_delay=0.3)
    wire.call("subscribed_library.evict", library_id=library)
    assert items(wire, library)["tools"]["cached"] is True
    wait_until(lambda: not items(wire, library)["tools"]["cached"], PATIENCE)


def test_what_a_synchronization_brings(wire: Wire, publisher: SimulatorProcess, source: str, info: Any) -> None:
    library = subscribe(wire, info())
    before = items(wire, library)
    publisher.change_item(item_of(publisher, source, "tools"), name="tools 2", description="renamed")
    publisher.change_item(item_of(publisher, source, "debian"), files={"disk.vmdk": "larger"}, removed=["debian.ovf"])
    publisher.delete_item(item_of(publisher, source, "empty"))
    publisher.add_item("added", library_id=source, files={"a": "b"})
    assert items(wire, library) == before
    assert wire.call("subscribed_library.sync", library_id=library).error_type is None
    settle(wire, library)
    after = items(wire, library)
    assert after.keys() == {"tools 2", "debian", "added"}
    renamed, changed = after["tools 2"], after["debian"]
    assert (renamed["id"], renamed["description"]) == (before["tools"]["id"], "renamed")
    assert renamed["content_version"] == before["tools"]["content_version"]
    assert int(renamed["metadata_version"]) > int(before["tools"]["metadata_version"])
    assert changed["id"] == before["debian"]["id"]
    assert int(changed["content_version"]) > int(before["debian"]["content_version"])
    assert changed["files"].keys() == {"disk.vmdk"}
    assert changed["files"]["disk.vmdk"]["version"] == "2"
    assert wire.process.item_file(changed["id"], "disk.vmdk") == b"larger"
    publisher.clear_requests()
    wire.call("subscribed_library.sync", library_id=library)
    settle(wire, library)
    assert not [entry for entry in publisher.requests() if entry["operation"] == "published.file"]
    again = items(wire, library)
    assert {name: item["content_version"] for name, item in again.items()} == {
        name: item["content_version"] for name, item in after.items()
    }


def test_an_item_deleted_at_its_source(wire: Wire, publisher: SimulatorProcess, source: str, info: Any) -> None:
    library = subscribe(wire, info())
    found = items(wire, library)
    for name in ("tools", "empty"):
        publisher.delete_item(item_of(publisher, source, name))
    wire.call("subscribed_item.sync", library_item_id=found["tools"]["id"], force_sync_content=False)
    wait_until(lambda: "tools" not in items(wire, library), PATIENCE)
    assert items(wire, library).keys() == {"debian", "empty"}


def test_it_takes_time(wire: Wire, info: Any) -> None:
    """The create answers at once; items are listed, and files cached, one after another, later."""
    wire.process.config(sync_delay=0.3, fetch_delay=0.2)
    library = subscribe(wire, info(), wait=False)
    assert items(wire, library) == {}
    wait_until(lambda: len(items(wire, library)) == 3, PATIENCE)
    seen = set()

    def all_cached() -> bool:
        files = [file["cached"] for item in items(wire, library).values() for file in item["files"].values()]
        seen.add(files.count(True))
        return all(files)

    wait_until(all_cached, PATIENCE)
    assert {1, 2} & seen
    settle(wire, library)


def test_a_synchronization_during_another(wire: Wire, publisher: SimulatorProcess, info: Any) -> None:
    """It has no effect; last_sync_time is when one is triggered."""
    library = subscribe(wire, info())
    first = wire.call("library.get", library_id=library).value["last_sync_time"]
    wire.process.config(sync_delay=0.5)
    publisher.clear_requests()
    times = set()
    for _again in range(3):
        assert wire.call("subscribed_library.sync", library_id=library).error_type is None
        times.add(wire.call("library.get", library_id=library).value["last_sync_time"])
    assert len(times) == 1
    assert times.pop() > first
    settle(wire, library)
    listings = [entry for entry in publisher.requests() if entry["operation"] == "published.items"]
    assert len(listings) == 1


def test_automatic_synchronization(wire: Wire, publisher: SimulatorProcess, source: str, info: Any) -> None:
    automatic, manual = subscribe(wire, info(automatic_sync_enabled=True)), subscribe(wire, info())
    publisher.add_item("added", library_id=source)
    wire.process.config(automatic_sync_interval=0.1)
    wait_until(lambda: "added" in items(wire, automatic), PATIENCE)
    assert "added" not in items(wire, manual)
    wire.process.config(automatic_sync_interval=None)


def test_a_publisher_that_fails(wire: Wire, publisher: SimulatorProcess, source: str, info: Any) -> None:
    """What could not be fetched is listed and not cached, until the next time."""
    library = subscribe(wire, info())
    publisher.change_item(item_of(publisher, source, "debian"), files={"disk.vmdk": "changed"})
    for kind in ("status", "truncate", "reset_before"):
        publisher.faults([{"match": {"operation": "published.file"}, "fault": {"kind": kind}}])
        assert wire.call("subscribed_library.sync", library_id=library).error_type is None
        settle(wire, library)
        found = items(wire, library)
        assert found["debian"]["files"]["disk.vmdk"]["cached"] is False
        assert found["debian"]["files"]["debian.ovf"]["cached"] is True
        assert wire.process.library(library)["sync_error"]
    publisher.faults([{"match": {"operation": "published.items"}, "fault": {"kind": "status"}}])
    wire.call("subscribed_library.sync", library_id=library)
    settle(wire, library)
    assert items(wire, library).keys() == {"tools", "debian", "empty"}
    wire.call("subscribed_library.sync", library_id=library)
    settle(wire, library)
    assert items(wire, library)["debian"]["cached"] is True
    assert wire.process.library(library)["sync_error"] is None


def test_from_itself(wire: Wire) -> None:
    """A vCenter may subscribe to a library of its own, whose certificate it trusts."""
    source = wire.process.publish("published", items=ITEMS, password=PASSWORD)
    info = wire.process.subscription_to(wire.process, source)
    del info["ssl_thumbprint"]
    assert items(wire, subscribe(wire, info)).keys() == {"tools", "debian", "empty"}


# Probes, and what cannot be subscribed


def problems(info: Callable[..., dict[str, Any]], closed_port: int) -> dict[str, tuple[dict[str, Any], str]]:
    """Subscriptions that fail: each with its probe's status and what a create fails with."""
    url = info()["subscription_url"]
    basic = {"authentication_method": "BASIC", "user_name": "vcsp", "password": "wrong"}
    return {
        "INVALID_URL": (info(subscription_url="lib.json"), "INVALID_ARGUMENT"),
        "HOST_NOT_FOUND": (info(subscription_url="https://nowhere.invalid/lib.json"), "RESOURCE_INACCESSIBLE"),
        "RESOURCE_NOT_FOUND": (info(subscription_url=url.replace("lib.json", "x.json")), "RESOURCE_INACCESSIBLE"),
        "INVALID_CREDENTIALS": (info(**basic), "INVALID_ARGUMENT"),
        "CERTIFICATE_ERROR": (info(ssl_thumbprint=":".join(["00"] * 20)), "INVALID_ARGUMENT"),
        "UNKNOWN_ERROR": (info(subscription_url=f"https://127.0.0.1:{closed_port}/lib.json"), "RESOURCE_INACCESSIBLE"),
    }


STATUSES = ("INVALID_URL", "HOST_NOT_FOUND", "RESOURCE_NOT_FOUND", "INVALID_CREDENTIALS", "CERTIFICATE_ERROR")


@pytest.mark.parametrize("status", [*STATUSES, "UNKNOWN_ERROR"])
def test_probe_that_fails(wire: Wire, publisher: SimulatorProcess, source: str, info: Any, status: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        wanted, error_type = problems(info, unused.getsockname()[1])[status]
        if status == "INVALID_CREDENTIALS":
            guarded = {"authentication_method": "BASIC", "published": True, "password": PASSWORD}
            publisher.change_library(source, publish_info=guarded)
        probe = wire.call("subscribed_library.probe", subscription_info=wanted)
        assert (probe.status, probe.value["status"]) == (200, status)
        [message] = probe.value["error_messages"]
        assert wanted["subscription_url"] in message["default_message"]
        reached = status in ("RESOURCE_NOT_FOUND", "INVALID_CREDENTIALS", "CERTIFICATE_ERROR")
        assert probe.value.get("ssl_thumbprint") == (publisher.thumbprint if reached else None)
        before = wire.call("library.list").value
        spec = {"name": "mine", "storage_backings": BACKINGS, "subscription_info": wanted}
        assert wire.call("subscribed_library.create", spec).error_type == error_type
        assert wire.call("library.list").value == before


def test_probe(wire: Wire, publisher: SimulatorProcess, info: Any) -> None:
    probe = wire.call("subscribed_library.probe", subscription_info=info())
    assert probe.value == {"status": "SUCCESS", "error_messages": [], "ssl_thumbprint": publisher.thumbprint}


def test_whom_it_trusts(wire: Wire, publisher: SimulatorProcess, info: Any) -> None:
    """Without a thumbprint, the certificate has to come from an authority that it knows."""
    wanted = info()
    del wanted["ssl_thumbprint"]
    probe = wire.call("subscribed_library.probe", subscription_info=wanted).value
    assert (probe["status"], probe["ssl_thumbprint"]) == ("CERTIFICATE_ERROR", publisher.thumbprint)
    lower = publisher.thumbprint.lower().replace(":", "")
    with_colons = wire.call("subscribed_library.probe", subscription_info={**wanted, "ssl_thumbprint": lower}).value
    assert with_colons["status"] == "SUCCESS"
    wire.process.config(trusted_ca=publisher.ca_path)
    assert wire.call("subscribed_library.probe", subscription_info=wanted).value["status"] == "SUCCESS"


def test_thumbprints_of_later_versions(wire: Wire, publisher: SimulatorProcess, info: Any) -> None:
    """They have SHA-256, and take no others."""
    wire.process.config(version="9.1.0")
    probe = wire.call("subscribed_library.probe", subscription_info=info()).value
    assert probe["status"] == "CERTIFICATE_ERROR"
    assert len(probe["ssl_thumbprint"]) == 95
    longer = info(ssl_thumbprint=probe["ssl_thumbprint"])
    assert wire.call("subscribed_library.probe", subscription_info=longer).value["status"] == "SUCCESS"
    wire.process.config(version=None)
    assert wire.call("subscribed_library.probe", subscription_info=longer).value["status"] == "SUCCESS"


def test_probe_that_takes_too_long(wire: Wire, publisher: SimulatorProcess, info: Any) -> None:
    wire.process.config(probe_timeout=0.3)
    publisher.faults([{"match": {"operation": "published.library"}, "count": 2, "fault": {"kind": "hang"}}])
    assert wire.call("subscribed_library.probe", subscription_info=info()).value["status"] == "TIMED_OUT"
    spec = {"name": "mine", "storage_backings": BACKINGS, "subscription_info": info()}
    assert wire.call("subscribed_library.create", spec).error_type == "RESOURCE_INACCESSIBLE"


@pytest.mark.parametrize("body", ["no JSON", [], {"id": "urn:uuid:x"}, {"id": 5, "itemsHref": "items.json"}])
def test_no_library(wire: Wire, publisher: SimulatorProcess, info: Any, body: Any) -> None:
    publisher.faults([{"match": {"operation": "published.library"}, "fault": {"kind": "body", "body": body}}])
    assert wire.call("subscribed_library.probe", subscription_info=info()).value["status"] == "UNKNOWN_ERROR"


@pytest.mark.parametrize(
    "change",
    [
        {"subscription_url": None},
        {"authentication_method": None},
        {"on_demand": None},
        {"automatic_sync_enabled": None},
        {"authentication_method": "BASIC"},
        {"authentication_method": "BASIC", "user_name": "vcsp", "password": ""},
        {"authentication_method": "BASIC", "password": PASSWORD},
    ],
)
def test_incomplete(wire: Wire, info: Any, change: dict[str, Any]) -> None:
    spec = {"name": "mine", "storage_backings": BACKINGS, "subscription_info": info(**change)}
    assert wire.call("subscribed_library.create", spec).error_type == "INVALID_ARGUMENT"


def test_credentials(wire: Wire, publisher: SimulatorProcess) -> None:
    source = publisher.publish("guarded", password=PASSWORD, items=ITEMS)
    info = wire.process.subscription_to(publisher, source)
    library = subscribe(wire, info)
    assert items(wire, library).keys() == {"tools", "debian", "empty"}
    publisher.change_library(source, publish_info={**publisher.library(source)["publish_info"], "password": "other"})
    assert wire.call("subscribed_library.sync", library_id=library).error_type == "INVALID_ARGUMENT"
    for password, error_type in (("wrong", "INVALID_ARGUMENT"), ("other", None)):
        spec = {"subscription_info": {"password": password}}
        assert wire.call("subscribed_library.update", spec, library_id=library).error_type == error_type
    assert wire.call("subscribed_library.sync", library_id=library).error_type is None


def test_a_publisher_out_of_reach(wire: Wire, publisher: SimulatorProcess, source: str, info: Any) -> None:
    library = subscribe(wire, info())
    publisher.change_library(source, publish_info={"authentication_method": "NONE", "published": False})
    reply = wire.call("subscribed_library.sync", library_id=library)
    assert (reply.status, reply.error_type) == ({"api": 500, "rest": 400}[wire.dialect], "RESOURCE_INACCESSIBLE")
    assert items(wire, library).keys() == {"tools", "debian", "empty"}


# Updates, and what is refused


def test_update(wire: Wire, info: Any) -> None:
    library = subscribe(wire, info())
    spec = {"name": "renamed", "description": "changed", "version": "1", "subscription_info": {"on_demand": True}}
    assert wire.call("subscribed_library.update", spec, library_id=library).error_type is None
    model = wire.call("subscribed_library.get", library_id=library).value
    assert (model["name"], model["description"], model["version"]) == ("renamed", "changed", "2")
    assert model["subscription_info"]["on_demand"] is True
    assert model["subscription_info"]["subscription_url"] == info()["subscription_url"]
    assert wire.process.library(library)["subscription_info"]["ssl_thumbprint"] == info()["ssl_thumbprint"]
    assert wire.call("subscribed_library.evict", library_id=library).error_type is None
    reply = wire.call("subscribed_library.update", {"name": "x", "version": "1"}, library_id=library)
    assert reply.error_type == "CONCURRENT_CHANGE"
    others = [{"type": "DATASTORE", "datastore_id": "datastore-12"}]
    assert wire.call("subscribed_library.update", {"storage_backings": others}, library_id=library).error_type is None
    assert wire.call("subscribed_library.get", library_id=library).value["storage_backings"] == BACKINGS


def test_another_source(wire: Wire, publisher: SimulatorProcess, info: Any) -> None:
    """The items of the old one are lost; an address that serves the same library changes nothing."""
    library = subscribe(wire, info())
    before = items(wire, library)
    same = info()["subscription_url"].replace("127.0.0.1", "localhost")
    wire.call("subscribed_library.update", {"subscription_info": {"subscription_url": same}}, library_id=library)
    settle(wire, library)
    assert {item["id"] for item in items(wire, library).values()} == {item["id"] for item in before.values()}
    assert items(wire, library)["debian"]["content_version"] == before["debian"]["content_version"]
    wire.process.config(sync_delay=0.3)
    other = publisher.publish("other", items=[{"name": "others", "files": {"a": "b"}}])
    url = publisher.library(other)["publish_url"]
    reply = wire.call("subscribed_library.update", {"subscription_info": {"subscription_url": url}}, library_id=library)
    assert reply.error_type is None
    assert items(wire, library) == {}
    settle(wire, library)
    assert items(wire, library).keys() == {"others"}
    wrong = {"subscription_info": {"subscription_url": url.replace("lib.json", "x.json")}}
    assert wire.call("subscribed_library.update", wrong, library_id=library).error_type == "RESOURCE_INACCESSIBLE"
    assert wire.call("subscribed_library.get", library_id=library).value["subscription_info"]["subscription_url"] == url


def test_without_a_subscription(wire: Wire) -> None:
    library = wire.call("subscribed_library.create", {"name": "idle", "storage_backings": BACKINGS}).value
    model = wire.call("subscribed_library.get", library_id=library).value
    assert not {"subscription_info", "last_sync_time"} & model.keys()
    assert wire.call("subscribed_library.sync", library_id=library).error_type == "INVALID_ARGUMENT"


def test_deletion(wire: Wire, info: Any) -> None:
    wire.process.config(fetch_delay=0.2)
    library = subscribe(wire, info(), wait=False)
    wait_until(lambda: items(wire, library), PATIENCE)
    found = items(wire, library)
    assert wire.call("subscribed_library.delete", library_id=library).error_type is None
    assert wire.call("subscribed_library.get", library_id=library).error_type == "NOT_FOUND"
    for item in found.values():
        assert wire.call("item.get", library_item_id=item["id"]).error_type == "NOT_FOUND"
    time.sleep(0.5)
    state = wire.process.state()
    assert library not in state["libraries"]
    assert not [item for item in state["items"].values() if item["library_id"] == library]


def test_what_is_not_on_demand(wire: Wire, publisher: SimulatorProcess, source: str) -> None:
    library = wire.process.subscribe("mine", publisher, source)
    item = items(wire, library)["tools"]["id"]
    reply = wire.call("subscribed_library.evict", library_id=library)
    assert reply.error_type == "NOT_ALLOWED_IN_CURRENT_STATE"
    reply = wire.call("subscribed_item.evict", library_item_id=item)
    assert reply.error_type == "INVALID_ELEMENT_CONFIGURATION"


@pytest.mark.parametrize("operation", ["get", "update", "delete", "sync", "evict"])
def test_local_libraries_are_others(wire: Wire, operation: str) -> None:
    local = wire.process.add_library("local")
    spec = {"name": "x"} if operation == "update" else None
    reply = wire.call(f"subscribed_library.{operation}", spec, library_id=local)
    assert (reply.status, reply.error_type) == (400, "INVALID_ELEMENT_TYPE")
    reply = wire.call(f"subscribed_library.{operation}", spec, library_id="none")
    assert (reply.status, reply.error_type) == (404, "NOT_FOUND")


@pytest.mark.parametrize("operation", ["sync", "evict"])
def test_local_items_are_others(wire: Wire, item: str, operation: str) -> None:
    arguments = {"force_sync_content": False} if operation == "sync" else {}
    reply = wire.call(f"subscribed_item.{operation}", library_item_id=item, **arguments)
    assert (reply.status, reply.error_type) == (400, "INVALID_ELEMENT_TYPE")
    reply = wire.call(f"subscribed_item.{operation}", library_item_id="none", **arguments)
    assert (reply.status, reply.error_type) == (404, "NOT_FOUND")


@pytest.mark.parametrize("arguments", [{}, {"force_sync_content": "yes"}, {"force_sync_content": None}])
def test_sync_of_an_item_names_its_content(
    wire: Wire, publisher: SimulatorProcess, source: str, arguments: dict[str, Any]
) -> None:
    library = wire.process.subscribe("mine", publisher, source)
    item = items(wire, library)["tools"]["id"]
    reply = wire.call("subscribed_item.sync", library_item_id=item, **arguments)
    assert reply.error_type == "INVALID_ARGUMENT"


def test_items_change_at_their_source(wire: Wire, publisher: SimulatorProcess, source: str) -> None:
    library = wire.process.subscribe("mine", publisher, source)
    item = items(wire, library)["tools"]["id"]
    for operation, spec, arguments in (
        ("item.create", {"library_id": library, "name": "x"}, {}),
        ("item.update", {"name": "x"}, {"library_item_id": item}),
        ("item.delete", None, {"library_item_id": item}),
        ("update_session.create", {"library_item_id": item}, {}),
        ("local_library.get", None, {"library_id": library}),
        ("local_library.update", {"name": "x"}, {"library_id": library}),
        ("local_library.delete", None, {"library_id": library}),
    ):
        assert wire.call(operation, spec, **arguments).error_type == "INVALID_ELEMENT_TYPE"


def test_client_tokens(wire: Wire, info: Any) -> None:
    """A create that is sent again, while the first one still asks the publisher, is that first one."""
    token = str(uuid.uuid4())
    spec = {"name": "twice", "storage_backings": BACKINGS, "subscription_info": info()}
    headers, fields = ({"Client-Token": token}, {}) if wire.dialect == "api" else ({}, {"client_token": token})
    replies = [wire.call("subscribed_library.create", spec, headers, **fields) for _again in range(2)]
    assert len({reply.value for reply in replies}) == 1
    wire.process.config(client_tokens=False)
    assert wire.call("subscribed_library.create", spec, headers, **fields).value != replies[0].value


def test_download_on_demand(wire: Wire, publisher: SimulatorProcess, source: str) -> None:
    """A file that is not cached comes from the publisher first, or ends in ERROR."""
    library = wire.process.subscribe("mine", publisher, source, on_demand=True)
    item = items(wire, library)["tools"]["id"]
    session = wire.call("download_session.create", {"library_item_id": item}).value
    file = {"download_session_id": session, "file_name": "tools 1%.iso"}
    publisher.faults([{"match": {"operation": "published.file"}, "fault": {"kind": "status", "status": 503}}])
    wire.process.config(fetch_delay=0.2)
    assert wire.call("download_file.prepare", **file).value["status"] in ("PREPARE_REQUESTED", "PREPARING")
    wait_until(lambda: wire.call("download_file.get", **file).value["status"] == "ERROR", PATIENCE)
    assert "503" in wire.call("download_file.get", **file).value["error_message"]["default_message"]
    wire.call("download_file.prepare", **file)
    wait_until(lambda: wire.call("download_file.get", **file).value["status"] == "PREPARED", PATIENCE)
    uri = wire.call("download_file.get", **file).value["download_endpoint"]["uri"]
    assert wire.fetch(uri).body == b"tools"
    assert items(wire, library)["tools"]["cached"] is True
