# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files out of library items of vcsim, by the collection and by others."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.vsphere.content_library.plugins.module_utils._download_sessions import DownloadSessions
from tests.benchmark.content import LIBRARY, PUSHES, Target, target
from tests.benchmark.link import gigabit
from tests.benchmark.measurement import MIB, Took, interleaved, measure, middle, module_command
from tests.pages import table


class Source:
    """A target with items that have one file each, and one method for each way to get one out."""

    def __init__(self, of: Target, size: int, count: int = 1) -> None:
        self.of, self.count, self.size = of, count, size
        self.path = of.file(size)
        self.dest = of.folder / "out"
        self.downloads = DownloadSessions(of.client)
        for number in range(1, count + 1):
            name = f"item {number}"
            measure([of.govc, "library.import", "-n", name, LIBRARY, str(self.path)], of.env)

    def measured(self, *command: str | Path) -> Took:
        """Run a command that fills ``dest``, check what it wrote, and empty ``dest`` again."""
        self.dest.mkdir()
        try:
            took = measure(command, self.of.env)
            sizes = [path.stat().st_size for path in self.dest.rglob("*") if path.is_file()]
        finally:
            shutil.rmtree(self.dest)
        if sizes != [self.size] * self.count:
            raise RuntimeError(f"{command} wrote files of {sizes} bytes")
        files = took.told.get("files", [])
        took.told = {"get_seconds": files[0]["seconds"] if files else took.told.get("seconds", took.seconds)}
        return took

    def by_module(self) -> Took:
        arguments = {"library_name": LIBRARY, "name": "item 1", "dest": str(self.dest)}
        return self.measured(*module_command("library_item_export", arguments))

    def by_playbook(self) -> Took:
        options = {"library_name": LIBRARY, "name": "item {{ item }}", "dest": f"{self.dest}/{{{{ item }}}}"}
        loop = f"{{{{ range(1, {self.count + 1}) | list }}}}"
        task = {"vsphere.content_library.library_item_export": options, "loop": loop}
        return self.measured(*self.of.playbook(task))

    def by_govc(self) -> Took:
        loop = (
            'for item in $(seq "$2"); do '
            'mkdir "$1/$item" && "$0" library.export "benchmark/item $item" "$1/$item" || exit; done'
        )
        return self.measured("sh", "-c", loop, self.of.govc, self.dest, str(self.count))

    @contextlib.contextmanager
    def endpoint(self) -> Iterator[str]:
        """Where a GET of the file can go, to a download session of its own."""
        [item_id] = [item["id"] for item in self.of.items.list_items(self.of.library_id)]
        session_id = self.downloads.create(item_id)
        try:
            yield self.downloads.files.prepare(session_id, self.path.name)["download_endpoint"]["uri"]
        finally:
            self.downloads.delete(session_id)

    def by_curl(self) -> Took:
        with self.endpoint() as uri:
            return self.measured(*self.of.curl(), "--output", self.dest / self.path.name, uri)

    def by_bare_loop(self) -> Took:
        with self.endpoint() as uri:
            return self.measured(*PUSHES, "bare_get", uri, self.of.client.token(), self.dest / self.path.name)


def export(rounds: int) -> str:
    """1 GiB out of an item, by the collection, govc and curl: as fast as two processes can, and over a link."""
    loopback = _export("1 GiB", rounds)
    with gigabit():
        return f"{loopback}\n\n{_export('1 GiB at 1 Gbit/s', max(1, rounds // 3))}"


def _export(title: str, rounds: int) -> str:
    govc, curl, bare = "`govc library.export`", "`curl -o`, the GET alone", "`http.client` loop, the GET alone"
    module = "`library_item_export` as a module"
    with target() as to:
        source = Source(to, 1024 * MIB)
        ways = {
            module: source.by_module,
            "`library_item_export` in `ansible-playbook`": source.by_playbook,
            govc: source.by_govc,
            curl: source.by_curl,
            bare: source.by_bare_loop,
        }
        took = interleaved(ways, rounds)
    seconds = {name: middle(runs, "seconds") for name, runs in took.items()}
    get_seconds = {name: middle(took[name], "get_seconds") for name in (module, curl, bare)}
    peaks = {name: max(run.peak for run in runs) / MIB for name, runs in took.items()}
    header = (title, "seconds", "of govc", "GET", "of curl", "of the loop", "CPU seconds", "peak MiB")
    rows = [
        (
            name,
            seconds[name],
            seconds[name] / seconds[govc],
            get_seconds.get(name, ""),
            get_seconds[name] / get_seconds[curl] if name in get_seconds else "",
            get_seconds[name] / get_seconds[bare] if name in get_seconds else "",
            middle(runs, "cpu"),
            f"{peaks[name]:.0f}",
        )
        for name, runs in took.items()
    ]
    limits = [
        ("the GET, of that of the bare loop", 1.05, get_seconds[module] / get_seconds[bare]),
        ("the GET, of `curl -o`", 1.10, get_seconds[module] / get_seconds[curl]),
        ("the export, of `govc library.export`", 1.00, seconds[module] / seconds[govc]),
        ("peak MiB of the module", 64, peaks[module]),
    ]
    return f"{table(header, *rows)}\n\n{table((f'{title}: what was wanted', 'at most', 'is'), *limits)}"


def exports(rounds: int) -> str:
    """100 items of 100 KiB out of a library, in a loop."""
    with target() as to:
        source = Source(to, 100 << 10, 100)
        took = interleaved({"a play with a loop": source.by_playbook, "govc in a loop": source.by_govc}, rounds)
    rows = [(name, middle(runs, "seconds"), middle(runs, "cpu")) for name, runs in took.items()]
    return table(("100 items of 100 KiB", "seconds", "CPU seconds"), *rows)
