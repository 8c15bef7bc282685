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

import yaml

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions
from tests.benchmark.measurement import MIB, Took, collections_path, interleaved, measure, middle, python_environment
from tests.pages import table
from tests.simulator.process import SimulatorProcess

# The least that a module with requests can do.
ONE_GET = """\
import os
import requests
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({"url": {}, "ca_path": {}})
headers = {"vmware-api-session-id": os.environ["VMWARE_SESSION_ID"]}
answer = requests.get(module.params["url"], headers=headers, verify=module.params["ca_path"], timeout=60)
answer.raise_for_status()
module.exit_json(update_session=answer.json())
"""
BARE = "a module that does `requests.get`"
OF_BARE = {"`update_session_info`": 1.05, "`update_session_fail`": 1.05, "`library_item`, unchanged": 1.10}

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


def imports(rounds: int) -> str:
    """CPU of the module process, as ansible-core packs it, beside a module that does one requests.get."""
    with tempfile.TemporaryDirectory(prefix="content-library-benchmark-") as name, SimulatorProcess() as simulator:
        folder = Path(name)
        (folder / "library").mkdir()
        (folder / "library" / "one_get.py").write_text(ONE_GET)
        source = folder / "item.bin"
        source.write_text("x")
        item_id = simulator.add_item("item", files={source.name: "x"})
        [session] = simulator.add_sessions(1)
        url = f"{simulator.url}/api/content/library/item/update-session/{session}"
        failing = {"update_session_id": session, "client_error_message": "Over."}
        info, fail, item = OF_BARE
        tasks: dict[str, dict[str, Any]] = {
            "`ping` of ansible-core": {"ansible.builtin.ping": {}},
            BARE: {"one_get": {"url": url, "ca_path": simulator.ca_path}},
            info: {"vsphere.content_library.update_session_info": {"update_session_id": session}},
            fail: {"vsphere.content_library.update_session_fail": failing},
            item: {"vsphere.content_library.library_item": {"library_item_id": item_id, "src": str(source)}},
        }
        with new_client(simulator) as client:
            env = python_environment(
                {
                    **simulator.environment,
                    "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(collections_path()),
                    "ANSIBLE_HOME": str(folder / "ansible"),
                    "ANSIBLE_LOCALHOST_WARNING": "0",
                    "VSPHERE_CONTENT_LIBRARY_IN_PROCESS": "false",
                    "VMWARE_SESSION_ID": client.token(),
                }
            )
            packed = {
                title: pack(task, folder / str(number), env) for number, (title, task) in enumerate(tasks.items())
            }

            def run(title: str) -> Took:
                simulator.change_session(session, state="ACTIVE")
                return measure_module(packed[title], env)

            took = interleaved({title: partial(run, title) for title in tasks}, 6 * rounds)
    # The least, not the median: the differences are small, and what else the machine does only adds.
    cpu = {title: 1000 * min(each.cpu for each in runs) for title, runs in took.items()}
    rows = [(title, f"{value:.0f}", value / cpu[BARE]) for title, value in cpu.items()]
    limits = [(title, most, cpu[title] / cpu[BARE]) for title, most in OF_BARE.items()]
    processes = table(("a module process", "CPU, ms", f"of {BARE}"), *rows)
    wanted = table((f"CPU, of {BARE}", "at most", "is"), *limits)
    return f"{processes}\n\n{wanted}\n\n{by_package(2 * rounds)}"


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


def pack(task: dict[str, Any], folder: Path, env: dict[str, str]) -> Path:
    """The file that ansible-core makes of a task's module, with its options in it, and runs on the host."""
    folder.mkdir()
    playbook = folder.parent / f"{folder.name}.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    keep = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_PIPELINING": "0", "ANSIBLE_REMOTE_TMP": str(folder)}
    measure([sys.executable, "-m", "ansible", "playbook", playbook], {**env, **keep})
    [path] = folder.glob("*/AnsiballZ_*.py")
    return path


def measure_module(path: Path, env: dict[str, str]) -> Took:
    """Run a packed module, which must succeed."""
    took = measure([sys.executable, path], env)
    if not took.told or took.told.get("failed"):
        raise RuntimeError(f"{path} told {took.told}")
    took.told = {}
    return took


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
