# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks against real sockets: the collection as users install it, the simulator in both dialects, vcsim."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.integration.cases")

from tests.integration.cases import WAYS, load_cases, playbook_of  # noqa: E402
from tests.integration.playbooks import Playbooks, Run, Server  # noqa: E402
from tests.integration.vcsim import VcsimProcess, go_toolchain  # noqa: E402
from tests.simulator.process import SimulatorProcess  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def collections_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection built and installed, so that what is tested is what users get."""
    folder = tmp_path_factory.mktemp("collections")
    galaxy = [sys.executable, "-m", "ansible", "galaxy", "collection"]
    env = {**os.environ, "ANSIBLE_HOME": str(folder / "ansible"), "ANSIBLE_COLLECTIONS_PATH": str(folder)}
    subprocess.run([*galaxy, "build", "--output-path", folder], cwd=ROOT, env=env, check=True, capture_output=True)
    [artifact] = folder.glob("*.tar.gz")
    subprocess.run([*galaxy, "install", "--offline", "-p", folder, artifact], env=env, check=True, capture_output=True)
    return folder


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


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def run_cases(
    request: pytest.FixtureRequest, playbook: Playbooks, servers: dict[str, Server]
) -> Callable[[str, str], Run]:
    """Runs the cases of a module in one way, once: those that tests are selected for, or else all."""
    items = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    selected = [params for params in items if "case" in params]

    @cache
    def run(module: str, way: str) -> Run:
        cases = []
        for case in load_cases(module):
            chosen = [params for params in selected if params["case"] is case and params.get("way", way) == way]
            cases += [(case, sorted({params["dialect"] for params in chosen}))] if chosen else []
        tasks = playbook_of(module, cases or [(case, ["api"]) for case in load_cases(module)])
        return playbook(tasks, servers, way=way, strategy="free")

    return run


@pytest.fixture(scope="session")
def vcsim() -> Iterator[VcsimProcess]:
    if go_toolchain() is None:
        reason = "no Go toolchain that can build tests/vcsim"
        (pytest.fail if os.environ.get("CONTENT_LIBRARY_REQUIRE_GO") == "1" else pytest.skip)(reason)
    with VcsimProcess() as process:
        yield process
