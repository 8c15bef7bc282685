# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the items of one task share: an end that reaches their threads, connections, a look, a line of progress."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from types import SimpleNamespace

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils import _signals
from ansible_collections.vsphere.content_library.plugins.module_utils._endpoint import Connections, Endpoint
from ansible_collections.vsphere.content_library.plugins.module_utils._library_look import KnownItems, LibraryLook
from ansible_collections.vsphere.content_library.plugins.module_utils._progress import OverallProgress
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import (
    Interrupted,
    Interruption,
    defer_signals,
    uninterrupted,
)

ENDPOINT = Endpoint("http", "127.0.0.1", 80, "/file", None)


def in_thread(work):
    """What work returned, or the exception that it raised, in a thread of its own."""
    told = []

    def run():
        try:
            told.append(work())
        except BaseException as error:
            told.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    return told[0]


def test_an_interruption_is_told_once():
    interruption = Interruption()
    interruption.check()
    interruption.come("interrupted by SIGTERM")
    with pytest.raises(Interrupted, match="interrupted by SIGTERM"):
        interruption.check()
    interruption.check()


def test_a_wait_ends_when_an_interruption_comes():
    interruption, begin = Interruption(), time.monotonic()
    threading.Timer(0.1, interruption.come, ["over"]).start()
    with pytest.raises(Interrupted, match="over"):
        interruption.wait(60)
    assert time.monotonic() - begin < 10


def test_an_interruption_calls_what_would_not_look():
    interruption, called = Interruption(), []
    with interruption.calling(lambda: called.append("inside")):
        interruption.come("over")
    with interruption.calling(lambda: called.append("too late")):
        pass
    interruption.come("again")
    assert called == ["inside"]


def test_clean_up_is_not_interrupted():
    interruption = Interruption()
    interruption.come("over")

    def work():
        with uninterrupted():
            interruption.check()
            interruption.wait(0.01)
        interruption.check()

    assert isinstance(in_thread(work), Interrupted)


def test_a_create_has_some_time_to_end(monkeypatch):
    monkeypatch.setattr(_signals, "GRACE", 0.3)
    interruption = Interruption()

    def work():
        with defer_signals():
            interruption.come("over")
            begin = time.monotonic()
            with pytest.raises(Interrupted):
                interruption.wait(60)
            return time.monotonic() - begin

    assert 0.25 < in_thread(work) < 5


@pytest.fixture
def pair():
    """A connection of http.client, and the other end of it."""
    ours, theirs = socket.socketpair()
    connection = http.client.HTTPConnection("127.0.0.1")
    connection.sock = ours
    yield connection, theirs
    ours.close()
    theirs.close()


def test_a_connection_is_used_again(pair):
    connections, client = Connections(), SimpleNamespace(request_timeout=7)
    connections.give_back(ENDPOINT, pair[0])
    assert connections.take(client, ENDPOINT._replace(target="/other")) is pair[0]
    assert pair[0].sock.gettimeout() == 7


def test_a_connection_that_the_server_ended_is_not_used_again(pair):
    connections = Connections()
    connections.give_back(ENDPOINT, pair[0])
    pair[1].close()
    peer = SimpleNamespace(name="127.0.0.1")
    taken = connections.take(SimpleNamespace(request_timeout=7, peer=peer), ENDPOINT)
    assert taken is not pair[0]
    assert taken.sock is None
    assert pair[0].sock is None


def test_a_connection_to_another_endpoint_is_not_used(pair):
    connections = Connections()
    connections.give_back(ENDPOINT._replace(port=81), pair[0])
    peer = SimpleNamespace(name="127.0.0.1")
    assert connections.take(SimpleNamespace(request_timeout=7, peer=peer), ENDPOINT) is not pair[0]
    connections.close()
    assert pair[0].sock is None


class Items:
    """The items of a library, and how often each was asked for."""

    def __init__(self, **names):
        self.names, self.asked = names, []

    def list_ids(self, _library_id):
        return list(self.names)

    def existing(self, ids):
        self.asked += (ids := list(ids))
        return [{"id": item_id, "name": self.names[item_id]} for item_id in ids]

    def each_named(self, _library_id, names):
        self.asked += (names := sorted(names))
        return [self.existing([item for item, has in self.names.items() if has == name]) for name in names]


def test_a_look_tells_each_name_once():
    items = Items(a="tools", b="other", c="tools")
    look = LibraryLook(items)
    look.look("library", {"tools", "new"}, all_of_them=False)
    assert items.asked == ["a", "b", "c"]
    assert [item["id"] for item in look.take("tools")] == ["a", "c"]
    assert look.take("new") == []
    assert look.take("tools") is None
    assert look.take("other") is None


def test_a_look_is_not_for_long(clock):
    look = LibraryLook(Items(a="tools"))
    look.look("library", {"tools"}, all_of_them=False)
    clock.now += 11
    assert look.take("tools") is None


def test_few_items_of_many_are_asked_for_by_name():
    items = Items(a="tools", b="x", c="y")
    LibraryLook(items).look("library", {"tools"}, all_of_them=False)
    assert items.asked == ["tools", "a"]


def test_the_others_are_those_that_are_there_now():
    items = Items(a="tools", b="other")
    look = LibraryLook(items)
    look.look("library", {"tools"}, all_of_them=True)
    items.names = {"a": "tools", "b": "other", "c": "newer"}
    assert [item["name"] for item in look.others("library", {"tools"})] == ["newer", "other"]
    assert items.asked == ["a", "b", "c"]


def test_an_item_is_looked_for_where_the_look_does_not_know_it(monkeypatch):
    look = LibraryLook(Items(a="tools"))
    look.look("library", {"tools"}, all_of_them=False)
    known = KnownItems(SimpleNamespace(), look)
    assert [item["id"] for item in known.named("library", "tools")] == ["a"]
    with pytest.raises(AttributeError, match="call"):
        known.named("library", "tools")


def test_one_line_for_all():
    overall = OverallProgress([100, 300])
    assert overall.line().startswith("0 of 2 items, 0 % of 400 bytes, 0.0 MB/s")
    overall.ended(100)
    assert overall.line().startswith("1 of 2 items, 25 % of 400 bytes")
    overall.moved(200)
    assert overall.line().startswith("1 of 2 items, 50 % of 400 bytes")
    assert overall.line().endswith(" s left")


def test_no_bytes_at_all():
    assert OverallProgress([0]).line().startswith("0 of 1 items, 0 % of 0 bytes")
