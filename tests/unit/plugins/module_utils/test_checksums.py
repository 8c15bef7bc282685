# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import os

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    Checksum,
    digest,
    format_checksum,
    matches_checksum,
    parse_checksum,
    server_checksum,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import open_file

SHA256 = hashlib.sha256(b"").hexdigest()


def sha1(content):
    return Checksum("SHA1", hashlib.sha1(content, usedforsecurity=False).hexdigest())


@pytest.fixture
def source(tmp_path):
    """Makes a source with this content."""

    def make(content=b"content"):
        path = tmp_path / "disk.vmdk"
        path.write_bytes(content)
        return open_file(str(path))

    return make


# As users write them


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [
        (f"sha256:{SHA256}", "SHA256"),
        (f" SHA256:{SHA256.upper()}\n", "SHA256"),
        ("md5:" + "0" * 32, "MD5"),
        ("sha1:" + "0" * 40, "SHA1"),
        ("sha512:" + "0" * 128, "SHA512"),
    ],
)
def test_a_checksum_is_accepted(text, algorithm):
    checksum = parse_checksum(text)
    assert checksum.algorithm == algorithm
    assert checksum.value == text.strip().lower().split(":")[1]


@pytest.mark.parametrize(
    "text",
    ["", "sha256", "sha256:", SHA256, f"sha384:{SHA256}", f"sha1:{SHA256}", f"sha256:{SHA256}0", "md5:" + "g" * 32],
)
def test_a_checksum_is_refused(text):
    with pytest.raises(InvalidArgument, match=r"^checksum: "):
        parse_checksum(text)


def test_a_checksum_is_told_as_options_spell_it():
    assert format_checksum(Checksum("SHA256", "0a")) == "sha256:0a"
    assert format_checksum(None) is None


# As servers report them, and of the bytes


@pytest.mark.parametrize(
    ("info", "checksum"),
    [
        ({"algorithm": "SHA256", "checksum": "0A"}, Checksum("SHA256", "0a")),
        ({"algorithm": "sha512", "checksum": "0a"}, Checksum("SHA512", "0a")),
        ({"checksum": "0a"}, Checksum("SHA1", "0a")),
        ({"algorithm": None, "checksum": "0a"}, Checksum("SHA1", "0a")),
        ({"algorithm": "SHA1"}, None),
        ({"algorithm": "SHA3-256", "checksum": "0a"}, None),
        (None, None),
        ({}, None),
    ],
)
def test_the_checksum_that_a_server_tells(info, checksum):
    assert server_checksum({"checksum_info": info}) == checksum
    assert server_checksum({}) is None


def test_the_digest_of_a_part_of_a_file(source):
    member = source(b"a" * 512 + b"content" + b"b" * 505)._replace(offset=512, size=7)
    assert digest(member, "SHA1") == sha1(b"content")


@pytest.mark.parametrize("algorithm", ["MD5", "SHA1", "SHA256", "SHA512"])
def test_a_digest_is_in_the_algorithm_asked_for(source, algorithm):
    content = os.urandom((1 << 20) + 1)
    expected = hashlib.new(algorithm.lower(), content, usedforsecurity=False).hexdigest()
    assert digest(source(content), algorithm) == Checksum(algorithm, expected)


def test_a_known_checksum_saves_a_reading(source):
    file = source()
    os.unlink(file.path)
    assert matches_checksum(file, Checksum("SHA1", "0a"), Checksum("SHA1", "0a"))
    assert not matches_checksum(file, Checksum("SHA1", "0b"), Checksum("SHA1", "0a"))
    with pytest.raises(InvalidArgument, match="can't be read"):
        matches_checksum(file, Checksum("SHA256", "0a"), Checksum("SHA1", "0a"))


def test_a_known_checksum_in_another_algorithm_is_none(source):
    assert matches_checksum(source(), sha1(b"content"), Checksum("SHA256", "0a"))


def test_a_file_that_changed_has_no_digest(source):
    file = source()
    os.truncate(file.path, 3)
    with pytest.raises(InvalidArgument, match="changed"):
        digest(file, "SHA1")
