# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run playbooks/demo.yml, with the collection as ``make demo`` has installed it.

The playbook talks to the vCenter that VMWARE_HOST names, or, where that is not set, to the simulator.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from tests.simulator.process import SimulatorProcess

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build/collections"),
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    "ANSIBLE_LOCALHOST_WARNING": "false",
}


def main() -> int:
    with contextlib.ExitStack() as stack:
        environment = {**os.environ, **ENVIRONMENT}
        if "VMWARE_HOST" not in os.environ:
            simulator = stack.enter_context(SimulatorProcess())
            print(f"A simulated vCenter listens at {simulator.url}.", flush=True)
            environment.update(simulator.environment)
        playbook = [Path(sys.executable).with_name("ansible-playbook"), ROOT / "playbooks/demo.yml"]
        return subprocess.run(playbook, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
