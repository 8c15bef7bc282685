# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import api_session
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import (
    HOST,
    LOGIN,
    PASSWORD,
    USERNAME,
    Answer,
    Refusal,
    Server,
    argument_errors,
    refused,
    run_task,
)

NEW = "new-token"
DEAD = Refusal("UNAUTHENTICATED", 401, ("Authentication required.",))

both_modes = pytest.mark.parametrize("check_mode", [False, True])


def unchanged(outcome):
    assert not outcome.failed, outcome.result
    assert (outcome.result["changed"], outcome.result["operations"]) == (False, [])
    return outcome.result


@both_modes
def test_a_login_is_handed_over(server, check_mode):
    server.expect("log_in", NEW)
    outcome = server.run(api_session, check_mode, **LOGIN)
    assert unchanged(outcome)["session_id"] == NEW
    # What is no_log would be masked in the result.
    assert NEW not in outcome.secrets


@both_modes
def test_a_token_that_is_set_is_ignored(server, check_mode):
    server.expect("log_in", NEW)
    outcome = server.run(api_session, check_mode, **{**LOGIN, "session_id": "given-token"})
    assert unchanged(outcome)["session_id"] == NEW


def test_a_login_where_only_the_older_api_is(wire):
    server = Server("rest", wire)
    server.expect("log_in", Answer(404, b"404 page not found"), dialect="api")
    server.expect("log_in", NEW)
    assert unchanged(run_task(api_session, **LOGIN))["session_id"] == NEW


@both_modes
def test_a_login_that_is_refused(server, check_mode):
    server.expect("log_in", DEAD)
    outcome = server.run(api_session, check_mode, **LOGIN)
    assert outcome.failed
    result = outcome.result
    assert (result["error_type"], result["operation"]) == ("UNAUTHENTICATED", "session.create")
    assert USERNAME in result["msg"]
    assert HOST in result["msg"]
    assert PASSWORD not in str(result)


@pytest.mark.parametrize("given", [{"username": USERNAME}, {"password": PASSWORD}, {"session_id": "given-token"}, {}])
def test_a_login_without_credentials(server, given):
    outcome = server.run(api_session, **{**dict.fromkeys(LOGIN), **given})
    assert outcome.result["error_type"] == "INVALID_ARGUMENT"
    assert "credentials" in outcome.result["msg"]


@both_modes
def test_a_logout(server, check_mode):
    server.expect("log_out", token=NEW)
    outcome = server.run(api_session, check_mode, session_id=NEW, state="absent")
    assert "session_id" not in unchanged(outcome)


@both_modes
@pytest.mark.parametrize("answer", [DEAD, Refusal("NOT_FOUND", 404)])
def test_a_logout_of_a_dead_token(server, check_mode, answer):
    server.expect("log_out", answer, token=NEW)
    unchanged(server.run(api_session, check_mode, session_id=NEW, state="absent"))


def test_a_logout_where_nobody_listens(server):
    server.expect("log_out", refused(), token=NEW, polled=True)
    outcome = server.run(api_session, session_id=NEW, state="absent", request_timeout=5)
    assert outcome.result["error_type"] == "RESOURCE_INACCESSIBLE"


@pytest.mark.parametrize("session_id", ["", None])
def test_a_logout_without_a_token(server, session_id):
    outcome = server.run(api_session, **{**LOGIN, "session_id": session_id, "state": "absent"})
    assert outcome.result["error_type"] == "INVALID_ARGUMENT"
    assert "session_id" in outcome.result["msg"]


def test_refused_by_the_argument_spec():
    assert any("state" in error for error in argument_errors(api_session, state="active"))
