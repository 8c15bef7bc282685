# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the full result of every task, and what its server saw meanwhile, as one line of JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from ansible.plugins.callback import CallbackBase

sys.path.append(str(Path(__file__).resolve().parents[4]))
from tests.control import Control

DOCUMENTATION = r"""
name: recorder
type: notification
short_description: Record every task for the integration tests
description: Writes one line of JSON for each result to the file that E(RECORDER_FILE) names.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "recorder"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.path = Path(os.environ["RECORDER_FILE"])
        self.started = 0.0

    def v2_playbook_on_task_start(self, task, is_conditional):
        # v2_runner_on_start would say when the worker's message was read, which may be after the work.
        self.started = time.monotonic()

    def v2_runner_on_ok(self, result):
        self.record(result, "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.record(result, "failed")

    def v2_runner_on_skipped(self, result):
        self.record(result, "skipped")

    def v2_runner_on_unreachable(self, result):
        self.record(result, "unreachable")

    def record(self, result, status):
        # The names without an underscore came with ansible-core 2.19.
        host, task = result._host, result._task
        line = {
            "host": host.name,
            "name": task.name,
            "status": status,
            # Before ansible-core 2.19 its own notes are still there.
            "result": {key: value for key, value in result._result.items() if not key.startswith("_ansible_")},
            "seconds": time.monotonic() - self.started,
        }
        server = host.vars.get("server", {})
        if server.get("simulated"):
            # A host runs one task at a time, and each has a server of its own, so this is what the task did.
            with Control(server) as control:
                # In one step: a module that ansible-core no longer waits for may send a request in between.
                line.update(requests=control("DELETE", "/requests"), state=control("GET", "/state"))
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")
