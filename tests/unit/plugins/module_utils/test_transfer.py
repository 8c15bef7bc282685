# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import threading
import time
import tracemalloc
from contextlib import ExitStack, contextmanager

import pytest
import trustme

from ansible_collections.vsphere.content_library.plugins.module_utils import _progress, _transfer, _tries
from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import Checksum
from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._endpoint import Connections
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InternalServerError,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInaccessible,
    TimedOut,
    Unauthenticated,
    UnverifiedPeer,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import KeepAlive
from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import Whole, open_file
from ansible_collections.vsphere.content_library.plugins.module_utils._transfer import Shared, Upload
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline, wait_for
from ansible_collections.vsphere.content_library.tests.unit.plugins.content_server import (
    ANSWERED,
    PATH,
    TOKEN_HEADER,
    ContentServer,
    resolve,
    take,
)
from ansible_collections.vsphere.content_library.tests.unit.plugins.waiting import wait_until
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import (
    HOST,
    ID,
    PASSWORD,
    TOKEN,
    USERNAME,
    unused_port,
)

OTHER = "other.example.com"
LARGE = 24 << 20  # more than sockets hold, so that the sender waits for the reader
MESSAGE = {"id": "x", "default_message": "The disk image is broken.", "args": []}


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_path(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="module")
def certificate(authority):
    return authority.issue_cert(HOST)


@pytest.fixture
def stack(monkeypatch):
    resolve(monkeypatch, OTHER)
    monkeypatch.setattr(_tries, "PAUSE", 0.05)
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def vcenter(stack, certificate):
    """A vCenter whose certificate is for HOST. Its upload endpoints name an address, for which it is not."""
    return stack.enter_context(ContentServer(certificate))


@pytest.fixture
def client(stack, vcenter, ca_path):
    return stack.enter_context(client_of(vcenter, ca_path))


def client_of(vcenter, ca_path=None, **options):
    options = {"session_id": TOKEN, "request_timeout": 10, "ca_path": ca_path, **options}
    return VCenterClient(HOST, vcenter.port, api_endpoint="api", **options)


@contextmanager
def upload_of(client, stale_after=30, **options):
    sessions = UpdateSessions(client)
    session = sessions.get(ID)
    with KeepAlive(sessions.keep_alive, session, stale_after) as keeper:
        yield Upload(client, sessions, session, keeper, **options)


def push(client, *sources, **options):
    with upload_of(client, **options) as upload:
        return upload.push(sources)


def push_fails(client, *sources, error=VapiError, **options):
    """The error that a push ends in. No upload URL is in it."""
    with pytest.raises(error) as caught:
        push(client, *sources, **options)
    assert "/cls/data" not in str(caught.value)
    assert TOKEN not in str(caught.value)
    return caught.value


@pytest.fixture
def source(tmp_path):
    """Makes sources: content, and what else they are."""

    def make(content=b"content", name="disk.vmdk", **attributes):
        path = tmp_path / name
        if isinstance(content, int):
            with path.open("wb") as stream:
                stream.truncate(content)
        else:
            path.write_bytes(content)
        return open_file(str(path))._replace(**attributes)

    return make


def sha1(content):
    return Checksum("SHA1", hashlib.sha1(content, usedforsecurity=False).hexdigest())


def test_a_disk_that_fails_is_told_as_such(source, vcenter, client, monkeypatch):
    def preadv(*args):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "preadv", preadv)
    error = push_fails(client, source(), error=InvalidArgument, algorithm=None)
    assert "Input/output error" in str(error)
    assert "disk.vmdk" in str(error)
    wait_until(lambda: vcenter.puts)  # The server notes it in a thread of its own.
    assert len(vcenter.puts) == 1


# What goes out


def test_a_push(source, vcenter, client):
    content = os.urandom(3 * (1 << 20) + 1)
    [pushed] = push(client, source(content))
    assert pushed.checksum == sha1(content)
    assert (pushed.verified, pushed.received) == (True, True)
    assert vcenter.adds == [{"name": "disk.vmdk", "source_type": "PUSH", "size": len(content)}]
    [put] = vcenter.puts
    assert put.path == "/cls/data/1/disk.vmdk"
    assert put.headers["content-length"] == str(len(content))
    assert put.headers["content-type"] == "application/octet-stream"
    assert put.headers[TOKEN_HEADER] == TOKEN
    assert "transfer-encoding" not in put.headers
    assert (put.received, put.size) == (content[: len(put.received)], len(content))
    assert put.digest.hexdigest() == pushed.checksum.value


def test_a_connection_is_kept_for_the_next_file(source, vcenter, client):
    kept = Connections()
    push(client, source(name="a.vmdk"), source(name="b.vmdk"), shared=Shared(parallel=1, connections=kept))
    kept.close()
    one, other = (put.handler.client_address for put in vcenter.puts)
    assert one == other


def test_an_empty_file(source, vcenter, client):
    [pushed] = push(client, source(b""))
    assert (pushed.checksum, pushed.verified) == (sha1(b""), True)
    assert vcenter.puts[0].headers["content-length"] == "0"


def test_a_member_of_an_archive(source, vcenter, client):
    archive = source(b"x" * 512 + b"first" + b"y" * 507 + b"second" + b"z" * 506, name="appliance.ova")
    members = [
        archive._replace(name="one", offset=512, size=5),
        archive._replace(name="two", offset=1024, size=6),
    ]
    pushed = push(client, *members)
    assert [result.source.name for result in pushed] == ["one", "two"]
    assert [result.checksum for result in pushed] == [sha1(b"first"), sha1(b"second")]
    assert sorted(put.received for put in vcenter.puts) == [b"first", b"second"]


@pytest.mark.parametrize("name", ["a b.iso", "größe (ü) 100%.iso", "a+b&c=d#?.iso", "%41.iso"])
def test_a_name_arrives_as_it_is(source, vcenter, client, name):
    push(client, source(name=name))
    assert vcenter.files[name]["status"] == "READY"


def test_a_server_that_does_not_quote_its_upload_endpoint(source, vcenter, client):
    vcenter.endpoint = {"uri": f"https://127.0.0.1:{vcenter.port}/cls/data/1 ü/disk.vmdk?a=b c"}
    push(client, source())
    assert vcenter.puts[0].path == "/cls/data/1%20%C3%BC/disk.vmdk?a=b%20c"


def test_a_checksum_that_is_known_is_told_and_checked(source, vcenter, client):
    sha256 = Checksum("SHA256", hashlib.sha256(b"content").hexdigest())
    vcenter.algorithm = None
    [pushed] = push(client, source(checksum=sha256))
    assert vcenter.adds[0]["checksum_info"] == {"algorithm": "SHA256", "checksum": sha256.value}
    assert pushed.checksum == sha256
    # The server of this test tells the client's own checksum.
    assert pushed.verified


def test_metadata_goes_first_and_in_order(source, vcenter, client):
    names = ["a.mf", "a.cert", "a.ovf", "disk1.vmdk", "disk2.vmdk"]
    roles = ["manifest", "certificate", "descriptor", "content", "content"]
    events = []

    def on_put(put):
        events.append(("begin", put.path.rpartition("/")[2]))
        status = take(put)
        events.append(("end", put.path.rpartition("/")[2]))
        return status

    vcenter.on_put = on_put
    push(client, *[source(name=name, role=role) for name, role in zip(names, roles)])
    assert events[:6] == [(event, name) for name in names[:3] for event in ("begin", "end")]
    assert [add["name"] for add in vcenter.adds[:3]] == names[:3]
    assert {name for _event, name in events[6:]} == set(names[3:])


def test_several_files_are_pushed_side_by_side(source, vcenter, client):
    barrier = threading.Barrier(4, timeout=10)

    def on_put(put):
        barrier.wait()
        return take(put)

    vcenter.on_put = on_put
    names = [f"disk{number}.vmdk" for number in range(8)]
    assert [pushed.source.name for pushed in push(client, *[source(name=name) for name in names])] == names


def test_memory_does_not_grow_with_the_file(source, vcenter, client):
    file = source(96 << 20)
    tracemalloc.start()
    try:
        push(client, file)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_progress_is_reported(source, vcenter, client, monkeypatch):
    monkeypatch.setattr(_progress, "REPORT_EVERY", 0.0)
    lines = []
    push(client, source(3 << 20), report=lines.append)
    assert len(lines) == 3
    assert lines[-1].startswith(f"100 % of {3 << 20} bytes, ")
    assert lines[-1].endswith(" MB/s, 0 s left")


# Whom the token is given to


@pytest.fixture
def elsewhere(stack, vcenter):
    """Starts another server where the upload endpoint of vcenter leads."""

    def start(certificate, name="127.0.0.1", address="127.0.0.1", **endpoint):
        server = stack.enter_context(ContentServer(certificate, address))
        vcenter.endpoint = {"uri": f"https://{name}:{server.port}/cls/data/1/disk.vmdk", **endpoint}
        server.files = vcenter.files
        return server

    return start


@pytest.mark.parametrize("name", ["127.0.0.1", OTHER, HOST])
def test_the_endpoint_is_verified_as_the_configured_host(source, client, elsewhere, certificate, name):
    server = elsewhere(certificate, name)
    [pushed] = push(client, source())
    assert pushed.verified
    assert server.puts[0].headers["host"] == f"{name}:{server.port}"


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("name", ["127.0.0.1", HOST, f"{HOST}."])
def test_a_dot_at_the_end_of_hostname_changes_nothing(source, stack, vcenter, ca_path, monkeypatch, name, verify):
    resolve(monkeypatch, f"{HOST}.")
    vcenter.endpoint = {"uri": f"https://{name}:{vcenter.port}/cls/data/1/disk.vmdk"}
    options = {"session_id": TOKEN, "request_timeout": 10, "ca_path": ca_path, "validate_certs": verify}
    client = stack.enter_context(VCenterClient(f"{HOST}.", vcenter.port, api_endpoint="api", **options))
    assert push(client, source())[0].verified


def test_a_certificate_of_the_endpoint_for_its_own_name_is_not_enough(source, client, elsewhere, authority):
    server = elsewhere(authority.issue_cert(OTHER, "127.0.0.1"), OTHER)
    error = push_fails(client, source(), error=UnverifiedPeer)
    assert HOST in str(error)
    assert server.headers_seen == []


def test_a_certificate_of_another_authority(source, client, elsewhere):
    server = elsewhere(trustme.CA().issue_cert(HOST))
    error = push_fails(client, source(), error=UnverifiedPeer)
    assert "not trusted" in str(error)
    assert server.headers_seen == []


def thumbprint(certificate, algorithm):
    pem = certificate.cert_chain_pems[0].bytes().decode()
    return hashlib.new(algorithm, ssl.PEM_cert_to_DER_cert(pem), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("spelling", [str, str.upper, lambda text: ":".join(map("".join, zip(text[::2], text[1::2])))])
def test_a_thumbprint_that_vcenter_tells_is_enough(source, client, elsewhere, algorithm, spelling):
    unknown = trustme.CA().issue_cert(OTHER)
    server = elsewhere(unknown, OTHER, ssl_certificate_thumbprint=spelling(thumbprint(unknown, algorithm)))
    [pushed] = push(client, source())
    assert pushed.verified
    assert server.puts[0].headers[TOKEN_HEADER] == TOKEN


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_thumbprint_of_another_certificate(source, client, elsewhere, authority, certificate, algorithm):
    # Even one that would verify by name and authority: vCenter said which one it is.
    told_of = thumbprint(authority.issue_cert(HOST), algorithm)
    server = elsewhere(certificate, ssl_certificate_thumbprint=told_of)
    error = push_fails(client, source(), error=UnverifiedPeer)
    assert str(error).endswith("trusted: its certificate does not have the thumbprint that vCenter reported")
    assert server.headers_seen == []


def test_an_endpoint_without_tls_is_not_tried_again(source, stack, vcenter, client):
    server = stack.enter_context(ContentServer(None))
    vcenter.endpoint = {"uri": f"https://127.0.0.1:{server.port}/cls/data/1/disk.vmdk"}
    error = push_fails(client, source(), error=UnverifiedPeer)
    assert "no TLS 1.2 or later" in str(error)
    assert len(vcenter.adds) == 1


def test_a_thumbprint_that_is_none(source, client, elsewhere, certificate):
    server = elsewhere(certificate, ssl_certificate_thumbprint="AA:BB")
    push_fails(client, source(), error=UnverifiedPeer)
    assert server.headers_seen == []


@pytest.mark.parametrize("endpoint", [{}, {"ssl_certificate_thumbprint": "0a" * 20}])
def test_without_verification_the_address_of_control_is_enough(source, stack, vcenter, elsewhere, endpoint):
    server = elsewhere(trustme.CA().issue_cert(OTHER), OTHER, **endpoint)
    client = stack.enter_context(client_of(vcenter, validate_certs=False))
    [pushed] = push(client, source())
    assert pushed.verified
    assert server.puts[0].headers[TOKEN_HEADER] == TOKEN


@pytest.mark.parametrize("thumbprint_told", [False, True])
def test_without_verification_another_address_is_refused(
    source, stack, vcenter, elsewhere, certificate, thumbprint_told
):
    endpoint = {"ssl_certificate_thumbprint": thumbprint(certificate, "sha1")} if thumbprint_told else {}
    server = elsewhere(certificate, "127.0.0.2", "127.0.0.2", **endpoint)
    client = stack.enter_context(client_of(vcenter, validate_certs=False))
    error = push_fails(client, source(), error=UnverifiedPeer)
    assert "127.0.0.2" in str(error)
    assert server.headers_seen == []


@pytest.mark.parametrize("name", ["127.0.0.1", OTHER])
def test_a_push_without_tls_is_refused(source, stack, vcenter, client, name):
    # The configured host is no loopback address, so that this machine is not what it leads to.
    server = stack.enter_context(ContentServer(None))
    vcenter.endpoint = {"uri": f"http://{name}:{server.port}/cls/data/1/disk.vmdk"}
    error = push_fails(client, source(), error=UnverifiedPeer)
    assert "http, not https" in str(error)
    assert server.headers_seen == []


def test_a_push_without_tls_on_loopback(source, stack):
    server = stack.enter_context(ContentServer(None))
    address = f"http://127.0.0.1:{server.port}"
    client = stack.enter_context(VCenterClient(address, session_id=TOKEN, api_endpoint="api"))
    assert push(client, source())[0].verified


def test_from_loopback_without_tls_to_elsewhere_is_refused(source, stack):
    server = stack.enter_context(ContentServer(None))
    server.endpoint = {"uri": f"http://{OTHER}:{server.port}/cls/data/1/disk.vmdk"}
    address = f"http://127.0.0.1:{server.port}"
    client = stack.enter_context(VCenterClient(address, session_id=TOKEN, api_endpoint="api"))
    push_fails(client, source(), error=UnverifiedPeer)
    assert server.puts == []


def test_a_redirect_is_not_followed(source, vcenter, client, elsewhere, certificate):
    server = elsewhere(certificate)

    def on_put(put):
        put.read()
        put.handler.answer(307, Location=f"https://127.0.0.1:{vcenter.port}/cls/data/1/disk.vmdk")
        return ANSWERED

    server.on_put = on_put
    error = push_fails(client, source())
    assert error.http_status == 307
    assert vcenter.puts == []
    assert len(server.puts) == 1


@pytest.mark.parametrize("endpoint", [{"uri": ""}, {"uri": None}, {"uri": "/cls/data/1"}])
def test_no_endpoint(source, vcenter, client, endpoint):
    vcenter.endpoint = endpoint
    assert "upload endpoint" in str(push_fails(client, source()))


@pytest.mark.parametrize("uri", ["https://127.0.0.1:port/cls/data/1", "https://[::1/cls/data/1"])
def test_an_endpoint_that_is_no_url(source, vcenter, client, uri):
    vcenter.endpoint = {"uri": uri}
    assert "not a URL" in str(push_fails(client, source()))


def test_an_endpoint_with_an_ipv6_address_has_the_usual_port(source, vcenter, client, monkeypatch):
    tried = []

    def create_connection(address, *args, **kwargs):
        tried.append(address)
        raise ConnectionRefusedError("refused")

    vcenter.endpoint = {"uri": "https://[fd00::12]/cls/data/1"}
    info = UpdateSessions(client).files.add(ID, {"name": "disk.vmdk", "source_type": "PUSH"})
    monkeypatch.setattr(socket, "create_connection", create_connection)
    with upload_of(client) as upload, pytest.raises(_tries.Broken):
        upload._put(source(), info["upload_endpoint"], _tries.Tries(1, threading.Event()))
    assert tried == [("fd00::12", 443)]


# Through a proxy


@pytest.fixture
def proxy(stack):
    """A proxy that leads every CONNECT to this machine, and sees no more of it than the first request."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    seen = []

    def pipe(source, target):
        try:
            while block := source.recv(1 << 16):
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def converse(connection):
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(1 << 16)
        seen.append(request.decode())
        port = int(request.split()[1].rpartition(b":")[2])
        target = socket.create_connection(("127.0.0.1", port))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=pipe, args=(target, connection), daemon=True).start()
        pipe(connection, target)

    def accept():
        try:
            while True:
                threading.Thread(target=converse, args=(listener.accept()[0],), daemon=True).start()
        except OSError:
            pass

    threading.Thread(target=accept, daemon=True).start()
    stack.callback(listener.shutdown, socket.SHUT_RDWR)
    return listener.getsockname()[1], seen


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_through_a_proxy(source, stack, vcenter, ca_path, proxy, monkeypatch, scheme):
    port, seen = proxy
    monkeypatch.setenv("https_proxy", f"{scheme}user:pass%20word@127.0.0.1:{port}")
    vcenter.endpoint = {"uri": f"https://{OTHER}:{vcenter.port}/cls/data/1/disk.vmdk"}
    client = stack.enter_context(client_of(vcenter, ca_path))
    assert push(client, source())[0].verified
    [connect] = [request for request in seen if OTHER in request]
    assert connect.startswith(f"CONNECT {OTHER}:{vcenter.port} HTTP/1.")
    assert "Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n" in connect
    assert TOKEN not in connect


def test_through_a_proxy_without_verification_only_the_configured_host(source, stack, vcenter, proxy):
    port, seen = proxy
    client = stack.enter_context(client_of(vcenter, validate_certs=False, proxy_host="127.0.0.1", proxy_port=port))
    vcenter.endpoint = {"uri": f"https://{OTHER}:{vcenter.port}/cls/data/1/disk.vmdk"}
    push_fails(client, source(), error=UnverifiedPeer)
    assert not any(OTHER in request for request in seen)
    vcenter.endpoint = {"uri": f"https://{HOST}:{vcenter.port}/cls/data/1/disk.vmdk"}
    assert push(client, source())[0].verified


# Answers that are no success


def refuse_at_half(status, times=1):
    """on_put that answers some pushes after half of their bytes."""

    def on_put(put):
        if put.number > times:
            return take(put)
        put.read(int(put.headers["content-length"]) // 2)
        return status

    return on_put


@pytest.mark.parametrize("size", [7, LARGE])
def test_a_token_that_dies_is_replaced_and_the_file_pushed_again(source, stack, vcenter, ca_path, size):
    client = stack.enter_context(client_of(vcenter, ca_path, session_id=None, username=USERNAME, password=PASSWORD))

    def on_put(put):
        if put.number == 1:
            put.read(int(put.headers["content-length"]) // 2)
            vcenter.tokens.clear()
            return 401
        return take(put)

    vcenter.on_put = on_put
    [pushed] = push(client, source(size))
    assert pushed.verified
    assert vcenter.requests.count("POST /api/session") == 2
    assert len(vcenter.adds) == len(vcenter.puts) == 2
    assert vcenter.puts[0].headers[TOKEN_HEADER] != vcenter.puts[1].headers[TOKEN_HEADER]
    assert vcenter.puts[1].headers[TOKEN_HEADER] in vcenter.tokens


def test_a_given_token_that_dies_ends_the_push(source, vcenter, client):
    # Seven bytes: while more are under way, the reset of the connection may overtake the answer.
    vcenter.on_put = refuse_at_half(401)
    error = push_fails(client, source(7), error=Unauthenticated)
    assert (error.http_status, error.operation) == (401, "upload")
    assert len(vcenter.puts) == 1


def test_a_push_that_is_not_allowed(source, vcenter, client):
    vcenter.on_put = refuse_at_half(403)
    error = push_fails(client, source())
    assert (error.error_type, error.http_status) == ("UNAUTHORIZED", 403)
    assert "disk.vmdk" in str(error)
    assert ID in str(error)
    assert HOST in str(error)
    assert len(vcenter.puts) == 1


def test_a_push_to_what_is_gone(source, vcenter, client):
    vcenter.on_put = refuse_at_half(404)
    push_fails(client, source(), error=NotFound)
    assert len(vcenter.puts) == 1


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_fails_gets_the_file_again(source, vcenter, client, status):
    vcenter.on_put = refuse_at_half(status, times=2)
    assert push(client, source())[0].verified
    assert len(vcenter.adds) == len(vcenter.puts) == 3


def test_a_server_that_fails_for_good(source, stack, vcenter, ca_path):
    client = stack.enter_context(client_of(vcenter, ca_path, request_timeout=1))
    vcenter.on_put = refuse_at_half(500, times=99)
    start = time.monotonic()
    error = push_fails(client, source())
    assert error.http_status == 500
    assert len(vcenter.adds) == len(vcenter.puts) > 3
    assert time.monotonic() - start < 3


def refuse_once(status, **headers):
    """on_put that refuses the first push."""

    def on_put(put):
        if put.number > 1:
            return take(put)
        put.read()
        put.handler.answer(status, None, **headers)
        return ANSWERED

    return on_put


def test_retry_after_is_respected(source, vcenter, client):
    vcenter.on_put = refuse_once(429, **{"Retry-After": "1"})
    start = time.monotonic()
    assert push(client, source())[0].verified
    assert time.monotonic() - start >= 1


def test_a_server_that_wants_to_be_left_alone_for_longer_than_there_is_time(source, vcenter, client):
    vcenter.on_put = refuse_once(503, **{"Retry-After": "3600"})
    assert push_fails(client, source()).http_status == 503
    assert len(vcenter.puts) == 1


def test_a_push_goes_on_as_long_as_it_gets_further(source, stack, vcenter, ca_path):
    """Each try takes most of the time there is, and gets further than the one before."""
    client = stack.enter_context(client_of(vcenter, ca_path, request_timeout=1))

    def on_put(put):
        if put.number == 4:
            return take(put)
        put.read(put.number * (LARGE // 4))
        time.sleep(0.6)
        return None

    vcenter.on_put = on_put
    assert push(client, source(LARGE))[0].verified
    assert len(vcenter.puts) == 4


# Answers that come before the last byte


@pytest.mark.parametrize("read", [0, 1 << 16])
@pytest.mark.parametrize(("status", "error_type"), [(507, "UNABLE_TO_ALLOCATE_RESOURCE"), (413, "ERROR")])
def test_an_early_answer_is_read_and_told(source, stack, vcenter, client, read, status, error_type):
    over = threading.Event()
    stack.callback(over.set)

    def on_put(put):
        put.read(read)
        put.handler.answer(status, {"messages": [MESSAGE]})
        put.handler.wfile.flush()
        over.wait()
        return ANSWERED

    vcenter.on_put = on_put
    start = time.monotonic()
    error = push_fails(client, source(8 * LARGE))
    assert time.monotonic() - start < 5
    assert (error.error_type, error.http_status) == (error_type, status)
    assert MESSAGE["default_message"] in str(error)
    assert len(vcenter.puts) == 1


def test_an_early_success_is_none(source, stack, vcenter, ca_path):
    client = stack.enter_context(client_of(vcenter, ca_path, request_timeout=1))
    over = threading.Event()
    stack.callback(over.set)

    def on_put(put):
        put.handler.answer(200, None)
        put.handler.wfile.flush()
        over.wait()
        return ANSWERED

    vcenter.on_put = on_put
    error = push_fails(client, source(8 * LARGE), error=InternalServerError)
    assert "before it had the whole file" in str(error)


def test_an_interim_answer_is_none(source, vcenter, client):
    def on_put(put):
        put.read(1 << 16)
        put.handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        put.handler.wfile.flush()
        time.sleep(0.2)
        return take(put)

    vcenter.on_put = on_put
    assert push(client, source(8 * LARGE))[0].verified
    assert len(vcenter.puts) == 1


def test_the_upload_url_is_a_secret(source, vcenter, client):
    def on_put(put):
        put.read()
        text = f"Can't write {vcenter.files['disk.vmdk']['upload_endpoint']['uri']}."
        put.handler.answer(400, {"error_type": "INVALID_ARGUMENT", "messages": [{"default_message": text}]})
        return ANSWERED

    vcenter.on_put = on_put
    with pytest.raises(VapiError) as caught:
        push(client, source())
    [secret] = [secret for secret in client.secrets if "/cls/data" in secret]
    assert "/cls/data" not in str(caught.value).replace(secret, "")


def test_the_reason_in_an_answer_is_told(source, vcenter, client):
    def on_put(put):
        put.read()
        put.handler.answer(400, {"error_type": "INVALID_ARGUMENT", "messages": [MESSAGE]})
        return ANSWERED

    vcenter.on_put = on_put
    error = push_fails(client, source(), error=InvalidArgument)
    assert MESSAGE["default_message"] in str(error)
    assert error.messages == [MESSAGE]


# Connections that break


def test_a_connection_that_breaks_in_the_middle(source, vcenter, client):
    vcenter.on_put = refuse_at_half(None, times=2)
    with upload_of(client) as upload:
        [pushed] = upload.push([source(LARGE)])
    assert pushed.verified
    assert len(vcenter.adds) == len(vcenter.puts) == 3
    assert upload.progress.bytes_transferred > LARGE
    assert upload.progress.percent() == 100


def test_a_connection_that_breaks_every_time(source, stack, vcenter, ca_path):
    client = stack.enter_context(client_of(vcenter, ca_path, request_timeout=3))
    vcenter.on_put = refuse_at_half(None, times=99)
    error = push_fails(client, source(LARGE), error=ResourceInaccessible)
    assert f"the connection to 127.0.0.1:{vcenter.port} broke" in str(error)
    assert error.http_status is None
    assert len(vcenter.puts) > 3


def test_an_answer_that_is_none(source, stack, vcenter, ca_path):
    client = stack.enter_context(client_of(vcenter, ca_path, request_timeout=1))

    def on_put(put):
        put.read()
        put.handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")
        put.handler.close_connection = True
        return ANSWERED

    vcenter.on_put = on_put
    push_fails(client, source(), error=ResourceInaccessible)


def test_nobody_listens_at_the_endpoint(source, stack, vcenter, ca_path):
    client = stack.enter_context(client_of(vcenter, ca_path, request_timeout=1))
    port = unused_port()
    vcenter.endpoint = {"uri": f"https://127.0.0.1:{port}/cls/data/1"}
    error = push_fails(client, source(), error=ResourceInaccessible)
    assert f"no connection to 127.0.0.1:{port}: " in str(error)
    assert "refused" in str(error)
    assert "firewall" in str(error)
    assert len(vcenter.adds) > 3


def test_an_endpoint_without_an_address_is_not_tried_again(source, vcenter, client, monkeypatch):
    vcenter.endpoint = {"uri": "https://esx-07.internal.invalid/cls/data/1"}
    ask = socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        if host == "esx-07.internal.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ask(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    error = push_fails(client, source(), error=ResourceInaccessible)
    assert "no connection to esx-07.internal.invalid:443: " in str(error)
    assert "Name or service not known" in str(error)
    assert "ESXi host" in str(error)
    assert len(vcenter.adds) == 1


def test_no_byte_moves(source, stack, vcenter, ca_path):
    over = threading.Event()
    stack.callback(over.set)
    vcenter.on_put = lambda put: over.wait() and None
    client = stack.enter_context(client_of(vcenter, ca_path, request_timeout=1))
    start = time.monotonic()
    push_fails(client, source(LARGE), error=TimedOut)
    assert 0.9 < time.monotonic() - start < 8


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="this system does not tell what has arrived")
def test_bytes_that_move_slowly(source, stack, vcenter, ca_path):
    """A block takes longer than the time-out; that is for a connection on which nothing moves."""

    def on_put(put):
        while put.size < 1 << 20:
            put.read(1 << 15)
            time.sleep(0.1)
        return take(put)

    vcenter.on_put = on_put
    client = stack.enter_context(client_of(vcenter, ca_path, request_timeout=1))
    assert push(client, source(LARGE))[0].verified
    assert len(vcenter.puts) == 1


def test_no_answer_after_the_last_byte(source, stack, vcenter, client):
    over = threading.Event()
    stack.callback(over.set)

    def on_put(put):
        put.read()
        over.wait()

    vcenter.on_put = on_put
    start = time.monotonic()
    push_fails(client, source(), error=TimedOut, wait_timeout=0.5)
    assert 0.4 < time.monotonic() - start < 3


def test_an_answer_may_take_longer_than_a_byte(source, stack, vcenter, ca_path):
    def on_put(put):
        put.read()
        time.sleep(1.5)
        return 200

    vcenter.on_put = on_put
    client = stack.enter_context(client_of(vcenter, ca_path, request_timeout=1))
    assert push(client, source())[0].verified
    assert len(vcenter.puts) == 1


# Sources that change meanwhile


def change_at_first_bytes(change):
    """on_put that changes the source after the first bytes came."""

    def on_put(put):
        put.read(1 << 16)
        change()
        return take(put)

    return on_put


def test_a_file_that_grows(source, vcenter, client):
    file = source(LARGE)
    vcenter.on_put = change_at_first_bytes(lambda: os.truncate(file.path, LARGE + 1))
    assert "changed while it was read" in str(push_fails(client, file, error=InvalidArgument, algorithm=None))
    assert vcenter.puts[0].size == LARGE


def test_a_file_that_shrinks(source, vcenter, client):
    file = source(LARGE)
    vcenter.on_put = change_at_first_bytes(lambda: os.truncate(file.path, LARGE // 2))
    assert "became shorter" in str(push_fails(client, file, error=InvalidArgument, algorithm=None))
    assert len(vcenter.puts) == 1


def test_a_file_that_is_written_to(source, vcenter, client):
    file = source(LARGE)

    def write():
        with open(file.path, "r+b") as stream:
            stream.write(b"other")

    vcenter.on_put = change_at_first_bytes(write)
    assert "changed while it was read" in str(push_fails(client, file, error=InvalidArgument))


def test_a_file_that_changed_before(source, vcenter, client):
    file = source()
    os.truncate(file.path, 3)
    push_fails(client, file, error=InvalidArgument)
    assert vcenter.puts == []


def test_a_file_that_was_replaced_is_not_pushed_again(source, vcenter, client):
    file = source(b"content")

    def on_put(put):
        os.unlink(file.path)
        source(b"CONTENT")

    vcenter.on_put = on_put
    push_fails(client, file, error=InvalidArgument)
    assert len(vcenter.puts) == 1


# The file's status


def info_of(status, **members):
    return {"name": "disk.vmdk", "source_type": "PUSH", "status": status, "bytes_transferred": 7, **members}


def test_ready_comes_late(source, vcenter, client):
    ready = info_of("READY", checksum_info={"checksum": sha1(b"content").value})
    vcenter.infos = [[info_of("TRANSFERRING")], [info_of("VALIDATING")], [info_of("VALIDATING")], [ready]]
    [pushed] = push(client, source())
    assert (pushed.verified, pushed.received) == (True, True)
    assert pushed.seconds > 0.1


def test_ready_comes_too_late(source, vcenter, client):
    vcenter.infos = [[info_of("VALIDATING")]]
    error = push_fails(client, source(), error=TimedOut, wait_timeout=0.3)
    assert "does not have it after" in str(error)


def test_a_success_that_is_none(source, vcenter, client):
    vcenter.infos = [[info_of("VALIDATING")], [info_of("ERROR", error_message=MESSAGE)]]
    error = push_fails(client, source())
    assert MESSAGE["default_message"] in str(error)
    assert "disk.vmdk" in str(error)
    assert len(vcenter.puts) == 1


def test_a_success_that_is_none_without_a_reason(source, vcenter, client):
    vcenter.infos = [[info_of("ERROR")]]
    assert "no reason given" in str(push_fails(client, source()))


def test_a_session_that_forgets_the_file(source, vcenter, client):
    vcenter.infos = [[info_of("READY", name="other.vmdk")]]
    assert "lost the file" in str(push_fails(client, source(), error=NotFound))


def test_a_server_that_never_tells(source, vcenter, client):
    vcenter.infos = [[info_of("WAITING_FOR_TRANSFER", bytes_transferred=None)]]
    [pushed] = push(client, source())
    assert (pushed.verified, pushed.received) == (False, False)
    assert len([line for line in vcenter.requests if line == f"GET {PATH}/file/disk.vmdk"]) == 1


@pytest.mark.parametrize("count", [1, 40])
def test_many_files_take_requests_linear_to_their_number(source, vcenter, client, count):
    names = [f"{number}.cfg" for number in range(count)]
    push(client, *(source(b"content", name) for name in names))
    asked = sorted(line for line in vcenter.requests if line.startswith(f"GET {PATH}/file"))
    assert asked == sorted(f"GET {PATH}/file/{name}" for name in names)


def test_a_server_that_tells_no_bytes(source, vcenter, client, monkeypatch):
    monkeypatch.setattr(_transfer, "REPORTED_WITHIN", 0.2)
    vcenter.infos = [[info_of("WAITING_FOR_TRANSFER", bytes_transferred=0)]]
    start = time.monotonic()
    [pushed] = push(client, source())
    assert not pushed.received
    assert time.monotonic() - start > 0.2


def test_a_server_that_is_late_to_tell(source, vcenter, client):
    waiting = info_of("WAITING_FOR_TRANSFER", bytes_transferred=0)
    vcenter.infos = [[waiting], [waiting], [info_of("READY")]]
    assert push(client, source())[0].received


# Verification


def test_a_server_that_tells_no_checksum(source, vcenter, client):
    vcenter.algorithm = None
    [pushed] = push(client, source())
    assert pushed.checksum == sha1(b"content")
    assert (pushed.verified, pushed.received) == (False, True)


def test_a_server_that_tells_another_algorithm(source, vcenter, client):
    sha512 = hashlib.sha512(b"content").hexdigest()
    vcenter.infos = [[info_of("READY", checksum_info={"algorithm": "SHA512", "checksum": sha512})]]
    assert push(client, source())[0].verified


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA512"])
def test_a_server_that_received_other_bytes(source, vcenter, client, algorithm):
    vcenter.infos = [[info_of("READY", checksum_info={"algorithm": algorithm, "checksum": "0a"})]]
    error = push_fails(client, source())
    assert f"{algorithm} 0a" in str(error)


def test_bytes_that_are_not_what_the_manifest_says(source, vcenter, client):
    vcenter.algorithm = None
    error = push_fails(client, source(checksum=Checksum("SHA256", "0a")), error=InvalidArgument)
    assert "SHA256 is" in str(error)
    assert "not 0a" in str(error)


def test_each_algorithm_of_the_manifest_counts_and_the_bytes_are_read_once(source, vcenter, client, monkeypatch):
    vcenter.algorithm = "SHA1"
    right = [Checksum(name, hashlib.new(name.lower(), b"content").hexdigest()) for name in ("SHA256", "SHA1", "SHA384")]
    readings = []
    preadv = os.preadv
    monkeypatch.setattr(os, "preadv", lambda fd, *where: readings.append(fd) or preadv(fd, *where))
    [pushed] = push(client, source(checksum=right[0], more_checksums=tuple(right[1:])))
    assert (pushed.checksum, pushed.verified) == (right[0], True)
    assert len(readings) == 2  # one to send, one to hash
    wrong = (right[1], Checksum("SHA384", "0a"))
    error = push_fails(client, source(checksum=right[0], more_checksums=wrong), error=InvalidArgument)
    assert "SHA384 is" in str(error)


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384"])
@pytest.mark.parametrize("number", [0, 2])
def test_chunks_that_are_not_what_the_manifest_says_of_the_whole(source, vcenter, client, algorithm, number):
    chunks = [source(b"123", "d.vmdk.000000000"), source(b"456", "d.vmdk.000000001"), source(b"7", "d.vmdk.000000002")]
    for content, fails in ((b"1234567", False), (b"1234568", True)):
        checksum = Checksum(algorithm, hashlib.new(algorithm.lower(), content).hexdigest())
        whole = Whole("d.vmdk", tuple(chunks), (checksum,))
        sent = [chunk._replace(whole=whole) for chunk in chunks[number:]]  # where the item has the others already
        if fails:
            error = push_fails(client, *sent, error=InvalidArgument)
            assert "'d.vmdk', which is there in 3 chunks, does not have" in str(error)
        else:
            assert len(push(client, *sent)) == 3 - number


def test_nothing_is_hashed_where_nobody_asks(source, vcenter, client, monkeypatch):
    monkeypatch.setattr(hashlib, "new", None)
    [pushed] = push(client, source(), algorithm=None)
    assert (pushed.checksum, pushed.verified, pushed.received) == (None, False, True)


# Keeping alive


def hold(seconds):
    """on_put that takes half of the bytes, waits, and takes the rest."""

    def on_put(put):
        put.read(int(put.headers["content-length"]) // 2)
        time.sleep(seconds)
        return take(put)

    return on_put


def test_a_push_keeps_its_session_alive_and_tells_the_progress(source, vcenter, client):
    vcenter.on_put = hold(1.0)
    start = time.monotonic()
    push(client, source(2 * LARGE), stale_after=0.6)
    assert 3 <= len(vcenter.keep_alives) <= (time.monotonic() - start) / 0.2
    progress = [value for _moment, value in vcenter.keep_alives]
    assert progress == sorted(progress)
    assert any(50 <= value < 100 for value in progress)


def test_a_session_with_little_time_left_is_kept_alive_more_often(source, vcenter, client):
    vcenter.lifetime = 0.9
    vcenter.on_put = hold(1.0)
    push(client, source(LARGE), stale_after=30)
    assert len(vcenter.keep_alives) >= 2


def test_a_short_push_needs_no_keep_alive(source, vcenter, client):
    push(client, source())
    assert vcenter.keep_alives == []


def test_the_progress_never_goes_down(source, vcenter, client):
    def on_put(put):
        put.read(int(put.headers["content-length"]) // 4)
        # The rest has to wait until the progress was told, however busy the machine is.
        wait_for(lambda: len(vcenter.keep_alives), lambda count: count >= 2, Deadline(10))
        return take(put)

    vcenter.client_progress = 70
    vcenter.on_put = on_put
    push(client, source(2 * LARGE), stale_after=0.6)
    progress = [value for _moment, value in vcenter.keep_alives]
    assert progress == sorted(progress)
    assert progress[0] == 70


def test_a_keep_alive_that_fails_is_no_reason_to_end(source, vcenter, client):
    vcenter.refusals["keep-alive"] = (500, {"error_type": "INTERNAL_SERVER_ERROR", "messages": []})
    vcenter.on_put = hold(0.7)
    assert push(client, source(LARGE), stale_after=0.6)[0].verified
    assert vcenter.requests.count(f"POST {PATH}?action=keep-alive") >= 2


@pytest.mark.parametrize("at", ["in the middle", "before the answer"])
@pytest.mark.parametrize(("error", "status"), [(NotFound, 404), (NotAllowedInCurrentState, 400)], ids=["gone", "ended"])
def test_a_session_that_is_lost_ends_the_push(source, stack, vcenter, client, error, status, at):
    over = threading.Event()
    stack.callback(over.set)

    def on_put(put):
        put.read(None if at == "before the answer" else 1 << 16)
        vcenter.refusals["keep-alive"] = (status, {"error_type": error.error_type, "messages": [MESSAGE]})
        over.wait()

    vcenter.on_put = on_put
    start = time.monotonic()
    raised = push_fails(client, source(LARGE), error=error, stale_after=0.6)
    assert raised.operation == "update_session.keep_alive"
    assert time.monotonic() - start < 3
    assert len(vcenter.adds) == 1


# One of several fails


@pytest.mark.parametrize("at", ["in the middle", "before the answer", "while it is validated"])
def test_one_that_fails_ends_the_others(source, stack, vcenter, client, at):
    over, first_is_on_its_way = threading.Event(), threading.Event()
    stack.callback(over.set)

    def on_put(put):
        if put.path.endswith("first.vmdk"):
            put.read(1 << 16 if at == "in the middle" else None)
            first_is_on_its_way.set()
            return None if at != "while it is validated" and over.wait() else 200
        first_is_on_its_way.wait()
        put.read()
        return 403

    vcenter.on_put = on_put
    if at == "while it is validated":
        vcenter.infos = [[info_of("VALIDATING", name="first.vmdk")]]
    start = time.monotonic()
    error = push_fails(client, source(LARGE, name="first.vmdk"), source(name="second.vmdk"))
    assert (error.http_status, "second.vmdk" in str(error)) == (403, True)
    assert time.monotonic() - start < 5


def test_those_that_have_not_begun_are_not_begun(source, vcenter, client):
    vcenter.on_put = refuse_at_half(403, times=99)
    push_fails(client, *[source(name=f"disk{number}.vmdk") for number in range(20)])
    assert len(vcenter.adds) < 20


def test_an_interrupt_ends_the_push(source, stack, vcenter, client, monkeypatch):
    over = threading.Event()
    stack.callback(over.set)

    def on_put(put):
        put.read(1 << 16)
        over.wait()

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    vcenter.on_put = on_put
    monkeypatch.setattr(_transfer, "as_completed", interrupt)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        push(client, source(LARGE))
    assert time.monotonic() - start < 3
