# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator as a process of its own, for fixtures and benchmarks."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import requests
import urllib3

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT = 30.0
STOP_TIMEOUT = 10.0


class SimulatorProcess:
    """Starts the simulator, and speaks to its control endpoint.

    ``arguments`` are those of ``python -m tests.simulator``. The process ends with the ``with`` block, and with the
    process that started it.
    """

    host: str
    port: int
    url: str
    ca_path: str
    thumbprint: str
    username: str
    password: str
    environment: dict[str, str]

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments

    def __enter__(self) -> SimulatorProcess:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> SimulatorProcess:
        command = [sys.executable, "-m", "tests.simulator", "--json", "--exit-with-parent", *self.arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        timer = threading.Timer(START_TIMEOUT, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            raise RuntimeError(f"the simulator ended with code {self.process.wait()} before it listened")
        for name, value in json.loads(line).items():
            setattr(self, name, value)
        self.session = requests.Session()
        self.session.verify = self.ca_path
        self.session.trust_env = False
        # For what tests ask most, since it takes half the time.
        self.pool = urllib3.PoolManager(ca_certs=self.ca_path, retries=False, maxsize=10)
        return self

    def stop(self) -> None:
        self.session.close()
        self.pool.clear()
        self.process.stdin.close()
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def control(self, method: str, path: str, content: Any = None) -> Any:
        """A request to the control endpoint, ``path`` below /control; the answer's JSON."""
        body = {} if content is None else {"json": content}
        return json.loads(self._exchange(method, path, **body))

    def _exchange(self, method: str, path: str, **body: Any) -> bytes:
        response = self.pool.request(method, f"{self.url}/control{path}", **body)
        if response.status >= 400:
            raise ValueError(f"{method} {path}: {response.status} {response.data.decode()}")
        return response.data

    def reset(self) -> None:
        self.control("POST", "/reset")

    def config(self, **settings: Any) -> dict[str, Any]:
        return self.control("POST", "/config", settings)

    def faults(self, faults: list[dict[str, Any]]) -> None:
        self.control("POST", "/faults", faults)

    def rivals(self, rivals: list[dict[str, Any]]) -> None:
        self.control("POST", "/rivals", rivals)

    def rivals_done(self) -> list[dict[str, Any]]:
        return self.control("GET", "/rivals")

    def act(self, act: str, **arguments: Any) -> dict[str, Any]:
        """What a rival does, now."""
        return self.control("POST", "/acts", {"act": act, **arguments})

    def requests(self) -> list[dict[str, Any]]:
        return self.control("GET", "/requests")

    def clear_requests(self) -> None:
        self.control("DELETE", "/requests")

    def expire_tokens(self) -> None:
        self.control("DELETE", "/tokens")

    def state(self) -> dict[str, Any]:
        return self.control("GET", "/state")

    def add_item(self, name: str, **attributes: Any) -> str:
        return self.control("POST", "/items", {"name": name, **attributes})["id"]

    def change_item(self, item_id: str, **attributes: Any) -> None:
        self.control("POST", f"/items/{item_id}", attributes)

    def delete_item(self, item_id: str) -> None:
        self.control("DELETE", f"/items/{item_id}")

    def add_library(self, name: str, **attributes: Any) -> str:
        return self.control("POST", "/libraries", {"name": name, **attributes})["id"]

    def publish(self, name: str, password: str | None = None, **attributes: Any) -> str:
        """A new local library that others can subscribe to, with BASIC authentication where there is a password."""
        info = {"authentication_method": "BASIC" if password else "NONE", "published": True}
        if password:
            info["password"] = password
        return self.add_library(name, publish_info=info, **attributes)

    def subscription_to(self, publisher: SimulatorProcess, library_id: str, **info: Any) -> dict[str, Any]:
        """The SubscriptionInfo for a library that another simulator, or this one, publishes."""
        published = publisher.library(library_id)
        password = published["publish_info"].get("password")
        credentials = {"authentication_method": "BASIC", "user_name": "vcsp", "password": password} if password else {}
        return {
            "authentication_method": "NONE",
            "automatic_sync_enabled": False,
            "on_demand": False,
            "subscription_url": published["publish_url"],
            "ssl_thumbprint": publisher.thumbprint,
            **credentials,
            **info,
        }

    def subscribe(self, name: str, publisher: SimulatorProcess, library_id: str, **info: Any) -> str:
        """A new library here, synchronized with one that another simulator, or this one, publishes."""
        subscription_info = self.subscription_to(publisher, library_id, **info)
        return self.add_library(name, type="SUBSCRIBED", subscription_info=subscription_info, sync=True)

    def library(self, library_id: str) -> dict[str, Any]:
        return self.control("GET", f"/libraries/{library_id}")

    def change_library(self, library_id: str, **attributes: Any) -> dict[str, Any]:
        return self.control("POST", f"/libraries/{library_id}", attributes)

    def delete_library(self, library_id: str) -> None:
        self.control("DELETE", f"/libraries/{library_id}")

    def sync_library(self, library_id: str) -> dict[str, Any]:
        """Synchronize a subscribed library; returns once that is over."""
        return self.control("POST", f"/libraries/{library_id}/sync")

    def add_sessions(self, count: int = 1, **attributes: Any) -> list[str]:
        return self.control("POST", "/sessions", {"count": count, **attributes})["ids"]

    def change_session(self, session_id: str, **attributes: Any) -> dict[str, Any]:
        return self.control("POST", f"/sessions/{quote(session_id)}", attributes)

    def delete_session(self, session_id: str) -> None:
        self.control("DELETE", f"/sessions/{quote(session_id)}")

    def change_download_session(self, session_id: str, **attributes: Any) -> dict[str, Any]:
        return self.control("POST", f"/download-sessions/{quote(session_id)}", attributes)

    def delete_download_session(self, session_id: str) -> None:
        self.control("DELETE", f"/download-sessions/{quote(session_id)}")

    def item_file(self, item_id: str, name: str) -> bytes:
        return self._exchange("GET", f"/item/{item_id}/file/{quote(name)}")
