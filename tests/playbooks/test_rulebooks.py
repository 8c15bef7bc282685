# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-rulebook with the event source, where that and Java are there."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.playbooks.event_source import GUIDE, TIME_LIMIT, assert_no_secret, operations, wait_for
from tests.simulator.process import SimulatorProcess


class Rulebook:
    """ansible-rulebook, started the way the guide says: its command, inventory and variables."""

    def __init__(self, folder: Path, simulator: SimulatorProcess, collections_path: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            **simulator.environment,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "ANSIBLE_CONFIG": str(self.write("ansible.cfg", "")),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(collections_path),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_NOCOLOR": "1",
            "PYTHONUNBUFFERED": "1",
        }
        self.write("inventory.yml", GUIDE["inventory.yml"].text)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    @contextlib.contextmanager
    def run(self, command: str, *more: str, **variables: Any) -> Iterator[subprocess.Popen[str]]:
        """The process of a command of the guide, in an order to end after the block if it does not by itself."""
        self.write("variables.yml", yaml.safe_dump(variables))
        settings, options = command.split("ansible-rulebook ")
        environment = {**self.environment, **dict(setting.split("=") for setting in settings.split())}
        arguments = ["ansible-rulebook", *options.split(), *more]
        with self.log.open("w") as log:
            process = subprocess.Popen(
                arguments, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(TIME_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise

    @property
    def log(self) -> Path:
        return self.folder / "rulebook.log"

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")


@pytest.fixture
def rulebook(
    tmp_path: Path, simulator: SimulatorProcess, collections_path: Path, no_foreign_variables: None
) -> Rulebook:
    found = Rulebook(tmp_path, simulator, collections_path)
    for program in ("java", "ansible-rulebook"):
        if shutil.which(program, path=found.environment["PATH"]) is None:
            pytest.skip(f"there is no {program}")
    return found


@pytest.fixture
def commands() -> list[str]:
    """The commands of the guide: the collection's rulebook, and one of your own that a signal ends in order."""
    found = [example.text.strip() for example in GUIDE.values() if example.language == "shell"]
    assert len(found) == 2
    return found


@pytest.mark.costly
def test_stuck_sessions(rulebook, commands, simulator):
    """Of two that expire soon the one that does not move is failed; not the one that somebody keeps alive.

    The rulebook of the collection has to be terminated, which leaves no API token.
    """
    [healthy] = simulator.add_sessions(expires_in=10 * TIME_LIMIT)
    [stuck] = simulator.add_sessions(expires_in=2 * TIME_LIMIT)
    variables = {"interval": 1, "expiring_within": 3 * TIME_LIMIT, "stuck_after": 1}
    assert variables.keys() == GUIDE["variables.yml"].data.keys()

    def state(session: str) -> str:
        return simulator.state()["sessions"][session]["state"]

    in_order = commands[1].partition("ansible-rulebook")[0]
    with rulebook.run(in_order + commands[0], "--vars", "variables.yml", **variables):
        wait_for(lambda: state(stuck) == "ERROR")
        assert state(healthy) == "ACTIVE"
        simulator.change_session(healthy, preview_warnings=["EXPIRED_CERTIFICATE"])
        wait_for(lambda: "'type': 'warning_raised'" in rulebook.output and "'type': 'error'" in rulebook.output)
        assert len(simulator.state()["tokens"]) == 1
    assert simulator.state()["tokens"] == []
    reason = simulator.state()["sessions"][stuck]["error_message"]["default_message"]
    assert reason == "Released, because nothing moved for 1 seconds."
    assert_no_secret(simulator, rulebook.output)


@pytest.mark.costly
def test_rulebooks_of_the_guide(rulebook, commands, simulator):
    """A module as the action; new content is told; and the token is deleted when a rulebook ends by itself."""
    watch_library = GUIDE["library.yml"].text.replace("interval: 60", "interval: 1")
    rulebook.write("rulebook.yml", GUIDE["rulebook.yml"].text + watch_library)
    library = simulator.add_library("watched")
    item = simulator.add_item("watched", library_id=library, files={"a": "a"})
    [session] = simulator.add_sessions(library_item_id=item, preview_warnings=["EXPIRED_CERTIFICATE"])
    with rulebook.run(commands[1], "-vv", library_item_id=item, library_id=library) as process:
        wait_for(lambda: simulator.state()["sessions"][session]["state"] == "ERROR")
        wait_for(lambda: operations(simulator).count("item.get") > 1)
        simulator.change_item(item, files={"a": "another"})
        wait_for(lambda: "'type': 'item_updated'" in rulebook.output)
        simulator.add_sessions(library_item_id=item, state="DONE")
        assert process.wait(TIME_LIMIT) == 0, rulebook.output
    reason = simulator.state()["sessions"][session]["error_message"]["default_message"]
    assert reason == "The certificate of the package has expired."
    assert_no_secret(simulator, rulebook.output)
    assert simulator.state()["tokens"] == []
