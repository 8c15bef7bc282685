# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a source is made of: single files, an OVF with the files it refers to, or the members of an OVA.

Nothing is unpacked or copied: each file of the library item is a range of bytes in a file on disk. A source is
inspected as a whole before anything is sent, and whatever is wrong with it is an InvalidArgument that names the option.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import Checksum
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import SourceFile, open_file


class Package(NamedTuple):
    type: str | None  # of the library item: ovf, iso, or None where the files do not tell
    files: tuple[SourceFile, ...]  # in upload order: vCenter wants manifest and certificate before the descriptor
    warnings: tuple[str, ...] = ()


def source_paths(src: object) -> list[str]:
    """The paths that the option stands for, which is a list, or one string.

    ansible-core would part a string at its commas, before anybody can look whether it is the name of a file.
    """
    if isinstance(src, (int, float)) and not isinstance(src, bool):
        src = str(src)
    if isinstance(src, str) and ("," not in src or os.path.lexists(_expanded(src))):
        src = [src]
    elif isinstance(src, str):
        paths = [_expanded(path) for path in src.split(",")]
        missing = next((path for path in paths if not os.path.lexists(path)), None)
        if missing is not None:
            raise InvalidArgument(
                f"src: {src!r} is no file on the host that runs the module, and where its commas separate paths,"
                f" {missing!r} is none: write several paths as a list"
            )
        return paths
    if not isinstance(src, list) or not all(isinstance(path, (str, int, float)) for path in src):
        raise InvalidArgument(f"src: {str(src)[:200]!r} is neither a path nor a list of paths")
    return [_expanded(str(path)) for path in src]


def _expanded(path: str) -> str:
    return os.path.expanduser(os.path.expandvars(path))


def open_package(src: list[str], checksum: Checksum | None = None) -> Package:
    """Everything that the paths stand for; an .ovf brings the files it refers to, an .ova its members."""
    if not src:
        raise InvalidArgument(
            "src: the list is empty: give a path at least, or leave src out to leave the content alone"
        )
    kinds = [os.path.splitext(path)[1].lower() for path in src]
    is_ovf = ".ovf" in kinds or ".ova" in kinds
    if kinds.count(".ovf") > 1 or (".ova" in kinds and len(src) > 1):
        raise InvalidArgument(
            "src: a library item holds one OVF package (.ovf or .ova): give each one an item of its own"
        )
    if checksum and (is_ovf or len(src) > 1):
        raise InvalidArgument(
            "checksum: it is for a single file, and src is several files, or a package, which has a manifest"
        )

    sources = [open_file(path, checksum) for path in src]
    files: list[SourceFile] = []
    warnings: list[str] = []
    for path, kind in zip(src, kinds):
        if kind in (".ovf", ".ova"):
            # Here, because most sources are no packages.
            from ansible_collections.vsphere.content_library.plugins.module_utils._ovf import open_ovf

            # A link stands for what it leads to: the manifest and the references use the names there.
            files, warnings = open_ovf(os.path.realpath(path), kind)
    packaged = {file.path for file in files}  # which the list may name as well
    files += [file for file in sources if os.path.realpath(file.path) not in packaged]
    name, count = Counter(file.name for file in files).most_common(1)[0]
    if count > 1:
        raise InvalidArgument(f"src: {count} files would have the name {name!r} in the library item: rename one")
    return Package("ovf" if is_ovf else "iso" if set(kinds) == {".iso"} else None, tuple(files), tuple(warnings))
