# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source: what it tells of libraries and their items."""

from __future__ import annotations

import json

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import Libraries, LocalLibraries
from ansible_collections.vsphere.content_library.plugins.module_utils._library_items import LibraryItems
from tests.playbooks.event_source import AT_ONCE, FOR_ONE, GUIDE, client_of, fault, operations


class TestLibraries:
    """What a vCenter tells of libraries and their items, where that is asked for."""

    def test_life_of_a_library(self, simulator, watch, dialect):
        publisher = simulator.publish("published")
        source = watch(api_endpoint=dialect, watch=["libraries"])
        assert source.types() == []
        library = simulator.subscribe("new", simulator, publisher)
        [event] = source.look()
        assert event["type"] == "library_created"
        assert event["hostname"] == simulator.host
        assert (event["library"]["id"], event["library"]["type"]) == (library, "SUBSCRIBED")
        assert source.types() == []
        simulator.change_library(library, description="Golden images")
        [event] = source.look()
        assert (event["type"], event["library"]["description"]) == ("library_updated", "Golden images")
        assert "description" in event["changed"]
        simulator.sync_library(library)
        [event, *_others] = source.look()
        assert (event["type"], event["library"]["id"]) == ("library_synchronized", library)
        assert source.types() == []
        simulator.delete_library(library)
        [event] = source.look()
        assert (event["type"], event["library"]["name"]) == ("library_deleted", "new")
        assert source.types() == []

    def test_life_of_an_item(self, simulator, watch, dialect):
        source = watch(api_endpoint=dialect, watch="library_items")
        assert source.types() == []
        library = simulator.add_library("new", items=[{"name": "first", "files": {"a": "a"}}])
        item = simulator.add_item("second", library_id=library, files={"a": "a"})
        told = [(event["type"], event["library_item"]["name"]) for event in source.look()]
        assert sorted(told) == [("item_added", "first"), ("item_added", "second")]
        assert source.types() == []
        simulator.change_item(item, files={"a": "another"})
        [event] = source.look()
        assert (event["type"], event["library_item"]["id"]) == ("item_updated", item)
        assert event["changed"] == ["content_version", "size", "last_modified_time"]
        assert event["library_item"]["library_id"] == library
        assert source.types() == []
        simulator.delete_item(item)
        [event] = source.look()
        assert (event["type"], event["library_item"]["id"]) == ("item_removed", item)
        simulator.delete_library(library)
        [event] = source.look()
        assert (event["type"], event["library_item"]["name"]) == ("item_removed", "first")

    def test_what_is_fetched_and_evicted(self, simulator, watch):
        library = simulator.add_library("new", items=[{"name": "first", "files": {"a": "a"}, "cached": False}])
        [item] = [key for key, item in simulator.state()["items"].items() if item["library_id"] == library]
        source = watch(watch=["library_items"], library_id=library)
        source.look()
        for cached in (True, False):
            simulator.change_item(item, cached=cached)
            [event] = source.look()
            assert "cached" in event["changed"]
            assert event["library_item"]["cached"] is cached

    @pytest.mark.parametrize(
        ("kinds", "operations_of_a_look"),
        [
            (["update_sessions"], {"update_session.list": 1, "update_session.get": 2}),
            (["libraries"], {"library.list": 1, "library.get": "libraries"}),
            (["library_items"], {"library.list": 1, "item.list": "libraries", "item.get": "items"}),
            (
                "update_sessions, libraries, library_items",
                {
                    "update_session.list": 1,
                    "update_session.get": 2,
                    "library.list": 1,
                    "library.get": "libraries",
                    "item.list": "libraries",
                    "item.get": "items",
                },
            ),
        ],
    )
    def test_what_a_look_costs(self, kinds, operations_of_a_look, simulator, watch):
        """As the guide says; the second one, when everything is known, no less and no more."""
        simulator.add_sessions(2)
        state = simulator.state()
        source = watch(watch=kinds)
        source.look()
        simulator.clear_requests()
        assert source.types() == []
        sent = operations(simulator)
        expected = {name: len(state[of]) if isinstance(of, str) else of for name, of in operations_of_a_look.items()}
        assert {name: sent.count(name) for name in sent} == expected

    def test_one_library(self, simulator, watch):
        library, other = simulator.add_library("one"), simulator.add_library("other")
        source = watch(watch=["libraries", "library_items"], library_id=library)
        source.look()
        simulator.add_item("elsewhere", library_id=other)
        simulator.change_library(other, description="other")
        simulator.add_item("here", library_id=library)
        simulator.clear_requests()
        [event] = source.look()
        assert (event["type"], event["library_item"]["name"]) == ("item_added", "here")
        assert sorted(operations(simulator)) == ["item.get", "item.list", "library.get", "library.list"]

    @pytest.mark.parametrize("what", [*AT_ONCE, *FOR_ONE])
    def test_one_alone(self, what, simulator, watch, caplog):
        """The others' events go on. The one is neither deleted nor created again, and is logged once."""
        one, other = (simulator.add_library(name, items=[{"name": f"item of {name}"}]) for name in ("one", "other"))
        items = {item["library_id"]: key for key, item in simulator.state()["items"].items()}
        source = watch(watch=["libraries", "library_items"])
        source.look()
        answer_ = {**AT_ONCE, **FOR_ONE}[what]
        requests = {"library.get": one, "item.list": one, "item.get": items[one]}
        simulator.faults([fault(name, answer_, path=path) for name, path in requests.items()])
        simulator.change_library(one, description="a")
        simulator.change_item(items[one], description="a")
        for text in ("a", "b"):
            simulator.change_library(other, description=text)
            simulator.change_item(items[other], description=text)
            assert source.types() == ["library_updated", "item_updated"]
        assert len(caplog.records) == 3
        simulator.faults([])
        told = [(event["type"], (event.get("library") or event["library_item"])["id"]) for event in source.look()]
        assert told == [("library_updated", one), ("item_updated", items[one])]

    def test_what_can_not_be_read_at_the_start(self, simulator, watch):
        """It is not told as new later, and what is new then is."""
        library = simulator.add_library("one", items=[{"name": "old"}])
        simulator.faults([fault(operation, AT_ONCE["500"]) for operation in ("library.get", "item.list")])
        source = watch(watch=["libraries", "library_items"])
        assert source.types() == []
        simulator.faults([])
        assert source.types() == []
        simulator.add_item("new", library_id=library)
        assert source.types() == ["item_added"]

    def test_a_list_that_fails_stops_no_other_kind(self, simulator, watch):
        source = watch(watch=["update_sessions", "libraries"])
        source.look()
        simulator.faults([fault("update_session.list", AT_ONCE["500"])])
        simulator.add_library("new")
        assert source.types() == ["library_created"]
        assert source.delay <= 1
        simulator.faults([fault("library.list", AT_ONCE["500"])])
        simulator.add_sessions()
        assert source.types() == ["created"]
        simulator.faults([])
        assert source.types() == []

    def test_no_password_is_in_an_event(self, simulator, watch):
        source = watch(watch=["libraries"])
        source.look()
        simulator.publish("published", password="hidden")
        info = {"authentication_method": "BASIC", "user_name": "a", "password": "hidden"}
        url = "https://a:hid/den@example.com/lib.json"
        library = simulator.add_library("new", type="SUBSCRIBED", subscription_info={"subscription_url": url, **info})
        events = {event["library"]["id"]: event for event in source.look()}
        assert "hid" not in str(events).replace("--hidden--", "")
        shown = events[library]["library"]["subscription_info"]["subscription_url"]
        assert shown == "https://********@example.com/lib.json"

    def test_samples_of_the_guide(self, simulator, watch):
        samples = {name: json.loads(GUIDE[name].text) for name in ("library_updated", "item_updated")}
        library = simulator.add_library("images")
        item = simulator.add_item("debian-12", library_id=library, files={"a": "a"})
        source = watch(watch=["libraries", "library_items"], library_id=library)
        source.look()
        with client_of(simulator) as client:
            libraries = Libraries(client)
            description = samples["library_updated"]["library"]["description"]
            LocalLibraries(client, libraries).update(libraries.get(library), {"description": description})
        simulator.change_item(item, files={"a": "another"})
        events = {event["type"]: event for event in source.look()}
        for name, sample in samples.items():
            facts = "library" if "library" in sample else "library_item"
            assert sample[facts].items() <= events[name][facts].items()
            assert sample["changed"] == events[name]["changed"]

    def test_facts_are_those_of_the_modules(self, simulator, watch, dialect):
        source = watch(api_endpoint=dialect, watch=["libraries", "library_items"])
        source.look()
        library = simulator.publish("new", items=[{"name": "item", "files": {"a": "a"}}])
        told = source.look()
        with client_of(simulator, dialect) as client:
            assert told[0]["library"] == Libraries(client).get(library)
            assert [told[1]["library_item"]] == LibraryItems(client).list_items(library)
