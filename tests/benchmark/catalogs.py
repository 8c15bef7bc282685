# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many libraries with many items, listed over a network with latency."""

from __future__ import annotations

import time

from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import Libraries
from ansible_collections.vsphere.content_library.plugins.module_utils._library_items import LibraryItems
from tests.benchmark.measurement import MIB, Took, interleaved, measure, middle, module_command, python_environment
from tests.benchmark.modules import new_client
from tests.pages import table
from tests.simulator.process import SimulatorProcess

LIBRARIES, ITEMS, LATENCY = 50, 200, 0.02


def catalog(rounds: int) -> str:
    """All libraries and all items of a server that answers after 20 ms, and the same one request after the other."""
    with SimulatorProcess() as simulator:
        for number in range(LIBRARIES):
            library_id = simulator.add_library(f"library {number}")
            for item in range(ITEMS):
                simulator.add_item(f"item {item}", library_id=library_id)
        simulator.config(latency=LATENCY)
        env = python_environment(simulator.environment)

        def module(name: str, key: str, count: int, **options: bool) -> Took:
            took = measure(module_command(name, options), env)
            if len(took.told[key]) < count:
                raise RuntimeError(f"{name} told {len(took.told[key])} {key}")
            took.told = {}
            return took

        infos = "`library_item_info`, all items", "`library_info`, with `gather_usage_count`"
        took = interleaved(
            {
                infos[0]: lambda: module("library_item_info", "library_items", LIBRARIES * ITEMS),
                infos[1]: lambda: module("library_info", "libraries", LIBRARIES, gather_usage_count=True),
            },
            min(rounds, 3),
        )
        alone = dict(zip(infos, _one_after_the_other(simulator)))
    rows = []
    for info in infos:
        seconds = middle(took[info], "seconds")
        peak = max(run.peak for run in took[info]) / MIB
        rows.append((info, seconds, alone[info], seconds / alone[info], middle(took[info], "cpu"), f"{peak:.0f}"))
    what = f"{LIBRARIES * ITEMS} items in {LIBRARIES} libraries, {1000 * LATENCY:.0f} ms latency"
    return table((what, "seconds", "one after the other", "ratio", "CPU seconds", "peak MiB"), *rows)


def _one_after_the_other(simulator: SimulatorProcess) -> tuple[float, float]:
    """Seconds for all items, and for all libraries with the number of their items; once, as it takes minutes."""
    with new_client(simulator) as client:
        libraries, items = Libraries(client), LibraryItems(client)
        begin = time.monotonic()
        listed = [items.list_ids(library_id) for library_id in libraries.list_ids()]
        ids_seconds = time.monotonic() - begin
        for item_id in (item_id for ids in listed for item_id in ids):
            items.get(item_id)
        items_seconds = time.monotonic() - begin
        begin = time.monotonic()
        for library_id in libraries.list_ids():
            libraries.get(library_id)
        return items_seconds, ids_seconds + time.monotonic() - begin
