# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks in the background, and what --check and --diff of ansible-playbook mean."""

from __future__ import annotations

import pytest


@pytest.mark.costly
def test_async_task(playbook, servers):
    tasks = [
        {
            "name": "given",
            "simulator": {"config": {"complete_delay": 1}, "sessions": {"session": {}, "done": {"state": "DONE"}}},
            "register": "given",
        },
        {
            "name": "start",
            "vsphere.content_library.update_session": {"update_session_id": "{{ given.session }}", "state": "done"},
            "async": 60,
            "poll": 0,
            "register": "started",
        },
        {
            "name": "end",
            "ansible.builtin.async_status": {"jid": "{{ started.ansible_job_id }}"},
            "register": "ended",
            "until": "ended is finished",
            "retries": 60,
            "delay": 1,
        },
        {
            "name": "polled",
            "vsphere.content_library.update_session": {"update_session_id": "{{ given.done }}", "state": "canceled"},
            "async": 60,
            "poll": 1,
            "ignore_errors": True,
        },
    ]
    run = playbook(tasks, servers).succeeded()
    for host in servers:
        ended = run.task("end", host)
        assert (ended["changed"], ended["operations"]) == (True, ["complete"])
        assert ended["update_session"]["state"] == "DONE"
        failed = run.task("polled", host)
        assert (failed.status, failed["error_type"]) == ("failed", "NOT_ALLOWED_IN_CURRENT_STATE")
        assert failed.state["tokens"] == []


@pytest.mark.costly
def test_check_and_diff_of_the_command_line(playbook, servers, simulators):
    """What a person sees who asks first."""
    for process in simulators.values():
        process.reset()
    sessions = {dialect: process.add_sessions(1)[0] for dialect, process in simulators.items()}
    args = {"update_session_id": "{{ sessions[inventory_hostname] }}", "client_error_message": "Given up."}
    tasks = [{"name": "fail", "vsphere.content_library.update_session_fail": args}]
    for check in (True, False):
        run = playbook(
            tasks, servers, way="in_process", check=check, diff=check, extra_vars={"sessions": sessions}
        ).succeeded()
        for host in servers:
            task = run.task("fail", host)
            assert task["changed"]
            assert ("diff" in task.result) == check
            assert task.state["sessions"][sessions[host]]["state"] == ("ACTIVE" if check else "ERROR")
        shown = {line.strip() for line in run.stdout.splitlines()}
        assert (
            {'-    "state": "ACTIVE",', '+    "state": "ERROR",'} <= {line.rstrip(",") + "," for line in shown}
        ) == check
