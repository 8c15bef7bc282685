# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.faults.soak``: thousands of module runs in one process, which must not grow."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import tests.conftest  # noqa: F401 pylint: disable=unused-import; it makes the collection importable
from ansible_collections.vsphere.content_library.plugins.modules import (
    library_item,
    library_item_info,
    update_session,
    update_session_fail,
    update_session_file,
    update_session_info,
)
from tests.faults.matrix import Bench
from tests.faults.transitions import DEMO, ITEM
from tests.pages import table, write
from tests.simulator.process import SimulatorProcess

RUNS = 10_000
WARM_UP = 1000  # until then Python, its modules and the allocator settle
GROWTH = 2 << 20  # bytes that the memory of a process moves by itself, whatever the number of runs


def one_round(bench: Bench, number: int) -> int:
    """Runs that leave the simulator as they found it: an item, sessions, a failure. Returns their count."""
    source = bench.folder / "soak.iso"
    source.write_bytes(b"%d\n" % (number % 7) * 5000)
    item = dict(library_id=DEMO, name="soak", stale_after=1)
    dialect = ("api", "rest", "auto")[number % 3]

    def run(module: Any, failed: bool = False, **arguments: Any) -> dict[str, Any]:
        outcome, _seconds = bench.run(module, arguments, dialect)
        assert outcome.failed == failed, outcome.result
        return outcome.result

    run(library_item, src=[str(source)], **item)
    run(library_item, src=[str(source)], **item)
    run(library_item_info, library_id=DEMO, gather_files=True)
    opened = run(update_session, library_item_id=ITEM)["update_session"]["id"]
    run(update_session_file, update_session_id=opened, name="soak.iso", src=str(source))
    run(update_session_info, gather_files=True, validate=True)
    run(update_session_fail, update_session_id=opened, client_error_message="soaked")
    run(update_session, failed=True, update_session_id=opened, state="done")
    run(update_session, library_item_id=ITEM, state="absent")
    run(library_item, state="absent", **item)
    return 10


def resident() -> int:
    """Bytes of memory that this process has."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def sockets() -> int:
    return sum("socket:" in os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600, help="the end, whatever has been run by then")
    options = parser.parse_args()
    began, count, seen = time.monotonic(), 0, []
    with SimulatorProcess() as simulator, tempfile.TemporaryDirectory() as name, Bench(simulator, Path(name)) as bench:
        while count < RUNS and time.monotonic() - began < options.seconds:
            count += one_round(bench, count)
            if count % WARM_UP == 0:
                tokens = len(simulator.state()["tokens"])
                seen.append((count, resident(), sockets(), threading.active_count(), tokens))
                print("{} runs: {} bytes, {} sockets, {} threads, {} tokens".format(*seen[-1]), flush=True)
    if count < RUNS:
        sys.exit(f"only {count} runs in {options.seconds} seconds")
    first, last = seen[0], seen[-1]
    rows = [(f"{runs:,}", f"{memory / 2**20:.1f}", *map(str, others)) for runs, memory, *others in seen]
    grown, minutes = (last[1] - first[1]) / 1024, (time.monotonic() - began) / 60
    text = (
        f"{table(('runs', 'memory, MiB', 'sockets', 'threads', 'API tokens'), *rows)}\n\n"
        f"{count:,} runs took {minutes:.0f} minutes; from the first row to the last it grew by {grown:.0f} KiB."
    )
    print(text)
    write("reliability.md", "soak", text)
    held = grown * 1024 <= GROWTH and first[2:4] == last[2:4] and not any(tokens for *_rest, tokens in seen)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
