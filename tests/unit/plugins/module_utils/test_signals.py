# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a signal, or the alarm of a task's timeout, meets in a task and in its client."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils import _signals
from ansible_collections.vsphere.content_library.plugins.module_utils._call import Answer
from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import (
    Interrupted,
    defer_signals,
    interruptible,
)

SIGNALS = [signal.SIGALRM, signal.SIGTERM, signal.SIGINT]


class Over(BaseException):
    """What a handler raises, as ansible-core's own for an alarm does."""


@pytest.fixture(params=SIGNALS)
def number(request):
    return request.param


@pytest.fixture
def ring(number):
    """Sends the signal, in seconds."""

    def over(number, frame):
        raise Over

    before = signal.signal(number, over)
    alarm = signal.getsignal(signal.SIGALRM)
    timers = []

    def ring(seconds):
        timers.append(threading.Timer(seconds, os.kill, (os.getpid(), number)))
        timers[-1].start()

    yield ring
    for timer in timers:
        timer.join()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is alarm
    assert signal.signal(number, before) is over


@pytest.fixture
def deleted():
    """Tokens that were deleted."""
    return []


@pytest.fixture
def client(monkeypatch, deleted):
    """A client whose login and logout take 0.2 seconds each, and no server."""

    def call(self, name, **arguments):
        time.sleep(0.2)
        if name == "session.create":
            return Answer("token", 0.0)
        deleted.append(self._login.token)
        return Answer(None, 0.0)

    monkeypatch.setattr(VCenterClient, "call", call)
    return VCenterClient("vcenter.example.com", username="user", password="pass")


def interrupted(client, work):
    """Do it with the client, until the signal comes."""

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


def test_what_hangs_is_waited_for_no_longer_than_the_grace(monkeypatch, ring):
    monkeypatch.setattr(_signals, "GRACE", 0.1)
    start = time.monotonic()
    ring(0.1)
    with pytest.raises(Over), defer_signals():
        time.sleep(60)
    assert 0.15 <= time.monotonic() - start < 10


def test_what_is_held_by_two_is_let_go_by_the_outer_one(ring):
    done = []

    def work():
        with defer_signals():
            with defer_signals():
                ring(0.1)
                time.sleep(0.3)
            done.append("inner")
            time.sleep(0.1)
            done.append("outer")
        done.append("not interrupted")

    with pytest.raises(Over):
        work()
    assert done == ["inner", "outer"]


def test_a_task_that_no_signal_interrupts_sets_no_timer(client):
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
    assert client.request_timeout == _signals.GRACE


def test_a_failure_leaves_a_logout_its_time(client):
    with pytest.raises(ValueError, match="of the run"), client:
        raise ValueError("of the run")
    assert client.request_timeout == 60


@pytest.fixture(params=[signal.SIGTERM, signal.SIGINT])
def usual(request):
    """The signals that came to where they usually go, and the signal."""
    came = []
    before = signal.signal(request.param, lambda number, frame: came.append(number))
    handler = signal.getsignal(request.param)
    yield came, request.param
    assert signal.getsignal(request.param) is handler
    signal.signal(request.param, before)


def test_a_signal_raises_and_then_has_its_usual_effect(usual):
    came, number = usual

    def work():
        with interruptible():
            try:
                os.kill(os.getpid(), number)
                time.sleep(10)
            finally:
                assert came == []

    with pytest.raises(Interrupted, match=number.name):
        work()
    assert came == [number]


def test_a_second_signal_does_not_interrupt_the_clearing_up(usual):
    came, number = usual
    done = []

    def work():
        with interruptible():
            try:
                os.kill(os.getpid(), number)
                time.sleep(10)
            finally:
                os.kill(os.getpid(), number)
                time.sleep(0.1)
                done.append("cleared up")

    with pytest.raises(Interrupted):
        work()
    assert done == ["cleared up"]
    assert came == [number]


def test_a_second_signal_after_the_grace_has_its_usual_effect(monkeypatch, usual):
    came, number = usual
    monkeypatch.setattr(_signals, "GRACE", 0.1)

    def work():
        with interruptible():
            try:
                os.kill(os.getpid(), number)
                time.sleep(10)
            finally:
                time.sleep(0.2)
                os.kill(os.getpid(), number)
                assert came == [number]

    with pytest.raises(Interrupted):
        work()


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGINT)
        with defer_signals():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_without_a_signal_nothing_happens(usual):
    came, _number = usual
    with interruptible():
        pass
    assert came == []


def test_a_thread_has_no_signals():
    entered = []

    def work():
        with interruptible(), defer_signals():
            entered.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [True]
