# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a task's server, credentials and trust come from, and which generation of the API it speaks."""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cases.language import OMIT

INFO = "update_session_info"
NONE = dict.fromkeys(("hostname", "port", "username", "password", "ca_path"), OMIT)


@pytest.fixture
def simulator(runner):
    runner.given({})
    return runner.simulator


@pytest.fixture
def environment(monkeypatch, simulator):
    for name, value in simulator.environment.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def prefixes(task):
    return {request["path"].split("/")[1] for request in task.requests}


def test_environment_is_the_fallback(runner, environment):
    environment.setenv("VMWARE_API_ENDPOINT", "rest")
    environment.setenv("VMWARE_VALIDATE_CERTS", "true")
    # Nothing listens there: loopback is never proxied.
    environment.setenv("VMWARE_PROXY_HOST", "127.0.0.1")
    environment.setenv("VMWARE_PROXY_PORT", "9")
    environment.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    task = runner.task(INFO, **NONE)
    assert (task.status, task["warnings"], prefixes(task)) == ("ok", [], {"rest"})
    assert prefixes(runner.task(INFO, **NONE, api_endpoint="api")) == {"api"}


def test_token_in_the_environment_wins_and_is_left_alone(runner, environment):
    environment.setenv("VMWARE_SESSION_ID", runner.control.log_in(os.environ["VMWARE_USER"]))
    task = runner.task(INFO, **NONE)
    assert task.operations == ["update_session.list"]
    assert len(task.state["tokens"]) == 1


def test_trust(runner, simulator, monkeypatch):
    refused = runner.task(INFO, ca_path=OMIT)
    assert (refused["error_type"], refused["http_status"], refused.requests) == ("UNVERIFIED_PEER", None, [])
    assert simulator.host in refused["msg"]
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", simulator.ca_path)
    assert runner.task(INFO, ca_path=OMIT).operations[0] == "session.create"


def test_no_server(runner, simulator):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    task = runner.task(INFO, port=port, request_timeout=1)
    assert (task["error_type"], task["http_status"]) == ("RESOURCE_INACCESSIBLE", None)
    assert f"127.0.0.1:{port}" in task["msg"]


@pytest.mark.parametrize("config", [{}, {"disable_rest": True}])
def test_auto_takes_api_where_it_is(runner, config):
    """It costs no request."""
    runner.given({"config": config})
    task = runner.task(INFO)
    assert task.operations == ["session.create", "update_session.list", "session.delete"]
    assert prefixes(task) == {"api"}


def test_auto_takes_rest_where_there_is_nothing_else(runner):
    """It costs one request."""
    given = runner.given({"config": {"disable_api": True}})
    task = runner.task(INFO)
    assert task.operations == [None, "session.create", "update_session.list", "session.delete"]
    assert task.requests[0]["path"] == "/api/session"
    assert {request["path"].split("/")[1] for request in task.requests[1:]} == {"rest"}
    # What is not there is not taken for a session that is not there.
    wrong = runner.task("update_session", api_endpoint="api", library_item_id=given["item"], state="absent")
    assert (wrong["error_type"], wrong["http_status"]) == ("OPERATION_NOT_FOUND", 404)
    assert "/api/" in wrong["msg"]


def test_login_again_when_the_token_dies(runner, simulator):
    [session] = simulator.add_sessions(1)
    simulator.config(complete_delay=600)

    def let_it_die() -> None:
        while "update_session.complete" not in [request["operation"] for request in simulator.requests()]:
            time.sleep(0.01)
        simulator.expire_tokens()
        simulator.change_session(session, state="DONE")

    with ThreadPoolExecutor() as pool:
        event = pool.submit(let_it_die)
        task = runner.task("update_session", update_session_id=session, state="done", wait_timeout=60)
        event.result(0)
    assert task["update_session"]["state"] == "DONE"
    assert 401 in [request["status"] for request in task.requests]
    assert task.operations.count("session.create") == 2
    assert task.state["tokens"] == []
