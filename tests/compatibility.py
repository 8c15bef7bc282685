# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.compatibility``: test on each supported ansible-core, and write what ran into a page of docs.

Each has sanity, and units with every Python that it, the collection and this machine have in common. The oldest and
the newest run the cases and the playbooks, too.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.pages import table, write

# Each with the newest Python that its controller supports: ansible-core's support matrix.
CORES = {"2.16": "3.12", "2.17": "3.12", "2.18": "3.13", "2.19": "3.13", "2.20": "3.14", "2.21": "3.14"}
PYTHONS = tuple(f"3.{minor}" for minor in range(9, 15))
SUPPORTED = """
from ansible_test._util.target.common.constants import CONTROLLER_PYTHON_VERSIONS, REMOTE_ONLY_PYTHON_VERSIONS
print(*REMOTE_ONLY_PYTHON_VERSIONS, *CONTROLLER_PYTHON_VERSIONS)
"""

SUITE = ("-m", "pytest", "-q", "-n", "auto", "--dist", "loadgroup", "tests/cases", "tests/playbooks")


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


def run(*command: object) -> tuple[bool, str]:
    """Run a command of the checkout, show what it prints, and return whether it succeeded, and what it printed."""
    print("$", *command, flush=True)
    lines = []
    with subprocess.Popen(
        list(map(str, command)), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
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


def main() -> int:
    pythons, rows = installed(), []
    for core, newest in CORES.items():
        controller = max(
            (python for python in pythons if PYTHONS.index(python) <= PYTHONS.index(newest)), key=PYTHONS.index
        )
        folder = ROOT / f".build/compatibility-{core}"
        python = folder / "bin/python"
        whole = core in (min(CORES), max(CORES))
        needed = ["--requirement", "tests/requirements.txt"] if whole else []
        for command in (
            (pythons[controller], "-m", "venv", folder),
            (python, "-m", "pip", "install", "--quiet", f"ansible-core=={core}.*", *needed),
        ):
            if not run(*command)[0]:
                sys.exit(f"ansible-core {core} can't be installed")
        version = run(python, "-c", "import ansible.release as r; print(r.__version__)")[1].strip()
        sanity = run(python, "tests/run_ansible_test.py", "sanity", "--venv")[0]
        units = [
            f"{each}: {counted(run(python, 'tests/run_ansible_test.py', 'units', '--venv', '--python', each))}"
            for each in run(python, "-c", SUPPORTED)[1].split()
            if each in pythons
        ]
        playbooks = counted(run(python, *SUITE)) if whole else ""
        rows.append((version, controller, "passed" if sanity else "**failed**", "; ".join(units), playbooks))
    text = table(("ansible-core", "on Python", "sanity", "units", "cases and playbooks"), *rows)
    print(text)
    write("compatibility.md", "matrix", text)
    return int("**failed**" in text)


if __name__ == "__main__":
    sys.exit(main())
