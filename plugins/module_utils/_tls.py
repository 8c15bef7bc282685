# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one trust configuration, for control and for content, and advice where a peer is not trusted."""

from __future__ import annotations

import os
import re
import ssl
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument

# What to do, by OpenSSL's number of what is wrong with a certificate (X509_V_ERR_*): its issuer is unknown, it has
# expired or is not yet valid, it is for another name or address.
_ADVICE = {
    **dict.fromkeys((18, 19, 20, 21), "ca_path has to name the certificate of the authority that signed it"),
    **dict.fromkeys((9, 10), "renew it, or set the clock right"),
    **dict.fromkeys((62, 64), "either hostname is no name in that certificate, or another machine answered"),
}
# OpenSSL's names of the errors that fail every handshake with a peer, however often it is tried.
_NO_AGREEMENT = (
    "WRONG_VERSION_NUMBER",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
    "UNSUPPORTED_PROTOCOL",
    "ALERT_PROTOCOL_VERSION",
    "ALERT_HANDSHAKE_FAILURE",
    "ALERT_INSUFFICIENT_SECURITY",
)


class _Context(ssl.SSLContext):
    """Verifies for the configured host where no other is named. urllib3 1.26 names none that is an address."""

    host: str

    def wrap_socket(self, sock: Any, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        kwargs["server_hostname"] = (kwargs.get("server_hostname") or self.host).removesuffix(".")
        return super().wrap_socket(sock, *args, **kwargs)


def tls_context(host: str, validate_certs: bool, ca_path: str | None) -> ssl.SSLContext:
    """The trust configuration for a host.

    It trusts ca_path, else REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE, else the store of the system, else, where there is
    none, the bundle of certifi. Raises InvalidArgument for a bundle that can't be loaded.
    """
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    context.host = host
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    bundles = {**os.environ, "ca_path": ca_path}
    for name in ("ca_path", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        path = bundles.get(name)
        if path:
            _load(context, name, path)
            return context
    defaults = ssl.get_default_verify_paths()
    if defaults.cafile or defaults.capath or os.name == "nt":
        context.load_default_certs()
    else:
        from requests.utils import DEFAULT_CA_BUNDLE_PATH

        _load(context, "certifi", DEFAULT_CA_BUNDLE_PATH)
    return context


def _load(context: ssl.SSLContext, name: str, path: str) -> None:
    try:
        if os.path.isdir(path):
            if not any(re.fullmatch(r"[0-9a-f]{8}\.\d+", entry) for entry in os.listdir(path)):
                raise InvalidArgument(f"{name} {path} has no certificate that is named by its hash: see openssl rehash")
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except OSError as error:
        reason = (
            "it has no certificate in PEM format (one that begins with -----BEGIN CERTIFICATE-----)"
            if isinstance(error, ssl.SSLError)
            else error.strerror
        )
        raise InvalidArgument(f"{name} {path} can't be loaded: {reason}") from None


def distrust(error: BaseException) -> str | None:
    """Why a TLS handshake failed, and what to do about it. None where another try may succeed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if not hasattr(error, "verify_code"):  # one of our own
            return str(error.args[0])
        advice = _ADVICE.get(error.verify_code)
        return error.verify_message.rstrip(".") + (f"; {advice}" if advice else "")
    reason = getattr(error, "reason", None) if isinstance(error, ssl.SSLError) else None
    if reason and any(part in reason for part in _NO_AGREEMENT):
        return f"no TLS 1.2 or later at this port ({reason.replace('_', ' ').lower()})"
    return None
