# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be shown of text that others wrote: no user info of a URL, and nothing that steers a terminal."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

MASK = "********"

# C0 but tab and newline, DEL, and C1, which some terminals take for escape sequences too.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# A name, and a colon that no port follows.
_PASSWORD_FOLLOWS = re.compile(r"""[^/?#\[:,"'<>]*:(?!\d+(?:[/?#]|$))""")
# Of a user name without a password. What is shorter is a name like git, and no token.
_TOKEN_LENGTH = 8


def safe(value: Any) -> Any:
    """A value of a result as it may be shown."""
    if isinstance(value, str):
        return _escaped(without_passwords(value))
    if isinstance(value, dict):
        return {safe(name): safe(member) for name, member in value.items()}
    return [safe(member) for member in value] if isinstance(value, list) else value


def safe_line(text: str) -> str:
    """Text for a person, as one line. What a server says must not look like a line of somebody else."""
    return safe(text).replace("\n", r"\n")


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def without_passwords(text: str) -> str:
    """Text with the user info of each URL masked, and nothing else. It takes time in proportion to its length."""
    if "://" not in text or "@" not in text:
        return text
    return re.sub(r"\S+", lambda found: _word_without_passwords(found[0]), text)


def _word_without_passwords(word: str) -> str:
    begin, *pieces = word.split("://")
    shown, rest = [begin], iter(pieces)
    for piece in rest:
        if "@" not in piece and _PASSWORD_FOLLOWS.match(f"{piece}:"):
            whole = [piece]  # A password may have :// in it.
            for more in rest:
                whole.append(more)
                if "@" in more:
                    break
            piece = "://".join(whole)
        info = user_info(piece)
        shown.append(MASK + piece[len(info) :] if info else piece)
    return "://".join(shown)


def user_info(rest: str) -> str:
    """The user info in what follows the :// of a URL; empty where it has none.

    A password should be quoted, and may not be. After a colon, up to the last @ all may be a password, even what looks
    like a port and a path.
    """
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return authority.rpartition("@")[0]
    return rest.rpartition("@")[0] if ":" in authority and not authority.startswith("[") else ""


def secrets_in(url: str) -> set[str]:
    """What is secret in a URL or host: the password, quoted and unquoted, or a token instead of a user name."""
    user, _colon, password = user_info(url.partition("://")[2] or url).partition(":")
    secret = password or (user if len(user) >= _TOKEN_LENGTH else "")
    return {secret, unquote(secret)} - {""}
