# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread that keeps a session alive; test_transfer.py has it around a push."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInaccessible,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._keep_alive import KeepAlive, Sender
from ansible_collections.vsphere.content_library.tests.unit.plugins.waiting import wait_until


class Service:
    """The keep_alive operation of a service: notes what it is asked, and fails with these errors first."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = []
        self.called = threading.Semaphore(0)

    def keep_alive(self, session_id, client_progress):
        self.calls.append((session_id, client_progress))
        self.called.release()
        if self.errors:
            raise self.errors.pop(0)

    def wait_for_calls(self, count):
        for _call in range(count):
            assert self.called.acquire(timeout=10)


def keeping(service, expires_in=None, stale_after=0.6):
    return KeepAlive(service.keep_alive, {"id": "a", "expires_in": expires_in}, stale_after)


def senders():
    return [thread for thread in threading.enumerate() if thread.name == "keep-alive"]


@pytest.mark.parametrize(
    ("expires_in", "stale_after", "interval"),
    [(None, 30, 10), (300, 30, 10), (300, 600, 10), (15, 30, 5), (300, 3, 1), (0, 30, 0.2), (None, 0.1, 0.2)],
)
def test_three_go_out_in_stale_after_and_in_the_time_to_live(expires_in, stale_after, interval):
    assert keeping(Service(), expires_in, stale_after)._interval == pytest.approx(interval)


def test_keep_alives_go_out_until_the_end():
    service = Service()
    start = time.monotonic()
    with keeping(service) as keeper:
        service.wait_for_calls(3)
    assert time.monotonic() - start >= 0.6
    assert set(service.calls) == {("a", None)}
    assert keeper.lost is None
    keeper.check()
    count = len(service.calls)
    time.sleep(0.3)
    assert len(service.calls) == count


def test_short_work_needs_none():
    service = Service()
    with keeping(service, stale_after=30):
        pass
    assert service.calls == []


@pytest.mark.parametrize("told", [InvalidArgument("lower"), VapiError("lower", http_status=400)])
def test_a_progress_that_is_refused_is_left_out(told):
    service = Service(told)
    with keeping(service) as keeper, keeper.during(lambda: 40, pytest.fail):
        service.wait_for_calls(3)
    assert service.calls[:3] == [("a", 40), ("a", None), ("a", 40)]
    assert keeper.lost is None


def test_a_refusal_that_does_not_tell_its_kind_is_the_end_where_it_is_not_about_the_progress():
    refused = VapiError("no", http_status=400)
    service, lost = Service(refused, refused), threading.Event()
    with keeping(service) as keeper, keeper.during(lambda: 40, lost.set):
        assert lost.wait(10)
    assert len(service.calls) == 2
    assert keeper.lost is refused


def test_the_progress_of_what_is_under_way_is_sent():
    service = Service()
    with keeping(service) as keeper:
        with keeper.during(lambda: 40, pytest.fail):
            service.wait_for_calls(2)
        service.wait_for_calls(2)
    assert service.calls[0] == ("a", 40)
    assert service.calls[-1] == ("a", None)


def test_one_that_fails_is_no_reason_to_end():
    service = Service(ResourceInaccessible("no connection"))
    with keeping(service) as keeper:
        service.wait_for_calls(2)
        keeper.check()


@pytest.mark.parametrize("error", [NotFound, NotAllowedInCurrentState])
def test_a_session_that_is_lost(error):
    service, told = Service(error("no more")), threading.Event()
    with keeping(service) as keeper:
        with keeper.during(lambda: None, told.set):
            assert told.wait(10)
        with pytest.raises(error):
            keeper.check()
        assert isinstance(keeper.lost, error)
        time.sleep(0.5)
    assert len(service.calls) == 1


def test_one_thread_sends_for_many_sessions():
    services, sender = [Service() for _number in range(5)], Sender()
    wait_until(lambda: not senders())  # those of other tests end by themselves
    with ExitStack() as stack:
        for number, service in enumerate(services):
            session = {"id": str(number), "expires_in": None}
            stack.enter_context(KeepAlive(service.keep_alive, session, 0.6, sender))
        for service in services:
            service.wait_for_calls(2)
        assert len(senders()) == 1
    for number, service in enumerate(services):
        assert set(service.calls) == {(str(number), None)}
    counts = [len(service.calls) for service in services]
    time.sleep(0.5)
    assert [len(service.calls) for service in services] == counts
    wait_until(lambda: not senders())


def test_a_bug_hangs_nobody():
    service = Service(KeyError("a bug"))
    with keeping(service) as keeper:
        service.wait_for_calls(1)
        wait_until(lambda: keeper.lost)
        with pytest.raises(KeyError, match="a bug"):
            keeper.check()
    assert len(service.calls) == 1


def test_the_sender_begins_again_after_its_end():
    service, sender = Service(), Sender()
    for _time in range(2):
        with KeepAlive(service.keep_alive, {"id": "a", "expires_in": None}, 0.6, sender):
            service.wait_for_calls(1)


def test_a_session_that_is_let_go_waits_for_the_keep_alive_under_way():
    begun, go_on, over = threading.Event(), threading.Event(), []

    def keep_alive(_session_id, _progress):
        begun.set()
        assert go_on.wait(10)
        over.append(True)

    with KeepAlive(keep_alive, {"id": "a", "expires_in": None}, 0.6):
        assert begun.wait(10)
        threading.Timer(0.2, go_on.set).start()
    assert over == [True]
