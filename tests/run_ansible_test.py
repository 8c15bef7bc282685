# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the ansible-test beside this Python on the working tree: run_ansible_test.py sanity --venv ...

ansible-test wants the collection below an ansible_collections folder, and fetches a script that installs pip.
This gives it the folder, one for each version of ansible-core and each command, so that two may run at once, and the
script where it can't be fetched. The word core stands for the unit tests of what meets ansible-core.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# All else is the same to each version of ansible-core.
MEETS_CORE = (
    "tests/unit/plugins/action/",
    "tests/unit/plugins/modules/",
    "tests/unit/plugins/module_utils/test_module.py",
)
PIP_SCRIPT = '''"""Install the pip that Python carries, and with it the versions that ansible-test asks for."""

import importlib
import runpy
import subprocess
import sys

# In a process of its own, as it would keep pip from reading the user's settings.
subprocess.check_call([sys.executable, "-m", "ensurepip"])
importlib.invalidate_caches()
arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.argv[1:] = ["install", "--upgrade", *arguments]
runpy.run_module("pip", run_name="__main__")
'''


def copy_working_tree(target: Path) -> None:
    """Make target hold what git would commit, and leave the caches that ansible-test keeps in tests/output."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    wanted = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    # A repository of its own, else ansible-test would find the one around it, which ignores this folder.
    subprocess.run(["git", "init", "--quiet", target], check=True)
    for path in target.rglob("*"):
        name = path.relative_to(target).as_posix()
        if path.is_file() and name not in wanted and not name.startswith((".git/", "tests/output/")):
            path.unlink()
    for name in wanted:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)


def provide_pip_script() -> None:
    """Where ansible-test could not fetch its pip installer, put one into its cache."""
    data = Path(str(metadata.distribution("ansible-core").locate_file("ansible_test")))
    bootstrap = (data / "_util/target/setup/requirements.py").read_text()
    url = re.search(r"'(https://\S+?)-%s\.py'", bootstrap).group(1)
    for version in re.findall(r"pip='([\d.]+)'", (data / "_internal/python_requirements.py").read_text()):
        cached = Path.home() / f".ansible/test/cache/get_pip_{version.replace('.', '_')}.py"
        if cached.exists():
            continue
        try:
            urllib.request.urlopen(f"{url}-{version}.py", timeout=10).close()
        except OSError as error:
            print(f"ansible-test could not fetch its pip {version} installer ({error}): writing {cached}", flush=True)
            cached.parent.mkdir(parents=True, exist_ok=True)
            cached.write_text(PIP_SCRIPT)


def main() -> int:
    core = ".".join(metadata.version("ansible-core").split(".")[:2])
    tree = ROOT / f".build/ansible-test-{core}-{sys.argv[1]}/ansible_collections/vsphere/content_library"
    copy_working_tree(tree)
    provide_pip_script()
    arguments = [part for word in sys.argv[1:] for part in (MEETS_CORE if word == "core" else (word,))]
    print(f"ansible-core {core}: ansible-test {' '.join(arguments)}", flush=True)
    # pyenv's shims of the Pythons that are not active fail, so the Pythons themselves go before them.
    bins = [Path(sys.executable).parent, *Path.home().glob(".pyenv/versions/3.*/bin")]
    environment = {**os.environ, "PATH": os.pathsep.join([*map(str, bins), os.environ["PATH"]])}
    return subprocess.run(["ansible-test", *arguments], cwd=tree, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
