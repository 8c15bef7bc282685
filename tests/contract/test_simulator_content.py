# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's content: pushed, pulled, validated and applied to the item."""

from __future__ import annotations

import hashlib
import socket
import ssl
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.simulator.process import SimulatorProcess
from tests.simulator.wire import Wire

pytest_plugins = ["tests.simulator.fixtures"]

NOT_ALLOWED = "NOT_ALLOWED_IN_CURRENT_STATE"
DESCRIPTOR = """<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
  <References>
    <File ovf:href="disk.vmdk" ovf:id="file1" ovf:size="4"/>
    <File ovf:href="vm.nvram" ovf:id="file2"/>
  </References>
</Envelope>
"""


def eventually(probe: Callable[[], object], seconds: float = 5.0) -> object:
    """The first true value of ``probe``."""
    end = time.monotonic() + seconds
    while not (value := probe()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return value


@pytest.fixture
def package(vcenter: SimulatorProcess) -> str:
    return vcenter.add_item("package", type="ovf")


def complete(wire: Wire, session: str) -> str:
    reply = wire.call("update_session.complete", update_session_id=session)
    assert reply.error_type is None, reply
    return wire.get(session)["state"]


def add(wire: Wire, session: str, name: str, **spec: object) -> dict:
    reply = wire.call("file.add", {"name": name, "source_type": "PUSH", **spec}, update_session_id=session)
    assert reply.error_type is None, reply
    return reply.value


def file(wire: Wire, session: str, name: str) -> dict:
    return wire.call("file.get", update_session_id=session, file_name=name).value


# Pushing


def test_life_of_a_file(wire: Wire, item: str) -> None:
    session = wire.create(item)
    info = add(wire, session, "b.iso", size=3)
    assert (info["status"], info["bytes_transferred"], "size" in info) == ("WAITING_FOR_TRANSFER", 0, False)
    assert wire.call("update_session.complete", update_session_id=session).error_type == NOT_ALLOWED
    assert wire.call("file.validate", update_session_id=session).error_type == NOT_ALLOWED
    assert wire.put(info["upload_endpoint"]["uri"], b"new").status == 200
    info = file(wire, session, "b.iso")
    assert (info["status"], info["bytes_transferred"], info["size"]) == ("READY", 3, 3)
    assert wire.call("item_file.get", library_item_id=item, name="b.iso").status == 404
    assert complete(wire, session) == "DONE"
    assert wire.call("item_file.get", library_item_id=item, name="b.iso").value["size"] == 3
    assert wire.process.item_file(item, "b.iso") == b"new"


@pytest.mark.parametrize("algorithm", ["SHA1", "MD5", "SHA256", "SHA512", None])
def test_checksums(wire: Wire, item: str, algorithm: str | None) -> None:
    """A checksum is verified in the client's algorithm, SHA1 by default, and told in that."""
    name = algorithm or "SHA1"
    right = hashlib.new(name, b"content").hexdigest()
    given = {"algorithm": algorithm} if algorithm else {}
    session = wire.create(item)
    info = wire.push(session, "right", b"content", checksum_info={**given, "checksum": right.upper()})
    assert (info["status"], info["checksum_info"]) == ("READY", {"algorithm": name, "checksum": right})
    info = wire.push(session, "wrong", b"Content", checksum_info={**given, "checksum": right})
    assert info["status"] == "ERROR"
    assert "checksum" in info["error_message"]["default_message"]
    invalid = wire.call("file.validate", update_session_id=session).value["invalid_files"]
    assert [entry["name"] for entry in invalid] == ["wrong"]
    reply = wire.call("update_session.complete", update_session_id=session)
    assert (reply.error_type, wire.get(session)["state"]) == (NOT_ALLOWED, "ACTIVE")
    wire.push(session, "wrong", b"content", checksum_info={**given, "checksum": right})
    assert complete(wire, session) == "DONE"


@pytest.mark.parametrize("size", [0, 6, 8])
def test_size_is_verified(wire: Wire, item: str, size: int) -> None:
    """The PUT is answered with 200 even so: the file's status has the truth."""
    info = wire.push(wire.create(item), "a.iso", b"content", size=size)
    assert info["status"] == "ERROR"
    assert "7 bytes" in info["error_message"]["default_message"]


@pytest.mark.parametrize("name", ["ä (1) %41+&?#.iso", "a;b=c.iso", "..."])
def test_names(wire: Wire, item: str, name: str) -> None:
    session = wire.create(item)
    assert wire.push(session, name, b"x")["name"] == name
    assert complete(wire, session) == "DONE"
    assert wire.call("item_file.get", library_item_id=item, name=name).value["size"] == 1
    assert wire.process.item_file(item, name) == b"x"


def test_empty_file(wire: Wire, item: str) -> None:
    session = wire.create(item)
    assert wire.push(session, "empty", b"", size=0)["status"] == "READY"
    assert complete(wire, session) == "DONE"
    assert wire.call("item_file.get", library_item_id=item, name="empty").value["size"] == 0


def test_large_file(wire: Wire, item: str) -> None:
    """Many blocks arrive whole and in order."""
    content = b"".join(number.to_bytes(8, "big") for number in range(1 << 19))
    session = wire.create(item)
    digest = hashlib.sha256(content).hexdigest()
    spec = {"size": len(content), "checksum_info": {"algorithm": "SHA256", "checksum": digest}}
    assert wire.push(session, "large", content, **spec)["status"] == "READY"
    assert wire.process.requests()[-2]["bytes"] == len(content)


def test_refused_uploads(wire: Wire, item: str) -> None:
    session = wire.create(item)
    uri = add(wire, session, "b")["upload_endpoint"]["uri"]
    path, token = urlsplit(uri).path, wire.token
    wire.token = None
    assert wire.put(uri, b"x").status == 401
    wire.token = token
    assert wire.put(f"{uri}x", b"x").status == 404
    assert wire.put("https://x/cls/data/none/b", b"x").status == 404
    assert wire.send("POST", path, b"x").status == 405
    assert wire.send("PUT", path, iter([b"x"])).status == 411
    assert file(wire, session, "b")["status"] == "WAITING_FOR_TRANSFER"
    assert wire.put(uri, b"x").status == 200
    assert wire.put(uri, b"x").status == 400
    add(wire, session, "b")
    assert wire.put(uri, b"x").status == 404
    wire.call("update_session.cancel", update_session_id=session)
    assert wire.put(uri, b"x").status == 404


def test_ready_late(wire: Wire, item: str) -> None:
    wire.process.config(ready_delay=0.4)
    session = wire.create(item)
    assert wire.push(session, "a.iso", b"x")["status"] == "VALIDATING"
    assert wire.call("update_session.complete", update_session_id=session).error_type == NOT_ALLOWED
    eventually(lambda: file(wire, session, "a.iso")["status"] == "READY")


def begin_upload(wire: Wire, session: str, length: int, sent: bytes) -> ssl.SSLSocket:
    """A PUT whose body is not finished."""
    path = urlsplit(add(wire, session, "b")["upload_endpoint"]["uri"]).path
    context = ssl.create_default_context(cafile=wire.process.ca_path)
    plain = socket.create_connection((wire.process.host, wire.process.port), timeout=5)
    connection = context.wrap_socket(plain, server_hostname=wire.process.host)
    head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nvmware-api-session-id: {wire.token}\r\nContent-Length: {length}\r\n\r\n"
    connection.sendall(head.encode() + sent)
    eventually(lambda: file(wire, session, "b")["bytes_transferred"] == len(sent))
    return connection


def test_progress_of_a_push(wire: Wire, item: str) -> None:
    """While bytes flow, the file says how many, and the session answers."""
    session = wire.create(item)
    with begin_upload(wire, session, 10, b"12345") as connection:
        assert file(wire, session, "b")["status"] == "TRANSFERRING"
        wire.call("update_session.keep_alive", update_session_id=session, client_progress=50)
        connection.sendall(b"67890")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert file(wire, session, "b")["status"] == "READY"


def test_broken_push(wire: Wire, item: str) -> None:
    session = wire.create(item)
    begin_upload(wire, session, 10, b"12345").close()
    info = eventually(lambda: (found := file(wire, session, "b"))["status"] == "ERROR" and found)
    assert "pipe closed" in info["error_message"]["default_message"]
    wire.push(session, "b", b"1234567890")
    assert complete(wire, session) == "DONE"


@pytest.mark.parametrize("end", ["cancel", "expire"])
def test_session_ends_in_mid_push(wire: Wire, item: str, end: str) -> None:
    """Bytes that flow don't keep a session alive; without it the push is refused."""
    session = wire.create(item)
    with begin_upload(wire, session, 10, b"12345") as connection:
        if end == "cancel":
            wire.call("update_session.cancel", update_session_id=session)
        else:
            wire.process.change_session(session, expires_in=-1)
        connection.sendall(b"67890")
        assert connection.recv(100).startswith(b"HTTP/1.1 404")


def test_upload_rate(wire: Wire, item: str) -> None:
    wire.process.config(upload_rate=20_000)
    started = time.monotonic()
    wire.push(wire.create(item), "a.iso", b"x" * 8000)
    assert time.monotonic() - started > 0.39


def test_upload_endpoint(wire: Wire, item: str) -> None:
    process = wire.process
    session = wire.create(item)
    assert set(add(wire, session, "b")["upload_endpoint"]) == {"uri"}
    process.config(upload_host="localhost", upload_thumbprint=True)
    endpoint = add(wire, session, "b")["upload_endpoint"]
    assert urlsplit(endpoint["uri"]).netloc == f"localhost:{process.port}"
    der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((process.host, process.port)))
    assert endpoint["ssl_certificate_thumbprint"].replace(":", "").lower() == hashlib.sha1(der).hexdigest()
    process.config(upload_host=None, upload_thumbprint="AB:CD")
    assert add(wire, session, "b")["upload_endpoint"]["ssl_certificate_thumbprint"] == "AB:CD"


# What becomes of the item


def test_replace_keep_and_remove(wire: Wire, vcenter: SimulatorProcess) -> None:
    item = vcenter.add_item("three", files={"a": "1", "b": "2", "c": "3", "f": "4"})
    session = wire.create(item)
    wire.push(session, "a", b"replaced")
    wire.push(session, "d", b"added")
    wire.push(session, "e", b"regretted")
    for name in ("b", "e"):
        wire.call("file.remove", update_session_id=session, file_name=name)
        assert wire.call("file.get", update_session_id=session, file_name=name).error_type == "INVALID_ARGUMENT"
    infos = wire.call("file.list", update_session_id=session).value
    assert {info["name"]: info["source_type"] for info in infos} == {"a": "PUSH", "c": "NONE", "d": "PUSH", "f": "NONE"}
    wire.call("file.remove", update_session_id=session, file_name="c")
    wire.push(session, "c", b"changed my mind")
    assert complete(wire, session) == "DONE"
    files = {info["name"]: info["version"] for info in wire.call("item_file.list", library_item_id=item).value}
    assert files == {"a": "2", "c": "2", "d": "1", "f": "1"}
    assert wire.call("item.get", library_item_id=item).value["content_version"] == "2"
    assert vcenter.item_file(item, "a") == b"replaced"
    session = wire.create(item)
    assert wire.get(session)["library_item_content_version"] == "2"


def test_canceled_session_changes_nothing(wire: Wire, item: str) -> None:
    session = wire.create(item)
    wire.push(session, "a.iso", b"replaced")
    wire.call("update_session.cancel", update_session_id=session)
    assert wire.process.item_file(item, "a.iso") == b"old"
    assert wire.call("item.get", library_item_id=item).value["content_version"] == "1"


@pytest.mark.parametrize("algorithm", ["SHA256", "MD5", None])
def test_item_checksums(wire: Wire, item: str, algorithm: str | None) -> None:
    wire.process.config(item_checksum_algorithm=algorithm)
    info = wire.call("item_file.get", library_item_id=item, name="a.iso").value
    expected = {"algorithm": algorithm, "checksum": hashlib.new(algorithm, b"old").hexdigest()} if algorithm else None
    assert info.get("checksum_info") == expected


def test_session_file_checksum(wire: Wire, item: str) -> None:
    session = wire.create(item)
    assert wire.push(session, "b", b"x")["checksum_info"]["algorithm"] == "SHA1"
    wire.process.config(session_file_checksum=False)
    assert "checksum_info" not in file(wire, session, "b")


def test_uncached_item(wire: Wire, item: str) -> None:
    wire.process.config(item_size_zero=True)
    info = wire.call("item_file.get", library_item_id=item, name="a.iso").value
    assert (info["size"], info["cached"]) == (0, False)
    assert wire.call("item.get", library_item_id=item).value["size"] == 0


# Packages


def test_package(wire: Wire, package: str) -> None:
    """Manifest and certificate are for the import only."""
    session = wire.create(package)
    wire.push(session, "vm.mf", b"")
    wire.push(session, "vm.ovf", DESCRIPTOR.encode())
    validation = wire.call("file.validate", update_session_id=session).value
    assert validation == {"has_errors": True, "missing_files": ["disk.vmdk", "vm.nvram"], "invalid_files": []}
    reply = wire.call("update_session.complete", update_session_id=session)
    assert (reply.error_type, wire.get(session)["state"]) == (NOT_ALLOWED, "ACTIVE")
    wire.push(session, "disk.vmdk", b"disk")
    wire.push(session, "vm.nvram", b"nvram")
    assert not wire.call("file.validate", update_session_id=session).value["has_errors"]
    infos = wire.call("file.list", update_session_id=session).value
    assert [info["name"] for info in infos if not info["keep_in_storage"]] == ["vm.mf"]
    assert complete(wire, session) == "DONE"
    names = {info["name"] for info in wire.call("item_file.list", library_item_id=package).value}
    assert names == {"vm.ovf", "disk.vmdk", "vm.nvram"}


@pytest.mark.parametrize("name", ["vm.mf", "vm.cert"])
def test_metadata_comes_first(wire: Wire, package: str, name: str) -> None:
    session = wire.create(package)
    add(wire, session, "vm.ovf")
    reply = wire.call("file.add", {"name": name, "source_type": "PUSH"}, update_session_id=session)
    assert (reply.status, reply.error_type) == (400, NOT_ALLOWED)


@pytest.mark.parametrize(
    ("files", "missing", "invalid"),
    [
        ({"vm.ovf": "<not xml", "disk.vmdk": "disk"}, [], ["vm.ovf"]),
        ({"vm.ovf": "<Other/>"}, [], ["vm.ovf"]),
        # Not of the size that the descriptor says, which is only a hint.
        ({"vm.ovf": DESCRIPTOR, "disk.vmdk": "disks", "vm.nvram": ""}, [], []),
        ({"vm.ovf": DESCRIPTOR, "disk.vmdk.000000000": "di", "vm.nvram": ""}, [], []),
        (
            {"vm.mf": f"SHA256(vm.nvram)= {'0' * 64}\n", "vm.ovf": DESCRIPTOR, "vm.nvram": ""},
            ["disk.vmdk"],
            ["vm.nvram"],
        ),
        ({"disk.vmdk": "disk"}, ["package.ovf"], []),
        ({"vm.ova": "tar"}, [], []),
    ],
)
def test_validate(wire: Wire, package: str, files: dict[str, str], missing: list[str], invalid: list[str]) -> None:
    session = wire.create(package)
    for name, content in files.items():
        wire.push(session, name, content.encode())
    result = wire.call("file.validate", update_session_id=session).value
    assert result["missing_files"] == missing
    assert [entry["name"] for entry in result["invalid_files"]] == invalid
    assert result["has_errors"] == bool(missing or invalid)


def certificate(days_from: int, days_to: int, issuer: str) -> bytes:
    """A certificate of the subject "signer" in PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("signer", issuer)]
    builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now + timedelta(days_from)).not_valid_after(now + timedelta(days_to))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (certificate(-1, 1, "signer"), ["SELF_SIGNED_CERTIFICATE"]),
        (certificate(-2, -1, "signer"), ["SELF_SIGNED_CERTIFICATE", "EXPIRED_CERTIFICATE"]),
        (certificate(1, 2, "other"), ["UNTRUSTED_CERTIFICATE", "NOT_YET_VALID_CERTIFICATE"]),
        (b"no certificate", ["UNTRUSTED_CERTIFICATE"]),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ["UNTRUSTED_CERTIFICATE"]),
    ],
    ids=["self-signed", "expired", "not yet valid", "no certificate", "broken"],
)
def test_package_certificate(wire: Wire, package: str, content: bytes, expected: list[str]) -> None:
    session = wire.create(package)
    assert wire.get(session)["preview_info"] == {"state": "UNAVAILABLE"}
    wire.push(session, "vm.cert", content)
    add(wire, session, "vm.ovf")
    assert wire.get(session)["preview_info"] == {"state": "PREPARING"}
    wire.push(session, "vm.ovf", b"<Envelope/>")
    preview = wire.get(session)["preview_info"]
    assert preview["state"] == "AVAILABLE"
    assert [warning["type"] for warning in preview["warnings"]] == expected
    if "certificate_info" in preview:
        assert preview["certificate_info"]["subject"] == "CN=signer"
        assert preview["certificate_info"]["self_signed"] == ("SELF_SIGNED_CERTIFICATE" in expected)
    assert complete(wire, session) == "ERROR"


# Pulling


def pull(wire: Wire, session: str, uri: str, **spec: object) -> None:
    endpoint = {"uri": uri, **spec.pop("endpoint", {})}
    spec = {"name": "p", "source_type": "PULL", "source_endpoint": endpoint, **spec}
    reply = wire.call("file.add", spec, update_session_id=session)
    assert reply.error_type is None, reply


@pytest.fixture
def source(vcenter: SimulatorProcess) -> str:
    """A URL that the server can pull from: one of its own."""
    item = vcenter.add_item("source", files={"p": "x" * 10_000})
    return f"{vcenter.url}/control/item/{item}/file/p"


def test_pull(wire: Wire, item: str, source: str) -> None:
    """complete returns before the bytes are there; the session is ACTIVE until they are."""
    wire.process.config(upload_rate=20_000)
    session = wire.create(item)
    digest = hashlib.sha256(b"x" * 10_000).hexdigest()
    pull(wire, session, source, size=10_000, checksum_info={"algorithm": "SHA256", "checksum": digest})
    assert not wire.call("file.validate", update_session_id=session).value["has_errors"]
    assert complete(wire, session) == "ACTIVE"
    eventually(lambda: file(wire, session, "p")["bytes_transferred"])
    assert wire.get(session)["state"] == "ACTIVE"
    eventually(lambda: wire.get(session)["state"] == "DONE")
    assert wire.call("item_file.get", library_item_id=item, name="p").value["size"] == 10_000


@pytest.mark.parametrize(
    ("path", "spec", "reason"),
    [
        ("/control/nothing", {}, "404"),
        ("", {"size": 5}, "10000 bytes"),
        ("", {"checksum_info": {"algorithm": "MD5", "checksum": "0" * 32}}, "checksum"),
        ("", {"endpoint": {"ssl_certificate_thumbprint": "AA" * 20}}, "thumbprint"),
    ],
)
def test_failed_pull(wire: Wire, item: str, source: str, path: str, spec: dict[str, object], reason: str) -> None:
    session = wire.create(item)
    pull(wire, session, f"{wire.process.url}{path}" if path else source, **spec)
    complete(wire, session)
    model = eventually(lambda: (found := wire.get(session))["state"] == "ERROR" and found)
    assert reason in model["error_message"]["default_message"]
    assert "p" not in wire.process.state()["items"][item]["files"]


def test_pull_by_thumbprint(wire: Wire, item: str, vcenter: SimulatorProcess) -> None:
    """A server that nobody vouches for is taken by its thumbprint alone, SHA-1 or SHA-256."""
    with SimulatorProcess("--password", "x") as other:
        stranger = other.add_item("source", files={"p": "abc"})
        uri = f"{other.url}/control/item/{stranger}/file/p"
        der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((other.host, other.port)))
        session = wire.create(item)
        for digest in (None, hashlib.sha1(der).hexdigest(), hashlib.sha256(der).hexdigest().upper()):
            pull(wire, session, uri, endpoint={"ssl_certificate_thumbprint": digest} if digest else {})
            expected = "READY" if digest else "ERROR"
            eventually(lambda wanted=expected: file(wire, session, "p")["status"] == wanted)


@pytest.mark.parametrize("uri", ["ds:///vmfs/volumes/1/a.iso", "file:///etc/passwd"])
def test_storage_sources_are_refused(wire: Wire, item: str, uri: str) -> None:
    spec = {"name": "p", "source_type": "PULL", "source_endpoint": {"uri": uri}}
    reply = wire.call("file.add", spec, update_session_id=wire.create(item))
    assert (reply.status, reply.error_type) == (403, "UNAUTHORIZED")


def test_canceled_pull(wire: Wire, item: str, source: str) -> None:
    wire.process.config(upload_rate=1000)
    session = wire.create(item)
    pull(wire, session, source)
    eventually(lambda: file(wire, session, "p")["bytes_transferred"])
    wire.call("update_session.cancel", update_session_id=session)
    eventually(lambda: file(wire, session, "p")["status"] == "ERROR")


def test_certificate_names() -> None:
    """A server certificate without the address, for what happens when an upload endpoint has another name."""
    with SimulatorProcess("--name", "localhost") as process:
        assert (process.host, process.environment["VMWARE_HOST"]) == ("localhost", "localhost")
        context = ssl.create_default_context(cafile=process.ca_path)
        for name, fine in (("localhost", True), ("127.0.0.1", False)):
            with socket.create_connection(("127.0.0.1", process.port)) as plain:
                if fine:
                    context.wrap_socket(plain, server_hostname=name).close()
                else:
                    with pytest.raises(ssl.SSLCertVerificationError):
                        context.wrap_socket(plain, server_hostname=name)
