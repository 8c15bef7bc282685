# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are written on the host that runs the module: whole or not at all.

A file is written under a temporary name beside its place and renamed when it is complete and on the disk. The writer
holds a lock (flock) on the temporary file, so that a later run can tell what a killed run left behind.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    ResourceInaccessible,
    UnableToAllocateResource,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._file_attributes import Attributes, apply

PREFIX, SUFFIX = ".content-library-", ".part"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def local_error(error: OSError, path: str, what: str = "written") -> VapiError:
    """The error for something that this host refuses."""
    cls = UnableToAllocateResource if error.errno in _FULL else ResourceInaccessible
    return cls(f"dest: {path!r} can't be {what}: {error.strerror}")


def check_names(folder: str, names: Sequence[str]) -> None:
    """Raise for a name that would leave the folder, or that it can't hold, and for a folder that is none."""
    existing = _nearest(folder)
    if not os.path.isdir(existing):
        raise InvalidArgument(f"dest: {existing!r} is no directory")
    limit = os.pathconf(existing, "PC_NAME_MAX")
    seen: dict[str, str] = {}
    ignores_case = _ignores_case(existing)
    for name in names:
        if (
            name in ("", ".", "..")
            or "/" in name
            or "\0" in name
            or (name.startswith(PREFIX) and name.endswith(SUFFIX))
        ):
            raise InvalidArgument(f"file {name!r} of the library item has no name for a file in dest")
        try:
            length = len(os.fsencode(name))
        except UnicodeEncodeError:
            raise InvalidArgument(f"file {name!r} can't be named so in {folder!r}") from None
        if length > limit:
            raise InvalidArgument(f"file {name!r}: its name is longer than the {limit} bytes that {folder!r} can hold")
        twin = seen.setdefault(name.casefold() if ignores_case else name, name)
        if twin != name:
            raise InvalidArgument(f"files {twin!r} and {name!r} would be one file in {folder!r}, which ignores case")


def check_places(folder: str, names: Iterable[str]) -> None:
    """Raise InvalidArgument for something in the way of a file."""
    for name in names:
        path = os.path.join(folder, name)
        mode = mode_of(path)
        if mode is not None and not stat.S_ISREG(mode):
            kind = "a directory" if stat.S_ISDIR(mode) else "a link" if stat.S_ISLNK(mode) else "no plain file"
            raise InvalidArgument(f"dest: {path!r} is {kind}; remove it, or choose another dest")


def check_writable(folder: str) -> None:
    """Raise ResourceInaccessible where no file can be made in the folder."""
    existing = _nearest(folder)
    if not os.access(existing, os.W_OK | os.X_OK):
        read_only = os.statvfs(existing).f_flag & os.ST_RDONLY
        raise local_error(PermissionError(0, "read-only file system" if read_only else "permission denied"), existing)


def check_room(path: str, size: int) -> None:
    """Raise UnableToAllocateResource where the disk of a file has less free than its size."""
    disk = os.statvfs(os.path.dirname(path))
    free = disk.f_bavail * disk.f_frsize
    if size > free:
        raise UnableToAllocateResource(f"dest: {path!r} takes {size} bytes, and its disk has {free} bytes free")


def mode_of(path: str) -> int | None:
    """The kind and the permissions of what is there, not of what a link leads to. None where nothing is."""
    try:
        return os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise local_error(error, path, "read") from None


def _nearest(folder: str) -> str:
    """The folder, or what of its parents exists."""
    path = os.path.abspath(folder)
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path


def _ignores_case(folder: str) -> bool:
    """Whether a file system takes names that differ in case for one; told by what is there already."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.swapcase() != entry.name:
                return _is_same(entry.path, os.path.join(folder, entry.name.swapcase()))
    parent, name = os.path.split(os.path.abspath(folder))
    if name.swapcase() != name:
        return _is_same(folder, os.path.join(parent, name.swapcase()))
    return bool(name) and _ignores_case(parent)


def _is_same(path: str, other: str) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.lstat(path), os.lstat(other))
    return False


@contextmanager
def folder_for(folder: str) -> Iterator[None]:
    """Make the folder and its parents where they are missing.

    Folders that were made here, and are empty after a failure, are removed again.
    """
    made = []
    path = os.path.abspath(folder)
    while not os.path.lexists(path):
        made.append(path)
        path = os.path.dirname(path)
    try:
        for path in reversed(made):
            with suppress(FileExistsError):  # somebody else made it since
                os.mkdir(path)
    except OSError as error:
        _remove_folders(made)
        raise local_error(error, path, "created") from None
    try:
        yield
    except BaseException:
        _remove_folders(made)
        raise


def _remove_folders(paths: list[str]) -> None:
    for path in paths:
        with suppress(OSError):
            os.rmdir(path)


def remove_abandoned(folder: str) -> None:
    """Remove temporary files that no living run holds. What can't be removed stays."""
    names: list[str] = []
    with suppress(OSError):
        names = os.listdir(folder)
    for name in names:
        if not (name.startswith(PREFIX) and name.endswith(SUFFIX)):
            continue
        path = os.path.join(folder, name)
        with suppress(OSError):
            # For writing, because NFS takes a lock on no other file.
            fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)
            finally:
                os.close(fd)


class TemporaryFile:
    """A file on its way to its place: a context manager that leaves nothing unless it was kept.

    fd is open for writing and locked.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._kept = False
        try:
            while True:
                self.fd, self._temporary = tempfile.mkstemp(SUFFIX, PREFIX, os.path.dirname(path))
                with suppress(OSError):  # a file system without locks; nobody can take this one for abandoned there
                    fcntl.flock(self.fd, fcntl.LOCK_EX)
                # Another run may have found it before it was locked.
                if os.path.exists(self._temporary):
                    break
                os.close(self.fd)
        except OSError as error:
            raise local_error(error, path) from None

    def __enter__(self) -> TemporaryFile:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if not self._kept:
            with suppress(FileNotFoundError):
                os.unlink(self._temporary)
        os.close(self.fd)

    def write(self, data: Any, position: int) -> None:
        """Write all of the data there. Raises VapiError where the host can't."""
        view = memoryview(data)
        try:
            while view:
                count = os.pwrite(self.fd, view, position)
                view, position = view[count:], position + count
        except OSError as error:
            raise local_error(error, self.path) from None

    def truncate(self) -> None:
        """Begin again."""
        os.ftruncate(self.fd, 0)

    def keep(self, attributes: Attributes) -> None:
        """Put the file into its place, complete and on the disk. It gets owner and mode of the one that is there."""
        try:
            mode = 0o666 & ~attributes.umask
            with suppress(FileNotFoundError):
                old = os.lstat(self.path)
                mode = stat.S_IMODE(old.st_mode)
                with suppress(PermissionError):
                    os.chown(self.fd, old.st_uid, old.st_gid)
            apply(self.fd, attributes, mode)
            os.fsync(self.fd)
            os.rename(self._temporary, self.path)
            self._kept = True
            folder = os.open(os.path.dirname(self.path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise local_error(error, self.path) from None
