# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is in a descriptor, a manifest or an archive: it is read, or refused with a reason.

Never another exception, never a file from outside the source's folder, never bytes from outside the archive, never more
memory than a bound.
"""

from __future__ import annotations

import io
import os
import tarfile
import tracemalloc

import pytest

pytest.importorskip("hypothesis", reason="hypothesis, of tests/unit/requirements.txt, is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.vsphere.content_library.plugins.module_utils import _descriptor, _ovf, _tar
from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import (
    parse_checksum,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._packages import (
    open_package,
)

# Always the same examples, so that a change that fails is to blame; CONTENT_LIBRARY_EXAMPLES asks for others, and more.
MORE = int(os.environ.get("CONTENT_LIBRARY_EXAMPLES", "0"))
fuzz = settings(max_examples=MORE or 300, derandomize=not MORE, deadline=None, database=None)

OVF = b'<Envelope xmlns:ovf="o"><References><ovf:File ovf:href="d.vmdk"/></References></Envelope>'
MANIFEST = b"SHA256(vm.ovf)= " + b"0" * 64 + b"\nSHA1(d.vmdk)= " + b"0" * 40 + b"\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A package among things that must not be reached from it."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret").write_bytes(b"")
    inside = outside / "package"
    (inside / "disks").mkdir(parents=True)
    for name in ("d.vmdk", "d.vmdk.000000000", "d.vmdk.000000002", "c.vmdk.000000000", "disks/d.vmdk", "ü (1).vmdk"):
        (inside / name).write_bytes(b"disk")
    (inside / "out").symlink_to("../secret")
    (inside / "up").symlink_to("..")
    (inside / "loop").symlink_to("loop")
    os.mkfifo(inside / "pipe")
    return inside


def outcome(call, *arguments):
    """What it returned, and what it said where it refused; any other exception fails the test."""
    try:
        return call(*arguments), ""
    except InvalidArgument as exc:
        return None, str(exc)


def opened(path, folder):
    """The package, or None where it was refused."""
    package, refusal = outcome(open_package, [str(path)])
    if package is None:
        assert refusal.startswith("src: ")
        assert len(refusal) < 2000
        return None
    for file in package.files:
        assert os.path.dirname(os.path.realpath(file.path)).startswith(str(folder))
        assert 0 <= file.offset <= file.offset + file.size <= os.path.getsize(file.path)
        assert file.name not in ("", ".", "..")
        assert not set("/\\\0\n") & set(file.name)
    return package


def mutations(original):
    """A few bytes of a good example replaced, taken out, put in, or the end cut off."""
    edit = st.tuples(st.integers(0, len(original)), st.integers(0, 16), st.binary(max_size=16))

    def apply(edits):
        data = original
        for position, length, replacement in edits:
            data = data[:position] + replacement + data[position + length :]
        return data

    return st.lists(edit, min_size=1, max_size=4).map(apply)


HOSTILE_PARTS = ["..", ".", "", "out", "up", "loop", "pipe", "a:", "http:", "%2e%2e", "%2F", "%00", "%ff", "\\", "%"]
PATH_PARTS = st.sampled_from(
    ["d.vmdk", "c.vmdk", "disks", "secret", "package", "ü (1).vmdk", "vm.ovf", "vm.mf", *HOSTILE_PARTS]
)
HREFS = st.lists(PATH_PARTS, max_size=5).map("/".join) | st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="<&'\ufffe\uffff"), max_size=40
)
ATTRIBUTES = st.fixed_dictionaries(
    {"href": HREFS},
    optional={"chunkSize": st.sampled_from(["4", "0", "x", ""]), "size": st.sampled_from(["4", "5", "-1", "9" * 999])},
)


@fuzz
@given(st.binary(max_size=200) | mutations(OVF))
def test_descriptors(folder, text):
    (folder / "vm.ovf").write_bytes(text)
    (folder / "vm.mf").unlink(missing_ok=True)
    opened(folder / "vm.ovf", folder)


@fuzz
@given(st.lists(ATTRIBUTES, min_size=1, max_size=3))
def test_references(folder, references):
    files = "".join("<File " + " ".join(f"{key}='{text}'" for key, text in each.items()) + "/>" for each in references)
    (folder / "vm.ovf").write_text(f"<Envelope><References>{files}</References></Envelope>", encoding="utf-8")
    (folder / "vm.mf").unlink(missing_ok=True)
    opened(folder / "vm.ovf", folder)


LINES = st.tuples(
    st.sampled_from(["SHA256", "SHA1", "sha2-512", "SHA384", "CRC32", "#"]),
    st.lists(PATH_PARTS, max_size=3).map("/".join),
    st.sampled_from(["0" * 40, "0" * 64, "a" * 128, "12", "x", ""]),
).map(lambda line: f"{line[0]}({line[1]})= {line[2]}")


@fuzz
@given(st.binary(max_size=200) | mutations(MANIFEST) | st.lists(LINES, max_size=5).map("\n".join).map(str.encode))
def test_manifests(folder, text):
    (folder / "vm.ovf").write_bytes(OVF)
    (folder / "vm.mf").write_bytes(text)
    opened(folder / "vm.ovf", folder)


def archive(tar_format):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as tar:
        for name, content in (("vm.ovf", OVF), ("d.vmdk", b"disk" * 200), ("ü" * 120, b"")):
            header = tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return buffer.getvalue()


NAMES = ["vm.ovf", "d.vmdk", "../x", "", "x" * 99, "vm.mf", "VM.MF", "b.mf", "._vm.ovf", "./", "p/vm.ovf", "p/d.vmdk"]
NAMES += ["q/d.vmdk", "/vm.ovf", "p//vm.mf", "d.vmdk.000000000", "d.vmdk.000000001"]


@st.composite
def tar_members(draw):
    """Blocks with a right checksum and fields that may be anything."""
    data = b""
    for _member in range(draw(st.integers(1, 4))):
        header = tarfile.TarInfo(draw(st.sampled_from(NAMES)))
        header.type = draw(
            st.sampled_from([b"0", b"\0", b"1", b"2", b"5", b"7", b"x", b"3", b"6", b"V", b"g", b"L", b"K", b"S", b"?"])
        )
        block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
        sizes = [
            b"%011o\0" % draw(st.integers(0, 1500)),
            b"\x80" + bytes(8) + b"\1\0\0",
            b"\xff" * 12,
            b"\x80" + b"\xff" * 11,
        ]
        block[124:136] = draw(st.sampled_from(sizes))
        block[482] = draw(st.integers(0, 1))  # whether the map of a sparse file goes on
        block[148:156] = b"%06o\0 " % (sum(block[:148]) + 8 * ord(" ") + sum(block[156:512]))
        contents = [
            OVF,
            MANIFEST,
            b"20 path=../../secret\n",
            b"15 size=999999\n",
            b"9" * 600,
            draw(st.binary(max_size=30)),
        ]
        data += bytes(block[:512]) + draw(st.sampled_from(contents)).ljust(512, b"\0")
    return data + bytes(draw(st.sampled_from([0, 100, 1024])))


@fuzz
@given(st.one_of(mutations(archive(tarfile.GNU_FORMAT)), mutations(archive(tarfile.PAX_FORMAT)), tar_members()))
def test_archives(folder, data):
    path = folder / "a.ova"
    path.write_bytes(data)
    package = opened(path, folder)
    assert package is None or {file.path for file in package.files} == {str(path)}


@fuzz
@given(st.text(max_size=80))
def test_paths(text):
    package, refusal = outcome(open_package, [text])
    assert package or refusal.startswith("src: ")


@fuzz
@given(st.text(max_size=80) | st.from_regex(r"(md5|sha1|sha256):[0-9a-f]{30,70}", fullmatch=True))
def test_checksums(text):
    checksum, refusal = outcome(parse_checksum, text)
    assert refusal.startswith("checksum: ") if checksum is None else set(checksum.value) <= set("0123456789abcdef")


def header(name, size=0, kind=tarfile.REGTYPE):
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def cut(text):
    """As much of it as a descriptor may have."""
    return text[: _descriptor.MAX_DESCRIPTOR]


# The most that a source can be made to take up; the name is that of the file.
ATTRIBUTES_OF_ONE = b" ".join(b'a%x=""' % number for number in range(95_000))
RECORDS = b"".join(b"11 a%05d=\n" % number for number in range(5900))
HUGE = {
    "attributes.ovf": cut(b"<Envelope><References>" + (b"<File " + ATTRIBUTES_OF_ONE + b"/>") * 8),
    "elements.ovf": b"<Envelope>" + b"<a/>" * (_descriptor.MAX_ELEMENTS - 10) + b"</Envelope>",
    "references.ovf": cut(
        b"<Envelope><References>" + (b'<File href="' + b"d" * 1500 + b'"/>') * _descriptor.MAX_REFERENCES
    ),
    "text.ovf": cut(b"<Envelope>" + (b"x" * 1_000_000 + b"<a/>") * 20),
    "one text.ovf": cut(b"<Envelope>" + b"x" * _descriptor.MAX_DESCRIPTOR),
    "one comment.ovf": cut(b"<Envelope><!--" + b"x" * _descriptor.MAX_DESCRIPTOR),
    "one value.ovf": cut(b'<Envelope a="' + b"x" * _descriptor.MAX_DESCRIPTOR),
    "quotes.ovf": cut(b"<Envelope a=" + b"\"'" * (_descriptor.MAX_DESCRIPTOR // 2)),
    "tags.ovf": cut(b"<Envelope>" + b"<" * _descriptor.MAX_DESCRIPTOR),
    "attributes of a tag.ovf": cut(b"<Envelope " + b" ".join(b'a%x=""' % number for number in range(2_000_000))),
    "names.ovf": cut(b"<Envelope>" + b"".join(b'<a a%x="" b%x=""/>' % (n, n) for n in range(700_000))),
    "tags and names.ovf": cut(b"<Envelope>" + b"".join(b"<a%x/>" % number for number in range(2_000_000))),
    "two bytes.ovf": cut(("<Envelope><!--" + "x" * _descriptor.MAX_DESCRIPTOR).encode("utf-16")),
    "digests.mf": cut(b"MD5(a)=0\n" * 1_000_000)[: _ovf.MAX_METADATA],
    "files.mf": b"".join(b"MD5(%x)=0\n" % number for number in range(1_000_000))[: _ovf.MAX_METADATA],
    "algorithms.mf": b"".join(b"X%x(vm.ovf)=0\n" % number for number in range(1_000_000))[: _ovf.MAX_METADATA],
    "lines.mf": b"\n" * _ovf.MAX_METADATA,
    "short lines.mf": b"a\n" * (_ovf.MAX_METADATA // 2),
    "one line.mf": (b"SHA1(" + b") = a" * _ovf.MAX_METADATA)[: _ovf.MAX_METADATA],
    "blanks.mf": (b"SHA1 " + b" " * _ovf.MAX_METADATA)[: _ovf.MAX_METADATA],
    "headers.ova": b"".join(header(f"{number:099}") for number in range(_tar.MAX_HEADERS // 4)),
    "names.ova": b"".join(
        header("x", 4000, tarfile.GNUTYPE_LONGNAME) + b"%04000d" % n + bytes(96) for n in range(9000)
    ),
    "extensions.ova": (header("x", len(RECORDS), tarfile.XHDTYPE) + RECORDS.ljust(65_024, b"\0")) * 3,
}


@pytest.mark.parametrize("name", HUGE)
def test_memory(folder, name):
    (folder / "vm.ovf").write_bytes(OVF)
    (folder / "vm.mf").unlink(missing_ok=True)
    path = folder / f"vm{os.path.splitext(name)[1]}"
    path.write_bytes(HUGE[name])
    tracemalloc.start()
    try:
        opened(path if path.suffix == ".ova" else folder / "vm.ovf", folder)
        _size, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        path.unlink()
    # The text, and a token that does not end: expat doubles its buffer, holding both for a moment.
    limit = (1 if name == "headers.ova" else 5) * _descriptor.MAX_DESCRIPTOR
    assert peak < limit, f"{peak >> 20} MiB"


def test_the_good_examples_are_good(folder):
    """Else the mutations above would only ever try the first check."""
    (folder / "vm.ovf").write_bytes(OVF)
    (folder / "vm.mf").unlink(missing_ok=True)
    assert opened(folder / "vm.ovf", folder)
    for tar_format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        (folder / "a.ova").write_bytes(archive(tar_format))
        assert opened(folder / "a.ova", folder)
