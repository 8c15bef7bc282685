# Copyright: (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task's timeout, an alarm that raises, meets in a client."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.plugin_utils import _patient_client
from ansible_collections.vsphere.content_library.plugins.plugin_utils._patient_client import PatientClient


class Over(BaseException):
    """The task's time, like ansible-core's own exception for it."""


@pytest.fixture
def ring():
    """Sets the alarm, in seconds."""

    def over(number, frame):
        raise Over

    before = signal.signal(signal.SIGALRM, over)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert signal.signal(signal.SIGALRM, before) is over


@pytest.fixture
def deleted():
    """Tokens that were deleted."""
    return []


@pytest.fixture
def client(monkeypatch, deleted):
    """A client whose login and logout take 0.2 seconds each, and no server."""

    def log_in(self):
        time.sleep(0.2)
        return "token"

    def log_out(self):
        time.sleep(0.2)
        deleted.append(self._token)
        self._token = None

    monkeypatch.setattr(VCenterClient, "_log_in", log_in)
    monkeypatch.setattr(VCenterClient, "log_out", log_out)
    return PatientClient("vcenter.example.com", username="user", password="pass")


def interrupted(client, work):
    """Do it with the client, until the alarm rings."""

    def task():
        with client:
            work()

    with pytest.raises(Over):
        task()


def test_a_token_that_is_on_its_way_is_waited_for_and_deleted(ring, client, deleted):
    def work():
        ring(0.1)
        client.token()
        pytest.fail("not interrupted")

    interrupted(client, work)
    assert deleted == ["token"]


def test_a_logout_is_not_interrupted(ring, client, deleted):
    def work():
        client.token()
        ring(0.1)

    interrupted(client, work)
    assert deleted == ["token"]


def test_work_is_interrupted_at_once(ring, client, deleted):
    def work():
        client.token()
        ring(0.1)
        time.sleep(60)

    start = time.monotonic()
    interrupted(client, work)
    assert time.monotonic() - start < 10
    assert deleted == ["token"]


def test_a_login_that_hangs_is_waited_for_no_longer_than_the_grace(monkeypatch, ring, client):
    monkeypatch.setattr(_patient_client, "GRACE", 0.1)
    monkeypatch.setattr(VCenterClient, "_log_in", lambda self: time.sleep(60))
    start = time.monotonic()
    ring(0.1)
    with pytest.raises(Over):
        client.token()
    assert 0.2 <= time.monotonic() - start < 10


def test_a_task_without_timeout_sets_no_timer(client):
    with client:
        client.token()
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_thread_that_logs_in_is_waited_for(ring, client, deleted):
    thread = threading.Thread(target=client.token)

    def work():
        ring(0.1)
        thread.start()
        thread.join()

    interrupted(client, work)
    assert deleted == ["token"]


def test_after_its_time_a_task_does_not_wait_long_for_a_logout(client):
    with pytest.raises(Over), client:
        raise Over
    assert client.request_timeout == _patient_client.GRACE


def test_a_failure_leaves_a_logout_its_time(client):
    with pytest.raises(ValueError, match="of the run"), client:
        raise ValueError("of the run")
    assert client.request_timeout == 60
