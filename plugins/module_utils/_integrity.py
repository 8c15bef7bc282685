# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the files of an OVF package to its manifest.

Each digest of what is sent counts, in whatever algorithm. That of the descriptor and the certificate is checked here;
the others go along with their files, and are checked while those are pushed. What else a manifest says is warned of.
"""

from __future__ import annotations

from collections import defaultdict
from urllib.parse import unquote

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    DIGEST_LENGTHS,
    Checksum,
    matches_checksum,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._manifest import LENGTHS, Digest, Manifest
from ansible_collections.vsphere.content_library.plugins.module_utils._places import Place
from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import SourceFile, Whole

SHOWN = 5

Values = dict[str, str]  # by algorithm


def hold_to_manifest(
    manifest: Manifest, name: str, files: dict[str, SourceFile], chunks: dict[str, list[str]], place: Place
) -> list[str]:
    """Give each file its checksums. Returns warnings; raises InvalidArgument for a digest that is wrong already."""
    known: dict[str, Values] = defaultdict(dict)
    ignored: dict[str, None] = {}
    unknown: dict[str, str] = {}
    targets = _Targets(files, chunks, place)
    for digest in manifest.digests:
        path = targets.find(digest.path)
        if path is None:
            ignored[digest.path] = None
        elif digest.algorithm not in LENGTHS:
            unknown.setdefault(digest.algorithm, path)
        else:
            _note(known[path], digest, path, name)
    _apply(known, files, chunks, name)
    warnings = [
        f"src: {name!r} has digests in {algorithm!r}, such as that of {path!r}, which is not known here and not checked"
        for algorithm, path in list(unknown.items())[:SHOWN]
    ]
    if ignored:
        listed = ", ".join(repr(path[:200]) for path in list(ignored)[:SHOWN])
        more = f" and {len(ignored) - SHOWN} more" if len(ignored) > SHOWN else ""
        warnings.append(f"src: {name!r} has digests of what is not sent, which were not checked: {listed}{more}")
    if manifest.others:
        warnings.append(f"src: lines in {name!r} that are no digests: {manifest.others}, such as {manifest.other!r}")
    return warnings


def _note(values: Values, digest: Digest, path: str, name: str) -> None:
    if len(digest.value) != LENGTHS[digest.algorithm]:
        raise InvalidArgument(
            f"src: {name!r} is damaged: its {digest.algorithm} digest of {path!r} has {len(digest.value)} digits,"
            f" not {LENGTHS[digest.algorithm]}"
        )
    if values.setdefault(digest.algorithm, digest.value) != digest.value:
        raise InvalidArgument(
            f"src: {name!r} has two {digest.algorithm} digests of {path!r}, so one is wrong: make the manifest anew"
        )


def _apply(known: dict[str, Values], files: dict[str, SourceFile], chunks: dict[str, list[str]], name: str) -> None:
    for path, parts in chunks.items():
        whole = known.pop(path, {})
        if whole and len(parts) == 1:
            for algorithm, value in whole.items():
                _note(known[parts[0]], Digest(path, algorithm, value), path, name)
        elif whole:
            checksums = tuple(Checksum(algorithm, value) for algorithm, value in whole.items())
            whole_file = Whole(path, tuple(files[part] for part in parts), checksums)
            files.update((part, files[part]._replace(whole=whole_file)) for part in parts)
    for path, values in known.items():
        checksums = tuple(Checksum(*pair) for pair in sorted(values.items(), key=lambda pair: -len(pair[1])))
        if files[path].role != "content":
            _check(files[path], checksums, name)
        # The strongest that the vSphere API knows goes to the server.
        first = next((checksum for checksum in checksums if checksum.algorithm in DIGEST_LENGTHS), None)
        more = tuple(checksum for checksum in checksums if checksum is not first)
        files[path] = files[path]._replace(checksum=first, more_checksums=more)


def _check(file: SourceFile, checksums: tuple[Checksum, ...], name: str) -> None:
    for checksum in checksums:
        if not matches_checksum(file, checksum):
            raise InvalidArgument(
                f"src: {file.name!r} differs from its {checksum.algorithm} digest in {name!r}: it was changed"
                " or damaged since the package was made"
            )


class _Targets:
    """What a path in a manifest may mean: a file that is sent, or one that is sent in chunks; not the manifest."""

    def __init__(self, files: dict[str, SourceFile], chunks: dict[str, list[str]], place: Place) -> None:
        paths = [path for path, file in files.items() if file.role != "manifest"]
        self._place = place
        self._found: dict[str, str | None] = {}
        self._paths = {*paths, *chunks}
        self._by_case = {path.lower(): path for path in self._paths}
        self._by_bytes = {(files[path].path, files[path].offset): path for path in paths}

    def find(self, written: str) -> str | None:
        if written not in self._found:
            self._found[written] = self._look_for(written)
        return self._found[written]

    def _look_for(self, written: str) -> str | None:
        prefix, candidates = self._place.folder + "/", []
        for text in dict.fromkeys((written, unquote(written))):
            path = "/".join(part for part in text.split("/") if part not in ("", "."))
            candidates += [path, path[len(prefix) :]] if path.startswith(prefix) else [path]
        exact = next((path for path in candidates if path in self._paths), None)
        if exact is not None:
            return exact
        for file in filter(None, map(self._file_at, candidates)):
            return self._by_bytes.get((file.path, file.offset))
        return next((self._by_case[path.lower()] for path in candidates if path.lower() in self._by_case), None)

    def _file_at(self, path: str) -> SourceFile | None:
        """What is there, which may be sent by another path, or not at all."""
        try:
            return None if ".." in path.split("/") else self._place.find(path)
        except (InvalidArgument, OSError, ValueError):
            return None
