# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an OVF package, on disk or in an archive, and what is odd about them.

The names of an item's files are flat. A descriptor may refer to a sub folder (DSP0243); its files get their base names,
as in the vSphere Client (govc sends the path). A reference is a URI, my%20disk.vmdk; one left unencoded is found too.
Only what is referred to is sent, and only that is held to rules. Anything else may lie beside it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from ansible_collections.vsphere.content_library.plugins.module_utils._descriptor import (
    MAX_DESCRIPTOR,
    Reference,
    read_references,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._integrity import hold_to_manifest
from ansible_collections.vsphere.content_library.plugins.module_utils._manifest import read_manifest
from ansible_collections.vsphere.content_library.plugins.module_utils._places import (
    APPLE_DOUBLE,
    Archive,
    Folder,
    Place,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import (
    SourceFile,
    item_file_name,
    open_file,
    refuse_wrong_kind,
)

MAX_PATH = 4096
MAX_METADATA = 1 << 20  # a manifest or a certificate
COPY = "copy or download all files of the package again"
URI_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*):"


@dataclass
class Contents:
    """A package on its way to be complete."""

    place: Place
    descriptor: str
    files: dict[str, SourceFile] = field(default_factory=dict)  # by their paths
    chunks: dict[str, list[str]] = field(default_factory=dict)  # the paths of a file's chunks, by its own
    warnings: list[str] = field(default_factory=list)


def open_ovf(path: str, kind: str) -> tuple[list[SourceFile], list[str]]:
    """The files of an OVF package in upload order, and what to warn of."""
    if not path.lower().endswith(kind):
        raise InvalidArgument(f"src: {path!r}, where the link leads, has not the name of an {kind}: give it that")
    place: Place
    if kind == ".ova":
        place = archive = Archive(path)
        descriptor = archive.descriptor
    else:
        place, descriptor = Folder(os.path.dirname(path)), open_file(path)
    descriptor = descriptor._replace(role="descriptor")
    text = descriptor.read(MAX_DESCRIPTOR)
    refuse_wrong_kind(text[:512], path if kind == ".ovf" else descriptor.name, ".ovf")
    contents = Contents(place, descriptor.name, {descriptor.name: descriptor})
    for reference in read_references(text, descriptor.name):
        _add(contents, reference)
    _add_metadata(contents)
    files = contents.files.values()
    metadata = [file for file in files if not file.keep_in_storage]
    return metadata + [file for file in files if file.keep_in_storage], contents.warnings


def _add(contents: Contents, reference: Reference) -> None:
    """The file, or the chunks of it, that a File element stands for."""
    place, href = contents.place, reference.href
    if scheme := re.match(URI_SCHEME, href):
        raise InvalidArgument(
            f"src: the descriptor refers to a {scheme[1]}: URL; the file has to be beside it, with a reference by name"
        )
    for text in (unquote(href), href):
        path = _checked_path(text, href)
        file = place.find(path)
        numbers = [] if file and not reference.chunk_size else place.chunks(path)
        if numbers and (not file or numbers[0] == 0):
            _add_chunks(contents, path, numbers, reference)
            return
        if file:
            _add_file(contents, path, file)
            if reference.size and file.size < reference.size and not reference.compressed:
                contents.warnings.append(
                    f"src: {path!r} has {file.size} bytes, and its descriptor tells {reference.size}:"
                    " it may have been cut off"
                )
            return
    raise InvalidArgument(
        f"src: the descriptor {contents.descriptor!r} refers to {href[:200]!r}, which is missing beside it: {COPY}"
    )


def _checked_path(text: str, href: str) -> str:
    parts = text.split("/")
    if text.startswith("/") or ".." in parts or len(text) > MAX_PATH:
        raise InvalidArgument(f"src: the descriptor refers to {href[:200]!r}, which is not a path below its folder")
    return "/".join([item_file_name(part) for part in parts if part != "."])


def _add_file(contents: Contents, path: str, file: SourceFile) -> None:
    if path in contents.files:
        raise InvalidArgument(
            f"src: {contents.descriptor!r} refers to {path!r} more than once: it can be sent once only"
        )
    contents.files[path] = file


def _add_chunks(contents: Contents, path: str, numbers: list[int], reference: Reference) -> None:
    """All chunks, whose sizes have to show that none is missing or cut off: only the last may be smaller."""
    names = [f"{path}.{number:09}" for number in range(len(numbers) + 1)]
    missing = next((number for number, there in enumerate(numbers) if number != there), None)
    if missing is not None:
        raise InvalidArgument(
            f"src: {names[missing]!r} is missing, and {path}.{numbers[-1]:09}, which comes later, is there: {COPY}"
        )
    for name in names[:-1]:
        if not (chunk := contents.place.find(name)):
            raise InvalidArgument(f"src: {name!r} is missing: {COPY}")
        _add_file(contents, name, chunk)
    contents.chunks[path] = names[:-1]

    sizes = [contents.files[name].size for name in names[:-1]]
    wanted, chunk_size = reference.size, reference.chunk_size or sizes[0]
    for name, size in zip(names[:-1], sizes[:-1]):
        if size != chunk_size and (reference.chunk_size or sum(sizes) != wanted):
            raise InvalidArgument(
                f"src: {name!r} is damaged: it has {size} bytes, and each chunk but the last has {chunk_size}: {COPY}"
            )
    if not wanted or sum(sizes) == wanted:
        return
    told = f"{path!r} has {sum(sizes)} bytes in {len(sizes)} chunks, and its descriptor tells {wanted}"
    if sum(sizes) < wanted and sizes[-1] == chunk_size:
        raise InvalidArgument(f"src: {told}: {names[-1]!r} is missing: {COPY}")
    contents.warnings.append(f"src: {told}")


def _add_metadata(contents: Contents) -> None:
    """Manifest and certificate, which have the descriptor's name with another ending; there, the case may differ."""
    stem = os.path.splitext(contents.descriptor)[0]
    metadata = {}
    for role, ending in (("manifest", ".mf"), ("certificate", ".cert")):
        name = stem + ending
        file = contents.place.find(name)
        if not file:
            others = {other for other in contents.place.names() if other.lower() == name.lower()}
            file = contents.place.find(others.pop()) if len(others) == 1 else None
        if file:
            # Under the name that the server looks for.
            _add_file(contents, name, file._replace(role=role, name=name))
            metadata[role] = contents.files[name].read(MAX_METADATA)
    name = stem + ".mf"
    if "manifest" in metadata:
        manifest = read_manifest(metadata["manifest"], name)
        contents.warnings += hold_to_manifest(manifest, name, contents.files, contents.chunks, contents.place)
    else:
        _warn_of_unused_manifest(contents, name)


def _warn_of_unused_manifest(contents: Contents, name: str) -> None:
    """A manifest under another name is easily taken for this package's. One of another package is none."""
    stem, there = os.path.splitext(contents.descriptor)[0], set(contents.place.names())
    packages = {os.path.splitext(other)[0] for other in there if other.lower().endswith(".ovf")}
    unused = sorted(
        other
        for other in there
        if other.lower().endswith(".mf")
        and not other.startswith(APPLE_DOUBLE)
        and os.path.splitext(other)[0] not in packages - {stem}
    )
    if unused:
        more = f" and {len(unused) - 1} more" if len(unused) > 1 else ""
        contents.warnings.append(
            f"src: nothing checks the files of {contents.descriptor!r}: its manifest would be {name!r};"
            f" {unused[0]!r}{more} beside it has another name and is not used"
        )
