# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules cost against the simulator: an unchanged item, their imports, a long list of sessions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions
from tests.benchmark.measurement import MIB, Took, interleaved, measure, middle, python_environment
from tests.pages import table
from tests.simulator.process import SimulatorProcess

# What the modules import only where they come to need it: to list, for an OVA, for an OVF.
PUT_OFF = "concurrent.futures.thread, tarfile, xml.parsers.expat"
GROUPS = {
    "the collection": ("ansible_collections",),
    "requests": ("requests", "urllib3", "charset_normalizer", "idna", "certifi"),
    "ansible-core": ("ansible",),
    "Python": (),
}


def new_client(simulator: SimulatorProcess) -> VCenterClient:
    return VCenterClient(
        simulator.host,
        simulator.port,
        username=simulator.username,
        password=simulator.password,
        ca_path=simulator.ca_path,
    )


def unchanged(rounds: int) -> str:
    """A second run over an item of 1 GiB whose bytes are the same."""
    size = 1024 * MIB
    counts = {"read": "MiB read", "requests": "requests", "puts": "PUTs"}
    with tempfile.TemporaryDirectory(prefix="content-library-benchmark-") as folder, SimulatorProcess() as simulator:
        path = Path(folder, "unchanged.bin")
        block = os.urandom(MIB)
        with path.open("wb") as file:
            for _number in range(size // MIB):
                file.write(block)
        env = python_environment(simulator.environment)

        def process(*arguments: str | Path) -> Took:
            simulator.clear_requests()
            took = measure([sys.executable, "-m", "tests.benchmark.pushes", *arguments], env)
            methods = [request["method"] for request in simulator.requests()]
            took.told.update(read=took.told["read"] / MIB, requests=len(methods), puts=methods.count("PUT"))
            return took

        def library_item(**options: str) -> Took:
            arguments = {"src": str(path), **options}
            return process("module", "library_item", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))

        names = {"library_name": "demo", "name": "unchanged"}
        first = library_item(**names)
        [(item_id, item)] = [row for row in simulator.state()["items"].items() if row[1]["name"] == names["name"]]
        with new_client(simulator) as client:
            ids = {"library_id": item["library_id"], "library_item_id": item_id, "session_id": client.token()}
            subjects = {
                "unchanged": partial(library_item, **names),
                "unchanged, with ids and token": partial(library_item, **ids),
                "read and hashed, nothing else": partial(process, "sha1", path),
            }
            took = interleaved(subjects, rounds)
    rows = [
        (name, middle(runs, "seconds"), middle(runs, "cpu"), *(f"{middle(runs, what):.0f}" for what in counts))
        for name, runs in {"new": [first], **took}.items()
    ]
    return table(("1 GiB by `library_item`", "seconds", "CPU seconds", *counts.values()), *rows)


def by_package(rounds: int) -> str:
    """Where the time of imports goes, by Python's own clock, and what is put off until it is needed."""
    name = "ansible_collections.vsphere.content_library.plugins.modules"
    imported = {
        "`update_session_info`": f"{name}.update_session_info",
        "`library_item`": f"{name}.library_item",
        "`library_item`, nothing put off": f"{name}.library_item, {PUT_OFF}",
    }
    took = interleaved({title: partial(milliseconds, names) for title, names in imported.items()}, rounds)
    rows = []
    for title, runs in took.items():
        least = min(runs, key=lambda run: sum(run.values()))
        rows.append((title, *(f"{value:.1f}" for value in least.values()), f"{sum(least.values()):.1f}"))
    return table(("imports of a module, ms", *GROUPS, "all"), *rows)


def milliseconds(names: str) -> dict[str, float]:
    """What importing takes, by group."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {names}"]
    done = subprocess.run(command, env=python_environment({}), capture_output=True, text=True, check=True)
    spent = dict.fromkeys(GROUPS, 0.0)
    for own, _cumulative, package in (line[len("import time:") :].split("|") for line in done.stderr.splitlines()[1:]):
        top = package.strip().partition(".")[0]
        group = next((group for group, tops in GROUPS.items() if top in tops), "Python")
        spent[group] += int(own) / 1000
    return spent


def listing(rounds: int) -> str:
    """1,000 sessions of a server that answers after 20 ms."""
    count, latency = 1000, 0.02
    with SimulatorProcess() as simulator:
        simulator.add_sessions(count)
        simulator.config(latency=latency)
        with new_client(simulator) as client:
            sessions = UpdateSessions(client)

            def one_after_the_other() -> list[Any]:
                ids = [session["id"] for session in sessions.list_all_sessions()]
                return [sessions.get(session_id) for session_id in ids]

            ways = {
                "one after the other": one_after_the_other,
                "`update_sessions` by the collection": sessions.list_all_sessions,
            }
            took = interleaved({way: partial(clocked, by, count) for way, by in ways.items()}, max(5, rounds // 2))
    seconds = {way: middle(runs, "seconds") for way, runs in took.items()}
    longest = max(seconds.values())
    rows = [(way, value, value / longest) for way, value in seconds.items()]
    return table((f"{count} sessions, {1000 * latency:.0f} ms latency", "seconds", "ratio"), *rows)


def clocked(listed: Any, count: int) -> Took:
    start, cpu = time.monotonic(), time.process_time()
    found = listed()
    if len(found) != count:
        raise RuntimeError(f"{len(found)} sessions were listed, not {count}")
    return Took(time.monotonic() - start, time.process_time() - cpu, 0)
