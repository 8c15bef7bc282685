# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one test that talks to the vCenter of the environment, and only reads. All others bring their own servers."""

from __future__ import annotations

import os

import pytest

from tests.cases.checks import SESSION_KEYS


@pytest.mark.skipif("VMWARE_HOST" not in os.environ, reason="VMWARE_HOST names no vCenter Server")
def test_see_my_update_sessions(playbook, way):
    info = "vsphere.content_library.update_session_info"
    tasks = [
        {"name": "all", info: {"gather_files": True}},
        {"name": "missing", info: {"update_session_id": "00000000-0000-4000-8000-000000000000"}},
        {"name": "old", info: {"api_endpoint": "rest", "states": ["ACTIVE"]}, "ignore_errors": True},
    ]
    env = {name: value for name, value in os.environ.items() if name.startswith("VMWARE_")}
    run = playbook(tasks, {"vcenter": None}, way=way, connection_options=False, env=env).succeeded()
    for session in run.task("all")["update_sessions"]:
        assert session.keys() >= SESSION_KEYS
        assert session["state"] in ("ACTIVE", "DONE", "ERROR", "CANCELED")
    assert run.task("missing")["update_sessions"] == []
    # /rest is gone in vSphere 9.
    old = run.task("old")
    assert old.status == "ok" or old["error_type"] == "OPERATION_NOT_FOUND"
