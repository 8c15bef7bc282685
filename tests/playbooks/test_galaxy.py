# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as Galaxy hands it out and ansible-galaxy installs it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.playbooks.examples import examples

ROOT = Path(__file__).resolve().parents[2]
NAME = "vsphere.content_library"
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
# What Galaxy shows, what ansible-core and ansible-builder read, and what users run.
FOR_USERS = {
    "ARCHITECTURE.md",
    "CHANGELOG.rst",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "changelogs",
    "docs",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "requirements.txt",
    "roles",
}


@pytest.fixture(scope="module")
def installed(collections_path: Path) -> Path:
    return collections_path / "ansible_collections/vsphere/content_library"


def ansible(program: str, *arguments: str, collections_path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections_path), "ANSIBLE_NOCOLOR": "1"}
    command = [sys.executable, "-m", "ansible", program, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_file_is_what_the_manifest_says(installed):
    manifest = json.loads((installed / "MANIFEST.json").read_text())
    assert manifest["file_manifest_file"]["chksum_sha256"] == sha256(installed / "FILES.json")
    entries = json.loads((installed / "FILES.json").read_text())["files"]
    told = {entry["name"]: entry["chksum_sha256"] for entry in entries if entry["ftype"] == "file"}
    found = {str(path.relative_to(installed)): sha256(path) for path in installed.rglob("*") if path.is_file()}
    extra = {"MANIFEST.json", "FILES.json"}
    assert {name: digest for name, digest in found.items() if name not in extra and "__pycache__" not in name} == told


@pytest.mark.costly
def test_ansible_galaxy_verifies_it(installed, tmp_path):
    copy = tmp_path / "ansible_collections/vsphere/content_library"
    shutil.copytree(installed, copy, ignore=shutil.ignore_patterns("__pycache__"))
    verify = ("galaxy", "collection", "verify", "--offline", NAME)
    verified = ansible(*verify, collections_path=tmp_path)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    with (copy / "plugins/modules/library_item.py").open("a") as file:
        file.write("# changed\n")
    assert ansible(*verify, collections_path=tmp_path).returncode != 0


def test_only_what_users_need_is_in_it(installed):
    assert {path.name for path in installed.iterdir()} <= FOR_USERS
    unwanted = {".git", ".hypothesis", ".nox", ".venv", "_build", "cases", "conftest.py"}
    assert not {path for path in installed.rglob("*") if path.name in unwanted}
    # Figures of one machine, and the site.
    assert [path.name for path in (installed / "docs").iterdir()] == ["docsite"]


def test_ansible_doc_shows_every_module(collections_path):
    listed = ansible("doc", "--list", "--json", NAME, collections_path=collections_path)
    summaries: dict[str, Any] = json.loads(listed.stdout)
    assert sorted(summaries) == [f"{NAME}.{module}" for module in MODULES]
    names = [f"{NAME}.{module}" for module in MODULES]
    shown = ansible("doc", "--json", *names, collections_path=collections_path)
    assert shown.returncode == 0, shown.stderr
    for name, parts in json.loads(shown.stdout).items():
        assert parts["doc"]["short_description"] == summaries[name]
        assert parts["examples"].strip()
        assert parts["return"]
        for option, about in parts["doc"]["options"].items():
            assert about["description"], f"{name}: {option}"


VERSION = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
REQUIREMENTS = [example for example in examples() if example.language == "yaml" and example.is_requirements]
ARCHIVE = re.compile(r"vsphere-content_library-[0-9.]+[.]tar[.]gz")
INSTALL = ("galaxy", "collection", "install")


def test_installs_from_an_archive(tmp_path):
    [archive] = {found for example in examples() for found in ARCHIVE.findall(example.text)}
    assert archive == f"vsphere-content_library-{VERSION}.tar.gz"
    build = ("galaxy", "collection", "build", str(ROOT), "--output-path", str(tmp_path))
    built = ansible(*build, collections_path=tmp_path)
    assert built.returncode == 0, built.stderr
    done = ansible(*INSTALL, str(tmp_path / archive), "-p", str(tmp_path), collections_path=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ansible("doc", f"{NAME}.library_item", collections_path=tmp_path).returncode == 0


@pytest.mark.parametrize("example", REQUIREMENTS, ids=lambda example: example.page)
@pytest.mark.costly
def test_installs_from_git(example, tmp_path):
    """What stands in requirements.yml, from a clone of this checkout in place of the repository."""
    [collection] = example.data["collections"]
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert collection == {"name": f"{galaxy['repository']}.git", "type": "git", "version": "main"}
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{ROOT}", tmp_path / "clone"], check=True)
    subprocess.run(["git", "-C", tmp_path / "clone", "checkout", "--quiet", "-B", "main"], check=True)
    requirements = tmp_path / "requirements.yml"
    requirements.write_text(example.text.replace(collection["name"], f"file://{tmp_path}/clone"), encoding="utf-8")
    done = ansible(
        *INSTALL, "-r", str(requirements), "-p", str(tmp_path / "empty"), collections_path=tmp_path / "empty"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown = ansible("doc", "--list", NAME, collections_path=tmp_path / "empty")
    assert all(module in shown.stdout for module in MODULES)
