# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.integration.content import check_case, contract, runner, variables


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    with variables(tmp_path_factory.mktemp("files")) as files:
        yield files


@pytest.fixture(scope="module")
def run(request, playbook, servers, files):
    return runner("update_session_file", request, playbook, servers, files)


@pytest.mark.parametrize(("case", "way", "dialect"), contract("update_session_file"))
def test_contract(case, way, dialect, run, files):
    check_case(case, dialect, run(way), files)


def test_what_was_pushed_is_in_the_item_once_the_session_is_done(playbook, servers, files):
    session, file = "vsphere.content_library.update_session", "vsphere.content_library.update_session_file"
    mine = {"update_session_id": "{{ opened.update_session.id }}"}
    given = {"items": {"item": {"files": {"tools.iso": "old", "old.iso": "old"}}}}
    tasks = [
        {"name": "given", "simulator": given, "register": "given"},
        {"name": "open", session: {"library_item_id": "{{ given.item }}"}, "register": "opened"},
        {"name": "push", file: {**mine, "name": "tools.iso", "src": "{{ files }}/tools.iso"}},
        {"name": "remove", file: {**mine, "name": "old.iso", "state": "absent"}},
        {"name": "done", session: {**mine, "state": "done"}},
    ]
    run = playbook(tasks, servers, way="in_process", strategy="free", extra_vars=files).succeeded()
    for host in servers:
        before = run.task("remove", host).state["items"][run.task("given", host)["item"]]["files"]
        after = run.task("done", host).state["items"][run.task("given", host)["item"]]["files"]
        assert before.keys() == {"tools.iso", "old.iso"}
        assert {name: file["sha256"] for name, file in after.items()} == {"tools.iso": files["sha256"]["tools.iso"]}
