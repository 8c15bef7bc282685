# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that cases push, and the web servers that they are pulled from.

A case knows `files`, their folder; `http` and `https`, URLs where the same folder is served, and `thumbprint` of the
latter's certificate; `sha256`, by the names of the files; `demo` and `images`, the ids of the libraries of these
names; and `security_policy`, the id of one.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import http.server
import io
import socket
import ssl
import tarfile
import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

LARGE = 12 << 20  # more than the buffers of a connection hold, so that a rate holds for it
NAME = "größe (1) ü.iso"
DEMO, IMAGES = (str(uuid.uuid5(uuid.NAMESPACE_URL, f"library/{name}")) for name in ("demo", "images"))
SECURITY_POLICY = str(uuid.uuid5(uuid.NAMESPACE_URL, "security-policy/OVF default policy"))


def descriptor(*names: str, sizes: dict[str, int] | None = None) -> bytes:
    references = "".join(
        f'<File ovf:id="file{number}" ovf:href="{name}"' + (f' ovf:size="{sizes[name]}"' if sizes else "") + "/>"
        for number, name in enumerate(names)
    )
    namespace = "http://schemas.dmtf.org/ovf/envelope/1"
    return (
        f'<?xml version="1.0"?>\n<Envelope xmlns="{namespace}" xmlns:ovf="{namespace}">'
        f'<References>{references}</References><VirtualSystem ovf:id="vm"><Info>vm</Info></VirtualSystem></Envelope>'
    ).encode()


def self_signed() -> bytes:
    """The certificate of a package's author."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "The author")])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def manifest(files: dict[str, bytes], algorithm: str = "SHA256") -> bytes:
    digests = {name: hashlib.new(algorithm.lower(), content).hexdigest() for name, content in files.items()}
    return "".join(f"{algorithm}({name})= {digest}\n" for name, digest in digests.items()).encode()


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def packages_as_people_make_them() -> dict[str, bytes]:
    """Packages that other tools take, and some that are damaged."""
    disk, chunks = b"1234567", {f".vmdk.00000000{number}": part for number, part in enumerate((b"123", b"456", b"7"))}
    files: dict[str, bytes] = {}
    for name, whole in {"chunked": disk, "damaged": disk + b"8"}.items():
        files[f"{name}.ovf"] = descriptor(f"{name}.vmdk")
        files.update((name + ending, part) for ending, part in chunks.items())
        files[f"{name}.mf"] = manifest({f"{name}.vmdk": whole, "README": b""})
        files[f"{name}.mf"] += manifest({f"./{name}.vmdk": whole}, "SHA1")
    both = {"both.ovf": descriptor("both.vmdk"), "both.vmdk": disk}
    files |= {**both, "both.MF": manifest(both) + manifest({**both, "both.vmdk": b"other"}, "SHA1")}
    inside = {"pkg/vm.ovf": descriptor("vm.vmdk"), "pkg/vm.vmdk": disk}
    inside["pkg/vm.mf"] = manifest({name[4:]: content for name, content in inside.items()})
    files["of-a-folder.ova"] = archive({"pkg/._vm.ovf": b"\0\5\x16\7", **inside, "pkg/docs/../README": b"notes"})
    files["compressed.ova"] = gzip.compress(files["of-a-folder.ova"])
    return files


def write_sources(folder: Path) -> None:
    """All that the cases push."""
    disks = {f"disk{number}.vmdk": f"disk {number} ".encode() * 40_000 * number for number in (1, 2, 3)}
    content = {**disks, "appliance.nvram": b"\0nvram\0" * 100}
    sizes = {name: len(data) for name, data in content.items()}
    described = {"appliance.ovf": descriptor(*content, sizes=sizes), **content}
    signed = {"appliance.mf": manifest(described), "appliance.cert": self_signed()}
    ova = {"appliance.ovf": described["appliance.ovf"], "appliance.mf": signed["appliance.mf"], **content}
    wrong = {"wrong.ovf": descriptor("disk1.vmdk"), "disk1.vmdk": disks["disk1.vmdk"]}
    texts = {
        "tools.iso": b"tools 1\n",
        "win, server (2025).iso": b"with a comma\n",
        "more.iso": b"more\n",
        "empty.iso": b"",
        NAME: b"with a name of many kinds\n",
        **described,
        **signed,
        "appliance.ova": archive(ova),
        **packages_as_people_make_them(),
        "missing.ovf": descriptor("not-there.vmdk"),
        "escaping.ovf": descriptor("../tools.iso"),
        "wrong.ovf": wrong["wrong.ovf"],
        "wrong.mf": manifest({**wrong, "disk1.vmdk": b"other"}),
    }
    for name, data in texts.items():
        (folder / name).write_bytes(data)
    with (folder / "large.iso").open("wb") as stream:
        stream.truncate(LARGE)
    (folder / "folder.iso").mkdir()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(folder / "socket.iso"))


class FileHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path, certificate: trustme.LeafCert | None = None) -> Iterator[str]:
    """The URL of a web server with what is in a folder."""
    handler = functools.partial(FileHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextlib.contextmanager
def sources(folder: Path) -> Iterator[dict[str, Any]]:
    """The files and where they are, as variables of a case or a playbook."""
    write_sources(folder)
    certificate = trustme.CA().issue_cert("127.0.0.1")
    der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    paths = [path for path in folder.iterdir() if path.is_file()]
    with served(folder) as plain, served(folder, certificate) as secure:
        yield {
            "files": str(folder),
            "demo": DEMO,
            "images": IMAGES,
            "security_policy": SECURITY_POLICY,
            "http": plain,
            "https": secure,
            "thumbprint": hashlib.sha1(der, usedforsecurity=False).hexdigest(),
            "sha256": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths},
        }
