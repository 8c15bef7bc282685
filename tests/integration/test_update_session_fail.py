# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.integration.cases import check_case, contract


@pytest.mark.parametrize(("case", "way", "dialect"), contract("update_session_fail"))
def test_contract(case, way, dialect, run_cases):
    check_case(case, dialect, run_cases("update_session_fail", way))


def test_long_message_is_sent_whole(playbook, servers, simulator):
    """A traceback, say."""
    [session] = simulator.add_sessions(1)
    message = "Zeile für Zeile\n" * 10_000
    args = {"update_session_id": session, "client_error_message": "{{ message }}"}
    tasks = [{"name": "fail", "vsphere.content_library.update_session_fail": args}]
    run = playbook(tasks, {"api": servers["api"]}, extra_vars={"message": message}).succeeded()
    assert run.task("fail")["update_session"]["error_message"]["default_message"] == message
    assert simulator.state()["sessions"][session]["error_message"]["default_message"] == message
