# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One login for many tasks."""

from __future__ import annotations

import hashlib

import pytest

from tests.integration.cases import WAYS

SESSION = "vsphere.content_library.api_session"
INFO = "vsphere.content_library.library_item_info"
TOKEN = {"session_id": "{{ login.session_id }}"}


@pytest.fixture(scope="module", params=[*WAYS, "in check mode"])
def run(request, playbook, servers):
    """In check mode too the login is a real one, so that later tasks work."""
    check = request.param == "in check mode"
    way = WAYS[0] if check else request.param
    tasks = [
        {"name": "given", "simulator": {}},
        {"name": "login", SESSION: {}, "register": "login"},
        {"name": "first", INFO: {"library_name": "demo", **TOKEN}},
        {"name": "second", INFO: {"library_name": "demo", **TOKEN}},
        {"name": "login again", SESSION: {**TOKEN, "state": "present"}, "register": "again"},
        {"name": "logout", SESSION: {**TOKEN, "state": "absent"}},
        {"name": "dead", SESSION: {**TOKEN, "state": "absent"}},
        {"name": "refused", INFO: {"library_name": "demo", **TOKEN}},
        {"name": "logout again", SESSION: {"session_id": "{{ again.session_id }}", "state": "absent"}},
        {"name": "wrong", SESSION: {"password": "wrong"}},
        {"name": "without", SESSION: {"state": "absent"}},
    ]
    tasks = [{**task, "ignore_errors": True} for task in tasks]
    return playbook(tasks, servers, way=way, strategy="free", check=check)


def test_a_token_lives_until_it_is_logged_out(run, servers):
    for host in servers:
        login = run.task("login", host)
        digest = hashlib.sha256(login["session_id"].encode()).hexdigest()
        assert login.operations == ["session.create"]
        assert [token["sha256"] for token in login.state["tokens"]] == [digest]
        for name in ("first", "second"):
            task = run.task(name, host)
            assert [item["name"] for item in task["library_items"]] == ["debian-12", "item"]
            assert not {"session.create", "session.delete"} & set(task.operations)
            assert task.state["tokens"] == login.state["tokens"]
        assert run.task("login again", host)["session_id"] != login["session_id"]
        assert len(run.task("login again", host).state["tokens"]) == 2
        logout = run.task("logout", host)
        assert logout.operations == ["session.delete"]
        assert digest not in [token["sha256"] for token in logout.state["tokens"]]
        assert "session_id" not in logout.result
        assert run.task("logout again", host).state["tokens"] == []


def test_it_never_changes_anything(run, servers):
    for host in servers:
        for name in ("login", "login again", "logout", "logout again", "dead"):
            task = run.task(name, host)
            assert (task.status, task["changed"], task["operations"]) == ("ok", False, [])


def test_failures(run, servers):
    for host in servers:
        refused = run.task("refused", host)
        assert (refused["error_type"], refused["http_status"]) == ("UNAUTHENTICATED", 401)
        wrong = run.task("wrong", host)
        assert (wrong["error_type"], wrong["operation"]) == ("UNAUTHENTICATED", "session.create")
        assert "administrator@vsphere.local" in wrong["msg"]
        without = run.task("without", host)
        assert (without["error_type"], without.requests) == ("INVALID_ARGUMENT", [])
        assert "session_id" in without["msg"]
