# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a source is made of: single files, an OVF with the files it refers to, or the members of an OVA.

Nothing is unpacked or copied: each file of the library item is a range of bytes in a file on disk. A source is
inspected as a whole before anything is sent, and whatever is wrong with it is an InvalidArgument that names the option.

The names of an item's files are flat. A descriptor may refer to a sub folder (DSP0243); its files get their base names,
as in the vSphere Client (govc sends the path). A reference is a URI, my%20disk.vmdk; one left unencoded is found too.
What nothing refers to is not sent, even if it is in an OVA. A manifest may leave files out, but not name others.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import unquote

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import DIGEST_LENGTHS, Checksum
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument

# What a package may make this process hold in memory, far above what real ones need.
MAX_FILES = 10_000
MAX_PATH = 4096
MAX_DESCRIPTOR = 16 << 20
MAX_METADATA = 1 << 20  # a manifest or a certificate
MAX_TAGS, MAX_TAG_SIZE, MAX_DEPTH = 250_000, 1 << 20, 100  # of a descriptor
MAX_TAR_EXTENSION = 64 << 10

TAR_BLOCK = 512
# Not compiled here: most sources need none of them but the last.
MANIFEST_LINE = r"(?i)(MD5|SHA1|SHA256|SHA512)\s*\((.+)\)\s*=\s*([0-9a-f]+)"
PAX_RECORD = rb"([0-9]{1,6}) ([^=]+)="
URI_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*):"
NOT_IN_A_NAME = "[\x00-\x1f\x7f/\\\\\ud800-\udfff]"


class SourceFile(NamedTuple):
    """One file of a library item, and where its bytes are."""

    name: str
    path: str
    offset: int  # not 0 for a member of an OVA
    size: int
    identity: tuple[int, ...]  # of the file on disk when it was inspected
    checksum: Checksum | None = None  # from the manifest, or the user
    role: str = "content"  # or manifest, certificate, descriptor

    @property
    def keep_in_storage(self) -> bool:
        """Whether the finished item shows the file (vSphere API: updatesession File.Info.keep_in_storage)."""
        return self.role in ("content", "descriptor")

    @contextmanager
    def opened(self) -> Iterator[int]:
        """A file descriptor to read from; fails if the file is not, or no longer, what was inspected."""
        with _opened(self.path) as fd:
            self._check(fd)
            yield fd
            self._check(fd)

    def _check(self, fd: int) -> None:
        if _identity(fd) != self.identity:
            raise InvalidArgument(f"src: {self.path!r} changed while it was read")


class Package(NamedTuple):
    type: str | None  # of the library item: ovf, iso, or None where the files do not tell
    files: tuple[SourceFile, ...]  # in upload order: vCenter wants manifest and certificate before the descriptor


def open_file(path: str, checksum: Checksum | None = None) -> SourceFile:
    """A single file, whatever it is."""
    with _opened(path) as fd:
        return SourceFile(_name(os.path.basename(path)), path, 0, os.fstat(fd).st_size, _identity(fd), checksum)


def open_package(src: list[str], checksum: Checksum | None = None) -> Package:
    """Everything that the paths stand for; an .ovf brings the files it refers to, an .ova its members."""
    if not src:
        raise InvalidArgument("src: the list is empty")
    kinds = [os.path.splitext(path)[1].lower() for path in src]
    is_ovf = ".ovf" in kinds or ".ova" in kinds
    if kinds.count(".ovf") > 1 or (".ova" in kinds and len(src) > 1):
        raise InvalidArgument("src: a library item holds one OVF package, and an .ova is one of its own")
    if checksum and (is_ovf or len(src) > 1):
        raise InvalidArgument("checksum: it is for a single file, and src is several, or a package")

    sources = [open_file(path, checksum) for path in src]
    files: list[SourceFile] = []
    for path, kind in zip(src, kinds):
        if kind in (".ovf", ".ova"):
            # A link stands for what it leads to: the manifest and the references use the names there.
            files = _ovf(os.path.realpath(path)) if kind == ".ovf" else _ova(os.path.realpath(path))
    packaged = {file.path for file in files}  # which the list may name as well
    files += [file for file in sources if os.path.realpath(file.path) not in packaged]
    name, count = Counter(file.name for file in files).most_common(1)[0]
    if count > 1:
        raise InvalidArgument(f"src: {count} files would have the name {name!r} in the library item")
    return Package("ovf" if is_ovf else "iso" if set(kinds) == {".iso"} else None, tuple(files))


@contextmanager
def _opened(path: str) -> Iterator[int]:
    try:
        # Looked at first, since opening a device has effects; non-blocking, lest a named pipe took its place meanwhile.
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            kind = {"d": "directory", "s": "socket", "p": "named pipe"}.get(stat.filemode(mode)[0], "device")
            raise InvalidArgument(f"src: {path!r} is a {kind}, not a file")
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as exc:
        raise InvalidArgument(f"src: {path!r} can't be read: {getattr(exc, 'strerror', None) or exc}") from exc
    try:
        yield fd
    finally:
        os.close(fd)


def _identity(fd: int) -> tuple[int, ...]:
    status = os.fstat(fd)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _name(name: str) -> str:
    if name in ("", ".", "..") or re.search(NOT_IN_A_NAME, name):
        raise InvalidArgument(f"src: {name[:200]!r} can't be the name of a file in a library item")
    return name


def _read(file: SourceFile, limit: int) -> bytes:
    if file.size > limit:
        raise InvalidArgument(f"src: {file.name!r} has {file.size} bytes, which is too much for a {file.role}")
    with file.opened() as fd:
        return _pread(fd, file.size, file.offset, file.path)


def _pread(fd: int, size: int, offset: int, path: str) -> bytes:
    try:
        return os.pread(fd, size, offset)
    except OSError as exc:
        raise InvalidArgument(f"src: {path!r} can't be read: {exc.strerror}") from exc


# OVF packages, on disk or in an archive. `find` gives the file at a path relative to the descriptor, or None.


def _ovf(path: str) -> list[SourceFile]:
    if not path.lower().endswith(".ovf"):
        raise InvalidArgument(f"src: {path!r}, where the link leads, has no name of a descriptor (.ovf)")
    descriptor = open_file(path)
    folder = os.path.dirname(path)

    def find(relative: str) -> SourceFile | None:
        target = os.path.join(folder, relative)
        if not os.path.lexists(target):
            return None
        target = os.path.realpath(target)
        if os.path.commonpath((folder, target)) != folder:
            raise InvalidArgument(f"src: {relative!r} leads out of {folder!r}, the folder of its descriptor")
        return open_file(target)._replace(name=os.path.basename(relative))

    return _package(descriptor, find)


def _ova(path: str) -> list[SourceFile]:
    members = _members(path)
    descriptors = [file for file in members.values() if file.name.lower().endswith(".ovf")]
    if len(descriptors) != 1:
        raise InvalidArgument(f"src: {path!r} has {len(descriptors)} descriptors (.ovf); an OVA has one")
    return _package(descriptors[0], members.get)


def _package(descriptor: SourceFile, find: Callable[[str], SourceFile | None]) -> list[SourceFile]:
    descriptor = descriptor._replace(role="descriptor")
    text = _read(descriptor, MAX_DESCRIPTOR)
    files = {descriptor.name: descriptor}
    for reference in _references(text, descriptor.name):
        for path, file in _referenced(reference, find).items():
            if path in files:
                raise InvalidArgument(f"src: {descriptor.name!r} refers to {path!r} more than once")
            files[path] = file

    stem = os.path.splitext(descriptor.name)[0]
    metadata = []
    for role, extension in (("manifest", ".mf"), ("certificate", ".cert")):
        if file := find(stem + extension):
            metadata.append(file._replace(role=role))
            content = _read(metadata[-1], MAX_METADATA)
            if role == "manifest":
                _apply_manifest(content, file.name, files)

    checksum = files[descriptor.name].checksum
    if checksum and hashlib.new(checksum.algorithm.lower(), text, usedforsecurity=False).hexdigest() != checksum.value:
        raise InvalidArgument(f"src: {descriptor.name!r} differs from the {checksum.algorithm} digest in its manifest")
    return metadata + list(files.values())


def _references(text: bytes, name: str) -> list[dict[str, str]]:
    """What counts of each File element, whatever the version, and so the namespace, of the descriptor."""
    from xml.parsers import expat

    path: list[str] = []
    references: list[dict[str, str]] = []

    def refuse(*_reason: object) -> None:
        raise InvalidArgument(f"src: {name!r} is not an OVF descriptor, or has more in it than one may have")

    def start(tag: str, attributes: dict[str, str]) -> None:
        path.append(tag.rpartition(":")[2])
        if path[0] != "Envelope" or len(path) > MAX_DEPTH or len(references) > MAX_FILES:
            refuse()
        if path == ["Envelope", "References", "File"]:
            named = {key.rpartition(":")[2]: value for key, value in attributes.items()}
            references.append({key: named[key] for key in ("href", "size", "chunkSize") if key in named})

    if text.count(b"<") > MAX_TAGS or max(map(len, text.split(b"<"))) > MAX_TAG_SIZE:
        refuse()
    # No document type, hence no entities. No namespaces: expat would repeat a long one in each name that it reports.
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda tag: path.pop()
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, LookupError, ValueError) as exc:
        raise InvalidArgument(f"src: {name!r} is not an OVF descriptor: {exc}") from exc
    return references


def _referenced(reference: dict[str, str], find: Callable[[str], SourceFile | None]) -> dict[str, SourceFile]:
    """The file, or the chunks of it, that a File element stands for."""
    href = reference.get("href", "")
    if scheme := re.match(URI_SCHEME, href):
        raise InvalidArgument(f"src: the descriptor refers to a {scheme[1]}: URL; the file has to be beside it")
    for text in (unquote(href), href):
        parts = text.split("/")
        if text.startswith("/") or ".." in parts or len(text) > MAX_PATH:
            raise InvalidArgument(f"src: the descriptor refers to {href[:200]!r}, which is not a path below its folder")
        path = "/".join([_name(part) for part in parts if part != "."])
        if "chunkSize" in reference and find(f"{path}.{0:09}"):
            return _chunks(path, reference, find)
        if file := find(path):
            return {path: file}
    raise InvalidArgument(f"src: the descriptor refers to {href[:200]!r}, which is missing")


def _chunks(path: str, reference: dict[str, str], find: Callable[[str], SourceFile | None]) -> dict[str, SourceFile]:
    chunks: dict[str, SourceFile] = {}
    while (chunk := find(following := f"{path}.{len(chunks):09}")) and len(chunks) < MAX_FILES:
        chunks[following] = chunk
    size = reference.get("size", "")
    if re.fullmatch("[0-9]{1,18}", size) and sum(chunk.size for chunk in chunks.values()) < int(size):
        raise InvalidArgument(f"src: the descriptor refers to {size} bytes of {path!r}; {following!r} is missing")
    return chunks


def _apply_manifest(manifest: bytes, name: str, files: dict[str, SourceFile]) -> None:
    try:
        lines = manifest.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as exc:
        raise InvalidArgument(f"src: {name!r} is not a manifest: {exc}") from exc
    for line in filter(None, map(str.strip, lines)):
        match = re.fullmatch(MANIFEST_LINE, line)
        checksum = match and Checksum(match[1].upper(), match[3].lower())
        if not checksum or len(checksum.value) != DIGEST_LENGTHS[checksum.algorithm]:
            raise InvalidArgument(f"src: {name!r} has a line that is not a digest: {line[:200]!r}")
        path = match[2] if match[2] in files else unquote(match[2])
        if path not in files or files[path].checksum:
            raise InvalidArgument(f"src: {name!r} has a digest of {path[:200]!r}, which is not in the package, or two")
        files[path] = files[path]._replace(checksum=checksum)


# Archives. tarfile reads single headers here, but does not walk: it would follow chains of extension headers of any
# size into memory, and take a damaged header in the middle for the end of the archive.


def _members(path: str) -> dict[str, SourceFile]:
    """The files in an OVA; of the archive, only the headers are read."""
    import tarfile

    members: dict[str, SourceFile] = {}
    extension: dict[bytes, bytes] = {}
    position = 0
    with _opened(path) as fd:
        identity, total = _identity(fd), os.fstat(fd).st_size
        for _header in range(MAX_FILES):
            block = _pread(fd, TAR_BLOCK, position, path)
            if not block.strip(b"\0"):
                return members
            try:
                header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
                size = int(extension.get(b"size", b"")[:20] or header.size)
            except (tarfile.TarError, ValueError) as exc:
                raise InvalidArgument(f"src: {path!r} is no plain tar, or damaged at byte {position}: {exc}") from exc
            position += TAR_BLOCK
            if not 0 <= size <= total - position:
                raise InvalidArgument(f"src: {path!r} is cut off: {header.name[:200]!r} has {size} bytes")
            if header.type in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME):
                if size > MAX_TAR_EXTENSION:
                    raise InvalidArgument(f"src: {path!r} has an extension header of {size} bytes")
                data = _pread(fd, size, position, path)
                if header.type == tarfile.GNUTYPE_LONGNAME:
                    extension = {b"path": data.rstrip(b"\0")}
                elif header.type == tarfile.XHDTYPE:
                    extension = _pax_records(data, path)
            else:
                name = extension.get(b"path", b"").decode("utf-8", "surrogateescape") or header.name
                name = _name(name[2:] if name[:2] == "./" else name)
                sparse = any(key.startswith(b"GNU.sparse.") for key in extension)
                if sparse or header.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or name in members:
                    raise InvalidArgument(f"src: {name!r} in {path!r} is not a plain file, or there twice")
                members[name] = SourceFile(name, path, position, size, identity)
                extension = {}
            position += -(-size // TAR_BLOCK) * TAR_BLOCK
    raise InvalidArgument(f"src: {path!r} has more than {MAX_FILES} headers")


def _pax_records(data: bytes, path: str) -> dict[bytes, bytes]:
    records: dict[bytes, bytes] = {}
    record, position = re.compile(PAX_RECORD), 0
    while position < len(data):
        match = record.match(data, position)
        end = position + int(match[1]) if match else 0
        if not match or not match.end() < end <= len(data):
            raise InvalidArgument(f"src: {path!r} has a damaged extension header")
        records[match[2]] = data[match.end() : end - 1]
        position = end
    return records
