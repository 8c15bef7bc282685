# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-playbook in a process of its own, and read what each of its tasks did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cases.checks import TaskResult
from tests.simulator.process import SimulatorProcess

WAYS = ("in_process", "module")  # how tasks are run
PLUGINS = Path(__file__).parent / "plugins"
TIME_LIMIT = 900  # for a run that hangs; a busy machine is no reason to fail
# What would point a run at another server, or have it trust another one, than the test meant.
FOREIGN = ("VMWARE_", "ANSIBLE_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_", "LIBRARY_ITEM_ID", "GOVC_")


@dataclass
class Server:
    """A server that tasks talk to, as the variable ``server`` of its host in the inventory."""

    host: str
    port: int
    username: str
    password: str
    ca_path: str
    api_endpoint: str = "auto"
    simulated: bool = False

    @classmethod
    def of(cls, process: SimulatorProcess, dialect: str) -> Server:
        """A simulator, which tasks reach by that dialect."""
        return cls(
            process.host,
            process.port,
            process.username,
            process.password,
            process.ca_path,
            api_endpoint=dialect,
            simulated=True,
        )

    @property
    def connection_options(self) -> dict[str, Any]:
        return {
            "hostname": self.host,
            "port": self.port,
            "username": self.username,
            "password": self.password,
            "ca_path": self.ca_path,
            "api_endpoint": self.api_endpoint,
        }


@dataclass
class Run:
    """A run of ansible-playbook that is over."""

    returncode: int
    stdout: str
    stderr: str
    results: list[TaskResult]

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    def task(self, name: str, host: str | None = None) -> TaskResult:
        """The newest result of a task, on a host where there are several."""
        found = [result for result in self.results if result.name == name and host in (None, result.host)]
        assert found, f"no task {name!r} ran:\n{self.output}"
        return found[-1]

    def succeeded(self) -> Run:
        assert self.returncode == 0, self.output
        return self


class Playbooks:
    """Runs playbooks with the collections that are installed in ``collections_path``."""

    def __init__(self, collections_path: Path) -> None:
        self.collections_path = collections_path

    def __call__(
        self,
        playbook: list[dict[str, Any]] | Path,
        servers: dict[str, Server | None],
        *,
        way: str = "module",
        strategy: str = "linear",
        connection_options: bool = True,
        check: bool = False,
        diff: bool = False,
        verbosity: int = 0,
        extra_vars: dict[str, Any] | None = None,
        env: dict[str, str] | None = None,
    ) -> Run:
        """Run a playbook, or a list of tasks, on one host for each server; None is one of which the tasks know.

        Tasks get the options of their host's server by module_defaults, unless connection_options is false. They do
        their work `in_process`, in ansible-core's worker, or each as a `module`, a process of its own.
        """
        with tempfile.TemporaryDirectory(prefix="content-library-playbook-") as name:
            folder = Path(name)
            if not isinstance(playbook, Path):
                play = {"hosts": "all", "strategy": strategy, "gather_facts": False, "tasks": playbook}
                if connection_options:
                    play["module_defaults"] = {"group/vsphere.content_library.vcenter": "{{ connection_options }}"}
                playbook = folder / "playbook.yml"
                playbook.write_text(yaml.safe_dump([play], sort_keys=False, width=200), encoding="utf-8")
            (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": dict(map(_host, servers.items()))}}))
            (folder / "vars.json").write_text(json.dumps(extra_vars or {}))
            for name in ("ansible.cfg", "results.jsonl"):
                (folder / name).touch()
            command = [sys.executable, "-m", "ansible", "playbook", "--inventory", str(folder / "inventory.json")]
            command += ["--extra-vars", f"@{folder / 'vars.json'}", *["--check"] * check, *["--diff"] * diff]
            command += ["-" + "v" * verbosity] if verbosity else []
            done = subprocess.run(
                [*command, str(playbook)],
                cwd=folder,
                env={**self.environment(folder, way), **(env or {})},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIME_LIMIT,
                check=False,
            )
            lines = (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()
        return Run(done.returncode, done.stdout, done.stderr, [TaskResult(**json.loads(line)) for line in lines])

    def environment(self, folder: Path, way: str) -> dict[str, str]:
        """This process's environment without the settings of whoever started it."""
        inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith(FOREIGN)}
        return {
            **inherited,
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections_path),
            "ANSIBLE_ACTION_PLUGINS": str(PLUGINS / "action"),
            "ANSIBLE_BECOME_PLUGINS": str(PLUGINS / "become"),
            "ANSIBLE_CALLBACK_PLUGINS": str(PLUGINS / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "recorder",
            "RECORDER_FILE": str(folder / "results.jsonl"),
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            "VSPHERE_CONTENT_LIBRARY_IN_PROCESS": str(way == "in_process"),
        }


def _host(named: tuple[str, Server | None]) -> tuple[str, dict[str, Any]]:
    name, server = named
    variables: dict[str, Any] = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    if server:
        variables.update(server=vars(server), connection_options=server.connection_options)
    return name, variables
