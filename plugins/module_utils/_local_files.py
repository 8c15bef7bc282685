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
import grp
import os
import pwd
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    ResourceInaccessible,
    UnableToAllocateResource,
    VapiError,
)

PREFIX, SUFFIX = ".content-library-", ".part"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Attributes(NamedTuple):
    """What a file shall have; None for what it keeps. mode is a number, octal digits, or symbolic such as u=rw,g=r."""

    mode: int | str | None
    owner: str | None
    group: str | None


def local_error(error: OSError, path: str, what: str = "written") -> VapiError:
    """The error for something that this host refuses."""
    cls = UnableToAllocateResource if error.errno in _FULL else ResourceInaccessible
    return cls(f"dest: {path!r} can't be {what}: {error.strerror}")


def check_names(folder: str, names: Sequence[str]) -> None:
    """Raise InvalidArgument for a name that would leave the folder, or that it can't hold. Nothing is written."""
    existing = _nearest(folder)
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


def check_places(folder: str, names: Iterable[str], needed: int) -> None:
    """Raise for what would keep the files from being written: something in the way, no permission, no space.

    needed is how many bytes at least.
    """
    existing = _nearest(folder)
    if not os.path.isdir(existing):
        raise InvalidArgument(f"dest: {existing!r} is no directory")
    for name in names:
        path = os.path.join(folder, name)
        with suppress(FileNotFoundError, NotADirectoryError):
            mode = os.lstat(path).st_mode
            if not stat.S_ISREG(mode):
                kind = "a directory" if stat.S_ISDIR(mode) else "a link" if stat.S_ISLNK(mode) else "no plain file"
                raise InvalidArgument(f"dest: {path!r} is {kind}; remove it, or choose another dest")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ResourceInaccessible(f"dest: {existing!r} can't be written: permission denied")
    room = os.statvfs(existing)
    if needed > room.f_bavail * room.f_frsize:
        free = room.f_bavail * room.f_frsize
        raise UnableToAllocateResource(f"dest: {existing!r} has {free} bytes free, and the files take {needed}")


def _nearest(folder: str) -> str:
    """The folder, or what of its parents exists."""
    path = os.path.abspath(folder)
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path


def _ignores_case(folder: str) -> bool:
    """Whether a file system takes names that differ in case for one; told by the folder itself."""
    parent, name = os.path.split(folder)
    other = os.path.join(parent, name.swapcase())
    with suppress(OSError):
        return other != folder and os.path.samefile(folder, other)
    return False


@contextmanager
def folder_for(folder: str) -> Iterator[None]:
    """Make the folder and its parents where they are missing, and remove what killed runs left in it.

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
    _remove_abandoned(folder)
    try:
        yield
    except BaseException:
        _remove_folders(made)
        raise


def _remove_folders(paths: list[str]) -> None:
    for path in paths:
        with suppress(OSError):
            os.rmdir(path)


def _remove_abandoned(folder: str) -> None:
    """Remove temporary files that no living run holds."""
    for name in os.listdir(folder):
        if not (name.startswith(PREFIX) and name.endswith(SUFFIX)):
            continue
        path = os.path.join(folder, name)
        with suppress(OSError):
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
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
        """Put the file into its place, complete and on the disk."""
        try:
            apply(self.fd, attributes, _default_mode(self.path))
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


def _default_mode(path: str) -> int:
    """The mode of the file that is replaced; for a new one what the umask leaves."""
    with suppress(FileNotFoundError):
        return stat.S_IMODE(os.lstat(path).st_mode)
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask


def check_attributes(attributes: Attributes) -> None:
    """Raise InvalidArgument for an owner or a group that does not exist, and for a mode that is none."""
    _owner(attributes.owner)
    _group(attributes.group)
    if attributes.mode is not None:
        _mode(attributes.mode, 0)


def differ(path: str, attributes: Attributes) -> bool:
    """Whether a file has other attributes than it shall have."""
    has = os.lstat(path)
    uid, gid = _owner(attributes.owner), _group(attributes.group)
    mode = stat.S_IMODE(has.st_mode)
    wanted = mode if attributes.mode is None else _mode(attributes.mode, mode)
    return mode != wanted or uid not in (-1, has.st_uid) or gid not in (-1, has.st_gid)


def apply(file: int | str, attributes: Attributes, mode: int | None = None) -> None:
    """Give a file its attributes. mode is the one to begin with, where that is not the file's own."""
    if mode is None:
        mode = stat.S_IMODE(os.stat(file).st_mode)
    # Another owner takes setuid away, so the mode comes last.
    if (attributes.owner, attributes.group) != (None, None):
        os.chown(file, _owner(attributes.owner), _group(attributes.group))
    os.chmod(file, mode if attributes.mode is None else _mode(attributes.mode, mode))


def _owner(name: str | None) -> int:
    if name is None or name.isdecimal():
        return -1 if name is None else int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise InvalidArgument(f"owner {name!r} is no user of this host") from None


def _group(name: str | None) -> int:
    if name is None or name.isdecimal():
        return -1 if name is None else int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise InvalidArgument(f"group {name!r} is no group of this host") from None


_CLAUSE = re.compile("([ugoa]*)([-+=][rwxXst]*)+")
_BITS = {"r": 0o444, "w": 0o222, "x": 0o111}
_WHO = {"u": 0o4700, "g": 0o2070, "o": 0o1007}


def _mode(wanted: int | str, mode: int) -> int:
    """The mode that chmod(1) would make of one. Raises InvalidArgument."""
    if isinstance(wanted, int):
        return wanted
    text = wanted.strip()
    if re.fullmatch("0?o?[0-7]{1,4}", text):
        return int(text.replace("o", ""), 8)
    for clause in text.split(","):
        if not _CLAUSE.fullmatch(clause):
            raise InvalidArgument(f"mode {text!r} is neither octal, such as '0644', nor symbolic, such as 'u=rw,g=r'")
        who = re.split("[-+=]", clause, maxsplit=1)[0]
        mask = sum(_WHO[letter] for letter in set(who.replace("a", "ugo") or "ugo"))
        for action, letters in re.findall("([-+=])([rwxXst]*)", clause):
            mode = _changed(mode, mask, action, letters)
    return mode


def _changed(mode: int, mask: int, action: str, letters: str) -> int:
    bits = 0
    for letter in letters:
        if letter == "X":
            bits |= _BITS["x"] if mode & 0o111 else 0
        elif letter == "s":
            bits |= 0o6000
        else:
            bits |= 0o1000 if letter == "t" else _BITS[letter]
    bits &= mask
    if action == "=":
        return (mode & ~mask) | bits
    return mode | bits if action == "+" else mode & ~bits
