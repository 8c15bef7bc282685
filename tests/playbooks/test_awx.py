# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of the collection as job templates: run by ansible-runner the way AWX starts it.

A project has a playbook that imports the collection's. The environment is what AWX's credential type `VMware vCenter`
injects (awx_plugins.credentials.injectors.vmware): VMWARE_HOST, VMWARE_USER, VMWARE_PASSWORD and
VMWARE_VALIDATE_CERTS, which is the string of a setting of AWX that is False by default. Extra variables come in a file,
texts among them marked as unsafe.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ansible_runner
import pytest
import yaml

from tests.playbooks.examples import guides
from tests.playbooks.plays import FOREIGN
from tests.simulator.process import SimulatorProcess

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOKS = ROOT / "playbooks"
TEMPLATES = sorted(path.stem for path in (PLAYBOOKS / "surveys").glob("*.json"))
GUIDE = {example.caption: example.data for example in guides() if example.page == "awx"}
# What AWX takes as the type of a question, and the type that it demands of the default.
SURVEY_TYPES = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": float,
}


@dataclass
class Job:
    """A job that is over, with what AWX keeps of it."""

    status: str
    events: list[dict[str, Any]]
    output: str

    @property
    def artifacts(self) -> dict[str, Any]:
        [stats] = [event for event in self.events if event["event"] == "playbook_on_stats"]
        return stats["event_data"].get("artifact_data", {})

    def results(self, module: str, status: str = "ok") -> list[dict[str, Any]]:
        """The results of a module's tasks, as the events of the job tell them."""
        name = f"vsphere.content_library.{module}"
        found = [event["event_data"] for event in self.events if event["event"] == f"runner_on_{status}"]
        return [data["res"] for data in found if data["resolved_action"] == name]


class Controller:
    """Starts jobs as AWX does."""

    def __init__(self, folder: Path, collections_path: Path, simulator: SimulatorProcess) -> None:
        self.folder = folder
        self.collections_path = collections_path
        self.simulator = simulator

    def credential(self, **other: str) -> dict[str, str]:
        """What the credential injects; the host may be a URL."""
        return {
            "VMWARE_HOST": self.simulator.url,
            "VMWARE_USER": self.simulator.username,
            "VMWARE_PASSWORD": self.simulator.password,
            "VMWARE_VALIDATE_CERTS": "False",
            **other,
        }

    def launch(
        self,
        template: str,
        extra_vars: dict[str, Any],
        credential: dict[str, str] | None = None,
        inventory: dict[str, Any] | None = None,
    ) -> Job:
        play = {"name": "Run a playbook of the collection"}
        play["ansible.builtin.import_playbook"] = f"vsphere.content_library.{template}"
        self.write("project/playbook.yml", yaml.safe_dump([play]))
        if inventory is None:
            host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
            inventory = {"localhost": host}
        self.write("inventory/hosts.json", json.dumps({"all": {"hosts": inventory}}))
        self.write("env/extravars", yaml.dump({name: unsafe(value) for name, value in extra_vars.items()}))
        run = ansible_runner.run(
            private_data_dir=str(self.folder),
            playbook="playbook.yml",
            envvars={
                "ANSIBLE_COLLECTIONS_PATH": str(self.collections_path),
                "ANSIBLE_HOME": str(self.folder / "ansible"),
                **(credential or self.credential()),
            },
            verbosity=3,
            quiet=True,
        )
        return Job(run.status, list(run.events), run.stdout.read())

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


class Unsafe(str):
    """A text that is not a template, whatever it has in it."""


yaml.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


def unsafe(value: Any) -> Any:
    if isinstance(value, str):
        return Unsafe(value)
    return [unsafe(entry) for entry in value] if isinstance(value, list) else value


@pytest.fixture
def controller(
    tmp_path: Path, collections_path: Path, simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Controller]:
    for name in os.environ:
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)
    # ansible-runner takes the first ansible-playbook on PATH.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    yield Controller(tmp_path, collections_path, simulator)
    assert simulator.state()["tokens"] == [], "an API token was left behind"


def answers(template: str, **given: Any) -> dict[str, Any]:
    """The extra variables of a job that somebody launches with the survey's defaults but for what is given."""
    spec = json.loads((PLAYBOOKS / "surveys" / f"{template}.json").read_text(encoding="utf-8"))["spec"]
    chosen = {}
    for question in spec:
        default = question["default"]
        if question["type"] == "multiselect":
            default = default.splitlines()
        chosen[question["variable"]] = default
    return {**chosen, **given}


def test_publish_item(controller, simulator):
    image = controller.write("project/files/tools.iso", "an image")
    given = dict(library_name="demo", item_name="tools {{ 1 }}", item_src=str(image))
    job = controller.launch("publish_item", answers("publish_item", **given))

    assert job.status == "successful", job.output
    [result] = job.results("library_item")
    assert result["library_item"]["name"] == "tools {{ 1 }}"
    assert job.artifacts == {
        "published_item": {
            "id": result["library_item"]["id"],
            "name": "tools {{ 1 }}",
            "changed": True,
            "files": ["tools.iso"],
        }
    }
    assert simulator.item_file(result["library_item"]["id"], "tools.iso") == b"an image"
    # In the worker, as the interpreter of AWX's hosts is the one that runs the playbook.
    assert "library_item runs in the worker" in job.output
    assert "tools.iso: uploaded, 8 bytes, checksum verified" in job.output
    assert simulator.password not in job.output + json.dumps(job.events)

    again = controller.launch("publish_item", answers("publish_item", **given))
    assert again.artifacts["published_item"]["changed"] is False


@pytest.mark.costly
def test_publish_item_ignores_warnings(controller, simulator):
    simulator.config(raise_warnings=["SELF_SIGNED_CERTIFICATE", "EXPIRED_CERTIFICATE"])
    image = controller.write("project/files/tools.iso", "an image")
    given = dict(library_name="demo", item_name="tools", item_src=str(image), ignore_warnings=["EXPIRED_CERTIFICATE"])
    job = controller.launch("publish_item", answers("publish_item", **given))
    assert job.status == "failed"
    [result] = job.results("library_item", "failed")
    assert "SELF_SIGNED_CERTIFICATE" in result["msg"]
    assert "EXPIRED_CERTIFICATE" not in result["msg"]
    assert "tools" not in {item["name"] for item in simulator.state()["items"].values()}

    given["ignore_warnings"].append("SELF_SIGNED_CERTIFICATE")
    assert controller.launch("publish_item", answers("publish_item", **given)).status == "successful"


@pytest.mark.costly
def test_publish_library(controller, simulator):
    for name in ("tools.iso", "debian {{ 1 }}.iso", "notes.txt"):
        controller.write(f"images/{name}", f"{name} as it is")
    old = simulator.add_library("golden", items=[{"name": "old", "files": {"old.iso": "old"}}])
    given = dict(library_name="golden", image_folder=str(controller.folder / "images"), exclusive="true")
    job = controller.launch("publish_library", answers("publish_library", **given))

    assert job.status == "successful", job.output
    items = {item["name"]: id_ for id_, item in simulator.state()["items"].items() if item["library_id"] == old}
    assert items.keys() == {"tools", "debian {{ 1 }}"}
    assert simulator.item_file(items["tools"], "tools.iso") == b"tools.iso as it is"
    told = job.artifacts["published_library"]
    assert (told["name"], told["changed"]) == ("golden", True)
    assert [(item["name"], item["changed"]) for item in told["library_items"]] == [
        ("debian {{ 1 }}", True),
        ("tools", True),
        ("old", True),
    ]
    assert "library_items runs in the worker" in job.output
    assert "old: delete_item" in job.output
    assert simulator.password not in job.output + json.dumps(job.events)

    again = controller.launch("publish_library", answers("publish_library", **given))
    assert again.artifacts["published_library"]["changed"] is False


@pytest.mark.costly
def test_publish_library_from_a_list_into_a_new_library(controller, simulator):
    paths = [str(controller.write(f"images/{name}.iso", name)) for name in ("a", "b")]
    given = dict(library_name="new", library_datastore="nfs-01", image_paths="\n".join([*paths, ""]))
    job = controller.launch("publish_library", answers("publish_library", **given))
    assert job.status == "successful", job.output
    [library] = [library for library in simulator.state()["libraries"].values() if library["name"] == "new"]
    items = [item["name"] for item in simulator.state()["items"].values() if item["library_id"] == library["id"]]
    assert sorted(items) == ["a", "b"]
    # Two files whose item would have one name.
    twins = [*paths, str(controller.write("images/of-another/a.iso", "other"))]
    job = controller.launch("publish_library", {"library_name": "new", "image_paths": twins})
    assert job.status == "failed"
    [result] = job.results("library_items", "failed")
    assert "more than one entry with the name a" in result["msg"]
    job = controller.launch("publish_library", answers("publish_library", library_name="new"))
    assert job.status == "failed"
    assert "There is no .iso, .ovf or .ova file" in job.output, job.output[-3000:]


def test_session_report(controller, simulator):
    simulator.add_sessions(client_progress=40)
    [broken] = simulator.add_sessions(state="ERROR", error_message="The disk is full.")
    simulator.add_sessions(state="DONE")
    job = controller.launch("session_report", answers("session_report"))
    assert job.status == "successful", job.output
    assert {session["state"] for session in job.artifacts["update_sessions"]} == {"ACTIVE", "ERROR"}
    assert "The disk is full." in job.output

    given = dict(session_states=["ERROR"], fail_on_error="true")
    job = controller.launch("session_report", answers("session_report", **given))
    assert job.status == "failed"
    assert [session["id"] for session in job.artifacts["update_sessions"]] == [broken]


@pytest.mark.parametrize("delete", ["false", "true"])
@pytest.mark.costly
def test_release_stuck_sessions(delete, controller, simulator):
    [stuck] = simulator.add_sessions()
    [done] = simulator.add_sessions(state="DONE")
    given = dict(stuck_after=1, release_message="{{ Nobody's }}", delete_released=delete)
    job = controller.launch("release_stuck_sessions", answers("release_stuck_sessions", **given))
    assert job.status == "successful", job.output
    assert job.artifacts == {"released_sessions": [stuck]}
    sessions = simulator.state()["sessions"]
    assert sessions[done]["state"] == "DONE"
    if delete == "true":
        assert stuck not in sessions
    else:
        assert sessions[stuck]["error_message"]["default_message"] == "{{ Nobody's }}"


@pytest.mark.costly
def test_release_stuck_sessions_spares_a_living_one(controller, simulator):
    [session] = simulator.add_sessions()
    # Its second look finds another progress.
    matched = {"match": {"operation": "update_session.get"}, "at": 2}
    living = {
        key: value
        for key, value in simulator.state()["sessions"][session].items()
        if key not in ("files", "expires_in")
    }
    simulator.faults([{**matched, "fault": {"kind": "body", "body": {**living, "client_progress": 50}}}])
    job = controller.launch("release_stuck_sessions", answers("release_stuck_sessions", stuck_after=1))
    assert job.status == "successful", job.output
    assert job.artifacts == {"released_sessions": []}
    assert simulator.state()["sessions"][session]["state"] == "ACTIVE"


@pytest.mark.costly
class TestCertificate:
    """Whether jobs verify the certificate, which nothing trusts but the simulator's own CA."""

    def test_default_credential_warns(self, controller):
        job = controller.launch("session_report", {})
        assert job.status == "successful", job.output
        [result] = job.results("update_session_info")
        [warning] = result["warnings"]
        assert "VMWARE_VALIDATE_CERTS" in warning

    def test_extra_variable_turns_verification_on(self, controller, simulator):
        job = controller.launch("session_report", {"vcenter_validate_certs": True})
        assert job.status == "failed"
        assert job.results("update_session_info", "failed")[0]["error_type"] == "UNVERIFIED_PEER"
        trusted = {"vcenter_validate_certs": True, "vcenter_ca_path": simulator.ca_path}
        assert GUIDE["Variables of the job template"].keys() == trusted.keys()
        job = controller.launch("session_report", trusted)
        assert job.status == "successful", job.output
        assert "warnings" not in job.results("update_session_info")[0]

    def test_credential_type_with_a_certificate(self, controller, simulator):
        """The type of the guide, as AWX renders it."""
        injectors, form = GUIDE["Injector configuration"], GUIDE["Input configuration"]
        inputs = {
            "host": simulator.url,
            "username": simulator.username,
            "password": simulator.password,
            "ca_certificate": Path(simulator.ca_path).read_text(encoding="utf-8"),
        }
        assert [field["id"] for field in form["fields"]] == form["required"] == list(inputs)

        def render(template: str) -> str:
            return re.sub(r"{{ (.+?) }}", lambda found: inputs[found[1]], template)

        [(name, content)] = injectors["file"].items()
        path = controller.write("env/tmp_ca", render(content))
        inputs[f"tower.filename.{name.removeprefix('template.')}"] = str(path)
        credential = {name: render(value) for name, value in injectors["env"].items()}
        assert credential["VMWARE_VALIDATE_CERTS"] == "True"
        job = controller.launch("session_report", {}, credential)
        assert job.status == "successful", job.output
        assert "warnings" not in job.results("update_session_info")[0]

        path.write_text("")
        assert controller.launch("session_report", {}, credential).status == "failed"


@pytest.fixture(scope="module")
def mirror() -> Iterator[SimulatorProcess]:
    """Another vCenter, with a password and an authority of its own."""
    with SimulatorProcess() as process:
        yield process


@pytest.mark.costly
def test_mirror_library(controller, simulator, mirror):
    mirror.reset()
    source = simulator.add_library("golden", items=[{"name": "debian", "files": {"debian.iso": "debian"}}])
    given = dict(
        library_name="golden",
        publication_password="s3cret {{ 1 }}",
        publisher_thumbprint=simulator.thumbprint,
        mirror_hostname=mirror.url,
        mirror_username=mirror.username,
        mirror_password=mirror.password,
        mirror_datastore="nfs-01",
        mirror_name="golden of the other site",
    )
    job = controller.launch("mirror_library", answers("mirror_library", **given))

    assert job.status == "successful", job.output
    [library] = [entry for entry in mirror.state()["libraries"].values() if entry["name"] == given["mirror_name"]]
    [item] = [entry for entry in mirror.state()["items"].values() if entry["library_id"] == library["id"]]
    assert mirror.item_file(item["id"], "debian.iso") == b"debian"
    told = job.artifacts["mirrored_library"]
    assert (told["id"], told["published_id"], told["changed"]) == (library["id"], source, True)
    assert told["publish_url"] == library["subscription_info"]["subscription_url"]
    assert simulator.library(source)["publish_info"]["authentication_method"] == "BASIC"
    for secret in (simulator.password, mirror.password, "s3cret"):
        assert secret not in job.output + json.dumps(job.events)

    simulator.add_item("alpine", library_id=source, files={"alpine.iso": "alpine"})
    again = controller.launch("mirror_library", answers("mirror_library", **given))
    told = again.artifacts["mirrored_library"]
    assert [(entry["name"], entry["change"]) for entry in told["library_items"]] == [("alpine", "added")]
    assert "alpine: added" in again.output
    third = controller.launch("mirror_library", answers("mirror_library", **given))
    assert third.artifacts["mirrored_library"]["changed"] is False
    assert mirror.state()["tokens"] == [], "an API token was left behind"


def test_variables_of_the_guide_are_those_of_the_playbook():
    [given] = [example.data for example in guides() if example.caption == "mirror.yml"]
    survey = json.loads((PLAYBOOKS / "surveys/mirror_library.json").read_text(encoding="utf-8"))["spec"]
    assert given.keys() <= {question["variable"] for question in survey}
    required = {question["variable"] for question in survey if question["required"] and not question["default"]}
    assert required <= given.keys()


@pytest.mark.costly
def test_an_empty_inventory_will_do(controller):
    image = controller.write("project/files/tools.iso", "an image")
    given = dict(library_name="demo", item_name="tools", item_src=str(image))
    job = controller.launch("publish_item", answers("publish_item", **given), inventory={})
    assert job.status == "successful", job.output
    assert job.artifacts["published_item"]["changed"]
    assert "library_item runs in the worker" in job.output


@pytest.mark.parametrize("template", TEMPLATES)
class TestSurvey:
    """The surveys pass what AWX checks when one is posted, and fit their playbooks."""

    @pytest.fixture
    def survey(self, template: str) -> dict[str, Any]:
        return json.loads((PLAYBOOKS / "surveys" / f"{template}.json").read_text(encoding="utf-8"))

    def test_awx_takes_it(self, survey):
        assert survey.keys() == {"name", "description", "spec"}
        variables = [question["variable"] for question in survey["spec"]]
        assert len(variables) == len(set(variables))
        for question in survey["spec"]:
            texts = ("question_name", "question_description", "type", "variable")
            assert all(isinstance(question[key], str) for key in texts)
            assert isinstance(question["required"], bool)
            assert all(question[key] is None or isinstance(question[key], int) for key in ("min", "max"))
            default = question["default"]
            # Several defaults come as the lines of one text.
            assert default == "" or isinstance(default, SURVEY_TYPES[question["type"]]), question
            if question["type"] in ("multiselect", "multiplechoice"):
                assert set(default.splitlines()) <= set(question["choices"])

    def test_playbook_has_its_variables(self, template, survey):
        text = (PLAYBOOKS / f"{template}.yml").read_text(encoding="utf-8")
        header, play = text.split("\n- name: ", 1)
        documented = set(re.findall(r"^#   ([a-z_]+)  ", header, re.MULTILINE))
        for question in survey["spec"]:
            assert question["variable"] in documented
        for variable in documented:
            assert re.search(rf"\b{variable}\b", play), f"{variable} is documented and not used"
        used = set(re.findall(r"(?:{{ |\()([a-z_]+)(?= \||\s*}})", play)) - {"reason"}
        assert used <= documented | {"before"}, used - documented
