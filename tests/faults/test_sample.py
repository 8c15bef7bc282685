# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fixed sample of what `make faults` runs as a whole: each fault and each transition, a few kills and rivals."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from itertools import cycle

import pytest

from tests.faults.faults import FAULTS
from tests.faults.kills import AFTER, BEFORE, MIDST, Kill, strike
from tests.faults.matrix import Bench, Case
from tests.faults.rivals import ACTORS, Rivalry, contend
from tests.faults.transitions import TRANSITIONS, Transition
from tests.in_process import writes
from tests.simulator.process import SimulatorProcess

BY_NAME = {transition.name: transition for transition in TRANSITIONS}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with SimulatorProcess() as simulator, Bench(simulator, tmp_path_factory.mktemp("faults")) as bench:
        yield bench


def position_of(operations: list[str]) -> int:
    """The first write; where there is none, the first request after the login."""
    own = [operation for operation in writes(operations) if not operation.startswith("session.")]
    return operations.index(own[0]) + 1 if own else min(2, len(operations))


def transition_of(name: str) -> Transition:
    return next(transition for transition in TRANSITIONS if transition.name == name)


def sample() -> list[object]:
    """Pairs, as many as there are transitions; the dialects by turns."""
    assert len(TRANSITIONS) >= len(FAULTS)
    pairs = zip(TRANSITIONS, cycle(FAULTS.values()), cycle(("api", "rest")))
    return [
        pytest.param(
            *pair, id=f"{pair[0].name}-{pair[1].name}-{pair[2]}", marks=[pytest.mark.costly] * (number >= len(FAULTS))
        )
        for number, pair in enumerate(pairs)
    ]


@pytest.mark.parametrize(("transition", "fault", "dialect"), sample())
def test_fault(bench, transition, fault, dialect):
    operations = bench.undisturbed(transition, dialect).operations
    verdict = bench.try_out(Case(transition, dialect, fault, position_of(operations)))
    assert verdict.struck
    assert verdict.broken == []


def test_result_of_a_complete_that_was_done(bench):
    """What was uploaded is told as uploaded, although the complete ended in an error."""
    transition = BY_NAME["new item"]
    position = bench.undisturbed(transition, "api").operations.index("update_session.complete") + 1
    verdict = bench.try_out(Case(transition, "api", FAULTS["500, but done"], position))
    assert (verdict.struck, verdict.failed, verdict.broken) == (True, False, [])


def test_rival_of_the_way_out(bench):
    """The session that guards the deletion of a new item is ended by somebody else."""
    transition = BY_NAME["wrong checksum"]
    position = bench.undisturbed(transition, "api").operations.index("item.delete")  # the look before it
    verdict = contend(bench, Rivalry(transition, "api", "expire_ours", next(iter(ACTORS)), "answered", position))
    assert (verdict.struck, verdict.operation, verdict.broken) == (True, "update_session.get", [])


@pytest.mark.parametrize("operation", ["item.create", "update_session.create"])
def test_create_without_an_answer_in_time(bench, operation):
    """The server has made it and uses up the time: sent again with its client token, it is ours."""
    transition = BY_NAME["new item"]
    position = bench.undisturbed(transition, "api").operations.index(operation) + 1
    verdict = bench.try_out(Case(transition, "api", FAULTS["hang, but done"], position))
    assert (verdict.operation, verdict.failed, verdict.broken) == (operation, False, [])


@pytest.mark.parametrize(
    ("name", "number", "operation", "moment"),
    [
        ("new item", signal.SIGKILL, "item.create", AFTER),
        ("new item", signal.SIGKILL, "update_session.create", AFTER),
        ("new item", signal.SIGKILL, "upload", MIDST),
        ("new item", signal.SIGKILL, "update_session.complete", BEFORE),
        ("new item", signal.SIGTERM, "upload", MIDST),
        ("new item", signal.SIGINT, "update_session.create", AFTER),
        ("copy", signal.SIGKILL, "item.copy", AFTER),
        ("copy", signal.SIGTERM, "item.copy", AFTER),
        ("export", signal.SIGKILL, "download", MIDST),
        ("export", signal.SIGTERM, "download", MIDST),
        ("export", signal.SIGTERM, "download_session.create", AFTER),
    ],
)
def test_kill(bench, name, number, operation, moment):
    transition = BY_NAME[name]
    position = bench.undisturbed(transition, "api").operations.index(operation) + 1
    verdict = strike(bench, Kill(transition, "api", number, position, moment))
    assert verdict.struck
    assert verdict.broken == []


@pytest.mark.parametrize(
    ("name", "act", "operation", "end"),
    [
        ("new item", "publish_item", "item.create", "request lost"),
        ("new item", "rename_item", "file.validate", "answered"),
        ("new item", "add_file", "file.validate", "answered"),
        ("new item", "remove_file", "update_session.complete", "request refused"),
        ("new item", "log_out", "file.add", "answered"),
        ("content and description replaced", "publish_item", "update_session.create", "answered"),
        ("content and description replaced", "complete_ours", "update_session.complete", "answered"),
        ("content and description replaced", "cancel_ours", "upload", "answered"),
        ("content pulled", "add_file", "update_session.complete", "answered"),
        ("content pulled", "remove_file", "update_session.complete", "answered"),
        ("item to absent", "delete_item", "item.delete", "answered"),
        ("ACTIVE to DONE", "complete_ours", "update_session.complete", "answered"),
    ],
)
def test_rival(bench, name, act, operation, end):
    transition = transition_of(name)
    position = bench.undisturbed(transition, "api").operations.index(operation) + 1
    verdict = contend(bench, Rivalry(transition, "api", act, next(iter(ACTORS)), end, position))
    assert verdict.struck
    assert verdict.broken == []
