# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file of a library item: a range of bytes in a file on disk, which is held to be what it was when inspected."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import Checksum
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument

NOT_IN_A_NAME = "[\x00-\x1f\x7f/\\\\\ud800-\udfff]"
# What a file is by its first bytes, and what to do about one that has the name of a package.
UNPACK = "unpack it, and give what was in it as src"
SIGNATURES = (
    (257, b"ustar", "a tar archive, as an OVA is", "name it .ova"),
    (0, b"\x1f\x8b", "compressed by gzip", "decompress it (gunzip), and give what comes out of it as src"),
    (0, b"BZh", "compressed by bzip2", "decompress it (bunzip2), and give what comes out of it as src"),
    (0, b"\xfd7zXZ\0", "compressed by xz", "decompress it (unxz), and give what comes out of it as src"),
    (0, b"\x28\xb5\x2f\xfd", "compressed by zstd", "decompress it (unzstd), and give what comes out of it as src"),
    (0, b"PK\x03\x04", "a zip archive", UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (0, b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (0, b"KDMV", "a VMDK disk", "give the descriptor (.ovf) that refers to it as src"),
    (0, b"version https://git-lfs.", "a pointer of Git LFS, not the file itself", "fetch the file (git lfs pull)"),
)
HTML = rb"(?i)(\xef\xbb\xbf)?\s*<(!doctype\s+html|html)"
DESCRIPTOR = rb"(\xef\xbb\xbf)?\s*<(\?xml|([\w.-]+:)?Envelope)"


class SourceFile(NamedTuple):
    """One file of a library item, and where its bytes are."""

    name: str
    path: str
    offset: int  # not 0 for a member of an OVA
    size: int
    identity: tuple[int, ...]  # of the file on disk when it was inspected
    checksum: Checksum | None = None  # from the manifest, or the user
    role: str = "content"  # or manifest, certificate, descriptor
    more_checksums: tuple[Checksum, ...] = ()  # from the manifest too, each in another algorithm
    whole: Whole | None = None  # which this is a chunk of

    @property
    def keep_in_storage(self) -> bool:
        """Whether the finished item shows the file (vSphere API: updatesession File.Info.keep_in_storage)."""
        return self.role in ("content", "descriptor")

    @property
    def checksums(self) -> tuple[Checksum, ...]:
        """All that it has to have."""
        return ((self.checksum,) if self.checksum else ()) + self.more_checksums

    @property
    def in_archive(self) -> str:
        """Behind the path in a message: which member it is, where it is one."""
        return "" if self.offset == 0 else f" (its member {self.name!r})"

    @contextmanager
    def opened(self) -> Iterator[int]:
        """A file descriptor to read from; fails if the file is not, or no longer, what was inspected."""
        with open_path(self.path) as fd:
            self._check(fd)
            yield fd
            self._check(fd)

    def read(self, limit: int) -> bytes:
        """All of it, of a file that has to be small."""
        if self.size > limit:
            raise InvalidArgument(
                f"src: {self.name!r} has {self.size} bytes, which is too much for a {self.role}: at most {limit}"
            )
        with self.opened() as fd:
            return pread(fd, self.size, self.offset, self.path)

    def _check(self, fd: int) -> None:
        if identity_of(fd) != self.identity:
            raise InvalidArgument(f"src: {self.path!r} changed while it was read: try again when nobody writes to it")


class Whole(NamedTuple):
    """A file that is there in chunks, and what the manifest tells of it as one."""

    name: str
    chunks: tuple[SourceFile, ...]
    checksums: tuple[Checksum, ...]


def open_file(path: str, checksum: Checksum | None = None) -> SourceFile:
    """A single file, whatever it is."""
    with open_path(path) as fd:
        name = item_file_name(os.path.basename(path))
        return SourceFile(name, path, 0, os.fstat(fd).st_size, identity_of(fd), checksum)


@contextmanager
def open_path(path: str) -> Iterator[int]:
    """A file descriptor of a plain file."""
    try:
        # Looked at first, since opening a device has effects; non-blocking, lest a named pipe took its place meanwhile.
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            kind = {"d": "directory", "s": "socket", "p": "named pipe"}.get(stat.filemode(mode)[0], "device")
            advice = ": list the files that are in it" if kind == "directory" else ""
            raise InvalidArgument(f"src: {path!r} is a {kind}, not a file{advice}")
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as exc:
        raise unreadable(path, exc) from exc
    try:
        yield fd
    finally:
        os.close(fd)


def pread(fd: int, size: int, offset: int, path: str) -> bytes:
    try:
        return os.pread(fd, size, offset)
    except OSError as exc:
        raise unreadable(path, exc) from exc


def unreadable(path: str, exc: Exception) -> InvalidArgument:
    reason = getattr(exc, "strerror", None) or exc
    return InvalidArgument(f"src: {path!r} can't be read: {reason} (on the host that runs the module)")


def identity_of(fd: int) -> tuple[int, ...]:
    status = os.fstat(fd)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def item_file_name(name: str) -> str:
    """A name that a file of a library item can have."""
    if name in ("", ".", "..") or re.search(NOT_IN_A_NAME, name):
        raise InvalidArgument(
            f"src: {name[:200]!r} can't be the name of a file in a library item: it is empty, or has a path, a control"
            " character or bytes that are not UTF-8 in it"
        )
    return name


def refuse_wrong_kind(start: bytes, path: str, wanted: str) -> None:
    """Say what a file is that has the name of a package (.ovf or .ova), by its first bytes, where that is known."""
    if not start:
        raise InvalidArgument(f"src: {path!r} is empty: it was not copied or downloaded to its end")
    for offset, magic, kind, advice in SIGNATURES:
        if start[offset : offset + len(magic)] == magic and not (wanted == ".ova" and magic == b"ustar"):
            raise InvalidArgument(f"src: {path!r} has the name of an {wanted}, but is {kind}: {advice}")
    if re.match(HTML, start):
        raise InvalidArgument(
            f"src: {path!r} is a web page (HTML): its download was answered with an error or a login; download it again"
        )
    if wanted == ".ova" and re.match(DESCRIPTOR, start):
        raise InvalidArgument(f"src: {path!r} is a descriptor (XML), not an archive: name it .ovf")
