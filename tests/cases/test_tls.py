# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers a task trusts, and what it says where it does not: real TLS servers.

Each server has an address of this machine and a certificate of its own, and leads to the same simulator. It is what a
task logs in to, and what uploads go to while the task is logged in elsewhere.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import http.client
import http.server
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme

from tests import in_process
from tests.cases.checks import TaskResult
from tests.cases.language import OMIT, rendered
from tests.cases.runner import Runner
from tests.control import Control
from tests.simulator.process import SimulatorProcess

pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")

VCENTER = "127.0.0.1"
# Servers by what is wrong with them. Those with a right name have the one of the vCenter, too, as uploads are verified
# for that.
ADDRESSES = {
    kind: f"127.0.0.{number}"
    for number, kind in enumerate(
        ("vcenter", "trusted", "unknown", "misnamed", "own name", "expired", "not yet valid", "old", "plain"), start=1
    )
}
AT_ONCE = 20.0  # request_timeout is 60, and this machine may be busy
DAY = datetime.timedelta(days=1)
INFO = "update_session_info"
AUTHORITY = "unable to get local issuer certificate; ca_path has to name the certificate of the authority"
OLD = "no TLS 1.2 or later at this port"


# Servers


class Handler(http.server.BaseHTTPRequestHandler):
    """Hands each request on to the simulator."""

    protocol_version = "HTTP/1.1"
    simulator: SimulatorProcess

    def hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        context = ssl.create_default_context(cafile=self.simulator.ca_path)
        simulator = http.client.HTTPSConnection(self.simulator.host, self.simulator.port, context=context)
        with contextlib.closing(simulator):
            simulator.request(self.command, self.path, body, dict(self.headers))
            response = simulator.getresponse()
            content = response.read()
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = hand_on

    def log_message(self, *args: Any) -> None:
        pass


class TlsServer(http.server.ThreadingHTTPServer):
    """A web server that makes its handshakes in the threads of its connections, so that none holds up another."""

    daemon_threads = True
    context: ssl.SSLContext | None

    def finish_request(self, request: socket.socket, client_address: Any) -> None:
        with contextlib.suppress(OSError):  # who is not trusted is hung up on
            if self.context:
                request = self.context.wrap_socket(request, server_side=True)
            with request:
                self.RequestHandlerClass(request, client_address, self)


@contextlib.contextmanager
def served(
    simulator: SimulatorProcess, address: str, port: int, certificate: trustme.LeafCert | None, old: bool = False
) -> Iterator[int]:
    """A server; its port. Without a certificate it speaks plain HTTP, and if old no TLS that is not."""
    handler = type("Handler", (Handler,), {"simulator": simulator})
    with TlsServer((address, port), handler) as server:
        server.context = certificate and ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if certificate:
            certificate.configure_cert(server.context)
        if old:
            make_old(server.context)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def make_old(context: ssl.SSLContext) -> None:
    """TLS 1.0 and 1.1 alone."""
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")


def thumbprint(certificate: trustme.LeafCert) -> str:
    der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    return hashlib.sha256(der).hexdigest()


@dataclass
class Landscape:
    """All servers, which have one port at all addresses, and what the templates of a case may use."""

    runner: Runner
    port: int
    variables: dict[str, Any]

    def task(self, module: str, **options: Any) -> TaskResult:
        """Run a task, with the connection options of the vCenter where it has no others."""
        connection = {"hostname": VCENTER, "port": self.port, "ca_path": self.variables["paths"]["right.pem"]}
        return self.runner.task(module, **{**connection, **rendered(options, self.variables, keep_omitted=True)})


@pytest.fixture(autouse=True)
def nobodys_trust(monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landscape]:
    folder = tmp_path_factory.mktemp("tls")
    authority, other = trustme.CA(), trustme.CA()
    names, now = (
        {kind: (address, VCENTER) for kind, address in ADDRESSES.items()},
        datetime.datetime.now(datetime.timezone.utc),
    )
    certificates = {
        "vcenter": authority.issue_cert(VCENTER),
        "trusted": authority.issue_cert(*names["trusted"]),
        "unknown": other.issue_cert(*names["unknown"]),
        "misnamed": authority.issue_cert("vcenter.example.com"),
        "own name": authority.issue_cert(ADDRESSES["own name"]),
        "expired": authority.issue_cert(*names["expired"], not_before=now - 2 * DAY, not_after=now - DAY),
        "not yet valid": authority.issue_cert(*names["not yet valid"], not_before=now + DAY, not_after=now + 2 * DAY),
        "old": authority.issue_cert(*names["old"]),
        "plain": None,
    }
    paths = {name: folder / name for name in ("right.pem", "other.pem", "text", "hashed", "not hashed", "not there")}
    authority.cert_pem.write_to_path(str(paths["right.pem"]))
    other.cert_pem.write_to_path(str(paths["other.pem"]))
    paths["text"].write_text("no certificate")
    for name in ("hashed", "not hashed"):
        paths[name].mkdir()
        shutil.copy(paths["right.pem"], paths[name])
    if shutil.which("openssl"):
        subprocess.run(["openssl", "rehash", paths["hashed"]], check=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(in_process.nobodys_vcenter())
        simulator = stack.enter_context(SimulatorProcess())
        control = stack.enter_context(Control(vars(simulator)))
        port = 0
        for kind, certificate in certificates.items():
            server = served(simulator, ADDRESSES[kind], port, certificate, kind == "old")
            port = stack.enter_context(server)
        variables = {
            "thumbprints": {kind: thumbprint(certificate) for kind, certificate in certificates.items() if certificate},
            "paths": {name: str(path) for name, path in paths.items()},
            "source": __file__,
        }
        yield Landscape(Runner(simulator, control, {}, folder), port, variables)


# Tasks


@dataclass
class Case:
    """What a task is told beside the connection options of the vCenter, and where uploads go.

    error is the error_type, None for a success, and texts are parts of msg. kind is the server that has to get nothing
    if the task fails.
    """

    name: str
    error: str | None
    texts: tuple[str, ...] = ()
    kind: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    upload: dict[str, Any] | None = None

    def run(self, landscape: Landscape) -> TaskResult:
        if self.upload is None:
            landscape.runner.given({})
            return landscape.task(INFO, **self.options)
        landscape.runner.given({"config": rendered(self.upload, landscape.variables)})
        push = {"library_name": "demo", "name": "item", "src": [landscape.variables["source"]]}
        return landscape.task("library_item", **push, **self.options)


def login(kind: str, error: str | None, *texts: str, **options: Any) -> Case:
    how = "".join(f", {option} {value}" for option, value in options.items())
    return Case(f"login: {kind}{how}", error, texts, kind, {"hostname": ADDRESSES[kind], **options})


def push(kind: str, error: str | None, *texts: str, told: str | None = None, **options: Any) -> Case:
    how = "".join(
        f", {option} {value}" for option, value in {"thumbprint of": told, **options}.items() if value is not None
    )
    upload = {"upload_host": ADDRESSES[kind]}
    if told:
        upload["upload_thumbprint"] = f"{{{{ thumbprints['{told}'] }}}}"
    return Case(f"push: {kind}{how}", error, texts, kind, options, upload)


def ca_path(name: str, error: str | None, *texts: str) -> Case:
    return Case(f"ca_path: {name}", error, texts, "vcenter", {"ca_path": f"{{{{ paths['{name}'] }}}}"})


CASES = [
    login("vcenter", None),
    login("trusted", None),
    login("unknown", "UNVERIFIED_PEER", f"https://{ADDRESSES['unknown']}:", AUTHORITY),
    login("misnamed", "UNVERIFIED_PEER", "not valid for '127.0.0.", "either hostname is no name in that certificate"),
    login("own name", None),
    login("expired", "UNVERIFIED_PEER", "certificate has expired; renew it"),
    login("not yet valid", "UNVERIFIED_PEER", "certificate is not yet valid; renew it, or set the clock right"),
    login("old", "UNVERIFIED_PEER", OLD),
    login("plain", "UNVERIFIED_PEER", OLD),
    login("unknown", None, validate_certs=False),
    login("misnamed", None, validate_certs=False),
    login("expired", None, validate_certs=False),
    login("old", "UNVERIFIED_PEER", OLD, validate_certs=False),
    login("plain", "UNVERIFIED_PEER", OLD, validate_certs=False),
    ca_path("right.pem", None),
    ca_path("hashed", None),
    ca_path("other.pem", "UNVERIFIED_PEER", AUTHORITY),
    ca_path("not hashed", "INVALID_ARGUMENT", "ca_path /", "openssl rehash"),
    ca_path("not there", "INVALID_ARGUMENT", "ca_path /", "No such file or directory"),
    ca_path("text", "INVALID_ARGUMENT", "ca_path /", "no certificate in PEM format"),
    push("vcenter", None),
    push("trusted", None),
    Case("push: another name", None, kind="vcenter", upload={"upload_host": "localhost"}),
    push("unknown", "UNVERIFIED_PEER", "the upload endpoint is not trusted", AUTHORITY),
    push("misnamed", "UNVERIFIED_PEER", "not valid for '127.0.0.1'", "or another machine answered"),
    push("own name", "UNVERIFIED_PEER", "not valid for '127.0.0.1'", "or another machine answered"),
    push("expired", "UNVERIFIED_PEER", "certificate has expired; renew it"),
    push("old", "UNVERIFIED_PEER", OLD),
    push("plain", "UNVERIFIED_PEER", OLD),
    push("unknown", None, told="unknown"),
    push("own name", None, told="own name"),
    push("trusted", "UNVERIFIED_PEER", "does not have the thumbprint that vCenter reported", told="vcenter"),
    push("old", "UNVERIFIED_PEER", OLD, told="old"),
    push("vcenter", None, validate_certs=False),
    push("trusted", "UNVERIFIED_PEER", "is not the address of 127.0.0.1", validate_certs=False),
    push("trusted", "UNVERIFIED_PEER", "is not the address of 127.0.0.1", told="trusted", validate_certs=False),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_who_is_trusted(case, landscape):
    if case.name == "ca_path: hashed" and not shutil.which("openssl"):
        pytest.skip("no openssl that hashes a folder of certificates")
    task = case.run(landscape)
    asked = {request["headers"]["host"] for request in task.requests}
    address = f"{ADDRESSES[case.kind]}:{landscape.port}"
    if case.error is None:
        assert task.status == "ok", task.result
        assert address in asked
        assert task["warnings"] == [], "who turns verification off in a task knows it"
    else:
        assert (task.status, task.result.get("error_type")) == ("failed", case.error)
        assert not [text for text in case.texts if text not in task["msg"]], task["msg"]
        assert address not in asked
    assert task.state["tokens"] == []
    assert not [session for session in task.state["sessions"].values() if session["state"] == "ACTIVE"]
    assert task.seconds < AT_ONCE, "nothing is tried again that can't get better"


def test_old_tls_is_spoken_where_it_is_asked_for(landscape):
    """So that the refusals above are ours, and not those of a server that could not do it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    make_old(context)
    with (
        socket.create_connection((ADDRESSES["old"], landscape.port)) as sock,
        context.wrap_socket(sock) as connection,
    ):
        assert connection.version() == "TLSv1.1"


TRUSTED = None
ENVIRONMENTS = [
    ({"SSL_CERT_FILE": "other.pem"}, "UNVERIFIED_PEER"),
    ({"VMWARE_CA_PATH": "right.pem", "REQUESTS_CA_BUNDLE": "other.pem"}, TRUSTED),
    ({"REQUESTS_CA_BUNDLE": "right.pem", "CURL_CA_BUNDLE": "other.pem"}, TRUSTED),
    ({"CURL_CA_BUNDLE": "right.pem"}, TRUSTED),
    ({"CURL_CA_BUNDLE": "other.pem", "SSL_CERT_FILE": "right.pem"}, "UNVERIFIED_PEER"),
    ({"SSL_CERT_FILE": "right.pem"}, TRUSTED),
    ({"REQUESTS_CA_BUNDLE": "not there"}, "INVALID_ARGUMENT"),
    ({"VMWARE_VALIDATE_CERTS": "False"}, TRUSTED),
]


@pytest.mark.parametrize(("names", "error"), ENVIRONMENTS, ids=["-".join(names) for names, _error in ENVIRONMENTS])
def test_what_the_environment_says(landscape, monkeypatch, names, error):
    """It holds for a task that says nothing, and for no other."""
    paths = landscape.variables["paths"]
    for variable, name in names.items():
        monkeypatch.setenv(variable, paths.get(name, name))
    task, unverified = landscape.task(INFO, ca_path=OMIT), "VMWARE_VALIDATE_CERTS" in names
    assert task.result.get("error_type") == error
    if error == "INVALID_ARGUMENT":
        assert task["msg"].startswith(f"REQUESTS_CA_BUNDLE {paths['not there']} can't be loaded")
    warnings = ["Certificates are not verified because the environment variable VMWARE_VALIDATE_CERTS says so."]
    assert task["warnings"] == warnings * unverified
    assert landscape.task(INFO).status == "ok"
    task = landscape.task(INFO, validate_certs=False)
    assert (task.status, task["warnings"]) == ("ok", [])
