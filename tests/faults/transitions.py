# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules do: the rows of the fault matrix, each a module, its arguments and the state that it finds."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ansible_collections.vsphere.content_library.plugins.modules import (
    api_session,
    library,
    library_info,
    library_item,
    library_item_export,
    library_item_info,
    library_items,
    library_sync,
    update_session,
    update_session_fail,
    update_session_file,
    update_session_info,
)
from tests.simulator.process import SimulatorProcess
from tests.simulator.store import OPERATOR, stable_id

DEMO, ITEM = stable_id("library", "demo"), stable_id("item", "debian-12")
SELF_SIGNED = [{"type": "SELF_SIGNED_CERTIFICATE", "ignored": True}]
CONTENT = b"debian 13\n" * 1000
WAIT_TIMEOUT = 3
KILLED = (library, library_item, library_item_export, library_items, library_sync)
SYNC_TIMEOUT = 6


@dataclass
class Scene:
    """What a transition prepares: the simulator, as good as new, and a folder with its sources."""

    simulator: SimulatorProcess
    folder: Path

    @property
    def dest(self) -> Path:
        """Where exports go."""
        return self.folder / "dest"

    def clear(self) -> None:
        """Leave nothing of an export before."""
        shutil.rmtree(self.dest, ignore_errors=True)
        self.dest.mkdir()

    def session(self, **attributes: Any) -> str:
        return self.simulator.add_sessions(library_item_id=ITEM, **attributes)[0]

    def source(self, name: str, content: bytes = CONTENT) -> str:
        path = self.folder / name
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
        return str(path)

    def package(self) -> str:
        """An OVF with two disks, and a manifest."""
        disks = {f"disk{number}.vmdk": f"disk {number}\n".encode() * 500 for number in (1, 2)}
        references = "".join(
            f'<File ovf:href="{name}" ovf:id="{name}" ovf:size="{len(content)}"/>' for name, content in disks.items()
        )
        envelope = (
            '<?xml version="1.0"?><Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"'
            ' xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">'
            f"<References>{references}</References></Envelope>"
        ).encode()
        files = {**disks, "box.ovf": envelope}
        digests = [f"SHA256({name})= {hashlib.sha256(content).hexdigest()}" for name, content in files.items()]
        for name, content in {**files, "box.mf": "\n".join(digests).encode()}.items():
            self.source(name, content)
        return str(self.folder / "box.ovf")

    def url(self) -> str:
        """A file that the server can pull: one of its own."""
        self.simulator.add_item("published", files={"pulled.iso": "pulled\n" * 100})
        state = self.simulator.state()["items"].values()
        [item] = [item["id"] for item in state if item["name"] == "published"]
        return f"{self.simulator.url}/control/item/{item}/file/pulled.iso"


@dataclass(frozen=True)
class Transition:
    """One row. prepare sets the scene and returns the module's arguments.

    fails: what it asks for can't be had, so that the matrix tries the faults on the way out as well. dialects: which
    endpoints it is run with.
    """

    name: str
    module: ModuleType
    prepare: Callable[[Scene], dict[str, Any]]
    fails: bool = False
    dialects: tuple[str, ...] = ("api", "rest")

    @property
    def module_name(self) -> str:
        return self.module.__name__.rpartition(".")[2]

    @property
    def renames(self) -> bool:
        """Whether the item has another name afterwards, and is the one that had the old one."""
        return "renamed" in self.name

    @property
    def killed(self) -> bool:
        """Whether it is in the kill matrix as well."""
        return (
            self.module in (library, library_item, library_item_export, library_items, library_sync) and not self.fails
        )


def info_all(scene: Scene) -> dict[str, Any]:
    scene.simulator.add_sessions(4)
    scene.session(state="ERROR", error_message="broken")
    return dict(gather_files=True, validate=True)


def item_info(scene: Scene) -> dict[str, Any]:
    return dict(library_name="demo", name="debian-12", gather_files=True)


def steer(scene: Scene) -> dict[str, Any]:
    session = scene.session(preview_warnings=["SELF_SIGNED_CERTIFICATE"], client_progress=10)
    return dict(update_session_id=session, warning_behavior=SELF_SIGNED, client_progress=40)


def done_slowly(scene: Scene) -> dict[str, Any]:
    scene.simulator.config(complete_delay=0.3)
    return dict(update_session_id=scene.session(), state="done", wait_timeout=WAIT_TIMEOUT)


def absent_all(scene: Scene) -> dict[str, Any]:
    for state in ("ERROR", "DONE", "ACTIVE"):
        scene.session(state=state)
    return dict(library_item_id=ITEM, state="absent")


def push_file(scene: Scene) -> dict[str, Any]:
    src = scene.source("new.iso")
    return dict(update_session_id=scene.session(), name="new.iso", src=src, wait_timeout=WAIT_TIMEOUT)


def pull_file(scene: Scene) -> dict[str, Any]:
    url = scene.url()
    return dict(update_session_id=scene.session(), name="pulled.iso", url=url, wait_timeout=WAIT_TIMEOUT)


def item(scene: Scene, **arguments: Any) -> dict[str, Any]:
    return dict(library_id=DEMO, stale_after=1, wait_timeout=WAIT_TIMEOUT, **arguments)


def new_item(scene: Scene) -> dict[str, Any]:
    arguments = item(scene, name="new", src=[scene.source("new.iso")], description="What is new")
    del arguments["library_id"]
    return dict(arguments, library_name="demo")


def replaced(scene: Scene) -> dict[str, Any]:
    return item(scene, name="debian-12", src=[scene.source("debian-13.iso")], description="Another one")


def slowly(scene: Scene) -> dict[str, Any]:
    """A push that lasts long enough for a keep-alive."""
    scene.simulator.config(upload_rate=15_000)
    return item(scene, name="debian-12", src=[scene.source("debian-12.iso")])


def package(scene: Scene) -> dict[str, Any]:
    return item(scene, name="box", src=[scene.package()])


def stale(scene: Scene) -> dict[str, Any]:
    scene.session()
    return item(scene, name="debian-12", src=[scene.source("debian-12.iso")])


def pulled(scene: Scene) -> dict[str, Any]:
    return item(scene, name="pulled", url=scene.url())


def unchanged(scene: Scene) -> dict[str, Any]:
    scene.simulator.add_item("kept", type="iso", files={"kept.iso": "kept\n"})
    return item(scene, name="kept", src=[scene.source("kept.iso", b"kept\n")])


def mistaken(scene: Scene) -> dict[str, Any]:
    """A checksum that turns out wrong only when the bytes are there: the new item has to go again."""
    return item(scene, name="new", src=[scene.source("new.iso")], checksum="sha256:" + "0" * 64)


def mistaken_again(scene: Scene) -> dict[str, Any]:
    """The same for an item that keeps its content, and gets its description back."""
    arguments = item(scene, name="debian-12", src=[scene.source("debian-12.iso")], description="Another one")
    return dict(arguments, checksum="sha256:" + "0" * 64)


def warned(scene: Scene) -> dict[str, Any]:
    """Content that the server refuses when the session completes."""
    scene.simulator.config(raise_warnings=["SELF_SIGNED_CERTIFICATE"])
    return item(scene, name="debian-12", src=[scene.source("debian-12.iso")])


def occupied(scene: Scene) -> dict[str, Any]:
    scene.session(user=OPERATOR)
    return item(scene, name="debian-12", src=[scene.source("debian-12.iso")])


def two_items(scene: Scene, **first: Any) -> dict[str, Any]:
    """One that is there and one that is new, one after the other."""
    one = {"name": "debian-12", "src": [scene.source("debian-13.iso")], "description": "Another one", **first}
    return dict(item(scene), items=[one, {"name": "new", "src": [scene.source("new.iso")]}], parallel=1)


def at_once(scene: Scene) -> dict[str, Any]:
    """All at the same time, and what is not named is deleted."""
    scene.simulator.add_item("old", type="iso", files={"old.iso": "old\n"})
    scene.simulator.add_item("kept", type="iso", files={"kept.iso": "kept\n"})
    arguments = two_items(scene)
    arguments["items"].append({"name": "kept", "src": [scene.source("kept.iso", b"kept\n")]})
    return dict(arguments, parallel=3, exclusive=True)


def one_mistaken(scene: Scene) -> dict[str, Any]:
    """Of two items, one has a checksum that turns out wrong."""
    return two_items(scene, checksum="sha256:" + "0" * 64)


def renamed(scene: Scene) -> dict[str, Any]:
    arguments = item(scene, library_item_id=ITEM, name="debian", description="Another one")
    return dict(arguments, src=[scene.source("debian-12.iso")])


def mistaken_name(scene: Scene) -> dict[str, Any]:
    """The item gets its name and its description back."""
    return dict(renamed(scene), checksum="sha256:" + "0" * 64)


def copied(scene: Scene) -> dict[str, Any]:
    """A copy that goes on for a while."""
    scene.simulator.config(copy_delay=0.3)
    source = scene.simulator.add_item("origin", type="iso", files={"origin.iso": "origin\n" * 100})
    return item(scene, name="copy", description="A copy", source_library_item_id=source)


def given_up(scene: Scene) -> dict[str, Any]:
    """A copy that the server gives up, and removes."""
    scene.simulator.config(copy_fails=True)
    return copied(scene)


def export(scene: Scene, **arguments: Any) -> dict[str, Any]:
    """One file is not there yet, one differs, and one is the same."""
    files = {"new.iso": "new\n" * 1000, "old.iso": "newer\n" * 1000, "same.iso": "same\n"}
    exported = scene.simulator.add_item("exported", type="iso", files=files)
    (scene.dest / "old.iso").write_text("old")
    (scene.dest / "same.iso").write_text("same\n")
    (scene.dest / "of somebody").write_text("else")
    return dict(library_item_id=exported, dest=str(scene.dest), wait_timeout=WAIT_TIMEOUT, **arguments)


def exported_slowly(scene: Scene) -> dict[str, Any]:
    """A file that is fetched first, and whose download lasts long enough for a keep-alive."""
    arguments = export(scene, files=["new.iso"])
    scene.simulator.config(prepare_delay=0.3, download_rate=3000, session_lifetime=3)
    return arguments


def not_prepared(scene: Scene) -> dict[str, Any]:
    scene.simulator.config(prepare_error="The publisher is not reachable.")
    return export(scene)


def stored(scene: Scene) -> dict[str, Any]:
    scene.simulator.add_item("stored", type="iso", files={"stored.iso": "stored\n"})
    return dict(name="stored", type="iso", gather_storage=True)


def log_out(scene: Scene) -> dict[str, Any]:
    session = scene.simulator.session
    response = session.post(
        f"{scene.simulator.url}/api/session", auth=(scene.simulator.username, scene.simulator.password)
    )
    return dict(state="absent", session_id=response.json())


def local_library(scene: Scene, **arguments: Any) -> dict[str, Any]:
    scene.simulator.config(delete_delay=0.3)
    guarded = {"authentication_method": "BASIC", "published": True, "password": "old"}
    scene.simulator.add_library("guarded", publish_info=guarded, items=[{"name": "kept", "files": {"a": "a"}}])
    return dict(wait_timeout=WAIT_TIMEOUT, **arguments)


def source(scene: Scene, name: str = "source") -> str:
    items = [{"name": "a", "files": {"a.iso": "a\n" * 100}}, {"name": "b", "files": {"b.iso": "b\n"}}]
    return scene.simulator.publish(name, items=items)


def replica(scene: Scene, **info: Any) -> str:
    """A library that is synchronized with another one; then that one changes."""
    simulator, published = scene.simulator, source(scene)
    library_id = simulator.subscribe("replica", simulator, published, **info)
    items = simulator.state()["items"].values()
    ours = {entry["name"]: entry["id"] for entry in items if entry["library_id"] == published}
    simulator.change_item(ours["a"], files={"a.iso": "newer\n" * 100})
    simulator.delete_item(ours["b"])
    simulator.add_item("c", library_id=published, files={"c.iso": "c\n" * 100})
    return library_id


def subscribed(scene: Scene, publisher: str) -> dict[str, Any]:
    told = ("subscription_url", "ssl_thumbprint")
    info = scene.simulator.subscription_to(scene.simulator, publisher)
    return {"name": "replica", "subscription": {key: info[key] for key in told}, "wait_timeout": SYNC_TIMEOUT}


def new_subscribed(scene: Scene) -> dict[str, Any]:
    return dict(subscribed(scene, source(scene)), type="subscribed", datastore="nfs-01", description="A replica")


def subscribed_elsewhere(scene: Scene) -> dict[str, Any]:
    replica(scene)
    return subscribed(scene, source(scene, "other"))


def subscribed_to_nobody(scene: Scene) -> dict[str, Any]:
    nobody = {"subscription_url": "https://127.0.0.1:1/cls/vcsp/lib/x/lib.json"}
    return dict(new_subscribed(scene), subscription=nobody)


def absent_replica(scene: Scene) -> dict[str, Any]:
    replica(scene)
    scene.simulator.config(delete_delay=0.3)
    return dict(name="replica", state="absent", wait_timeout=SYNC_TIMEOUT)


def synchronized(scene: Scene, **arguments: Any) -> dict[str, Any]:
    replica(scene)
    return dict(library_name="replica", wait_timeout=SYNC_TIMEOUT, **arguments)


def on_demand(scene: Scene, **arguments: Any) -> dict[str, Any]:
    replica(scene, on_demand=True)
    return dict(library_name="replica", wait_timeout=SYNC_TIMEOUT, **arguments)


def evicted(scene: Scene) -> dict[str, Any]:
    arguments = on_demand(scene, state="evicted")
    simulator = scene.simulator
    simulator.config(evict_delay=0.3)
    libraries = {key: entry["name"] for key, entry in simulator.state()["libraries"].items()}
    for entry in simulator.state()["items"].values():
        if libraries[entry["library_id"]] == "replica" and entry["name"] == "b":  # which its source no longer has
            simulator.change_item(entry["id"], files={"b.iso": "b\n"})
    return arguments


AUTO = ("api", "rest", "auto")
ONE_DIALECT = ("api",)  # a row that takes long, and whose requests other rows have with the other one
PUBLISHED = {"published": True, "authentication_method": "basic", "password": "new"}
NO_LONGER = {"published": False, "current_password": "old"}

TRANSITIONS = (
    Transition(
        "one session", update_session_info, lambda scene: dict(update_session_id=scene.session()), dialects=AUTO
    ),
    Transition(
        "sessions of an item", update_session_info, lambda scene: dict(library_item_id=scene.session() and ITEM)
    ),
    Transition("all sessions with their files", update_session_info, info_all),
    Transition(
        "none to ACTIVE", update_session, lambda scene: dict(library_item_id=ITEM, warning_behavior=SELF_SIGNED)
    ),
    Transition("ACTIVE adopted", update_session, lambda scene: dict(library_item_id=scene.session() and ITEM)),
    Transition("ACTIVE steered", update_session, steer),
    Transition("ACTIVE to DONE", update_session, done_slowly),
    Transition(
        "ACTIVE to CANCELED", update_session, lambda scene: dict(update_session_id=scene.session(), state="canceled")
    ),
    Transition(
        "ACTIVE of an item to CANCELED",
        update_session,
        lambda scene: dict(library_item_id=scene.session() and ITEM, state="canceled"),
    ),
    Transition(
        "ACTIVE to absent", update_session, lambda scene: dict(update_session_id=scene.session(), state="absent")
    ),
    Transition(
        "DONE to absent",
        update_session,
        lambda scene: dict(update_session_id=scene.session(state="DONE"), state="absent"),
    ),
    Transition("all of an item to absent", update_session, absent_all),
    Transition(
        "ACTIVE to ERROR",
        update_session_fail,
        lambda scene: dict(update_session_id=scene.session(), client_error_message="Given up"),
        dialects=AUTO,
    ),
    Transition(
        "DONE not to ERROR",
        update_session_fail,
        lambda scene: dict(update_session_id=scene.session(state="DONE"), client_error_message="Given up"),
        fails=True,
    ),
    Transition("file pushed", update_session_file, push_file),
    Transition("file pulled", update_session_file, pull_file),
    Transition(
        "file removed",
        update_session_file,
        lambda scene: dict(update_session_id=scene.session(), name="debian-12.iso", state="absent"),
    ),
    Transition("items of a name", library_item_info, item_info),
    Transition("all items", library_item_info, lambda scene: dict(library_id=DEMO, gather_files=True)),
    Transition("item without content", library_item, lambda scene: item(scene, name="empty", description="None yet")),
    Transition("new item", library_item, new_item, dialects=AUTO),
    Transition("content and description replaced", library_item, replaced),
    Transition("content replaced slowly", library_item, slowly),
    Transition("new OVF package", library_item, package),
    Transition("abandoned session replaced", library_item, stale),
    Transition("content pulled", library_item, pulled),
    Transition("unchanged item", library_item, unchanged),
    Transition("wrong checksum", library_item, mistaken, fails=True),
    Transition("wrong checksum for an item that is there", library_item, mistaken_again, fails=True),
    Transition("content refused", library_item, warned, fails=True),
    Transition("item held by another user", library_item, occupied, fails=True),
    Transition("item to absent", library_item, lambda scene: item(scene, name="debian-12", state="absent")),
    Transition("two items, one of them new", library_items, two_items),
    Transition("items at once, and others deleted", library_items, at_once),
    Transition("wrong checksum for one of two items", library_items, one_mistaken, fails=True),
    Transition("item and content renamed", library_item, renamed),
    Transition("wrong checksum for an item that is renamed", library_item, mistaken_name, fails=True),
    Transition("copy", library_item, copied, dialects=AUTO),
    Transition("copy given up", library_item, given_up, fails=True),
    Transition("items of a name in all libraries, with their storage", library_item_info, stored),
    Transition("export", library_item_export, export, dialects=AUTO),
    Transition("export of a file that is fetched first", library_item_export, exported_slowly),
    Transition("export of what can't be had", library_item_export, not_prepared, fails=True),
    Transition(
        "new library",
        library,
        lambda scene: local_library(scene, name="new", datastore="nfs-01", description="New", publication=PUBLISHED),
    ),
    Transition(
        "library no longer published",
        library,
        lambda scene: local_library(scene, name="guarded", description="Private", publication=NO_LONGER),
    ),
    Transition("library to absent", library, lambda scene: local_library(scene, name="guarded", state="absent")),
    Transition(
        "library on another datastore",
        library,
        lambda scene: local_library(scene, name="guarded", datastore="vmfs-01"),
        fails=True,
    ),
    Transition("new subscribed library", library, new_subscribed),
    Transition("library subscribed to another source", library, subscribed_elsewhere),
    Transition("library subscribed to nobody", library, subscribed_to_nobody, fails=True),
    Transition("subscribed library to absent", library, absent_replica),
    Transition("library synchronized", library_sync, synchronized),
    Transition(
        "one item synchronized", library_sync, lambda scene: synchronized(scene, name="a"), dialects=ONE_DIALECT
    ),
    Transition(
        "library synchronized with its content on demand",
        library_sync,
        lambda scene: on_demand(scene, force_content=True),
        dialects=ONE_DIALECT,
    ),
    Transition("library evicted", library_sync, evicted, dialects=("rest",)),
    Transition(
        "library that can't be evicted", library_sync, lambda scene: synchronized(scene, state="evicted"), fails=True
    ),
    Transition("all libraries", library_info, lambda scene: local_library(scene) and dict(gather_usage_count=True)),
    Transition("log in", api_session, lambda scene: dict(state="present")),
    Transition("log out", api_session, log_out),
)
