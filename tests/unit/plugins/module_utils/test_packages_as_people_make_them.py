# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages that other tools take, whatever is odd about them; and what a warning, or a refusal, says of them."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import tarfile
import time
import tracemalloc
import zipfile

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils import _descriptor
from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import Checksum, check_whole
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._packages import open_package
from ansible_collections.vsphere.content_library.tests.unit.plugins.package_files import (
    content_of,
    envelope,
    href,
    manifest,
    names,
    ova,
    refused,
)

MIB = 1 << 20
ONE_DISK = envelope(href("d.vmdk"))
PACKAGE = {"vm.ovf": ONE_DISK, "d.vmdk": b"disk"}
SIGNED = {**PACKAGE, "vm.mf": manifest(PACKAGE), "vm.cert": b"certificate"}
SENT = ("vm.mf", "vm.cert", "vm.ovf", "d.vmdk")
A_PACKAGE = {"a.ovf": ONE_DISK, "d.vmdk": b"disk"}
LONG = "x" * (3 * MIB)
TEXTS = {
    "annotation": f"<Annotation>{LONG}</Annotation>",
    "comment": f"<!--{LONG}-->",
    "comment that looks like a tag": f"<!-- <a {LONG} -->",
    "CDATA": f"<License><![CDATA[{LONG}]]></License>",
    "processing instruction": f"<?note {LONG}?>",
    "attribute": f'<Property value="{LONG}"/>',
    "attribute with tags in it": f"<Property value='{'&lt;b a=&quot;1&quot;>' * 100_000}'/>",
    "character references": f"<Annotation>{'&#xA;' * 180_000}</Annotation>",
    "equals signs": f"<Annotation>{'=' * 80 * 20_000}{'a=' + chr(34)}{'b=' + chr(39)}</Annotation>",
    "escaped HTML": f"<License>{'&lt;font size=' + chr(34) + '2' + chr(34) + '&gt;'}</License>" * 20_000,
    "blanks": f"<Annotation>{' ' * 3 * MIB}</Annotation>",
    "many sections": '<Item a="1" b="2"><c>3</c></Item>' * 60_000,
}


def checksum(content, algorithm="SHA256"):
    return Checksum(algorithm, hashlib.new(algorithm.lower(), content).hexdigest())


def checksums(package):
    return {file.name: set(file.checksums) for file in package.files if file.checksums}


def quiet(path):
    """The package, which nothing is to be warned of."""
    package = open_package([path])
    assert package.warnings == ()
    return package


def warned(path, *texts):
    """The package, with one warning that has all of the texts."""
    package = open_package([path])
    assert len(package.warnings) == 1
    assert package.warnings[0].startswith("src: ")
    for text in texts:
        assert text in package.warnings[0]
    return package


class TestBigDescriptors:
    """Only the whole is bounded: a licence, a picture or a script in a descriptor may be long."""

    @pytest.mark.parametrize("kind", TEXTS)
    @pytest.mark.parametrize("where", ["before", "after"])
    def test_what_is_long(self, folder, kind, where):
        marker = "<References>" if where == "before" else "</References>"
        text = TEXTS[kind] + marker if where == "before" else marker + TEXTS[kind]
        descriptor = ONE_DISK.replace(marker.encode(), text.encode())
        assert names(quiet(folder({"vm.ovf": descriptor, "d.vmdk": b""}))) == ["vm.ovf", "d.vmdk"]

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "iso-8859-1"])
    def test_in_another_encoding(self, folder, encoding):
        text = ONE_DISK.decode().replace("UTF-8", encoding.rpartition("-")[0] if encoding.endswith("e") else encoding)
        text = text.replace("<References>", TEXTS["annotation"] + "<References>")
        assert "d.vmdk" in names(quiet(folder({"vm.ovf": text.encode(encoding), "d.vmdk": b""})))

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_a_tag_of_attributes_alone(self, folder, encoding):
        text = "<Envelope " + " ".join(f"㸀{number:x}='>'" for number in range(300_000)) + "/>"
        refused("more than 10000 attributes in one element", folder({"vm.ovf": text.encode(encoding)}))

    @pytest.mark.parametrize("kind", TEXTS)
    def test_4_mib_within_64_mib_and_half_a_second(self, folder, kind):
        padding = TEXTS[kind] + f"<Annotation>{'y' * 4 * MIB}</Annotation>"
        text = ONE_DISK.replace(b"</References>", b"</References>" + padding.encode())[: 4 * MIB]
        text = text[: text.rindex(b"y")] + b"</Annotation></Envelope>" if b"yyyy" in text else text
        path = folder({"vm.ovf": text, "d.vmdk": b""})
        assert len(text) > 3 * MIB
        start = time.process_time()
        open_package([path])
        assert time.process_time() - start < 0.5
        tracemalloc.start()
        try:
            open_package([path])
            _size, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 64 * MIB

    def test_the_whole_is_bounded(self, folder):
        path = folder({"vm.ovf": ONE_DISK + b" " * (_descriptor.MAX_DESCRIPTOR - len(ONE_DISK)), "d.vmdk": b""})
        assert names(open_package([path])) == ["vm.ovf", "d.vmdk"]
        with open(path, "ab") as file:
            file.write(b" ")
        refused(r"has 16777217 bytes, which is too much for a descriptor: at most 16777216", path)


class TestManifestsThatSayMore:
    def package(self, folder, text, **more):
        return folder({**PACKAGE, "README": b"read me", "vm.cert": b"certificate", "vm.mf": text, **more})

    @pytest.mark.parametrize(
        "path",
        ["absent.vmdk", "vm.mf", "./vm.mf", "README", "docs/README", "../secret", "/etc/passwd", "d.vmdk.000000000"],
    )
    def test_what_is_not_sent(self, folder, path):
        text = manifest(PACKAGE) + manifest({path: b"whatever"})
        package = warned(self.package(folder, text), "'vm.mf' has digests of what is not sent", repr(path))
        assert checksums(package) == {name: {checksum(content)} for name, content in PACKAGE.items()}

    def test_a_warning_names_some_of_many(self, folder):
        text = manifest({f"absent{number}": b"" for number in range(1000)})
        package = warned(self.package(folder, text), "'absent0', 'absent1',", "and 995 more")
        assert len(package.warnings[0]) < 300

    def test_a_name_that_is_not_utf_8(self, folder):
        text = manifest(PACKAGE) + manifest({"pr\xfcfung.txt": b""}).replace(b"\xc3\xbc", b"\xfc")
        warned(self.package(folder, text), r"'pr\udcfcfung.txt'")

    @pytest.mark.parametrize("path", ["./{}", ".//{}", "././{}", "{}"])
    def test_a_path_that_begins_with_a_dot(self, folder, path):
        package = quiet(self.package(folder, manifest({path.format(name): c for name, c in PACKAGE.items()})))
        assert set(checksums(package)) == set(PACKAGE)

    def test_a_path_that_begins_with_the_folder(self, folder, tmp_path):
        contents = {f"{tmp_path.name}/{name}": content for name, content in PACKAGE.items()}
        assert set(checksums(quiet(self.package(folder, manifest(contents))))) == set(PACKAGE)

    def test_a_path_in_another_case(self, folder):
        text = manifest({name.upper(): content for name, content in PACKAGE.items()})
        assert set(checksums(quiet(self.package(folder, text)))) == set(PACKAGE)

    def test_a_file_whose_name_differs_in_case_is_another(self, folder):
        text = manifest({**PACKAGE, "D.VMDK": b"other"})
        warned(self.package(folder, text, **{"D.VMDK": b"other"}), "'D.VMDK'")

    @pytest.mark.parametrize("algorithms", [("SHA1", "SHA256"), ("SHA512", "MD5"), ("SHA1", "SHA384", "SHA224")])
    def test_each_file_in_several_algorithms(self, folder, algorithms):
        text = b"".join(manifest(PACKAGE, algorithm) for algorithm in algorithms)
        package = quiet(self.package(folder, text))
        expected = {
            name: {checksum(content, algorithm) for algorithm in algorithms} for name, content in PACKAGE.items()
        }
        assert checksums(package) == expected
        of_disk = package.files[-1].checksum.algorithm
        assert of_disk == {"SHA1, SHA256": "SHA256", "SHA512, MD5": "SHA512"}.get(", ".join(algorithms), "SHA1")

    @pytest.mark.parametrize("algorithm", ["MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"])
    def test_a_wrong_digest_of_the_descriptor_in_any_algorithm(self, folder, algorithm):
        text = manifest(PACKAGE) + manifest({"vm.ovf": b"another"}, algorithm)
        text += manifest(PACKAGE, "SHA1" if algorithm != "SHA1" else "MD5")
        refused(r"'vm\.ovf' differs from|two SHA256 digests of 'vm\.ovf'", self.package(folder, text))

    def test_a_wrong_digest_of_the_certificate(self, folder):
        refused(r"'vm\.cert' differs from", self.package(folder, manifest({"vm.cert": b"another"})))
        quiet(self.package(folder, manifest({"vm.cert": b"certificate"})))

    @pytest.mark.parametrize(
        ("spelled", "algorithm"),
        [
            ("SHA2-256", "SHA256"),
            ("SHA-256", "SHA256"),
            ("sha-1", "SHA1"),
            ("SHA2-512", "SHA512"),
            ("Sha256", "SHA256"),
        ],
    )
    def test_algorithms_as_others_spell_them(self, folder, spelled, algorithm):
        text = manifest(PACKAGE, algorithm).replace(algorithm.encode(), spelled.encode())
        assert checksums(quiet(self.package(folder, text)))["d.vmdk"] == {checksum(b"disk", algorithm)}

    @pytest.mark.parametrize("algorithm", ["SHA3-256", "BLAKE2b512", "RIPEMD160"])
    def test_an_algorithm_that_is_not_known(self, folder, algorithm):
        text = f"{algorithm}(d.vmdk)= 00ff\n{algorithm}(vm.ovf)= 00ff\n".encode()
        warned(self.package(folder, text), repr(algorithm), "d.vmdk", "not checked")

    def test_one_digest_twice(self, folder):
        quiet(self.package(folder, manifest(PACKAGE) * 2))

    def test_lines_that_are_no_digests(self, folder):
        text = b"# made by hand\n\n" + manifest(PACKAGE) + b"0" * 64 + b"  vm.ovf\n"
        package = warned(
            self.package(folder, text), "lines in 'vm.mf' that are no digests", "2, such as '# made by hand'"
        )
        assert set(checksums(package)) == set(PACKAGE)

    def test_utf_16_as_a_windows_shell_writes_it(self, folder):
        text = manifest(PACKAGE).decode().replace("\n", "\r\n").encode("utf-16")
        assert set(checksums(quiet(self.package(folder, text)))) == set(PACKAGE)

    def test_a_digest_of_what_is_there_and_not_sent_may_be_cut_off(self, folder):
        warned(self.package(folder, b"SHA256(README)= 12\n"), "'README'")

    def test_in_an_archive(self, tmp_path):
        text = manifest({**PACKAGE, "./README": b"", "absent": b""}) + manifest(PACKAGE, "SHA1")
        path = ova(tmp_path / "a.ova", {**PACKAGE, "vm.mf": text, "README": b"other"})
        package = warned(path, "'./README', 'absent'")
        assert {name: len(found) for name, found in checksums(package).items()} == dict.fromkeys(PACKAGE, 2)


class TestArchivesAsPeopleMakeThem:
    def archive(self, tmp_path, *members, tar_format=tarfile.GNU_FORMAT):
        """Members are a name and its content, or a header of what has none."""
        path = tmp_path / "a.ova"
        with tarfile.open(path, "w", format=tar_format, encoding="utf-8", errors="surrogateescape") as archive:
            for member in members:
                if isinstance(member, tarfile.TarInfo):
                    archive.addfile(member)
                else:
                    header = tarfile.TarInfo(member[0])
                    header.size = len(member[1])
                    archive.addfile(header, io.BytesIO(member[1]))
        return str(path)

    def holds(self, path, *texts):
        package = warned(path, *texts) if texts else quiet(path)
        assert names(package) == list(SENT)
        assert {file.name: content_of(file) for file in package.files} == SIGNED
        assert set(checksums(package)) == set(PACKAGE)

    @staticmethod
    def other(name, kind, size=0):
        header = tarfile.TarInfo(name)
        header.type, header.linkname, header.size = kind, "elsewhere", size
        return header

    @pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    def test_of_macos(self, tmp_path, tar_format):
        members = []
        for name, content in SIGNED.items():
            header = tarfile.TarInfo("._" + name)
            header.pax_headers = {"mtime": "1.5", "LIBARCHIVE.xattr.com.apple.quarantine": "q" * 100_000}
            members += [header, (name, content)]
        self.holds(self.archive(tmp_path, *members, tar_format=tar_format))

    def test_of_everything_in_a_folder(self, tmp_path):
        (tmp_path / "package" / "sub").mkdir(parents=True)
        for name, content in SIGNED.items():
            (tmp_path / "package" / name).write_bytes(content)
        (tmp_path / "package" / "sub" / "vm.ovf.txt").write_bytes(b"notes")
        path = tmp_path / "a.ova"
        with tarfile.open(path, "w") as archive:
            archive.add(tmp_path / "package", ".")
            assert archive.getnames()[0] == "."
        self.holds(str(path))

    @pytest.mark.parametrize("prefix", ["pkg/", "./pkg/", "a/b/c/", "pkg//"])
    def test_of_a_folder_itself(self, tmp_path, prefix):
        directory = self.other(prefix, tarfile.DIRTYPE)
        self.holds(self.archive(tmp_path, directory, *((prefix + name, c) for name, c in SIGNED.items())))

    def test_of_a_folder_whose_manifest_has_its_name(self, tmp_path):
        text = manifest({f"pkg/{name}": content for name, content in PACKAGE.items()})
        members = {f"pkg/{name}": content for name, content in PACKAGE.items()}
        package = quiet(self.archive(tmp_path, *members.items(), ("pkg/vm.mf", text)))
        assert set(checksums(package)) == set(PACKAGE)

    def test_a_disk_in_another_folder(self, tmp_path):
        members = {"meta/vm.ovf": ONE_DISK, "disks/d.vmdk": b"disk", "docs/e.vmdk": b""}
        package = quiet(self.archive(tmp_path, *members.items()))
        assert [(file.name, content_of(file)) for file in package.files][1:] == [("d.vmdk", b"disk")]

    def test_the_folder_of_the_descriptor_comes_first(self, tmp_path):
        members = {"old/d.vmdk": b"old", "pkg/vm.ovf": ONE_DISK, "d.vmdk": b"other", "pkg/d.vmdk": b"disk"}
        assert content_of(quiet(self.archive(tmp_path, *members.items())).files[1]) == b"disk"

    def test_a_base_name_that_is_ambiguous(self, tmp_path):
        members = {"a/d.vmdk": b"1", "pkg/vm.ovf": ONE_DISK, "b/d.vmdk": b"2"}
        refused("'d.vmdk' several times, .*'a/d.vmdk', 'b/d.vmdk'", self.archive(tmp_path, *members.items()))

    def test_a_reference_with_a_folder(self, tmp_path):
        members = {"pkg/vm.ovf": envelope(href("disks/d.vmdk")), "pkg/disks/d.vmdk": b"disk", "d.vmdk": b"other"}
        assert content_of(quiet(self.archive(tmp_path, *members.items())).files[1]) == b"disk"

    def test_a_descriptor_nearer_to_the_top(self, tmp_path):
        path = self.archive(tmp_path, ("docs/example.ovf", b""), *SIGNED.items())
        self.holds(path)

    @pytest.mark.parametrize(
        "kind",
        [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, b"V", b"Z"],
    )
    @pytest.mark.parametrize("name", ["docs", "../docs", "/docs", "do\\cs", "old.ovf"])
    def test_what_is_no_file_among_what_counts(self, tmp_path, kind, name):
        first, *rest = SIGNED.items()
        self.holds(self.archive(tmp_path, first, self.other(name, kind), *rest))

    def test_links_with_a_size_have_no_data(self, tmp_path):
        first, *rest = SIGNED.items()
        self.holds(self.archive(tmp_path, first, self.other("link", tarfile.LNKTYPE, 4), *rest))

    @pytest.mark.parametrize("name", ["notes.txt", "notes\n.txt", "\udcff.txt", "..", "a//b", "x" * 5000])
    def test_any_name_among_what_counts(self, tmp_path, name):
        first, *rest = SIGNED.items()
        self.holds(self.archive(tmp_path, first, (name, b"1"), (name, b"2"), *rest))

    def test_long_names_of_links(self, tmp_path):
        link = self.other("l" * 200, tarfile.SYMTYPE)
        link.linkname = "t" * 300
        self.holds(self.archive(tmp_path, link, *SIGNED.items()))

    def test_a_sparse_file_with_a_long_map_among_what_counts(self, tmp_path):
        block = bytearray(self.other("sparse", tarfile.GNUTYPE_SPARSE, 512).tobuf(tarfile.GNU_FORMAT))
        block[482] = 1
        block[148:156] = b"%06o\0 " % (sum(block[:148]) + 8 * ord(" ") + sum(block[156:512]))
        maps = bytes(504) + b"\1" + bytes(7) + bytes(512)
        path = self.archive(tmp_path, *SIGNED.items())
        with open(path, "rb") as archive:
            data = archive.read()
        with open(path, "wb") as archive:
            archive.write(bytes(block) + maps + b"data".ljust(512, b"\0") + data)
        self.holds(path)

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
    def test_a_disk_that_is_none(self, tmp_path, kind):
        path = self.archive(tmp_path, ("vm.ovf", ONE_DISK), self.other("d.vmdk", kind))
        refused("'d.vmdk' in .* is a (symbolic link|hard link|directory), not a plain file", path)

    @pytest.mark.parametrize("name", ["vm.ovf", "d.vmdk", "vm.mf", "vm.cert"])
    def test_what_counts_and_is_there_twice(self, tmp_path, name):
        path = self.archive(tmp_path, *SIGNED.items(), ("./" + name, b"again"))
        refused(f"'{name}' is in .* 2 times", path)

    def test_many_headers(self, tmp_path):
        path = self.archive(tmp_path, *((f"docs/{number}", b"") for number in range(12_000)), *SIGNED.items())
        self.holds(path)


class TestChunksAsPeopleMakeThem:
    def package(self, folder, chunks, reference, **more):
        files = {f"d.vmdk.{number:09}": content for number, content in chunks.items()}
        return folder({"vm.ovf": envelope(href("d.vmdk", **reference)), **files, **more})

    @pytest.mark.parametrize("reference", [{"chunkSize": 9, "size": 4}, {"size": 4}, {}, {"chunkSize": "x"}])
    def test_one_chunk_with_a_digest_of_the_whole(self, folder, reference):
        text = manifest({"d.vmdk": b"disk"}) + manifest({"d.vmdk": b"disk"}, "SHA1")
        package = quiet(self.package(folder, {0: b"disk"}, reference, **{"vm.mf": text}))
        assert names(package) == ["vm.mf", "vm.ovf", "d.vmdk.000000000"]
        assert checksums(package) == {"d.vmdk.000000000": {checksum(b"disk"), checksum(b"disk", "SHA1")}}

    def test_one_chunk_with_digests_that_contradict(self, folder):
        text = manifest({"d.vmdk": b"disk", "d.vmdk.000000000": b"other"})
        refused("has two SHA256 digests", self.package(folder, {0: b"disk"}, {}, **{"vm.mf": text}))

    @pytest.mark.parametrize("in_archive", [False, True])
    @pytest.mark.parametrize("whole", [b"1234567", b"123456X"])
    def test_several_chunks_with_a_digest_of_the_whole(self, folder, tmp_path, whole, in_archive):
        chunks = {f"d.vmdk.00000000{number}": content for number, content in enumerate((b"123", b"456", b"7"))}
        files = {"vm.ovf": envelope(href("d.vmdk", chunkSize=3)), **chunks}
        files["vm.mf"] = manifest({"d.vmdk": whole}) + manifest({"d.vmdk": whole}, "SHA1")
        package = quiet(ova(tmp_path / "a.ova", files) if in_archive else folder(files))
        disks = package.files[2:]
        assert {file.whole for file in disks} == {disks[0].whole}
        assert [file.name for file in disks[0].whole.chunks] == list(chunks)
        if whole == b"1234567":
            check_whole(disks[0].whole)
        else:
            with pytest.raises(InvalidArgument, match=r"'d\.vmdk', which is there in 3 chunks, does not have the"):
                check_whole(disks[0].whole)

    def test_no_chunk_size(self, folder):
        package = quiet(self.package(folder, {0: b"123", 1: b"456", 2: b"7"}, {"size": 7}))
        assert names(package)[1:] == ["d.vmdk.000000000", "d.vmdk.000000001", "d.vmdk.000000002"]

    def test_no_chunk_size_in_an_archive(self, tmp_path):
        members = {"pkg/vm.ovf": envelope(href("d.vmdk")), "pkg/d.vmdk.000000001": b"2", "pkg/d.vmdk.000000000": b"1"}
        package = quiet(ova(tmp_path / "a.ova", members))
        assert [(file.name, content_of(file)) for file in package.files][1:] == [
            ("d.vmdk.000000000", b"1"),
            ("d.vmdk.000000001", b"2"),
        ]

    def test_in_a_sub_folder_with_a_name_that_is_encoded(self, folder):
        contents = {"vm.ovf": envelope(href("disks/my%20disk.vmdk")), "disks/my disk.vmdk.000000000": b"1"}
        assert names(quiet(folder(contents)))[1:] == ["my disk.vmdk.000000000"]

    def test_the_whole_file_counts_where_no_chunk_size_is_told(self, folder):
        assert names(quiet(self.package(folder, {0: b"123"}, {}, **{"d.vmdk": b"1"}))) == ["vm.ovf", "d.vmdk"]

    def test_the_whole_file_counts_where_the_first_chunk_is_missing(self, folder):
        package = quiet(self.package(folder, {1: b"123"}, {"chunkSize": 3}, **{"d.vmdk": b"1"}))
        assert names(package) == ["vm.ovf", "d.vmdk"]

    @pytest.mark.parametrize("reference", [{"chunkSize": 3}, {}, {"size": 6}, {"chunkSize": 3, "size": 6}])
    @pytest.mark.parametrize(("present", "missing"), [((0, 2), 1), ((1,), 0), ((0, 1, 3, 4), 2), ((0, 999999999), 1)])
    def test_a_gap(self, folder, reference, present, missing):
        path = self.package(folder, dict.fromkeys(present, b"123"), reference)
        refused(rf"'d\.vmdk\.00000000{missing}' is missing, and d\.vmdk\.[0-9]*{present[-1]}, which", path)

    def test_a_gap_in_an_archive(self, tmp_path):
        members = {"vm.ovf": envelope(href("d.vmdk")), "d.vmdk.000000000": b"1", "d.vmdk.000000002": b"3"}
        refused(r"'d\.vmdk\.000000001' is missing", ova(tmp_path / "a.ova", members))

    @pytest.mark.parametrize("number", [0, 1])
    @pytest.mark.parametrize("damaged", [b"12", b"", b"1234"])
    @pytest.mark.parametrize("reference", [{"chunkSize": 3, "size": 9}, {"chunkSize": 3}])
    def test_a_chunk_other_than_the_last_with_another_size(self, folder, number, damaged, reference):
        chunks = {0: b"123", 1: b"456", 2: b"789", number: damaged}
        refused(f"'d.vmdk.00000000{number}' is damaged: it has", self.package(folder, chunks, reference))

    def test_a_chunk_that_is_shorter_than_the_first(self, folder):
        refused("000000001' is damaged", self.package(folder, {0: b"123", 1: b"4", 2: b"789"}, {"size": 9}))

    @pytest.mark.parametrize("reference", [{"chunkSize": 3, "size": 7}, {"size": 7}])
    def test_full_chunks_that_miss_the_last(self, folder, reference):
        path = self.package(folder, {0: b"123", 1: b"456"}, reference)
        refused(r"6 bytes in 2 chunks, .* tells 7: 'd\.vmdk\.000000002' is missing", path)

    @pytest.mark.parametrize("size", [8, 6, 1])
    def test_a_size_that_does_not_fit(self, folder, size):
        path = self.package(folder, {0: b"123", 1: b"456", 2: b"7"}, {"chunkSize": 3, "size": size})
        warned(path, "'d.vmdk' has 7 bytes in 3 chunks", f"tells {size}")

    def test_a_disk_that_is_shorter_than_its_size(self, folder):
        contents = {"vm.ovf": envelope(href("d.vmdk", size=5)), "d.vmdk": b"disk"}
        warned(folder(contents), "'d.vmdk' has 4 bytes, and its descriptor tells 5")

    @pytest.mark.parametrize("attributes", [{"size": 4}, {"size": 3}, {"size": 99, "compression": "gzip"}])
    def test_a_disk_whose_size_says_nothing(self, folder, attributes):
        quiet(folder({"vm.ovf": envelope(href("d.vmdk", **attributes)), "d.vmdk": b"disk"}))


class TestManifestsThatAreNotFound:
    @pytest.mark.parametrize("name", ["A.MF", "a.MF", "A.mf", "a.Mf"])
    @pytest.mark.parametrize("in_archive", [False, True])
    def test_the_case_alone_differs(self, folder, tmp_path, name, in_archive):
        files = {**A_PACKAGE, name: manifest(A_PACKAGE)}
        package = quiet(ova(tmp_path / "x.ova", files) if in_archive else folder(files))
        assert (package.files[0].name, package.files[0].role) == ("a.mf", "manifest")
        assert set(checksums(package)) == set(A_PACKAGE)
        files[name] = manifest({"a.ovf": b"another"})
        refused("'a.ovf' differs from", ova(tmp_path / "x.ova", files) if in_archive else folder(files))

    def test_a_package_in_capitals(self, folder):
        contents = {"A.OVF": envelope(href("D.VMDK")), "D.VMDK": b"disk"}
        package = quiet(folder({**contents, "A.MF": manifest(contents), "A.CERT": b"certificate"}))
        assert [(file.role, file.keep_in_storage) for file in package.files] == [
            ("manifest", False),
            ("certificate", False),
            ("descriptor", True),
            ("content", True),
        ]

    def test_the_exact_name_comes_first(self, folder):
        files = {**A_PACKAGE, "a.mf": manifest(A_PACKAGE), "A.MF": b"garbage"}
        quiet(folder(files))

    @pytest.mark.parametrize("in_archive", [False, True])
    @pytest.mark.parametrize("name", ["b.mf", "manifest.mf", "a.ovf.mf", "A-1.MF"])
    def test_another_stem(self, folder, tmp_path, name, in_archive):
        files = {**A_PACKAGE, name: manifest({"a.ovf": b"another"})}
        path = ova(tmp_path / "x.ova", files) if in_archive else folder(files)
        package = warned(path, "nothing checks the files of 'a.ovf'", "'a.mf'", repr(name))
        assert names(package) == ["a.ovf", "d.vmdk"]

    def test_two_names_of_which_neither_is_exact(self, folder):
        warned(folder({**A_PACKAGE, "A.mf": b"", "a.MF": b""}), "nothing checks", "'A.mf' and 1 more")

    def test_a_manifest_of_another_package(self, folder):
        quiet(folder({**A_PACKAGE, "b.ovf": b"", "b.mf": b"", "B2.OVF": b"", "B2.MF": b""}))

    def test_none_is_no_reason_to_warn(self, folder):
        quiet(folder(A_PACKAGE))

    @pytest.mark.parametrize("name", ["._b.mf", "b.mft", "mf"])
    def test_what_is_no_manifest(self, folder, name):
        quiet(folder({**A_PACKAGE, name: b""}))


def zipped(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("vm.ovf", content)
    return buffer.getvalue()


WRONG_KINDS = {
    "gzip": (gzip.compress(ONE_DISK), "compressed by gzip: decompress it"),
    "bzip2": (bz2.compress(ONE_DISK), "compressed by bzip2: decompress it"),
    "xz": (lzma.compress(ONE_DISK), "compressed by xz: decompress it"),
    "zip": (zipped(ONE_DISK), "a zip archive: unpack it, and give"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c" + bytes(100), "a 7-Zip archive: unpack it"),
    "VMDK": (b"KDMV" + bytes(600), r"a VMDK disk: give the descriptor \(\.ovf\)"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "a pointer of Git LFS"),
    "HTML": (b"<!DOCTYPE html>\n<html><title>Log in</title>", r"a web page \(HTML\): its download"),
    "HTML without a type": (b"\n<HTML><head>", r"a web page \(HTML\)"),
    "nothing": (b"", "is empty: it was not copied or downloaded to its end"),
}


class TestWrongKinds:
    @pytest.mark.parametrize("kind", WRONG_KINDS)
    @pytest.mark.parametrize("name", ["a.ovf", "a.ova", "A.OVA"])
    def test_by_the_first_bytes(self, folder, kind, name):
        content, text = WRONG_KINDS[kind]
        refused(f"{name}' .*{text}", folder({name: content}))

    @pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    def test_an_archive_that_is_called_a_descriptor(self, tmp_path, tar_format):
        path = ova(tmp_path / "a.ovf", {"vm.ovf": ONE_DISK, "d.vmdk": b""}, tar_format)
        refused(r"a\.ovf' has the name of an \.ovf, but is a tar archive, as an OVA is: name it \.ova", path)

    @pytest.mark.parametrize("text", [ONE_DISK, b"\xef\xbb\xbf" + ONE_DISK, b"<Envelope/>", b"<ovf:Envelope>"])
    def test_a_descriptor_that_is_called_an_archive(self, folder, text):
        refused(r"a\.ova' is a descriptor \(XML\), not an archive: name it \.ovf", folder({"a.ova": text}))

    def test_a_descriptor_in_an_archive_that_is_none(self, tmp_path):
        refused(
            "'vm.ovf' has the name of an .ovf, but is compressed by gzip",
            ova(tmp_path / "a.ova", {"vm.ovf": b"\x1f\x8b"}),
        )

    def test_another_kind_of_xml(self, folder):
        refused("it is a 'domain', not an Envelope", folder({"a.ovf": b"<domain type='kvm'/>"}))

    def test_a_file_that_is_no_package_may_be_anything(self, folder):
        for content, _text in WRONG_KINDS.values():
            assert (
                os.path.getsize(folder({"a.iso": content})) == open_package([folder({"a.iso": content})]).files[0].size
            )
