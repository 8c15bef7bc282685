# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    AlreadyExists,
    InternalServerError,
    NotFound,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._library_items import LibraryItems
from ansible_collections.vsphere.content_library.plugins.module_utils._models import LibraryItem, fields
from ansible_collections.vsphere.content_library.tests.unit.plugins.library_wire import (
    LIBRARY,
    OF_LIBRARY,
    item,
    item_file,
)
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import ITEM, Answer, Refusal, reset

NOT_FOUND = Refusal("NOT_FOUND", 404, ("There is no such thing.",))
FAILED = Refusal("INTERNAL_SERVER_ERROR", 500, ("Out of order.",))
OTHER = "another-item"


@pytest.fixture
def items(server):
    return LibraryItems(server.client())


# Items


def test_the_items_of_a_library_are_sorted_by_name(server, items):
    server.expect("list_items", [ITEM, OTHER, "vanished"], query=OF_LIBRARY)
    with server.wire.any_order():
        server.expect("get_item", item("zebra"), id=ITEM)
        server.expect("get_item", item("ape", id=None), id=OTHER)
        server.expect("get_item", NOT_FOUND, id="vanished")
    assert [(found["name"], found["id"]) for found in items.list_items(LIBRARY)] == [("ape", OTHER), ("zebra", ITEM)]


def test_the_items_of_a_library_that_is_missing(server, items):
    server.expect("list_items", NOT_FOUND, query=OF_LIBRARY)
    with pytest.raises(NotFound):
        items.list_items(LIBRARY)


def test_every_key_of_an_item_is_there(server, items):
    server.expect("get_item", {"name": "tools", "of_a_newer_vcenter": 1}, id=ITEM)
    found = items.get(ITEM)
    assert found.keys() == fields(LibraryItem).keys() | {"of_a_newer_vcenter"}
    assert {name: value for name, value in found.items() if value is not None} == {
        "id": ITEM,
        "name": "tools",
        "of_a_newer_vcenter": 1,
    }


@pytest.mark.parametrize("model", [{}, {"name": None}, {"name": ["tools"]}])
def test_an_answer_that_is_no_item(server, items, model):
    server.expect("get_item", model, id=ITEM)
    with pytest.raises(InternalServerError, match="can't be read"):
        items.get(ITEM)


def test_the_items_of_exactly_that_name(server, items):
    server.expect("find_item", [ITEM, OTHER], {"library_id": LIBRARY, "name": "größe (ü)"})
    with server.wire.any_order():
        server.expect("get_item", item("größe (ü)"), id=ITEM)
        server.expect("get_item", item("GRÖSSE (ü)"), id=OTHER)
    assert [found["id"] for found in items.named(LIBRARY, "größe (ü)")] == [ITEM]


@pytest.mark.parametrize(
    ("type_", "description", "more"),
    [(None, None, {}), ("", "", {}), ("iso", "x", {"type": "iso", "description": "x"})],
)
def test_an_item_is_created(server, items, type_, description, more):
    server.expect("create_item", ITEM, {"library_id": LIBRARY, "name": "tools", **more})
    assert items.create(LIBRARY, "tools", type_, description) == ITEM


TOOLS = {"library_id": LIBRARY, "name": "tools"}


@pytest.mark.parametrize("lost", [reset(), Answer(502), Answer(504), FAILED])
def test_a_create_whose_answer_was_lost_is_sent_again_with_the_same_client_token(server, items, lost):
    server.expect("create_item", lost, TOOLS)
    server.expect("create_item", ITEM, TOOLS)
    server.expect("create_item", OTHER, TOOLS)
    assert items.create(LIBRARY, "tools", None, None) == ITEM
    assert items.create(LIBRARY, "tools", None, None) == OTHER
    first, again, another = server.wire.client_tokens
    assert first == again != another


def test_a_server_that_fails_is_asked_once_more(server, items):
    server.expect("create_item", FAILED, TOOLS)
    server.expect("create_item", FAILED, TOOLS)
    with pytest.raises(InternalServerError, match="Out of order"):
        items.create(LIBRARY, "tools", None, None)


def test_an_item_that_is_there_after_a_lost_answer_counts_as_anothers(server, items):
    server.expect("create_item", reset(), TOOLS)
    server.expect("create_item", Refusal("ALREADY_EXISTS", 400), TOOLS)
    with pytest.raises(AlreadyExists):
        items.create(LIBRARY, "tools", None, None)


@pytest.mark.parametrize(
    "changes", [{"description": "Debian 12.7 netinst"}, {"description": ""}, {"name": "debian", "description": "x"}]
)
def test_name_and_description_are_set(server, items, changes):
    server.expect("update_item", None, changes, id=ITEM)
    items.update(ITEM, changes)


@pytest.mark.parametrize("answer", [None, NOT_FOUND])
def test_an_item_is_deleted(server, items, answer):
    server.expect("delete_item", answer, id=ITEM)
    items.delete(ITEM)


# Files


def test_the_files_of_an_item_are_sorted_and_have_every_key(server, items):
    server.expect("item_files", [item_file("b.iso", checksum="0a"), {"name": "a.iso"}], id=ITEM)
    assert items.files(ITEM) == [
        {"name": "a.iso", "size": None, "cached": None, "version": None, "checksum_info": None},
        item_file("b.iso", checksum="0a"),
    ]


def test_an_item_without_files(server, items):
    server.expect("item_files", [], id=ITEM)
    assert items.files(ITEM) == []


@pytest.mark.parametrize("server", ["rest"], indirect=True)
def test_an_item_without_files_on_vcsim(server, items):
    server.expect("item_files", Answer(200, b'{"value": null}'), id=ITEM)
    assert items.files(ITEM) == []


@pytest.mark.parametrize("file", [{}, {"name": 1}, {"name": "a.iso", "checksum_info": "0a"}, "a.iso", None])
def test_an_answer_that_is_no_file(server, items, file):
    server.expect("item_files", [file], id=ITEM)
    with pytest.raises(InternalServerError, match="can't be read"):
        items.files(ITEM)
