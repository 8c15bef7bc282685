# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
import trustme

from ansible_collections.vsphere.content_library.plugins.module_utils import _tries
from ansible_collections.vsphere.content_library.tests.unit.plugins.content_server import ContentServer
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import HOST


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_path(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="session")
def certificate(authority):
    return authority.issue_cert(HOST)


@pytest.fixture
def content(certificate, monkeypatch):
    """Where pushes go."""
    monkeypatch.setattr(_tries, "PAUSE", 0.05)
    with ContentServer(certificate) as content:
        yield content
