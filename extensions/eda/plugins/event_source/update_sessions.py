# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source for ansible-rulebook: what happens to the update sessions of a vCenter Server.

A loop over the client and the services of the collection, in a Python that need not have ansible-core.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import random
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from typing import Any

DOCUMENTATION = r"""
---
author:
  - vsphere.content_library contributors (!UNKNOWN)
short_description: Events of the update sessions, libraries and library items of a content library
description:
  - An ansible-rulebook event source plugin that watches the update sessions of a vCenter Server, and its libraries and
    library items where O(watch) says so. It puts one event for each change.
  - A vCenter Server shows each user only the update sessions that this user created.
  - An event has a C(type), the C(hostname) of the vCenter Server, and the facts of what it is about, in
    C(update_session), C(library) or C(library_item), as the info modules return them.
  - The types for update sessions are C(created), C(progress), C(warning_raised), C(expiring_soon), C(done), C(error),
    C(canceled) and C(gone). A C(warning_raised) has the type of the C(warning), too.
  - The types for libraries are C(library_created), C(library_updated), C(library_synchronized) and C(library_deleted),
    for library items C(item_added), C(item_updated) and C(item_removed). What is updated has the names of the fields
    that are C(changed), too.
  - After C(gone), C(library_deleted) and C(item_removed) the facts are those that were seen last.
  - At the start, update sessions that are open are C(created). Those that have ended already are not told, nor the
    libraries and library items that are there.
  - No connection, a broken one, the answers 429, 500, 502, 503 and 504, and one that can't be read are logged, and the
    source looks again. When that happens with one of many, the events of the others go on.
  - A refused login, an untrusted certificate and a wrong option end the source with an error.
options:
  hostname:
    description:
      - The vCenter Server, as a name, an address, or a URL such as V(https://vcenter.example.com).
      - A URL with V(http://) is accepted for loopback addresses only.
      - Falls back to the environment variable E(VMWARE_HOST).
    type: str
    required: true
  port:
    description:
      - The TCP port. Defaults to the port in O(hostname), where it is a URL with one, else to V(443).
      - Falls back to the environment variable E(VMWARE_PORT).
    type: int
  username:
    description:
      - The user to log in as. Ignored where O(session_id) is set.
      - Falls back to the environment variable E(VMWARE_USER).
    type: str
  password:
    description:
      - The password of O(username). Ignored where O(session_id) is set.
      - With O(username) and O(password) the source logs in, and deletes its API token when it ends.
      - Falls back to the environment variable E(VMWARE_PASSWORD).
    type: str
  session_id:
    description:
      - An API token that exists already. It is never replaced by a login, and never deleted.
      - Falls back to the environment variable E(VMWARE_SESSION_ID).
    type: str
  validate_certs:
    description:
      - Whether the certificate of the vCenter Server must be trusted and carry its name.
      - Falls back to the environment variable E(VMWARE_VALIDATE_CERTS).
    type: bool
    default: true
  ca_path:
    description:
      - A bundle of certificates in PEM format, or a directory of hashed ones, to trust instead of the system's store.
      - Where it is not set, E(REQUESTS_CA_BUNDLE) and E(CURL_CA_BUNDLE) are looked at first.
      - Falls back to the environment variable E(VMWARE_CA_PATH).
    type: path
  proxy_host:
    description:
      - An HTTP proxy to connect through. Else the usual proxy variables of the environment hold.
      - Loopback addresses are never reached through a proxy.
      - Falls back to the environment variable E(VMWARE_PROXY_HOST).
    type: str
  proxy_port:
    description:
      - The port of O(proxy_host). V(8080) where it is not set.
      - Falls back to the environment variable E(VMWARE_PROXY_PORT).
    type: int
  api_endpoint:
    description:
      - Which generation of the REST API to use. V(api) is served by vSphere 7.0U2 and later, V(rest) by 6.5 to 8.0.
      - V(auto) takes V(api) where it exists.
      - Falls back to the environment variable E(VMWARE_API_ENDPOINT).
    type: str
    choices: [auto, api, rest]
    default: auto
  request_timeout:
    description: How many seconds one request may take with its retries, connecting included. At least V(1).
    type: float
    default: 10
  interval:
    description: Seconds between two looks.
    type: float
    default: 10
  watch:
    description:
      - What to watch. Each kind is a number of requests for each look, 16 at a time.
      - V(update_sessions) takes one, and one for each update session that is open.
      - V(libraries) takes one, and one for each library.
      - V(library_items) takes one, one for each library, and one for each of its items, because nothing else that a
        vCenter Server tells shows that an item has changed. With V(libraries) it shares the first.
    type: list
    elements: str
    choices: [update_sessions, libraries, library_items]
    default: [update_sessions]
  expiring_within:
    description:
      - An open update session that has this many seconds left, or less, is expiring soon. It is told again after a
        keep-alive.
      - At least O(interval), or else a session could expire between two looks. V(0) for never.
    type: float
    default: 60
  library_item_id:
    description: Watch only the update sessions on this library item. It must not be empty where it is given.
    type: str
  library_id:
    description: Watch only this library and its items. It must not be empty where it is given.
    type: str
requirements:
  - requests
"""

EXAMPLES = r"""
- name: Watch with what VMWARE_HOST, VMWARE_USER and VMWARE_PASSWORD say
  vsphere.content_library.update_sessions:

- name: Watch one library item closely
  vsphere.content_library.update_sessions:
    hostname: vcenter.example.com
    username: "{{ vcenter_username }}"
    password: "{{ vcenter_password }}"
    ca_path: "{{ vcenter_ca_path }}"
    library_item_id: "{{ library_item_id }}"
    interval: 2
    expiring_within: 30

- name: Watch the items of one library once a minute
  vsphere.content_library.update_sessions:
    watch: [library_items]
    library_id: "{{ library_id }}"
    interval: 60
"""

# ansible-rulebook runs this file by its path, in a Python that need not know of collections. So the folder above
# ansible_collections goes on sys.path. The name of this collection leads to the copy that the file belongs to, though,
# whatever other copies Python would find first.
NAME = "ansible_collections.vsphere.content_library"
for _path in (os.path.abspath(__file__), os.path.realpath(__file__)):
    _collection = os.path.normpath(os.path.join(_path, *[os.pardir] * 5))
    _above, _found, _rest = _collection.rpartition(os.sep + NAME.replace(".", os.sep))
    if _found and not _rest and NAME not in sys.modules:
        sys.path.append(_above)
        _spec = ModuleSpec(NAME, None, is_package=True)
        _spec.submodule_search_locations = [_collection]
        sys.modules[NAME] = module_from_spec(_spec)

from ansible_collections.vsphere.content_library.plugins.module_utils._argspec import CONNECTION
from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotFound,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.plugin_utils._watch import (
    Event,
    LibraryIds,
    WatchedItems,
    WatchedLibraries,
    WatchedSessions,
)

LOGGER = logging.getLogger("vsphere.content_library.update_sessions")
LONGEST_PAUSE = 60
LONGEST_RETRY_AFTER = 600
PASSING = ("RESOURCE_BUSY", "RESOURCE_INACCESSIBLE", "SERVICE_UNAVAILABLE", "TIMED_OUT", "INTERNAL_SERVER_ERROR")
# The user info of a URL, also where a password has what should have been quoted.
USER_INFO = re.compile(r"(?<=://)([^\s/?#]+|[^\s/?#:]*:[^\s/?#\d]\S*)@")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
KINDS = ["update_sessions", "libraries", "library_items"]
OPTIONS: dict[str, tuple[dict[str, Any], str | None]] = {
    **CONNECTION,
    "request_timeout": (dict(type="float", default=10), None),
    "interval": (dict(type="float", default=10), None),
    "watch": (dict(type="list", elements="str", choices=KINDS, default=["update_sessions"]), None),
    "expiring_within": (dict(type="float", default=60), None),
    "library_item_id": (dict(type="str"), None),
    "library_id": (dict(type="str"), None),
}


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Put an event for each change until canceled; then the API token is deleted. Raises VapiError."""
    watch = Watch(read_options(args))
    # A single thread: the token is deleted after the look that is under way, however often this task is canceled.
    worker = ThreadPoolExecutor(1)
    loop = asyncio.get_running_loop()
    try:
        while True:
            events, delay = await loop.run_in_executor(worker, watch.look)
            for event in events:
                await queue.put(copy_of({**event, "hostname": watch.client.peer.host}))
            await asyncio.sleep(delay)
    finally:
        watch.stop()
        closing = loop.run_in_executor(worker, watch.close)
        worker.shutdown(wait=False)
        await asyncio.shield(closing)


class Watch:
    """Looks at a vCenter Server again and again. Its methods block, and run in one thread, but for stop."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.client = VCenterClient(**{name: options[name] for name in CONNECTION})
        self.libraries = LibraryIds(self.client, options["library_id"])
        item, within = options["library_item_id"], options["expiring_within"]
        kinds = {
            "update_sessions": WatchedSessions(self.client, self.shown, item, within),
            "libraries": WatchedLibraries(self.client, self.shown, self.libraries),
            "library_items": WatchedItems(self.client, self.shown, self.libraries),
        }
        self.kinds = [kind for name, kind in kinds.items() if name in options["watch"]]
        self.pause = 0.0

    def look(self) -> tuple[list[Event], float]:
        """What happened since the last look, and after how many seconds to look again. Raises what no waiting mends."""
        self.libraries.forget()
        events: list[Event] = []
        delays = []
        self.pause, pause = 0.0, min(max(self.pause * 2, 1.0), LONGEST_PAUSE)
        for kind in self.kinds:
            try:
                events += kind.look()
            except VapiError as error:
                error.args = (self.shown(error),)
                if not self.passes(error):
                    raise
                self.pause = pause
                delays.append(max(min(error.retry_after, LONGEST_RETRY_AFTER), pause * random.uniform(0.5, 1.0)))
                LOGGER.warning("%s; looking again in %.1f s", error, delays[-1])
        return events, max(delays, default=self.options["interval"])

    def passes(self, error: VapiError) -> bool:
        """Whether an error passes by itself."""
        if error.error_type == "OPERATION_NOT_FOUND":
            # There is no such API; or, where there was one before, a proxy in front of a service that starts.
            is_first_request = error.operation == "session.create" or self.options["session_id"]
            return any(kind.has_looked for kind in self.kinds) or not is_first_request
        return isinstance(error, NotFound) or error.error_type in PASSING or (error.http_status or 0) >= 500

    def shown(self, error: VapiError) -> str:
        """What people may read of an error: no secret, and no control character that a server put into it."""
        text = str(error)
        for secret in {*self.client.secrets, self.options["password"], self.options["session_id"]}:
            text = text.replace(secret, "***") if secret else text
        return "".join(part if part.isprintable() else repr(part)[1:-1] for part in text)

    def stop(self) -> None:
        """End the look that is under way soon."""
        for kind in self.kinds:
            kind.is_stopped = True
        self.client.limit_timeouts()

    def close(self) -> None:
        """Delete the API token, if it is our own."""
        self.client.close()
        for warning in self.client.warnings:
            LOGGER.warning("%s", warning)


def copy_of(value: Any) -> Any:
    """A copy, because event filters change what they get. No secrets are in its URLs, and no control characters."""
    if isinstance(value, dict):
        return {name: copy_of(member) for name, member in value.items()}
    if isinstance(value, list):
        return [copy_of(member) for member in value]
    if isinstance(value, str):
        return CONTROL.sub(lambda found: repr(found[0])[1:-1], USER_INFO.sub("********@", value))
    return value


def boolean(value: object) -> bool:
    """Read true or false in the words that Ansible takes."""
    text = str(value).lower()
    if text not in ("true", "yes", "y", "t", "on", "1", "1.0", "false", "no", "n", "f", "off", "0", "0.0"):
        raise ValueError("neither true nor false")
    return text in ("true", "yes", "y", "t", "on", "1", "1.0")


def number(value: Any) -> float:
    """Read a number that is one."""
    if not math.isfinite(float(value)):
        raise ValueError("not finite")
    return float(value)


def path(value: Any) -> str:
    """Read a path as Ansible does."""
    return os.path.expanduser(os.path.expandvars(value))


def words(value: Any) -> list[str]:
    """Read a list as Ansible does."""
    return [str(word).strip() for word in (value if isinstance(value, list) else str(value).split(","))]


TYPES: dict[str, Callable[[Any], Any]] = {
    "str": str,
    "int": int,
    "float": number,
    "bool": boolean,
    "path": path,
    "list": words,
}


def read_options(args: dict[str, Any]) -> dict[str, Any]:
    """Read the options from args, the environment and the defaults. No message shows a value: it may be secret."""
    unknown = args.keys() - OPTIONS.keys()
    if unknown:
        raise InvalidArgument(f"unknown options: {', '.join(sorted(unknown))}")
    options = {name: read_option(name, args.get(name)) for name in OPTIONS}
    if not options["validate_certs"] and args.get("validate_certs") in (None, ""):
        LOGGER.warning("VMWARE_VALIDATE_CERTS turns the verification of certificates off")
    interval, within = options["interval"], options["expiring_within"]
    if "update_sessions" not in options["watch"]:
        within = 0
    for is_right, text in (
        (options["hostname"], "hostname is missing"),
        (options["watch"], "watch must not be empty"),
        (options["library_item_id"] or "library_item_id" not in args, "library_item_id must not be empty"),
        (options["library_id"] or "library_id" not in args, "library_id must not be empty"),
        (interval > 0, "interval is not above 0"),
        (
            within == 0 or within >= interval,
            "expiring_within is less than interval, so that a session could expire between two looks",
        ),
    ):
        if not is_right:
            raise InvalidArgument(text)
    return options


def read_option(name: str, given: Any) -> Any:
    """Read one option."""
    option, variable = OPTIONS[name]
    told = os.environ.get(variable) if variable and given in (None, "") else given
    if told in (None, ""):
        return option.get("default")
    try:
        value = TYPES[option["type"]](told)
    except (TypeError, ValueError):
        raise InvalidArgument(
            f"{name}, or {variable}, can't be read" if variable else f"{name} can't be read"
        ) from None
    choices = option.get("choices")
    if choices and not set(value if isinstance(value, list) else [value]) <= set(choices):
        raise InvalidArgument(f"{name} is none of {', '.join(choices)}")
    return value
