# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many sessions are fetched over a few connections, not one after the other."""

from __future__ import annotations

import time
from urllib.parse import quote

from tests.integration.control import Control

SESSIONS = 1000
SAMPLE = 40
LATENCY = 0.02


def sequential(server, token, ids):
    """Seconds that one request after the other on one connection would take, from a sample of them."""
    with Control(vars(server)) as control:
        started = time.monotonic()
        for session in ids[:SAMPLE]:
            path = f"/api/content/library/item/update-session/{quote(session)}"
            control.exchange("GET", path, headers={"vmware-api-session-id": token})
        return (time.monotonic() - started) / SAMPLE * (SESSIONS + 1)


def test_a_thousand_sessions(playbook, servers, simulator, way, capsys):
    ids = simulator.add_sessions(SESSIONS)
    with Control(vars(servers["api"])) as control:
        token = control.log_in(servers["api"].username)
    simulator.config(latency=LATENCY)
    simulator.clear_requests()
    one = {"session_id": token, "update_session_id": ids[0]}
    tasks = [
        {"name": f"{name} {number}", "vsphere.content_library.update_session_info": args}
        for number in range(3)
        for name, args in (("one", one), ("all", {"session_id": token}))
    ]
    before = sequential(servers["api"], token, ids)
    run = playbook(tasks, {"api": servers["api"]}, way=way).succeeded()
    one_by_one = min(before, sequential(servers["api"], token, ids))
    for number in range(3):
        task = run.task(f"all {number}")
        assert [session["id"] for session in task["update_sessions"]] == sorted(ids)
        assert len(task.requests) == SESSIONS + 1
    # What a task costs anyway is what it costs to see one session. The best of three, as the machine may be busy.
    seconds = {name: min(run.task(f"{name} {number}").seconds for number in range(3)) for name in ("one", "all")}
    listing = seconds["all"] - seconds["one"] + LATENCY
    with capsys.disabled():
        print(
            f"\n{SESSIONS} sessions at {LATENCY * 1000:.0f} ms latency, {way}: {listing:.2f} s of a task of"
            f" {seconds['all']:.2f} s; one request after the other {one_by_one:.1f} s, {one_by_one / listing:.1f} times"
        )
    assert listing < one_by_one / 8
