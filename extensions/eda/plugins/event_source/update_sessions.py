# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source for ansible-rulebook: what happens to the update sessions of a vCenter Server.

ansible-rulebook runs this file by its path, so it imports nothing of the collection.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import random
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import requests

DOCUMENTATION = r"""
---
author:
  - vsphere.content_library contributors (!UNKNOWN)
short_description: Events of the update sessions of a content library
description:
  - An ansible-rulebook event source plugin that watches the update sessions of a vCenter Server and puts one event for
    each change.
  - A vCenter Server shows each user only the update sessions that this user created.
  - An event has a C(type), the C(hostname) of the vCenter Server, and the C(update_session) with the facts that the
    module M(vsphere.content_library.update_session_info) returns. A C(warning_raised) has the type of the C(warning),
    too.
  - The types are C(created), C(progress), C(warning_raised), C(expiring_soon), C(done), C(error), C(canceled) and
    C(gone). After C(gone) the facts are those that were seen last.
  - At the start, update sessions that are open are C(created). Those that have ended already are not told.
  - No connection, a broken one, the answers 429, 500, 502, 503 and 504, and one that can't be read are logged and
    outlived. A refused login, an untrusted certificate and a wrong option end the source with an error.
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
      - The port of O(proxy_host).
      - Falls back to the environment variable E(VMWARE_PROXY_PORT).
    type: int
    default: 8080
  api_endpoint:
    description:
      - Which generation of the REST API to use. V(api) is served by vSphere 7.0U2 and later, V(rest) by 6.5 to 8.0.
      - V(auto) takes V(api) where it exists.
      - Falls back to the environment variable E(VMWARE_API_ENDPOINT).
    type: str
    choices: [auto, api, rest]
    default: auto
  request_timeout:
    description: How many seconds to wait for a connection, and for the server to go on with an answer.
    type: float
    default: 10
  interval:
    description: Seconds between two looks.
    type: float
    default: 10
  expiring_within:
    description:
      - An open update session that has this many seconds left, or less, is expiring soon. It is told again after a
        keep-alive.
      - At least O(interval), or else a session could expire between two looks. V(0) for never.
    type: float
    default: 60
  library_item_id:
    description: Watch only the update sessions on this library item.
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
"""

LOGGER = logging.getLogger("vsphere.content_library.update_sessions")
TOKEN_HEADER = "vmware-api-session-id"
LONGEST_PAUSE = 60
LONGEST_RETRY_AFTER = 600
SESSION_KEYS = (
    "id",
    "library_item_id",
    "library_item_content_version",
    "client_progress",
    "state",
    "expiration_time",
    "error_message",
    "preview_info",
    "warning_behavior",
)
END_EVENTS = {"DONE": "done", "ERROR": "error", "CANCELED": "canceled"}
# Of each generation of the REST API: where to log in, the list of the update sessions, and where one is.
PATHS = {
    "api": {
        "login": "/api/session",
        "list": "/api/content/library/item/update-session",
        "one": "/api/content/library/item/update-session/",
    },
    "rest": {
        "login": "/rest/com/vmware/cis/session",
        "list": "/rest/com/vmware/content/library/item/update-session",
        "one": "/rest/com/vmware/content/library/item/update-session/id:",
    },
}

Session = dict[str, Any]


class UpdateSessionsError(Exception):
    """What no waiting mends: a wrong option, a refused login, an untrusted certificate."""


class Passing(Exception):
    """A fault that passes by itself. The server may have said after how many seconds."""

    def __init__(self, text: str, retry_after: str = "") -> None:
        super().__init__(text)
        self.retry_after = min(int(retry_after), LONGEST_RETRY_AFTER) if retry_after.isdecimal() else 0


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    """Put an event for each change until canceled; then the API token is deleted. Raises UpdateSessionsError."""
    options = read_options(args)
    vcenter = VCenter(options)
    before: dict[str, Session] | None = None
    pause = 0.0
    try:
        while True:
            try:
                after = await asyncio.to_thread(vcenter.sessions, before or {})
            except Passing as fault:
                pause = min(max(pause * 2, 1.0), LONGEST_PAUSE)
                delay = max(fault.retry_after, pause * random.uniform(0.5, 1.0))
                LOGGER.warning("%s: %s; looking again in %.1f s", vcenter.url, fault, delay)
            else:
                if before is None:
                    before = {key: session for key, session in after.items() if session["state"] in END_EVENTS}
                for event in changes(before, after, options["expiring_within"]):
                    # A copy, because event filters change what they get.
                    await queue.put(deepcopy({**event, "hostname": vcenter.host}))
                before, pause, delay = after, 0.0, options["interval"]
            await asyncio.sleep(delay)
    finally:
        await asyncio.to_thread(vcenter.close)


def changes(before: dict[str, Session], after: dict[str, Session], within: float) -> Iterator[dict[str, Any]]:
    """Yield what happened between two looks, for each session in the order in which it happens."""

    def is_short(session: Session) -> bool:
        seconds = session["expires_in"]
        return session["state"] == "ACTIVE" and seconds is not None and seconds <= within

    for session_id, session in after.items():
        old = before.get(session_id)
        if old is None:
            yield {"type": "created", "update_session": session}
        elif session["client_progress"] != old["client_progress"]:
            yield {"type": "progress", "update_session": session}
        for warning in session["blocking_warnings"]:
            if old is None or warning not in old["blocking_warnings"]:
                yield {"type": "warning_raised", "warning": warning, "update_session": session}
        if within and is_short(session) and not (old and is_short(old)):
            yield {"type": "expiring_soon", "update_session": session}
        if session["state"] in END_EVENTS and not (old and old["state"] == session["state"]):
            yield {"type": END_EVENTS[session["state"]], "update_session": session}
    for session_id, session in before.items():
        if session_id not in after:
            yield {"type": "gone", "update_session": session}


class VCenter:
    """Blocking requests to one vCenter Server, to be made in threads. It logs in when it has to."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.url = server_url(options["hostname"].strip(), options["port"])
        self.host = urlsplit(self.url).hostname or ""
        self.dialects = list(PATHS) if options["api_endpoint"] == "auto" else [options["api_endpoint"]]
        self.is_known = False  # whether the server has the first of them
        self.token: str | None = options["session_id"]
        self.is_closing = False
        self.lock = threading.Lock()
        self.http = requests.Session()
        self.http.trust_env = False  # or else .netrc would be read
        self.http.verify = trusted(options["ca_path"]) if options["validate_certs"] else False
        if not options["validate_certs"]:
            warnings.filterwarnings("ignore", "Unverified HTTPS request")
        if not is_loopback(self.host):
            own = "http://{proxy_host}:{proxy_port}".format(**options)
            own_proxies = {"http": own, "https": own}
            self.http.proxies = own_proxies if options["proxy_host"] else requests.utils.get_environ_proxies(self.url)

    def sessions(self, before: dict[str, Session]) -> dict[str, Session]:
        """See all update sessions, by id. One that has ended is not asked for again, because it changes no more."""
        item = self.options["library_item_id"]
        query = "?library_item_id=" + quote(item, safe="") if item else ""
        sessions = {}
        for session_id in self.get("{list}" + query, id_list) or []:
            session = before.get(session_id)
            if session is None or session["state"] not in END_EVENTS:
                session = self.get("{one}" + quote(session_id, safe=""), partial(facts, session_id))
            # None is one that vanished since the list. vcsim lists those on other items, too.
            if session is not None and item in (None, session["library_item_id"]):
                sessions[session_id] = session
        return sessions

    def get(self, path: str, read: Callable[[Any, float], Any]) -> Any:
        """Get what is there, None where nothing is; with a new token where the server has forgotten the old one."""
        response = self.exchange("GET", path, headers={TOKEN_HEADER: self.log_in()})
        if response.status_code == 401 and not self.options["session_id"]:
            self.token = None
            response = self.exchange("GET", path, headers={TOKEN_HEADER: self.log_in()})
        if response.status_code != 404:
            return self.value(response, read)
        if path.startswith("{list}") and not is_json(response):
            raise Passing("HTTP 404")  # of a proxy in front of a service that starts
        return None

    def log_in(self) -> str:
        """Get the API token, by a login where there is none."""
        with self.lock:
            if self.token is None and not self.is_closing:
                credentials = (self.options["username"].encode(), self.options["password"].encode())
                self.token = self.value(self.exchange("POST", "{login}", auth=credentials), token)
            if self.is_closing:
                raise Passing("the source ends")
            return self.token

    def close(self) -> None:
        """Delete the API token, if it is our own. A login that is under way in another thread ends first."""
        self.is_closing = True
        with self.lock:
            if self.token and not self.options["session_id"]:
                for tries_left in (1, 0):
                    try:
                        self.exchange("DELETE", "{login}", headers={TOKEN_HEADER: self.token})
                        break
                    except (Passing, UpdateSessionsError) as error:
                        if not tries_left:
                            LOGGER.warning("%s: the API token could not be deleted: %s", self.url, error)
            self.http.close()

    def exchange(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send a request, and once more where its answer shows that the server has no /api."""
        while True:
            response = self.send(method, path.format(**PATHS[self.dialects[0]]), **kwargs)
            if self.is_known or response.status_code != 404 or is_json(response):
                self.is_known = True
                return response
            if len(self.dialects) == 1:
                raise UpdateSessionsError(f"there is no /{self.dialects[0]} on {self.url}")
            del self.dialects[0]

    def send(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send one request. A redirect is not followed, because credentials are for this server alone."""
        timeout = self.options["request_timeout"]
        try:
            response = self.http.request(method, self.url + path, timeout=timeout, allow_redirects=False, **kwargs)
        except requests.RequestException as error:
            cause = innermost(error)
            if isinstance(cause, ssl.SSLCertVerificationError) or isinstance(error, requests.exceptions.InvalidURL):
                raise UpdateSessionsError(f"no request to {self.url}: {cause}") from None
            raise Passing(f"no answer: {cause}") from None
        if response.status_code in (429, 500, 502, 503, 504):
            raise Passing(f"HTTP {response.status_code}", response.headers.get("Retry-After", ""))
        return response

    def value(self, response: requests.Response, read: Callable[[Any, float], Any]) -> Any:
        """Read an answer."""
        status = response.status_code
        if status == 401:
            # At once, because failed logins lock an account.
            subject = "the session_id" if self.options["session_id"] else f"the login of {self.options['username']}"
            raise UpdateSessionsError(f"{self.url} refused {subject}: HTTP 401")
        if not 200 <= status < 300:
            request = response.request
            raise UpdateSessionsError(f"{request.method} {self.url}{request.path_url} was answered by HTTP {status}")
        try:
            payload = response.json()
            date = response.headers.get("Date")
            now = parsedate_to_datetime(date).timestamp() if date else time.time()
            return read(payload["value"] if self.dialects[0] == "rest" else payload, now)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            raise Passing(f"HTTP {status} with an answer that can't be read") from None


def is_json(response: requests.Response) -> bool:
    """Tell whether the API answered: it says in JSON what it did not find, but that of vcsim."""
    return response.headers.get("Content-Type", "").startswith("application/json")


def is_token(value: str) -> bool:
    """Tell whether a header can carry it. requests would show what it refuses."""
    return value.isascii() and " " not in value and value.isprintable()


def token(value: Any, now: float) -> str:
    """Read the answer to a login."""
    if not (isinstance(value, str) and value and is_token(value)):
        raise ValueError("no API token")
    return value


def id_list(value: Any, now: float) -> list[str]:
    """Read the answer to a list. That of vcsim is null where it is empty."""
    ids = [] if value is None else value
    if not isinstance(ids, list) or not all(isinstance(member, str) for member in ids):
        raise TypeError("not a list of ids")
    return sorted(ids)


def facts(session_id: str, model: dict[str, Any], now: float) -> Session:
    """Make of an UpdateSessionModel the facts that update_session_info returns: each key is there, if only null."""
    session = {**dict.fromkeys(SESSION_KEYS), **model}
    if not isinstance(session["state"], str):
        raise TypeError("no state")
    session["id"] = session["id"] or session_id
    session["warning_behavior"] = session["warning_behavior"] or []
    session["expires_in"] = None
    if session["expiration_time"]:
        expires = datetime.fromisoformat(session["expiration_time"][:19]).replace(tzinfo=timezone.utc)
        session["expires_in"] = max(0, int(expires.timestamp() - now))
    raised = (session["preview_info"] or {}).get("warnings") or []
    ignored = {entry["type"]: entry.get("ignored") for entry in session["warning_behavior"] or raised}
    session["blocking_warnings"] = [
        warning["type"] for warning in raised if not ignored.get(warning["type"], warning.get("ignored"))
    ]
    return session


def boolean(value: object) -> bool:
    """Read true or false in the words that Ansible takes."""
    text = str(value).lower()
    if text not in ("true", "yes", "on", "1", "false", "no", "off", "0"):
        raise ValueError("neither true nor false")
    return text in ("true", "yes", "on", "1")


# Of each option its type, its default and its environment variable.
OPTIONS: dict[str, tuple[Callable[[Any], Any], Any, str]] = {
    "hostname": (str, None, "VMWARE_HOST"),
    "port": (int, None, "VMWARE_PORT"),
    "username": (str, None, "VMWARE_USER"),
    "password": (str, None, "VMWARE_PASSWORD"),
    "session_id": (str, None, "VMWARE_SESSION_ID"),
    "validate_certs": (boolean, True, "VMWARE_VALIDATE_CERTS"),
    "ca_path": (os.path.expanduser, None, "VMWARE_CA_PATH"),
    "proxy_host": (str, None, "VMWARE_PROXY_HOST"),
    "proxy_port": (int, 8080, "VMWARE_PROXY_PORT"),
    "api_endpoint": (str, "auto", "VMWARE_API_ENDPOINT"),
    "request_timeout": (float, 10.0, ""),
    "interval": (float, 10.0, ""),
    "expiring_within": (float, 60.0, ""),
    "library_item_id": (str, None, ""),
}


def read_options(args: dict[str, Any]) -> dict[str, Any]:
    """Read the options from args, the environment and the defaults. No message shows a value: it may be secret."""
    unknown = args.keys() - OPTIONS.keys()
    if unknown:
        raise UpdateSessionsError(f"unknown options: {', '.join(sorted(unknown))}")
    options = {}
    for name, (convert, default, variable) in OPTIONS.items():
        given = args.get(name)
        told = os.environ.get(variable) if given in (None, "") else given
        try:
            options[name] = default if told in (None, "") else convert(told)
        except (TypeError, ValueError):
            raise UpdateSessionsError(f"{name}, or {variable}, can't be read") from None
    if not options["validate_certs"] and args.get("validate_certs") in (None, ""):
        LOGGER.warning("VMWARE_VALIDATE_CERTS turns the verification of certificates off")
    has_credentials = options["session_id"] or (options["username"] and options["password"])
    for is_right, text in (
        (options["hostname"], "hostname is missing"),
        (has_credentials, "credentials are missing: give username and password, or session_id"),
        (is_token(options["session_id"] or ""), "session_id is no API token: it has characters that no token has"),
        (options["api_endpoint"] in ("auto", *PATHS), "api_endpoint is none of auto, api and rest"),
        (0 < (options["port"] or 443) < 65536, "port is not between 1 and 65535"),
        (options["interval"] > 0 and options["request_timeout"] > 0, "interval or request_timeout is not above 0"),
        (
            options["expiring_within"] == 0 or options["expiring_within"] >= options["interval"],
            "expiring_within is less than interval, so that a session could expire between two looks",
        ),
    ):
        if not is_right:
            raise UpdateSessionsError(text)
    return options


def server_url(hostname: str, port: int | None) -> str:
    """Make a URL of a name, an address or a URL. http is for loopback alone, where nobody can read along."""
    if "@" in hostname:
        raise UpdateSessionsError("hostname must not carry credentials: use username and password")
    is_bare_ipv6 = hostname.count(":") > 1 and "[" not in hostname and "/" not in hostname
    text = f"[{hostname}]" if is_bare_ipv6 else hostname
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname or "", port or parts.port
        host.encode("idna")  # which refuses what urllib3 would refuse later
    except ValueError:
        host = ""
    if not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise UpdateSessionsError(f"hostname {hostname} is not a host: give a name, an address or a URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise UpdateSessionsError(f"hostname {hostname}: only https, or http to loopback, keeps credentials safe")
    return f"{parts.scheme}://" + (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, without asking a resolver."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def trusted(ca_path: str | None) -> str | bool:
    """Find the certificates to trust, as the modules do: certifi's, which is True, where a system has none."""
    system = ssl.get_default_verify_paths()
    bundles = (ca_path, os.environ.get("REQUESTS_CA_BUNDLE"), os.environ.get("CURL_CA_BUNDLE"), system.cafile)
    path = next(filter(None, bundles), system.capath)
    try:
        if path:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(**{"capath" if os.path.isdir(path) else "cafile": path})
    except OSError as error:
        raise UpdateSessionsError(f"ca_path {path} can't be loaded: {error}") from None
    return path or True


def innermost(error: BaseException) -> BaseException:
    """Find the cause that requests and urllib3 have wrapped."""
    wrapped = (getattr(error, "reason", None), *error.args)
    cause = next((part for part in wrapped if isinstance(part, BaseException)), None)
    return error if cause is None else innermost(cause)
