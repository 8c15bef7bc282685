# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What library_item_export makes of a download that goes wrong: the right bytes or the old file, and nothing else."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.vsphere.content_library.plugins.modules import library_item_export
from tests.in_process import run
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

    def run(self, tokens_left: int = 0, **options: Any) -> Any:
        connection = dict(
            hostname=self.vcenter.host,
            port=self.vcenter.port,
            username=self.vcenter.username,
            password=self.vcenter.password,
            ca_path=self.vcenter.ca_path,
            api_endpoint=self.dialect,
            request_timeout=2,
        )
        arguments = {**connection, "library_item_id": self.item, "dest": str(self.dest), **options}
        outcome = run(library_item_export, arguments)
        state = self.vcenter.state()
        assert state["download_sessions"] == {}, "a download session was left behind"
        assert len(state["tokens"]) == tokens_left, "an API token was left behind"
        assert not [name for name in os.listdir(self.dest) if name.startswith(".")], "a temporary file was left behind"
        return outcome

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
