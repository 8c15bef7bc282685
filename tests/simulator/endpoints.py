# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP and HTTPS endpoints that the service fetches from: sources of pulls, and libraries that others publish."""

from __future__ import annotations

import base64
import hashlib
import http.client
import socket
import ssl
from urllib.parse import SplitResult, urlsplit


class EndpointError(OSError):
    """Why nothing could be fetched. ``status`` is one of those of a probe of a subscription."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status


def open_endpoint(
    url: str,
    trusted: ssl.SSLContext,
    thumbprint: str = "",
    credentials: tuple[str, str] | None = None,
    timeout: float = 30.0,
) -> http.client.HTTPResponse:
    """The answer to a GET, if its status is 200. The connection ends with the answer."""
    address = split(url)
    connection = connect(address.scheme, address.hostname or "", address.port, trusted, thumbprint, timeout)
    target = f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"
    headers = {"Connection": "close"}
    if credentials:
        headers["Authorization"] = f"Basic {base64.b64encode(':'.join(credentials).encode()).decode()}"
    try:
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
    except TimeoutError as error:
        connection.close()
        raise EndpointError("TIMED_OUT", f"no answer within {timeout:g} s") from error
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise EndpointError("UNKNOWN_ERROR", str(error) or type(error).__name__) from error
    if response.status != http.client.OK:
        connection.close()
        status = {401: "INVALID_CREDENTIALS", 403: "INVALID_CREDENTIALS", 404: "RESOURCE_NOT_FOUND"}
        raise EndpointError(status.get(response.status, "UNKNOWN_ERROR"), f"HTTP status {response.status}")
    return response


def split(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        address.port  # noqa: B018 - this is where a port that is no number is noticed
    except ValueError as error:
        raise EndpointError("INVALID_URL", str(error)) from error
    if address.scheme not in ("http", "https") or not address.hostname:
        raise EndpointError("INVALID_URL", f"{url} is no http or https URL")
    return address


def connect(
    scheme: str, host: str, port: int | None, trusted: ssl.SSLContext, thumbprint: str, timeout: float
) -> http.client.HTTPConnection:
    expected = normalized(thumbprint)
    if scheme == "http":
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    else:
        # "If set, the certificate is only accepted if it matches, and no other validation is performed."
        context = unverified() if expected else trusted
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    try:
        connection.connect()
    except ssl.SSLCertVerificationError as error:
        raise EndpointError("CERTIFICATE_ERROR", f"the certificate is not trusted: {error.verify_message}") from error
    except socket.gaierror as error:
        raise EndpointError("HOST_NOT_FOUND", f"the host {host} could not be found") from error
    except TimeoutError as error:
        raise EndpointError("TIMED_OUT", f"no connection to {host} within {timeout:g} s") from error
    except OSError as error:
        raise EndpointError("UNKNOWN_ERROR", str(error)) from error
    if expected and isinstance(connection, http.client.HTTPSConnection):
        algorithm = "sha256" if len(expected) == hashlib.sha256().digest_size * 2 else "sha1"
        if normalized(thumbprint_of(connection, algorithm)) != expected:
            connection.close()
            raise EndpointError("CERTIFICATE_ERROR", "the certificate's thumbprint does not match")
    return connection


def unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the authorities, which take long to read
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def normalized(thumbprint: str) -> str:
    return thumbprint.replace(":", "").lower()


def thumbprint_of(connection: http.client.HTTPSConnection, algorithm: str) -> str:
    digest = hashlib.new(algorithm, connection.sock.getpeercert(True) or b"", usedforsecurity=False).hexdigest().upper()
    return ":".join(digest[start : start + 2] for start in range(0, len(digest), 2))


def peer_thumbprint(url: str, algorithm: str, timeout: float) -> str | None:
    """What the endpoint's certificate has, trusted or not; None where it has none, or is out of reach."""
    try:
        address = split(url)
        connection = connect(address.scheme, address.hostname or "", address.port, unverified(), "", timeout)
    except EndpointError:
        return None
    try:
        is_secure = isinstance(connection, http.client.HTTPSConnection)
        return thumbprint_of(connection, algorithm) if is_secure else None
    finally:
        connection.close()
