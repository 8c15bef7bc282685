# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import ssl

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._tls import distrust, tls_context
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import HOST


@pytest.mark.parametrize("host", [HOST, "10.1.1.2"])
def test_without_a_name_the_certificate_is_verified_for_the_configured_host(host):
    """urllib3 1.26 gives none for an address."""
    with socket.socket() as sock, tls_context(host, True, None).wrap_socket(sock) as wrapped:
        assert wrapped.server_hostname == host


def test_no_certificate_has_the_dot_at_the_end_of_a_name():
    with socket.socket() as sock:
        wrapped = tls_context(HOST, True, None).wrap_socket(sock, server_hostname=f"{HOST}.")
        assert wrapped.server_hostname == HOST


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_bundle_of_the_environment_is_used(monkeypatch, variable):
    monkeypatch.setenv(variable, "/does/not/exist")
    with pytest.raises(InvalidArgument, match=f"{variable} /does/not/exist"):
        tls_context(HOST, True, None)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_an_empty_bundle_of_the_environment_is_none(monkeypatch, variable):
    monkeypatch.setenv(variable, "")
    assert tls_context(HOST, True, None).verify_mode == ssl.CERT_REQUIRED


def failed_verification(code, message):
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, message
    return error


@pytest.mark.parametrize(("code", "advice"), [(20, "ca_path"), (18, "ca_path"), (10, "renew it"), (62, "hostname")])
def test_who_is_not_trusted_is_told_with_advice(code, advice):
    text = distrust(failed_verification(code, "something is wrong."))
    assert text.startswith("something is wrong; ")
    assert advice in text


def test_a_verification_without_advice_is_told_all_the_same():
    assert distrust(failed_verification(23, "certificate revoked")) == "certificate revoked"


def test_a_verification_of_our_own_is_told_in_its_words():
    assert distrust(ssl.SSLCertVerificationError("not the thumbprint")) == "not the thumbprint"


@pytest.mark.parametrize("reason", ["WRONG_VERSION_NUMBER", "TLSV1_ALERT_PROTOCOL_VERSION"])
def test_a_handshake_that_never_succeeds_is_told(reason):
    error = ssl.SSLError(1, "handshake")
    error.reason = reason
    assert "no TLS 1.2 or later" in distrust(error)


@pytest.mark.parametrize("error", [ssl.SSLEOFError(8, "EOF"), ConnectionResetError(104, "reset"), ValueError()])
def test_what_another_try_may_mend_is_no_distrust(error):
    assert distrust(error) is None
