# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever reads what a playbook prints, logs or returns learns no secret from it."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from tests.integration.cases import WAYS

# ansible-core itself shows what is written in a playbook.
WRONG = {"wrong_token": "f" * 32, "wrong_password": "not-the-password"}


@pytest.fixture(scope="module", params=WAYS)
def run(request, playbook, servers):
    """Tasks that succeed and fail, with a login and with a token, as verbose as it gets."""
    given = {
        "sessions": {"session": {"files": {"image.iso": None}}},
        "faults": [
            {
                "match": {"operation": "update_session.complete"},
                "fault": {"kind": "status", "status": 500, "body": "Internal error"},
            }
        ],
    }
    prefix = "vsphere.content_library.update_session"
    tasks = [
        {"name": "given", "simulator": given, "register": "given"},
        {"name": "info", f"{prefix}_info": {"gather_files": True}},
        {"name": "fails", prefix: {"update_session_id": "{{ given.session }}", "state": "done"}},
        {"name": "no such token", f"{prefix}_info": {"session_id": "{{ wrong_token }}"}},
        {"name": "wrong password", f"{prefix}_info": {"password": "{{ wrong_password }}"}},
        {
            "name": "a URL with credentials",
            f"{prefix}_info": {"hostname": "https://{{ server.username }}:{{ server.password }}@{{ server.host }}"},
        },
        {"name": "refused", f"{prefix}_fail": {"update_session_id": "{{ given.session }}"}},
        {
            "name": "fail",
            f"{prefix}_fail": {"update_session_id": "{{ given.session }}", "client_error_message": "Given up."},
        },
    ]
    return playbook(
        [{**task, "ignore_errors": True} for task in tasks], servers, way=request.param, verbosity=4, extra_vars=WRONG
    )


def test_nothing_secret_shows(run, servers):
    results = json.dumps([task.result for task in run.results])
    used = {request["token_sha256"] for task in run.results for request in task.requests} - {None}
    assert len(used) > 5
    for text in (run.output, results):
        assert "info" in text or "Given up." in text
        for server in servers.values():
            assert server.password not in text
            basic = base64.b64encode(f"{server.username}:{server.password}".encode()).decode()
            assert basic not in text
        for secret in (*WRONG.values(), "/cls/data/", "Authorization", "vmware-api-session-id"):
            assert secret not in text
        words = set(re.findall(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", text))
        assert not used & {hashlib.sha256(word.encode()).hexdigest() for word in words}, "an API token"


def test_tasks_did_what_they_should(run, servers):
    """So that there was something to leak."""
    for host in servers:
        [session] = run.task("info", host)["update_sessions"]
        assert [file["name"] for file in session["files"]] == ["image.iso"]
        assert run.task("fails", host)["http_status"] == 500
        assert run.task("no such token", host)["error_type"] == "UNAUTHENTICATED"
        assert run.task("wrong password", host)["error_type"] == "UNAUTHENTICATED"
        assert run.task("a URL with credentials", host)["error_type"] == "INVALID_ARGUMENT"
        assert run.task("fail", host)["update_session"]["state"] == "ERROR"
