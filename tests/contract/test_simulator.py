# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator against the vendor's OpenAPI: every operation, in both dialects, and the errors that it documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.simulator import openapi
from tests.simulator.process import SimulatorProcess
from tests.simulator.wire import OPERATIONS, Wire

pytest_plugins = ["tests.simulator.fixtures"]

NOBODY = "00000000-0000-0000-0000-000000000000"


def tour(wire: Wire) -> None:
    """Every operation once, with a success."""
    assert wire.call("session.get").value["user"] == "administrator@vsphere.local"
    backing = {"type": "DATASTORE", "datastore_id": "datastore-11"}
    library = wire.call("local_library.create", {"name": "tour", "storage_backings": [backing]}).value
    assert library in wire.call("local_library.list").value
    assert library in wire.call("library.list").value
    assert wire.call("library.find", {"name": "TOUR", "type": "LOCAL"}).value == [library]
    wire.call("library.update", {"description": "of the operations"}, library_id=library)
    wire.call("local_library.update", {"name": "tour 2", "version": "2"}, library_id=library)
    found = wire.call("local_library.get", library_id=library).value
    assert found == wire.call("library.get", library_id=library).value
    assert (found["name"], found["description"], found["version"]) == ("tour 2", "of the operations", "3")

    item = wire.call("item.create", {"library_id": library, "name": "Debian", "type": "iso"}).value
    assert wire.call("item.list", library_id=library).value == [item]
    assert wire.call("item.find", {"name": "debian", "library_id": library}).value == [item]
    wire.call("item.update", {"description": "stable"}, library_item_id=item)

    session = wire.create(item)
    assert wire.call("update_session.list").value == [session]
    assert wire.call("update_session.list", library_item_id=item).value == [session]
    ignored = [{"type": "UNTRUSTED_CERTIFICATE", "ignored": True}]
    wire.call("update_session.update", {"warning_behavior": ignored}, update_session_id=session)
    wire.call("update_session.keep_alive", update_session_id=session, client_progress=7)
    assert wire.push(session, "d.iso", b"content")["status"] == "READY"
    wire.push(session, "e.iso", b"superfluous")
    wire.call("file.remove", update_session_id=session, file_name="e.iso")
    assert [file["name"] for file in wire.call("file.list", update_session_id=session).value] == ["d.iso"]
    assert not wire.call("file.validate", update_session_id=session).value["has_errors"]
    model = wire.get(session)
    assert (model["client_progress"], model["warning_behavior"]) == (7, ignored)
    wire.call("update_session.complete", update_session_id=session)
    assert wire.get(session)["state"] == "DONE"
    wire.call("update_session.delete", update_session_id=session)

    files = wire.call("item_file.list", library_item_id=item).value
    assert files == [wire.call("item_file.get", library_item_id=item, name="d.iso").value]
    model = wire.call("item.get", library_item_id=item).value
    assert (model["size"], model["content_version"], model["description"]) == (7, "2", "stable")

    (storage,) = wire.call("item_storage.list", library_item_id=item).value
    assert wire.call("item_storage.get", library_item_id=item, file_name="d.iso").value == [storage]
    backing = {"type": "DATASTORE", "datastore_id": "datastore-11"}
    assert (storage["name"], storage["storage_backing"]) == ("d.iso", backing)
    assert wire.call("datastore.list").value[0]["datastore"] == "datastore-11"
    copied = wire.call("item.copy", {"library_id": library, "name": "Copy"}, source_library_item_id=item).value
    assert [file["name"] for file in wire.call("item_file.list", library_item_id=copied).value] == ["d.iso"]
    download_tour(wire, item)

    for operation in ("cancel", "fail"):
        session = wire.create(item)
        message = {"client_error_message": "no space"} if operation == "fail" else {}
        wire.call(f"update_session.{operation}", update_session_id=session, **message)
        assert wire.get(session)["state"] == {"cancel": "CANCELED", "fail": "ERROR"}[operation]
    wire.call("item.delete", library_item_id=item)
    tour_of_subscriptions(wire, library)
    wire.call("local_library.delete", library_id=library)
    wire.call("session.delete")


def download_tour(wire: Wire, item: str) -> None:
    session = wire.call("download_session.create", {"library_item_id": item}).value
    assert wire.call("download_session.list").value == [session]
    assert wire.call("download_file.prepare", download_session_id=session, file_name="d.iso").value["status"]
    (info,) = wire.call("download_file.list", download_session_id=session).value
    assert info == wire.call("download_file.get", download_session_id=session, file_name="d.iso").value
    assert wire.fetch(info["download_endpoint"]["uri"]).body == b"content"
    wire.call("download_session.keep_alive", download_session_id=session, progress=100)
    assert wire.call("download_session.get", download_session_id=session).value["client_progress"] == 100
    wire.call("download_session.cancel", download_session_id=session)
    wire.call("download_session.delete", download_session_id=session)
    session = wire.call("download_session.create", {"library_item_id": item}).value
    wire.call("download_session.fail", download_session_id=session, client_error_message="no space")
    assert wire.call("download_session.get", download_session_id=session).value["state"] == "ERROR"


def tour_of_subscriptions(wire: Wire, source: str) -> None:
    """To a library of the same service, whose certificate it trusts."""
    listed = len(wire.call("item.list", library_id=source).value)
    publication = {"authentication_method": "NONE", "published": True}
    wire.call("local_library.update", {"publish_info": publication}, library_id=source)
    url = wire.call("local_library.get", library_id=source).value["publish_info"]["publish_url"]
    info = {"authentication_method": "NONE", "automatic_sync_enabled": False, "on_demand": True}
    info["subscription_url"] = url
    assert wire.call("subscribed_library.probe", subscription_info=info).value["status"] == "SUCCESS"
    backing = {"type": "OTHER", "storage_uri": "nfs://nas.example.com/content"}
    spec = {"name": "copy", "storage_backings": [backing], "subscription_info": info}
    library = wire.call("subscribed_library.create", spec).value
    assert library in wire.call("subscribed_library.list").value
    wire.call("subscribed_library.update", {"description": "of tour"}, library_id=library)
    found = wire.call("subscribed_library.get", library_id=library).value
    assert (found["type"], found["description"], found["subscription_info"]) == ("SUBSCRIBED", "of tour", info)
    wire.process.sync_library(library)
    wire.call("subscribed_library.sync", library_id=library)
    item, *others = wire.call("item.list", library_id=library).value
    assert len(others) == listed - 1
    wire.call("subscribed_item.sync", library_item_id=item, force_sync_content=True)
    wire.call("subscribed_item.evict", library_item_id=item)
    wire.call("subscribed_library.evict", library_id=library)
    wire.call("subscribed_library.delete", library_id=library)


def test_every_operation(wire: Wire) -> None:
    """What the OpenAPI has of the content library and its tokens, the simulator answers as it says."""
    tour(wire)
    has = {operations[0 if wire.dialect == "api" else 1] for operations in OPERATIONS.values()}
    for document in wire.documents:
        wanted = has & document.operations.keys()
        assert wanted
        assert wanted <= wire.covered, f"{document.name}: not exercised: {sorted(wanted - wire.covered)}"


def test_openapi_judges_strictly(openapi_documents: list[openapi.OpenApi]) -> None:
    """What the checks rest on: they refuse unknown properties, wrong types, and statuses that are not listed."""
    path = "/api/content/library/item/update-session/{update_session_id}"
    for document in openapi_documents:
        document.check_answer("GET", path, 200, b'{"state": "DONE"}')
        for status, body in ((200, b'{"stat": "DONE"}'), (200, b'{"client_progress": "1"}'), (409, b"{}")):
            with pytest.raises(AssertionError):
                document.check_answer("GET", path, status, body)


MISSING = {
    "update_session.create": ({"library_item_id": NOBODY}, {}),
    "update_session.list": (None, {"library_item_id": NOBODY}),
    "update_session.get": (None, {"update_session_id": NOBODY}),
    "update_session.update": ({"warning_behavior": []}, {"update_session_id": NOBODY}),
    "update_session.delete": (None, {"update_session_id": NOBODY}),
    "update_session.complete": (None, {"update_session_id": NOBODY}),
    "update_session.cancel": (None, {"update_session_id": NOBODY}),
    "update_session.fail": (None, {"update_session_id": NOBODY, "client_error_message": "x"}),
    "update_session.keep_alive": (None, {"update_session_id": NOBODY}),
    "file.list": (None, {"update_session_id": NOBODY}),
    "file.add": ({"name": "a", "source_type": "PUSH"}, {"update_session_id": NOBODY}),
    "file.get": (None, {"update_session_id": NOBODY, "file_name": "a"}),
    "file.remove": (None, {"update_session_id": NOBODY, "file_name": "a"}),
    "file.validate": (None, {"update_session_id": NOBODY}),
    "item.list": (None, {"library_id": NOBODY}),
    "item.create": ({"library_id": NOBODY, "name": "x"}, {}),
    "item.get": (None, {"library_item_id": NOBODY}),
    "item.update": ({"description": "x"}, {"library_item_id": NOBODY}),
    "item.delete": (None, {"library_item_id": NOBODY}),
    "item_file.list": (None, {"library_item_id": NOBODY}),
    "item_file.get": (None, {"library_item_id": NOBODY, "name": "a"}),
    "item.copy": ({"library_id": NOBODY}, {"source_library_item_id": NOBODY}),
    "item_storage.list": (None, {"library_item_id": NOBODY}),
    "item_storage.get": (None, {"library_item_id": NOBODY, "file_name": "a"}),
    "download_session.create": ({"library_item_id": NOBODY}, {}),
    "download_session.list": (None, {"library_item_id": NOBODY}),
    "download_session.get": (None, {"download_session_id": NOBODY}),
    "download_session.delete": (None, {"download_session_id": NOBODY}),
    "download_session.cancel": (None, {"download_session_id": NOBODY}),
    "download_session.fail": (None, {"download_session_id": NOBODY, "client_error_message": "x"}),
    "download_session.keep_alive": (None, {"download_session_id": NOBODY}),
    "download_file.list": (None, {"download_session_id": NOBODY}),
    "download_file.get": (None, {"download_session_id": NOBODY, "file_name": "a"}),
    "download_file.prepare": (None, {"download_session_id": NOBODY, "file_name": "a"}),
    "library.get": (None, {"library_id": NOBODY}),
    "library.update": ({"description": "x"}, {"library_id": NOBODY}),
    "local_library.get": (None, {"library_id": NOBODY}),
    "local_library.update": ({"description": "x"}, {"library_id": NOBODY}),
    "local_library.delete": (None, {"library_id": NOBODY}),
    "subscribed_library.get": (None, {"library_id": NOBODY}),
    "subscribed_library.update": ({"description": "x"}, {"library_id": NOBODY}),
    "subscribed_library.delete": (None, {"library_id": NOBODY}),
    "subscribed_library.sync": (None, {"library_id": NOBODY}),
    "subscribed_library.evict": (None, {"library_id": NOBODY}),
    "subscribed_item.sync": (None, {"library_item_id": NOBODY, "force_sync_content": False}),
    "subscribed_item.evict": (None, {"library_item_id": NOBODY}),
}


@pytest.mark.parametrize("operation", MISSING)
def test_missing_ids(wire: Wire, operation: str) -> None:
    spec, arguments = MISSING[operation]
    reply = wire.call(operation, spec, **arguments)
    assert (reply.status, reply.error_type) == (404, "NOT_FOUND")
    assert NOBODY in reply.messages[0]


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name != "session.create"])
def test_no_token(wire: Wire, operation: str) -> None:
    """Each operation but log in asks for a token first, whatever else is wrong."""
    spec, arguments = MISSING.get(operation, (None, {}))
    for token in (None, "0123456789abcdef"):
        wire.token = token
        reply = wire.call(operation, spec, **arguments)
        assert (reply.status, reply.error_type) == (401, "UNAUTHENTICATED")
        assert "Basic" in reply.headers["www-authenticate"]


INVALID = [
    ("update_session.create", {}, {}),
    ("update_session.create", {"library_item_id": 5}, {}),
    (
        "update_session.create",
        {"library_item_id": "{item}", "warning_behavior": [{"type": "BAD", "ignored": True}]},
        {},
    ),
    ("update_session.update", {"warning_behavior": "all"}, {"update_session_id": "{session}"}),
    ("update_session.fail", None, {"update_session_id": "{session}"}),
    ("update_session.keep_alive", None, {"update_session_id": "{session}", "client_progress": 101}),
    ("update_session.keep_alive", None, {"update_session_id": "{session}", "client_progress": -1}),
    ("update_session.keep_alive", None, {"update_session_id": "{session}", "client_progress": "5"}),
    ("update_session.keep_alive", None, {"update_session_id": "{session}", "client_progress": 9}),
    ("file.add", {"source_type": "PUSH"}, {"update_session_id": "{session}"}),
    ("file.add", {"name": "a", "source_type": "NONE"}, {"update_session_id": "{session}"}),
    ("file.add", {"name": "a/b", "source_type": "PUSH"}, {"update_session_id": "{session}"}),
    ("file.add", {"name": "a", "source_type": "SEND"}, {"update_session_id": "{session}"}),
    ("file.add", {"name": "a", "source_type": "PUSH", "size": "3"}, {"update_session_id": "{session}"}),
    ("file.add", {"name": "a", "source_type": "PUSH", "checksum_info": {}}, {"update_session_id": "{session}"}),
    ("file.add", {"name": "a", "source_type": "PULL"}, {"update_session_id": "{session}"}),
    (
        "file.add",
        {"name": "a", "source_type": "PULL", "source_endpoint": {"uri": "ftp://127.0.0.1/a"}},
        {"update_session_id": "{session}"},
    ),
    ("file.get", None, {"update_session_id": "{session}", "file_name": "none"}),
    ("file.remove", None, {"update_session_id": "{session}", "file_name": "none"}),
    ("item.create", {"name": "x"}, {}),
    ("item.create", {"library_id": "{library}"}, {}),
    ("item.find", {}, {}),
    ("item.update", {"version": "99"}, {"library_item_id": "{item}"}),
    ("item.update", {"name": ""}, {"library_item_id": "{item}"}),
    ("item.update", {"name": "x" * 81}, {"library_item_id": "{item}"}),
    ("item.update", {"description": "x" * 2001}, {"library_item_id": "{item}"}),
    ("item.create", {"library_id": "{library}", "name": "x" * 81}, {}),
    ("library.update", {"name": "x" * 81}, {"library_id": "{library}"}),
    ("library.find", {}, {}),
    ("library.update", {"version": "99"}, {"library_id": "{library}"}),
    ("local_library.update", {"name": ""}, {"library_id": "{library}"}),
    ("local_library.create", {"name": "x"}, {}),
]


@pytest.mark.parametrize(("operation", "spec", "arguments"), INVALID)
def test_invalid_arguments(
    wire: Wire, item: str, operation: str, spec: dict[str, object] | None, arguments: dict[str, object]
) -> None:
    session = wire.create(item)
    wire.call("update_session.keep_alive", update_session_id=session, client_progress=10)
    library = wire.call("library.find", {"name": "demo"}).value[0]
    known = {"{session}": session, "{item}": item, "{library}": library}

    def filled(values: dict[str, object]) -> dict[str, object]:
        return {name: known.get(str(value), value) for name, value in values.items()}

    before = wire.process.state()
    reply = wire.call(operation, None if spec is None else filled(spec), **filled(arguments))
    assert (reply.status, reply.error_type) == (400, "INVALID_ARGUMENT")
    after = wire.process.state()
    for kind in ("items", "libraries"):
        assert after[kind] == before[kind]
    assert after["sessions"].keys() == before["sessions"].keys()


def test_unexpected_input(wire: Wire, item: str) -> None:
    """A misspelt field or parameter is an error, as in vAPI, not something to pass over."""
    reply = wire.call("update_session.create", {"library_item_id": item, "warning_behaviour": []})
    assert (reply.status, reply.error_type) == (400, "UNEXPECTED_INPUT")
    path = OPERATIONS["update_session.list"][wire.dialect == "rest"][1]
    assert wire.send("GET", f"{path}?item={item}").status == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/content"),
        ("PUT", "/content/library/item"),
        ("POST", "/content/library/item/update-session/x?action=finish"),
        ("GET", "/com/vmware/content/nothing"),
    ],
)
def test_unknown_path(wire: Wire, method: str, path: str) -> None:
    assert wire.send(method, f"/{wire.dialect}{path}").status == 404


def test_subscribed_libraries(wire: Wire) -> None:
    """Items of a subscribed library change at their source only."""
    mirror = wire.call("library.find", {"name": "mirror"}).value[0]
    item = wire.call("item.list", library_id=mirror).value[0]
    assert wire.call("library.get", library_id=mirror).value["type"] == "SUBSCRIBED"
    for operation, spec, arguments in (
        ("update_session.create", {"library_item_id": item}, {}),
        ("item.create", {"library_id": mirror, "name": "x"}, {}),
        ("item.update", {"name": "x"}, {"library_item_id": item}),
        ("item.delete", None, {"library_item_id": item}),
        ("local_library.get", None, {"library_id": mirror}),
        ("local_library.update", {"name": "x"}, {"library_id": mirror}),
        ("local_library.delete", None, {"library_id": mirror}),
    ):
        reply = wire.call(operation, spec, **arguments)
        assert (operation, reply.status, reply.error_type) == (operation, 400, "INVALID_ELEMENT_TYPE")


def test_names(wire: Wire, item: str) -> None:
    """Items of one library have different names; find takes no notice of case, and of nothing else."""
    library = wire.process.state()["items"][item]["library_id"]
    for operation, spec, arguments in (
        ("item.create", {"library_id": library, "name": "subject"}, {}),
        ("item.update", {"name": "debian-12"}, {"library_item_id": item}),
    ):
        reply = wire.call(operation, spec, **arguments)
        assert (reply.status, reply.error_type) == (400, "ALREADY_EXISTS")
    other = wire.call("item.create", {"library_id": library, "name": "Subject"}).value
    seeded = wire.process.add_item("subject")
    assert set(wire.call("item.find", {"name": "SUBJECT"}).value) == {item, other, seeded}
    assert wire.call("item.find", {"name": "SUBJECT", "type": "ISO"}).value == [item]
    assert wire.call("item.find", {"name": "subj"}).value == []
    assert wire.call("item.find", {"cached": False}).value == [other, seeded]
    wire.call("item.update", {"name": "renamed"}, library_item_id=item)
    assert wire.call("item.find", {"name": "renamed"}).value == [item]


def test_local_library_errors(wire: Wire) -> None:
    backings = [{"type": "DATASTORE", "datastore_id": f"datastore-{number}"} for number in (1, 2)]
    reply = wire.call("local_library.create", {"name": "two", "storage_backings": backings})
    assert (reply.status, reply.error_type) == (400, "UNSUPPORTED")
    library = wire.call("local_library.create", {"name": "one", "storage_backings": backings[:1]}).value
    reply = wire.call("local_library.update", {"version": "99"}, library_id=library)
    assert (reply.status, reply.error_type) == ({"api": 409, "rest": 400}[wire.dialect], "CONCURRENT_CHANGE")
    item = wire.call("item.create", {"library_id": library, "name": "x"}).value
    wire.call("local_library.delete", library_id=library)
    assert wire.call("item.get", library_item_id=item).status == 404


def test_independent_of_the_collection(vcenter: SimulatorProcess) -> None:
    """A mistake in the collection must not be able to hide in the server that it is tested with."""
    for source in Path(openapi.__file__).parent.rglob("*.py"):
        imports = re.findall(r"^\s*(?:from|import)\s+(\S+)", source.read_text(), re.MULTILINE)
        assert not [name for name in imports if name.startswith(("ansible", "plugins"))], source
