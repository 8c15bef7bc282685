# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks one after the other, each with what an earlier one returned."""

from __future__ import annotations

import hashlib

import pytest

from tests.cases.language import DIALECTS


@pytest.fixture(params=DIALECTS)
def dialect(request):
    return request.param


def test_what_was_pushed_is_in_the_item_once_the_session_is_done(runner, dialect):
    files = runner.files
    given = runner.given({"items": {"item": {"files": {"tools.iso": "old", "old.iso": "old"}}}})
    opened = runner.task("update_session", api_endpoint=dialect, library_item_id=given["item"])
    mine = {"update_session_id": opened["update_session"]["id"], "api_endpoint": dialect}
    runner.task("update_session_file", **mine, name="tools.iso", src=f"{files['files']}/tools.iso")
    before = runner.task("update_session_file", **mine, name="old.iso", state="absent")
    after = runner.task("update_session", **mine, state="done")
    assert before.state["items"][given["item"]]["files"].keys() == {"tools.iso", "old.iso"}
    content = after.state["items"][given["item"]]["files"]
    assert {name: file["sha256"] for name, file in content.items()} == {"tools.iso": files["sha256"]["tools.iso"]}


@pytest.mark.parametrize("check_mode", [False, True])
def test_one_login_serves_many_tasks(runner, dialect, check_mode):
    """In check mode too the login is a real one, so that later tasks work."""
    runner.given({})
    shared = {"api_endpoint": dialect, "check_mode": check_mode}
    login = runner.task("api_session", **shared)
    token = {"session_id": login["session_id"], "username": None, "password": None}
    digest = hashlib.sha256(login["session_id"].encode()).hexdigest()
    assert [token["sha256"] for token in login.state["tokens"]] == [digest]
    for _number in range(2):
        task = runner.task("library_item_info", **shared, **token, library_name="demo")
        assert [item["name"] for item in task["library_items"]] == ["debian-12", "item"]
        assert not {"session.create", "session.delete"} & set(task.operations)
        assert task.state["tokens"] == login.state["tokens"]
    again = runner.task("api_session", **shared, session_id=login["session_id"])
    assert again["session_id"] != login["session_id"]
    assert len(again.state["tokens"]) == 2
    logout = runner.task("api_session", **shared, **token, state="absent")
    assert digest not in [token["sha256"] for token in logout.state["tokens"]]
    refused = runner.task("library_item_info", **shared, **token, library_name="demo")
    assert (refused["error_type"], refused["http_status"]) == ("UNAUTHENTICATED", 401)
    assert runner.task("api_session", **shared, session_id=again["session_id"], state="absent").state["tokens"] == []
