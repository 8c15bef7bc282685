# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks in ansible-core's worker: which run there, what ends them early, and that they tell what a module tells.

That the results are the same over the whole contract is in test_ways.py.
"""

from __future__ import annotations

import datetime
import re
import time
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.playbooks.plays import Playbooks, Run, Server

INFO = "vsphere.content_library.update_session_info"
PASSWORD_OF_THE_VAULT = "open"
# A worker is given 5 seconds for a login or a logout, and this machine may be busy.
AT_ONCE = 20.0


@pytest.fixture
def server(servers: dict[str, Server]) -> Server:
    return servers["api"]


@pytest.fixture
def play(playbook: Playbooks, server: Server):
    """Runs tasks on one simulator, in the worker unless told otherwise."""

    def run(tasks: list[dict[str, Any]], way: str = "in_process", **keywords: Any) -> Run:
        given = {"name": "given", "simulator": {"sessions": {"session": {}}}, "register": "given"}
        return playbook([given, *tasks], {"api": server}, way=way, **keywords)

    return run


def by_id(session: str = "{{ given.session }}") -> dict[str, Any]:
    return {INFO: {"update_session_id": session}}


HERE = "runs in the worker"
WHERE = [
    ({}, HERE),
    ({"vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}}, HERE),
    ({"vars": {"ansible_python_interpreter": "auto_silent"}}, HERE),
    ({"delegate_to": "localhost"}, HERE),
    ({"async": 60, "poll": 1}, "runs as a module: it has async"),
    ({"environment": {"LC_ALL": "C.UTF-8"}}, "runs as a module: it has environment"),
    ({"environment": {}}, HERE),
    ({"become": True, "become_method": "nobody_else"}, "runs as a module: it has become"),
    (
        {"vars": {"vsphere_content_library_in_process": "{{ 1 == 2 }}"}},
        "runs as a module: vsphere_content_library_in_process is off",
    ),
]


def test_what_runs_where(play):
    """One play, as each run of ansible-playbook takes its time."""
    tasks = [{"name": str(number), **by_id(), **keywords} for number, (keywords, _told) in enumerate(WHERE)]
    run = play(tasks, verbosity=3).succeeded()
    told = re.findall(rf"{re.escape(INFO)} (runs in the worker|runs as a module: .*)", run.output)
    assert told == [told for _keywords, told in WHERE]
    for number in range(len(WHERE)):
        assert len(run.task(str(number))["update_sessions"]) == 1
        assert run.task(str(number)).state["tokens"] == []


@pytest.mark.costly
def test_the_environment_of_a_play_hands_over(playbook, server, tmp_path):
    plays = [{"hosts": "all", "gather_facts": False, "environment": {"VMWARE_REQUEST": "1"}, "tasks": [{INFO: {}}]}]
    plays[0]["module_defaults"] = {"group/vsphere.content_library.vcenter": "{{ connection_options }}"}
    path = tmp_path / "play.yml"
    path.write_text(yaml.safe_dump(plays))
    run = playbook(path, {"api": server}, way="in_process", verbosity=3).succeeded()
    assert f"{INFO} runs as a module: it has environment" in run.output


@pytest.mark.costly
def test_async_without_waiting_is_polled_later(play):
    run = play(
        [
            {"name": "start", **by_id(), "async": 60, "poll": 0, "register": "job"},
            {
                "name": "end",
                "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
                "register": "status",
                "until": "status is finished",
                "retries": 60,
                "delay": 1,
            },
        ]
    ).succeeded()
    assert len(run.task("end")["update_sessions"]) == 1


def slow(operation: str, seconds: float) -> dict[str, Any]:
    """It is done, and the answer comes late."""
    return {"match": {"operation": operation}, "fault": {"kind": "hang", "seconds": seconds, "process": True}}


def dead(operation: str) -> dict[str, Any]:
    return {"match": {"operation": operation}, "fault": {"kind": "hang"}, "count": 1000}


BROKEN = {"module_defaults": {"broken": "{{ connection_options }}"}}
LATE = {
    "slow login": ([slow("session.create", 2.5)], by_id()),
    "dead login": ([dead("session.create")], by_id()),
    "dead server": ([dead("update_session.get")], by_id()),
    "slow logout": ([slow("session.delete", 2.5)], by_id()),
    "threads": ([dead("file.list")], {INFO: {"gather_files": True, "request_timeout": 3}}),
    "no request": ([], {"broken": {"how": "hangs"}, **BROKEN}),
}


@pytest.mark.costly
def test_a_timeout_leaves_the_play_and_no_token(play):
    sessions = {f"session{number}": {"item": f"item{number}"} for number in range(4)} | {"session": {}}
    tasks = []
    for name, (faults, task) in LATE.items():
        faulty = {"sessions": sessions, "faults": faults}
        tasks += [
            {"name": f"{name}, faulty", "simulator": faulty, "register": "given"},
            {"name": name, **task, "timeout": 1, "ignore_errors": True},
            {"name": f"{name}, given again", "simulator": {"sessions": {"session": {}}}, "register": "given"},
            {"name": f"{name}, later", **by_id()},
        ]
    run = play(tasks).succeeded()
    for name in LATE:
        late = run.task(name)
        assert late.status == "failed"
        assert "imed out after 1 second" in late["msg"] or "expected time frame (1)" in late["msg"]
        assert late.seconds < AT_ONCE
        assert late.state["tokens"] == []
        assert len(run.task(f"{name}, later")["update_sessions"]) == 1


@pytest.mark.costly
def test_a_timeout_ends_a_module_too(play, simulator):
    """ansible-core stops to listen to its process, and that ends by itself."""
    faulty = {"sessions": {"session": {}}, "faults": [dead("update_session.get")]}
    late = {"name": "late", **by_id(), "timeout": 10, "ignore_errors": True}
    run = play([{"name": "faulty", "simulator": faulty, "register": "given"}, late], "module").succeeded()
    assert run.task("late").status == "failed"
    deadline = time.monotonic() + AT_ONCE
    while simulator.state()["tokens"] and time.monotonic() < deadline:
        time.sleep(0.2)
    assert simulator.state()["tokens"] == []
    requests = run.task("late").requests + simulator.requests()
    operations = [request["operation"] for request in requests]
    assert (operations.count("update_session.get"), operations[-1]) == (1, "session.delete")


def test_a_bug_is_a_failure_of_its_task_alone(play):
    bugs = {"raises": "KeyError", "exits": "SystemExit", "recurses": "RecursionError"}
    tasks = [{"name": how, "broken": {"how": how}, **BROKEN, "ignore_errors": True} for how in bugs]
    run = play([*tasks, {"name": "later", **by_id()}], verbosity=4).succeeded()
    for how, error in bugs.items():
        bug = run.task(how)
        assert bug.status == "failed"
        assert (bug["error_type"], error in bug["msg"]) == ("ERROR", True)
        assert bug.state["tokens"] == []
    assert len(run.task("later")["update_sessions"]) == 1
    assert "********" in run.task("raises")["msg"], "the token was the key that was not found"


def both(play, tasks: list[dict[str, Any]], **keywords: Any) -> list[Run]:
    return [play(tasks, way, **keywords) for way in ("in_process", "module")]


@pytest.mark.costly
def test_what_a_server_says_reaches_no_terminal_raw(play):
    """ansible-core 2.21 prints the msg of a failure as it is."""
    suffix = " \x1b[2K\r\nfatal: [other]: FAILED! => \x9b1A"
    given = {"simulator": {"sessions": {}, "config": {"message_suffix": suffix}}}
    lost = {"vsphere.content_library.update_session": {"update_session_id": "missing"}}
    for run in both(play, [{"name": "given hostile", **given}, {"name": "lost", **lost, "ignore_errors": True}]):
        assert r"\x1b[2K" in run.succeeded().task("lost")["msg"]
        assert r"\x1b[2K" in run.output
        assert not {"\x1b", "\r", "\x9b"} & set(run.output)
        assert not [line for line in run.output.splitlines() if line.startswith("fatal: [other]")]


@pytest.mark.costly
def test_the_invocation_is_the_same_and_without_secrets(play, server):
    # By name, as ansible-core shows the lines of a playbook that failed.
    password = "{{ connection_options.password }}"
    fail = "vsphere.content_library.update_session_fail"
    cases = {
        "success": {INFO: {"states": "ACTIVE,DONE"}},
        "failure": {fail: {"update_session_id": "missing", "client_error_message": password}},
        "missing option": {fail: {"update_session_id": "missing"}},
        "unknown option": {INFO: {"update_session": "missing", "password": password}},
        "wrong type": {INFO: {"request_timeout": password}},
        "two that exclude each other": {INFO: {"update_session_id": "a", "library_item_id": "b"}},
        "empty": {INFO: {"update_session_id": " "}},
    }
    tasks = [{"name": name, **task, "ignore_errors": True} for name, task in cases.items()]
    worker, module = both(play, tasks, verbosity=4, env={"ANSIBLE_INJECT_INVOCATION": "1"})
    for name in cases:
        told, other = ({**run.task(name).result, "update_sessions": None} for run in (worker, module))
        assert told == other
        assert told["invocation"]["module_args"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    for run in (worker, module):
        assert '"invocation": {' in run.output
        assert server.password not in run.output


class Vaulted(str):
    """Text that a playbook carries encrypted."""


class Dumper(yaml.SafeDumper):
    pass


Dumper.add_representer(Vaulted, lambda dumper, text: dumper.represent_scalar("!vault", text, style="|"))


@pytest.mark.costly
def test_values_of_every_kind_arrive_the_same(playbook, server, simulator, tmp_path):
    """Vaulted, templated, of YAML's own types: what ansible-core knows of a value stays behind."""
    (tmp_path / "vault").write_text(PASSWORD_OF_THE_VAULT)
    vault = VaultLib([("default", VaultSecret(PASSWORD_OF_THE_VAULT.encode()))])
    values = {
        "text": "{{ 'tem' ~ 'plated' }}",
        "number": 42,
        "date": datetime.date(2026, 1, 15),
        "time": datetime.datetime(2026, 1, 15, 10, 25, 31),
        "vaulted": Vaulted(vault.encrypt("open secret").decode()),
        "like a template": "{{ '{{ 1 + 1 }}' }}",
    }
    options = {**server.connection_options, "password": Vaulted(vault.encrypt(server.password).decode())}
    tasks = [
        {
            "name": name,
            "vsphere.content_library.library_item": {
                **options,
                "library_name": "demo",
                "name": "{{ way }} " + name,
                "description": value,
            },
        }
        for name, value in values.items()
    ]
    path = tmp_path / "play.yml"
    path.write_text(yaml.dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}], Dumper=Dumper, width=500))
    env = {"ANSIBLE_VAULT_PASSWORD_FILE": str(tmp_path / "vault"), "ANSIBLE_INJECT_INVOCATION": "1"}
    worker, module = (
        playbook(path, {"api": server}, way=way, env=env, extra_vars={"way": way}).succeeded()
        for way in ("in_process", "module")
    )
    for name in values:
        seen = [run.task(name) for run in (worker, module)]
        assert seen[0]["library_item"]["description"] == seen[1]["library_item"]["description"]
        told = [result["invocation"]["module_args"] for result in seen]
        assert {**told[0], "name": name} == {**told[1], "name": name}
    assert worker.task("vaulted")["library_item"]["description"] == "open secret"
    assert worker.task("text")["library_item"]["description"] == "templated"


def test_relative_paths_start_from_the_playbook(playbook, server, simulator, tmp_path):
    (tmp_path / "disk.bin").write_text("content")
    item = {"library_name": "demo", "name": "{{ way }}", "src": "disk.bin", **server.connection_options}
    tasks = [{"name": "item", "vsphere.content_library.library_item": item}]
    path = tmp_path / "play.yml"
    path.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    for way in ("in_process", "module"):
        run = playbook(path, {"api": server}, way=way, extra_vars={"way": way}).succeeded()
        assert run.task("item")["files"][0]["action"] == "uploaded"


def test_the_environment_that_awx_sets_warns_the_same(play):
    tasks = [{"name": "info", INFO: {}}]
    for run in both(play, tasks, env={"VMWARE_VALIDATE_CERTS": "False"}):
        [warning] = run.succeeded().task("info")["warnings"]
        assert "the environment variable VMWARE_VALIDATE_CERTS says so" in warning


@pytest.mark.costly
def test_a_loop_shares_its_worker(play):
    """The items of a loop are one process: nothing of one may be left for the next."""
    tasks = [
        {
            "name": "loop",
            INFO: {
                "password": "{{ item.password | default(connection_options.password) }}",
                "update_session_id": "{{ item.id }}",
            },
            "loop": [
                {"id": "{{ given.session }}"},
                {"id": "missing", "password": "wrong"},
                {"id": "{{ given.session }}"},
            ],
            "ignore_errors": True,
        }
    ]
    worker, module = both(play, tasks)
    for run in (worker, module):
        first, second, third = run.task("loop")["results"]
        assert (len(first["update_sessions"]), second["error_type"]) == (1, "UNAUTHENTICATED")
        assert third["update_sessions"][0]["id"] == first["update_sessions"][0]["id"]
        assert run.task("loop").state["tokens"] == []
