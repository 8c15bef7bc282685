# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is planned and predicted without a server; test_library_item.py has what is sent."""

from __future__ import annotations

import hashlib

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import Checksum
from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._content_plan import (
    REMOVED,
    UPLOADED,
    FileChange,
    compare,
    contradicts,
    pull_spec,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import read
from ansible_collections.vsphere.content_library.plugins.module_utils._packages import Package
from ansible_collections.vsphere.content_library.plugins.module_utils._publish_content import Content, predict
from ansible_collections.vsphere.content_library.plugins.module_utils._source_files import open_file
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Services, Task
from ansible_collections.vsphere.content_library.tests.unit.plugins.library_wire import item_file
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import HOST, ITEM, TOKEN

SHA1 = hashlib.sha1(b"content", usedforsecurity=False).hexdigest()
SHA256 = hashlib.sha256(b"content").hexdigest()
OTHER = "0" * 40
URL = "https://files.example.com/a/tools.iso"


def params_of(**params):
    defaults = dict(src=None, url=None, ssl_thumbprint=None, checksum=None, purge=True, force=False)
    return {**defaults, "warning_behavior": None, **params}


def existing(*files):
    return [read("LibraryItemFile", file) for file in files]


def removed(plan):
    return [change.name for change in plan.having(REMOVED)]


def sent(plan):
    return [change.name for change in plan.having(UPLOADED)]


@pytest.fixture
def package(tmp_path):
    """Makes a package of files with the content b"content", by name and role."""

    def make(**roles):
        files = []
        for name, role in roles.items():
            path = tmp_path / name
            path.write_bytes(b"content")
            files.append(open_file(str(path))._replace(role=role))
        return Package(None, tuple(files))

    return make


@pytest.fixture
def iso(package):
    return package(**{"tools.iso": "content"})


@pytest.fixture
def ovf(package):
    roles = {"a.mf": "manifest", "a.cert": "certificate", "a.ovf": "descriptor", "1.vmdk": "content"}
    return package(**roles, **{"2.vmdk": "content"})


def actions(plan):
    return [(change.name, change.action) for change in plan.changes]


# Rows of the result


def test_a_row():
    change = FileChange("tools.iso", UPLOADED, 7, Checksum("SHA1", "0a"), verified=True, seconds=0.12345)
    assert change.row == {
        "name": "tools.iso",
        "size": 7,
        "checksum": "sha1:0a",
        "checksum_verified": True,
        "action": "uploaded",
        "seconds": 0.123,
    }


# url


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://files.example.com/a/tools.iso", "tools.iso"),
        ("http://user:secret@files.example.com:8080/tools.iso?v=2#x", "tools.iso"),
        ("https://files.example.com/gr%C3%B6%C3%9Fe%20(1).iso", "größe (1).iso"),
        ("ds:///vmfs/volumes/uuid/tools.iso", "tools.iso"),
        ("file:///var/tmp/tools.iso", "tools.iso"),
    ],
)
def test_a_pull(url, name):
    spec = pull_spec(params_of(url=url))
    assert spec == {"name": name, "source_type": "PULL", "source_endpoint": {"uri": url}}


def test_a_pull_with_thumbprint_and_checksum():
    spec = pull_spec(params_of(url=URL, ssl_thumbprint="AA:BB", checksum=f"sha1:{SHA1}"))
    assert spec["source_endpoint"] == {"uri": URL, "ssl_certificate_thumbprint": "AA:BB"}
    assert spec["checksum_info"] == {"algorithm": "SHA1", "checksum": SHA1}


def test_a_pull_of_a_file_with_a_name():
    assert pull_spec(params_of(url="https://files.example.com/?id=3"), "a.iso")["name"] == "a.iso"


@pytest.mark.parametrize(
    "url",
    [
        "tools.iso",
        "/var/tmp/tools.iso",
        "ftp://files.example.com/tools.iso",
        "https:///tools.iso",
        "https://files.example.com",
        "https://files.example.com/a/",
        "https://[files.example.com/tools.iso",
    ],
)
def test_what_can_not_be_pulled(url):
    with pytest.raises(InvalidArgument, match="url"):
        pull_spec(params_of(url=url))


# src


@pytest.mark.parametrize(
    ("file", "same"),
    [
        (item_file(checksum=SHA1), True),
        (item_file(checksum=SHA1.upper()), True),
        # The checksum decides alone, whatever the size.
        (item_file(size=0, checksum=SHA1), True),
        (item_file(checksum=OTHER), False),
        (item_file(checksum_info={"algorithm": "SHA256", "checksum": SHA256}), True),
        (item_file(checksum_info={"algorithm": "SHA256", "checksum": OTHER}), False),
        (item_file(checksum_info={"checksum": SHA1}), True),
        # Without one, or with one that can't be checked, the size.
        (item_file(), True),
        (item_file(checksum_info={"algorithm": "CRC32", "checksum": "0a"}), True),
        (item_file(size=8), False),
        # Not cached.
        (item_file(size=0), False),
        (item_file(size=None), False),
    ],
)
def test_a_file_is_compared(iso, file, same):
    plan = compare(params_of(src=["tools.iso"]), iso, existing(file))
    assert plan.differs is not same
    assert actions(plan) == [("tools.iso", "unchanged" if same else "uploaded")]


@pytest.mark.parametrize(("checksum", "verified"), [(SHA1, True), (None, False)])
def test_what_is_unchanged_tells_whether_that_is_certain(iso, checksum, verified):
    [change] = compare(params_of(src=["tools.iso"]), iso, existing(item_file(checksum=checksum))).changes
    assert (change.verified, change.row["checksum"]) == (verified, checksum and f"sha1:{checksum}")


def test_an_item_without_files_lacks_all(ovf):
    plan = compare(params_of(src=["a.ovf"]), ovf, [])
    assert sent(plan) == ["a.mf", "a.cert", "a.ovf", "1.vmdk", "2.vmdk"]


def test_nothing_is_read_that_the_item_does_not_have(tmp_path, iso):
    (tmp_path / "tools.iso").unlink()
    assert sent(compare(params_of(src=["tools.iso"]), iso, [])) == ["tools.iso"]


def test_manifest_and_certificate_are_not_compared(ovf):
    has = existing(*[item_file(name, checksum=SHA1) for name in ("a.ovf", "1.vmdk", "2.vmdk")])
    assert not compare(params_of(src=["a.ovf"]), ovf, has).differs


def test_metadata_goes_with_whatever_is_sent(ovf):
    has = existing(item_file("a.ovf", checksum=SHA1), item_file("1.vmdk", checksum=SHA1), item_file("2.vmdk", size=1))
    plan = compare(params_of(src=["a.ovf"]), ovf, has)
    assert sent(plan) == ["a.mf", "a.cert", "a.ovf", "2.vmdk"]
    assert [change.name for change in plan.changes if change.action == "unchanged"] == ["1.vmdk"]


def test_force_sends_all(ovf):
    has = existing(*[item_file(name, checksum=SHA1) for name in ("a.ovf", "1.vmdk", "2.vmdk")])
    plan = compare(params_of(src=["a.ovf"], force=True), ovf, has)
    assert actions(plan) == [(name, "uploaded") for name in ("a.mf", "a.cert", "a.ovf", "1.vmdk", "2.vmdk")]


@pytest.mark.parametrize("purge", [True, False])
def test_what_the_source_does_not_have_is_removed_if_asked(iso, purge):
    has = existing(item_file(checksum=SHA1), item_file("old.iso"))
    plan = compare(params_of(src=["tools.iso"], purge=purge), iso, has)
    assert removed(plan) == ["old.iso"] * purge
    assert plan.differs is purge
    assert sent(plan) == []


@pytest.mark.parametrize(
    ("checksum", "told"),
    [
        (f"sha1:{SHA1}", SHA1),
        (f"sha256:{SHA256}", SHA1),
        (f"sha256:{SHA256}", None),
    ],
)
def test_the_checksum_of_an_unchanged_file(tmp_path, iso, checksum, told):
    algorithm, _colon, value = checksum.partition(":")
    source = Package(None, (iso.files[0]._replace(checksum=Checksum(algorithm.upper(), value)),))
    has = existing(item_file(checksum=told))
    assert not compare(params_of(src=["tools.iso"], checksum=checksum), source, has).differs


@pytest.mark.parametrize("told", [SHA1, None])
@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256"])
def test_a_wrong_checksum_of_an_unchanged_file(iso, algorithm, told):
    source = Package(None, (iso.files[0]._replace(checksum=Checksum(algorithm, OTHER)),))
    with pytest.raises(InvalidArgument, match="checksum: "):
        compare(params_of(src=["tools.iso"], checksum="x"), source, existing(item_file(checksum=told)))


# url against what the item has


@pytest.mark.parametrize(
    ("reported", "asked", "result"),
    [
        (Checksum("SHA1", "0a"), Checksum("SHA1", "0b"), True),
        (Checksum("SHA1", "0a"), Checksum("SHA1", "0a"), False),
        (Checksum("SHA1", "0a"), Checksum("SHA256", "0b"), False),
        (None, Checksum("SHA1", "0a"), False),
        (Checksum("SHA1", "0a"), None, False),
    ],
)
def test_checksums_contradict_each_other(reported, asked, result):
    assert contradicts(reported, asked) is result


@pytest.mark.parametrize(
    ("files", "more", "wanted"),
    [
        ([], {}, ["pulled"]),
        ([item_file()], {}, ["unchanged"]),
        ([item_file()], {"force": True}, ["pulled"]),
        ([item_file(checksum=SHA1)], {"checksum": f"sha1:{SHA1}"}, ["unchanged"]),
        ([item_file(checksum=OTHER)], {"checksum": f"sha1:{SHA1}"}, ["pulled"]),
        # What can't be compared does not differ.
        ([item_file()], {"checksum": f"sha1:{SHA1}"}, ["unchanged"]),
        ([item_file(checksum=OTHER)], {"checksum": f"sha256:{SHA256}"}, ["unchanged"]),
    ],
)
def test_a_pull_is_compared(files, more, wanted):
    plan = compare(params_of(url=URL, **more), Package("iso", ()), existing(*files))
    assert actions(plan) == [("tools.iso", action) for action in wanted]
    assert plan.differs is (wanted == ["pulled"])


@pytest.mark.parametrize("has", [True, False])
@pytest.mark.parametrize("purge", [True, False])
def test_another_file_of_the_item_is_no_reason_to_leave_a_new_url_unpulled(has, purge):
    files = existing(item_file("v1.iso"), *[item_file()] * has)
    plan = compare(params_of(url=URL, purge=purge), Package("iso", ()), files)
    assert removed(plan) == ["v1.iso"] * purge
    assert [(change.name, change.action) for change in plan.changes if change.action != "removed"] == [
        ("tools.iso", "unchanged" if has else "pulled")
    ]


@pytest.mark.parametrize("name", ["new.ovf", "new.OVA"])
@pytest.mark.parametrize(("force", "pulls"), [(True, True), (False, False)])
def test_of_a_package_that_is_pulled_nothing_tells_whether_the_item_has_it(name, force, pulls):
    files = existing(item_file("disk.vmdk"), item_file("old.ovf"))
    params = params_of(url=f"https://files.example.com/{name}", force=force)
    plan = compare(params, Package("ovf", ()), files)
    kept = [("disk.vmdk", "unchanged"), ("old.ovf", "unchanged")]
    assert actions(plan) == ([(name, "pulled")] if pulls else kept)


# Check mode


def predicted(params, source, has):
    client = VCenterClient(HOST, session_id=TOKEN)
    task = Task(params, True, Services(client))
    content = Content(compare(params, source, has))
    predict(task, content, ITEM)
    return task.operations, content


def test_a_push_is_predicted(ovf):
    has = existing(item_file("old.vmdk", size=3), item_file("a.ovf", checksum=SHA1), item_file("1.vmdk", checksum=SHA1))
    operations, content = predicted(params_of(src=["a.ovf"]), ovf, has)
    assert operations == ["create", "remove_file", *["add_file", "upload"] * 4, "complete"]
    assert actions(content) == [
        ("1.vmdk", "unchanged"),
        ("old.vmdk", "removed"),
        ("a.mf", "uploaded"),
        ("a.cert", "uploaded"),
        ("a.ovf", "uploaded"),
        ("2.vmdk", "uploaded"),
    ]
    assert sorted(content.after) == ["1.vmdk", "2.vmdk", "a.ovf"]
    assert sorted(content.plan.before) == ["1.vmdk", "a.ovf", "old.vmdk"]
    assert {key: content.update_session[key] for key in ("id", "library_item_id", "state")} == {
        "id": None,
        "library_item_id": ITEM,
        "state": "DONE",
    }


def test_a_pull_is_predicted():
    operations, content = predicted(params_of(url=URL), Package("iso", ()), [])
    assert operations == ["create", "add_file", "complete"]
    assert actions(content) == [("tools.iso", "pulled")]
    assert content.changes[0].size is None
    assert list(content.after) == ["tools.iso"]


def test_a_removal_is_predicted(iso):
    operations, content = predicted(
        params_of(src=["tools.iso"]), iso, existing(item_file(checksum=SHA1), item_file("old.iso", size=3))
    )
    assert operations == ["create", "remove_file", "complete"]
    assert actions(content) == [("tools.iso", "unchanged"), ("old.iso", "removed")]
    assert list(content.after) == ["tools.iso"]
