# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions and the owners of files, as ansible.builtin.copy has them."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
from typing import NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument


class Attributes(NamedTuple):
    """What a file shall have; None for what it keeps. mode is a number, octal digits, or symbolic such as u=rw,g=r.

    umask is that of the process. It is read once: nobody can read it without setting it, for all threads.
    """

    mode: int | str | None
    owner: str | None
    group: str | None
    umask: int


def wanted_attributes(mode: int | str | None, owner: str | None, group: str | None) -> Attributes:
    """The attributes that a task wants. Raises InvalidArgument for a mode, an owner or a group that is none."""
    umask = os.umask(0o077)
    os.umask(umask)
    attributes = Attributes(mode, owner, group, umask)
    _owner(owner)
    _group(group)
    if mode is not None:
        _mode(attributes, 0)
    return attributes


def differ(path: str, attributes: Attributes) -> bool:
    """Whether a file has other attributes than it shall have. Raises OSError."""
    has = os.lstat(path)
    uid, gid = _owner(attributes.owner), _group(attributes.group)
    mode = stat.S_IMODE(has.st_mode)
    return _mode(attributes, mode) != mode or uid not in (-1, has.st_uid) or gid not in (-1, has.st_gid)


def apply(file: int | str, attributes: Attributes, mode: int | None = None) -> None:
    """Give a file its attributes. mode is the one to begin with, where that is not the file's own. Raises OSError."""
    if mode is None:
        mode = stat.S_IMODE(os.stat(file).st_mode)
    # Another owner takes setuid away, so the mode comes last.
    if (attributes.owner, attributes.group) != (None, None):
        os.chown(file, _owner(attributes.owner), _group(attributes.group))
    os.chmod(file, _mode(attributes, mode))


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


_CLAUSE = re.compile("(a|[ugo]*)((?:[-+=][rwxXstugo]*)+)")
_SHIFT = {"u": 6, "g": 3, "o": 0}
_BITS = {"r": 4, "w": 2, "x": 1}
_SPECIAL = {"us": 0o4000, "gs": 0o2000, "ot": 0o1000}
_OF = {"u": 0o4700, "g": 0o2070, "o": 0o1007}


def _mode(attributes: Attributes, mode: int) -> int:
    """The mode that a file with this mode shall have. Raises InvalidArgument."""
    wanted = attributes.mode
    if wanted is None:
        return mode
    text = f"{wanted:o}" if isinstance(wanted, int) else wanted.strip()
    if re.fullmatch("0?o?[0-7]{1,4}", text):
        return int(text.replace("o", ""), 8)
    for clause in text.split(","):
        found = _CLAUSE.fullmatch(clause)
        if not found:
            raise InvalidArgument(f"mode {text!r} is neither octal, such as '0644', nor symbolic, such as 'u=rw,g=r'")
        # Where nobody is named, what the umask takes away is left alone.
        umask = 0 if found[1] else attributes.umask
        for action, letters in re.findall("([-+=])([rwxXstugo]*)", found[2]):
            for who in "ugo" if found[1] in ("", "a") else found[1]:
                mode = _changed(mode, who, action, letters, umask)
    return mode


def _changed(mode: int, who: str, action: str, letters: str, umask: int) -> int:
    bits = 0
    for letter in letters:
        if letter in _BITS:
            bits |= _BITS[letter] << _SHIFT[who] & ~umask
        elif letter == "X":
            bits |= bool(mode & 0o111) << _SHIFT[who]
        elif letter in _SHIFT:
            bits |= (mode >> _SHIFT[letter] & 7) << _SHIFT[who]
        else:
            bits |= _SPECIAL.get(who + letter, 0)
    if action == "=":
        return (mode & ~_OF[who]) | bits
    return mode | bits if action == "+" else mode & ~bits
