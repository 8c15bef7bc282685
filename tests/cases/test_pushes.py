# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A push that the server turns away, interrupts or answers early."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.cases.work import Work
from tests.simulator.process import SimulatorProcess

pytest_plugins = ["tests.simulator.fixtures"]

LARGE = b"x" * (16 << 20)  # more than the buffers of a connection hold
PASSING = [
    dict(kind="status", status=429, headers={"Retry-After": "1"}),
    dict(kind="status", status=503),
    dict(kind="reset_before"),
    dict(kind="reset_middle"),
    dict(kind="early", status=503),
    dict(kind="early", status=401, after=1 << 20),
]


@pytest.fixture(params=["api", "rest"])
def work(vcenter: SimulatorProcess, request: pytest.FixtureRequest, tmp_path: Path) -> Work:
    work = Work(vcenter, request.param, tmp_path)
    work.src.write_bytes(LARGE)
    return work


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}")
def test_what_passes_is_tried_again(work: Work, fault: dict[str, Any]) -> None:
    work.faults(upload={"count": 2, **fault})
    outcome = work.publish(request_timeout=20)
    assert not outcome.failed, outcome.result
    assert work.content() == {"tools.iso": hashlib.sha256(LARGE).hexdigest()}
    assert work.operations().count("upload") == 3


@pytest.mark.parametrize("after", [0, 1 << 20])
@pytest.mark.parametrize(
    ("status", "error_type"), [(507, "UNABLE_TO_ALLOCATE_RESOURCE"), (413, "ERROR"), (403, "UNAUTHORIZED")]
)
def test_an_early_answer_is_told(work: Work, status: int, error_type: str, after: int) -> None:
    work.faults(upload=dict(kind="early", status=status, after=after, count=100))
    outcome = work.publish(request_timeout=30)
    assert (outcome.result["error_type"], outcome.result["http_status"]) == (error_type, status), outcome.result
    assert work.operations().count("upload") == 1


def test_a_server_that_turns_pushes_away_for_good(work: Work) -> None:
    work.faults(upload=dict(kind="status", status=503, count=100))
    outcome = work.publish(request_timeout=2)
    assert (outcome.result["error_type"], outcome.result["http_status"]) == ("SERVICE_UNAVAILABLE", 503)
    assert work.operations().count("upload") > 2
    assert work.items() == []


def test_an_endpoint_that_can_not_be_reached_is_named(work: Work) -> None:
    work.vcenter.config(upload_host="esx-07.invalid")
    outcome = work.publish()
    assert outcome.result["error_type"] == "RESOURCE_INACCESSIBLE"
    for part in (f"no connection to esx-07.invalid:{work.vcenter.port}: ", "ESXi host", "firewall"):
        assert part in outcome.result["msg"]
    assert "/cls/data" not in outcome.result["msg"]
