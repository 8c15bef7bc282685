# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random
import time

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import VapiError
from ansible_collections.vsphere.content_library.plugins.module_utils._safe_text import (
    MASK,
    safe,
    safe_line,
    secrets_in,
    without_passwords,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Built from ssh://git@host/x by git", f"Built from ssh://{MASK}@host/x by git"),
        ("x://a@", f"x://{MASK}@"),
        ("see http://user:hid/den@host/a: denied", f"see http://{MASK}@host/a: denied"),
        ("https://user:2024/Summer-pw@host/a", f"https://{MASK}@host/a"),
        ("https://user:se@cret@host/a@b", f"https://{MASK}@host/a@b"),
        ("https://user:a://b@host/c", f"https://{MASK}@host/c"),
        ('["http://host/a","http://u:p@host/b"]', f'["http://host/a","http://{MASK}@host/b"]'),
        ("http://u:p@a,http://v:q@b", f"http://{MASK}@a,http://{MASK}@b"),
        ("http://a:80/x,http://v:q@b", f"http://a:80/x,http://{MASK}@b"),
        ("two\nhttp://u:p@a\tand http://v@b", f"two\nhttp://{MASK}@a\tand http://{MASK}@b"),
    ],
)
def test_user_info_is_masked_inside_its_url_alone(text, shown):
    assert without_passwords(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user@vsphere.local at https://host:443/a",
        "https://host/a@b and me@host",
        "ds:///vmfs/volumes/a@b/c.iso",
        "https://[fe80::1]:443/a@b",
        "mailto:me@host",
        "a://b://c",
    ],
)
def test_what_is_no_user_info_stays(text):
    assert without_passwords(text) == text


def test_what_may_be_a_password_counts_as_one():
    """To tell a port and a path from a password is not possible."""
    assert without_passwords("http://host:80/a@b") == f"http://{MASK}@b"


@pytest.mark.parametrize("unit", ["a://", "a://@", "a:b://", "@", "://@ ", "a://b:c/", "a://b:c/@", "a@b://"])
def test_masking_is_linear(unit):
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        start = time.process_time()
        without_passwords(text)
        return time.process_time() - start

    # 160 KB once took 5.5 s, so this would take a minute.
    assert seconds(1 << 19) < 5


def test_no_password_survives_whatever_is_around_it():
    rng = random.Random(1)
    for _number in range(3000):
        password = "".join(rng.choices("aZ1/:?#", k=rng.randint(0, 5))) + "S3CRET"
        if not password[0].isdecimal():  # That, with a :// behind it, looks like a URL with a port before another URL.
            password += rng.choice(["", "/", ":", "://"])
        before = "".join(rng.choices(["x ", "http://h/a ", '"', "(", "http://h:80/a,", "\n"], k=rng.randint(0, 3)))
        after = "".join(rng.choices(["/p", "/a@b", ":80/", " x", '"', ",http://h", "?q#f"], k=rng.randint(0, 3)))
        text = f"{before}https://user:{password}@host{after}"
        assert "S3CRET" not in without_passwords(text), text


def test_half_of_a_url_is_masked_too():
    for shift in range(60):
        text = "x" * (960 + shift) + " https://someone:an-open-secret@host/a " + "y" * 3000
        assert "secret" not in str(VapiError(text))
        assert "secret" not in str(VapiError(text[::-1].replace(" a/tsoh@terces-nepo-na:enoemos//:sptth ", text[-1:])))


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("https://user:2024/Summer-pw@host/a", {"2024/Summer-pw"}),
        ("https://git@host/a", set()),
        ("https://a@host", set()),
        ("https://ghp_0123456789@host", {"ghp_0123456789"}),
        ("https://user:hid%40den@host", {"hid%40den", "hid@den"}),
    ],
)
def test_secrets_in_an_option(url, secrets):
    assert secrets_in(url) == secrets


def test_control_characters_are_shown_as_such():
    every = "".join(map(chr, range(0x20))) + "\x7f" + "".join(map(chr, range(0x80, 0xA0))) + "ü\u00a0 a"
    told = safe({every: [every, 1, None, True, {"a": every}]})
    [(name, members)] = told.items()
    assert (members[0], members[1:4], members[4]) == (name, [1, None, True], {"a": name})
    kept = [character for character in name if not character.isprintable()]
    assert kept == ["\t", "\n", "\u00a0"]
    assert r"\x1b" in name
    assert r"\x9b" in name


def test_a_line_is_one_line():
    assert safe_line("no\r\n\x1b[2Jfatal: [host2]: FAILED!\n") == r"no\x0d\n\x1b[2Jfatal: [host2]: FAILED!\n"
