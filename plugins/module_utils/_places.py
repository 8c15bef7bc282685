# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of an OVF package are: in the folder of its descriptor, or in an archive.

Paths are relative to the descriptor, without parts that are empty, . or ..
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import (
    SourceFile,
    item_file_name,
    open_file,
)

if TYPE_CHECKING:
    from ansible_collections.vsphere.content_library.plugins.module_utils._tar import Member

CHUNK = r"(?s)(.+)\.([0-9]{9})"
METADATA = (".mf", ".cert", ".ovf")
APPLE_DOUBLE = "._"  # macOS keeps a file's attributes in one of that name beside it


class Place:
    """Where a package's files are. folder is the name of what the descriptor lies in, empty where that has none."""

    folder: str

    def __init__(self) -> None:
        self._chunks: dict[str, dict[str, list[int]]] = {}

    def find(self, path: str) -> SourceFile | None:
        """The file at a path. Raises InvalidArgument for what is there, but no file that can be sent."""
        raise NotImplementedError

    def names(self, folder: str = "") -> Iterable[str]:
        """The names of what lies in a folder and may be a chunk or metadata."""
        raise NotImplementedError

    def chunks(self, path: str) -> list[int]:
        """Which numbers the chunks of a file have that are there."""
        folder, _slash, name = path.rpartition("/")
        if folder not in self._chunks:
            index = self._chunks[folder] = defaultdict(list)
            for match in filter(None, (re.fullmatch(CHUNK, name) for name in self.names(folder))):
                index[match[1]].append(int(match[2]))
        return sorted(set(self._chunks[folder].get(name, ())))


class Folder(Place):
    """The folder of a descriptor on disk. Nothing outside of it is read, whatever a link or a reference says."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path, self.folder = path, os.path.basename(path)

    def find(self, path: str) -> SourceFile | None:
        target = os.path.join(self._path, path)
        if not os.path.lexists(target):
            return None
        target = os.path.realpath(target)
        if os.path.commonpath((self._path, target)) != self._path:
            raise InvalidArgument(
                f"src: {path!r} leads out of {self._path!r}, the folder of its descriptor: put the file itself there"
            )
        return open_file(target)._replace(name=item_file_name(os.path.basename(path)))

    def names(self, folder: str = "") -> Iterator[str]:
        with suppress(OSError), os.scandir(os.path.join(self._path, folder)) as entries:
            for entry in entries:
                if entry.name.lower().endswith(METADATA) or re.fullmatch(CHUNK, entry.name):
                    yield entry.name


class Archive(Place):
    """An OVA. What lies beside the descriptor comes first; elsewhere, a base name that is there once is found too."""

    def __init__(self, path: str) -> None:
        # Here, because most sources are no archives.
        from ansible_collections.vsphere.content_library.plugins.module_utils._tar import read_members

        super().__init__()
        self._path = path
        self._identity, members = read_members(path)
        self._at: dict[str, list[Member]] = defaultdict(list)
        self._named: dict[str, list[Member]] = defaultdict(list)
        for member in members:
            self._at[member.path].append(member)
            self._named[os.path.basename(member.path)].append(member)
        descriptor = self._find_descriptor(members)
        self._prefix = descriptor.path.rpartition("/")[0]
        self.folder = os.path.basename(self._prefix)
        self.descriptor = self._take(self._at[descriptor.path])

    def _find_descriptor(self, members: list[Member]) -> Member:
        paths = {
            member.path: member
            for member in members
            if member.path.lower().endswith(".ovf")
            and not member.kind
            and not os.path.basename(member.path).startswith(APPLE_DOUBLE)
        }
        least = min((path.count("/") for path in paths), default=0)
        top = [path for path in paths if path.count("/") == least]
        if len(top) == 1:
            return paths[top[0]]
        if not top:
            raise InvalidArgument(f"src: {self._path!r} has no descriptor (.ovf) in it, so it is no OVA")
        listed = ", ".join(repr(path[:200]) for path in top[:3])
        raise InvalidArgument(
            f"src: {self._path!r} has {len(top)} descriptors (.ovf), {listed}; an OVA has one: make an OVA of each"
        )

    def find(self, path: str) -> SourceFile | None:
        beside = self._at.get(f"{self._prefix}/{path}" if self._prefix else path)
        if beside:
            return self._take(beside)
        named = self._named.get(os.path.basename(path), [])
        named = [member for member in named if not member.kind] or named
        if len({member.path for member in named}) > 1:
            listed = ", ".join(repr(member.path[:200]) for member in named[:3])
            raise InvalidArgument(
                f"src: {self._path!r} has {path[:200]!r} several times, and not beside its descriptor: {listed}"
            )
        return self._take(named) if named else None

    def names(self, folder: str = "") -> Iterable[str]:
        return self._named

    def chunks(self, path: str) -> list[int]:
        return super().chunks(os.path.basename(path))  # wherever they are, as find does

    def _take(self, members: list[Member]) -> SourceFile:
        member = members[0]
        path = member.path[:200]
        if len(members) > 1:
            raise InvalidArgument(f"src: {path!r} is in {self._path!r} {len(members)} times: make the archive anew")
        if member.kind:
            raise InvalidArgument(f"src: {path!r} in {self._path!r} is {member.kind}, not a plain file")
        if path.startswith("/") or ".." in member.path.split("/"):
            raise InvalidArgument(f"src: {path!r} in {self._path!r} can't be the name of a file: it leads out of there")
        name = item_file_name(os.path.basename(member.path))
        return SourceFile(name, self._path, member.offset, member.size, self._identity)
