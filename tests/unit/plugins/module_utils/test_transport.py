# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the client only shows on real connections."""

from __future__ import annotations

import socket
import ssl
import threading
import time

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    ResourceInaccessible,
    TimedOut,
    UnverifiedPeer,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import read
from ansible_collections.vsphere.content_library.tests.unit.plugins.sockets import SocketServer, answer, reset
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import (
    HOST,
    ID,
    TOKEN,
    USERNAME,
    session,
    unused_port,
)

TOKEN_HEADER = "vmware-api-session-id"


def client_of(server, **options):
    return VCenterClient(**{"hostname": server.url, "session_id": TOKEN, "api_endpoint": "api", **options})


def get(client, name=ID):
    return client.call("update_session.get", update_session_id=name).value


def fine(connection, request):
    connection.sendall(answer(session()))


def misbehave_once(misbehave):
    """A serve that does so at the first request and is fine afterwards."""
    first = iter([misbehave])

    def answer(connection, request):
        return next(first, fine)(connection, request)

    return answer


# Broken connections


def test_nobody_listens():
    start = time.monotonic()
    with pytest.raises(ResourceInaccessible, match="no connection") as caught:
        get(VCenterClient(f"http://127.0.0.1:{unused_port()}", session_id=TOKEN, request_timeout=1))
    assert caught.value.http_status is None
    assert time.monotonic() - start < 3


def test_a_name_without_an_address_is_told_at_once(monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    start = time.monotonic()
    with pytest.raises(ResourceInaccessible, match=f"no address for {HOST}"):
        get(VCenterClient(HOST, session_id=TOKEN))
    assert time.monotonic() - start < 5


def cut(connection, request):
    connection.sendall(answer(session())[:-10])
    return False


def cut_chunked(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{")
    return False


def cut_by_reset(connection, request):
    connection.sendall(answer(session())[:-10])
    return reset(connection)


@pytest.mark.parametrize(
    "misbehave",
    [
        lambda connection, request: False,
        lambda connection, request: reset(connection),
        lambda connection, request: connection.sendall(b"GARBAGE\r\n\r\n") or False,
        lambda connection, request: connection.sendall(b"HTTP/1.1 2") or False,
        cut,
        cut_chunked,
        cut_by_reset,
    ],
    ids=["closed", "reset", "garbage", "cut in the head", "cut", "cut chunked", "cut by reset"],
)
def test_a_broken_answer_is_asked_for_again(misbehave):
    with SocketServer(misbehave_once(misbehave)) as server:
        assert get(client_of(server))["state"] == "ACTIVE"
    assert len(server.requests) == 2


def test_a_kept_connection_that_the_server_closed_is_opened_again():
    def serve(connection, request):
        fine(connection, request)
        return False

    with SocketServer(serve) as server:
        client = client_of(server)
        get(client)
        get(client)
    assert server.connections == 2


# The deadline


@pytest.mark.parametrize("head", [b"", answer(session())[:-30]])
def test_a_trickle_does_not_hold_a_task(head):
    over = threading.Event()

    def trickle(connection, request):
        connection.sendall(head)
        for byte in answer(session())[len(head) :]:
            if over.wait(0.05):
                break
            connection.sendall(bytes([byte]))

    start = time.monotonic()
    with SocketServer(trickle) as server, pytest.raises(TimedOut, match="no complete answer within request_timeout"):
        get(client_of(server, request_timeout=1))
    over.set()
    assert 0.9 < time.monotonic() - start < 3


def test_an_answer_that_stops_does_not_get_the_whole_time_once_more():
    over = threading.Event()

    def stop(connection, request):
        time.sleep(1.7)
        connection.sendall(answer(session())[:-30])
        over.wait(10)

    start = time.monotonic()
    with SocketServer(stop) as server, pytest.raises(TimedOut):
        get(client_of(server, request_timeout=2))
    over.set()
    assert time.monotonic() - start < 3.2


def test_a_trickle_that_makes_it_is_read_and_the_connection_kept():
    def trickle(connection, request):
        for byte in answer(session()):
            time.sleep(0.0005)
            connection.sendall(bytes([byte]))

    with SocketServer(trickle) as server:
        client = client_of(server, request_timeout=10)
        assert get(client) == get(client) == read("UpdateSession", session())
    assert server.connections == 1


# What goes out


def test_connections_are_kept_and_cookies_are_not():
    def serve(connection, request):
        connection.sendall(answer(session(), "Set-Cookie: vmware-api-session-id=cookie; Path=/"))

    with SocketServer(serve) as server:
        client = client_of(server)
        for _request in range(3):
            get(client)
    assert server.connections == 1
    assert [request.line.split()[0] for request in server.requests] == ["GET"] * 3
    for request in server.requests:
        assert "cookie" not in request.headers
        assert request.headers[TOKEN_HEADER] == TOKEN


def test_a_redirect_takes_the_token_nowhere():
    with SocketServer(fine) as elsewhere:

        def redirect(connection, request):
            connection.sendall(answer({}, f"Location: {elsewhere.url}/", status=307))

        with SocketServer(redirect) as server, pytest.raises(VapiError, match="redirect"):
            get(client_of(server))
    assert elsewhere.connections == 0
    assert len(server.requests) == 1


def test_many_calls_share_a_few_kept_connections():
    def serve(connection, request):
        time.sleep(0.02)
        fine(connection, request)

    with SocketServer(serve) as server:
        client = client_of(server)
        start = time.monotonic()
        client.map(lambda number: get(client, str(number)), range(160))
        took = time.monotonic() - start
    assert server.connections <= 16
    assert len(server.requests) == 160
    assert took < 160 * 0.02 / 2


def test_a_dead_token_is_replaced_once_for_all_threads():
    tokens = iter(["first", "second", "third"])

    def serve(connection, request):
        if request.line.startswith("POST /api/session "):
            connection.sendall(answer(next(tokens), status=201))
        elif request.line.startswith("DELETE"):
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        elif request.headers[TOKEN_HEADER] == "first":
            time.sleep(0.05)
            connection.sendall(answer({"error_type": "UNAUTHENTICATED", "messages": []}, status=401))
        else:
            fine(connection, request)

    with SocketServer(serve) as server, client_of(server, username=USERNAME, password="p", session_id=None) as client:
        client.token()
        client.map(lambda number: get(client, str(number)), range(16))
    assert next(tokens) == "third"


# Certificates


@pytest.fixture(scope="module")
def authority():
    import trustme

    return trustme.CA()


@pytest.fixture
def tls_server(authority):
    """Serves over TLS with a certificate for the given names."""

    def make(*names, serve=fine):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(context)
        return SocketServer(serve, context)

    return make


@pytest.fixture
def ca_path(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def secure(server, **options):
    return client_of(server, **{"hostname": "127.0.0.1", "port": server.port, **options})


def test_a_certificate_of_a_trusted_authority_is_trusted(tls_server, ca_path):
    with tls_server("127.0.0.1") as server:
        client = secure(server, ca_path=ca_path)
        assert get(client)["state"] == "ACTIVE"
        assert client.peer_address == "127.0.0.1"


def test_an_unknown_authority_is_refused_at_once_and_gets_no_token(tls_server):
    start = time.monotonic()
    with tls_server("127.0.0.1") as server, pytest.raises(UnverifiedPeer) as caught:
        get(secure(server))
    assert server.requests == []
    assert time.monotonic() - start < 5
    assert caught.value.http_status is None
    assert f"https://127.0.0.1:{server.port}" in str(caught.value)
    assert "ca_path has to name" in str(caught.value)


def test_a_certificate_for_another_name_is_refused(tls_server, ca_path):
    with tls_server("another.example.com") as server, pytest.raises(UnverifiedPeer):
        get(secure(server, ca_path=ca_path))
    assert server.requests == []


@pytest.mark.parametrize("verify", [True, False])
def test_a_port_without_tls_is_told_at_once(verify):
    start = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse():
            connection, _address = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        client = VCenterClient("127.0.0.1", listener.getsockname()[1], session_id=TOKEN, validate_certs=verify)
        with pytest.raises(UnverifiedPeer, match=r"no TLS 1\.2 or later at this port"):
            get(client)
        thread.join()
    assert time.monotonic() - start < 5


def test_without_verification_any_certificate_will_do(tls_server, monkeypatch, tmp_path):
    import trustme

    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    with tls_server("another.example.com") as server:
        assert get(secure(server, validate_certs=False))["state"] == "ACTIVE"


def test_a_bundle_of_the_environment_is_trusted(tls_server, ca_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_path)
    with tls_server("127.0.0.1") as server:
        assert get(secure(server))["state"] == "ACTIVE"


def test_ca_path_wins_over_the_bundle_of_the_environment(tls_server, ca_path, monkeypatch, tmp_path):
    import trustme

    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_path)
    with tls_server("127.0.0.1") as server, pytest.raises(UnverifiedPeer):
        get(secure(server, ca_path=str(other)))


def test_the_system_store_is_trusted(tls_server, ca_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", ca_path)
    with tls_server("127.0.0.1") as server:
        assert get(secure(server))["state"] == "ACTIVE"


def test_a_trickle_over_tls_does_not_hold_a_task(tls_server, ca_path):
    over = threading.Event()

    def trickle(connection, request):
        for byte in answer(session()):
            if over.wait(0.05):
                break
            connection.sendall(bytes([byte]))

    start = time.monotonic()
    with tls_server("127.0.0.1", serve=trickle) as server, pytest.raises(TimedOut):
        get(secure(server, ca_path=ca_path, request_timeout=1))
    over.set()
    assert time.monotonic() - start < 3


def test_a_proxy_gets_no_token_and_the_certificate_of_the_host_is_verified(tls_server, ca_path):
    """The proxy opens a tunnel and is the vCenter at its other end, too."""
    with tls_server(HOST) as vcenter:

        def proxy(connection, request):
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            vcenter._converse(connection)
            return False

        with SocketServer(proxy) as server:
            client = VCenterClient(
                HOST,
                session_id=TOKEN,
                ca_path=ca_path,
                proxy_host="127.0.0.1",
                proxy_port=server.port,
                request_timeout=5,
            )
            assert get(client)["state"] == "ACTIVE"
            assert client.peer_address is None
    assert [request.line.rpartition(" ")[0] for request in server.requests] == [f"CONNECT {HOST}:443"]
    assert TOKEN_HEADER not in server.requests[0].headers
    assert vcenter.requests[0].headers[TOKEN_HEADER] == TOKEN


def test_a_proxy_that_refuses_is_told():
    def proxy(connection, request):
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        return False

    with SocketServer(proxy) as server:
        client = VCenterClient(
            HOST, session_id=TOKEN, proxy_host="127.0.0.1", proxy_port=server.port, request_timeout=1
        )
        with pytest.raises(ResourceInaccessible, match="407"):
            get(client)
