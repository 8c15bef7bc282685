# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import os
import re
import ssl
import time
from email.utils import formatdate

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils import _call, _transport
from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._dialects import OPERATIONS
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InternalServerError,
    InvalidArgument,
    NotFound,
    ResourceInaccessible,
    TimedOut,
    Unauthenticated,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import read
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import (
    HOST,
    ID,
    ITEM,
    LOGIN,
    PASSWORD,
    TOKEN,
    USERNAME,
    Answer,
    Lost,
    Refusal,
    hang,
    refused,
    reset,
    session,
    unreachable,
)

NOT_FOUND = Refusal("NOT_FOUND", 404, ("There is no such session.",))
UNAUTHENTICATED = Refusal("UNAUTHENTICATED", 401, ("Who are you?",))
BUSY = Refusal("SERVICE_UNAVAILABLE", 503)
PLAIN_404 = Answer(404, b"404 page not found\n", {"Content-Type": "text/plain"})


def get(client, **kwargs):
    return client.call("update_session.get", update_session_id=ID, **kwargs).value


def fail(client, **kwargs):
    return client.call("update_session.fail", update_session_id=ID, client_error_message="why", **kwargs)


def expect_fail(server, answer=None, **kwargs):
    server.expect("fail", answer, {"client_error_message": "why"}, **kwargs)


# Passing faults


@pytest.mark.parametrize(
    "fault",
    [refused, reset, *(lambda s=s: Answer(s, b"<html></html>") for s in (429, 502, 503, 504)), lambda: BUSY],
)
def test_a_read_is_tried_again_after_what_passes(server, fault):
    server.expect("get", fault())
    server.expect("get", session())
    assert get(server.client())["state"] == "ACTIVE"


@pytest.mark.parametrize("status", [400, 403, 404, 409, 500, 501])
def test_what_does_not_pass_is_not_tried_again(server, status):
    server.expect("get", Answer(status, b'{"messages": []}'))
    with pytest.raises(VapiError) as caught:
        get(server.client())
    assert caught.value.http_status == status


def test_pauses_grow_and_are_jittered(server, clock):
    for _try in range(8):
        server.expect("get", refused())
    server.expect("get", session())
    get(server.client())
    grown = [0.25, 0.5, 1, 2, 4, 8, 8, 8]
    assert len(clock.pauses) == len(grown)
    assert all(full / 2 <= pause <= full for pause, full in zip(clock.pauses, grown))
    assert len({pause / full for pause, full in zip(clock.pauses, grown)}) > 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["number", "date"])
def test_retry_after_is_heeded(server, clock, status, form):
    after = "17" if form == "number" else formatdate(clock.now + 17, usegmt=True)
    server.expect("get", Refusal("SERVICE_UNAVAILABLE", status, headers={"Retry-After": after}))
    server.expect("get", session())
    get(server.client())
    assert clock.pauses == [17]


@pytest.mark.parametrize("after", ["soon", "-1", "\u00b2", "Thu, 01 Jan 1970 00:00:00 GMT", ""])
def test_a_retry_after_that_says_nothing_is_passed_over(server, clock, after):
    server.expect("get", Refusal("SERVICE_UNAVAILABLE", 503, headers={"Retry-After": after}))
    server.expect("get", session())
    get(server.client())
    assert len(clock.pauses) == 1
    assert clock.pauses[0] <= 0.25


ODD_DATES = [
    f"Mon, 01 Jan {'9' * 5000} 00:00:00 GMT",
    "Mon, 01 Jan 99999 00:00:00 GMT",
    "2026\x00, Mon Dec , 99999999999 Mon, ",
    " ",
]


@pytest.mark.parametrize("header", [*ODD_DATES, "9" * 5000])
def test_odd_numbers_and_dates_in_headers_are_passed_over(header):
    assert _call.retry_after(header) >= 0
    assert abs(_call._date(header) - time.time()) < 60


def test_who_asks_for_more_patience_than_there_is_fails_the_operation_at_once(server, clock):
    server.expect("get", Refusal("SERVICE_UNAVAILABLE", 503, ("Come back later.",), headers={"Retry-After": "61"}))
    with pytest.raises(VapiError) as caught:
        get(server.client())
    assert (caught.value.error_type, caught.value.http_status) == ("SERVICE_UNAVAILABLE", 503)
    assert caught.value.retry_after == 61
    assert "Come back later." in str(caught.value)
    assert clock.pauses == []


@pytest.mark.parametrize("fault", [refused, reset, lambda: BUSY, lambda: Answer(502)])
def test_the_tries_end_with_the_deadline(server, clock, fault):
    start = clock.now
    server.expect("get", fault(), polled=True)
    with pytest.raises(VapiError) as caught:
        get(server.client(request_timeout=30))
    assert 20 <= clock.now - start <= 30
    assert caught.value.error_type in ("RESOURCE_INACCESSIBLE", "SERVICE_UNAVAILABLE", "INTERNAL_SERVER_ERROR")
    assert (caught.value.http_status is None) == (fault in (refused, reset))
    assert server.wire.timeouts[0] == 30
    assert all(0 < later < earlier for earlier, later in zip(server.wire.timeouts, server.wire.timeouts[1:]))


def test_a_server_that_hangs_is_left_at_the_deadline(server, clock):
    start = clock.now
    server.expect("get", hang())
    with pytest.raises(TimedOut) as caught:
        get(server.client(request_timeout=30))
    assert clock.now - start == 30
    assert caught.value.http_status is None
    for part in ("update_session.get", ID, HOST):
        assert part in str(caught.value)


def test_one_try_never_waits_longer_than_request_timeout(server, clock):
    server.expect("get", session())
    get(server.client(request_timeout=30), deadline=Deadline(3600))
    assert server.wire.timeouts == [30]


# Answers that get lost


@pytest.mark.parametrize("lost", [reset, lambda: Answer(502), lambda: Answer(504)])
def test_after_a_lost_answer_the_state_is_asked_before_anything_is_sent_again(server, lost):
    expect_fail(server, lost())
    expect_fail(server)
    asked = []
    fail(server.client(), verify=lambda: asked.append(len(server.wire.timeouts)))
    assert asked == [1]


def test_what_was_done_is_not_sent_again(server, clock):
    expect_fail(server, reset())
    assert fail(server.client(), verify=lambda: True) == (None, clock.now)


def test_what_was_made_is_not_made_again(server, clock):
    server.expect("create", reset(), {"library_item_id": ITEM})
    client = server.client()
    assert client.call("update_session.create", {"library_item_id": ITEM}, find=lambda: ID) == (ID, clock.now)


def test_what_was_not_made_is_made_with_the_same_client_token(server):
    server.expect("create", reset(), {"library_item_id": ITEM})
    server.expect("create", "another", {"library_item_id": ITEM})
    assert server.client().create("update_session.create", {"library_item_id": ITEM}, find=lambda: None) == "another"
    first, again = server.wire.client_tokens
    assert first == again


def test_without_a_look_at_the_state_a_lost_answer_is_the_end(server):
    expect_fail(server, reset())
    with pytest.raises(ResourceInaccessible):
        fail(server.client())


@pytest.mark.parametrize("turned_away", [refused, unreachable, lambda: BUSY, lambda: Answer(429)])
def test_what_was_turned_away_is_sent_again_without_a_look(server, turned_away):
    expect_fail(server, turned_away())
    expect_fail(server)
    fail(server.client(), verify=lambda: pytest.fail("it can't have been done"))


# Login, logout, 401


def test_nothing_is_sent_before_the_first_call(server):
    with server.client(**LOGIN):
        pass


def test_a_login_serves_all_calls_and_is_undone(server):
    server.expect("log_in", "own-token")
    server.expect("get", session(), token="own-token")
    server.expect("get", session(), token="own-token")
    server.expect("log_out", token="own-token")
    with server.client(**LOGIN) as client:
        get(client)
        get(client)


def test_a_token_that_is_given_wins_and_stays(server):
    server.expect("get", session())
    with server.client(username=USERNAME, password=PASSWORD) as client:
        get(client)


def test_a_given_token_that_is_dead_is_never_replaced_by_a_login(server):
    server.expect("get", UNAUTHENTICATED)
    with server.client(username=USERNAME, password=PASSWORD) as client, pytest.raises(Unauthenticated) as caught:
        get(client)
    assert caught.value.http_status == 401


def test_an_own_token_that_died_is_replaced_once_for_each_request(server):
    server.expect("log_in", "first")
    server.expect("get", UNAUTHENTICATED, token="first")
    server.expect("log_in", "second")
    server.expect("get", session(), token="second")
    expect_fail(server, UNAUTHENTICATED, token="second")
    server.expect("log_in", "third")
    expect_fail(server, token="third")
    server.expect("log_out", token="third")
    with server.client(**LOGIN) as client:
        get(client)
        fail(client)
    assert client.secrets >= {"first", "second", "third"}


def test_a_new_token_that_is_not_taken_either_is_the_end(server):
    server.expect("log_in", "first")
    server.expect("get", UNAUTHENTICATED, token="first")
    server.expect("log_in", "second")
    server.expect("get", UNAUTHENTICATED, token="second")
    server.expect("log_out", token="second")
    with server.client(**LOGIN) as client, pytest.raises(Unauthenticated):
        get(client)


def test_a_refused_login_says_whose_it_was_and_is_not_repeated(server):
    server.expect("log_in", UNAUTHENTICATED)
    with server.client(**LOGIN) as client, pytest.raises(Unauthenticated) as caught:
        get(client)
    assert USERNAME in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert caught.value.operation == "session.create"


@pytest.mark.parametrize("fault", [refused, reset, lambda: BUSY])
def test_a_login_is_tried_again(server, fault):
    server.expect("log_in", fault())
    server.expect("log_in", "own-token")
    server.expect("get", session(), token="own-token")
    server.expect("log_out", token="own-token")
    with server.client(**LOGIN) as client:
        get(client)


@pytest.mark.parametrize("token", ["", "line\nbreak", "bl ank", "\u00fcml\u00e4ut"])
def test_a_login_that_gives_no_token_fails_without_showing_it(server, token):
    server.expect("log_in", token)
    with server.client(**LOGIN) as client, pytest.raises(InternalServerError) as caught:
        get(client)
    assert token == "" or token not in str(caught.value)


def test_the_own_token_is_deleted_whatever_is_raised(server):
    server.expect("log_in", "own-token")
    server.expect("get", Lost(KeyboardInterrupt()), token="own-token")
    server.expect("log_out", token="own-token")
    with pytest.raises(KeyboardInterrupt), server.client(**LOGIN) as client:
        get(client)


@pytest.mark.parametrize("answer", [UNAUTHENTICATED, Refusal("NOT_FOUND", 404)])
def test_an_own_token_that_is_dead_already_is_fine(server, answer):
    server.expect("log_in", "own-token")
    server.expect("get", session(), token="own-token")
    server.expect("log_out", answer, token="own-token")
    with server.client(**LOGIN) as client:
        get(client)
    assert client.warnings == []


def test_an_own_token_that_can_not_be_deleted_is_a_warning(server):
    server.expect("log_in", "own-token")
    server.expect("get", session(), token="own-token")
    server.expect("log_out", Refusal("ERROR", 500), token="own-token")
    server.expect("log_out", Refusal("ERROR", 500), token="own-token")
    with server.client(**LOGIN) as client:
        get(client)
    (warning,) = client.warnings
    assert "token" in warning
    assert "own-token" not in warning


def test_a_log_out_that_fails_is_tried_once_more(server):
    server.expect("log_in", "own-token")
    server.expect("get", session(), token="own-token")
    server.expect("log_out", Refusal("INTERNAL_SERVER_ERROR", 500), token="own-token")
    server.expect("log_out", token="own-token")
    with server.client(**LOGIN) as client:
        get(client)
    assert client.warnings == []


def test_a_lost_answer_to_log_out_is_asked_for_again(server):
    server.expect("log_in", "own-token")
    server.expect("get", session(), token="own-token")
    server.expect("log_out", reset(), token="own-token")
    server.expect("log_out", UNAUTHENTICATED, token="own-token")
    with server.client(**LOGIN) as client:
        get(client)
    assert client.warnings == []


# Which dialect


@pytest.fixture
def auto(server):
    """A client that has to find out; the server fixture's dialect is what there is."""
    return lambda **options: server.client(api_endpoint="auto", **options)


def test_auto_costs_nothing_where_api_is(server, auto):
    if server.dialect == "rest":
        server.expect("get", PLAIN_404, dialect="api")
    server.expect("get", session())
    server.expect("get", session())
    client = auto()
    get(client)
    get(client)


def test_auto_finds_out_by_the_login(server, auto):
    if server.dialect == "rest":
        server.expect("log_in", PLAIN_404, dialect="api")
    server.expect("log_in", "own-token")
    server.expect("get", session(), token="own-token")
    server.expect("log_out", token="own-token")
    with auto(**LOGIN) as client:
        get(client)


NOT_OF_VAPI = [
    *(
        Answer(404, content)
        for content in (b"", b"<html>404</html>", b'"no object"', b"{}", b'{"detail": "Not Found"}')
    ),
    *(Answer(status, b"<html></html>") for status in (400, 403, 405, 415, 501)),
    Answer(302, b"", {"Location": "/ui"}),
    Answer(200, b"<html>Welcome</html>"),
    Answer(200, b'{"jsonrpc": "2.0", "error": {"code": -32700}}'),
    Refusal("OPERATION_NOT_FOUND", 404),
]


@pytest.mark.parametrize("answer", NOT_OF_VAPI, ids=str)
@pytest.mark.parametrize("options", [LOGIN, {}], ids=["login", "token"])
def test_what_vapi_did_not_write_means_rest(server, auto, answer, options):
    """Before 7.0U2 /api is a JSON-RPC endpoint, and anything may be in front of it."""
    first = "log_in" if options else "get"
    if server.dialect == "rest":
        server.expect(first, answer, dialect="api")
    if options:
        server.expect("log_in", "own-token")
    token = {"token": "own-token"} if options else {}
    server.expect("get", session(), **token)
    if options:
        server.expect("log_out", **token)
    with auto(**options) as client:
        get(client)


@pytest.mark.parametrize("answer", NOT_OF_VAPI, ids=str)
def test_where_neither_answers_like_vapi_both_are_told(server, auto, answer):
    for dialect in ("api", "rest"):
        server.expect("log_in", answer, dialect=dialect)
    with pytest.raises(VapiError) as caught, auto(**LOGIN) as client:
        get(client)
    for part in ("session.create", HOST, "/api/", "/rest/com/vmware/"):
        assert part in str(caught.value)
    assert not isinstance(caught.value, NotFound)
    assert caught.value.error_type in ("OPERATION_NOT_FOUND", "INTERNAL_SERVER_ERROR", "ERROR", "UNAUTHORIZED")


@pytest.mark.parametrize("status", [401, 500])
def test_a_refused_login_is_no_missing_api(server, auto, status):
    """It may be counted, and lock the user out."""
    server.expect("log_in", Answer(status, b"{}"), dialect="api")
    with pytest.raises(VapiError) as caught, auto(**LOGIN) as client:
        get(client)
    assert caught.value.http_status == status


def test_a_404_of_vapi_means_that_api_is_there(server, auto):
    server.expect("get", NOT_FOUND, dialect="api")
    with pytest.raises(NotFound):
        get(auto())


def test_what_was_found_out_is_not_doubted_again(server, auto):
    server.expect("get", session(), dialect="api")
    server.expect("get", PLAIN_404, dialect="api")
    client = auto()
    get(client)
    with pytest.raises(NotFound):
        get(client)


def test_a_missing_session_in_plain_text_is_not_found(server, auto):
    """As vcsim says it, under /rest, which is there if it answers to anything else."""
    server.expect("get", PLAIN_404, dialect="api")
    server.expect("get", PLAIN_404, dialect="rest")
    server.expect("list", [], dialect="rest")
    server.expect("get", PLAIN_404, dialect="rest")
    client = auto()
    for _number in range(2):
        with pytest.raises(NotFound) as caught:
            get(client)
        assert caught.value.error_type == "NOT_FOUND"


@pytest.mark.parametrize("answer", [PLAIN_404, Answer(404, b"{}"), Answer(200, b"<html></html>")], ids=str)
def test_what_is_no_vcenter_has_no_missing_session(server, answer):
    """Else a session would count as removed where there never was one."""
    server.expect("get", PLAIN_404)
    server.expect("list", answer)
    with pytest.raises(VapiError) as caught:
        get(server.client())
    assert (caught.value.error_type, caught.value.http_status) == ("OPERATION_NOT_FOUND", 404)


def test_an_endpoint_that_is_told_is_not_doubted(server):
    server.expect("get", PLAIN_404)
    server.expect("list", [])
    with pytest.raises(NotFound):
        get(server.client())


@pytest.mark.parametrize("options", [LOGIN, {}], ids=["login", "token"])
def test_an_api_that_is_not_there_is_no_missing_session(server, options):
    """Else who looks for something would take it for gone."""
    server.expect("log_in" if options else "list", PLAIN_404)
    with pytest.raises(VapiError) as caught, server.client(**options) as client:
        client.call("update_session.list")
    assert not isinstance(caught.value, NotFound)
    assert (caught.value.error_type, caught.value.http_status) == ("OPERATION_NOT_FOUND", 404)
    assert f"/{server.dialect}/" in str(caught.value)


def test_a_fault_while_finding_out_finds_nothing_out(server, auto):
    server.expect("get", BUSY, dialect="api")
    if server.dialect == "rest":
        server.expect("get", PLAIN_404, dialect="api")
    server.expect("get", session())
    get(auto())


# Answers that can't be read, and errors


def body(server, value):
    return json.dumps(value if server.dialect == "api" else {"value": value}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"<html>Welcome</html>",
        b'{"state": "ACT',
        b'"a string"',
        b"[]",
        b"42",
        b"null",
        b'{"value": []}',
        b'{"value": null}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"9" * 5_000,
        b'{"value":' * 900 + b"1" + b"}" * 900,
    ],
)
def test_an_answer_that_can_not_be_read(server, content):
    server.expect("get", Answer(200, content))
    with pytest.raises(InternalServerError) as caught:
        get(server.client())
    assert caught.value.http_status == 200
    assert caught.value.error_type == "INTERNAL_SERVER_ERROR"
    for part in ("update_session.get", ID, HOST):
        assert part in str(caught.value)


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_no_identifier_is_an_answer_that_can_not_be_read(server, value):
    """Not the fault of whoever asks for what has it."""
    server.expect("list", [value])
    with pytest.raises(InternalServerError) as caught:
        server.client().call("update_session.list")
    assert caught.value.operation == "update_session.list"
    results = {operation.result for operation in OPERATIONS.values()}
    for result, unread in (("Identifier", value), ("list[Identifier]", [value])):
        assert result in results
        with pytest.raises(ValueError, match="no identifier"):
            read(result, unread)
    assert not {"str", "list[str]"} & results


def test_an_answer_that_is_cut_short_is_a_broken_connection(server):
    whole = body(server, session())
    server.expect("get", Answer(200, whole[:-20], {"Content-Length": str(len(whole))}))
    server.expect("get", session())
    assert get(server.client())["state"] == "ACTIVE"


def test_an_answer_that_ends_in_its_header_is_a_broken_connection(server):
    """http.client takes the end of the connection for the end of the header; no list is not an empty one."""
    server.expect("list", Answer(200, b""))
    server.expect("list", [ID])
    assert server.client().call("update_session.list").value == [ID]


def test_null_is_an_empty_list_on_rest_alone(server):
    """As vcsim says it."""
    server.expect("list", Answer(200, body(server, None)))
    if server.dialect == "rest":
        assert server.client().call("update_session.list").value == []
        return
    with pytest.raises(InternalServerError):
        server.client().call("update_session.list")


def test_an_answer_that_is_too_large_is_not_read_to_its_end(server, monkeypatch):
    monkeypatch.setattr(_transport, "ANSWER_LIMIT", 1000)
    server.expect("get", Answer(200, body(server, session(padding="x" * 1000))))
    with pytest.raises(InternalServerError, match="larger than 1000 bytes"):
        get(server.client())


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_success_that_is_not_that_of_the_operation_is_none(server, status):
    right = 204 if server.dialect == "api" else 200
    expect_fail(server, Answer(status))
    if status == right:
        fail(server.client())
        return
    with pytest.raises(VapiError) as caught:
        fail(server.client())
    assert caught.value.http_status == status


@pytest.mark.parametrize("location", ["https://elsewhere.example.com/steal", "http://[::1", "", "/api/other"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server, status, location):
    server.expect("get", Answer(status, b"gone", {"Location": location}))
    with pytest.raises(VapiError, match="redirect") as caught:
        get(server.client())
    assert caught.value.http_status == status


def test_an_error_page_is_not_shown(server):
    server.expect("get", Answer(500, b"<html>" + b"x" * 5_000_000))
    with pytest.raises(InternalServerError) as caught:
        get(server.client())
    assert len(str(caught.value)) < 500


# Input


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (dict(), "session_id"),
        (dict(username=USERNAME), "password"),
        (dict(password=PASSWORD), "username"),
        (dict(username="", password=""), "username and password"),
        (dict(session_id=""), "session_id"),
        (dict(session_id="secret\n"), "session_id"),
        (dict(session_id="secret token"), "session_id"),
        (dict(session_id="secret\u00fc"), "session_id"),
        (dict(session_id=TOKEN, port=0), "port"),
        (dict(session_id=TOKEN, port=65536), "port"),
        (dict(session_id=TOKEN, port=-1), "port"),
        (dict(session_id=TOKEN, request_timeout=0), "request_timeout"),
        (dict(session_id=TOKEN, proxy_port=8080), "proxy_host"),
        (dict(session_id=TOKEN, proxy_host="proxy", proxy_port=0), "proxy_port"),
        (dict(session_id=TOKEN, proxy_host="http://proxy"), "proxy_host"),
        (dict(session_id=TOKEN, proxy_host="http://user:secret@proxy"), "proxy_host"),
        (dict(session_id=TOKEN, ca_path="/does/not/exist"), "ca_path .* No such file"),
        (dict(session_id=TOKEN, ca_path=__file__), "ca_path .* PEM"),
        (dict(session_id=TOKEN, ca_path=os.path.dirname(__file__)), "ca_path .* openssl rehash"),
    ],
)
def test_bad_options_are_refused_by_name(options, named):
    with pytest.raises(InvalidArgument, match=named) as caught:
        VCenterClient(HOST, **options)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", [".", ".."])
def test_an_id_that_means_another_path_is_refused(server, value):
    with pytest.raises(InvalidArgument, match="update_session_id"):
        server.client().call("update_session.delete", update_session_id=value)


# Certificates


def test_certificates_are_verified_unless_told_otherwise(server):
    context = server.client().tls_context
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_no_verification_is_none_whatever_the_environment_says(server, monkeypatch, variable):
    monkeypatch.setenv(variable, "/does/not/exist")
    server.expect("get", session())
    client = server.client(validate_certs=False)
    get(client)
    assert (client.tls_context.verify_mode, client.tls_context.check_hostname) == (ssl.CERT_NONE, False)
    assert server.wire.verified == [False]


# Proxies, cookies, .netrc


def proxy_of(server, **options):
    """Which proxy the request goes through."""
    server.expect("get", session())
    client = server.client(**options)
    get(client)
    (proxies,) = server.wire.proxies
    assert client.peer_address is None
    return proxies.get("https") if proxies else None


def test_without_a_proxy_there_is_none(server):
    assert proxy_of(server) is None


@pytest.mark.parametrize(
    ("options", "proxy"),
    [
        (dict(proxy_host="proxy.example.com"), "http://proxy.example.com:8080"),
        (dict(proxy_host="proxy.example.com", proxy_port=3128), "http://proxy.example.com:3128"),
    ],
)
def test_a_proxy_that_is_told_wins(server, monkeypatch, options, proxy):
    monkeypatch.setenv("HTTPS_PROXY", "http://another:1")
    monkeypatch.setenv("NO_PROXY", "example.com")
    assert proxy_of(server, **options) == proxy


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_holds(server, monkeypatch, variable):
    monkeypatch.setenv(variable, "http://proxy.example.com:3128")
    assert proxy_of(server) == "http://proxy.example.com:3128"


@pytest.mark.parametrize(
    "password", ["a/secret", "a#secret", "a?secret", "a\\secret", "a[secret", "/secret", "secret/"]
)
@pytest.mark.parametrize("scheme", ["", "http://"])
def test_a_proxy_of_the_environment_that_is_no_url_is_refused_without_its_password(monkeypatch, scheme, password):
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}somebody:{password}@proxy.example.com:3128")
    with pytest.raises(InvalidArgument, match="proxy of the environment") as raised:
        VCenterClient(HOST, session_id=TOKEN)
    assert not re.search("secret|somebody", str(raised.value))


@pytest.mark.parametrize("user_info", ["", "user:pass%20word@"])
def test_a_proxy_of_the_environment_needs_no_scheme(server, monkeypatch, user_info):
    monkeypatch.setenv("HTTPS_PROXY", f"{user_info}proxy.example.com:3128")
    assert proxy_of(server) == f"http://{user_info}proxy.example.com:3128"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["https", "HTTPS", "socks5", "socks5h", "ftp"])
def test_a_proxy_that_is_no_http_proxy_is_refused_by_name(monkeypatch, variable, scheme):
    monkeypatch.setenv(variable, f"{scheme}://somebody:secret@proxy.example.com:3128")
    with pytest.raises(InvalidArgument) as raised:
        VCenterClient(HOST, session_id=TOKEN)
    assert f"({variable}) is to be reached by {scheme.lower()}, and only http is possible" in str(raised.value)
    assert not re.search("secret|somebody", str(raised.value))


def test_a_name_that_ends_in_a_dot_is_the_same_for_no_proxy(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    for exception, proxy in ((HOST, None), ("example.org", "http://proxy.example.com:3128")):
        monkeypatch.setenv("NO_PROXY", exception)
        assert VCenterClient(f"{HOST}.", session_id=TOKEN).proxy == proxy


@pytest.mark.parametrize("exception", ["example.com", "*", HOST])
def test_no_proxy_holds(server, monkeypatch, exception):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", exception)
    assert proxy_of(server) is None


@pytest.mark.parametrize("hostname", ["127.0.0.1", "localhost", "localhost.", "http://127.0.0.1", "::1"])
def test_loopback_is_never_proxied(monkeypatch, hostname):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    assert VCenterClient(hostname, session_id=TOKEN, proxy_host="proxy.example.com").proxy is None


def test_netrc_is_not_read(server, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text(f"machine {HOST} login someone password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    server.expect("get", session())  # Its headers are compared with those expected, Authorization is none of them.
    get(server.client())


# Many at once


def test_map_keeps_the_order():
    client = VCenterClient(HOST, session_id=TOKEN)
    assert client.map(lambda value: value * 2, range(100)) == [value * 2 for value in range(100)]
    assert client.map(str, iter(())) == []


def test_map_raises_what_was_raised():
    def function(value):
        raise NotFound(str(value))

    with pytest.raises(NotFound):
        VCenterClient(HOST, session_id=TOKEN).map(function, range(100))


# Secrets


@pytest.mark.parametrize(
    "answer",
    [refused(), reset(), hang(), UNAUTHENTICATED, BUSY, Answer(302, headers={"Location": "/"}), Answer(200, b"<")],
)
def test_no_error_shows_password_or_token(server, answer):
    server.expect("log_in", "own-token")
    server.expect("get", answer, token="own-token", polled=True)
    if answer is UNAUTHENTICATED:
        server.wire.script[-1][0].polled = False
        server.expect("log_in", "own-token")
        server.expect("get", answer, token="own-token")
    server.expect("log_out", token="own-token")
    with server.client(**LOGIN) as client, pytest.raises(VapiError) as caught:
        get(client)
    shown = repr(caught.value) + json.dumps(caught.value.fail_kwargs()) + json.dumps(client.warnings)
    for secret in ("own-token", PASSWORD, "Basic", *client.secrets):
        assert secret not in shown
    assert client.secrets == {"own-token", base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()}
