# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run playbooks/demo.yml, with the collection as ``make demo`` has installed it.

The playbook talks to the vCenter that VMWARE_HOST names, or, where that is not set, to the simulator.

``python -m tests.demo PICTURE`` draws what it shows of the publishing into a file, as an SVG.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from tests.simulator.process import SimulatorProcess

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build/collections"),
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    "ANSIBLE_LOCALHOST_WARNING": "false",
}


# Bytes in a second, so that a push takes long enough to tell its progress.
UPLOAD_RATE = 4_000_000
# What the picture shows, from the first task of these to before the second one.
PICTURE = ("TASK [Publish the image]", "TASK [Look whether somebody is at work on the item]")
COLUMNS = 96
# The picture's license is that of this file, and stands where this file has it.
HEADER = [line.removeprefix("# ") for line in Path(__file__).read_text(encoding="utf-8").splitlines()[:3]]
LICENSE = "\n".join(["<!--", *HEADER, "-->", ""])


def run(**output: Any) -> subprocess.CompletedProcess[str]:
    with contextlib.ExitStack() as stack:
        environment = {**os.environ, **ENVIRONMENT}
        if "VMWARE_HOST" not in os.environ:
            simulator = stack.enter_context(SimulatorProcess())
            simulator.config(upload_rate=UPLOAD_RATE)
            print(f"A simulated vCenter listens at {simulator.url}.", flush=True)
            environment.update(simulator.environment)
        playbook = [Path(sys.executable).with_name("ansible-playbook"), ROOT / "playbooks/demo.yml"]
        return subprocess.run(playbook, env={**environment, **output.pop("env", {})}, check=False, text=True, **output)


def draw(path: Path) -> int:
    """Write what a terminal shows of a real run."""
    colors = {"ANSIBLE_FORCE_COLOR": "true"}
    done = run(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=colors)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="standard")
    shown = done.stdout[done.stdout.index(PICTURE[0]) : done.stdout.index(PICTURE[1])]
    # A line of stars is as wide as the terminal, whatever that was.
    shown = re.sub(r" \*{3,}", lambda stars: " " + "*" * 8, shown)
    # The folder has another name in each run.
    shown = re.sub(r"/[^\s\"']*/(?=image-)", "/srv/images/", shown)
    console.print(Text.from_ansi(shown.rstrip()))
    svg = console.export_svg(title="make demo", unique_id="demo")
    # With the fonts of who looks at it, as a picture fetches nothing.
    svg = re.sub(r"@font-face {.*?}\n", "", svg, flags=re.DOTALL)
    svg = svg.replace(">\n", f">\n{LICENSE}", 1)
    path.write_text("".join(f"{line.rstrip()}\n" for line in svg.splitlines()), encoding="utf-8")
    return done.returncode


if __name__ == "__main__":
    sys.exit(draw(Path(sys.argv[1])) if sys.argv[1:] else run().returncode)
