# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the host's simulator into the state that a test wants: tests/cases/given.py has the arguments and the result."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parents[4]))
from tests.cases import given
from tests.control import Control


class ActionModule(ActionBase):
    _requires_connection = False
    _VALID_ARGS = given.KEYS

    def run(self, tmp=None, task_vars=None):
        with Control(task_vars["server"]) as control:
            return {"changed": False, **given.put(control, self._task.args)}
