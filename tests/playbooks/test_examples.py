# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example that users read is run.

What an example takes for granted is there: /srv/images, https://mirror.example.com, vcenter.example.com, an item, an
update session, subscribed libraries, and variables.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import re
import shutil
import subprocess
import sys
import tarfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.playbooks.examples import ROOT, Example, examples
from tests.playbooks.plays import Playbooks, Run, Server
from tests.simulator.process import SimulatorProcess

GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
# The item of the examples, where a reader sees an id.
ITEM_ID = "3f6cb4c0-5f52-4d3e-b1fd-4f9ef9f7e0a3"
DESCRIPTOR = """<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
  <References><File ovf:id="disk" ovf:href="appliance.vmdk" ovf:size="4"/></References>
</Envelope>
"""
# By whom it is checked, or why it can't be run.
ELSEWHERE = {
    "execution_environment: execution-environment.yml": "tests/ee",
    "execution_environment: execution-environment.yml, added": "tests/ee",
    "awx: Variables of the job template": "test_awx",
    "awx: Input configuration": "test_awx",
    "awx: Injector configuration": "test_awx",
    "events: inventory.yml": "test_rulebooks",
    "events: variables.yml": "test_rulebooks",
    "events: rulebook.yml": "test_rulebooks",
    "events: library.yml": "test_rulebooks",
    "exporting: The CD drive with vmware.vmware": "another collection's module",
    "exporting: The CD drive with community.vmware": "another collection's module",
    "README: 2": "test_galaxy",
    "getting_started: From an archive": "test_galaxy",
    "getting_started: From requirements": "test_galaxy",
    "libraries: Mirror a library": "test_awx",
    "libraries: mirror.yml": "test_awx",
    "many_items: Publish a folder": "test_awx",
    "migration: With vmware.vmware": "another collection's module",
    "CONTRIBUTING: 4": "test_contributing",
    "CONTRIBUTING: 6": "test_contributing",
}
EXAMPLES = {example.name: example for example in examples()}
YAML = [
    name
    for name, example in EXAMPLES.items()
    if example.language == "yaml" and name not in ELSEWHERE and not example.is_requirements
]
SHELL = [name for name, example in EXAMPLES.items() if example.language == "shell" and name not in ELSEWHERE]
# Programs for developers, which the Makefile and .ci/run start, and those that another test runs.
DEVELOPMENT = {"ansible-builder", "ansible-rulebook", "JAVA_TOOL_OPTIONS=-Xrs", "PATH=$PWD/.venv/bin:$PATH"}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the examples call /srv/images."""
    folder = tmp_path_factory.mktemp("images")
    for name in ("tools.iso", "web.cfg", "database.cfg"):
        (folder / name).write_text(name)
    (folder / "appliance.ovf").write_text(DESCRIPTOR)
    (folder / "appliance.vmdk").write_text("disk")
    with tarfile.open(folder / "appliance.ova", "w") as archive:
        for name in ("appliance.ovf", "appliance.vmdk"):
            archive.add(folder / name, name)
    with (folder / "large.iso").open("wb") as file:
        file.truncate(40_000_000)
    return folder


@pytest.fixture(scope="module")
def mirror(images: Path) -> Iterator[str]:
    """What the examples call https://mirror.example.com."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=images)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Reader:
    """Somebody who runs what he reads."""

    def __init__(self, playbook: Playbooks, simulator: SimulatorProcess, images: Path, mirror: str) -> None:
        self.playbook = playbook
        self.simulator = simulator
        self.item_id = next(iter(simulator.state()["items"]))
        published = simulator.publish("published", items=[{"name": "debian-12", "files": {"debian-12.iso": "debian"}}])
        simulator.add_library("production")
        simulator.subscribe("mirror of images", simulator, published)
        simulator.subscribe("on demand", simulator, published, on_demand=True)
        simulator.add_item("gateway", type="ovf", files={"gateway.ovf": DESCRIPTOR, "gateway.vmdk": "disk"})
        simulator.add_item("debian-12.9", type="iso", files={"debian-12.9.iso": "debian"})
        simulator.add_item("rescue", type="iso", files={"rescue.iso": "rescue"})
        [self.update_session_id] = simulator.add_sessions(library_item_id=simulator.add_item("another"))
        checksum = hashlib.sha256((images / "tools.iso").read_bytes()).hexdigest()
        self.variables = {
            "library_item_id": self.item_id,
            "library_item_ids": [self.item_id],
            "update_session_id": self.update_session_id,
            "library_name": "demo",
            "publication_password": "s3cret",
            "new_publication_password": "another secret",
            "other_vcenter": simulator.url,
            "other_username": simulator.username,
            "other_password": simulator.password,
            "files": str(images),
            "files_checksum": checksum,
            "tools_checksum": checksum,
            "vcenter_username": simulator.username,
            "vcenter_password": simulator.password,
            "vcenter_ca_path": simulator.ca_path,
        }
        self.replacements = {
            "/srv/images": str(images),
            "https://mirror.example.com": mirror,
            "vcenter.example.com": simulator.url,
            ITEM_ID: self.item_id,
        }

    def text(self, example: Example) -> str:
        text = example.text
        for name, there in self.replacements.items():
            text = text.replace(name, there)
        return text

    def run(self, name: str, folder: Path, check: bool = False, **variables: Any) -> Run:
        """Run a playbook, or tasks as those of a play, with the environment that points at the simulator."""
        example = EXAMPLES[name]
        content: Any = yaml.safe_load(self.text(example))
        if example.is_playbook:
            path = folder / "playbook.yml"
            path.write_text(self.text(example), encoding="utf-8")
            content = path
        simulator = self.simulator
        server = Server(simulator.host, simulator.port, simulator.username, simulator.password, simulator.ca_path)
        return self.playbook(
            content,
            {"localhost": server},
            connection_options=False,
            check=check,
            extra_vars={**self.variables, **variables},
            env={**simulator.environment, "VSPHERE_CONTENT_LIBRARY_IN_PROCESS": "true"},
        )

    @property
    def sessions(self) -> dict[str, dict[str, Any]]:
        """The sessions on the server, but for the one that was there before."""
        sessions = self.simulator.state()["sessions"]
        return {id_: session for id_, session in sessions.items() if id_ != self.update_session_id}


@pytest.fixture
def reader(playbook: Playbooks, simulator: SimulatorProcess, images: Path, mirror: str) -> Reader:
    return Reader(playbook, simulator, images, mirror)


def open_elsewhere(reader: Reader) -> str:
    """Another user's session on the item."""
    return reader.simulator.add_sessions(library_item_id=reader.item_id, user="operator@vsphere.local")[0]


# Those of the modules and of README.md are what most people run.
FIRST = [name for name in YAML if EXAMPLES[name].page == "README" or EXAMPLES[name].caption == "EXAMPLES"]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.costly] * (name not in FIRST)) for name in YAML]
)
def test_yaml(name, reader, tmp_path):
    variables = {}
    if name == "awx: publish_item.yml":
        variables = {"item_name": "tools", "item_src": f"{reader.variables['files']}/tools.iso"}
    if name == "publishing: Push in the background and see the progress":
        # A push tells its progress every third of the lifetime.
        reader.simulator.config(upload_rate=4_000_000, session_lifetime=6)
    run = reader.run(name, tmp_path, **variables).succeeded()
    assert not [result for result in run.results if result.status == "unreachable"]
    if EXAMPLES[name].is_playbook:
        assert "ACTIVE" not in {session["state"] for session in reader.sessions.values()}
    if not name.startswith("api_session"):
        assert reader.simulator.state()["tokens"] == []
    check = CHECKS.get(name)
    if check:
        check(reader, run)


@pytest.mark.parametrize("name", YAML)
@pytest.mark.costly
def test_yaml_with_check(name, reader, tmp_path):
    """Whoever adds --check sees what would happen, and nothing happens."""
    before = reader.simulator.state()
    variables = {"item_name": "tools", "item_src": f"{reader.variables['files']}/tools.iso"}
    reader.run(name, tmp_path, check=True, **variables).succeeded()
    after = reader.simulator.state()
    assert after["items"] == before["items"]
    assert after["sessions"].keys() == before["sessions"].keys()
    if not name.startswith("api_session"):
        assert after["tokens"] == []


def check_background(reader: Reader, run: Run) -> None:
    told = int(run.task("Tell how far it is")["msg"].removesuffix(" %"))
    assert 0 < told < 100
    assert run.task("Wait until it is done")["changed"]


def check_pull(reader: Reader, run: Run) -> None:
    [file] = run.task("Pull an image from a web server")["files"]
    assert (file["action"], file["size"]) == ("pulled", len("tools.iso"))


def check_several(reader: Reader, run: Run) -> None:
    items = {item["name"]: set(item["files"]) for item in reader.simulator.state()["items"].values()}
    assert items["appliance"] == items["appliance-from-archive"] == {"appliance.ovf", "appliance.vmdk"}
    assert items["kickstarts"] == {"web.cfg", "database.cfg"}


def check_newest(reader: Reader, run: Run) -> None:
    path = run.task("Keep the path, such as [nfs-01] contentlib-…/…/debian-12_….iso")["ansible_facts"]["iso_path"]
    assert re.fullmatch(r"\[nfs-01\] contentlib-[^/]+/[^/]+/debian-12[.]9_[^/]+[.]iso", path)


def check_carried(reader: Reader, run: Run) -> None:
    [item] = [
        item
        for item in reader.simulator.state()["items"].values()
        if item["id"] == run.results[-1]["library_item"]["id"]
    ]
    assert set(item["files"]) == {"rescue.iso"}


def check_some(reader: Reader, run: Run) -> None:
    [told] = [result["msg"] for result in run.task("Tell why the others failed")["results"]]
    assert told.startswith("missing: INVALID_ARGUMENT: ")
    assert "tools" in {item["name"] for item in reader.simulator.state()["items"].values()}


CHECKS: dict[str, Callable[[Reader, Run], None]] = {
    "publishing: Push in the background and see the progress": check_background,
    "exporting: Find the newest image, and where it is": check_newest,
    "exporting: Carry an item to another vCenter": check_carried,
    "many_items: Go on with those that succeeded": check_some,
    "publishing: Let the server pull": check_pull,
    "publishing: One file, a package, an archive, several files": check_several,
}


@pytest.mark.costly
class TestBranches:
    """The other branch of each example that has two."""

    def test_stop_before_a_complete(self, reader, tmp_path):
        reader.simulator.config(raise_warnings=["EXPIRED_CERTIFICATE"])
        run = reader.run("branching: Stop before a complete that would fail", tmp_path)
        assert run.returncode == 2
        assert run.results[-1]["failed_when_result"] is True

    @pytest.mark.parametrize(
        "name", ["branching: Fail the session with the reason", "sessions: Change an item in an update session"]
    )
    def test_session_is_failed(self, name, reader, tmp_path):
        reader.simulator.config(raise_warnings=["EXPIRED_CERTIFICATE"])
        run = reader.run(name, tmp_path)
        assert run.returncode == 2
        [session] = reader.sessions.values()
        assert session["state"] == "ERROR"
        assert session["error_message"]["default_message"]

    def test_session_is_failed_after_a_push(self, reader, tmp_path):
        Path(reader.variables["files"], "tools.iso").rename(tmp_path / "tools.iso")
        try:
            run = reader.run("branching: Fail the session with the reason", tmp_path)
        finally:
            (tmp_path / "tools.iso").rename(Path(reader.variables["files"], "tools.iso"))
        assert run.returncode == 2
        [session] = reader.sessions.values()
        assert session["error_message"]["default_message"].startswith("Push the file: src: ")

    def test_somebody_else_is_at_work(self, reader, tmp_path):
        theirs = open_elsewhere(reader)
        run = reader.run("branching: Take one failure for a success", tmp_path).succeeded()
        assert run.task("Say so").status == "ok"
        assert reader.sessions.keys() == {theirs}

    def test_there_is_no_library(self, reader, tmp_path):
        run = reader.run("branching: Act by the kind of failure", tmp_path, library_name="nowhere").succeeded()
        assert "nowhere" in run.task("Ask for a library that exists")["msg"]
        assert run.task("Fail with everything else").status == "skipped"

    def test_item_is_never_free(self, reader, tmp_path):
        reader.simulator.add_sessions(library_item_id=reader.item_id)
        reader.replacements["  retries: 30\n  delay: 10\n"] = "  retries: 1\n  delay: 0\n"
        run = reader.run("branching: Wait until an item is free", tmp_path)
        assert run.returncode == 2
        assert run.results[-1]["attempts"] == 1


@pytest.mark.parametrize("name", SHELL)
@pytest.mark.costly
def test_shell(name, reader, tmp_path):
    for line in reader.text(EXAMPLES[name]).strip().replace("\\\n", "").splitlines():
        program = line.split()[0]
        if program == "make":
            subprocess.run([*line.split(), "--dry-run"], cwd=ROOT, check=True, capture_output=True)
        elif program not in DEVELOPMENT and not program.startswith(".venv/bin/"):
            shell(line.replace("collection install", "collection install --offline"), reader, tmp_path)


def shell(command: str, reader: Reader, folder: Path) -> str:
    """The output of a command that has to succeed."""
    (folder / "ansible.cfg").touch()
    environment = {
        **reader.playbook.environment(folder, "in_process"),
        **reader.simulator.environment,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    del environment["ANSIBLE_CALLBACKS_ENABLED"]
    bash = ["bash", "-c", command]
    done = subprocess.run(bash, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.costly
def test_ansible_lint(playbook, tmp_path):
    """Every example that can be run passes the profile production."""
    shutil.copy(ROOT / ".ansible-lint", tmp_path)
    (tmp_path / "playbooks").mkdir()
    for number, name in enumerate(YAML):
        example = EXAMPLES[name]
        text = example.text.strip("\n")
        if example.is_tasks:
            text = f"- name: Play\n  hosts: localhost\n  gather_facts: false\n  tasks:\n{textwrap.indent(text, '    ')}"
        (tmp_path / f"playbooks/{number}_{example.page}.yml").write_text(f"---\n{text}\n", encoding="utf-8")
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(playbook.collections_path),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = ["ansible-lint", "--nocolor", "playbooks"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_error_type_is_explained():
    from ansible_collections.vsphere.content_library.plugins.module_utils._errors import ERROR_TYPES

    page = (ROOT / "docs/docsite/rst/troubleshooting.rst").read_text(encoding="utf-8")
    missing = {name for name in ERROR_TYPES if f"\n{name}\n---" not in page and f"``{name}``" not in page}
    assert not missing


@pytest.mark.parametrize("page", ["README.md", "docs/index.rst"])
def test_every_module_is_listed(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for path in (ROOT / "plugins/modules").glob("*.py"):
        assert path.stem in text, f"{page} does not tell of {path.stem}"


def test_the_readme_can_be_read_in_a_minute():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_what_is_checked_elsewhere_is_there():
    assert ELSEWHERE.keys() <= EXAMPLES.keys()
