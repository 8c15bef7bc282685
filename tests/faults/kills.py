# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kill matrix: a module process that gets a signal at a request, and what the next run makes of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from tests.faults.faults import Fault
from tests.faults.matrix import EMPTY, OURS, PUBLISHING, STILL, Bench, Case, Judge, Verdict
from tests.faults.transitions import Transition
from tests.processes import start_module

# How far the request has come when the signal strikes.
MOMENTS = BEFORE, AFTER, MIDST = ("before it is processed", "after it was processed", "in its midst")
RATE = 5000  # so that a transfer has a midst
TRANSFERS = ("upload", "download")
NO_ANSWER = 600
LATE_ANSWER = 1.0  # for a process that may end by itself, and has to see what came of its request
TIME_LIMIT = 30.0
BUSY_TIMEOUT = 10
# As Ansible starts it, but for what stands still sooner here.
START = f"""
import runpy, sys
path = sys.argv.pop(1)
if path.rpartition("/")[2] in ("library.py", "library_sync.py"):
    from ansible_collections.vsphere.content_library.plugins.module_utils import _synchronization
    _synchronization.STILL, _synchronization.EMPTY = {STILL}, {EMPTY}
runpy.run_path(path, run_name="__main__")
"""


@dataclass(frozen=True)
class Kill:
    """SIGKILL, or a signal that the process may answer by ending in order."""

    transition: Transition
    dialect: str
    number: signal.Signals
    position: int
    moment: str

    @property
    def fault(self) -> Fault:
        """How matrix.Judge sees it: a killed process is one whose server went away."""
        name = f"{self.number.name} {self.moment}"
        return Fault(name, "signal", count=1_000_000 if self.number is signal.SIGKILL else 1)


def kills(bench: Bench, transition: Transition, dialect: str, number: signal.Signals) -> list[Kill]:
    return [
        Kill(transition, dialect, number, position, moment)
        for position, operation in enumerate(bench.undisturbed(transition, dialect).operations, 1)
        for moment in MOMENTS
        if moment != MIDST or operation in TRANSFERS
    ]


def strike(bench: Bench, kill: Kill) -> Verdict:
    """Start the module, send the signal when its request is there, and run the module again."""
    transition, simulator = kill.transition, bench.simulator
    undisturbed = bench.undisturbed(transition, kill.dialect)
    arguments, known, before = bench.prepare(transition)
    verdict = Verdict(transition.module_name, transition.name, kill.dialect, kill.fault.name, kill.position, False)
    if kill.moment == MIDST:
        simulator.config(upload_rate=RATE, download_rate=RATE)
    else:
        seconds = NO_ANSWER if kill.number is signal.SIGKILL else LATE_ANSWER
        hang = {"kind": "hang", "seconds": seconds, "process": kill.moment == AFTER}
        simulator.faults([{"match": OURS, "at": kill.position, "fault": hang}])
    process = start(transition, bench.options(arguments, kill.dialect))
    try:
        verdict.operation = reached(bench, kill, process, undisturbed.operations[: kill.position])
        verdict.struck = verdict.operation is not None
        process.send_signal(kill.number)
        began = time.monotonic()
        output, errors = process.communicate(timeout=TIME_LIMIT)
        verdict.seconds = time.monotonic() - began
    finally:
        process.kill()
        process.wait()
    simulator.faults([])
    simulator.config(upload_rate=None, download_rate=None)
    if not verdict.struck and process.returncode == 0:
        return verdict  # this run had done with fewer requests, as not all of them poll as often
    case = Case(transition, kill.dialect, kill.fault, kill.position)
    judge = Judge(case, verdict, undisturbed, before, bench.state(known), undisturbed.outcome)
    judge.check(process.returncode == -kill.number, f"it ended with {process.returncode}: {output}{errors}")
    judge.state()
    judge.tokens()
    if not verdict.broken:
        simulator.expire_tokens()
        # The server may still be reading what it got before the kill, and the session moves as long.
        patient = {"busy_timeout": BUSY_TIMEOUT} if transition.module in PUBLISHING else {}
        bench.run_again(transition, {**arguments, **patient}, kill.dialect, known, judge)
    return verdict


def start(transition: Transition, arguments: dict[str, Any]) -> subprocess.Popen[str]:
    """The module as Ansible starts it: its file in a Python of its own, with its arguments on standard input."""
    python = (sys.executable, "-c", START)
    return start_module(transition.module, arguments, python=python, stderr=subprocess.PIPE)


def reached(bench: Bench, kill: Kill, process: subprocess.Popen[str], operations: list[str]) -> str | None:
    """Wait for the request; its operation, or None where the process ended without it."""
    end = time.monotonic() + TIME_LIMIT
    while time.monotonic() < end and process.poll() is None:
        log = bench.log()
        if kill.moment != MIDST:
            hit = [entry["operation"] for entry in log if entry["fault"]]
        else:
            uploads = [entry for entry in log if entry["operation"] == "upload"]
            files = [
                file for session in bench.simulator.state()["sessions"].values() for file in session["files"].values()
            ]
            moving = any(file["status"] == "TRANSFERRING" and file["bytes_transferred"] for file in files)
            hit = ["upload"] if moving and len(uploads) >= operations.count("upload") else []
            if operations[-1] == "download":
                hit = [entry["operation"] for entry in log if entry["operation"] == "download"]
                hit = hit if len(hit) >= operations.count("download") else []
        if hit:
            return hit[0]
        time.sleep(0.05)
    return None
