# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A way to the simulator for the plugins, which run in the process of ansible-playbook."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from typing import Any


class Control:
    """One connection to a simulator. Call it for the control endpoint; ``exchange`` speaks to the rest of it.

    ``server`` is the variable of that name in the inventory of tests/playbooks/plays.py.
    """

    def __init__(self, server: dict[str, Any]) -> None:
        self.server = server
        context = ssl.create_default_context(cafile=server["ca_path"])
        self.connection = http.client.HTTPSConnection(server["host"], server["port"], timeout=30, context=context)

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.connection.close()

    def __call__(self, method: str, path: str, content: Any = None) -> Any:
        return self.exchange(method, f"/control{path}", content)

    def log_in(self, user: str) -> str:
        """A new API token."""
        basic = base64.b64encode(f"{user}:{self.server['password']}".encode()).decode()
        return self.exchange("POST", "/api/session", headers={"Authorization": f"Basic {basic}"})

    def exchange(self, method: str, target: str, content: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Send JSON, or bytes as they are; the answer's JSON. Raises RuntimeError for an answer that is no success."""
        body = content if isinstance(content, (bytes, type(None))) else json.dumps(content)
        self.connection.request(method, target, body, headers or {})
        with self.connection.getresponse() as response:
            answer = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {target}: {response.status} {answer.decode()}")
        return json.loads(answer) if answer else None
