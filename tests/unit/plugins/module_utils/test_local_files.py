# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files are written whole or not at all, and what is in the way is told before."""

from __future__ import annotations

import errno
import fcntl
import os
import stat

import pytest
from ansible.module_utils.basic import AnsibleModule
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.vsphere.content_library.plugins.module_utils import _file_attributes as file_attributes
from ansible_collections.vsphere.content_library.plugins.module_utils import _local_files as local_files
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    ResourceInaccessible,
    UnableToAllocateResource,
)

NOTHING = file_attributes.Attributes(None, None, None, 0o022)


def interrupted_after(call, *args):
    call(*args)
    raise KeyboardInterrupt


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_is_there_only_once_it_is_kept(tmp_path):
    path = tmp_path / "tools.iso"
    path.write_bytes(b"old")
    with local_files.TemporaryFile(str(path)) as file:
        file.write(b"new", 0)
        file.write(b"er", 3)
        assert path.read_bytes() == b"old"
        assert len(names(tmp_path)) == 2
        file.keep(NOTHING)
    assert path.read_bytes() == b"newer"
    assert names(tmp_path) == ["tools.iso"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "tools.iso"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), local_files.TemporaryFile(str(path)) as file:
        interrupted_after(file.write, b"new", 0)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["tools.iso"]


def test_it_begins_again(tmp_path):
    with local_files.TemporaryFile(str(tmp_path / "a")) as file:
        file.write(b"a long beginning", 0)
        file.truncate()
        file.write(b"end", 0)
        file.keep(NOTHING)
    assert (tmp_path / "a").read_bytes() == b"end"


def test_a_full_disk_is_told_as_such(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    told = pytest.raises(UnableToAllocateResource, match=r"a\.iso.*No space left")
    with told, local_files.TemporaryFile(str(tmp_path / "a.iso")) as file:
        file.write(b"x", 0)
    assert names(tmp_path) == []


@pytest.mark.parametrize("held", [True, False])
def test_what_nobody_holds_is_removed(tmp_path, held):
    left = tmp_path / ".content-library-x.part"
    left.write_bytes(b"half")
    other = tmp_path / ".content-library.cfg"
    other.write_bytes(b"no temporary file")
    with open(left, "rb") as file:
        if held:
            fcntl.flock(file, fcntl.LOCK_EX)
        local_files.remove_abandoned(str(tmp_path))
        assert left.exists() == held
    assert other.exists()


def test_a_link_that_looks_abandoned_is_left_alone(tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"of somebody")
    link = tmp_path / ".content-library-x.part"
    link.symlink_to(target)
    local_files.remove_abandoned(str(tmp_path))
    assert target.exists()
    assert link.is_symlink()


def test_folders_are_made_with_their_parents_and_go_after_a_failure(tmp_path):
    folder = tmp_path / "a" / "b"
    with pytest.raises(KeyboardInterrupt), local_files.folder_for(str(folder)):
        interrupted_after(folder.stat)
    assert names(tmp_path) == []
    with local_files.folder_for(str(folder)):
        (folder / "file").touch()
    with pytest.raises(KeyboardInterrupt), local_files.folder_for(str(folder)):
        interrupted_after(folder.stat)
    assert (folder / "file").exists()


def test_a_folder_below_a_file_can_not_be_made(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(ResourceInaccessible, match="can't be created"),
        local_files.folder_for(str(tmp_path / "file/a")),
    ):
        pytest.fail("it was made")


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\0b", ".content-library-a.part"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path, name):
    with pytest.raises(InvalidArgument, match="file"):
        local_files.check_names(str(tmp_path), ["good", name])


def test_a_name_that_the_folder_can_not_hold_is_refused(tmp_path):
    with pytest.raises(InvalidArgument, match="255 bytes"):
        local_files.check_names(str(tmp_path / "not" / "there"), ["ü" * 128])
    local_files.check_names(str(tmp_path), ["ü" * 127])


def test_names_that_differ_in_case_are_refused_where_that_is_one_file(tmp_path, monkeypatch):
    local_files.check_names(str(tmp_path), ["a.iso", "A.iso"])
    monkeypatch.setattr(local_files, "_ignores_case", lambda folder: True)
    with pytest.raises(InvalidArgument, match="ignores case"):
        local_files.check_names(str(tmp_path), ["a.iso", "A.iso"])


def test_case_is_told_by_what_is_there(tmp_path):
    folder = tmp_path / "Folder" / "1"
    folder.mkdir(parents=True)
    assert not local_files._ignores_case(str(folder))
    # What a file system that ignores case would show: one file by two names.
    (folder / "a").touch()
    (folder / "2").touch()
    assert not local_files._ignores_case(str(folder))
    os.link(folder / "a", folder / "A")
    assert local_files._ignores_case(str(folder))


def test_case_is_told_by_the_parents_of_an_empty_folder(tmp_path, monkeypatch):
    folder = tmp_path / "Folder" / "1"
    folder.mkdir(parents=True)
    seen = []
    monkeypatch.setattr(local_files, "_is_same", lambda path, other: seen.append((path, other)) or True)
    assert local_files._ignores_case(str(folder))
    assert seen == [(str(tmp_path / "Folder"), str(tmp_path / "fOLDER"))]


@pytest.mark.parametrize("kind", ["directory", "link", "pipe"])
def test_what_is_in_the_way_is_told_before(tmp_path, kind):
    path = tmp_path / "a.iso"
    {"directory": path.mkdir, "link": lambda: path.symlink_to("b"), "pipe": lambda: os.mkfifo(path)}[kind]()
    with pytest.raises(InvalidArgument, match=str(path)):
        local_files.check_places(str(tmp_path), ["a.iso"])


def test_a_folder_that_is_none_is_told_before(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InvalidArgument, match="no directory"):
        local_files.check_names(str(tmp_path / "file"), ["a"])


def test_a_link_to_nothing_is_no_folder(tmp_path):
    (tmp_path / "link").symlink_to("nothing")
    with pytest.raises(InvalidArgument, match="no directory"):
        local_files.check_names(str(tmp_path / "link"), ["a"])


def test_too_little_space_is_told_before(tmp_path):
    with pytest.raises(UnableToAllocateResource, match="bytes free"):
        local_files.check_room(str(tmp_path / "a"), 1 << 60)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_can_not_be_written_is_told_before(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ResourceInaccessible, match="permission denied"):
        local_files.check_writable(str(tmp_path))


@pytest.mark.parametrize(
    ("wanted", "before", "after"),
    [
        ("0640", 0o777, 0o640),
        ("755", 0, 0o755),
        ("0o600", 0, 0o600),
        (0o644, 0, 0o644),
        ("u=rw,g=r,o=", 0o777, 0o640),
        ("a+x", 0o644, 0o755),
        ("+x", 0o644, 0o755),
        ("go-rwx", 0o777, 0o700),
        ("u+s,o+t", 0o755, 0o5755),
        ("u=rwX", 0o044, 0o644),
        ("u=rwX,g+X", 0o011, 0o711),
        ("u-x+w", 0o500, 0o600),
    ],
)
def test_modes(wanted, before, after):
    assert file_attributes._mode(NOTHING._replace(mode=wanted), before) == after


@pytest.mark.parametrize("wanted", ["", "0888", "rw", "u=rwz", "77777", "u", "au=r", -1, 0o10000])
def test_a_mode_that_is_none_is_refused(wanted):
    with pytest.raises(InvalidArgument, match="mode"):
        file_attributes.wanted_attributes(wanted, None, None)


CLAUSES = st.from_regex("([ugo]{0,2}|a)([-+=][rwxXstugo]{0,3}){1,2}", fullmatch=True)


@given(st.lists(CLAUSES, min_size=1, max_size=3).map(",".join), st.integers(0, 0o7777))
def test_a_mode_means_what_it_means_to_ansible(wanted, before):
    """ansible.builtin.copy and this one read modes alike."""
    attributes = file_attributes.wanted_attributes(wanted, None, None)
    has = os.stat_result((stat.S_IFREG | before, *[0] * 9))
    assert file_attributes._mode(attributes, before) == AnsibleModule._symbolic_mode_to_octal(has, wanted)


@pytest.mark.parametrize("field", ["owner", "group"])
def test_who_does_not_exist_is_refused(field):
    with pytest.raises(InvalidArgument, match=field):
        file_attributes.wanted_attributes(**{"mode": None, "owner": None, "group": None, field: "nobody-of-this-name"})


def test_a_new_file_has_the_mode_that_the_umask_leaves_and_a_replaced_one_keeps_its_own(tmp_path):
    path = tmp_path / "a"
    before = os.umask(0o027)
    try:
        attributes = file_attributes.wanted_attributes(None, None, None)
        assert os.umask(0o022) == 0o027  # as it was, and not asked for again
    finally:
        os.umask(before)
    for wanted in (0o640, 0o604):
        with local_files.TemporaryFile(str(path)) as file:
            file.keep(attributes)
        assert stat.S_IMODE(path.stat().st_mode) == wanted
        path.chmod(0o604)


@pytest.mark.parametrize("may", [True, False])
def test_a_replaced_file_keeps_its_owner_where_that_is_allowed(tmp_path, monkeypatch, may):
    owners = []

    def chown(fd, uid, gid):
        owners.append((uid, gid))
        if not may:
            raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", chown)
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with local_files.TemporaryFile(str(path)) as file:
        file.write(b"new", 0)
        file.keep(NOTHING)
    assert path.read_bytes() == b"new"
    assert owners == [(path.stat().st_uid, path.stat().st_gid)]


def test_attributes_are_compared_and_applied(tmp_path):
    path = tmp_path / "a"
    path.touch(0o600)
    attributes = file_attributes.wanted_attributes("g+r", str(os.getuid()), str(os.getgid()))
    assert file_attributes.differ(str(path), attributes)
    file_attributes.apply(str(path), attributes)
    assert not file_attributes.differ(str(path), attributes)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
