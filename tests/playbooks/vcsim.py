# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run govmomi's vCenter simulator (tests/vcsim) as a process of its own, behind a certificate that verifies."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import requests
import trustme

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "tests" / "vcsim"
BUILD = ROOT / ".build"


def go_toolchain() -> str | None:
    """The path of a go command that can build tests/vcsim, or None (an error if CONTENT_LIBRARY_REQUIRE_GO=1)."""
    go = shutil.which("go")
    if go is not None:
        # Asked inside the module, a go that fetches newer toolchains by itself answers with the one it would use.
        answer = subprocess.run([go, "version"], cwd=SOURCE, capture_output=True, text=True, check=False).stdout
        if _version(r"\bgo(\d+)\.(\d+)", answer) >= _version(r"^go (\d+)\.(\d+)", (SOURCE / "go.mod").read_text()):
            return go
    if os.environ.get("CONTENT_LIBRARY_REQUIRE_GO") == "1":
        raise RuntimeError(f"no Go toolchain on PATH that can build {SOURCE}")
    return None


def _version(pattern: str, text: str) -> list[int]:
    found = re.search(pattern, text, re.MULTILINE)
    return [int(part) for part in found.groups()] if found else []


def go_build(package: str) -> Path:
    """Build a command of tests/vcsim ("." is the simulator, "./govc" the client) into .build."""
    target = BUILD / ("vcsim" if package == "." else Path(package).name)
    BUILD.mkdir(exist_ok=True)
    subprocess.run(["go", "build", "-buildvcs=false", "-o", str(target), package], cwd=SOURCE, check=True)
    return target


class VcsimProcess:
    """A context manager: the simulator runs inside it, and its files are gone after it.

    latency is the seconds that a network would add to each request.
    """

    def __init__(self, latency: float = 0.0) -> None:
        self.latency = latency

    def __enter__(self) -> VcsimProcess:
        command = go_build(".")
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="content-library-vcsim-")))
            authority = trustme.CA()
            certificate = authority.issue_cert("localhost", "127.0.0.1")
            self.ca_path = str(folder / "ca.pem")
            authority.cert_pem.write_to_path(self.ca_path)
            certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
            self.log = folder / "vcsim.log"
            # The simulator ends when its standard input closes, which leaving Popen's context does.
            self._process = stack.enter_context(
                subprocess.Popen(
                    [
                        command,
                        *("-cert", folder / "server.pem", "-key", folder / "server.pem"),
                        *("-latency", f"{self.latency}s"),
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stack.enter_context(self.log.open("wb")),
                    env={**os.environ, "TMPDIR": str(folder)},
                )
            )
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError(f"vcsim did not start: {self.log.read_text()}")
            facts = json.loads(line)
            self.url: str = facts["url"]
            self.host: str = urlsplit(self.url).hostname
            self.port: int = urlsplit(self.url).port
            self.username: str = facts["username"]
            self.password: str = facts["password"]
            self.datastore: str = facts["datastore"]
            self._http = stack.enter_context(requests.Session())
            self._http.trust_env = False
            self._http.verify = self.ca_path
            self._http.headers["vmware-api-session-id"] = self._post("cis/session", auth=(self.username, self.password))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        """What points the collection's modules at this simulator."""
        return {
            "VMWARE_HOST": self.host,
            "VMWARE_PORT": str(self.port),
            "VMWARE_USER": self.username,
            "VMWARE_PASSWORD": self.password,
            "VMWARE_CA_PATH": self.ca_path,
        }

    def _post(self, path: str, **keywords: object) -> str:
        response = self._http.post(f"{self.url}/rest/com/vmware/{path}", timeout=30, **keywords)
        response.raise_for_status()
        return response.json()["value"]

    def create_library(self, name: str) -> str:
        """A local library on the simulator's datastore, so that pushes have a place to go."""
        storage = {"type": "DATASTORE", "datastore_id": self.datastore}
        spec = {"name": name, "type": "LOCAL", "storage_backings": [storage]}
        return self._post("content/local-library", json={"create_spec": spec})

    def create_item(self, library_id: str, name: str, type: str = "") -> str:
        spec = {"library_id": library_id, "name": name, "type": type}
        return self._post("content/library/item", json={"create_spec": spec})
