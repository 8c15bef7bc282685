# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.faults``: the whole fault matrix, kill matrix and rival matrix, or a part of them.

What did not hold is printed as it is found. Figures of the whole go into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import signal
import sys
import tempfile
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import tests.conftest  # noqa: F401 pylint: disable=unused-import; it makes the collection importable
from tests.faults.faults import FAULTS
from tests.faults.kills import kills, strike
from tests.faults.matrix import Bench, Case, Verdict
from tests.faults.rivals import ACTS, Rivalry, contend, rivalries
from tests.faults.transitions import TRANSITIONS
from tests.pages import table, write
from tests.simulator.process import SimulatorProcess

MATRICES = ("faults", "kills", "rivals")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
LONGEST_CASE = 180
bench: Bench | None = None


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("matrices", nargs="*", metavar="MATRIX", help=f"all, or some of {', '.join(MATRICES)}")
    parser.add_argument("--workers", type=int, default=2 * (os.cpu_count() or 1), help="most of a case is waiting")
    parser.add_argument("--transition", default="", help="only rows whose module or name has this in it")
    parser.add_argument("--fault", default="", help="only columns whose name has this in it")
    parser.add_argument("--part", type=part, default=(1, 1), metavar="K/N", help="of all cases, the Kth of N parts")
    parser.add_argument("--figures", action="store_true", help="write the figures of a part too, and say which it is")
    parser.add_argument("--equal", action="store_true", help="the rivals' cases too that equals.py leaves out")
    return parser.parse_args()


def part(text: str) -> tuple[int, int]:
    which, _slash, of = text.partition("/")
    if not 1 <= int(which) <= int(of):
        raise ValueError(text)
    return int(which), int(of)


def is_in(case: Any, part: tuple[int, int]) -> bool:
    """Always the same cases, whatever else is there."""
    which, of = part
    names = (case.transition.module_name, case.transition.name, case.dialect, str(case.position), told_as(case))
    return zlib.crc32("|".join(names).encode()) % of == which - 1


def told_as(case: Any) -> str:
    return f"{case.act}, {case.actor}, {case.end}" if isinstance(case, Rivalry) else case.fault.name


def start() -> None:
    """In each worker: a simulator of its own, which ends with it."""
    global bench
    bench = Bench(SimulatorProcess().start(), Path(tempfile.mkdtemp(prefix="faults-"))).__enter__()


def work(row: int, dialect: str, column: str, part: tuple[int, int], equal: bool) -> list[Verdict]:
    """All positions of one transition, dialect and fault, signal or act."""
    transition, verdicts = TRANSITIONS[row], []
    if column in FAULTS:
        cases = [
            Case(transition, dialect, FAULTS[column], position)
            for position in range(1, len(bench.undisturbed(transition, dialect).operations) + 1)
        ]
    elif column in ACTS:
        cases = list(rivalries(bench, transition, dialect, column, equal))
    else:
        cases = kills(bench, transition, dialect, signal.Signals[column])
    for case in [case for case in cases if is_in(case, part)]:
        faulthandler.dump_traceback_later(LONGEST_CASE, exit=True)
        if isinstance(case, Rivalry):
            verdicts.append(contend(bench, case))
        else:
            verdicts.append(bench.try_out(case) if isinstance(case, Case) else strike(bench, case))
    faulthandler.cancel_dump_traceback_later()
    return verdicts


def run(options: argparse.Namespace, matrix: str) -> Iterator[Verdict]:
    columns = {"faults": list(FAULTS), "kills": [number.name for number in SIGNALS], "rivals": list(ACTS)}[matrix]
    with ProcessPoolExecutor(options.workers, initializer=start) as pool:
        futures = [
            pool.submit(work, row, dialect, column, options.part, options.equal)
            for row, transition in reversed(list(enumerate(TRANSITIONS)))  # the last ones wait longest
            if options.transition in f"{transition.module_name}: {transition.name}"
            if matrix != "kills" or transition.killed
            for dialect in transition.dialects
            if matrix != "rivals" or dialect != "auto"
            for column in columns
            if options.fault in column
        ]
        for future in as_completed(futures):
            yield from future.result()


def told(verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
    """The verdicts whose request was there to be hit, with what did not hold printed."""
    began, count = time.monotonic(), 0
    for verdict in verdicts:
        if verdict.broken:
            print(f"{verdict}: {'; '.join(verdict.broken)}", flush=True)
        if verdict.struck or verdict.broken:
            yield verdict
            count += 1
            if count % 1000 == 0:
                print(f"{count} cases, {time.monotonic() - began:.0f} s", flush=True)


def summary(verdicts: list[Verdict], seconds: float) -> str:
    held = sum(not verdict.broken for verdict in verdicts)
    return f"{len(verdicts):,} cases were run, and {held:,} held; in {seconds / 60:.0f} minutes."


def figures(title: str, groups: dict[str, list[Verdict]], outcomes: bool) -> str:
    rows = [[title, "cases", "held", *(["module succeeded", "module failed"] if outcomes else [])]]
    for name, verdicts in groups.items():
        failed = sum(verdict.failed for verdict in verdicts)
        numbers = [len(verdicts), sum(not verdict.broken for verdict in verdicts)]
        numbers += [len(verdicts) - failed, failed] if outcomes else []
        rows.append([name, *(f"{number:,}" for number in numbers)])
    return table(*rows)


def grouped(verdicts: list[Verdict], names: Iterable[str], attribute: str) -> dict[str, list[Verdict]]:
    """In the order of names."""
    groups: dict[str, list[Verdict]] = {name: [] for name in names}
    for verdict in verdicts:
        groups[getattr(verdict, attribute)].append(verdict)
    return {name: members for name, members in groups.items() if members}


def report(matrix: str, verdicts: list[Verdict], seconds: float) -> str:
    excused = Counter(reason for verdict in verdicts for reason in verdict.excused)
    rows = list(dict.fromkeys(transition.module_name for transition in TRANSITIONS))
    parts = [summary(verdicts, seconds)]
    if matrix == "faults":
        parts.append(figures("module", grouped(verdicts, rows, "module"), True))
        parts.append(figures("fault", grouped(verdicts, FAULTS, "fault"), True))
    elif matrix == "rivals":
        parts.append(figures("module", grouped(verdicts, rows, "module"), True))
        for verdict in verdicts:
            verdict.fault = verdict.fault.partition(", ")[0]
        names = sorted({verdict.fault for verdict in verdicts})
        parts.append(figures("act", grouped(verdicts, names, "fault"), True))
    else:
        names = sorted({verdict.fault for verdict in verdicts})
        parts.append(figures("signal", grouped(verdicts, names, "fault"), False))
    if excused:
        left = [(reason, f"{excused[reason]:,}") for reason in sorted(excused)]
        parts.append(table(("API token left", "cases"), *left))
    slowest = defaultdict(float)
    for verdict in verdicts:
        slowest[verdict.fault] = max(slowest[verdict.fault], verdict.seconds)
    name = max(slowest, key=lambda fault: slowest[fault])
    parts.append(f"The slowest run took {slowest[name]:.1f} seconds ({name}).")
    return "\n\n".join(parts)


def partial(which: int, of: int) -> str:
    return f"Not the whole matrix: these are the cases of `--part {which}/{of}`, chosen by a hash of their names."


def main() -> int:
    options = arguments()
    if unknown := set(options.matrices) - set(MATRICES):
        sys.exit(f"no such matrix: {', '.join(sorted(unknown))}")
    broken = 0
    for matrix in options.matrices or MATRICES:
        began = time.monotonic()
        verdicts = list(told(run(options, matrix)))
        text = report(matrix, verdicts, time.monotonic() - began) if verdicts else "nothing to run"
        print(f"{matrix}\n\n{text}\n", flush=True)
        broken += sum(bool(verdict.broken) for verdict in verdicts)
        whole = options.part[1] == 1
        if verdicts and not (options.transition or options.fault or options.equal) and (whole or options.figures):
            write("reliability.md", matrix, text if whole else f"{partial(*options.part)}\n\n{text}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
