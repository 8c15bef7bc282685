# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many items into a library of vcsim: library_items in one task, beside library_item and govc in a loop."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmark.content import LIBRARY, Target, target
from tests.benchmark.link import gigabit
from tests.benchmark.measurement import MIB, Took, interleaved, middle
from tests.pages import table

SMALL = 100 << 10
COUNTS = (1, 10, 100, 1000)
LATENCIES = (0.0, 0.02)
BIG, BIG_COUNT = 256 * MIB, 10
MANY = 1000
# A loop of 1,000 takes minutes, so it is measured once, and less often than the others.
SLOW = 1000
MODULE = "vsphere.content_library"
ITEMS, LOOP, GOVC = "`library_items`", "`library_item` in a loop", "`govc library.import` in a loop"
CURL = "`curl -T`, one after the other, the PUT alone"


class Ways:
    """Publishes a number of files of a size, each as an item of its own, in several ways."""

    def __init__(self, to: Target) -> None:
        self.to = to

    def files(self, size: int, count: int) -> list[Path]:
        """Files that differ: links to one file, as only their names matter."""
        source, folder = self.to.file(size), self.to.folder / f"{size}"
        folder.mkdir(exist_ok=True)
        paths = [folder / f"item-{number:04}.bin" for number in range(count)]
        for path in paths:
            if not path.exists():
                os.link(source, path)
        return paths

    def play(self, task: dict[str, Any], keep: bool = False) -> Took:
        return self.to.measured(*self.to.playbook(task), keep=keep)

    def items(self, size: int, count: int, keep: bool = False, parallel: int = 4) -> Took:
        entries = [{"name": path.stem, "src": str(path)} for path in self.files(size, count)]
        options = {"library_name": LIBRARY, "items": entries, "parallel": parallel}
        return self.play({f"{MODULE}.library_items": options}, keep)

    def loop(self, size: int, count: int, keep: bool = False) -> Took:
        entries = [{"name": path.stem, "src": str(path)} for path in self.files(size, count)]
        options = {"library_name": LIBRARY, "name": "{{ item.name }}", "src": "{{ item.src }}"}
        return self.play({f"{MODULE}.library_item": options, "loop": entries}, keep)

    def govc(self, size: int, count: int) -> Took:
        loop = 'cd "$1" && for item in $(ls | head -n "$2"); do "$0" library.import benchmark "$item" || exit; done'
        folder = self.files(size, count)[0].parent
        return self.to.measured("sh", "-c", loop, self.to.govc, folder, str(count))


def items(rounds: int) -> str:
    """Many items in one task: small ones, big ones, and those that are there already."""
    small = [row for latency in LATENCIES for row in _small(latency, rounds)]
    header = ("items of 100 KiB, seconds", "latency, ms", *(f"{count:,}" for count in COUNTS), "MiB")
    parts = [table(header, *small)]
    big = f"{BIG_COUNT} items of {BIG // MIB} MiB"
    columns = ("seconds", "of curl", "MB/s", "MiB")
    parts.append(table((big, *columns), *_big(max(1, rounds // 5))))
    with gigabit():
        parts.append(table((f"{big} at 1 Gbit/s", *columns), *_big(1)))
    parts.append(table((f"{MANY:,} unchanged items, 20 ms latency", "seconds", "of the loop", "MiB"), *_unchanged()))
    return "\n\n".join(parts)


def _small(latency: float, rounds: int) -> list[tuple[Any, ...]]:
    with target(latency) as to:
        ways = Ways(to)
        subjects: dict[str, Callable[[int, int], Took]] = {ITEMS: ways.items, LOOP: ways.loop, GOVC: ways.govc}
        took: dict[tuple[str, int], list[Took]] = {}
        for count in COUNTS:
            each = {way: _pushing(push, count) for way, push in subjects.items()}
            runs = interleaved(each, rounds) if count < SLOW else {way: [push()] for way, push in each.items()}
            took.update({(way, count): those for way, those in runs.items()})
    return [
        (
            way,
            f"{1000 * latency:.0f}",
            *(middle(took[way, count], "seconds") for count in COUNTS),
            f"{max(run.peak for count in COUNTS for run in took[way, count]) / MIB:.0f}",
        )
        for way in subjects
    ]


def _pushing(push: Callable[[int, int], Took], count: int) -> Callable[[], Took]:
    return lambda: push(SMALL, count)


def _big(rounds: int) -> list[tuple[Any, ...]]:
    with target() as to:
        ways = Ways(to)
        subjects = {
            ITEMS: lambda: ways.items(BIG, BIG_COUNT),
            LOOP: lambda: ways.loop(BIG, BIG_COUNT),
            GOVC: lambda: ways.govc(BIG, BIG_COUNT),
            CURL: lambda: _by_curl(to),
        }
        took = interleaved(subjects, rounds)
    rows = []
    for way, runs in took.items():
        seconds = middle(runs, "seconds")
        speed = f"{BIG * BIG_COUNT / seconds / 1e6:.0f}"
        rows.append(
            (way, seconds, seconds / middle(took[CURL], "seconds"), speed, f"{max(run.peak for run in runs) / MIB:.0f}")
        )
    return rows


def _by_curl(to: Target) -> Took:
    """The bytes alone, at the speed of the link."""
    runs = [to.by_curl(BIG) for _number in range(BIG_COUNT)]
    return Took(sum(run.seconds for run in runs), sum(run.cpu for run in runs), max(run.peak for run in runs))


def _unchanged() -> list[tuple[Any, ...]]:
    with target(LATENCIES[-1]) as to:
        ways = Ways(to)
        ways.items(SMALL, MANY, keep=True, parallel=16)
        runs = {
            ITEMS: ways.items(SMALL, MANY, keep=True),
            f"{ITEMS}, 16 at a time": ways.items(SMALL, MANY, keep=True, parallel=16),
            LOOP: ways.loop(SMALL, MANY, keep=True),
        }
    return [(way, run.seconds, run.seconds / runs[LOOP].seconds, f"{run.peak / MIB:.0f}") for way, run in runs.items()]
