# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task costs in a play, against the simulator and beside ansible.builtin.ping."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from tests.benchmark.measurement import Took, collections_path, interleaved, measure, middle, python_environment
from tests.benchmark.modules import by_package, new_client
from tests.pages import table
from tests.simulator.process import SimulatorProcess

FEW, MANY = 1, 21
ITEMS = 100
CONTENT = "x" * 1024
WAYS = {"in process": "true", "as a module": "false"}
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
PING, BARE = "`ansible.builtin.ping`", "a module that does `requests.get`"
WANTED = (("in process", ("token",), 0.35), ("in process", ("login",), 0.5), ("as a module", ("token", "login"), 1.4))
MODULES = {"update_session_info": 1.05, "update_session_fail": 1.05, "library_item": 1.10}  # of BARE, at most


class Plays:
    """Runs tasks in plays of their own, each against a simulator that has nothing but what they are about."""

    def __init__(self, folder: Path, simulator: SimulatorProcess) -> None:
        self.folder, self.simulator = folder, simulator
        self.source = folder / "item.bin"
        self.source.write_text(CONTENT)
        (folder / "library").mkdir()
        (folder / "library" / "one_get.py").write_text(ONE_GET)
        self.env = python_environment(
            {
                **simulator.environment,
                "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(collections_path()),
                "ANSIBLE_HOME": str(folder / "ansible"),
                "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
                "ANSIBLE_LOCALHOST_WARNING": "0",
            }
        )

    def run(self, tasks: list[dict[str, Any]], in_process: str = "true", token: bool = False) -> Took:
        playbook = self.folder / "play.yml"
        playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        env = {**self.env, "VSPHERE_CONTENT_LIBRARY_IN_PROCESS": in_process}
        with ExitStack() as stack:
            if token:
                env["VMWARE_SESSION_ID"] = stack.enter_context(new_client(self.simulator)).token()
            return measure([sys.executable, "-m", "ansible", "playbook", playbook], env, self.folder)

    def ping(self, count: int) -> Took:
        return self.run([{"ansible.builtin.ping": {}} for _number in range(count)])

    def bare(self, session: str) -> dict[str, Any]:
        """A task that looks at a session with one requests.get."""
        url = f"{self.simulator.url}/api/content/library/item/update-session/{session}"
        return {"one_get": {"url": url, "ca_path": self.simulator.ca_path}}

    def one_get(self, count: int) -> Took:
        self.simulator.reset()
        [session] = self.simulator.add_sessions(1)
        return self.run([self.bare(session)] * count, token=True)

    def task(self, module: str, session: str, item_id: str) -> dict[str, Any]:
        """A task of a module: look at a session, fail it, leave an item alone."""
        options = {
            "update_session_info": {"update_session_id": session},
            "update_session_fail": {"update_session_id": session, "client_error_message": "Over."},
            "library_item": {"library_item_id": item_id, "src": str(self.source)},
        }
        return {f"vsphere.content_library.{module}": options[module]}

    def tasks(self, module: str, count: int, in_process: str, token: bool) -> Took:
        """That many tasks of a module, with a session each."""
        self.simulator.reset()
        item_id = self.simulator.add_item("item", files={self.source.name: CONTENT})
        tasks = [self.task(module, session, item_id) for session in self.simulator.add_sessions(count)]
        took = self.run(tasks, in_process, token)
        state = self.simulator.state()
        failed = [session for session in state["sessions"].values() if session["state"] == "ERROR"]
        if len(failed) != count * (module == "update_session_fail"):
            raise RuntimeError(f"{count} tasks of {module} failed {len(failed)} sessions")
        return took

    def items(self, in_process: str, token: bool) -> Took:
        """An item for each turn of a loop, new, and once more as it is; told are the seconds of the latter."""
        self.simulator.reset()
        task = {
            "vsphere.content_library.library_item": {
                "library_name": "demo",
                "name": "item {{ item }}",
                "src": str(self.source),
            },
            "loop": f"{{{{ range({ITEMS}) | list }}}}",
        }
        new = self.run([task], in_process, token)
        again = self.run([task], in_process, token)
        items = self.simulator.state()["items"].values()
        if sum(item["name"].startswith("item ") for item in items) != ITEMS:
            raise RuntimeError(f"the loop did not leave {ITEMS} items")
        new.told = {"again": again.seconds}
        return new


@contextmanager
def plays() -> Iterator[Plays]:
    with tempfile.TemporaryDirectory(prefix="content-library-benchmark-") as folder, SimulatorProcess() as simulator:
        yield Plays(Path(folder), simulator)


def slopes(rounds: int) -> str:
    """What one more task costs a play: the slope between plays of 1 and of 21 tasks."""
    with plays() as play:
        cases: dict[tuple[str, ...], Callable[[int], Took]] = {
            (PING, "", ""): play.ping,
            (BARE, "as a module", "token"): play.one_get,
        }
        for module in MODULES:
            for way, in_process in WAYS.items():
                for token in (True, False):
                    case = (f"`{module}`", way, "token" if token else "login")
                    cases[case] = partial(play.tasks, module, in_process=in_process, token=token)
        subjects = {(case, count): partial(run, count) for case, run in cases.items() for count in (FEW, MANY)}
        took = interleaved(subjects, rounds)

    def slope(case: tuple[str, ...], what: str) -> list[float]:
        """Milliseconds of one more task, by round."""
        pairs = zip(took[case, FEW], took[case, MANY])
        return [1000 * (getattr(many, what) - getattr(few, what)) / (MANY - FEW) for few, many in pairs]

    ping = next(iter(cases))
    rows, of_ping = [], {}
    for case in cases:
        row: list[Any] = list(case)
        for what in ("seconds", "cpu"):
            each = median(slope(case, what))
            row += [f"{each:.0f}", each / median(slope(ping, what))]
        if case[0].strip("`") in MODULES:
            of_ping[case] = row[4]
        rows.append((*row, middle(took[case, FEW], "seconds")))
    header = ("a task", "", "", "ms", "of ping", "CPU, ms", "of ping's", "seconds of a play of 1")
    limits = []
    for way, logins, most in WANTED:
        largest = max(ratio for case, ratio in of_ping.items() if case[1] == way and case[2] in logins)
        limits.append((f"{way}, {' or '.join(logins)}", most, largest))
    return f"{table(header, *rows)}\n\n{table(('of ping, whatever the module', 'at most', 'is'), *limits)}"


def imports(rounds: int) -> str:
    """CPU of the module process, as ansible-core packs it, beside a module that does one requests.get."""
    with plays() as play, new_client(play.simulator) as client:
        item_id = play.simulator.add_item("item", files={play.source.name: CONTENT})
        [session] = play.simulator.add_sessions(1)
        env = {**play.env, "VSPHERE_CONTENT_LIBRARY_IN_PROCESS": "false", "VMWARE_SESSION_ID": client.token()}
        tasks = {
            PING: {"ansible.builtin.ping": {}},
            BARE: play.bare(session),
            **{f"`{module}`": play.task(module, session, item_id) for module in MODULES},
        }
        packed = {
            title: pack(task, play.folder / str(number), env) for number, (title, task) in enumerate(tasks.items())
        }

        def run(title: str) -> Took:
            play.simulator.change_session(session, state="ACTIVE")
            return measure_module(packed[title], env)

        took = interleaved({title: partial(run, title) for title in tasks}, 6 * rounds)
    # The least, not the median: the differences are small, and what else the machine does only adds.
    cpu = {title: 1000 * min(each.cpu for each in runs) for title, runs in took.items()}
    rows = [(title, f"{value:.0f}", value / cpu[BARE]) for title, value in cpu.items()]
    limits = [(f"`{module}`", most, cpu[f"`{module}`"] / cpu[BARE]) for module, most in MODULES.items()]
    processes = table(("a module process", "CPU, ms", f"of {BARE}"), *rows)
    wanted = table((f"CPU, of {BARE}", "at most", "is"), *limits)
    return f"{processes}\n\n{wanted}\n\n{by_package(2 * rounds)}"


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
    return took


def hundred(rounds: int) -> str:
    """100 items of 1 KiB in one play, new and then unchanged."""
    with plays() as play:
        subjects = {
            (way, "token" if token else "login"): partial(play.items, in_process, token)
            for way, in_process in WAYS.items()
            for token in (True, False)
        }
        took = interleaved(subjects, max(1, rounds // 5))
    rows = [(*case, middle(each, "seconds"), middle(each, "again")) for case, each in took.items()]
    return table((f"{ITEMS} items in a loop", "", "new, seconds", "unchanged, seconds"), *rows)
