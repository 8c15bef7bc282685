# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.benchmark.run [NAME...]``: measure, print tables, and put them into docs/performance.md."""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

import requests
import urllib3
from ansible.release import __version__ as ansible_version

from tests.conftest import ROOT  # isort: skip  makes the collection importable, so it comes first
from tests.benchmark import catalogs, content, exports, items, modules, packages, tasks
from tests.pages import write
from tests.playbooks.vcsim import go_toolchain

PAGE = "performance.md"
BENCHMARKS = {
    "transfer": content.transfer,
    "growth": content.growth,
    "small": content.small,
    "export": exports.export,
    "exports": exports.exports,
    "unchanged": modules.unchanged,
    "imports": tasks.imports,
    "listing": modules.listing,
    "catalog": catalogs.catalog,
    "many": packages.many,
    "descriptors": packages.descriptors,
    "tasks": tasks.slopes,
    "hundred": tasks.hundred,
    "items": items.items,
}


def machine() -> str:
    """Where it was measured, and with what."""

    def first_line(*command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]

    curl = first_line("curl", "--version")
    govmomi = re.search(r"govmomi (v\S+)", (ROOT / "tests/vcsim/go.mod").read_text())[1]
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())[1]
    versions = [
        f"Linux {platform.release().partition('-')[0]}",
        f"Python {platform.python_version()}",
        ssl.OPENSSL_VERSION.rpartition(" ")[0].rsplit(" ", 2)[0],
        f"ansible-core {ansible_version}",
        f"requests {requests.__version__}",
        f"urllib3 {urllib3.__version__}",
        f"govmomi {govmomi} ({first_line('go', 'version').split()[2]})",
        f"curl {curl.split()[1]}",
    ]
    return f"{os.cpu_count()} cores ({cpu}), {', '.join(versions)}."


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all, or some of {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=10, help="how often each is run; after one that is not counted")
    parser.add_argument("--dry-run", action="store_true", help="print the tables, and leave the page as it is")
    arguments = parser.parse_args()
    names = arguments.names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"there is no {', '.join(unknown)}")
    if go_toolchain() is None or shutil.which("curl") is None:
        parser.error("Go, for vcsim and govc, and curl must be on PATH")
    if os.access("/dev/shm", os.W_OK):
        # What is pushed stays in memory, on both ends: a disk that writes back is in nobody's figures.
        tempfile.tempdir = "/dev/shm"
    for name in names:
        print(f"{name}: {BENCHMARKS[name].__doc__}", flush=True)
        load = os.getloadavg()[0]
        text = BENCHMARKS[name](arguments.rounds)
        text += f"\n\nLoad of the machine when this began: {load:.1f}"
        print(f"{text}\n", flush=True)
        if not arguments.dry_run:
            write(PAGE, name, text)
    if not arguments.dry_run:
        write(PAGE, "machine", machine())


if __name__ == "__main__":
    main()
