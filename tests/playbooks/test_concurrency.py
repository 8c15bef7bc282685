# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several runs at once, on one item and on many, and a run that is told to end."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import library_item
from tests.playbooks.plays import Playbooks, Server
from tests.processes import start_module, wait_until
from tests.simulator.process import SimulatorProcess
from tests.simulator.store import stable_id

DEMO, ITEM = stable_id("library", "demo"), stable_id("item", "debian-12")
# More of them in `make soak`.
HOSTS = int(os.environ.get("CONTENT_LIBRARY_HOSTS", "12"))
FORKS = int(os.environ.get("CONTENT_LIBRARY_FORKS", "6"))
STALE_AFTER = 2
SECONDS = 4  # that a push takes, which is longer than STALE_AFTER
SIZE = 200_000


class ModuleRun:
    """library_item in a process of its own, as Ansible starts a module."""

    def __init__(self, server: Server, **options: Any) -> None:
        self.process = start_module(library_item, {**server.connection_options, **options})

    def result(self) -> dict[str, Any]:
        return json.loads(self.process.communicate(timeout=60)[0])


@pytest.fixture
def push(servers: dict[str, Server], tmp_path: Path) -> Callable[..., ModuleRun]:
    """Starts a push of so many bytes of a letter to an item."""
    runs = []

    def start(letter: str, name: str = "debian-12", **options: Any) -> ModuleRun:
        path = tmp_path / letter / "content.iso"
        if not path.exists():
            path.parent.mkdir()
            path.write_bytes(letter.encode() * SIZE)
        shared = dict(library_id=DEMO, stale_after=STALE_AFTER, busy_timeout=0, request_timeout=10)
        runs.append(ModuleRun(servers["api"], name=name, src=[str(path)], **{**shared, **options}))
        return runs[-1]

    yield start
    for run in runs:
        run.process.kill()
        run.process.wait()


def until(condition: Callable[[], Any]) -> None:
    wait_until(condition, 30)


def is_moving(simulator: SimulatorProcess) -> bool:
    sessions = simulator.state()["sessions"].values()
    return any(file["status"] == "TRANSFERRING" for session in sessions for file in session["files"].values())


def start_push(
    simulator: SimulatorProcess, server: Server, playbook: Playbooks, way: str, folder: Path
) -> subprocess.Popen[bytes]:
    """A playbook that pushes to a new item, for a minute, as the leader of a process group."""
    source = folder / "content.iso"
    source.write_bytes(b"d" * SIZE)
    item = {**server.connection_options, "library_id": DEMO, "name": "new", "src": [str(source)]}
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [{"vsphere.content_library.library_item": item}]}
    (folder / "playbook.json").write_text(json.dumps([play]))
    (folder / "ansible.cfg").touch()
    simulator.config(upload_rate=SIZE / 60)
    process = subprocess.Popen(
        [sys.executable, "-m", "ansible", "playbook", folder / "playbook.json"],
        cwd=folder,
        env=playbook.environment(folder, way),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until(lambda: is_moving(simulator))
    return process


def content_of(simulator: SimulatorProcess, name: str) -> list[dict[str, str]]:
    """Of each item of the name, its files and their digests."""
    items = [item for item in simulator.state()["items"].values() if item["name"] == name]
    return [{name: file["sha256"] for name, file in item["files"].items()} for item in items]


def full_of(letter: str) -> list[dict[str, str]]:
    return [{"content.iso": hashlib.sha256(letter.encode() * SIZE).hexdigest()}]


def assert_nothing_left(simulator: SimulatorProcess) -> None:
    state = simulator.state()
    assert state["tokens"] == []
    assert [session["state"] for session in state["sessions"].values() if session["state"] == "ACTIVE"] == []


def test_a_living_push_is_not_taken_for_an_abandoned_one(simulator, push):
    simulator.config(upload_rate=SIZE / (3 * SECONDS))  # It has to last until the second has started.
    first = push("a")
    until(lambda: is_moving(simulator))
    second = push("b").result()
    assert second["failed"]
    assert second["error_type"] == "RESOURCE_BUSY", second
    assert first.result()["changed"]
    assert content_of(simulator, "debian-12") == full_of("a")
    assert_nothing_left(simulator)


@pytest.mark.costly
def test_a_living_push_is_waited_for(simulator, push):
    simulator.config(upload_rate=SIZE / SECONDS)
    first = push("a")
    until(lambda: is_moving(simulator))
    second = push("b", busy_timeout=60)
    assert first.result()["changed"]
    assert second.result()["operations"] == ["create", "add_file", "upload", "complete"]
    assert content_of(simulator, "debian-12") == full_of("b")
    assert_nothing_left(simulator)


@pytest.mark.costly
def test_what_a_living_push_brings_is_not_brought_again(simulator, push):
    simulator.config(upload_rate=SIZE / SECONDS)
    first = push("a")
    until(lambda: is_moving(simulator))
    second = push("a", busy_timeout=60)
    assert first.result()["changed"]
    assert second.result()["operations"] == []
    assert_nothing_left(simulator)


@pytest.mark.parametrize("busy_timeout", [0, 60])
@pytest.mark.costly
def test_two_begin_a_new_item_at_once(simulator, push, busy_timeout):
    """Both find none, and both create it: one is told that it exists."""
    simulator.config(upload_rate=SIZE / SECONDS)
    hang = {"kind": "hang", "seconds": 1.0, "process": True}
    simulator.faults([{"match": {"operation": "item.find"}, "count": 2, "fault": hang}])
    runs = {letter: push(letter, "new", busy_timeout=busy_timeout) for letter in "ab"}
    results = {letter: run.result() for letter, run in runs.items()}
    winners = [letter for letter, result in results.items() if result.get("changed")]
    losers = [result for result in results.values() if result.get("failed")]
    assert len(winners) == (2 if busy_timeout else 1), results
    assert [result["error_type"] for result in losers] == ["RESOURCE_BUSY"] * (2 - len(winners)), results
    assert content_of(simulator, "new") in [full_of(letter) for letter in winners]
    assert_nothing_left(simulator)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_playbook_that_is_told_to_end_clears_up(simulator, servers, playbook: Playbooks, way, number, tmp_path):
    """As systemd and AWX tell it, and Ctrl-C: the whole process group, without the workers, which have their own."""
    process = start_push(simulator, servers["api"], playbook, way, tmp_path)
    os.killpg(process.pid, number)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()  # ansible-core's own process may wait for ever; what its worker leaves behind is what counts.
    until(lambda: not simulator.state()["tokens"])
    assert_nothing_left(simulator)
    assert content_of(simulator, "new") == []


def test_a_worker_whose_playbook_was_killed_clears_up(simulator, servers, playbook: Playbooks, tmp_path):
    """As the kernel does it where memory is short, and AWX in the end."""
    process = start_push(simulator, servers["api"], playbook, "in_process", tmp_path)
    process.kill()
    process.wait()
    until(lambda: not simulator.state()["tokens"])
    assert_nothing_left(simulator)
    assert content_of(simulator, "new") == []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system does not show the signals of threads")
def test_signals_wake_the_thread_that_clears_up(simulator, push):
    """Of two signals that come at once, Linux may give both to any thread that takes them."""
    simulator.config(upload_rate=SIZE / SECONDS)
    process = push("a").process
    until(lambda: is_moving(simulator))
    takers = set()
    for thread in Path(f"/proc/{process.pid}/task").iterdir():
        blocked = int(re.search(r"^SigBlk:\s*(\w+)", (thread / "status").read_text(), re.MULTILINE)[1], 16)
        if not all(blocked >> number - 1 & 1 for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)):
            takers.add(int(thread.name))
    assert takers == {process.pid}


@pytest.mark.costly
def test_many_hosts(simulator, servers, playbook: Playbooks, way, tmp_path):
    source = tmp_path / "content.iso"
    source.write_bytes(b"c" * SIZE)
    item = {"library_name": "demo", "name": "{{ inventory_hostname }}", "src": [str(source)]}
    tasks = [{"name": "push", "vsphere.content_library.library_item": item}]
    hosts = {f"host-{number}": servers["api"] for number in range(HOSTS)}
    begin = time.monotonic()
    run = playbook(tasks, hosts, way=way, env={"ANSIBLE_FORKS": str(FORKS)}).succeeded()
    print(f"{HOSTS} hosts, {FORKS} forks, {way}: {time.monotonic() - begin:.1f} s")
    assert [run.task("push", host).result["changed"] for host in hosts] == [True] * HOSTS
    assert all(content_of(simulator, host) == full_of("c") for host in hosts)
    assert_nothing_left(simulator)
