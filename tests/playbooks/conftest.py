# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks against real sockets: the collection as users install it, the simulator in both dialects, vcsim."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cases.sources import sources
from tests.playbooks.event_source import Source
from tests.playbooks.plays import FOREIGN, WAYS, Playbooks, Server
from tests.playbooks.vcsim import VcsimProcess, go_toolchain
from tests.simulator.process import SimulatorProcess

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def collections_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection built and installed, so that what is tested is what users get; once for all workers of xdist."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "collections"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            install_collection(folder)
    return folder


def install_collection(target: Path) -> None:
    folder = target.with_suffix(".new")
    folder.mkdir()
    galaxy = [sys.executable, "-m", "ansible", "galaxy", "collection"]
    env = {**os.environ, "ANSIBLE_HOME": str(folder / "ansible"), "ANSIBLE_COLLECTIONS_PATH": str(folder)}
    subprocess.run([*galaxy, "build", "--output-path", folder], cwd=ROOT, env=env, check=True, capture_output=True)
    [artifact] = folder.glob("*.tar.gz")
    subprocess.run([*galaxy, "install", "--offline", "-p", folder, artifact], env=env, check=True, capture_output=True)
    folder.rename(target)


@pytest.fixture(scope="session")
def playbook(collections_path: Path) -> Playbooks:
    return Playbooks(collections_path)


@pytest.fixture(scope="session")
def simulators() -> Iterator[dict[str, SimulatorProcess]]:
    """A simulator for each dialect, so that a playbook can run on both at the same time."""
    with contextlib.ExitStack() as stack:
        yield {dialect: stack.enter_context(SimulatorProcess()) for dialect in ("api", "rest")}


@pytest.fixture(scope="session")
def servers(simulators: dict[str, SimulatorProcess]) -> dict[str, Server]:
    """The hosts `api` and `rest` of a playbook."""
    return {dialect: Server.of(process, dialect) for dialect, process in simulators.items()}


@pytest.fixture
def simulator(simulators: dict[str, SimulatorProcess]) -> SimulatorProcess:
    """One simulator, as good as new."""
    process = simulators["api"]
    process.reset()
    return process


@pytest.fixture(params=["api", "rest"])
def dialect(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def no_foreign_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment without what would point at another server, or at a proxy."""
    for name in os.environ:
        if name.upper().startswith(FOREIGN) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)


@pytest.fixture
def watch(simulator: SimulatorProcess, no_foreign_variables: None) -> Iterator[Callable[..., Source]]:
    """Makes a source that watches the simulator. It ends after the test."""
    with contextlib.ExitStack() as stack:

        def make(**args: Any) -> Source:
            names = ("port", "username", "password", "ca_path")
            options = {"hostname": simulator.host, **{name: getattr(simulator, name) for name in names}, **args}
            return stack.enter_context(Source(**options))

        yield make


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What tasks push and pull, as variables of a playbook."""
    with sources(tmp_path_factory.mktemp("files")) as files:
        yield files


@pytest.fixture(scope="session")
def vcsim() -> Iterator[VcsimProcess]:
    if go_toolchain() is None:
        reason = "no Go toolchain that can build tests/vcsim"
        (pytest.fail if os.environ.get("CONTENT_LIBRARY_REQUIRE_GO") == "1" else pytest.skip)(reason)
    with VcsimProcess() as process:
        yield process
