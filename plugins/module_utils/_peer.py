# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who the configured host is, and the proxy in front of it."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument

_DEFAULT_PORTS = {"https": 443, "http": 80}
_DEFAULT_PROXY_PORT = 8080
_LABEL = re.compile("[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)


class Peer(NamedTuple):
    """The configured host. Its scheme is http on loopback only, because a token must not travel in the clear."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, hostname: str, port: int | None) -> Peer:
        """Read a name, an address or a URL (an AWX credential has one). Raises InvalidArgument."""
        text = hostname.strip()
        if "@" in text:
            raise InvalidArgument("hostname must not carry credentials; use username and password")
        if "://" not in text:
            text = f"https://[{text}]" if _is_address(text, 6) else f"https://{text}"
        try:
            parts = urlsplit(text)
            host, own_port = parts.hostname or "", parts.port
        except ValueError as error:
            raise InvalidArgument(f"hostname {hostname!r} is not a host: {error}") from None
        if not _is_host(host) or parts.path.strip("/") or parts.query or parts.fragment:
            raise InvalidArgument(f"hostname {hostname!r} is not a host: give a name, an address or a URL")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
            raise InvalidArgument(f"hostname {hostname!r}: only https, or http to loopback, keeps credentials safe")
        port = own_port if port is None else port
        if port is None:
            port = _DEFAULT_PORTS[parts.scheme]
        if not 0 < port < 65536:
            raise InvalidArgument(f"port {port} is not between 1 and 65535")
        return cls(parts.scheme, host, port)

    @property
    def name(self) -> str:
        """The host as a certificate names it: without the dot that ends a name which no search domain is added to."""
        return self.host.removesuffix(".")

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}")


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine by definition, without asking a resolver."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().removesuffix(".") == "localhost"


def proxy_url(proxy_host: str | None, proxy_port: int | None) -> str | None:
    """The URL of the configured proxy, None where there is none. Raises InvalidArgument."""
    if proxy_port is not None and not (proxy_host and 0 < proxy_port < 65536):
        raise InvalidArgument(f"proxy_port {proxy_port} needs a proxy_host and a number between 1 and 65535")
    if not proxy_host:
        return None
    user_info, at, host = proxy_host.strip().rpartition("@")
    if not _is_host(host) or "://" in user_info:
        raise InvalidArgument("proxy_host is not a host: give a name or an address")
    host = f"[{host}]" if ":" in host else host
    return f"http://{quote(user_info, safe=':%')}{at}{host}:{proxy_port or _DEFAULT_PROXY_PORT}"


def _is_host(text: str) -> bool:
    """Whether it is a name or an address, without a port."""
    is_name = len(text) <= 253 and all(_LABEL.fullmatch(label) for label in text.removesuffix(".").split("."))
    return is_name or _is_address(text, 6)


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False
