# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into a library comes out as it was: by library_item in, by library_item_export out, and in again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.cases.runner import Runner
from tests.cases.sources import NAME, manifest

CHUNKS = {"größe.vmdk.000000000": b"0123456789", "größe.vmdk.000000001": b"abcdefghij", "größe.vmdk.000000002": b"!"}
NAMESPACE = "http://schemas.dmtf.org/ovf/envelope/1"
CHUNKED = (
    f'<?xml version="1.0"?>\n<Envelope xmlns="{NAMESPACE}" xmlns:ovf="{NAMESPACE}"><References>'
    '<File ovf:id="file1" ovf:href="größe.vmdk" ovf:size="21" ovf:chunkSize="10"/>'
    '<File ovf:id="file2" ovf:href="vm%20state.nvram" ovf:size="5"/>'
    '</References><VirtualSystem ovf:id="vm"><Info>vm</Info></VirtualSystem></Envelope>'
).encode()


def appliance(files: Path) -> list[Path]:
    return [files / name for name in ("appliance.ovf", "disk1.vmdk", "disk2.vmdk", "disk3.vmdk", "appliance.nvram")]


def chunked(folder: Path) -> list[Path]:
    """An OVF package with a disk in chunks, an nvram and a manifest."""
    files = {"vm größe.ovf": CHUNKED, **CHUNKS, "vm state.nvram": b"nvram"}
    for name, content in {**files, "vm größe.mf": manifest(files)}.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


# What is given to library_item, and the files that have to come out.
SOURCES = {
    "an OVF package": lambda files, folder: ("appliance.ovf", appliance(files)),
    "an OVA archive": lambda files, folder: ("appliance.ova", appliance(files)),
    "an ISO image": lambda files, folder: ("large.iso", [files / "large.iso"]),
    "no bytes": lambda files, folder: ("empty.iso", [files / "empty.iso"]),
    "a name of many kinds": lambda files, folder: (NAME, [files / NAME]),
    "chunks": lambda files, folder: (folder / "vm größe.ovf", chunked(folder)),
}


def digests(paths: list[Path]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.mark.parametrize("dialect", ["api", "rest"])
@pytest.mark.parametrize("what", SOURCES)
def test_round_trip(runner: Runner, tmp_path: Path, what: str, dialect: str) -> None:
    source, dest = tmp_path / "in", tmp_path / "ä b" / "out"
    source.mkdir()
    name, expected = SOURCES[what](Path(runner.files["files"]), source)
    runner.given({})
    item = {"library_name": "demo", "name": "größe (ü) & more", "api_endpoint": dialect}
    ignored = [{"type": "SELF_SIGNED_CERTIFICATE"}]  # that of the package's author
    src = [str(Path(runner.files["files"]) / name)]
    published = runner.task("library_item", src=src, warning_behavior=ignored, **item)
    assert published.status == "ok", published.result
    exported = runner.task("library_item_export", dest=str(dest), **item)
    assert exported.status == "ok", exported.result
    assert digests(list(dest.iterdir())) == digests(expected)
    assert all(file["checksum_verified"] for file in exported["files"])
    assert exported["bytes_transferred"] == sum(path.stat().st_size for path in expected)
    assert exported.state["download_sessions"] == {}
    [first] = [path for path in dest.iterdir() if path.suffix == ".ovf"] or dest.iterdir()
    again = runner.task("library_item", src=[str(first)], **item)
    assert again.status == "ok", again.result
    assert not again["changed"]
    assert not runner.task("library_item_export", dest=str(dest), **item)["changed"]
