# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a task runs in the worker and when as a module, and what it returns from there."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.template import Templar

from ansible_collections.vsphere.content_library.plugins.plugin_utils import _core_compat, _in_process
from ansible_collections.vsphere.content_library.plugins.plugin_utils._in_process import SWITCH, InProcessAction

try:
    from ansible.template import trust_as_template as template
except ImportError:  # ansible-core before 2.19
    template = str

PLUGINS = Path(_in_process.__file__).resolve().parents[1]
ACTION = "vsphere.content_library.subject"
HANDED_OVER = {"handed_over": True}
CREDENTIALS = {"hostname": "vcenter.example.com", "username": "user", "password": "pass-word"}


@pytest.fixture(autouse=True)
def handed_over(monkeypatch):
    """The module is not started: its result is HANDED_OVER."""
    monkeypatch.setattr(NormalAction, "run", lambda self, tmp=None, task_vars=None: dict(HANDED_OVER))


def subject(run=lambda task: {}, **argument_spec):
    """A module."""
    return SimpleNamespace(SPEC={"argument_spec": argument_spec, "supports_check_mode": True}, run=run)


def run(module=None, task_vars=None, connection=None, args=None, **task):
    """Run a task of the module on a local connection, unless told otherwise."""
    defaults = {"check_mode": False, "diff": False, "async_val": 0, "environment": [{}], "delegate_to": None}
    action = type("ActionModule", (InProcessAction,), {"module": module or subject()})(
        task=SimpleNamespace(action=ACTION, args={**CREDENTIALS, **(args or {})}, **{**defaults, **task}),
        connection=SimpleNamespace(**{"ansible_name": "ansible.builtin.local", "become": None, **(connection or {})}),
        play_context=None,
        loader=DataLoader(),
        templar=Templar(DataLoader(), variables={"ansible_playbook_python": sys.executable, "no": False}),
        shared_loader_obj=None,
    )
    return action.run(task_vars=task_vars or {})


def in_worker(**case):
    return run(**case) != HANDED_OVER


def test_every_module_has_an_action_that_serves_it():
    modules = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
    assert sorted(path.stem for path in (PLUGINS / "action").glob("*.py")) == modules
    for name in modules:
        package = "ansible_collections.vsphere.content_library.plugins"
        action = importlib.import_module(f"{package}.action.{name}").ActionModule
        assert issubclass(action, InProcessAction)
        assert action.module is importlib.import_module(f"{package}.modules.{name}")


def test_a_task_that_would_run_on_the_controller_runs_in_the_worker():
    assert in_worker()


@pytest.mark.parametrize(
    "case",
    [
        {"async_val": 60},
        {"environment": [{}, {"HTTPS_PROXY": "http://proxy.example.com"}]},
        {"connection": {"ansible_name": "ansible.builtin.ssh"}},
        {"connection": {"ansible_name": "community.other.local"}},
        {"connection": {"become": SimpleNamespace(name="ansible.builtin.sudo")}},
        {"task_vars": {"ansible_python_interpreter": "/opt/other/bin/python3"}},
        {"task_vars": {SWITCH: False}},
        {"task_vars": {SWITCH: "no"}},
        {"task_vars": {SWITCH: template("{{ no }}")}},
    ],
    ids=str,
)
def test_a_task_that_needs_its_own_process_is_handed_over(case):
    assert run(**case) == HANDED_OVER


def test_without_requests_the_module_says_so(monkeypatch):
    monkeypatch.setattr(_in_process, "REQUESTS_IMPORT_ERROR", "Traceback")
    assert run() == HANDED_OVER


def test_a_mac_runs_the_module(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert run() == HANDED_OVER


@pytest.mark.parametrize("variable", [None, True, False])
@pytest.mark.parametrize("environment", [None, "1", "0"])
def test_the_variable_goes_before_the_environment(monkeypatch, variable, environment):
    if environment is not None:
        monkeypatch.setenv("VSPHERE_CONTENT_LIBRARY_IN_PROCESS", environment)
    wanted = variable if variable is not None else environment != "0"
    assert in_worker(task_vars={} if variable is None else {SWITCH: variable}) == wanted


@pytest.mark.parametrize(
    "interpreter", ["auto", "auto_silent", sys.executable, template("{{ ansible_playbook_python }}")]
)
def test_an_interpreter_may_be_this_one_or_any(interpreter):
    assert in_worker(task_vars={"ansible_python_interpreter": interpreter})


def test_another_link_to_this_python_has_other_packages(monkeypatch, tmp_path):
    for name in ("ours/python", "ours/python3", "theirs/python"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "ours/python"))
    assert in_worker(task_vars={"ansible_python_interpreter": str(tmp_path / "ours/python3")})
    assert not in_worker(task_vars={"ansible_python_interpreter": str(tmp_path / "theirs/python")})


def test_the_interpreter_is_that_of_the_host_delegated_to():
    elsewhere = {"ansible_python_interpreter": "/opt/other/bin/python3"}
    here = {"ansible_python_interpreter": sys.executable}
    to = {"delegate_to": "other"}
    assert in_worker(**to, task_vars={**elsewhere, "ansible_delegated_vars": {"other": here}})
    assert not in_worker(**to, task_vars={**here, "ansible_delegated_vars": {"other": elsewhere}})


def test_run_gets_the_validated_options():
    seen = {}
    module = subject(
        lambda task: seen.update(task.params) or {}, count={"type": "int"}, wait={"type": "bool", "default": True}
    )
    run(module, args={"count": "3"})
    assert (seen["count"], seen["wait"], seen["validate_certs"]) == (3, True, True)
    assert seen.keys() > {"hostname", "session_id", "request_timeout"}


def test_the_environment_is_the_controllers(monkeypatch):
    monkeypatch.setenv("VMWARE_VALIDATE_CERTS", "False")
    result = run()
    assert result["warnings"] == [
        "Certificates are not verified because the environment variable VMWARE_VALIDATE_CERTS says so."
    ]


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("diff", [True, False])
def test_check_mode_and_diff_mode(check_mode, diff):
    def perform(task):
        done = task.perform("delete", lambda: "done")
        return {"done": done, "diff": {"before": {"state": "DONE"}, "after": {}}}

    result = run(subject(perform), check_mode=check_mode, diff=diff)
    assert (result["changed"], result["operations"]) == (True, ["delete"])
    assert result["done"] == (None if check_mode else "done")
    assert ("diff" in result) == diff


def test_secrets_are_taken_out_wherever_they_are():
    def leak(task):
        task.services.client.secrets.add("t-o-k-e-n")
        task.warnings.append("a pass-word in a warning")
        return {"deep": [{"pass-word": ["the t-o-k-e-n"]}], "exact": "pass-word"}

    result = run(subject(leak))
    assert result["deep"] == [{"pass-word": ["the ********"]}]
    assert result["exact"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert result["warnings"] == ["a ******** in a warning"]


def test_a_secret_does_not_replace_a_flag_or_a_null():
    result = run(subject(lambda task: {"changed": True, "nothing": None}), args={"password": "True"})
    assert (result["changed"], result["nothing"]) == (True, None)


def test_the_invocation_is_told_without_secrets(monkeypatch):
    monkeypatch.setattr(_core_compat.C.config, "get_config_value", lambda name, variables: name == "INJECT_INVOCATION")
    result = run(subject(name={}), args={"name": "subject"})
    told = result["invocation"]["module_args"]
    assert told["name"] == "subject"
    assert told["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert told["request_timeout"] == 60


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ({}, "missing required arguments: name"),
        ({"name": "subject", "count": "many"}, "argument 'count' is of type"),
        (
            {"name": "subject", "nmae": "typo"},
            f"Unsupported parameters for ({ACTION}) module: nmae. Supported parameters",
        ),
        ({"name": "subject", "count": "pass-word"}, "argument 'count' is of type"),
    ],
)
def test_options_are_refused_like_a_module_refuses_them(args, text):
    result = run(subject(pytest.fail, name={"required": True}, count={"type": "int"}), args=args)
    assert result["failed"]
    assert result["msg"].startswith(text)
    assert "pass-word" not in str(result)


@pytest.mark.parametrize("other", [{}, {"library_item_id": "b"}, {"count": "many"}], ids=str)
def test_a_selector_that_is_null_is_refused_by_name(other):
    """required_one_of and mutually_exclusive would take it for one that is given."""
    module = subject(pytest.fail, update_session_id={}, library_item_id={}, count={"type": "int"})
    module.SPEC["mutually_exclusive"] = [("update_session_id", "library_item_id")]
    result = run(module, args={"update_session_id": None, **other})
    assert (result["failed"], result["error_type"]) == (True, "INVALID_ARGUMENT")
    assert result["msg"].startswith("update_session_id is null")


def test_aliases_and_deprecations_are_told():
    removed = {"removed_in_version": "9.0.0", "removed_from_collection": "vsphere.content_library"}
    result = run(subject(name={"aliases": ["title"]}, old=removed), args={"name": "a", "title": "b", "old": "c"})
    assert result["warnings"] == ["Both option name and its alias title are set."]
    [deprecation] = result["deprecations"]
    assert "old" in deprecation["msg"]
    assert (deprecation["version"], deprecation["collection_name"]) == ("9.0.0", "vsphere.content_library")


@pytest.mark.parametrize("error", [KeyError("with a pass-word"), SystemExit(3)], ids=repr)
def test_what_nobody_expected_is_a_failure_and_nothing_worse(error):
    def bug(task):
        raise error

    result = run(subject(bug))
    assert (result["failed"], result["error_type"], result["http_status"]) == (True, "ERROR", None)
    assert type(error).__name__ in result["msg"]
    assert "in bug" in result["exception"]
    assert "pass-word" not in str(result)


def test_relative_paths_start_from_the_playbook(monkeypatch, tmp_path):
    monkeypatch.setattr(DataLoader, "get_basedir", lambda self: str(tmp_path))
    before = os.getcwd()
    assert run(subject(lambda task: {"folder": os.getcwd()}))["folder"] == str(tmp_path)
    assert os.getcwd() == before


def test_a_folder_that_can_not_be_entered_again_does_not_fail_the_task(monkeypatch, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)

    def work(task):
        gone.rmdir()
        return {"done": task.perform("delete", lambda: "done")}

    monkeypatch.setattr(DataLoader, "get_basedir", lambda self: str(tmp_path))
    result = run(subject(work))
    assert (result["changed"], result["done"], result.get("failed")) == (True, "done", None)


def test_progress_goes_to_standard_error(monkeypatch):
    shown = []
    monkeypatch.setattr(_in_process.display, "display", lambda text, stderr: shown.append((text, stderr)))
    run(subject(lambda task: task.report("50 % of it") or {}))
    assert shown == [(f"{ACTION}: 50 % of it", True)]
