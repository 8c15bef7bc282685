# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -I -S measured.py REPORT COMMAND...``: run a command, and write to REPORT what it and its children took.

A process of its own and a small one, because Linux counts the memory of the process that forks into the peak of the
one that is forked: whatever runs the benchmarks would be the floor of every figure.
"""

from __future__ import annotations

import json
import os
import sys
import time

report, *command = sys.argv[1:]
start = time.monotonic()
_pid, status, usage = os.wait4(os.posix_spawnp(command[0], command, os.environ), 0)
seconds = time.monotonic() - start
# ru_maxrss is in KiB on Linux, in bytes on macOS.
peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
with open(report, "w", encoding="utf-8") as file:
    json.dump({"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak}, file)
sys.exit(os.waitstatus_to_exitcode(status))
