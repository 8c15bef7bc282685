# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import update_session_fail
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import (
    ID,
    LOGIN,
    Refusal,
    refused,
    reset,
    session,
)

MESSAGE = {"id": "com.vmware.vdcs.cls-main.client_error", "default_message": "why", "args": []}
NOT_FOUND = Refusal("NOT_FOUND", 404, ("There is no such session.",))
NOT_ALLOWED = Refusal("NOT_ALLOWED_IN_CURRENT_STATE", 400, ("It has ended.",))


def fail(server, check_mode=False, **params):
    params = {"update_session_id": ID, "client_error_message": "why", **params}
    return server.run(update_session_fail, check_mode, **params)


def expect_fail(server, answer=None, message="why"):
    server.expect("fail", answer, {"client_error_message": message})


def failed_session(**members):
    return session("ERROR", error_message=MESSAGE, expiration_time=None, **members)


def test_with_a_login_the_token_is_deleted_after_success(server):
    server.expect("log_in", "own-token")
    server.expect("get", failed_session(), token="own-token")
    server.expect("log_out", token="own-token")
    outcome = fail(server, **LOGIN)
    assert not outcome.failed
    assert "own-token" in outcome.secrets


def test_with_a_login_the_token_is_deleted_after_a_failure(server):
    server.expect("log_in", "own-token")
    server.expect("get", NOT_FOUND, token="own-token")
    server.expect("log_out", token="own-token")
    assert fail(server, **LOGIN).result["error_type"] == "NOT_FOUND"


@pytest.mark.parametrize("option", ["client_error_message", "update_session_id"])
@pytest.mark.parametrize("value", ["", " \n"])
def test_an_empty_option_is_refused_before_anything_is_sent(server, option, value):
    outcome = fail(server, **{option: value})
    assert outcome.failed
    assert outcome.result["error_type"] == "INVALID_ARGUMENT"
    assert option in outcome.result["msg"]


def test_a_lost_request_is_sent_again(server):
    server.expect("get", session())
    expect_fail(server, reset())
    server.expect("get", session())
    expect_fail(server)
    server.expect("get", failed_session())
    outcome = fail(server)
    assert outcome.result["update_session"]["state"] == "ERROR"
    assert outcome.result["operations"] == ["fail"]


def test_a_refused_connection_needs_no_look(server):
    server.expect("get", session())
    expect_fail(server, refused())
    expect_fail(server)
    server.expect("get", failed_session())
    assert fail(server).result["changed"] is True


@pytest.mark.parametrize("typed", [True, False])
def test_somebody_else_failed_it_meanwhile(server, typed):
    server.expect("get", session())
    expect_fail(server, Refusal("NOT_ALLOWED_IN_CURRENT_STATE", 400, ("It has ended.",), typed=typed))
    server.expect("get", failed_session())
    server.expect("get", failed_session())
    assert fail(server).result["update_session"]["state"] == "ERROR"


def test_somebody_else_completed_it_meanwhile(server):
    server.expect("get", session())
    expect_fail(server, NOT_ALLOWED)
    server.expect("get", session("DONE"))
    outcome = fail(server)
    assert outcome.failed
    assert outcome.result["error_type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert outcome.result["operation"] == "update_session.fail"
    assert outcome.result["update_session"]["state"] == "DONE"
    assert "It has ended." in outcome.result["msg"]
