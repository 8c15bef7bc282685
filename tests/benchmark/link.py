# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loopback interface as a link of a speed that networks have, by Linux's token bucket filter."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

GBIT = 1_000_000_000 / 8
DEVICE = ("dev", "lo", "root")


@contextlib.contextmanager
def gigabit() -> Iterator[None]:
    """Everything that goes over loopback, both ways together, at 1 Gbit/s. Needs root and tc (iproute2).

    Raises RuntimeError where that can't be had, or where somebody has shaped the interface already.
    """
    if "noqueue" not in _tc("show", "dev", "lo"):
        raise RuntimeError("the loopback interface is shaped already: see tc qdisc show dev lo")
    _tc("add", *DEVICE, "tbf", "rate", "1gbit", "burst", "256kb", "latency", "50ms")
    try:
        yield
    finally:
        _tc("del", *DEVICE)


def _tc(verb: str, *arguments: str) -> str:
    done = subprocess.run(("tc", "qdisc", verb, *arguments), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"tc qdisc {verb} failed: {done.stderr.strip()}")
    return done.stdout
