# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a task's server, credentials and trust come from, and which generation of the API it speaks."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor

from tests.integration.control import Control

INFO = {"name": "info", "vsphere.content_library.update_session_info": {}}


def environment_of(server):
    return {
        "VMWARE_HOST": server.host,
        "VMWARE_PORT": str(server.port),
        "VMWARE_USER": server.username,
        "VMWARE_PASSWORD": server.password,
        "VMWARE_CA_PATH": server.ca_path,
    }


def prefixes(task):
    return {request["path"].split("/")[1] for request in task.requests}


def test_environment_is_the_fallback(playbook, servers, simulator, way):
    env = {
        **environment_of(servers["api"]),
        "VMWARE_API_ENDPOINT": "rest",
        "VMWARE_VALIDATE_CERTS": "true",
        # Nothing listens there: loopback is never proxied.
        "VMWARE_PROXY_HOST": "127.0.0.1",
        "VMWARE_PROXY_PORT": "9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    tasks = [INFO, {"name": "option", "vsphere.content_library.update_session_info": {"api_endpoint": "api"}}]
    run = playbook(tasks, {"api": servers["api"]}, way=way, connection_options=False, env=env).succeeded()
    assert prefixes(run.task("info")) == {"rest"}
    assert prefixes(run.task("option")) == {"api"}
    assert "WARNING" not in run.output


def test_token_in_the_environment_wins_and_is_left_alone(playbook, servers, simulator, way):
    with Control(vars(servers["api"])) as control:
        token = control.log_in(servers["api"].username)
    simulator.clear_requests()
    env = {**environment_of(servers["api"]), "VMWARE_SESSION_ID": token, "VMWARE_API_ENDPOINT": "api"}
    run = playbook([INFO], {"api": servers["api"]}, way=way, connection_options=False, env=env).succeeded()
    assert run.task("info").operations == ["update_session.list"]
    assert len(simulator.state()["tokens"]) == 1


def test_awx_credential(playbook, servers, simulator, way):
    """AWX injects a host with its scheme and, unless told otherwise, VMWARE_VALIDATE_CERTS=False: that is told once."""
    server = servers["api"]
    env = {
        "VMWARE_HOST": f"https://{server.host}:{server.port}",
        "VMWARE_USER": server.username,
        "VMWARE_PASSWORD": server.password,
        "VMWARE_VALIDATE_CERTS": "False",
        # False is really off.
        "REQUESTS_CA_BUNDLE": "/nowhere/ca.pem",
    }
    tasks = [INFO, {"name": "option", "vsphere.content_library.update_session_info": {"validate_certs": False}}]
    run = playbook(tasks, {"api": server}, way=way, connection_options=False, env=env).succeeded()
    [warning] = run.task("info")["warnings"]
    assert "VMWARE_VALIDATE_CERTS" in warning
    assert "warnings" not in run.task("option").result
    assert " ".join(run.output.split()).count("Certificates are not verified") == 1


def test_trust(playbook, servers, simulator):
    server = servers["api"]
    untrusted = {"ca_path": "{{ omit }}"}
    tasks = [
        {"name": "refused", "vsphere.content_library.update_session_info": untrusted, "ignore_errors": True},
        {
            "name": "requests' variable",
            "vsphere.content_library.update_session_info": untrusted,
            "environment": {"REQUESTS_CA_BUNDLE": server.ca_path},
        },
    ]
    run = playbook(tasks, {"api": server}, way="in_process").succeeded()
    refused = run.task("refused")
    assert (refused["error_type"], refused["http_status"]) == ("UNVERIFIED_PEER", None)
    assert server.host in refused["msg"]
    assert refused.requests == []
    assert run.task("requests' variable").operations[0] == "session.create"


def test_no_server(playbook, servers):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    args = {"port": port, "request_timeout": 1}
    tasks = [{"name": "info", "vsphere.content_library.update_session_info": args, "ignore_errors": True}]
    task = playbook(tasks, {"api": servers["api"]}, way="in_process").task("info")
    assert (task["error_type"], task["http_status"]) == ("RESOURCE_INACCESSIBLE", None)
    assert f"127.0.0.1:{port}" in task["msg"]


def test_auto_takes_what_is_there(playbook, servers):
    """It costs no request where there is /api, and one where there is not."""
    tasks = []
    for name, config in (("both", {}), ("new", {"disable_rest": True}), ("old", {"disable_api": True})):
        tasks.append({"name": f"{name} given", "simulator": {"config": config}})
        tasks.append({"name": name, "vsphere.content_library.update_session_info": {"api_endpoint": "auto"}})
    # What is not there is not taken for a session that is not there.
    wrong = {"api_endpoint": "api", "library_item_id": "{{ given.item }}", "state": "absent"}
    tasks[-2]["register"] = "given"
    tasks.append({"name": "wrong", "vsphere.content_library.update_session": wrong, "ignore_errors": True})
    run = playbook(tasks, {"api": servers["api"]}, way="in_process").succeeded()
    calls = ["session.create", "update_session.list", "session.delete"]
    for name in ("both", "new"):
        assert run.task(name).operations == calls
        assert prefixes(run.task(name)) == {"api"}
    assert run.task("old").operations == [None, *calls]
    assert run.task("old").requests[0]["path"] == "/api/session"
    assert {request["path"].split("/")[1] for request in run.task("old").requests[1:]} == {"rest"}
    wrong = run.task("wrong")
    assert (wrong["error_type"], wrong["http_status"]) == ("OPERATION_NOT_FOUND", 404)
    assert "/api/" in wrong["msg"]


def test_login_again_when_the_token_dies(playbook, servers, simulator):
    [session] = simulator.add_sessions(1)
    simulator.config(complete_delay=600)
    args = {"update_session_id": session, "state": "done"}
    tasks = [{"name": "done", "vsphere.content_library.update_session": args}]
    with ThreadPoolExecutor() as pool:
        running = pool.submit(playbook, tasks, {"api": servers["api"]}, way="in_process")
        while "update_session.complete" not in [request["operation"] for request in simulator.requests()]:
            assert not running.done(), running.result().output
            time.sleep(0.1)
        simulator.expire_tokens()
        simulator.change_session(session, state="DONE")
        task = running.result().succeeded().task("done")
    assert task["update_session"]["state"] == "DONE"
    assert 401 in [request["status"] for request in task.requests]
    assert task.operations.count("session.create") == 2
    assert task.state["tokens"] == []
