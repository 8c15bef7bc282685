# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for the simulator's own tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import openapi
from .process import SimulatorProcess
from .store import OPERATOR
from .wire import Wire


@pytest.fixture(scope="session")
def openapi_documents() -> list[openapi.OpenApi]:
    """The facts of the vendor's files, which judge every answer to Wire.call."""
    return openapi.load()


@pytest.fixture(scope="session")
def vcenter_process() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as process:
        yield process


@pytest.fixture
def vcenter(vcenter_process: SimulatorProcess) -> SimulatorProcess:
    vcenter_process.reset()
    return vcenter_process


@pytest.fixture(scope="session")
def publisher_process() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as process:
        yield process


@pytest.fixture
def publisher(publisher_process: SimulatorProcess) -> SimulatorProcess:
    """Another vCenter, whose libraries the first one subscribes to."""
    publisher_process.reset()
    return publisher_process


@pytest.fixture(params=["api", "rest"])
def wire(
    vcenter: SimulatorProcess, openapi_documents: list[openapi.OpenApi], request: pytest.FixtureRequest
) -> Iterator[Wire]:
    """The administrator's requests, in each dialect."""
    wire = Wire(vcenter, request.param, openapi_documents)
    wire.log_in()
    yield wire
    wire.close()


@pytest.fixture
def operator(vcenter: SimulatorProcess, wire: Wire) -> Iterator[Wire]:
    """Another user's requests, in the same dialect."""
    other = Wire(vcenter, wire.dialect, wire.documents)
    other.log_in(OPERATOR)
    yield other
    other.close()


@pytest.fixture
def item(vcenter: SimulatorProcess) -> str:
    return vcenter.add_item("subject", type="iso", files={"a.iso": "old"})
