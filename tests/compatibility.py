# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.compatibility``: test on each supported ansible-core, and write what ran into a page of docs.

Each has sanity, and the units of what meets ansible-core with every Python that it, the collection and this machine
have in common; the newest has all units. The oldest and the newest run the cases and the playbooks, too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.conftest import ROOT
from tests.pages import table, write

# Each with the newest Python that its controller supports: ansible-core's support matrix.
CORES = {"2.16": "3.12", "2.17": "3.12", "2.18": "3.13", "2.19": "3.13", "2.20": "3.14", "2.21": "3.14"}
NEWEST = max(CORES)
WHOLE = (min(CORES), NEWEST)
PYTHONS = tuple(f"3.{minor}" for minor in range(9, 15))
SUPPORTED = """
from ansible_test._util.target.common.constants import CONTROLLER_PYTHON_VERSIONS, REMOTE_ONLY_PYTHON_VERSIONS
print(*REMOTE_ONLY_PYTHON_VERSIONS, *CONTROLLER_PYTHON_VERSIONS)
"""

WORKERS = os.environ.get("WORKERS", "auto")  # make matrix tells how many
SUITE = ("-m", "pytest", "-q", "-n", WORKERS, "--dist", "loadgroup", "tests/cases", "tests/playbooks")


def installed() -> dict[str, str]:
    """The Pythons of this machine that can make virtual environments, by version."""
    found = {}
    for version in PYTHONS:
        for python in (*Path.home().glob(f".pyenv/versions/{version}.*/bin/python3"), f"python{version}"):
            works = subprocess.run(["sh", "-c", f"'{python}' -c 'import ensurepip'"], capture_output=True, check=False)
            if works.returncode == 0:
                found[version] = str(python)
                break
    return found


def run(core: str, *command: object) -> tuple[bool, str]:
    """Run a command of the checkout, show what it prints, and return whether it succeeded, and what it printed."""
    print(f"{core} $", *command, flush=True)
    lines = []
    with subprocess.Popen(
        list(map(str, command)), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            print(f"{core} | {line}", end="", flush=True)
            lines.append(line)
    return process.returncode == 0, "".join(lines)


def counted(result: tuple[bool, str]) -> str:
    """What pytest counted."""
    succeeded, output = result
    counts = {
        what: sum(map(int, re.findall(rf"(\d+) {what}\b.* in \d", output))) for what in ("failed", "passed", "skipped")
    }
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    return told if succeeded else f"**failed** {told}"


def controller(core: str, pythons: dict[str, str]) -> str:
    """The newest Python of this machine that runs a core."""
    supported = PYTHONS[: PYTHONS.index(CORES[core]) + 1]
    return [version for version in supported if version in pythons][-1]


def installation(core: str) -> Path:
    return ROOT / f".build/compatibility-{core}/bin/python"


def by_ansible_test(core: str, pythons: dict[str, str]) -> tuple[str, ...]:
    """Install a core, and run sanity and the units. Returns the version, Python, and what came out."""
    python, runs_on = installation(core), controller(core, pythons)
    needed = ["--requirement", "tests/requirements.txt"] if core in WHOLE else []
    for command in (
        (pythons[runs_on], "-m", "venv", python.parent.parent),
        (python, "-m", "pip", "install", "--quiet", f"ansible-core=={core}.*", *needed),
    ):
        if not run(core, *command)[0]:
            raise RuntimeError(f"ansible-core {core} can't be installed")
    version = run(core, python, "-c", "import ansible.release as r; print(r.__version__)")[1].strip()
    ansible_test = (python, "tests/run_ansible_test.py")
    sanity = run(core, *ansible_test, "sanity", "--venv")[0]
    targets = () if core == NEWEST else ("core",)
    units = [
        f"{each}: {counted(run(core, *ansible_test, 'units', '--venv', '--python', each, *targets))}"
        for each in run(core, python, "-c", SUPPORTED)[1].split()
        if each in pythons
    ]
    return version, runs_on, "passed" if sanity else "**failed**", "; ".join(units)


def main() -> int:
    pythons = installed()
    # Sanity keeps one core of the machine busy; what waits for servers has limits of time, and the machine to itself.
    with ThreadPoolExecutor(max(2, (os.cpu_count() or 1) // 2)) as pool:
        # The newest takes longest, so it begins.
        rows = list(pool.map(lambda core: by_ansible_test(core, pythons), reversed(CORES)))[::-1]
    suites = {core: counted(run(core, installation(core), *SUITE)) for core in WHOLE}
    text = table(
        ("ansible-core", "on Python", "sanity", "units", "cases and playbooks"),
        *((*row, suites.get(core, "")) for core, row in zip(CORES, rows)),
    )
    print(text)
    write("compatibility.md", "matrix", text)
    return int("**failed**" in text)


if __name__ == "__main__":
    sys.exit(main())
