# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever reads what a playbook prints, logs or returns learns no secret from it.

One playbook of tasks that succeed and tasks that fail in every way, as verbose as it gets, with a log file, diff mode
and tracebacks, is run in the worker, as modules that log to syslog, and as modules that log to the journal. Everything
that comes of it is searched for every secret that went into it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from tests.cases.sources import served
from tests.playbooks.plays import PLUGINS, Playbooks, Run, Server
from tests.simulator.process import SimulatorProcess

# What they share is made once.
pytestmark = pytest.mark.xdist_group("secrets")

# With what a URL, JSON and a shell quote. ansible-core itself shows what is written in a playbook, so secrets come from
# variables.
PASSWORD = 'Op3n/"ses%me" +ü1'
SECRETS = {
    "wrong_token": "f" * 32,
    "wrong_password": "not-the-password",
    "source_password": "pull%40sesame",
    "source_token": "ghp-pull-sesame",
    "unquoted_password": "pull/se#same",
    "proxy_password": "pr0xy-sesame",
}
SYSLOG = Path("/dev/log")
# What systemd-python has; its journal takes the place of syslog on a machine that runs systemd.
JOURNAL = {
    "__init__.py": "",
    "daemon.py": "def booted():\n    return True\n",
    "journal.py": """
import json
import os


def sendv(*fields):
    raise NotImplementedError


def send(MESSAGE, **fields):
    with open(os.environ["JOURNAL_FILE"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"MESSAGE": MESSAGE, **fields}, default=str) + "\\n")
""",
}
PREFIX = "vsphere.content_library"
ITEM = {"library_name": "demo", "src": "{{ files }}/tools.iso"}
SESSION = {"update_session_id": "{{ given.session }}"}
PULL = f"{PREFIX}.update_session_file"
# Tasks by name: what they are, and what makes sure that there was something to leak.
TASKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "push": ({f"{PREFIX}.library_item": {**ITEM, "name": "new"}}, {"changed": True}),
    "push fails": (
        {f"{PREFIX}.library_item": {**ITEM, "name": "broken"}},
        {"error_type": "ERROR", "operation": "upload"},
    ),
    "pull": (
        {PULL: {**SESSION, "name": "a.iso", "url": "http://puller:{{ source_password }}@{{ source }}/tools.iso"}},
        {"changed": True},
    ),
    "pull by token": (
        {PULL: {**SESSION, "name": "b.iso", "url": "http://{{ source_token }}@{{ source }}/tools.iso"}},
        {"changed": True},
    ),
    "pull fails": (
        {PULL: {**SESSION, "name": "c.iso", "url": "http://puller:{{ source_password }}@{{ source }}/none.iso"}},
        {"error_type": "ERROR"},
    ),
    "pull by a URL that is none": (
        {PULL: {**SESSION, "name": "d.iso", "url": "http://puller:{{ source_password }}@[::1/tools.iso"}},
        {"error_type": "INVALID_ARGUMENT"},
    ),
    "pull by an unquoted URL": (
        {
            PULL: {
                **SESSION,
                "name": "e.iso",
                "url": "http://puller:{{ unquoted_password }}@{{ source }}/tools.iso",
                "wait_timeout": 5,
            }
        },
        {"error_type": "ERROR"},
    ),
    "pull refused": (
        {
            PULL: {
                **SESSION,
                "name": "f.iso",
                "url": "http://puller:{{ source_password }}@{{ source }}/tools.iso",
                "src": "{{ files }}/tools.iso",
            }
        },
        {"msg": "parameters are mutually exclusive: src|url"},
    ),
    "info": ({f"{PREFIX}.update_session_info": {**SESSION, "gather_files": True}}, {"changed": False}),
    "server error": (
        {f"{PREFIX}.update_session": {**SESSION, "state": "done"}},
        {"error_type": "INTERNAL_SERVER_ERROR", "http_status": 500},
    ),
    "login": ({f"{PREFIX}.api_session": {}, "no_log": True, "register": "login"}, {}),
    "info by token": (
        {f"{PREFIX}.update_session_info": {"session_id": "{{ login.session_id }}", "username": None, "password": None}},
        {"changed": False},
    ),
    "logout": ({f"{PREFIX}.api_session": {"state": "absent", "session_id": "{{ login.session_id }}"}}, {}),
    "dead token": (
        {f"{PREFIX}.update_session_info": {"session_id": "{{ login.session_id }}"}},
        {"error_type": "UNAUTHENTICATED"},
    ),
    "wrong token": (
        {f"{PREFIX}.update_session_info": {"session_id": "{{ wrong_token }}"}},
        {"error_type": "UNAUTHENTICATED"},
    ),
    "wrong password": (
        {f"{PREFIX}.update_session_info": {"password": "{{ wrong_password }}"}},
        {"error_type": "UNAUTHENTICATED"},
    ),
    "credentials in hostname": (
        {f"{PREFIX}.update_session_info": {"hostname": "https://me:{{ server.password }}@{{ server.host }}"}},
        {"error_type": "INVALID_ARGUMENT"},
    ),
    "not by http": (
        {f"{PREFIX}.update_session_info": {"hostname": "http://vcenter.example.com"}},
        {"error_type": "INVALID_ARGUMENT"},
    ),
    "unreachable": (
        {f"{PREFIX}.update_session_info": {"port": 1, "request_timeout": 1}},
        {"error_type": "RESOURCE_INACCESSIBLE"},
    ),
    # A user name of one character is too short for what ansible-core itself knows of passwords in options.
    "unreachable proxy": (
        {
            f"{PREFIX}.update_session_info": {
                "hostname": "vcenter.example.com",
                "proxy_host": "u:{{ proxy_password }}@127.0.0.1",
                "proxy_port": 1,
                "request_timeout": 1,
            }
        },
        {"error_type": "RESOURCE_INACCESSIBLE"},
    ),
    "unreachable proxy of the environment": (
        {f"{PREFIX}.update_session_info": {"hostname": "vcenter.example.com", "request_timeout": 1}},
        {"error_type": "RESOURCE_INACCESSIBLE"},
    ),
    "no such state": ({f"{PREFIX}.update_session_info": {"states": ["{{ server.password }}"]}}, {}),
    "exception": (
        {"broken": {"how": "raises"}, "module_defaults": {"broken": "{{ connection_options }}"}},
        {"error_type": "ERROR"},
    ),
    "fail": (
        {f"{PREFIX}.update_session_fail": {**SESSION, "client_error_message": "Given up."}},
        {"changed": True},
    ),
}
GIVEN = {
    "sessions": {"session": {"files": {"image.iso": None}}},
    "faults": [
        {
            "match": {"operation": "update_session.complete"},
            "at": 2,
            "fault": {"kind": "status", "status": 500, "body": "Internal error"},
        },
        {"match": {"method": "PUT"}, "at": 2, "fault": {"kind": "status", "status": 400, "body": "Bad content"}},
    ],
}


# Two are refused before they would log their options, and one has no_log.
LOGGED = len(TASKS) - 3
# What ANSIBLE_DEBUG makes ansible-core print of every module that runs in a process: the arguments that it gets, and
# what it returns, which is a token where a task exists to return one. The guide on security says so.
ARGUMENTS = re.compile(r"^ *\d+ \d+\.\d+: done with _execute_module \(.*\n", re.MULTILINE)
TOKEN_OF_LOGIN = re.compile(
    r'(_low_level_execute_command\(\) done: rc=0, stdout=\n\{"changed": false, "operations": \[\], "session_id": )"\w+"'
)


@dataclass
class Traces:
    """What a run left behind, by where it was found."""

    kind: str
    run: Run
    texts: dict[str, str]


@contextlib.contextmanager
def syslog() -> Iterator[list[str]]:
    """The messages that reach syslog: none where somebody else listens already, or where this user may not."""
    messages: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind(str(SYSLOG))
        except OSError:
            yield messages
            return

        def receive() -> None:
            while message := sock.recv(1 << 20):
                messages.append(message.decode(errors="backslashreplace"))

        thread = threading.Thread(target=receive, daemon=True)
        thread.start()
        try:
            yield messages
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
                last.sendto(b"", str(SYSLOG))
            thread.join()
        finally:
            SYSLOG.unlink()


@pytest.fixture(scope="module")
def secretive() -> Iterator[dict[str, Server]]:
    """The simulators of both dialects, with a password that does not look the same everywhere."""
    with contextlib.ExitStack() as stack:
        yield {
            dialect: Server.of(stack.enter_context(SimulatorProcess("--password", PASSWORD)), dialect)
            for dialect in ("api", "rest")
        }


# The dialects by turns, as a play that is as verbose as it gets takes its time.
KINDS = {"in_process": ["api"], "module": ["rest"], "module with a journal": ["api"]}


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, marks=[pytest.mark.costly] * (kind != "in_process")) for kind in KINDS],
)
def traces(
    request: pytest.FixtureRequest,
    playbook: Playbooks,
    secretive: dict[str, Server],
    tmp_path_factory: pytest.TempPathFactory,
) -> Traces:
    folder = tmp_path_factory.mktemp("secrets")
    log, journal = folder / "ansible.log", folder / "journal"
    (folder / "systemd").mkdir()
    for name, content in JOURNAL.items():
        (folder / "systemd" / name).write_text(content)
    (folder / "tools.iso").write_bytes(b"tools")
    tasks = [{"name": "given", "simulator": GIVEN, "register": "given"}]
    tasks += [{"name": name, **task, "ignore_errors": True} for name, (task, _expected) in TASKS.items()]
    env = {
        "ANSIBLE_DEBUG": "1",
        "ANSIBLE_LOG_PATH": str(log),
        "ANSIBLE_DISPLAY_TRACEBACK": "always",
        "ANSIBLE_INJECT_INVOCATION": "1",
        "ANSIBLE_LIBRARY": str(PLUGINS / "modules"),
        "https_proxy": f"http://u:{SECRETS['proxy_password']}@127.0.0.1:1",
    }
    if "journal" in request.param:
        env.update(PYTHONPATH=str(folder), JOURNAL_FILE=str(journal))
    with served(folder) as source, syslog() as messages:
        run = playbook(
            tasks,
            {dialect: secretive[dialect] for dialect in KINDS[request.param]},
            way=request.param.split()[0],
            verbosity=5,
            diff=True,
            extra_vars={**SECRETS, "source": source.partition("://")[2], "files": str(folder)},
            env=env,
        )
    texts = {
        "stdout": TOKEN_OF_LOGIN.sub(r"\1", ARGUMENTS.sub("", run.stdout)),
        "stderr": run.stderr,
        "log": log.read_text(encoding="utf-8"),
        "results": json.dumps([task.result for task in run.results], ensure_ascii=False),
        "syslog": "\n".join(messages),
        "journal": journal.read_text(encoding="utf-8") if journal.exists() else "",
    }
    return Traces(request.param, run, texts)


def spellings(secret: str) -> set[str]:
    """A secret as it is, in a URL, and in JSON."""
    return {secret, quote(secret), quote(secret, safe=""), unquote(secret), json.dumps(secret)[1:-1]}


def tokens_in(text: str, used: set[str]) -> set[str]:
    """The API tokens in a text, by the hashes of those that were used."""
    words = set(re.findall(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", text))
    return {word for word in words if hashlib.sha256(word.encode()).hexdigest() in used}


def tokens_used(run: Run) -> set[str]:
    return {request["token_sha256"] for task in run.results for request in task.requests} - {None}


def test_nothing_secret_shows(traces, secretive):
    used = tokens_used(traces.run)
    assert len(used) > 10, "most tasks had a token of their own"
    [username] = {server.username for server in secretive.values()}
    secrets = {PASSWORD, *SECRETS.values()}
    secrets |= {base64.b64encode(f"{username}:{secret}".encode()).decode() for secret in secrets}
    wanted = {"/cls/data/", "Authorization", "vmware-api-session-id"}.union(*map(spellings, secrets))
    for place, text in traces.texts.items():
        found = [text[max(0, text.index(spelling) - 300) :][:400] for spelling in wanted if spelling in text]
        assert not found, f"{place}: {found[0]}"
        assert not tokens_in(text, used), f"{place} has an API token"


def test_no_secret_is_in_a_url(traces):
    used = tokens_used(traces.run)
    requests = [request for task in traces.run.results for request in task.requests]
    for request in requests:
        text = request["path"] + json.dumps(request["headers"])
        assert not tokens_in(text, used)
        assert not [
            spelling for secret in (PASSWORD, *SECRETS.values()) for spelling in spellings(secret) if spelling in text
        ]
    assert len(requests) > len(TASKS)


def test_there_was_something_to_leak(traces):
    for name, (_task, expected) in TASKS.items():
        result = traces.run.task(name).result
        assert {key: result.get(key) for key in expected} == expected, name
    files = traces.run.task("info")["update_sessions"][0]["files"]
    assert [file["name"] for file in files if file["source_endpoint"]] == ["a.iso", "b.iso", "c.iso", "e.iso"]


def test_it_was_as_verbose_as_it_gets(traces):
    stdout, log = traces.texts["stdout"], traces.texts["log"]
    for text in (stdout, log):
        assert "PLAY RECAP" in text
        assert '"module_args": {' in text
        assert "Traceback (most recent call last)" in text
        assert '+    "name": "new"' in text, "a diff"
    assert len(re.findall(r"^ *\d+ \d+\.\d+: ", stdout, re.MULTILINE)) > 25 * len(TASKS), "lines of ANSIBLE_DEBUG"


def test_what_reaches_syslog(traces, secretive):
    """ansible-core logs the options of each module, and nothing of what runs in the worker."""
    ours = tuple(f" ca_path={server.ca_path} " for server in secretive.values())  # and not another run on this machine
    lines = [line for line in traces.texts["syslog"].splitlines() if any(our in line for our in ours)]
    if traces.kind != "module":
        assert lines == []
        return
    if not lines:
        pytest.skip(f"{SYSLOG} is not ours: another program listens there, or this user may not")
    assert len(lines) == LOGGED
    assert all("Invoked with" in line and " password=NOT_LOGGING_PARAMETER " in line for line in lines)


def test_what_reaches_the_journal(traces):
    entries = [json.loads(line) for line in traces.texts["journal"].splitlines()]
    invoked = [entry for entry in entries if "Invoked with" in entry["MESSAGE"]]
    assert len(invoked) == (LOGGED if "journal" in traces.kind else 0)
    assert {entry["PASSWORD"] for entry in invoked} <= {"NOT_LOGGING_PARAMETER"}
