# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import os
import socket
import tarfile
import tempfile
from urllib.parse import quote

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils import _descriptor, _ovf, _tar
from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import Checksum, parse_checksum
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._packages import open_package, source_paths
from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import open_file
from ansible_collections.vsphere.content_library.tests.unit.plugins.package_files import (
    DISKS,
    content_of,
    envelope,
    href,
    manifest,
    names,
    ova,
    refused,
)

SHA256 = hashlib.sha256(b"").hexdigest()


class TestSingleFiles:
    @pytest.mark.parametrize(
        ("name", "kind"), [("a.iso", "iso"), ("A.ISO", "iso"), ("a.img", None), ("no extension", None)]
    )
    def test_the_name_tells_the_type(self, folder, name, kind):
        path = folder({name: b"bytes"})
        package = open_package([path])
        (file,) = package.files
        assert (package.type, file.name, file.path, file.offset, file.size) == (kind, name, path, 0, 5)
        assert (file.role, file.keep_in_storage, file.checksum) == ("content", True, None)

    def test_an_iso_of_0_bytes(self, folder):
        (file,) = open_package([folder({"empty.iso": b""})]).files
        assert file.size == 0

    def test_spaces_umlauts_and_parentheses(self, folder):
        (file,) = open_package([folder({"Prüf ISO (2).iso": b"x"})]).files
        assert file.name == "Prüf ISO (2).iso"

    def test_a_users_checksum(self, folder):
        checksum = parse_checksum(f"sha256:{SHA256}")
        (file,) = open_package([folder({"a.iso": b""})], checksum).files
        assert file.checksum == checksum

    def test_several(self, folder, tmp_path):
        folder({"a.iso": b"1", "b.iso": b"2", "c.txt": b"3"})
        paths = [str(tmp_path / name) for name in ("a.iso", "b.iso", "c.txt")]
        assert open_package(paths[:2]).type == "iso"
        assert (open_package(paths).type, names(open_package(paths))) == (None, ["a.iso", "b.iso", "c.txt"])

    def test_several_have_no_common_checksum(self, folder):
        refused(r"checksum: .*single", [folder({"a": b""}), folder({"b": b""})], Checksum("SHA256", SHA256))

    def test_one_name_twice(self, folder):
        refused("2 files would have the name", [folder({"a.iso": b""}), folder({"sub/a.iso": b""})])

    def test_a_symbolic_link_is_followed(self, folder, tmp_path):
        folder({"store/4711": b"bytes"})
        (tmp_path / "latest.iso").symlink_to("store/4711")
        (file,) = open_package([str(tmp_path / "latest.iso")]).files
        assert (file.name, file.size, content_of(file)) == ("latest.iso", 5, b"bytes")


class TestWhatIsNoFile:
    def test_an_empty_list(self):
        refused("src: the list is empty", [])

    def test_missing(self, tmp_path):
        refused(r"absent\.iso' can't be read: No such file", str(tmp_path / "absent.iso"))

    def test_an_empty_path(self):
        refused("'' can't be read", "")

    def test_a_zero_byte_in_the_path(self):
        refused("can't be read: .*embedded null", "a\0b.iso")

    def test_a_directory(self, tmp_path):
        refused("is a directory, not a file", str(tmp_path))

    def test_a_directory_named_like_a_package(self, tmp_path):
        for name in ("a.ovf", "a.ova"):
            (tmp_path / name).mkdir()
            refused("is a directory, not a file", str(tmp_path / name))

    def test_a_socket(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)  # the address of a socket is short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("a.iso")
            refused("is a socket, not a file", str(tmp_path / "a.iso"))

    def test_a_named_pipe_is_not_even_opened(self, tmp_path):
        os.mkfifo(tmp_path / "a.iso")
        refused("is a named pipe, not a file", str(tmp_path / "a.iso"))

    def test_a_device(self):
        refused("is a device, not a file", os.devnull)

    def test_no_permission_to_read(self):
        user = os.geteuid()
        with tempfile.TemporaryDirectory() as folder:  # not tmp_path, which only its owner may enter
            os.chmod(folder, 0o755)
            path = os.path.join(folder, "a.iso")
            with open(path, "wb"):
                os.chmod(path, 0o644)
            try:
                if user == 0:
                    os.seteuid(65534)
            except OSError as exc:
                pytest.skip(f"root may read everything, and can't become somebody else here: {exc}")
            try:
                assert open_package([path]).type == "iso"
                os.seteuid(user)
                os.chmod(path, 0)
                os.seteuid(65534 if user == 0 else user)
                refused("can't be read: Permission denied", path)
            finally:
                os.seteuid(user)

    def test_a_name_that_no_item_file_can_have(self, folder):
        refused("can't be the name of a file", folder({"a\nb.iso": b""}))
        refused("can't be the name of a file", folder({"a\\b.iso": b""}))
        refused("can't be the name of a file", folder({os.fsdecode(b"\xff.iso"): b""}))


class TestChangingFiles:
    def test_before_it_is_opened(self, folder):
        path = folder({"a.iso": b"12345"})
        file = open_file(path)
        folder({"a.iso": b"1234567"})
        with pytest.raises(InvalidArgument, match=r"a\.iso' changed while it was read"), file.opened():
            pytest.fail("opened")

    def test_replaced_by_another_of_the_same_size(self, folder):
        path = folder({"a.iso": b"12345"})
        file = open_file(path)
        os.replace(folder({"b.iso": b"54321"}), path)
        with pytest.raises(InvalidArgument, match="changed while it was read"), file.opened():
            pytest.fail("opened")

    @pytest.mark.parametrize("content", [b"1234567", b"1", b"54321"], ids=["grows", "shrinks", "is overwritten"])
    def test_while_it_is_read(self, folder, content):
        path = folder({"a.iso": b"12345"})
        os.utime(path, ns=(0, 0))
        file = open_file(path)

        def read_and_write():
            with file.opened() as fd:
                assert os.pread(fd, 5, 0) == b"12345"
                folder({"a.iso": content})

        with pytest.raises(InvalidArgument, match="changed while it was read"):
            read_and_write()

    def test_an_error_of_the_reader_stays_what_it_is(self, folder):
        file = open_file(folder({"a.iso": b"12345"}))

        def read_and_fail():
            with file.opened():
                folder({"a.iso": b""})
                raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            read_and_fail()


class TestOvf:
    @pytest.mark.parametrize(
        "namespace",
        [
            "http://schemas.dmtf.org/ovf/envelope/1",
            "http://schemas.dmtf.org/ovf/envelope/2",
            "http://www.vmware.com/schema/ovf/1/envelope",
        ],
    )
    def test_everything_in_the_order_of_upload(self, folder, namespace):
        descriptor = envelope(href("vm-disk1.vmdk"), href("vm-file1.nvram"), namespace=namespace)
        contents = {"vm.ovf": descriptor, "vm-disk1.vmdk": b"disk", "vm-file1.nvram": b"nvram"}
        path = folder({**contents, "vm.mf": manifest(contents), "vm.cert": b"certificate", "notes.txt": b"unrelated"})
        package = open_package([path])
        assert package.type == "ovf"
        assert [(file.name, file.role, file.keep_in_storage) for file in package.files] == [
            ("vm.mf", "manifest", False),
            ("vm.cert", "certificate", False),
            ("vm.ovf", "descriptor", True),
            ("vm-disk1.vmdk", "content", True),
            ("vm-file1.nvram", "content", True),
        ]
        assert {file.name: file.checksum for file in package.files if file.checksum} == {
            name: Checksum("SHA256", hashlib.sha256(content).hexdigest()) for name, content in contents.items()
        }

    def test_prefixes_are_the_authors_business(self, folder):
        text = b'<o:Envelope xmlns:o="x"><o:References><o:File href="d.vmdk"/></o:References></o:Envelope>'
        assert names(open_package([folder({"vm.ovf": text, "d.vmdk": b""})])) == ["vm.ovf", "d.vmdk"]

    def test_only_the_references_count(self, folder):
        text = (
            b"<Envelope><References/><Section><File href='other'/><References><File href='other'/></References>"
            b"</Section></Envelope>"
        )
        assert names(open_package([folder({"vm.ovf": text})])) == ["vm.ovf"]

    @pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
    def test_other_encodings(self, folder, encoding):
        text = envelope(href("Prüfung.vmdk")).decode().replace("UTF-8", encoding).encode(encoding)
        assert "Prüfung.vmdk" in names(open_package([folder({"vm.ovf": text, "Prüfung.vmdk": b""})]))

    @pytest.mark.parametrize("name", ["Prüf VM (2)-disk#1.vmdk", "100%.vmdk", "100%25.vmdk"])
    @pytest.mark.parametrize("encode", [quote, str], ids=["encoded", "literal"])
    def test_names_that_need_encoding(self, folder, name, encode):
        contents = {"vm.ovf": envelope(href(encode(name))), name: b"disk"}
        path = folder({**contents, "vm.mf": manifest({encode(name): b"disk"})})
        assert {file.name: content_of(file) for file in open_package([path]).files}[name] == b"disk"
        assert {file.name: file.checksum for file in open_package([path]).files}[name]

    def test_the_decoded_name_comes_first(self, folder):
        path = folder({"vm.ovf": envelope(href("a%20b.vmdk")), "a b.vmdk": b"", "a%20b.vmdk": b""})
        assert names(open_package([path])) == ["vm.ovf", "a b.vmdk"]

    def test_a_sub_folder_is_flattened(self, folder):
        contents = {"vm.ovf": envelope(href("./disks/d.vmdk")), "disks/d.vmdk": b"disk"}
        path = folder({**contents, "vm.mf": manifest(contents)})
        (disk,) = (file for file in open_package([path]).files if file.role == "content")
        assert (disk.name, content_of(disk)) == ("d.vmdk", b"disk")
        assert disk.checksum.value == hashlib.sha256(b"disk").hexdigest()

    def test_two_references_with_one_base_name(self, folder):
        text = envelope(href("a/d.vmdk"), href("b/d.vmdk"))
        refused("2 files would have the name 'd.vmdk'", folder({"vm.ovf": text, "a/d.vmdk": b"", "b/d.vmdk": b""}))

    def test_two_references_to_one_file(self, folder):
        refused("more than once", folder({"vm.ovf": envelope(href("d"), href("./d")), "d": b""}))

    def test_a_compressed_file_is_sent_as_it_is(self, folder):
        path = folder({"vm.ovf": envelope(href("d.vmdk.gz", compression="gzip")), "d.vmdk.gz": b"\x1f\x8b"})
        assert content_of(open_package([path]).files[1]) == b"\x1f\x8b"

    def test_a_list_may_name_what_the_descriptor_refers_to(self, folder, tmp_path):
        folder({"vm.ovf": envelope(href("d.vmdk")), "d.vmdk": b"disk", "vm.mf": b"", "readme.txt": b""})
        paths = [str(tmp_path / name) for name in ("readme.txt", "d.vmdk", "vm.ovf", "vm.mf")]
        assert names(open_package(paths)) == ["vm.mf", "vm.ovf", "d.vmdk", "readme.txt"]

    def test_one_package_only(self, folder):
        paths = [folder({"a.ovf": envelope()}), folder({"b.ovf": envelope()})]
        refused("holds one OVF package", paths)

    def test_a_package_has_no_common_checksum(self, folder):
        refused(r"checksum: .*single", folder({"a.ovf": envelope()}), Checksum("SHA256", SHA256))

    def test_a_link_to_a_descriptor_stands_for_its_package(self, folder, tmp_path):
        contents = {"build-42/vm.ovf": envelope(href("d.vmdk")), "build-42/d.vmdk": b"disk", "build-42/vm.mf": b""}
        folder(contents)
        (tmp_path / "latest.ovf").symlink_to("build-42/vm.ovf")
        assert names(open_package([str(tmp_path / "latest.ovf")])) == ["vm.mf", "vm.ovf", "d.vmdk"]

    def test_a_link_to_another_name(self, folder, tmp_path):
        folder({"store/4711": envelope()})
        (tmp_path / "vm.ovf").symlink_to("store/4711")
        refused("4711', where the link leads, has not the name of an .ovf", str(tmp_path / "vm.ovf"))

    def test_missing(self, folder):
        refused("refers to 'absent.vmdk', which is missing", folder({"vm.ovf": envelope(href("absent.vmdk"))}))

    def test_a_directory(self, folder):
        refused("is a directory", folder({"vm.ovf": envelope(href("disks")), "disks/d.vmdk": b""}))

    @pytest.mark.parametrize(
        "reference",
        ["/etc/passwd", "//host/share", "../secret", "a/../../secret", "a/..", "..", "%2e%2e/secret", "..%2Fsecret"],
    )
    def test_escaping(self, folder, reference):
        path = folder({"package/vm.ovf": envelope(href(reference)), "package/a/b": b"", "secret": b""})
        refused("is not a path below its folder", path)

    def test_a_path_too_long_to_look_up(self, folder):
        path = folder({"vm.ovf": envelope(href("/".join("a" * _ovf.MAX_PATH)))})
        refused("is not a path below its folder", path)

    @pytest.mark.parametrize("reference", ["..\\secret", "%2e%2e%5csecret", "a%00b", "a//b", "a/", "", "a&#10;b"])
    def test_names_that_no_item_file_can_have(self, folder, reference):
        refused("can't be the name of a file", folder({"vm.ovf": envelope(href(reference))}))

    @pytest.mark.parametrize(
        "reference", ["http://u:secret@h/d.vmdk", "HTTPS://h/d.vmdk", "file:///etc/passwd", "C:\\d.vmdk"]
    )
    def test_urls(self, folder, reference):
        path = folder({"vm.ovf": envelope(href(reference))})
        with pytest.raises(InvalidArgument, match="URL; the file has to be beside it") as caught:
            open_package([path])
        assert "secret" not in str(caught.value)

    def test_no_href(self, folder):
        refused("can't be the name of a file", folder({"vm.ovf": envelope("")}))

    def test_a_link_out_of_the_folder(self, folder, tmp_path):
        path = folder({"package/vm.ovf": envelope(href("d.vmdk")), "secret": b"", "package-2/d.vmdk": b""})
        link = tmp_path / "package" / "d.vmdk"
        for target in ("../secret", "/etc/passwd", "../package-2/d.vmdk", "../absent"):
            link.symlink_to(target)
            refused("'d.vmdk' leads out of .*package'", path)
            link.unlink()
        link.symlink_to("d.vmdk")
        refused("can't be read: Too many levels", path)

    def test_a_link_within_the_folder(self, folder, tmp_path):
        path = folder({"vm.ovf": envelope(href("d.vmdk")), "disks/4711": b"disk"})
        (tmp_path / "d.vmdk").symlink_to("disks/4711")
        assert names(open_package([path])) == ["vm.ovf", "d.vmdk"]

    def test_a_linked_folder(self, folder, tmp_path):
        path = folder({"package/vm.ovf": envelope(href("disks/d.vmdk")), "other/d.vmdk": b"disk"})
        (tmp_path / "package" / "disks").symlink_to("../other")
        refused("leads out of", path)


class TestChunks:
    def chunked(self, folder, chunks, **attributes):
        files = {f"d.vmdk.{number:09}": content for number, content in chunks.items()}
        return folder({"vm.ovf": envelope(href("d.vmdk", chunkSize=3, **attributes)), **files})

    def test_all(self, folder):
        path = self.chunked(folder, {0: b"123", 1: b"456", 2: b"7"}, size=7)
        expected = ["vm.ovf", "d.vmdk.000000000", "d.vmdk.000000001", "d.vmdk.000000002"]
        assert names(open_package([path])) == expected

    def test_digests(self, folder):
        path = self.chunked(folder, {0: b"123", 1: b"4"}, size=4)
        folder({"vm.mf": manifest({"d.vmdk.000000001": b"4"})})
        assert open_package([path]).files[-1].checksum.value == hashlib.sha256(b"4").hexdigest()

    @pytest.mark.parametrize("present", [{0: b"123"}, {0: b"123", 2: b"7"}])
    def test_a_missing_one(self, folder, present):
        refused(r"'d\.vmdk\.000000001' is missing", self.chunked(folder, present, size=7))

    def test_a_size_that_is_none(self, folder):
        path = self.chunked(folder, {0: b"123"}, size="9" * 5000)
        assert names(open_package([path])) == ["vm.ovf", "d.vmdk.000000000"]

    def test_a_file_that_was_left_whole(self, folder):
        path = folder({"vm.ovf": envelope(href("d.vmdk", chunkSize=3)), "d.vmdk": b"1234567"})
        assert names(open_package([path])) == ["vm.ovf", "d.vmdk"]


class TestDescriptorsThatAreNone:
    @pytest.mark.parametrize(
        "text",
        [
            b"\0",
            b"not XML",
            b"<Envelope>",
            b"<Envelope/><Envelope/>",
            b"<domain/>",
            b"<?xml version='1.0' encoding='x'?><a/>",
        ],
    )
    def test_garbage(self, folder, text):
        refused("is not an OVF descriptor", folder({"vm.ovf": text}))

    def test_cut_off(self, folder):
        refused("is not an OVF descriptor", folder({"vm.ovf": envelope(href("d"))[:-20], "d": b""}))

    @pytest.mark.parametrize(
        "doctype",
        [
            "<!DOCTYPE Envelope>",
            '<!DOCTYPE Envelope SYSTEM "file:///etc/passwd">',
            '<!DOCTYPE Envelope [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
            '<!DOCTYPE Envelope [<!ENTITY % a SYSTEM "file:///etc/passwd">%a;]>',
        ],
    )
    def test_a_document_type(self, folder, doctype):
        text = envelope(href("d")).decode().replace("\n", "\n" + doctype).encode()
        refused("is not an OVF descriptor", folder({"vm.ovf": text, "d": b""}))

    @pytest.mark.parametrize(
        ("what", "text"),
        [
            (
                "250000 elements, 250000 attributes or 100 levels",
                b"<Envelope>" + b"<a>" * _descriptor.MAX_DEPTH + b"</a>" * _descriptor.MAX_DEPTH,
            ),
            ("250000 elements", b"<Envelope>" + b"<a/>" * _descriptor.MAX_ELEMENTS + b"</Envelope>"),
            ("250000 elements, 250000 attributes", b"<Envelope>" + b"<a b='' c='' d=''/>" * 90_000 + b"</Envelope>"),
            ("10000 attributes in one", b"<Envelope " + b" ".join(b'a%d=""' % n for n in range(20_000)) + b"/>"),
            ("10000 references", envelope(*["ovf:href='d'"] * (_descriptor.MAX_REFERENCES + 2))),
        ],
        ids=["depth", "elements", "attributes", "attributes of one", "references"],
    )
    def test_more_than_one_may_have(self, folder, what, text):
        refused(f"has more than {what}.* too much for a descriptor", folder({"vm.ovf": text, "d": b""}))

    def test_too_large(self, folder):
        path = folder({"vm.ovf": b""})
        os.truncate(path, _descriptor.MAX_DESCRIPTOR + 1)
        refused("too much for a descriptor", path)


class TestManifests:
    def with_manifest(self, folder, text):
        return folder({"vm.ovf": envelope(href("disk (1).vmdk")), "disk (1).vmdk": b"disk", "vm.mf": text})

    @pytest.mark.parametrize("algorithm", ["SHA256", "SHA1", "SHA512", "MD5", "sha256"])
    @pytest.mark.parametrize("form", ["{}({})= {}", "{} ({}) = {}\r", "  {}({})={}  ", "\n\n{}({})= {}\n\n"])
    def test_forms(self, folder, algorithm, form):
        digest = hashlib.new(algorithm.lower(), b"disk").hexdigest()
        path = self.with_manifest(folder, form.format(algorithm, "disk (1).vmdk", digest.upper()).encode())
        assert open_package([path]).files[-1].checksum == Checksum(algorithm.upper(), digest)

    def test_a_byte_order_mark(self, folder):
        path = self.with_manifest(folder, b"\xef\xbb\xbf" + manifest({"disk (1).vmdk": b"disk"}))
        assert open_package([path]).files[-1].checksum

    def test_a_file_without_digest(self, folder):
        assert open_package([self.with_manifest(folder, b"")]).files[-1].checksum is None

    def test_a_changed_descriptor(self, folder):
        path = self.with_manifest(folder, manifest({"vm.ovf": b"another"}))
        refused(r"'vm\.ovf' differs from its SHA256 digest in 'vm\.mf'", path)

    @pytest.mark.parametrize("line", ["# comment", "SHA256(vm.ovf)", "\x1b[0m", "0" * 64 + "  vm.ovf", "SHA1()= 12"])
    def test_nothing_in_it_is_a_digest(self, folder, line):
        refused("'vm.mf' is not a manifest: it has", self.with_manifest(folder, line.encode()))

    def test_a_digest_that_is_cut_off(self, folder):
        refused("'vm.mf' is damaged: its SHA256 digest of 'vm.ovf'", self.with_manifest(folder, b"SHA256(vm.ovf)= 12"))

    def test_two_digests_of_which_one_is_wrong(self, folder):
        text = manifest({"vm.ovf": b"1"}) + manifest({"vm.ovf": b"2"})
        refused("'vm.mf' has two SHA256 digests of 'vm.ovf'", self.with_manifest(folder, text))

    def test_not_utf_8(self, folder):
        refused("is not a manifest", self.with_manifest(folder, b"\xff\xfe\0"))

    @pytest.mark.parametrize(("name", "role"), [("vm.mf", "manifest"), ("vm.cert", "certificate")])
    def test_too_large(self, folder, name, role):
        path = folder({"vm.ovf": envelope(), name: b""})
        os.truncate(os.path.join(os.path.dirname(path), name), _ovf.MAX_METADATA + 1)
        refused(f"too much for a {role}", path)


class TestOva:
    @pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    def test_three_disks_read_in_place(self, tmp_path, tar_format):
        contents = {"vm.ovf": envelope(*map(href, DISKS)), **DISKS}
        members = {**contents, "vm.mf": manifest(contents), "vm.cert": b"certificate"}
        path = ova(tmp_path / "a.ova", members, tar_format)
        package = open_package([path])
        assert (package.type, names(package)) == ("ovf", ["vm.mf", "vm.cert", "vm.ovf", *DISKS])
        assert {file.name: content_of(file) for file in package.files} == members
        assert {file.path for file in package.files} == {path}
        assert {file.name for file in package.files if file.checksum} == set(contents)

    def test_the_descriptor_need_not_be_first_and_what_nothing_refers_to_stays_out(self, tmp_path):
        members = {"._vm.ovf.txt": b"", "./vm-disk1.vmdk": b"1", "./vm.ovf": envelope(href("vm-disk1.vmdk"))}
        assert names(open_package([ova(tmp_path / "a.ova", members)])) == ["vm.ovf", "vm-disk1.vmdk"]

    @pytest.mark.parametrize("tar_format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    def test_long_names_with_umlauts(self, tmp_path, tar_format):
        name = "Prüf VM " * 20 + ".vmdk"
        members = {"vm.ovf": envelope(href(quote(name))), name: b"disk", "after": b""}
        package = open_package([ova(tmp_path / "a.ova", members, tar_format)])
        assert content_of(package.files[1]) == b"disk"
        assert names(package) == ["vm.ovf", name]

    @pytest.mark.parametrize("tar_format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    def test_a_disk_of_more_than_8_gib(self, tmp_path, tar_format):
        path = ova(tmp_path / "a.ova", {"vm.ovf": envelope(href("d.vmdk"))}, tar_format)
        header = tarfile.TarInfo("d.vmdk")
        header.size = 9 << 30
        with open(path, "r+b") as archive:
            archive.seek(-(-os.path.getsize(path) // 10240) * 10240 - 10240 + 2 * 512)
            archive.write(header.tobuf(tar_format))
            archive.truncate(archive.tell() + header.size)  # sparse on disk
        assert open_package([path]).files[1].size == header.size

    def test_no_end_marker(self, tmp_path):
        path = ova(tmp_path / "a.ova", {"vm.ovf": envelope()})
        os.truncate(path, 512 + 512)
        assert names(open_package([path])) == ["vm.ovf"]

    @pytest.mark.parametrize("size", [100, 1024 + 100, 1024 + 512 + 100])
    def test_cut_off(self, tmp_path, size):
        path = ova(tmp_path / "a.ova", {"vm.ovf": envelope(href("d.vmdk")), "d.vmdk": b"disk" * 1000})
        os.truncate(path, size)
        refused("is cut off|is no tar archive|is damaged at byte", path)

    def test_damaged_in_the_middle(self, tmp_path):
        path = ova(tmp_path / "a.ova", {"vm.ovf": envelope(), "d.vmdk": b"disk"})
        with open(path, "r+b") as archive:
            archive.seek(1024)
            archive.write(b"X")
        refused("damaged at byte 1024", path)

    @pytest.mark.parametrize("content", [b"text", b"text" * 1000, b"\0" * 100 + b"text"])
    def test_not_a_tar(self, folder, content):
        refused("is no tar archive", folder({"a.ova": content}))

    @pytest.mark.parametrize("members", [{}, {"a.txt": b""}, {"._a.ovf": envelope()}, {"a\nb": envelope()}])
    def test_no_descriptor(self, tmp_path, members):
        refused("has no descriptor", ova(tmp_path / "a.ova", members))

    def test_two_descriptors(self, tmp_path):
        path = ova(tmp_path / "a.ova", {"a.ovf": envelope(), "b.ovf": envelope()})
        refused("has 2 descriptors .*'a.ovf', 'b.ovf'", path)

    def test_a_reference_that_is_no_member(self, tmp_path):
        path = ova(tmp_path / "a.ova", {"vm.ovf": envelope(href("d.vmdk"))})
        (tmp_path / "d.vmdk").write_bytes(b"beside the archive")
        refused("'d.vmdk', which is missing", path)

    @pytest.mark.parametrize("name", ["../vm.ovf", "/vm.ovf", "a/../vm.ovf", "a\\b.ovf", "a\nb.ovf"])
    def test_names_with_paths(self, tmp_path, name):
        refused("can't be the name of a file", ova(tmp_path / "a.ova", {name: envelope()}))

    @pytest.mark.parametrize(
        "kind",
        [
            tarfile.DIRTYPE,
            tarfile.SYMTYPE,
            tarfile.LNKTYPE,
            tarfile.CHRTYPE,
            tarfile.BLKTYPE,
            tarfile.FIFOTYPE,
            tarfile.GNUTYPE_SPARSE,
            b"Z",
        ],
    )
    def test_what_is_referred_to_and_no_plain_file(self, tmp_path, kind):
        header = tarfile.TarInfo("d.vmdk")
        header.type, header.linkname = kind, "/etc/passwd"
        refused("'d.vmdk' in .* not a plain file", self.with_header(tmp_path, header, tarfile.GNU_FORMAT))

    def test_a_sparse_member_in_pax_form(self, tmp_path):
        header = tarfile.TarInfo("d.vmdk")
        header.pax_headers = {"GNU.sparse.major": "1"}
        refused("'d.vmdk' in .* is a sparse file", self.with_header(tmp_path, header, tarfile.PAX_FORMAT))

    @staticmethod
    def with_header(tmp_path, header, tar_format):
        path = ova(tmp_path / "a.ova", {"vm.ovf": envelope(href("d.vmdk"))}, tar_format)
        with open(path, "r+b") as archive:
            archive.seek(1024)
            archive.write(header.tobuf(tar_format) + bytes(1024))
        return path

    @pytest.mark.parametrize("twice", ["vm.ovf", "d.vmdk"])
    def test_a_name_twice(self, tmp_path, twice):
        members = {"vm.ovf": envelope(href("d.vmdk")), "d.vmdk": b"", "./" + twice: b""}
        refused(f"'{twice}' is in .* 2 times", ova(tmp_path / "a.ova", members))

    @pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
    def test_a_huge_extension_header(self, tmp_path, kind):
        header = tarfile.TarInfo("x")
        header.type, header.size = kind, 4 << 30
        path = tmp_path / "a.ova"
        path.write_bytes(header.tobuf(tarfile.GNU_FORMAT))
        os.truncate(path, 512 + header.size)
        refused("has an extension header of 4294967296 bytes", str(path))

    def test_a_damaged_extension_header(self, tmp_path):
        header = tarfile.TarInfo("x")
        header.type, header.size = tarfile.XHDTYPE, 12
        path = tmp_path / "a.ova"
        for records in (b"13 path=vm.o", b"0 path=vm.ov", b"path=vm.ovf\n", b"5 path=vm.ov"):
            path.write_bytes(header.tobuf(tarfile.GNU_FORMAT) + records.ljust(512, b"\0"))
            refused("damaged extension header", str(path))

    def test_a_negative_size(self, tmp_path):
        header = bytearray(tarfile.TarInfo("vm.ovf").tobuf(tarfile.GNU_FORMAT))
        header[124:136] = b"\xff" * 12
        header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * ord(" ") + sum(header[156:]))
        path = tmp_path / "a.ova"
        path.write_bytes(bytes(header) + bytes(1024))
        refused("cut off", str(path))

    def test_too_many_members(self, tmp_path, monkeypatch):
        monkeypatch.setattr(_tar, "MAX_HEADERS", 5)
        refused("more than 5 headers", ova(tmp_path / "a.ova", {f"file{n}": b"" for n in range(6)}))

    def test_an_ova_is_a_source_of_its_own(self, tmp_path, folder):
        path = ova(tmp_path / "a.ova", {"vm.ovf": envelope()})
        refused("give each one an item of its own", [path, folder({"b.iso": b""})])
        refused(r"checksum: .*single", path, Checksum("SHA256", SHA256))

    def test_only_headers_and_metadata_are_read(self, tmp_path, monkeypatch):
        path = ova(tmp_path / "a.ova", {"vm.ovf": envelope(href("d.vmdk")), "d.vmdk": bytes(5_000_000)})
        sizes = []
        pread = os.pread
        monkeypatch.setattr(os, "pread", lambda fd, size, offset: sizes.append(size) or pread(fd, size, offset))
        open_package([path])
        assert sum(sizes) < 5000


class TestPathsOfTheOption:
    """What src may be. ansible-core hands it on as it is."""

    @pytest.mark.parametrize("name", ["win, server (2025).iso", "a,b.iso", ",", "a,,b", "b.iso,c.iso,"])
    def test_a_string_that_names_a_file_is_that_file(self, folder, name):
        path = folder({name: b""})
        assert source_paths(path) == [path]

    def test_also_where_its_parts_are_files(self, folder, tmp_path, monkeypatch):
        folder({"a.iso,b.iso": b"", "a.iso": b"", "b.iso": b""})
        monkeypatch.chdir(tmp_path)
        assert source_paths("a.iso,b.iso") == ["a.iso,b.iso"]
        os.remove("a.iso,b.iso")
        assert source_paths("a.iso,b.iso") == ["a.iso", "b.iso"]

    @pytest.mark.parametrize("src", ["/iso/win, server.iso", "a.iso,b.iso", "a.iso,"])
    def test_neither_a_file_nor_several(self, folder, tmp_path, monkeypatch, src):
        folder({"a.iso": b""})
        monkeypatch.chdir(tmp_path)
        with pytest.raises(
            InvalidArgument, match=r"is no file .*, and where its commas .* write several paths as a list"
        ):
            source_paths(src)

    def test_a_list_stays_one(self, folder):
        paths = [folder({"a,b.iso": b""}), "c,d.iso"]
        assert source_paths(paths) == paths
        assert source_paths([]) == []

    def test_variables_and_the_home_folder(self, tmp_path, monkeypatch, folder):
        folder({"my, disk.iso": b""})
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("ISO_FOLDER", str(tmp_path))
        for src in ("~/my, disk.iso", "$ISO_FOLDER/my, disk.iso", ["~/my, disk.iso"]):
            assert source_paths(src) == [str(tmp_path / "my, disk.iso")]
        assert source_paths("~/x") == [str(tmp_path / "x")]

    def test_numbers_are_names_as_in_any_path(self):
        assert source_paths(42) == ["42"]
        assert source_paths([42, "a"]) == ["42", "a"]

    @pytest.mark.parametrize("src", [{"a": "b"}, [["a"]], [{"path": "a"}], [None], True])
    def test_what_is_no_path(self, src):
        with pytest.raises(InvalidArgument, match="neither a path nor a list of paths"):
            source_paths(src)
