# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pushes and pulls beside which other tasks run, and what they show and take of the machine."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys

import pytest

ITEM = "vsphere.content_library.library_item"
# ansible-core 2.19 and later want to know how the arguments of a module are written.
MODULE = """
import sys
from ansible.module_utils import basic
from ansible_collections.vsphere.content_library.plugins.modules import library_item
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = sys.stdin.buffer.read(), "legacy"
try:
    library_item.main()
finally:
    # ru_maxrss would count the process that this one was forked from.
    with open("/proc/self/status") as status:
        [peak] = [line.split()[1] for line in status if line.startswith("VmHWM:")]
    print(peak, file=sys.stderr)
"""


@pytest.mark.costly
def test_a_push_that_can_be_watched_and_is_not_disturbed(playbook, servers, files):
    """While a task pushes in the background, its progress shows, and others leave its session alone, or wait for it."""
    given = {"config": {"upload_rate": 2_500_000}, "items": {"item": {"files": {"large.iso": "old"}}}}
    push = {"library_name": "demo", "name": "item", "src": "{{ files }}/large.iso"}
    tasks = [
        {"name": "given", "simulator": given, "register": "given"},
        {"name": "start", ITEM: {**push, "stale_after": 2}, "async": 120, "poll": 0, "register": "job"},
        {
            "name": "watch",
            "vsphere.content_library.update_session_info": {"library_item_id": "{{ given.item }}"},
            "register": "seen",
            "until": "seen.update_sessions | map(attribute='client_progress') | select('gt', 0) | length > 0",
            "retries": 300,
            "delay": 0.2,
        },
        {"name": "busy", ITEM: push, "ignore_errors": True},
        {"name": "busy, in check mode", ITEM: push, "check_mode": True, "ignore_errors": True},
        {"name": "wait", ITEM: {**push, "busy_timeout": 120}},
        {
            "name": "end",
            "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
            "register": "ended",
            "until": "ended is finished",
            "retries": 120,
            "delay": 0.5,
        },
    ]
    run = playbook(tasks, servers, way="in_process", strategy="free", extra_vars=files).succeeded()
    for host in servers:
        [session] = run.task("watch", host)["update_sessions"]
        assert 0 < session["client_progress"] <= 100
        assert session["state"] == "ACTIVE"
        for name in ("busy", "busy, in check mode"):
            busy = run.task(name, host)
            assert (busy.status, busy["error_type"]) == ("failed", "RESOURCE_BUSY")
            assert busy["update_session"]["id"] == session["id"]
        waited = run.task("wait", host)
        assert (waited["changed"], waited["files"][0]["action"]) == (False, "unchanged")
        ended = run.task("end", host)
        assert ended["operations"] == ["create", "add_file", "upload", "complete"]
        assert ended["update_session"]["id"] == session["id"]
        assert ended.state["tokens"] == []


@pytest.mark.costly
def test_a_pull_that_can_be_watched(playbook, servers, files):
    given = {"config": {"upload_rate": 2}, "items": {"item": {}}}
    pull = {"library_name": "demo", "name": "item", "url": "{{ http }}/tools.iso"}
    tasks = [
        {"name": "given", "simulator": given, "register": "given"},
        {"name": "start", ITEM: pull, "async": 120, "poll": 0, "register": "job"},
        {
            "name": "watch",
            "vsphere.content_library.update_session_info": {
                "library_item_id": "{{ given.item }}",
                "gather_files": True,
            },
            "register": "seen",
            "until": "seen.update_sessions | map(attribute='files') | flatten | map(attribute='bytes_transferred')"
            " | select('gt', 0) | length > 0",
            "retries": 300,
            "delay": 0.2,
        },
        {
            "name": "end",
            "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
            "register": "ended",
            "until": "ended is finished",
            "retries": 120,
            "delay": 0.5,
        },
    ]
    run = playbook(tasks, servers, way="in_process", strategy="free", extra_vars=files).succeeded()
    for host in servers:
        [session] = run.task("watch", host)["update_sessions"]
        assert 0 < session["files"][0]["bytes_transferred"] < 8
        assert run.task("end", host)["files"][0]["action"] == "pulled"


def test_a_session_of_another_user_is_waited_for(playbook, servers, files):
    given = {"sessions": {"theirs": {"user": "operator@vsphere.local"}}}
    push = {"library_item_id": "{{ given.item }}", "src": "{{ files }}/tools.iso", "busy_timeout": 120}
    theirs = {"update_session_id": "{{ given.theirs }}", "state": "absent", "username": "operator@vsphere.local"}
    tasks = [
        {"name": "given", "simulator": given, "register": "given"},
        {"name": "start", ITEM: push, "async": 120, "poll": 0, "register": "job"},
        {"name": "pause", "ansible.builtin.pause": {"seconds": 2}},
        {"name": "release", "vsphere.content_library.update_session": theirs},
        {
            "name": "end",
            "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
            "register": "ended",
            "until": "ended is finished",
            "retries": 120,
            "delay": 0.5,
        },
    ]
    run = playbook(tasks, servers, way="in_process", extra_vars=files).succeeded()
    for host in servers:
        assert run.task("end", host)["operations"] == ["create", "add_file", "upload", "complete"]


@pytest.mark.costly
def test_nothing_secret_shows(playbook, servers, files, way):
    """As verbose as it gets: neither passwords nor tokens, nor where content is pushed."""
    secret_url = files["http"].replace("://", "://user:open-sesame@")
    bad = {"request_timeout": 3}
    breaks = {"match": {"operation": "upload"}, "count": 99, "fault": {"kind": "reset_before"}}
    tasks = [
        {"name": "given", "simulator": {"token": "administrator@vsphere.local"}, "register": "given", "no_log": True},
        {"name": "push", ITEM: {"library_name": "demo", "name": "a", "src": "{{ files }}/tools.iso"}},
        {"name": "with token", ITEM: {"library_name": "demo", "name": "a", "session_id": "{{ given.token }}"}},
        {"name": "pull", ITEM: {"library_name": "demo", "name": "b", "url": "{{ secret_url }}/tools.iso"}},
        {"name": "bad pull", ITEM: {"library_name": "demo", "name": "c", "url": "{{ secret_url }}/not-there.iso"}},
        {"name": "broken", "simulator": {"faults": [breaks]}, "register": "given"},
        {"name": "bad push", ITEM: {**bad, "library_name": "demo", "name": "d", "src": "{{ files }}/tools.iso"}},
    ]
    run = playbook(
        [{**task, "ignore_errors": True} for task in tasks],
        servers,
        way=way,
        verbosity=4,
        extra_vars={**files, "secret_url": secret_url},
        env={"ANSIBLE_INJECT_INVOCATION": "1"},
    )
    assert {run.task(name, "api").status for name in ("push", "with token", "pull")} == {"ok"}
    assert {run.task(name, "api").status for name in ("bad pull", "bad push")} == {"failed"}
    results = [task.result for task in run.results if task.name not in ("given", "broken")]
    tokens = {request["token_sha256"] for task in run.results for request in task.requests} - {None}
    assert len(tokens) > 5
    for text in (run.output, json.dumps(results)):
        assert "tools.iso" in text
        assert "http://user:********@127.0.0.1" in text
        words = set(re.findall(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", text))
        assert not tokens & {hashlib.sha256(word.encode()).hexdigest() for word in words}, "an API token"
        for secret in ("open-sesame", "/cls/data", servers["api"].password, servers["rest"].password):
            assert secret not in text


def test_a_large_file_needs_little_memory(simulators, collections_path, tmp_path):
    """The whole process, with Python, requests and AnsibleModule in it."""
    simulator = simulators["api"]
    simulator.reset()
    source = tmp_path / "large.iso"
    with source.open("wb") as stream:
        stream.truncate(512 << 20)
    server = {"hostname": simulator.host, "port": simulator.port, "ca_path": simulator.ca_path}
    login = {"username": simulator.username, "password": simulator.password}
    params = {**server, **login, "library_name": "demo", "name": "large", "src": [str(source)]}
    process = subprocess.run(
        [sys.executable, "-c", MODULE],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": params}),
        env={**os.environ, "PYTHONPATH": str(collections_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    result = json.loads(process.stdout)
    assert result["files"][0]["checksum_verified"], result
    assert result["bytes_transferred"] == 512 << 20
    assert int(process.stderr.split()[-1]) < 64 << 10, process.stderr
