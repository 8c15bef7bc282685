# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checksums: as a user writes them, as the vSphere API carries them, and those of the bytes of a file."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument

if TYPE_CHECKING:
    from ansible_collections.vsphere.content_library.plugins.module_utils._models import ChecksumInfo
    from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import SourceFile, Whole

BLOCK = 1 << 20
DIGEST_LENGTHS = {"MD5": 32, "SHA1": 40, "SHA256": 64, "SHA512": 128}  # vSphere API: File.ChecksumAlgorithm
# The algorithm of a checksum_info that names none (vSphere API: File.ChecksumInfo.algorithm).
DEFAULT_ALGORITHM = "SHA1"


class Checksum(NamedTuple):
    algorithm: str  # as the vSphere API spells it: MD5, SHA1, SHA256, SHA512
    value: str  # hexadecimal, in lower case


def parse_checksum(text: str) -> Checksum:
    """The checksum that a user wrote, such as sha256:2c26b46b..."""
    algorithm, _colon, value = text.strip().partition(":")
    checksum = Checksum(algorithm.upper(), value.lower())
    if DIGEST_LENGTHS.get(checksum.algorithm) != len(value) or not re.fullmatch("[0-9a-f]+", checksum.value):
        raise InvalidArgument(
            f"checksum: {text[:200]!r} is not md5, sha1, sha256 or sha512, a colon and a digest of its length"
        )
    return checksum


def format_checksum(checksum: Checksum | None) -> str | None:
    """The checksum as options and results spell it."""
    return f"{checksum.algorithm.lower()}:{checksum.value}" if checksum else None


def server_checksum(file: Mapping[str, Any]) -> Checksum | None:
    """The checksum that the server reports for a file; None where it reports none, or one that nobody can check."""
    info = file.get("checksum_info") or {}
    algorithm, value = str(info.get("algorithm") or DEFAULT_ALGORITHM).upper(), info.get("checksum")
    return Checksum(algorithm, str(value).lower()) if value and algorithm in DIGEST_LENGTHS else None


def checksum_info(checksum: Checksum | None) -> ChecksumInfo | None:
    """The checksum as the vSphere API carries it."""
    return {"algorithm": checksum.algorithm, "checksum": checksum.value} if checksum else None


def digest(source: SourceFile, algorithm: str, stop: threading.Event | None = None) -> Checksum:
    """Hash the bytes of a source. Raises InvalidArgument where the file has changed since it was inspected."""
    return digests([source], [algorithm], stop)[algorithm]


def digests(
    sources: Sequence[SourceFile], algorithms: Iterable[str], stop: threading.Event | None = None
) -> dict[str, Checksum]:
    """Hash the bytes of sources, one behind the other, in several algorithms at once."""
    found = {algorithm: hashlib.new(algorithm.lower(), usedforsecurity=False) for algorithm in algorithms}
    buffer = memoryview(bytearray(BLOCK))
    for source in sources if found else ():
        with source.opened() as fd:
            position, end = source.offset, source.offset + source.size
            while position < end and not (stop and stop.is_set()):
                count = read_block(source, fd, buffer[: end - position], position)
                if not count:
                    break
                for hashed in found.values():
                    hashed.update(buffer[:count])
                position += count
    return {algorithm: Checksum(algorithm, hashed.hexdigest()) for algorithm, hashed in found.items()}


def check_whole(whole: Whole, stop: threading.Event | None = None) -> None:
    """Hold a file that is there in chunks to what is told of it as one."""
    found = digests(whole.chunks, [checksum.algorithm for checksum in whole.checksums], stop)
    for checksum in whole.checksums:
        check(f"src: {whole.name!r}, which is there in {len(whole.chunks)} chunks,", checksum, found)


def check(what: str, wanted: Checksum, found: Mapping[str, Checksum]) -> None:
    """Raise InvalidArgument where the checksum found is not the one wanted."""
    value = found[wanted.algorithm].value
    if value != wanted.value:
        raise InvalidArgument(
            f"{what} does not have the checksum that its manifest or the task names: its {wanted.algorithm} is {value},"
            f" not {wanted.value}"
        )


def digest_of(file: int | str, algorithm: str) -> Checksum:
    """Hash a file of this host, from its beginning. Raises OSError."""
    found = hashlib.new(algorithm.lower(), usedforsecurity=False)
    buffer = memoryview(bytearray(BLOCK))
    with open(file, "rb", buffering=0, closefd=isinstance(file, str)) as content:
        content.seek(0)
        count = content.readinto(buffer)
        while count:
            found.update(buffer[:count])
            count = content.readinto(buffer)
    return Checksum(algorithm, found.hexdigest())


def read_block(source: SourceFile, fd: int, buffer: memoryview, position: int) -> int:
    """Read from an opened source into a buffer. Returns the number of bytes, 0 at the end."""
    try:
        return os.preadv(fd, [buffer], position)
    except OSError as error:
        raise InvalidArgument(f"src: {source.path!r} can't be read: {error.strerror}") from None


def matches_checksum(source: SourceFile, checksum: Checksum, known: Checksum | None = None) -> bool:
    """Whether a source has this checksum. known is its checksum in some algorithm; it saves a reading where it fits."""
    if known is None or known.algorithm != checksum.algorithm:
        known = digest(source, checksum.algorithm)
    return known == checksum
