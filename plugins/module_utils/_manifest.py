# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest says: digests of files, some of which may not be there (DSP0243).

Who writes one by hand takes openssl or sha256sum -b --tag, with their names of algorithms, and lists whatever is there.
"""

from __future__ import annotations

import codecs
import io
import re
from typing import NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import DIGEST_LENGTHS
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument

MAX_LINE = 8192
LINE = r"([A-Za-z][A-Za-z0-9/-]*)\s*\((.+)\)\s*=\s*([0-9A-Fa-f]+)"
# Beside those of the vSphere API. OpenSSL 3 writes SHA2-256 for SHA256.
LENGTHS = {**DIGEST_LENGTHS, "SHA224": 56, "SHA384": 96}
OTHER_NAMES = {"SHA2224": "SHA224", "SHA2256": "SHA256", "SHA2384": "SHA384", "SHA2512": "SHA512"}
EXAMPLE = "SHA256(disk.vmdk)= 2c26b46b..."


class Digest(NamedTuple):
    """One line. algorithm is one of LENGTHS, or what stands there where that is none of them."""

    path: str
    algorithm: str
    value: str  # hexadecimal, in lower case

    @property
    def is_known(self) -> bool:
        return self.algorithm in LENGTHS

    @property
    def is_complete(self) -> bool:
        return len(self.value) == LENGTHS[self.algorithm]


class Manifest(NamedTuple):
    """The digests, how many lines are none, and the first of those."""

    digests: tuple[Digest, ...]
    others: int
    other: str


def read_manifest(content: bytes, name: str) -> Manifest:
    """Raises InvalidArgument where nothing in it is a digest: the server would not take it for a manifest either."""
    line_of_digest = re.compile(LINE)
    digests, others, other = [], 0, ""
    for line in filter(None, map(str.strip, io.StringIO(_text(content, name), newline=None))):
        if len(line) <= MAX_LINE and (match := line_of_digest.fullmatch(line)):
            digests.append(Digest(match[2], _algorithm(match[1]), match[3].lower()))
        else:
            others, other = others + 1, other or line[:100]
    if others and not digests:
        raise InvalidArgument(
            f"src: {name!r} is not a manifest: it has {other!r} where a line like {EXAMPLE} belongs; correct it"
        )
    return Manifest(tuple(digests), others, other)


def _text(content: bytes, name: str) -> str:
    """A name that is not UTF-8 stays what it is: it may be that of a file which does not count."""
    if content[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return content.decode("utf-8-sig", "surrogateescape")
    try:
        return content.decode("utf-16")
    except UnicodeDecodeError as exc:
        raise InvalidArgument(f"src: {name!r} is not a manifest, or is damaged: {exc}") from exc


def _algorithm(spelled: str) -> str:
    algorithm = spelled.upper().replace("-", "").replace("/", "")
    algorithm = OTHER_NAMES.get(algorithm, algorithm)
    return algorithm if algorithm in LENGTHS else spelled[:50]
