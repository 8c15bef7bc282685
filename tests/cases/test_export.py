# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What library_item_export makes of a download that goes wrong: the right bytes or the old file, and nothing else."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import library_item_export
from tests.in_process import run
from tests.processes import start_module
from tests.simulator.process import SimulatorProcess

pytest_plugins = ["tests.simulator.fixtures"]

CONTENT = "".join(f"line {number}\n" for number in range(100_000))  # four blocks of the download
OLD = "what was there before"


class Export:
    """One export of an item with one big file, whose place has an old file."""

    def __init__(self, vcenter: SimulatorProcess, dialect: str, dest: Path) -> None:
        self.vcenter, self.dest, self.dialect = vcenter, dest, dialect
        self.item = vcenter.add_item("tools", type="iso", files={"tools.iso": CONTENT})
        (dest / "tools.iso").write_text(OLD)

    def fault(self, kind: str, count: int = 1, operation: str = "download", at: int = 1, **details: Any) -> None:
        fault = {"match": {"operation": operation}, "at": at, "count": count, "fault": {"kind": kind, **details}}
        self.vcenter.faults([fault])

    def arguments(self, **options: Any) -> dict[str, Any]:
        connection = dict(
            hostname=self.vcenter.host,
            port=self.vcenter.port,
            username=self.vcenter.username,
            password=self.vcenter.password,
            ca_path=self.vcenter.ca_path,
            api_endpoint=self.dialect,
            request_timeout=2,
        )
        return {**connection, "library_item_id": self.item, "dest": str(self.dest), **options}

    def start(self, *wrapper: str, **options: Any) -> subprocess.Popen[str]:
        """The module as Ansible starts it: in a Python of its own, with its arguments on standard input."""
        return start_module(library_item_export, self.arguments(**options), python=(*wrapper, sys.executable))

    def run(self, tokens_left: int = 0, **options: Any) -> Any:
        outcome = run(library_item_export, self.arguments(**options))
        state = self.vcenter.state()
        assert state["download_sessions"] == {}, "a download session was left behind"
        assert len(state["tokens"]) == tokens_left, "an API token was left behind"
        assert not self.temporary_files(), "a temporary file was left behind"
        return outcome

    def temporary_files(self) -> list[str]:
        return [name for name in os.listdir(self.dest) if name.startswith(".")]

    def downloads(self) -> list[dict[str, Any]]:
        return [request for request in self.vcenter.requests() if request["operation"] == "download"]

    def arrived(self, outcome: Any) -> None:
        assert not outcome.failed, outcome.result
        assert (self.dest / "tools.iso").read_text() == CONTENT
        assert outcome.result["files"][0]["checksum_verified"]

    def refused(self, outcome: Any, error_type: str, *texts: str) -> None:
        assert outcome.failed, outcome.result
        assert outcome.result["error_type"] == error_type, outcome.result
        for text in texts:
            assert text in outcome.result["msg"]
        assert (self.dest / "tools.iso").read_text() == OLD


@pytest.fixture(params=["api", "rest"])
def export(vcenter: SimulatorProcess, request: pytest.FixtureRequest, tmp_path: Path) -> Export:
    return Export(vcenter, request.param, tmp_path)


def test_a_broken_connection_goes_on_from_the_byte_reached(export: Export) -> None:
    export.fault("cut", end="reset", announced=None)
    export.arrived(export.run())
    first, second = export.downloads()
    assert "range" not in first["headers"]
    assert second["headers"]["range"].startswith("bytes=")
    assert second["sent"] < len(CONTENT)


def test_it_starts_again_where_the_server_takes_no_range(export: Export) -> None:
    export.vcenter.config(ranges=False)
    export.fault("cut", end="close")
    export.arrived(export.run())
    assert export.downloads()[1]["sent"] == len(CONTENT)


@pytest.mark.parametrize(
    "fault", [dict(kind="reset_before"), dict(kind="status", status=503), dict(kind="status", status=429)]
)
def test_what_passes_is_tried_again(export: Export, fault: dict[str, Any]) -> None:
    export.fault(count=2, **fault)
    export.arrived(export.run(request_timeout=10))
    assert len(export.downloads()) == 3


def test_somebody_cancels_the_session_before_the_file_is_asked_for(export: Export) -> None:
    cancel = {"act": "cancel_download"}
    export.vcenter.rivals([{"match": {"operation": "download_file.get"}, "at": 1, "acts": [cancel]}])
    export.refused(export.run(), "ERROR", "tools.iso", "no download endpoint")
    assert [act["outcome"] for act in export.vcenter.rivals_done()] == ["done"]


def test_a_token_that_ended_is_renewed(export: Export) -> None:
    export.fault("status", status=401)
    export.arrived(export.run(tokens_left=1))  # the endpoint alone said so, and the token lives on


def test_a_body_that_stays_too_short_is_a_failure(export: Export) -> None:
    export.vcenter.config(ranges=False)
    export.fault("cut", count=100)
    export.refused(export.run(), "INTERNAL_SERVER_ERROR", "tools.iso", f"of {len(CONTENT)} bytes")


def test_a_short_body_that_claims_to_be_whole_is_a_failure(export: Export) -> None:
    export.fault("cut", count=100, announced="cut")
    export.refused(export.run(), "INTERNAL_SERVER_ERROR", "tools.iso", str(len(CONTENT)))


def test_a_short_body_is_seen_by_its_checksum_alone(export: Export) -> None:
    export.vcenter.config(download_size="never")
    export.fault("cut", count=100, announced="cut")
    export.refused(export.run(), "INTERNAL_SERVER_ERROR", "tools.iso", "SHA1")


def test_other_bytes_are_a_failure(export: Export) -> None:
    export.fault("body", body="x" * len(CONTENT))
    export.refused(export.run(), "INTERNAL_SERVER_ERROR", "other bytes arrived")


def test_a_server_that_refuses_is_not_asked_again(export: Export) -> None:
    export.fault("status", status=403, count=100)
    export.refused(export.run(), "UNAUTHORIZED", "tools.iso")
    assert len(export.downloads()) == 1


def test_a_server_that_sends_nothing_is_given_up(export: Export) -> None:
    export.fault("hang", count=100)
    export.refused(export.run(request_timeout=1), "TIMED_OUT", "tools.iso")


def test_a_file_that_can_not_be_prepared(export: Export) -> None:
    export.vcenter.config(prepare_error="The publisher is not reachable.")
    export.refused(export.run(), "RESOURCE_INACCESSIBLE", "The publisher is not reachable.")


def test_a_file_that_is_not_prepared_in_time(export: Export) -> None:
    export.vcenter.config(prepare_delay=60)
    export.refused(export.run(wait_timeout=1), "TIMED_OUT", "not prepared after 1 seconds")


def test_a_file_that_its_library_fetches_first(export: Export) -> None:
    export.vcenter.config(prepare_delay=1)
    export.arrived(export.run())


def test_an_endpoint_elsewhere_is_verified_as_the_configured_host(export: Export) -> None:
    export.vcenter.config(download_host="127.0.0.1")
    export.arrived(export.run())


def test_an_endpoint_with_a_thumbprint(export: Export) -> None:
    export.vcenter.config(download_thumbprint=True)
    export.arrived(export.run())


def test_an_endpoint_with_another_thumbprint_gets_no_token(export: Export) -> None:
    export.vcenter.config(download_thumbprint="00:" * 19 + "00")
    export.refused(export.run(), "UNVERIFIED_PEER", "tools.iso")
    assert export.downloads() == []


def test_a_session_that_is_lost_ends_the_download(export: Export) -> None:
    export.vcenter.config(download_rate=200_000, session_lifetime=1)
    export.fault("status", status=404, count=100, operation="download_session.keep_alive")
    export.refused(export.run(), "NOT_FOUND")


def test_a_disk_that_is_full(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    export.refused(export.run(), "UNABLE_TO_ALLOCATE_RESOURCE", "No space left", "tools.iso")


def test_the_session_is_failed_with_the_reason(export: Export) -> None:
    export.vcenter.config(prepare_error="no")
    export.run()
    (failed,) = [request for request in export.vcenter.requests() if request["operation"] == "download_session.fail"]
    assert "can't prepare" in failed["body"]["client_error_message"]


@pytest.mark.parametrize("name", ["../outside", "a/b", "x" * 300])
def test_a_name_that_dest_can_not_hold_is_refused(export: Export, name: str) -> None:
    export.item = export.vcenter.add_item("odd", files={"good": "good", name: "bad"})
    outcome = export.run(force=True)
    assert outcome.result["error_type"] == "INVALID_ARGUMENT"
    assert os.listdir(export.dest) == ["tools.iso"]


@pytest.mark.parametrize("kind", ["directory", "link", "pipe"])
def test_what_is_in_the_way_is_told_before(export: Export, kind: str) -> None:
    path = export.dest / "tools.iso"
    path.rename(export.dest / "other.iso")
    {"directory": path.mkdir, "link": lambda: path.symlink_to("other.iso"), "pipe": lambda: os.mkfifo(path)}[kind]()
    outcome = export.run(force=True)
    assert outcome.result["error_type"] == "INVALID_ARGUMENT"
    assert str(path) in outcome.result["msg"]
    assert sorted(os.listdir(export.dest)) == ["other.iso", "tools.iso"]
    assert (export.dest / "other.iso").read_text() == OLD
    assert export.downloads() == []


@pytest.mark.parametrize("dest", ["/dev/full", "tools.iso", "tools.iso/below", "link"])
def test_a_dest_that_is_no_directory(export: Export, dest: str) -> None:
    (export.dest / "link").symlink_to("nothing")
    export.refused(export.run(dest=str(export.dest / dest)), "INVALID_ARGUMENT", "is no directory")
    assert export.downloads() == []


def test_names_that_differ_in_case_alone(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system that takes them for one name."""
    lstat = os.lstat
    monkeypatch.setattr(os, "lstat", lambda path: lstat(str(path).replace("TOOLS.ISO", "tools.iso")))
    export.item = export.vcenter.add_item("twins", files={"a.iso": "a", "A.ISO": "b"})
    export.refused(export.run(), "INVALID_ARGUMENT", "'A.ISO' and 'a.iso' would be one file")


@pytest.mark.parametrize(
    ("mount", "size", "error_type", "text"),
    [
        ("size=512k", "prepared", "UNABLE_TO_ALLOCATE_RESOURCE", "bytes free"),
        ("size=512k", "never", "UNABLE_TO_ALLOCATE_RESOURCE", "No space left"),
        ("ro", "prepared", "RESOURCE_INACCESSIBLE", "read-only"),
    ],
)
def test_a_real_disk(export: Export, mount: str, size: str, error_type: str, text: str) -> None:
    """A small one that gets full, and one that is read-only."""
    script = f'mount -t tmpfs -o {mount} none "$0" && "$@"; code=$?; [ -z "$(ls -A "$0")" ] || code=99; exit $code'
    wrapper = ("unshare", "--mount", "--map-root-user", "sh", "-c", script, str(export.dest))
    if not shutil.which("unshare") or subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this host lets nobody mount a file system in a namespace")
    export.vcenter.config(download_size=size)
    process = export.start(*wrapper)
    output, _errors = process.communicate(timeout=60)
    result = json.loads(output)
    assert process.returncode == 1, "a temporary file was left behind"
    assert result["error_type"] == error_type
    assert text in result["msg"]
    assert export.vcenter.state()["download_sessions"] == {}


def test_a_dest_that_nobody_may_write_and_needs_no_writing(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    (export.dest / "tools.iso").write_text(CONTENT)
    monkeypatch.setattr(os, "access", lambda *args: False)
    outcome = export.run()
    assert not outcome.result["changed"]
    assert export.run(force=True).result["error_type"] == "RESOURCE_INACCESSIBLE"


def test_a_file_that_can_not_get_its_owner(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    def chown(*args: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", chown)
    export.refused(export.run(group="0"), "RESOURCE_INACCESSIBLE", "tools.iso", "not permitted")
    (export.dest / "tools.iso").write_text(CONTENT)
    monkeypatch.setattr("os.getuid", lambda: 0)
    outcome = export.run(owner="12345")
    assert outcome.result["error_type"] == "RESOURCE_INACCESSIBLE"


def test_the_failure_of_one_file_ends_the_wait_for_the_others(export: Export) -> None:
    export.vcenter.config(prepare_delay=60)
    export.item = export.vcenter.add_item("two", files={"a.iso": "a", "b.iso": "b"})
    export.fault("status", operation="download_file.get", at=12, status=404, body={"error_type": "NOT_FOUND"})
    begin = time.monotonic()
    outcome = export.run()
    assert outcome.failed
    assert time.monotonic() - begin < 15


def test_a_run_that_was_killed(export: Export) -> None:
    """What it leaves is a temporary file, which the next run removes, and a download session, which expires."""
    export.vcenter.config(download_rate=200_000, session_lifetime=3)
    process = export.start()
    while not any((export.dest / name).stat().st_size for name in export.temporary_files()):
        assert process.poll() is None
        time.sleep(0.05)
    assert export.arguments()["library_item_id"] == export.item
    living = export.temporary_files()
    export.vcenter.config(download_rate=None)
    other = export.vcenter.add_item("other", files={"b.iso": "b"})
    assert not run(library_item_export, export.arguments(library_item_id=other)).failed
    assert export.temporary_files() == living, "that of a living run was removed"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (export.dest / "tools.iso").read_text() == OLD
    assert export.temporary_files() == living
    while export.vcenter.state()["download_sessions"]:
        time.sleep(0.1)
    export.arrived(export.run(tokens_left=1))
