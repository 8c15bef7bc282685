# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the members of a tar archive are; of the archive, only the headers are read.

tarfile reads single headers here, but does not walk: it would follow chains of extension headers of any size into
memory, and take a damaged header in the middle for the end of the archive. What a member may be called, or be, is not
judged: an archive may have anything among what counts.
"""

from __future__ import annotations

import os
import re
import tarfile
from typing import NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import (
    identity_of,
    open_path,
    pread,
    refuse_wrong_kind,
)

# What an archive may make this process hold in memory, far above what real ones need.
MAX_HEADERS = 50_000
MAX_EXTENSION = 1 << 20
MAX_MEMBER_PATH = 4096

BLOCK = 512
PAX_RECORD = re.compile(rb"([0-9]{1,7}) ([^=]+)=")
EXTENSIONS = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
WITHOUT_DATA = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.DIRTYPE: "a directory",
    tarfile.FIFOTYPE: "a named pipe",
}
SPARSE = "a sparse file"
# In a header of the GNU format, and in the blocks that follow it: whether another one follows.
SPARSE_GOES_ON, MORE_SPARSE_GOES_ON = 482, 504


class Member(NamedTuple):
    """One member. kind is empty for a plain file, else says what it is."""

    path: str
    offset: int
    size: int
    kind: str


def read_members(path: str) -> tuple[tuple[int, ...], list[Member]]:
    """The identity of the archive, and its members in their order."""
    members: list[Member] = []
    extension: dict[str, bytes] = {}
    position = 0
    with open_path(path) as fd:
        identity, total = identity_of(fd), os.fstat(fd).st_size
        refuse_wrong_kind(pread(fd, BLOCK, 0, path), path, ".ova")
        for _header in range(MAX_HEADERS):
            block = pread(fd, BLOCK, position, path)
            if not block.strip(b"\0"):
                return identity, members
            header, size = _header_in(block, extension.get("size", b""), position, path)
            position += BLOCK
            if header.type == tarfile.GNUTYPE_SPARSE and block[SPARSE_GOES_ON]:
                position = _skip_sparse_map(fd, position, path)
            if header.type in WITHOUT_DATA:
                size = 0
            if not 0 <= size <= total - position:
                raise InvalidArgument(
                    f"src: {path!r} is cut off: {header.name[:200]!r} has {size} bytes, and {max(total - position, 0)}"
                    " are left; copy or download it again"
                )
            if header.type in EXTENSIONS:
                extension.update(_extension(fd, header, size, position, path))
            else:
                members += _member(header, size, position, extension)
                extension = {}
            position += -(-size // BLOCK) * BLOCK
    raise InvalidArgument(f"src: {path!r} has more than {MAX_HEADERS} headers, which is too much for an OVA")


def _header_in(block: bytes, pax_size: bytes, position: int, path: str) -> tuple[tarfile.TarInfo, int]:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        is_extension = header.type in EXTENSIONS
        return header, int((not is_extension and pax_size[:20]) or header.size)
    except (tarfile.TarError, ValueError) as exc:
        what = "is no tar archive, as an OVA is" if position == 0 else f"is damaged at byte {position}"
        raise InvalidArgument(f"src: {path!r} {what}: {exc}; copy or download it again") from exc


def _skip_sparse_map(fd: int, position: int, path: str) -> int:
    """Where the data of a sparse file begins, whose map goes on behind its header."""
    goes_on = True
    while goes_on:
        block = pread(fd, BLOCK, position, path)
        position += BLOCK
        goes_on = len(block) == BLOCK and bool(block[MORE_SPARSE_GOES_ON])
    return position


def _extension(fd: int, header: tarfile.TarInfo, size: int, position: int, path: str) -> dict[str, bytes]:
    """What an extension header says of the next member."""
    if size > MAX_EXTENSION:
        raise InvalidArgument(f"src: {path!r} has an extension header of {size} bytes, which is too much for an OVA")
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": pread(fd, size, position, path).partition(b"\0")[0]}
    if header.type == tarfile.XHDTYPE:
        return _pax_records(pread(fd, size, position, path), path)
    return {}


def _pax_records(data: bytes, path: str) -> dict[str, bytes]:
    """The records that count; macOS puts many others there."""
    records: dict[str, bytes] = {}
    position = 0
    while position < len(data):
        match = PAX_RECORD.match(data, position)
        end = position + int(match[1]) if match else 0
        if not match or not match.end() < end <= len(data):
            raise InvalidArgument(f"src: {path!r} has a damaged extension header; copy or download it again")
        if match[2] in (b"path", b"size"):
            records[match[2].decode()] = data[match.end() : end - 1]
        elif match[2].startswith(b"GNU.sparse."):
            records["sparse"] = b"1"
        position = end
    return records


def _member(header: tarfile.TarInfo, size: int, position: int, extension: dict[str, bytes]) -> list[Member]:
    """The member, or none where its path is longer than anything that refers to it may be."""
    path = extension.get("path", b"").decode("utf-8", "surrogateescape") or header.name
    if len(path) > MAX_MEMBER_PATH:
        return []
    is_sparse = header.type == tarfile.GNUTYPE_SPARSE or "sparse" in extension
    kind = WITHOUT_DATA.get(header.type) or ("" if header.type in PLAIN else "no plain file")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return [Member("/" * path.startswith("/") + "/".join(parts), position, size, SPARSE if is_sparse else kind)]
