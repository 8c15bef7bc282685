# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.faults``: the whole fault matrix, or a part of it."""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import tests.conftest  # noqa: F401
from tests.faults.faults import FAULTS
from tests.faults.matrix import Bench, Case, Verdict
from tests.faults.transitions import TRANSITIONS
from tests.simulator.process import SimulatorProcess

LONGEST_CASE = 120
bench: Bench | None = None


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--workers", type=int, default=2 * (os.cpu_count() or 1), help="most of a case is waiting")
    parser.add_argument("--transition", default="", help="only rows whose module or name has this in it")
    parser.add_argument("--fault", default="", help="only columns whose name has this in it")
    return parser.parse_args()


def start() -> None:
    """In each worker: a simulator of its own, which ends with it."""
    global bench
    for name in [name for name in os.environ if name.startswith("VMWARE_")]:
        del os.environ[name]
    folder = tempfile.mkdtemp(prefix="faults-")
    bench = Bench(SimulatorProcess().start(), Path(folder)).__enter__()


def work(row: int, dialect: str, column: str) -> list[Verdict]:
    """All positions of one transition, dialect and fault."""
    transition, verdicts = TRANSITIONS[row], []
    for position in range(1, len(bench.undisturbed(transition, dialect).operations) + 1):
        faulthandler.dump_traceback_later(LONGEST_CASE, exit=True)
        verdicts.append(bench.try_out(Case(transition, dialect, FAULTS[column], position)))
    faulthandler.cancel_dump_traceback_later()
    return verdicts


def run(options: argparse.Namespace) -> Iterator[Verdict]:
    with ProcessPoolExecutor(options.workers, initializer=start) as pool:
        futures = [
            pool.submit(work, row, dialect, column)
            for row, transition in enumerate(TRANSITIONS)
            if options.transition in f"{transition.module_name}: {transition.name}"
            for dialect in transition.dialects
            for column in FAULTS
            if options.fault in column
        ]
        for future in as_completed(futures):
            yield from future.result()


def main() -> int:
    options = arguments()
    began = time.monotonic()
    count: Counter[str] = Counter()
    excused: Counter[str] = Counter()
    for verdict in run(options):
        if not verdict.struck:
            count["not reached"] += 1
            continue
        count["run"] += 1
        if count["run"] % 1000 == 0:
            print(f"{count['run']} cases, {time.monotonic() - began:.0f} s", flush=True)
        count["failed" if verdict.failed else "succeeded"] += 1
        count["broken" if verdict.broken else "held"] += 1
        excused.update(verdict.excused)
        if verdict.broken:
            print(f"{verdict}: {'; '.join(verdict.broken)}", flush=True)
    print(dict(count), dict(excused), f"{time.monotonic() - began:.0f} s")
    return 1 if count["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
