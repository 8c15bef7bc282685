# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to happen to each file of a library item, as data. Nothing here sends anything."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    Checksum,
    checksum_info,
    format_checksum,
    matches_checksum,
    parse_checksum,
    server_checksum,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._packages import Package
from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import SourceFile

File = Mapping[str, Any]  # a file of a library item
UNCHANGED, REMOVED, PULLED, UPLOADED, COPIED = "unchanged", "removed", "pulled", "uploaded", "copied"
OPERATIONS = {
    UNCHANGED: (),
    COPIED: (),  # all files of an item at once, with the item
    REMOVED: ("remove_file",),
    PULLED: ("add_file",),
    UPLOADED: ("add_file", "upload"),
}
PULL_SCHEMES = ("http", "https", "ds", "file")
SCHEMES_WITHOUT_HOST = ("ds", "file")
PACKAGES = (".ovf", ".ova")


class FileChange(NamedTuple):
    """What has to happen, or happened, to one file.

    source is the file to upload, spec that to pull (vSphere API: updatesession File.AddSpec). verified: the server
    reported this checksum.
    """

    name: str
    action: str
    size: int | None = None
    checksum: Checksum | None = None
    verified: bool = False
    seconds: float = 0.0
    source: SourceFile | None = None
    spec: dict[str, Any] | None = None

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations of the API that this takes."""
        return OPERATIONS[self.action]

    @property
    def row(self) -> dict[str, Any]:
        """The file in the result of a task."""
        return dict(
            name=self.name,
            size=self.size,
            checksum=format_checksum(self.checksum),
            checksum_verified=self.verified,
            action=self.action,
            seconds=round(self.seconds, 3),
        )


class ContentPlan(NamedTuple):
    """The files that an item has, by name, and what has to happen, in this order, to bring it into the wanted state."""

    before: Mapping[str, File]
    changes: tuple[FileChange, ...]

    @property
    def differs(self) -> bool:
        """Whether anything has to happen."""
        return any(change.action != UNCHANGED for change in self.changes)

    def having(self, action: str) -> list[FileChange]:
        """The changes with this action."""
        return [change for change in self.changes if change.action == action]

    def after(self) -> dict[str, File]:
        """The files that the item will have, by name, with as much of each as is known before."""
        files = dict(self.before)
        for change in self.changes:
            if change.action == REMOVED:
                del files[change.name]
            elif change.action == PULLED:
                files[change.name] = {}
            elif change.action == COPIED or (change.source and change.source.keep_in_storage):
                files[change.name] = dict(size=change.size, checksum_info=checksum_info(change.checksum))
        return files


NOTHING = ContentPlan({}, ())


def pull_spec(params: Mapping[str, Any], name: str | None = None) -> dict[str, Any]:
    """The spec of a file that the server shall pull (vSphere API: updatesession File.AddSpec).

    Without a name the file gets the last part of the path of the URL.
    """
    try:
        parts = urlsplit(params["url"])
    except ValueError:
        raise InvalidArgument("url is not a URL with http, https, ds or file") from None
    if parts.scheme not in PULL_SCHEMES or not (parts.netloc or parts.scheme in SCHEMES_WITHOUT_HOST):
        raise InvalidArgument("url is not a URL with http, https, ds or file")
    name = name or unquote(parts.path).rpartition("/")[2]
    if not name:
        raise InvalidArgument("url does not end in the name of a file")
    endpoint: dict[str, Any] = {"uri": params["url"]}
    if params["ssl_thumbprint"]:
        endpoint["ssl_certificate_thumbprint"] = params["ssl_thumbprint"]
    spec: dict[str, Any] = {"name": name, "source_type": "PULL", "source_endpoint": endpoint}
    if params["checksum"]:
        spec["checksum_info"] = checksum_info(parse_checksum(params["checksum"]))
    return spec


def compare(params: Mapping[str, Any], source: Package, files: Iterable[File]) -> ContentPlan:
    """Plan what of the source, or of url, has to be sent to an item that has these files."""
    before = {file["name"]: file for file in files}
    if params["url"]:
        return ContentPlan(before, _compare_pull(params, before))
    compared = [_compare_file(file, before.get(file.name), params) for file in source.files if file.keep_in_storage]
    differing = {change.name for change in compared if change.action == UPLOADED}
    # The server reads a package anew with its descriptor, and forgets manifest and certificate after each session.
    send = [file for file in source.files if differing and (file.role != "content" or file.name in differing)]
    sent, wanted = {file.name for file in send}, {file.name for file in source.files}
    remove = [name for name in before if params["purge"] and name not in wanted]
    return ContentPlan(
        before,
        (
            *(change for change in compared if change.name not in sent),
            *(_removed(before[name]) for name in remove),
            *(FileChange(file.name, UPLOADED, file.size, file.checksum, source=file) for file in send),
        ),
    )


def _compare_pull(params: Mapping[str, Any], before: dict[str, File]) -> tuple[FileChange, ...]:
    spec = pull_spec(params)
    name = spec["name"]
    if os.path.splitext(name)[1].lower() in PACKAGES:
        # The server decides which files the item gets of a package, so nothing tells whether it was this package.
        if params["force"] or not before:
            return (FileChange(name, PULLED, spec=spec),)
        return tuple(_unchanged(file) for file in before.values())
    others = [
        FileChange(other, REMOVED, before[other]["size"]) for other in before if params["purge"] and other != name
    ]
    has = before.get(name)
    if has is None or params["force"] or contradicts(server_checksum(has), server_checksum(spec)):
        return (*others, FileChange(name, PULLED, spec=spec))
    return (_unchanged(has), *others)


def _removed(file: File) -> FileChange:
    return FileChange(file["name"], REMOVED, file["size"])


def _unchanged(file: File) -> FileChange:
    return FileChange(file["name"], UNCHANGED, file["size"], server_checksum(file))


def _compare_file(file: SourceFile, has: File | None, params: Mapping[str, Any]) -> FileChange:
    """Whether the item has this file. The checksum that the server reports decides alone, else the size does."""
    start = time.monotonic()
    if has is None or params["force"]:
        return FileChange(file.name, UPLOADED)
    reported = server_checksum(has)
    is_same = matches_checksum(file, reported) if reported else has["size"] == file.size
    if not is_same:
        return FileChange(file.name, UPLOADED)
    if params["checksum"] and file.checksum and not matches_checksum(file, file.checksum, reported):
        text = f"checksum: {file.path!r} does not have this checksum, and is what the library item has"
        raise InvalidArgument(f"{text}. Correct checksum, or src")
    return FileChange(file.name, UNCHANGED, file.size, reported, bool(reported), time.monotonic() - start)


def contradicts(reported: Checksum | None, asked: Checksum | None) -> bool:
    """Whether two checksums are of the same algorithm, and differ."""
    return bool(reported and asked and reported.algorithm == asked.algorithm and reported != asked)
