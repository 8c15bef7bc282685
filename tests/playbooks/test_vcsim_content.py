# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content pushed to govmomi's simulator, and the item's bytes read back.

Its files never become READY and tell no checksum: complete decides, and the sizes of the item's files prove it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cases.sources import NAME, archive, descriptor, sources
from tests.playbooks.plays import Server

# What they share is made once.
pytestmark = pytest.mark.xdist_group("vcsim")

ITEM = "vsphere.content_library.library_item"
DISKS = ["disk1.img", "disk2.img", "disk3.img", "vm.nvram"]
ONE = ["create_item", "create", "add_file", "upload", "complete"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    with sources(folder) as files:
        (folder / "random.iso").write_bytes(os.urandom(5 * (1 << 20) + 1))
        # vcsim looks into files that are named .vmdk.
        members = {name: os.urandom(100_000) for name in DISKS}
        members = {"vm.ovf": descriptor(*DISKS), **members}
        (folder / "vm.ova").write_bytes(archive(members))
        for name, content in members.items():
            (folder / name).write_bytes(content)
        yield files


@pytest.fixture
def play(playbook, vcsim, files):
    server = Server(vcsim.host, vcsim.port, vcsim.username, vcsim.password, vcsim.ca_path)

    def run(*tasks):
        return playbook(list(tasks), {"vcsim": server}, way="in_process", extra_vars=files).succeeded()

    return run


@pytest.fixture
def stored(vcsim):
    """Reads the bytes of an item's file where vcsim keeps them: in the datastore's folder."""

    def read(item_id, name):
        [path] = Path(vcsim.ca_path).parent.glob(f"**/contentlib-*/{item_id}/{name}")
        return path.read_bytes()

    return read


def push(library, name, *sources, **args):
    src = [f"{{{{ files }}}}/{source}" for source in sources]
    return {"name": name, ITEM: {"library_name": library, "name": name, "src": src, **args}}


def actions(task):
    return [(file["name"], file["action"], file["checksum_verified"]) for file in task["files"]]


def test_what_is_read_back_is_what_was_pushed(play, vcsim, files, stored):
    vcsim.create_library("content")
    run = play(
        {**push("content", "foreseen", "random.iso"), "check_mode": True},
        push("content", "random", "random.iso"),
        push("content", "empty", "empty.iso"),
        push("content", "größe (ü) & more", NAME),
        push("content", "vm", "vm.ova"),
        push("content", "several", "tools.iso", "more.iso"),
    )
    assert run.task("foreseen")["operations"] == ONE
    expected = {
        "random": ["random.iso"],
        "empty": ["empty.iso"],
        "größe (ü) & more": [NAME],
        "vm": ["vm.ovf", *DISKS],
        "several": ["tools.iso", "more.iso"],
    }
    for task, names in expected.items():
        result = run.task(task)
        assert result["library_item"]["name"] == task
        assert result["update_session"]["state"] == "DONE"
        # vcsim tells no checksum, so nothing is claimed.
        assert not any(file["checksum_verified"] for file in result["files"])
        for name in names:
            content = (Path(files["files"]) / name).read_bytes()
            assert stored(result["library_item"]["id"], name) == content
    assert run.task("random")["operations"] == ONE
    assert run.task("random")["bytes_transferred"] == 5 * (1 << 20) + 1


def test_the_second_run_is_unchanged_and_a_change_is_pushed(play, vcsim, files, stored):
    vcsim.create_library("again")
    path = Path(files["files"]) / "changing.iso"
    path.write_bytes(b"first")
    first = play(push("again", "item", "changing.iso"), {**push("again", "item", "changing.iso"), "name": "again"})
    assert actions(first.task("again")) == [("changing.iso", "unchanged", False)]
    assert not first.task("again")["changed"]
    path.write_bytes(b"and second")
    second = play(push("again", "item", "changing.iso"))
    assert second.task("item")["operations"] == ["create", "add_file", "upload", "complete"]
    assert stored(second.task("item")["library_item"]["id"], "changing.iso") == b"and second"


def test_a_pull(play, vcsim, files, stored):
    vcsim.create_library("pulled")
    item = {"library_name": "pulled", "name": "tools", "url": "{{ http }}/tools.iso"}
    checksum = "sha256:{{ sha256['tools.iso'] }}"
    run = play(
        {"name": "pull", ITEM: {**item, "checksum": checksum}},
        {"name": "again", ITEM: {**item, "checksum": checksum}},
        {"name": "wrong", ITEM: {**item, "name": "wrong", "checksum": "sha1:" + "0" * 40}, "ignore_errors": True},
        {"name": "left", "vsphere.content_library.library_item_info": {"library_name": "pulled"}},
    )
    assert run.task("pull")["operations"] == ["create_item", "create", "add_file", "complete"]
    assert stored(run.task("pull")["library_item"]["id"], "tools.iso") == b"tools 1\n"
    assert not run.task("again")["changed"]
    assert "checksum mismatch" in run.task("wrong")["msg"]
    assert [item["name"] for item in run.task("left")["library_items"]] == ["tools"]


def test_the_item_itself(play, vcsim):
    vcsim.create_library("items")
    item = {"library_name": "items", "name": "item"}
    info = "vsphere.content_library.library_item_info"
    run = play(
        {"name": "create", ITEM: {**item, "type": "iso", "description": "first"}},
        {"name": "describe", ITEM: {**item, "description": "second"}},
        {"name": "info", info: {**item, "gather_files": True}},
        {"name": "delete", ITEM: {**item, "state": "absent"}},
        {"name": "delete again", ITEM: {**item, "state": "absent"}},
        {"name": "gone", info: item},
    )
    assert run.task("create")["operations"] == ["create_item"]
    assert run.task("describe")["operations"] == ["update_item"]
    [seen] = run.task("info")["library_items"]
    assert (seen["description"], seen["type"], seen["files"]) == ("second", "iso", [])
    assert run.task("delete")["operations"] == ["delete_item"]
    assert run.task("delete again")["operations"] == []
    assert run.task("gone")["library_items"] == []


def test_a_file_of_a_session(play, vcsim, stored):
    item_id = vcsim.create_item(vcsim.create_library("files"), "item", "iso")
    session, file = "vsphere.content_library.update_session", "vsphere.content_library.update_session_file"
    mine = {"update_session_id": "{{ opened.update_session.id }}"}
    run = play(
        {"name": "open", session: {"library_item_id": item_id}, "register": "opened"},
        {"name": "push", file: {**mine, "name": NAME, "src": "{{ files }}/" + NAME}},
        {"name": "done", session: {**mine, "state": "done"}},
    )
    assert run.task("push")["operations"] == ["add_file", "upload"]
    assert run.task("push")["file"]["status"] == "WAITING_FOR_TRANSFER"
    assert stored(item_id, NAME) == b"with a name of many kinds\n"
