# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a play shows of a connection; tests/cases/test_connection.py has where it comes from."""

from __future__ import annotations

import pytest

INFO = {"name": "info", "vsphere.content_library.update_session_info": {}}


def test_awx_credential(playbook, servers, simulator):
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
    run = playbook(tasks, {"api": server}, way="in_process", connection_options=False, env=env).succeeded()
    [warning] = run.task("info")["warnings"]
    assert "VMWARE_VALIDATE_CERTS" in warning
    assert "warnings" not in run.task("option").result
    assert " ".join(run.output.split()).count("Certificates are not verified") == 1


@pytest.mark.costly
def test_trust(playbook, servers, simulator, way):
    """tests/cases/test_tls.py has all of it."""
    untrusted = {"name": "info", "vsphere.content_library.update_session_info": {"ca_path": "{{ omit }}"}}
    trusted = {**untrusted, "name": "trusted", "environment": {"REQUESTS_CA_BUNDLE": servers["api"].ca_path}}
    run = playbook([{**untrusted, "ignore_errors": True}, trusted], {"api": servers["api"]}, way=way).succeeded()
    refused = run.task("info")
    assert (refused["error_type"], refused["http_status"], refused.requests) == ("UNVERIFIED_PEER", None, [])
    assert run.task("trusted").operations[0] == "session.create"
