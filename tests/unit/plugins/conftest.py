# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import time

import pytest
import requests

from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import Clock, Server, Wire


@pytest.fixture(scope="session")
def no_certificates(tmp_path_factory):
    """A system store without certificates, because reading a real one takes longer than most tests."""
    return {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": str(tmp_path_factory.mktemp("certificates"))}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, no_certificates):
    """Whatever the environment says about vCenters, proxies and certificates, a test starts without it."""
    for name in list(os.environ):
        if name.startswith("VMWARE_") or name.lower().endswith("_proxy") or name.endswith("_CA_BUNDLE"):
            monkeypatch.delenv(name)
    for name, value in no_certificates.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only when something waits."""
    clock = Clock()
    for name, fake in (("monotonic", clock.time), ("time", clock.time), ("sleep", clock.sleep)):
        monkeypatch.setattr(time, name, fake)
    return clock


@pytest.fixture
def wire(monkeypatch, clock):
    """The transport of every client of the test. What was expected and not sent fails the test."""
    wire = Wire(clock)
    monkeypatch.setattr(requests.Session, "get_adapter", lambda session, url: wire)
    yield wire
    wire.finish()


@pytest.fixture(params=["api", "rest"])
def server(request, wire):
    """A vCenter that speaks one of the two dialects."""
    return Server(request.param, wire)


@pytest.fixture
def folder(tmp_path):
    """Writes files, and gives the path of the first."""

    def write(files):
        for name, content in files.items():
            target = tmp_path / name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content)
        return str(tmp_path / next(iter(files)))

    return write
