# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many items in one task that is ended in its midst, by a signal or its timeout."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import library_items
from tests.processes import start_module, wait_until

ITEMS = "vsphere.content_library.library_items"
LARGE = 3 << 20
RATE = 1 << 18
# The clean-up of an item takes some requests, and this machine may be busy.
AT_ONCE = 20.0


@pytest.fixture
def images(tmp_path):
    (tmp_path / "small.iso").write_text("small")
    with (tmp_path / "large.iso").open("wb") as stream:
        stream.truncate(LARGE)
    return tmp_path


def entries(images, large: int = 6) -> list[dict[str, Any]]:
    """One that is published at once, one that is there, and several that take their time."""
    return [
        {"name": "finished", "src": f"{images}/small.iso"},
        {"name": "there", "src": f"{images}/large.iso"},
        *({"name": f"large {number}", "src": f"{images}/large.iso"} for number in range(large)),
    ]


def prepare(simulator) -> str:
    simulator.reset()
    library = simulator.add_library("shop", items=[{"name": "there", "files": {"large.iso": "as it was"}}])
    simulator.config(upload_rate=RATE)
    return library


def check_left(simulator, library: str, reason: str) -> None:
    """What is finished stays, what was there is as it was, and the rest is gone, with the reason in its sessions."""
    simulator.config(upload_rate=None)
    state = simulator.state()
    items = {item["name"]: item for item in state["items"].values() if item["library_id"] == library}
    assert items.keys() == {"finished", "there"}
    assert items["there"]["files"]["large.iso"]["size"] == len("as it was")
    assert state["tokens"] == []
    told = {
        (session["state"], (session["error_message"] or {}).get("default_message"))
        for session in state["sessions"].values()
    }
    assert ("ACTIVE", None) not in told
    [failed] = [message for ended, message in told if ended == "ERROR"]
    assert reason in failed


def started(simulator, arguments: dict[str, Any]) -> subprocess.Popen[str]:
    """The module as Ansible starts it."""
    connection = {
        "hostname": simulator.host,
        "port": simulator.port,
        "username": simulator.username,
        "password": simulator.password,
        "ca_path": simulator.ca_path,
    }
    return start_module(library_items, {**connection, **arguments}, stderr=subprocess.PIPE)


def interrupted(simulator, images, number: signal.Signals, midst: Callable[[], bool]) -> None:
    """Send a signal to the module in the midst of its work, and see it end by that at once."""
    process = started(simulator, {"library_name": "shop", "items": entries(images)})
    try:
        wait_until(midst, AT_ONCE)
        process.send_signal(number)
        begin = time.monotonic()
        output, errors = process.communicate(timeout=AT_ONCE)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -number, output + errors
    assert time.monotonic() - begin < AT_ONCE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_every_item(number, simulator, images):
    library = prepare(simulator)

    def is_in_its_midst() -> bool:
        sessions = simulator.state()["sessions"].values()
        return (
            sum(session["state"] == "DONE" for session in sessions) == 1
            and sum(session["state"] == "ACTIVE" and bool(session["files"]) for session in sessions) == 4
        )

    interrupted(simulator, images, number, is_in_its_midst)
    check_left(simulator, library, f"interrupted by {number.name}")


def test_a_signal_waits_for_the_items_that_are_being_created(simulator, images):
    """Their ids are in answers that come late, and nobody else could delete them."""
    library = prepare(simulator)
    hang = {"kind": "hang", "seconds": 2.0, "process": True}
    simulator.faults([{"match": {"operation": "item.create"}, "at": 2, "count": 4, "fault": hang}])
    interrupted(simulator, images, signal.SIGTERM, lambda: len(simulator.state()["items"]) >= 5)
    simulator.faults([])
    state = simulator.state()
    names = {item["name"] for item in state["items"].values() if item["library_id"] == library}
    assert names <= {"finished", "there"}
    assert state["tokens"] == []
    assert not [session for session in state["sessions"].values() if session["state"] == "ACTIVE"]


@pytest.mark.costly
def test_a_server_that_hangs_is_not_waited_for(simulator, images):
    prepare(simulator)
    hang = {"kind": "hang", "seconds": 15, "process": False}
    simulator.faults([{"match": {"operation": "file.add"}, "at": 2, "count": 4, "fault": hang}])
    interrupted(
        simulator,
        images,
        signal.SIGTERM,
        lambda: sum(request["operation"] == "file.add" for request in simulator.requests()) >= 5,
    )
    state = simulator.state()
    assert state["tokens"] == []
    assert not [session for session in state["sessions"].values() if session["state"] == "ACTIVE"]


@pytest.mark.costly
def test_a_timeout_ends_every_item(playbook, servers, simulators, images):
    """In ansible-core's worker, and the task is one of a play that goes on."""
    library = prepare(simulators["api"])
    task = {ITEMS: {"library_name": "shop", "items": entries(images)}, "timeout": 4, "ignore_errors": True}
    run = playbook([{"name": "late", **task}], {"api": servers["api"]}, way="in_process").succeeded()
    late = run.task("late")
    assert late.status == "failed"
    assert late.seconds < AT_ONCE
    check_left(simulators["api"], library, "imed out")


@pytest.mark.costly
def test_progress_of_the_whole(playbook, servers, simulators, images):
    """One line for all items, however many there are."""
    prepare(simulators["api"])
    simulators["api"].config(upload_rate=RATE)
    task = {ITEMS: {"library_name": "shop", "items": entries(images, large=3), "parallel": 5}}
    run = playbook([{"name": "push", **task}], {"api": servers["api"]}, way="in_process").succeeded()
    lines = [line for line in run.output.splitlines() if "MB/s" in line]
    assert lines, run.output
    assert all(f"{ITEMS}: 1 of 5 items, " in line for line in lines)
