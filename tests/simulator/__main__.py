# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.simulator``: serve until SIGTERM, SIGINT or, with --exit-with-parent, the end of standard input."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import ssl
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from .app import create_app
from .server import Certificates, create_server, listen
from .store import ADMINISTRATOR, OPERATOR, Store


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--directory", type=Path, help="where certificates and content go; a temporary one by default")
    parser.add_argument("--password", default=secrets.token_urlsafe(16), help="password of both users")
    parser.add_argument(
        "--name", action="append", help="name or address in the certificate; localhost and 127.0.0.1 by default"
    )
    parser.add_argument("--json", action="store_true", help="print the connection details as one line of JSON")
    parser.add_argument("--exit-with-parent", action="store_true", help="end at the end of standard input")
    return parser.parse_args()


def describe(details: dict[str, Any]) -> str:
    return "\n".join(
        [
            f"vCenter simulator at {details['url']}",
            f"  CA file    {details['ca_path']}",
            f"  username   {details['username']} (or {OPERATOR})",
            f"  password   {details['password']}",
            "",
            "For the modules of the collection:",
            *(f"  export {name}='{value}'" for name, value in details["environment"].items()),
        ]
    )


def serve(arguments: argparse.Namespace, directory: Path) -> None:
    names = arguments.name or ["localhost", "127.0.0.1"]
    certificates = Certificates(directory, names)
    trusted = ssl.create_default_context(cafile=str(certificates.ca_path))
    store = Store(directory, arguments.password, certificates.thumbprint, trusted)
    transports: dict[Any, Any] = {}
    server = create_server(create_app(store, transports), transports, certificates)
    listener = listen(arguments.host, arguments.port)
    host, port = names[0] if arguments.name else arguments.host, listener.getsockname()[1]
    store.url = f"https://{host}:{port}"
    details: dict[str, Any] = {
        "host": host,
        "port": port,
        "url": store.url,
        "ca_path": str(certificates.ca_path),
        "thumbprint": certificates.thumbprint,
        "username": ADMINISTRATOR,
        "password": arguments.password,
    }
    details["environment"] = {
        "VMWARE_HOST": host,
        "VMWARE_PORT": str(port),
        "VMWARE_USER": ADMINISTRATOR,
        "VMWARE_PASSWORD": arguments.password,
        "VMWARE_CA_PATH": str(certificates.ca_path),
    }
    print(json.dumps(details) if arguments.json else describe(details), flush=True)
    if arguments.exit_with_parent:

        def watch() -> None:
            # Not by sys.stdin, whose lock would be held when the process ends for another reason.
            while os.read(0, 1024):
                pass
            server.should_exit = True

        threading.Thread(target=watch, daemon=True).start()
    server.run(sockets=[listener])


def main() -> None:
    arguments = parse_arguments()
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again once it has stopped; then the temporary directory is still to be removed.
        signal.signal(number, lambda _number, _frame: sys.exit(0))
    if arguments.directory:
        arguments.directory.mkdir(parents=True, exist_ok=True)
        serve(arguments, arguments.directory.resolve())
    else:
        with tempfile.TemporaryDirectory(prefix="vcenter-simulator-") as directory:
            serve(arguments, Path(directory))


if __name__ == "__main__":
    main()
