# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sequences of tasks and events, and what holds in all of them.

They are the same in each run. CONTENT_LIBRARY_EXAMPLES=1000 asks for so many others.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from ansible_collections.vsphere.content_library.plugins.module_utils import _session_policy
from tests.in_process import nobodys_vcenter
from tests.models.machine import TALLY, ContractMachine
from tests.simulator.process import SimulatorProcess

SEQUENCES, STEPS = 15, 25
MORE = int(os.environ.get("CONTENT_LIBRARY_EXAMPLES", "0"))


class FastClock:
    """The time module for a watch that only waits for nothing to happen: one pause is enough, and takes no time."""

    def __init__(self) -> None:
        self.paused = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.paused

    def sleep(self, seconds: float) -> None:
        self.paused += 60 * seconds


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorProcess]:
    with nobodys_vcenter(), pytest.MonkeyPatch.context() as environment, SimulatorProcess() as simulator:
        environment.setattr(_session_policy, "time", FastClock())
        yield simulator


@pytest.mark.parametrize("dialect", ["api", "rest"])
def test_any_sequence(simulator, tmp_path, dialect):
    before = dict(TALLY)
    run_state_machine_as_test(
        lambda: ContractMachine(simulator, tmp_path, dialect),
        settings=settings(
            max_examples=MORE or SEQUENCES,
            stateful_step_count=STEPS,
            derandomize=not MORE,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print("\n" + ", ".join(f"{TALLY[name] - before[name]:,} {name}" for name in TALLY))
