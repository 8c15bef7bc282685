# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cases of the rival matrix are equal to others, so that one of them is enough.

An act and a request that touch nothing in common can change places: neither sees the other. So an act before such a
request is the same as the act before the next one, and only positions are kept whose request touches what the act does.
From it follow three rules:

1. Position: the request at it touches what the act touches, and it is not in the middle of a row of the same reads.
2. End: a read changes nothing. Lost, refused or without an answer, it is sent again, and sees the act like one that is
   answered. So the four ends are tried at writes alone. (The fault matrix has each of them at each read.)
3. Dialect: what a module does then is decided above the dialects. /rest has each act at each position, answered.
"""

from __future__ import annotations

from tests.in_process import READS

# What there is to touch: a facet of each thing.
ITEM, NAME, DESCRIPTION, CONTENT, SESSION = "item", "name", "description", "content", "session"
LIBRARY, LIBRARY_NAME, DOWNLOAD, TOKEN = "library", "library name", "download", "token"
OF_AN_ITEM = frozenset((ITEM, NAME, DESCRIPTION, CONTENT, SESSION, DOWNLOAD))

# What an operation reads or writes, by the longest beginning of its name. TOKEN comes on top, for all but the login.
OPERATIONS: dict[str, frozenset[str]] = {
    "session.": frozenset(),
    "datastore.": frozenset(),
    "library.": frozenset((LIBRARY, LIBRARY_NAME)),
    "local_library.": frozenset((LIBRARY, LIBRARY_NAME)),
    "subscribed_library.": frozenset((LIBRARY, LIBRARY_NAME)),
    "subscribed_library.sync": frozenset((LIBRARY, *OF_AN_ITEM)),
    "subscribed_library.evict": frozenset((LIBRARY, *OF_AN_ITEM)),
    "subscribed_item.": frozenset((LIBRARY, *OF_AN_ITEM)),
    "item.": frozenset((LIBRARY, *OF_AN_ITEM)),
    "item.find": frozenset((LIBRARY, ITEM, NAME)),
    "item.list": frozenset((LIBRARY, ITEM)),
    "item.get": frozenset((LIBRARY, ITEM, NAME, DESCRIPTION, CONTENT)),
    "item.create": frozenset((LIBRARY, ITEM, NAME)),
    "item.update": frozenset((LIBRARY, ITEM, NAME, DESCRIPTION)),
    "item_file.": frozenset((LIBRARY, ITEM, CONTENT)),
    "item_storage.": frozenset((LIBRARY, ITEM, CONTENT)),
    "update_session.": frozenset((LIBRARY, ITEM, SESSION)),
    "update_session.create": frozenset((LIBRARY, ITEM, SESSION, CONTENT)),
    "update_session.complete": frozenset((LIBRARY, ITEM, SESSION, CONTENT)),
    "file.": frozenset((LIBRARY, ITEM, SESSION, CONTENT)),
    "upload": frozenset((LIBRARY, ITEM, SESSION)),
    "download_session.": frozenset((LIBRARY, ITEM, DOWNLOAD)),
    "download_session.create": frozenset((LIBRARY, ITEM, DOWNLOAD, CONTENT)),
    "download_file.": frozenset((LIBRARY, ITEM, DOWNLOAD, CONTENT)),
    "download": frozenset((LIBRARY, ITEM, DOWNLOAD, CONTENT)),
}

ACTS: dict[str, frozenset[str]] = {
    "create_item": frozenset((ITEM, NAME)),
    "publish_item": OF_AN_ITEM,
    "delete_item": OF_AN_ITEM,
    "rename_item": frozenset((NAME,)),
    "describe_item": frozenset((DESCRIPTION,)),
    "open_session": frozenset((SESSION,)),
    "fill_session": frozenset((SESSION,)),
    "complete_session": frozenset((SESSION, CONTENT)),
    "cancel_session": frozenset((SESSION,)),
    "fail_session": frozenset((SESSION,)),
    "delete_session": frozenset((SESSION,)),
    "add_file": frozenset((SESSION,)),
    "remove_file": frozenset((SESSION,)),
    "complete_ours": frozenset((SESSION, CONTENT)),
    "cancel_ours": frozenset((SESSION,)),
    "fail_ours": frozenset((SESSION,)),
    "delete_ours": frozenset((SESSION,)),
    "expire_ours": frozenset((SESSION,)),
    "tell_progress": frozenset((SESSION,)),
    "create_library": frozenset((LIBRARY_NAME,)),
    "delete_library": frozenset((LIBRARY, LIBRARY_NAME, *OF_AN_ITEM)),
    "rename_library": frozenset((LIBRARY_NAME,)),
    "sync_library": frozenset((LIBRARY, *OF_AN_ITEM)),
    "evict_library": frozenset((LIBRARY, *OF_AN_ITEM)),
    "cancel_download": frozenset((DOWNLOAD,)),
    "delete_download": frozenset((DOWNLOAD,)),
    "expire_download": frozenset((DOWNLOAD,)),
    "log_out": frozenset((TOKEN,)),
}


def touched(operation: str) -> frozenset[str]:
    """By a request."""
    matching = [name for name in OPERATIONS if operation.startswith(name)]
    token = () if operation == "session.create" else (TOKEN,)
    return OPERATIONS[max(matching, key=len)].union(token)


def is_read(operation: str) -> bool:
    return operation.endswith(READS)


def positions(operations: list[str], act: str) -> list[int]:
    """Rule 1. Those that are not equal to a later one, from 1."""
    kept = []
    for position, operation in enumerate(operations, 1):
        around = operations[max(0, position - 2) : position + 1]
        polled = len(around) == 3 and set(around) == {operation} and is_read(operation)
        if touched(operation) & ACTS[act] and not polled:
            kept.append(position)
    return kept


def ends(operation: str, dialect: str, every: list[str]) -> list[str]:
    """Rules 2 and 3. The first of every is that the request is answered."""
    return every[:1] if is_read(operation) or dialect == "rest" else every
