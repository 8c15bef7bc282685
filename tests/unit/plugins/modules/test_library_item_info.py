# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import library_item_info
from ansible_collections.vsphere.content_library.tests.unit.plugins.library_wire import (
    LIBRARY,
    OF_LIBRARY,
    item,
    item_file,
    library,
)
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import ITEM, Refusal, argument_errors

OTHER = "another-item"
NOT_FOUND = Refusal("NOT_FOUND", 404, ("There is no such thing.",))
DENIED = Refusal("UNAUTHORIZED", 403, ("You may not.",))
FIND = {"library_id": LIBRARY, "name": "tools"}

pytestmark = pytest.mark.parametrize("check_mode", [False, True])


def info(server, check_mode, **params):
    outcome = server.run(library_item_info, check_mode, **params)
    assert not outcome.failed, outcome.result
    assert (outcome.result["changed"], outcome.result["operations"]) == (False, [])
    return outcome.result["library_items"]


def expect_library(server, **members):
    server.expect("find_library", [LIBRARY], {"name": "demo"})
    server.expect("get_library", library(**members), id=LIBRARY)


def test_all_items_of_a_library(server, check_mode):
    server.expect("list_items", [ITEM, OTHER], query=OF_LIBRARY)
    with server.wire.any_order():
        server.expect("get_item", item("zebra"), id=ITEM)
        server.expect("get_item", item("ape", id=OTHER), id=OTHER)
    found = info(server, check_mode, library_id=LIBRARY)
    assert [one["name"] for one in found] == ["ape", "zebra"]
    assert "files" not in found[0]


def test_all_items_of_a_library_by_its_name(server, check_mode):
    expect_library(server)
    server.expect("list_items", [], query=OF_LIBRARY)
    assert info(server, check_mode, library_name="demo") == []


def test_items_of_one_name(server, check_mode):
    server.expect("find_item", [ITEM, OTHER], FIND)
    with server.wire.any_order():
        server.expect("get_item", item(), id=ITEM)
        server.expect("get_item", item("TOOLS"), id=OTHER)
    assert [one["id"] for one in info(server, check_mode, library_id=LIBRARY, name="tools")] == [ITEM]


def test_an_item_by_its_id(server, check_mode):
    server.expect("get_item", item(), id=ITEM)
    [found] = info(server, check_mode, library_item_id=ITEM)
    assert (found["id"], found["library_id"]) == (ITEM, LIBRARY)


@pytest.mark.parametrize(("library_id", "count"), [(LIBRARY, 1), ("another", 0)])
def test_an_item_by_its_id_in_a_library(server, check_mode, library_id, count):
    server.expect("get_item", item(), id=ITEM)
    assert len(info(server, check_mode, library_item_id=ITEM, library_id=library_id)) == count


def test_files_are_gathered(server, check_mode):
    server.expect("list_items", [ITEM, OTHER], query=OF_LIBRARY)
    with server.wire.any_order():
        server.expect("get_item", item("a"), id=ITEM)
        server.expect("get_item", item("b", id=OTHER), id=OTHER)
    with server.wire.any_order():
        server.expect("item_files", [item_file(checksum="0a")], id=ITEM)
        server.expect("item_files", [], id=OTHER)
    found = info(server, check_mode, library_id=LIBRARY, gather_files=True)
    assert [one["files"] for one in found] == [[item_file(checksum="0a")], []]


def test_an_item_that_vanishes_before_its_files_is_left_out(server, check_mode):
    server.expect("get_item", item(), id=ITEM)
    server.expect("item_files", NOT_FOUND, id=ITEM)
    assert info(server, check_mode, library_item_id=ITEM, gather_files=True) == []


def test_an_item_that_is_missing(server, check_mode):
    server.expect("get_item", NOT_FOUND, id=ITEM)
    assert info(server, check_mode, library_item_id=ITEM) == []


def test_a_library_that_is_missing(server, check_mode):
    server.expect("list_items", NOT_FOUND, query=OF_LIBRARY)
    assert info(server, check_mode, library_id=LIBRARY) == []


@pytest.mark.parametrize("params", [{}, {"name": "tools"}, {"library_item_id": ITEM}])
def test_a_library_name_that_nothing_has(server, check_mode, params):
    server.expect("find_library", [LIBRARY], {"name": "demo"})
    server.expect("get_library", library(name="DEMO"), id=LIBRARY)
    assert info(server, check_mode, library_name="demo", **params) == []


def test_several_libraries_of_one_name(server, check_mode):
    server.expect("find_library", [LIBRARY, OTHER], {"name": "demo"})
    with server.wire.any_order():
        server.expect("get_library", library(), id=LIBRARY)
        server.expect("get_library", library(), id=OTHER)
    outcome = server.run(library_item_info, check_mode, library_name="demo")
    assert outcome.result["error_type"] == "INVALID_ARGUMENT"
    assert OTHER in outcome.result["msg"]


def test_what_may_not_be_seen_fails(server, check_mode):
    server.expect("list_items", DENIED, query=OF_LIBRARY)
    outcome = server.run(library_item_info, check_mode, library_id=LIBRARY)
    assert outcome.failed
    assert (outcome.result["error_type"], outcome.result["operation"]) == ("UNAUTHORIZED", "item.list")


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"library_name": "demo", "library_id": LIBRARY}, "library_name"),
        ({"library_id": LIBRARY, "name": "tools", "library_item_id": ITEM}, "library_item_id"),
    ],
)
def test_refused_by_the_argument_spec(check_mode, params, named):
    assert any(named in error for error in argument_errors(library_item_info, **params))


@pytest.mark.parametrize("option", ["library_name", "library_id", "library_item_id"])
def test_an_empty_option_is_refused(server, check_mode, option):
    outcome = server.run(library_item_info, check_mode, **{option: ""})
    assert outcome.result["error_type"] == "INVALID_ARGUMENT"
    assert option in outcome.result["msg"]
