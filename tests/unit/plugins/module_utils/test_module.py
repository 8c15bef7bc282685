# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where Ansible meets the services: execute in process, and whole modules as Ansible runs them, as processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._argspec import CONNECTION, connection_spec
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import VapiError
from ansible_collections.vsphere.content_library.plugins.module_utils._module import (
    CONNECTION_OPTIONS,
    execute,
    secrets_of,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline
from ansible_collections.vsphere.content_library.plugins.modules import (
    update_session,
    update_session_fail,
    update_session_info,
)
from ansible_collections.vsphere.content_library.tests.in_process import validate
from ansible_collections.vsphere.content_library.tests.unit.plugins.sockets import SocketServer, answer
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import (
    HOST,
    ID,
    LOGIN,
    PASSWORD,
    TOKEN,
    USERNAME,
    argument_errors,
    run_task,
    session,
)

DEFAULTS = {
    **dict.fromkeys(CONNECTION_OPTIONS),
    "hostname": HOST,
    "session_id": TOKEN,
    "validate_certs": True,
    "api_endpoint": "api",
    "request_timeout": 60,
}


def perform(run, check_mode=False, **params):
    return execute(run, {**DEFAULTS, **params}, check_mode)


# execute


def test_what_run_returns_is_the_result(wire):
    outcome = perform(lambda task: {"answer": 42})
    assert outcome.result == {"changed": False, "operations": [], "answer": 42}
    assert not outcome.failed


def test_what_was_performed_is_a_change(wire):
    done = []

    def run(task):
        assert task.perform("cancel", done.append, "a") is None
        return {"returned": task.perform("delete", str.upper, "b")}

    outcome = perform(run)
    assert outcome.result == {"changed": True, "operations": ["cancel", "delete"], "returned": "B"}
    assert done == ["a"]


@pytest.mark.parametrize("seconds", [10**7, 10**11, 10**400])
def test_a_huge_time_is_as_long_as_one_can_wait(server, seconds):
    def run(task):
        params = task.params
        times = {params[name] for name in ("request_timeout", "wait_timeout", "busy_timeout", "stale_after")}
        with socket.socket() as sock:
            sock.settimeout(task.services.client.request_timeout)
            sock.settimeout(*times)
        return {"left": Deadline(seconds).remaining(), "session": task.services.update_sessions.get(ID)}

    server.expect("get", session())
    names = ("request_timeout", "wait_timeout", "busy_timeout", "stale_after")
    outcome = perform(run, api_endpoint=server.dialect, **dict.fromkeys(names, seconds))
    assert not outcome.failed, outcome.result
    assert 1_000_000 < outcome.result["left"] < 2_147_483


def test_check_mode_performs_nothing_and_tells_the_same(wire):
    outcome = perform(lambda task: {"returned": task.perform("delete", pytest.fail, "no")}, check_mode=True)
    assert outcome.result == {"changed": True, "operations": ["delete"], "returned": None}


def test_an_error_is_a_failure(wire):
    def run(task):
        task.warnings.append("careful")
        raise VapiError("no", error_type="RESOURCE_BUSY", http_status=500, operation="update_session.create")

    outcome = perform(run)
    assert outcome.failed
    assert outcome.result == {
        "msg": "no",
        "error_type": "RESOURCE_BUSY",
        "http_status": 500,
        "messages": [],
        "operation": "update_session.create",
    }
    assert outcome.warnings == ["careful"]


def test_a_mistake_in_a_run_is_a_failure_too_and_leaves_no_token(server):
    def run(task):
        task.services.client.token()
        return 1 / 0

    server.expect("log_in", "own-token")
    server.expect("log_out", token="own-token")
    outcome = perform(run, api_endpoint=server.dialect, **LOGIN)
    assert outcome.failed
    assert outcome.result["error_type"] == "ERROR"
    assert "ZeroDivisionError" in outcome.result["exception"]
    assert "own-token" in outcome.secrets


@pytest.mark.parametrize("option", ["hostname", "proxy_host", "url"])
@pytest.mark.parametrize("host", ["example.com", "example.com/a", "example.com:8080", "[::1", "[::1]:80/?b#c"])
@pytest.mark.parametrize(
    ("user_info", "secrets"),
    [
        ("user:hidden", {"hidden"}),
        ("u:hidden", {"hidden"}),
        ("user:hid%40den", {"hid%40den", "hid@den"}),
        ("user:hid@den", {"hid@den"}),
        ("user:hid/d?e#n", {"hid/d?e#n"}),
        ("user:hid:den", {"hid:den"}),
        ("user:2024/hidden", {"2024/hidden"}),
        ("a-long-token", {"a-long-token"}),
        ("a-long-token:", {"a-long-token"}),
    ],
)
def test_the_user_info_of_a_url_is_a_secret(wire, option, user_info, secrets, host):
    for prefix in ("https://", ""):
        url = f"{prefix}{user_info}@{host}"
        assert secrets_of({option: url}) == secrets
        outcome = perform(lambda task: {}, **{option: url})
        assert outcome.secrets >= secrets
        assert not [secret for secret in secrets if secret in json.dumps(outcome.result)]


@pytest.mark.parametrize("url", ["https://example.com/a@b", "ds:///a/b@c", "[::1]:80"])
def test_a_url_without_user_info_has_no_secret(url):
    assert secrets_of({"url": url}) == set()


def test_user_info_in_what_a_server_says_is_masked_where_it_is(wire):
    """What one user wrote into a description must not change what is shown of anything else."""

    def run(task):
        task.warnings.append("from ssh://git@example.com")
        text = "Not fetched from http://user:hid/den@example.com/a: see ssh://git@example.com."
        return {"update_sessions": [{"id": "digit-hid/den", "error_message": {"default_message": text}}]}

    outcome = perform(run)
    [told] = outcome.result["update_sessions"]
    shown = "Not fetched from http://********@example.com/a: see ssh://********@example.com."
    assert told == {"id": "digit-hid/den", "error_message": {"default_message": shown}}
    assert outcome.warnings == ["from ssh://********@example.com"]
    assert outcome.secrets == set()


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_in_a_result_steers_a_terminal_or_forges_a_line(wire, fails):
    forged, lines = "no\x1b[2K\r\nfatal: [host2]: FAILED! =>\x9b1A", []

    def run(task):
        task.report(forged)
        task.warnings.append(forged)
        if fails:
            raise VapiError(forged, messages=[{"default_message": forged}])
        return {"library_item": {"name": forged, forged: None}}

    outcome = execute(run, DEFAULTS, False, report=lines.append)
    told = str([*outcome.result.values(), outcome.warnings, lines])
    assert not {"\x1b", "\r", "\x9b"} & set(json.dumps(outcome.result, ensure_ascii=False) + "".join(lines))
    assert r"\x1b[2K" in told
    assert "\n" not in outcome.result.get("msg", "") + "".join(outcome.warnings + lines)


def test_the_password_of_a_proxy_of_the_environment_is_a_secret(wire, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://user:hidden@proxy.example.com:8080")
    assert perform(lambda task: {}).secrets == {"hidden"}


@pytest.mark.parametrize("value", ["https://[::1", "https://user:pass@[::1:80", "no url", None])
def test_a_url_that_is_none_is_no_bug(wire, value):
    assert not perform(lambda task: {}, url=value).failed


@pytest.mark.parametrize(
    ("verify", "by", "warned"), [(False, ["VMWARE_VALIDATE_CERTS"], True), (True, ["VMWARE_VALIDATE_CERTS"], False)]
)
def test_the_environment_turns_verification_off_not_without_a_warning(wire, verify, by, warned):
    outcome = execute(lambda task: {}, {**DEFAULTS, "validate_certs": verify}, False, unverified_by=by)
    assert [("VMWARE_VALIDATE_CERTS" in warning) for warning in outcome.warnings] == [True] * warned


def test_a_task_that_turns_verification_off_knows_it(wire):
    assert perform(lambda task: {}, validate_certs=False).warnings == []


@pytest.mark.parametrize(
    ("option", "variable"),
    [
        ("hostname", "VMWARE_HOST"),
        ("port", "VMWARE_PORT"),
        ("username", "VMWARE_USER"),
        ("password", "VMWARE_PASSWORD"),
        ("session_id", "VMWARE_SESSION_ID"),
        ("validate_certs", "VMWARE_VALIDATE_CERTS"),
        ("ca_path", "VMWARE_CA_PATH"),
        ("proxy_host", "VMWARE_PROXY_HOST"),
        ("proxy_port", "VMWARE_PROXY_PORT"),
        ("api_endpoint", "VMWARE_API_ENDPOINT"),
    ],
)
def test_an_option_falls_back_to_its_variable(monkeypatch, option, variable):
    monkeypatch.setenv(variable, "something")
    fallback, names = connection_spec([])[option]["fallback"]
    assert fallback(*names) == "something"
    assert names == [variable]


@pytest.mark.parametrize("value", ["", " ", "\t\n"])
def test_an_empty_variable_counts_as_unset(monkeypatch, value):
    given = dict(update_session_id=ID, hostname="vcenter.example.com")
    without = validate(update_session, given)
    for _option, variable in CONNECTION.values():
        if variable:
            monkeypatch.setenv(variable, value)
    unverified_by = []
    validated = validate(update_session, given, unverified_by)
    assert (validated.error_messages, unverified_by) == ([], [])
    assert validated.validated_parameters == without.validated_parameters
    assert "hostname" in validate(update_session, dict(update_session_id=ID)).error_messages[0]


def test_secrets_are_declared_and_nothing_has_an_alias():
    spec = connection_spec([])
    assert {option for option, rules in spec.items() if rules.get("no_log")} == {"password", "session_id"}
    assert not [option for option, rules in spec.items() if "aliases" in rules]


@pytest.mark.parametrize(
    ("module", "params", "named"),
    [
        (update_session, dict(update_session_id=ID, warning_behavior=[{"type": "WRONG_MOON"}]), "warning_behavior"),
        (update_session, dict(update_session_id=ID, warning_behavior=[{"ignored": True}]), "type"),
        (update_session, dict(), "update_session_id, library_item_id"),
        (update_session, dict(update_session_id=ID, library_item_id="b"), "update_session_id|library_item_id"),
        (update_session, dict(update_session_id=ID, state="open"), "state"),
        (update_session, dict(update_session_id=ID, client_progress="half"), "client_progress"),
        (update_session, dict(update_session_id=ID, api_endpoint="soap"), "api_endpoint"),
        (update_session, dict(update_session_id=ID, hostname=None), "hostname"),
        (update_session_info, dict(update_session_id=ID, library_item_id="b"), "update_session_id|library_item_id"),
        (update_session_info, dict(states=["active"]), "states"),
        (update_session_fail, dict(update_session_id=ID), "client_error_message"),
        (update_session_fail, dict(client_error_message="why"), "update_session_id"),
    ],
)
def test_ansible_refuses_what_the_argument_spec_rules_out(module, params, named):
    (message, *_more) = argument_errors(module, **params)
    assert named in message


@pytest.mark.parametrize("module", [update_session, update_session_info, update_session_fail])
def test_without_credentials_nothing_is_sent(wire, module):
    params = {"update_session_id": ID, "client_error_message": "why"}
    params = {option: value for option, value in params.items() if option in module.SPEC["argument_spec"]}
    outcome = run_task(module, **params)
    assert outcome.result["error_type"] == "INVALID_ARGUMENT"
    assert "credentials are missing" in outcome.result["msg"]
    assert "VMWARE_PASSWORD" in outcome.result["msg"]


# Whole modules

RUNNER = """
import importlib, json, sys
from ansible.module_utils import basic
name, arguments = sys.argv[1], sys.stdin.buffer.read()
basic._ANSIBLE_ARGS = arguments
basic._ANSIBLE_PROFILE = "legacy"  # ansible-core 2.19 and later want to know how the arguments are written
importlib.import_module("ansible_collections.vsphere.content_library.plugins.modules." + name).main()
"""


def run_module(name, environment=None, check_mode=False, diff=False, **params):
    """Run a module as a process of its own; returns its result and all that it printed."""
    internal = {"_ansible_check_mode": check_mode, "_ansible_diff": diff, "_ansible_verbosity": 4}
    process = subprocess.run(
        [sys.executable, "-c", RUNNER, name],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {**params, **internal}}),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stdout, process.stderr
    return json.loads(process.stdout), process.stdout + process.stderr


@pytest.fixture
def vcenter():
    """Logs in, has one session that repeats the token of who asks, and forgets the token again."""

    def serve(connection, request):
        if request.line.startswith("POST /api/session "):
            connection.sendall(answer("own-token", status=201))
        elif request.line.startswith("DELETE"):
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        elif "missing" in request.line:
            connection.sendall(answer({"error_type": "NOT_FOUND", "messages": []}, status=404))
        else:
            repeated = f"token {request.headers['vmware-api-session-id']}"
            connection.sendall(answer(session(warning_behavior=[{"type": repeated}])))

    with SocketServer(serve) as server:
        yield server


def lines(vcenter):
    return [request.line.rpartition(" ")[0] for request in vcenter.requests]


def test_a_module_logs_in_works_and_logs_out_by_the_environment_alone(vcenter):
    environment = {
        "VMWARE_HOST": vcenter.url,
        "VMWARE_USER": USERNAME,
        "VMWARE_PASSWORD": PASSWORD,
        "VMWARE_VALIDATE_CERTS": "False",
    }
    result, output = run_module("update_session", environment, update_session_id=ID)
    assert result["changed"] is False
    assert result["update_session"]["state"] == "ACTIVE"
    assert result["update_session"]["warning_behavior"]
    assert "diff" not in result
    assert [line.split("/")[0:3] for line in lines(vcenter)] == [
        ["POST ", "api", "session"],
        ["GET ", "api", "content"],
        ["DELETE ", "api", "session"],
    ]
    assert "VMWARE_VALIDATE_CERTS" in str(result["warnings"])
    assert_no_secret(output)


def test_a_module_that_fails_says_why_and_shows_no_secret(vcenter):
    result, output = run_module(
        "update_session_fail",
        hostname=vcenter.url,
        username=USERNAME,
        password=PASSWORD,
        update_session_id="missing",
        client_error_message="why",
    )
    assert result["failed"] is True
    assert (result["error_type"], result["http_status"]) == ("NOT_FOUND", 404)
    assert "warnings" not in result
    assert lines(vcenter)[-1] == "DELETE /api/session"
    assert_no_secret(output)


def test_a_given_token_is_hidden_too_and_check_mode_writes_nothing(vcenter):
    result, output = run_module(
        "update_session",
        hostname=vcenter.url,
        session_id=TOKEN,
        update_session_id=ID,
        state="absent",
        check_mode=True,
        diff=True,
    )
    assert result["operations"] == ["cancel", "delete"]
    assert result["diff"]["before"][ID]["warning_behavior"]
    assert [line.split()[0] for line in lines(vcenter)] == ["GET"]
    assert TOKEN not in output


@pytest.mark.parametrize("other", [{}, {"library_item_id": "b"}, {"wait": "perhaps"}], ids=str)
@pytest.mark.parametrize(("value", "told"), [(None, "null"), (" ", "empty")])
def test_a_module_refuses_a_selector_that_is_null(value, told, other):
    """ansible-core takes it for one that is given, and drops the difference before the module sees its options."""
    result, _output = run_module(
        "update_session", hostname=HOST, session_id=TOKEN, update_session_id=value, state="absent", **other
    )
    assert (result["failed"], result["error_type"]) == (True, "INVALID_ARGUMENT")
    assert result["msg"].startswith(f"update_session_id is {told}: ")
    assert "when: not ansible_check_mode" in result["msg"]


def test_a_module_that_nobody_listens_to_ends_and_logs_out():
    """As ansible-core does it with a task that runs into its timeout."""
    working, over = threading.Event(), threading.Event()

    def serve(connection, request):
        if request.line.startswith("POST /api/session "):
            connection.sendall(answer("own-token", status=201))
        elif request.line.startswith("DELETE"):
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        else:
            working.set()
            over.wait(60)

    with SocketServer(serve) as server:
        arguments = {"hostname": server.url, "username": USERNAME, "password": PASSWORD, "update_session_id": ID}
        process = subprocess.Popen(
            [sys.executable, "-c", RUNNER, "update_session"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
        process.stdin.close()
        assert working.wait(60)
        process.stdout.close()
        try:
            assert process.wait(60) == -signal.SIGTERM
        finally:
            over.set()
            process.kill()
        assert lines(server)[-1] == "DELETE /api/session"


def test_a_module_without_requests_says_what_is_missing(tmp_path):
    (tmp_path / "requests.py").write_text("raise ImportError('not here')\n")
    runner = RUNNER.replace("import importlib", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import importlib")
    process = subprocess.run(
        [sys.executable, "-c", runner, "update_session_info"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {"hostname": HOST, "session_id": TOKEN}}),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    result = json.loads(process.stdout)
    assert result["failed"] is True
    assert "requests" in result["msg"]


def assert_no_secret(output):
    for secret in (PASSWORD, json.dumps(PASSWORD)[1:-1], "own-token", "Basic "):
        assert secret not in output
