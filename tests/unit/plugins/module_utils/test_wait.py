# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline, poll, wait_for


def test_a_deadline_passes(clock):
    deadline = Deadline(10)
    assert deadline.remaining() == 10
    clock.now += 10
    assert deadline.remaining() == 0
    clock.now += 5
    assert deadline.remaining() == -5


def moments(clock, seconds, look_takes=0.0):
    """When the looks come, in seconds from the start."""
    start = clock.now
    seen = []
    for waited in poll(Deadline(seconds)):
        assert waited == clock.now - start
        seen.append(waited)
        clock.now += look_takes
    return seen


def test_the_first_look_is_at_once_and_the_last_at_the_deadline(clock):
    seen = moments(clock, 600)
    assert (seen[0], seen[-1]) == (0, 600)


@pytest.mark.parametrize("seconds", [0, -1])
def test_without_time_there_is_one_look(clock, seconds):
    assert moments(clock, seconds) == [0]


@pytest.mark.parametrize("look_takes", [0, 0.02])
def test_a_change_is_seen_within_one_and_a_half_times_of_what_it_took(clock, look_takes):
    """Or a second later, as no server should be asked more than once a second; later still after a minute."""
    seen = moments(clock, 60, look_takes)
    for earlier, later in zip(seen, seen[1:]):
        allowed = max(0.05, 0.5 * earlier, 1.0 if earlier + look_takes >= 1 else 0)
        assert later - look_takes - earlier <= allowed + 1e-5


def test_after_the_first_second_there_is_a_second_between_looks(clock):
    seen = moments(clock, 600)
    pauses = [later - earlier for earlier, later in zip(seen, seen[1:]) if earlier >= 1]
    assert min(pauses[:-1]) >= 1
    assert max(pauses) == 30
    assert len(seen) < 40


def test_waiting_ends_with_what_was_waited_for(clock):
    states = iter(["ACTIVE", "ACTIVE", "DONE", "GONE"])
    assert wait_for(lambda: next(states), lambda state: state == "DONE", Deadline(60)) == ("DONE", True)
    assert len(clock.pauses) == 2


def test_what_is_there_already_is_not_waited_for(clock):
    assert wait_for(lambda: "DONE", lambda state: state == "DONE", Deadline(60)) == ("DONE", True)
    assert clock.pauses == []


def test_waiting_ends_with_the_deadline_and_tells_what_was_seen_last(clock):
    start = clock.now
    assert wait_for(lambda: clock.now - start, lambda seen: False, Deadline(60)) == (60, False)


def test_what_looking_raises_is_raised(clock):
    with pytest.raises(ZeroDivisionError):
        wait_for(lambda: 1 / 0, lambda seen: True, Deadline(60))
