# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files into library items of vcsim, by the collection and by others."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._library_items import LibraryItems
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions
from tests.benchmark.measurement import MIB, Took, collections_path, measure, middle, module_command, python_environment
from tests.benchmark.measurement import interleaved as by_turns
from tests.pages import table
from tests.playbooks.vcsim import VcsimProcess, go_build

LIBRARY = "benchmark"
PUSHES = (sys.executable, "-m", "tests.benchmark.pushes")
PLAYBOOK = (sys.executable, "-m", "ansible", "playbook")
NEW = "new"


class Target:
    """vcsim with a library, the files to push, and one method for each way to push one of them."""

    def __init__(self, vcsim: VcsimProcess, folder: Path) -> None:
        self.folder = folder
        self.govc = go_build("./govc")
        self.library_id = vcsim.create_library(LIBRARY)
        self.ca_path = vcsim.ca_path
        self.client = VCenterClient(
            vcsim.host, vcsim.port, username=vcsim.username, password=vcsim.password, ca_path=vcsim.ca_path
        )
        self.items, self.sessions = LibraryItems(self.client), UpdateSessions(self.client)
        self.env = python_environment(
            {
                **vcsim.environment,
                "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(collections_path()),
                "ANSIBLE_HOME": str(folder / "ansible"),
                "ANSIBLE_LOCALHOST_WARNING": "0",
                "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
                "GOVC_URL": f"https://{vcsim.username}:{vcsim.password}@{vcsim.host}:{vcsim.port}",
                "GOVC_TLS_CA_CERTS": vcsim.ca_path,
                "GOVMOMI_HOME": str(folder / "govmomi"),
                "GOVC_PERSIST_SESSION": "false",
            }
        )

    def file(self, size: int) -> Path:
        """A file that is in the page cache."""
        path = self.folder / f"{size}.bin"
        if not path.exists():
            block = os.urandom(min(size, MIB))
            with path.open("wb") as file:
                for _number in range(size // len(block)):
                    file.write(block)
        return path

    def clear(self) -> None:
        self.client.map(self.items.delete, self.items.list_ids(self.library_id))

    def measured(self, *command: str | Path, keep: bool = False, **env: str) -> Took:
        """Run a command, and delete what it pushed, but for keep: each begins with an empty library."""
        took = measure(command, {**self.env, **env})
        if not keep:
            self.clear()
        return took

    def by_transfer(self, size: int, algorithm: str = "") -> Took:
        return self.measured(*PUSHES, "transfer", LIBRARY, NEW, self.file(size), algorithm)

    def by_module(self, size: int) -> Took:
        arguments = {"library_name": LIBRARY, "name": NEW, "src": str(self.file(size))}
        took = self.measured(*module_command("library_item", arguments))
        took.told = {}
        return took

    def by_playbook(self, size: int, count: int = 1, token: bool = False) -> Took:
        connection = {"session_id": "{{ login.session_id }}"} if token else {}
        content = {"library_name": LIBRARY, "name": "item {{ item }}", "src": str(self.file(size)), **connection}
        tasks = [
            {"vsphere.content_library.api_session": {"state": "present"}, "register": "login", "no_log": True},
            {"vsphere.content_library.library_item": content, "loop": f"{{{{ range({count}) | list }}}}"},
            {"vsphere.content_library.api_session": {"state": "absent", **connection}},
        ]
        return self.measured(*self.playbook(*(tasks if token else tasks[1:2])))

    def playbook(self, *tasks: dict[str, Any]) -> list[str]:
        """The command that runs a play with these tasks."""
        path = self.folder / "playbook.yml"
        path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}]))
        return [*PLAYBOOK, str(path)]

    def by_govc(self, size: int, count: int = 1, persist: bool = False) -> Took:
        loop = 'for item in $(seq "$2"); do "$0" library.import -n "item $item" benchmark "$1" || exit; done'
        path = self.file(size)
        return self.measured("sh", "-c", loop, self.govc, path, str(count), GOVC_PERSIST_SESSION=str(persist).lower())

    def endpoint(self, size: int) -> str:
        """Where a PUT of a file can go, to a session of its own."""
        session_id = self.sessions.create(self.items.create(self.library_id, NEW, None, None))
        added = self.sessions.files.add(session_id, {"name": self.file(size).name, "source_type": "PUSH", "size": size})
        return added["upload_endpoint"]["uri"]

    def by_curl(self, size: int) -> Took:
        return self.measured(*self.curl(), "--upload-file", self.file(size), self.endpoint(size))

    def curl(self) -> list[str]:
        """The command that every transfer by curl begins with."""
        token = f"vmware-api-session-id: {self.client.token()}"
        return ["curl", "--silent", "--show-error", "--fail", "--cacert", self.ca_path, "--header", token]

    def by_bare_loop(self, size: int) -> Took:
        return self.measured(*PUSHES, "bare", self.endpoint(size), self.client.token(), self.file(size))


@contextlib.contextmanager
def target(latency: float = 0.0) -> Iterator[Target]:
    with tempfile.TemporaryDirectory(prefix="content-library-benchmark-") as folder, VcsimProcess(latency) as vcsim:
        made = Target(vcsim, Path(folder))
        with made.client:
            yield made


def transfer(rounds: int) -> str:
    """1 GiB, by the collection, govc, curl and a bare loop."""
    size = 1024 * MIB
    with target() as to:
        govc, curl, bare = "`govc library.import`", "`curl -T`, the PUT alone", "`http.client` loop, the PUT alone"
        ours, hashed = "transfer layer", "transfer layer, with SHA-1"
        module, playbook = "`library_item` as a module", "`library_item` in `ansible-playbook`"
        took = by_turns(
            {
                ours: partial(to.by_transfer, size),
                hashed: partial(to.by_transfer, size, "SHA1"),
                module: partial(to.by_module, size),
                playbook: partial(to.by_playbook, size),
                govc: partial(to.by_govc, size),
                curl: partial(to.by_curl, size),
                bare: partial(to.by_bare_loop, size),
            },
            rounds,
        )
    seconds = {name: middle(runs, "seconds") for name, runs in took.items()}
    put_seconds = {name: middle(took[name], "put_seconds") for name in (ours, hashed, bare)}
    header = ("1 GiB", "seconds", "of govc", "of curl", "PUT", "of the loop", "CPU seconds", "peak MiB")
    rows = [
        (
            name,
            seconds[name],
            seconds[name] / seconds[govc],
            seconds[name] / seconds[curl],
            put_seconds.get(name, ""),
            put_seconds[name] / put_seconds[bare] if name in put_seconds else "",
            middle(runs, "cpu"),
            f"{max(run.peak for run in runs) / MIB:.0f}",
        )
        for name, runs in took.items()
    ]
    limits = [
        ("the PUT, of that of the bare loop", 1.05, put_seconds[ours] / put_seconds[bare]),
        ("the transfer, of `govc library.import`", 1.10, seconds[ours] / seconds[govc]),
        ("the transfer, of `curl -T`", 1.15, seconds[ours] / seconds[curl]),
        ("the transfer with SHA-1, of `govc library.import`", 1.70, seconds[hashed] / seconds[govc]),
    ]
    return f"{table(header, *rows)}\n\n{table(('what was wanted', 'at most', 'is'), *limits)}"


def growth(rounds: int) -> str:
    """The module process, whatever the size."""
    rows = []
    with target() as to:
        for mib in (1, 16, 128, 1024, 2048):
            subjects = {"module": partial(to.by_module, mib * MIB), "govc": partial(to.by_govc, mib * MIB)}
            took = by_turns(subjects, rounds)
            peak = max(run.peak for run in took["module"]) / MIB
            seconds = middle(took["module"], "seconds")
            rows.append(
                (f"{mib} MiB", seconds, middle(took["module"], "cpu"), f"{peak:.0f}", middle(took["govc"], "seconds"))
            )
            to.file(mib * MIB).unlink()
    return table(("`library_item` as a module", "seconds", "CPU seconds", "peak MiB", "govc, seconds"), *rows)


def small(rounds: int) -> str:
    """1, 10 and 100 items of 100 KiB in one play."""
    size, counts = 100 << 10, (1, 10, 100)
    with target() as to:
        ways = {
            "a play, a login for each item": to.by_playbook,
            "a play, one login by `api_session`": partial(to.by_playbook, token=True),
            "govc in a loop, a login for each item": to.by_govc,
            "govc in a loop, its session kept": partial(to.by_govc, persist=True),
        }
        took = {
            count: by_turns({way: partial(by, size, count) for way, by in ways.items()}, rounds) for count in counts
        }
    rows = []
    for way in ways:
        seconds = [middle(took[count][way], "seconds") for count in counts]
        each = (seconds[-1] - seconds[0]) / (counts[-1] - counts[0])
        rows.append((way, *seconds, f"{1000 * each:.0f}"))
    return table(("items of 100 KiB, seconds", *map(str, counts), "ms for one more"), *rows)
