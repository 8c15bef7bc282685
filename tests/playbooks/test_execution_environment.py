# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection declares is enough for ansible-builder to make an image in which it works."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.playbooks.examples import ROOT, guides
from tests.playbooks.plays import Playbooks

# What they share is made once.
pytestmark = pytest.mark.xdist_group("environment")

BUILDER = Path(sys.executable).with_name("ansible-builder")
GUIDE = {example.caption: example for example in guides() if example.page == "execution_environment"}


@pytest.fixture(scope="module")
def declared(collections_path: Path) -> dict[str, Any]:
    """What ansible-builder finds that the installed collection asks for."""
    command = [BUILDER, "introspect", collections_path]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return yaml.safe_load(output.removeprefix("---"))


def test_introspect(declared):
    assert declared["python"] == ["requests  # from collection vsphere.content_library"]
    assert not declared.get("system")


def test_create(tmp_path):
    """The definition of the guide is one, alone and with what the guide adds."""
    definition = GUIDE["execution-environment.yml"].data
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert definition["dependencies"]["galaxy"]["collections"][0]["name"] == f"{galaxy['repository']}.git"
    for added in ({}, GUIDE["execution-environment.yml, added"].data):
        (tmp_path / "execution-environment.yml").write_text(yaml.safe_dump({**definition, **added}))
        (tmp_path / "vcenter-ca.pem").write_text("a certificate")
        [line] = [line for line in GUIDE["2"].text.splitlines() if line]
        program, *arguments = line.split()
        assert program == BUILDER.name
        subprocess.run([BUILDER, *arguments], cwd=tmp_path, check=True, capture_output=True)
        build = tmp_path / "context/_build"
        wanted = yaml.safe_load((build / "requirements.yml").read_text())
        assert wanted == definition["dependencies"]["galaxy"]
    # Containerfile where there is podman, else Dockerfile.
    [containerfile] = (tmp_path / "context").glob("*file")
    assert "ENV VMWARE_CA_PATH=/etc/vcenter-ca.pem" in containerfile.read_text()
    assert (build / "certificates/vcenter-ca.pem").read_text() == "a certificate"


@pytest.mark.costly
@pytest.mark.parametrize("way", ["true", "false"])
def test_it_works_with_what_is_declared(way, declared, controller, playbook: Playbooks, simulator, tmp_path):
    """In an environment of ansible-core and what was declared, and of nothing else."""
    tasks = [{"name": "See", "vsphere.content_library.update_session_info": {}, "register": "seen"}]
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    (tmp_path / "ansible.cfg").touch()
    environment = {
        **playbook.environment(tmp_path, "in_process"),
        **simulator.environment,
        "VSPHERE_CONTENT_LIBRARY_IN_PROCESS": way,
        "PATH": f"{controller}{os.pathsep}{os.environ['PATH']}",
    }
    del environment["ANSIBLE_CALLBACKS_ENABLED"]
    command = [controller / "ansible-playbook", "play.yml", "-v"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"update_sessions": []' in done.stdout


@pytest.fixture(scope="module")
def controller(declared: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a virtual environment with ansible-core and the declared packages."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    packages = ["ansible-core", *(line.partition("#")[0].strip() for line in declared["python"])]
    pip = [folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *packages], check=True)
    return folder / "bin"
