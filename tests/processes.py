# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module in a process of its own, and what a test waits for meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any


def start_module(
    module: ModuleType, arguments: dict[str, Any], *, python: Sequence[str] = (sys.executable,), **popen: Any
) -> subprocess.Popen[str]:
    """The module as Ansible starts it: its file in a Python of its own, with its arguments on standard input.

    python is the command that its file is appended to. popen are other arguments of Popen.
    """
    process = subprocess.Popen(
        [*python, module.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        **popen,
    )
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
    process.stdin.close()
    process.stdin = None
    return process


def wait_until(condition: Callable[[], Any], patience: float) -> None:
    """Wait for a condition. It fails the test after so many seconds of patience."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.02)
