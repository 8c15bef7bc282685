# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make demo` shows."""

from __future__ import annotations

from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[2] / "playbooks" / "demo.yml"


@pytest.fixture
def demo(playbook, servers, simulator):
    def run(**env):
        env = {**simulator.environment, "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", **env}
        return playbook(DEMO, {"localhost": servers["api"]}, way="in_process", env=env)

    return run


@pytest.mark.costly
def test_demo_on_an_item_of_its_own(demo, simulator):
    before = simulator.state()
    run = demo().succeeded()
    for line in (
        "Again: nothing; changed is False.",
        "Replace: image-2026-11.iso removed, image-2026-12.iso uploaded.",
        "Its session is ERROR, items left 0.",
        "image-2026-12.iso: 4194304 bytes, checksum verified",
        "The first task did create; changed is True.",
        "The second did nothing; changed is False.",
        "is ACTIVE at 40 %, and expires in ",
        "Warnings ignored: SELF_SIGNED_CERTIFICATE.",
        "is ERROR: Only 40 % of the content arrived.",
    ):
        assert line in run.output
    assert "WARNING" not in run.output
    assert simulator.state() == before


@pytest.mark.costly
def test_demo_on_an_item_that_is_named(demo, simulator):
    item = simulator.add_item("mine")
    before = simulator.state()
    run = demo(LIBRARY_ITEM_ID=item).succeeded()
    assert "is ERROR: Only 40 % of the content arrived." in run.output
    assert run.task("Publish the image").status == "skipped"
    assert simulator.state() == before


@pytest.mark.costly
def test_demo_leaves_an_open_session_alone(demo, simulator):
    item = simulator.add_item("mine")
    [session] = simulator.add_sessions(1, library_item_id=item)
    run = demo(LIBRARY_ITEM_ID=item)
    assert run.returncode != 0
    # Old ansible-cores break long lines.
    assert f"Update session {session} is open already." in " ".join(run.output.split())
    assert simulator.state()["sessions"][session]["state"] == "ACTIVE"
