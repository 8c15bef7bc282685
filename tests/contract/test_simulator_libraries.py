# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's local libraries: what can be created and changed, how they are published, and how they go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.processes import wait_until
from tests.simulator.store import SECURITY_POLICY
from tests.simulator.wire import Wire

pytest_plugins = ["tests.simulator.fixtures"]

BACKINGS = [{"type": "DATASTORE", "datastore_id": "datastore-11"}]


def create(wire: Wire, name: str = "new", **spec: Any) -> str:
    reply = wire.call("local_library.create", {"name": name, "storage_backings": BACKINGS, **spec})
    assert reply.error_type is None, reply
    return reply.value


def get(wire: Wire, library: str) -> dict[str, Any]:
    reply = wire.call("local_library.get", library_id=library)
    assert reply.error_type is None, reply
    return reply.value


def update(wire: Wire, library: str, **spec: Any) -> str | None:
    return wire.call("local_library.update", spec, library_id=library).error_type


def test_model(wire: Wire) -> None:
    plain = get(wire, create(wire))
    assert (plain["type"], plain["description"], plain["version"]) == ("LOCAL", "", "1")
    assert plain["storage_backings"] == BACKINGS
    assert plain["publish_info"] == {
        "authentication_method": "NONE",
        "published": False,
        "persist_json_enabled": False,
    }
    for name in ("last_sync_time", "subscription_info", "optimization_info", "security_policy_id", "state_info"):
        assert name not in plain
    rich = get(
        wire,
        create(
            wire,
            description="of all fields",
            storage_backings=[{"type": "OTHER", "storage_uri": "nfs://nas.example.com/content"}],
            optimization_info={"optimize_remote_publishing": True},
            security_policy_id=SECURITY_POLICY,
        ),
    )
    assert rich["description"] == "of all fields"
    assert rich["storage_backings"] == [{"type": "OTHER", "storage_uri": "nfs://nas.example.com/content"}]
    assert rich["optimization_info"] == {"optimize_remote_publishing": True}
    assert rich["security_policy_id"] == SECURITY_POLICY


def test_one_name_for_several(wire: Wire) -> None:
    libraries = {create(wire, "twin"), create(wire, "twin")}
    assert set(wire.call("library.find", {"name": "twin"}).value) == libraries
    assert len(libraries) == 2


@pytest.mark.parametrize(
    "spec",
    [
        {"name": "n" * 81},
        {"name": ""},
        {"description": "d" * 2001},
        {"storage_backings": [{"type": "DATASTORE"}]},
        {"storage_backings": [{"type": "OTHER", "datastore_id": "datastore-11"}]},
        {"storage_backings": [{"datastore_id": "datastore-11"}]},
        {"storage_backings": []},
        {"security_policy_id": "none of ours"},
        {"publish_info": {"published": True}},
        {"publish_info": {"authentication_method": "NONE"}},
        {"publish_info": {"published": True, "authentication_method": "BASIC"}},
        {"publish_info": {"published": True, "authentication_method": "BASIC", "password": ""}},
        {"publish_info": {"published": True, "authentication_method": "NONE", "user_name": "me"}},
        {"publish_info": {"published": "yes", "authentication_method": "NONE"}},
        {"publish_info": {"published": True, "authentication_method": "DIGEST"}},
        {"optimization_info": {"optimize_remote_publishing": "yes"}},
    ],
)
def test_refused(wire: Wire, spec: dict[str, Any]) -> None:
    before = wire.call("library.list").value
    reply = wire.call("local_library.create", {"name": "new", "storage_backings": BACKINGS, **spec})
    assert (reply.status, reply.error_type) == (400, "INVALID_ARGUMENT")
    assert wire.call("library.list").value == before


def test_limits_are_allowed(wire: Wire) -> None:
    found = get(wire, create(wire, "n" * 80, description="d" * 2000))
    assert (len(found["name"]), len(found["description"])) == (80, 2000)


def test_update(wire: Wire) -> None:
    library = create(wire, security_policy_id=SECURITY_POLICY)
    assert update(wire, library, name="renamed", description="changed") is None
    found = get(wire, library)
    assert (found["name"], found["description"], found["version"]) == ("renamed", "changed", "2")
    assert found["security_policy_id"] == SECURITY_POLICY
    assert update(wire, library, unset_security_policy_id=True, security_policy_id=SECURITY_POLICY) is None
    assert "security_policy_id" not in get(wire, library)
    assert update(wire, library, security_policy_id=SECURITY_POLICY) is None
    assert get(wire, library)["security_policy_id"] == SECURITY_POLICY
    assert wire.call("library.update", {"name": "again", "description": ""}, library_id=library).error_type is None
    found = get(wire, library)
    assert (found["name"], found["description"]) == ("again", "")
    for spec in ({"name": "n" * 81}, {"description": "d" * 2001}, {"security_policy_id": "none of ours"}):
        assert update(wire, library, **spec) == "INVALID_ARGUMENT"
        assert wire.call("library.update", spec, library_id=library).error_type == "INVALID_ARGUMENT"
    assert get(wire, library) == found


def test_what_an_update_passes_over(wire: Wire) -> None:
    """A changed storage backing is ignored in silence, as is what only a create can set."""
    library = create(wire)
    before = get(wire, library)
    others = [{"type": "DATASTORE", "datastore_id": "datastore-12"}]
    ignored = {"storage_backings": others, "type": "SUBSCRIBED", "server_guid": "x", "creation_time": "x"}
    assert update(wire, library, **ignored, optimization_info={"optimize_remote_publishing": True}) is None
    reply = wire.call("library.update", {"publish_info": {"published": True}}, library_id=library)
    assert reply.error_type is None
    after = get(wire, library)
    for name in ("version", "last_modified_time"):
        before.pop(name)
        after.pop(name)
    assert after == before


def test_publishing(wire: Wire) -> None:
    library = create(wire, publish_info={"published": True, "authentication_method": "NONE"})
    info = get(wire, library)["publish_info"]
    assert info == {
        "authentication_method": "NONE",
        "published": True,
        "persist_json_enabled": False,
        "publish_url": f"{wire.process.url}/cls/vcsp/lib/{library}/lib.json",
        "user_name": "vcsp",
    }
    assert update(wire, library, publish_info={"persist_json_enabled": True}) is None
    assert get(wire, library)["publish_info"] == {**info, "persist_json_enabled": True}
    assert update(wire, library, publish_info={"published": False}) is None
    assert get(wire, library)["publish_info"] == {
        "authentication_method": "NONE",
        "published": False,
        "persist_json_enabled": True,
    }


GUARDED = [{"password": "new"}, {"authentication_method": "NONE"}, {"published": False}]


@pytest.mark.parametrize("change", GUARDED)
def test_current_password(wire: Wire, change: dict[str, Any]) -> None:
    """Under BASIC, another password, none at all, and the end of the publication ask for the present one."""
    basic = {"published": True, "authentication_method": "BASIC", "password": "old"}
    library = create(wire, publish_info=basic)
    before = get(wire, library)
    assert not {"password", "current_password"} & before["publish_info"].keys()
    for wrong in ({}, {"current_password": "wrong"}, {"current_password": ""}):
        assert update(wire, library, publish_info={**change, **wrong}) == "INVALID_ARGUMENT"
    assert get(wire, library) == before
    assert update(wire, library, publish_info={**change, "current_password": "old"}) is None
    state = wire.process.library(library)["publish_info"]
    assert {name: state[name] for name in change} == change
    assert ("password" in state) is (state["authentication_method"] == "BASIC")


def test_what_needs_no_current_password(wire: Wire) -> None:
    basic = {"published": True, "authentication_method": "BASIC", "password": "old"}
    library = create(wire, publish_info=basic)
    assert update(wire, library, name="renamed", publish_info={"persist_json_enabled": True, **basic}) is not None
    assert update(wire, library, name="renamed", publish_info={"persist_json_enabled": True}) is None
    assert update(wire, library, publish_info={"published": True, "authentication_method": "BASIC"}) is None
    assert wire.process.library(library)["publish_info"]["password"] == "old"
    open_library = create(wire, publish_info={"published": True, "authentication_method": "NONE"})
    assert update(wire, open_library, publish_info={"authentication_method": "BASIC"}) == "INVALID_ARGUMENT"
    assert update(wire, open_library, publish_info={"authentication_method": "BASIC", "password": "new"}) is None


def test_deletion_in_the_background(wire: Wire) -> None:
    wire.process.config(delete_delay=0.3)
    library = create(wire)
    item = wire.call("item.create", {"library_id": library, "name": "x"}).value
    for _again in range(2):
        assert wire.call("local_library.delete", library_id=library).error_type is None
        assert wire.call("local_library.get", library_id=library).error_type is None
    wait_until(lambda: wire.call("local_library.get", library_id=library).error_type == "NOT_FOUND", 5.0)
    assert library not in wire.call("library.list").value
    assert wire.call("item.get", library_item_id=item).error_type == "NOT_FOUND"


@pytest.mark.parametrize("kind", ["local", "subscribed"])
def test_deletion_by_force(wire: Wire, kind: str) -> None:
    """From 9.1 on a library in use is deleted by force alone, which only /api knows."""
    library = wire.process.add_library("used", type=kind.upper(), used_by=["urn:vcenter:namespaces"])
    path = f"/{wire.dialect}/content/{kind}-library/{library}?action=force-delete"
    assert wire.send("POST", path).status == 404
    wire.process.config(version="9.1.0")
    reply = wire.call(f"{kind}_library.delete", library_id=library)
    assert (reply.status, reply.error_type) == (400, "NOT_ALLOWED_IN_CURRENT_STATE")
    assert "urn:vcenter:namespaces" in reply.messages[0]
    reply = wire.send("POST", path)
    assert reply.status == {"api": 204, "rest": 404}[wire.dialect]
    is_there = library in wire.process.state()["libraries"]
    assert is_there is (wire.dialect == "rest")
    if wire.dialect == "api":
        assert wire.send("POST", path).status == 404
        unused = wire.process.add_library("unused", type=kind.upper())
        assert wire.call(f"{kind}_library.delete", library_id=unused).status == 204


def test_use_before_it_counts(wire: Wire) -> None:
    library = wire.process.add_library("used", used_by=["urn:vcenter:namespaces"])
    assert wire.call("local_library.delete", library_id=library).error_type is None


def test_later_versions_tell_more(wire: Wire) -> None:
    library = create(wire)
    wire.process.config(version="9.1.0")
    wire.documents = []  # those of 8.0.2 do not know it
    assert get(wire, library)["state_info"] == {"state": "ACTIVE"}
