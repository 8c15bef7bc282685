# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run processes by turns, and tell what they took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

T = TypeVar("T")

LAUNCHER = Path(__file__).with_name("launcher.py")
ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
TIME_LIMIT = 1800  # a loop of 1,000 tasks on a network with latency


@dataclass
class Took:
    """What a process and its children took: wall clock and CPU in seconds, the peak of the largest in bytes."""

    seconds: float
    cpu: float
    peak: int
    told: dict[str, Any] = field(default_factory=dict)  # by the last line of its output, where that is JSON


def measure(command: Iterable[str | Path], env: dict[str, str], cwd: Path = ROOT) -> Took:
    """Run a command that must succeed."""
    with tempfile.NamedTemporaryFile(prefix="content-library-benchmark-") as report:
        done = subprocess.run(
            [sys.executable, "-I", "-S", LAUNCHER, report.name, *command],
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        took = Took(**json.load(report))
    lines = done.stdout.splitlines()
    if lines and lines[-1].startswith("{"):
        took.told = json.loads(lines[-1])
    return took


def module_command(name: str, arguments: dict[str, Any]) -> list[str]:
    """A module of the collection in a process of its own, with these arguments."""
    module = f"ansible_collections.vsphere.content_library.plugins.modules.{name}"
    return [sys.executable, "-m", module, json.dumps({"ANSIBLE_MODULE_ARGS": arguments})]


def interleaved(subjects: dict[Any, Callable[[], T]], rounds: int) -> dict[Any, list[T]]:
    """Run each subject once a round, in each round another one first: what else the machine does hits all alike.

    A round before the first warms caches and is not counted.
    """
    names = list(subjects)
    took: dict[Any, list[T]] = {name: [] for name in names}
    for number in range(rounds + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            one = subjects[name]()
            if number:
                took[name].append(one)
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return took


def middle(runs: list[Took], what: str) -> float:
    """The median of a figure of the runs; what they told themselves goes before what was measured from outside."""
    return median(run.told.get(what, getattr(run, what, None)) for run in runs)


def python_environment(env: dict[str, str]) -> dict[str, str]:
    """This process's environment for a child that imports the collection and these benchmarks."""
    foreign = ("VMWARE_", "ANSIBLE_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_", "GOVC_", "PYTHON")
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith(foreign)}
    return {**inherited, "PYTHONPATH": os.pathsep.join([*collections_path(), str(ROOT)]), **env}


def collections_path() -> list[str]:
    """The folder that has ansible_collections/vsphere/content_library."""
    return [path for path in sys.path if Path(path, "ansible_collections/vsphere/content_library").is_dir()][:1]
