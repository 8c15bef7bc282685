# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._peer import Peer, is_loopback, proxy_url


@pytest.mark.parametrize(
    ("hostname", "port", "url"),
    [
        ("vcenter.example.com", None, "https://vcenter.example.com"),
        (" vcenter.example.com\n", None, "https://vcenter.example.com"),
        ("vcenter.example.com.", None, "https://vcenter.example.com."),
        ("vcenter.example.com", 8443, "https://vcenter.example.com:8443"),
        ("vcenter.example.com:8443", None, "https://vcenter.example.com:8443"),
        ("https://vcenter.example.com:8443/", None, "https://vcenter.example.com:8443"),
        ("https://vcenter.example.com:8443", 9443, "https://vcenter.example.com:9443"),
        ("HTTPS://VCENTER", None, "https://vcenter"),
        ("10.1.1.2", None, "https://10.1.1.2"),
        ("2001:db8::1", None, "https://[2001:db8::1]"),
        ("[2001:db8::1]:8443", None, "https://[2001:db8::1]:8443"),
        ("http://127.0.0.1:8080", None, "http://127.0.0.1:8080"),
        ("http://localhost", None, "http://localhost"),
        ("http://[::1]:8989", None, "http://[::1]:8989"),
        ("https://localhost:80", None, "https://localhost:80"),
    ],
)
def test_a_hostname_is_a_name_an_address_or_a_url(hostname, port, url):
    assert Peer.parse(hostname, port).url == url


@pytest.mark.parametrize(
    "hostname",
    [
        "",
        " ",
        "no host",
        "a..b",
        ".example.com",
        "-a",
        "a" * 64 + ".example.com",
        "a." * 127 + "ab",
        "\uff41.example.com",
        "vcenter/api",
        "https://",
        "https://vcenter/path",
        "https://vcenter?query",
        "https://vcenter#fragment",
        "ftp://vcenter",
        "file:///etc/passwd",
        "https://[::1",
        "vcenter:port",
        "vcenter:0",
        "vcenter:65536",
        "http://vcenter.example.com",
        "http://10.1.1.2",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@vcenter.example.com",
        "user:secret@vcenter",
        "https://user:secret@vcenter:port",
    ],
)
def test_a_hostname_that_is_no_host_is_refused(hostname):
    with pytest.raises(InvalidArgument, match=r"hostname|port") as caught:
        Peer.parse(hostname, None)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_is_this_machine_by_definition(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.example.com", "10.1.1.2", "2001:db8::1", "127.0.0.1.example.com"])
def test_another_host_is_no_loopback(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        (None, None, None),
        ("proxy.example.com", None, "http://proxy.example.com:8080"),
        ("proxy.example.com", 3128, "http://proxy.example.com:3128"),
        ("2001:db8::1", 3128, "http://[2001:db8::1]:3128"),
        ("user:pa/ss#word@proxy", 3128, "http://user:pa%2Fss%23word@proxy:3128"),
        ("user:pa%2Fss@proxy", None, "http://user:pa%2Fss@proxy:8080"),
    ],
)
def test_a_proxy_is_a_host_with_user_info_or_not(host, port, url):
    assert proxy_url(host, port) == url


@pytest.mark.parametrize(
    ("host", "port"),
    [(None, 8080), ("", 8080), ("proxy", 0), ("proxy", 65536), ("no host", None), ("http://user:secret@proxy", None)],
)
def test_what_is_no_proxy_is_refused(host, port):
    with pytest.raises(InvalidArgument, match=r"proxy_host|proxy_port") as caught:
        proxy_url(host, port)
    assert "secret" not in str(caught.value)
