# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service reads in an OVF package: the descriptor's references, the manifest's digests, the certificate."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

MANIFEST_LINE = re.compile(r"^(SHA1|SHA256|SHA512|MD5)\s*\((.+)\)\s*=\s*([0-9a-fA-F]+)\s*$")
CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def references(descriptor: Path) -> list[str]:
    """The names of the files that a descriptor refers to; ValueError where it is no descriptor."""
    try:
        root = ElementTree.parse(descriptor).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from error
    if local_name(root.tag) != "Envelope":
        raise ValueError(f"the root element is {local_name(root.tag)}, not Envelope")
    files: list[str] = []
    for section in root:
        if local_name(section.tag) == "References":
            for entry in section:
                attributes = {local_name(name): value for name, value in entry.attrib.items()}
                if "href" in attributes:
                    # A reference is a URI, and the names of an item's files are flat. The size is no more than a hint:
                    # common tools write a wrong one, and vCenter takes it.
                    files.append(unquote(attributes["href"]).rpartition("/")[2])
    return files


def local_name(tag: str) -> str:
    return tag.rpartition("}")[2]


def digests(manifest: Path) -> dict[str, tuple[str, str]]:
    """File name -> (algorithm, digest) of a manifest."""
    lines = manifest.read_text(errors="replace").splitlines()
    found = [match for match in map(MANIFEST_LINE.match, lines) if match]
    return {match[2]: (match[1], match[3].lower()) for match in found}


def certificate_preview(certificate: Path) -> tuple[list[str], dict[str, Any]]:
    """The warnings that a package's certificate raises, and the parts of PreviewInfo that describe it."""
    try:
        chain = [x509.load_pem_x509_certificate(pem) for pem in CERTIFICATE.findall(certificate.read_bytes())]
    except ValueError:
        chain = []
    if not chain:
        return ["UNTRUSTED_CERTIFICATE"], {}
    signer = chain[0]
    now = datetime.now(timezone.utc)
    self_signed = signer.issuer == signer.subject
    warnings = ["SELF_SIGNED_CERTIFICATE" if self_signed else "UNTRUSTED_CERTIFICATE"]
    if signer.not_valid_after_utc < now:
        warnings.append("EXPIRED_CERTIFICATE")
    if signer.not_valid_before_utc > now:
        warnings.append("NOT_YET_VALID_CERTIFICATE")
    pems = [link.public_bytes(Encoding.PEM).decode() for link in chain]
    return warnings, {
        "certificate_info": {
            "issuer": signer.issuer.rfc4514_string(),
            "subject": signer.subject.rfc4514_string(),
            "self_signed": self_signed,
            "x509": pems[0],
        },
        "cert_chain": ["".join(pem.splitlines()[1:-1]) for pem in pems],
    }
