# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content out of govmomi's simulator, with govc, its command line, as the other side.

It tells no checksum. Its copy keeps the name of the source and brings no bytes, and it serves no list of datastores.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.cases.sources import NAME, archive, descriptor
from tests.playbooks.plays import Server
from tests.playbooks.vcsim import go_build

EXPORT = "vsphere.content_library.library_item_export"
INFO = "vsphere.content_library.library_item_info"
ITEM = "vsphere.content_library.library_item"
PACKAGE = ["vm.ovf", "disk1.img", "vm.nvram"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    contents = {
        "random.iso": os.urandom(3 * (1 << 20) + 1),
        "empty.iso": b"",
        NAME: b"with a name of many kinds\n",
        "vm.ovf": descriptor(*PACKAGE[1:]),
        "disk1.img": os.urandom(100_000),  # vcsim looks into files that are named .vmdk
        "vm.nvram": os.urandom(1000),
    }
    contents["vm.ova"] = archive({name: contents[name] for name in PACKAGE})
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def play(playbook, vcsim, files):
    server = Server(vcsim.host, vcsim.port, vcsim.username, vcsim.password, vcsim.ca_path)

    def run(*tasks, way="in_process"):
        return playbook(list(tasks), {"vcsim": server}, way=way, extra_vars={"files": str(files)}).succeeded()

    return run


@pytest.fixture
def govc(vcsim, tmp_path):
    command = go_build("./govc")
    environment = {
        **os.environ,
        "GOVC_URL": f"https://{vcsim.username}:{vcsim.password}@{vcsim.host}:{vcsim.port}",
        "GOVC_TLS_CA_CERTS": vcsim.ca_path,
        "GOVC_PERSIST_SESSION": "false",
        "GOVMOMI_HOME": str(tmp_path / "govmomi"),
    }

    def run(*arguments):
        return subprocess.run(
            [command, *arguments], env=environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    return run


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_comes_out_is_what_went_in(play, vcsim, files, govc, tmp_path):
    library = "out"
    vcsim.create_library(library)
    ours = {"random": "random.iso", "empty": "empty.iso", "größe (ü) & more": NAME, "vm": "vm.ova"}
    for name in ("random.iso", "empty.iso", "vm.ovf"):
        govc("library.import", "-n", f"govc {name}", library, files / name)
    items = [*ours, "govc random.iso", "govc empty.iso", "govc vm.ovf"]
    tasks = [
        {"name": f"put {name}", ITEM: {"library_name": library, "name": name, "src": ["{{ files }}/" + source]}}
        for name, source in ours.items()
    ]
    get = {name: {EXPORT: {"library_name": library, "name": name, "dest": str(tmp_path / name)}} for name in items}
    run = play(
        *tasks,
        *({"name": f"get {name}", **task} for name, task in get.items()),
        *({"name": f"again {name}", **task} for name, task in get.items()),
    )
    for name in items:
        expected = PACKAGE if "vm" in name else [ours.get(name) or name.removeprefix("govc ")]
        assert bytes_of(tmp_path / name) == {file: (files / file).read_bytes() for file in expected}
        task = run.task(f"get {name}")
        assert task["operations"] == ["download"] * len(expected)
        assert not any(file["checksum_verified"] for file in task["files"])  # vcsim tells none, so nothing is claimed
        assert not run.task(f"again {name}")["changed"]
    assert " Download " not in govc("library.session.ls", "-i"), "a download session was left behind"


def test_govc_reads_what_we_put(play, vcsim, files, govc, tmp_path):
    vcsim.create_library("back")
    play({"name": "put", ITEM: {"library_name": "back", "name": "random", "src": ["{{ files }}/random.iso"]}})
    govc("library.export", "back/random", tmp_path)
    assert (tmp_path / "random.iso").read_bytes() == (files / "random.iso").read_bytes()


@pytest.mark.costly
def test_copy_rename_and_storage(play, vcsim, govc):
    vcsim.create_library("from")
    vcsim.create_library("to")
    copy = {"library_name": "to", "name": "tools", "source_library_item_id": "{{ put.library_item.id }}"}
    rename = {
        "library_item_id": "{{ copied.library_item.id }}",
        "name": "renamed größe (ü)",
        "description": "what is new",
    }
    run = play(
        {
            "name": "put",
            ITEM: {"library_name": "from", "name": "tools", "src": ["{{ files }}/random.iso"]},
            "register": "put",
        },
        {"name": "foreseen", ITEM: copy, "check_mode": True},
        {"name": "copy", ITEM: copy, "register": "copied"},
        {"name": "copy again", ITEM: copy},
        {"name": "rename", ITEM: rename},
        {"name": "rename again", ITEM: rename},
        {"name": "stored", INFO: {"library_name": "from", "gather_storage": True}},
        {"name": "anywhere", INFO: {"name": "renamed größe (ü)"}},
        way="module",
    )
    assert run.task("foreseen")["operations"] == run.task("copy")["operations"] == ["copy_item"]
    assert [(file["name"], file["action"]) for file in run.task("copy")["files"]] == [("random.iso", "copied")]
    assert not run.task("copy again")["changed"]
    assert run.task("rename")["operations"] == ["update_item"]
    assert not run.task("rename again")["changed"]
    [item] = json.loads(govc("library.info", "-json", "to/*"))
    assert (item["name"], item["description"], item["type"]) == ("renamed größe (ü)", "what is new", "iso")
    assert [found["id"] for found in run.task("anywhere")["library_items"]] == [item["id"]]
    [[stored]] = [item["storage"] for item in run.task("stored")["library_items"]]
    assert stored["name"] == "random.iso"
    assert stored["datastore_path"] is None  # its paths have no ds://, and nobody tells the datastore's name
    assert stored["storage_uris"][0].endswith("random.iso")
