# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's client tokens: creates that may be sent twice."""

from __future__ import annotations

import ssl
import uuid

import pytest

from tests.simulator.wire import Reply, Wire

pytest_plugins = ["tests.simulator.fixtures"]

BACKING = [{"type": "DATASTORE", "datastore_id": "datastore-11"}]


def create(wire: Wire, operation: str, spec: dict[str, object], token: str) -> Reply:
    """The token is a header of /api, and a field beside the spec on /rest."""
    (source,) = wire.call("item.find", {"name": "subject"}).value
    arguments = {"source_library_item_id": source} if operation == "item.copy" else {}
    if wire.dialect == "api":
        return wire.call(operation, spec, {"Client-Token": token}, **arguments)
    return wire.call(operation, spec, client_token=token, **arguments)


@pytest.fixture
def specs(item: str, wire: Wire) -> dict[str, dict[str, object]]:
    library = wire.process.state()["items"][item]["library_id"]
    return {
        "item.create": {"library_id": library, "name": "twice"},
        "update_session.create": {"library_item_id": item},
        "download_session.create": {"library_item_id": item},
        "item.copy": {"library_id": library, "name": "copied"},
        "local_library.create": {"name": "twice", "storage_backings": BACKING},
    }


# What the same request without a token, or with another one, is answered; None: it makes another.
OUTCOMES = {
    "item.create": "ALREADY_EXISTS",
    "item.copy": "ALREADY_EXISTS",
    "update_session.create": "RESOURCE_BUSY",
    "download_session.create": None,
    "local_library.create": None,
}


@pytest.mark.parametrize("operation", OUTCOMES)
def test_honoured(wire: Wire, specs: dict[str, dict[str, object]], operation: str) -> None:
    token = str(uuid.uuid4())
    first = create(wire, operation, specs[operation], token)
    again = create(wire, operation, specs[operation], token.upper())
    assert (again.status, again.value) == (first.status, first.value)


@pytest.mark.parametrize("operation", OUTCOMES)
def test_ignored(wire: Wire, specs: dict[str, dict[str, object]], operation: str) -> None:
    """Another token, or a server that does not know them: each request is one of its own."""
    token = str(uuid.uuid4())
    first = create(wire, operation, specs[operation], token)
    assert create(wire, operation, specs[operation], str(uuid.uuid4())).error_type == OUTCOMES[operation]
    wire.process.config(client_tokens=False)
    again = create(wire, operation, specs[operation], token)
    assert again.error_type == OUTCOMES[operation]
    assert again.value != first.value


def test_nothing_was_created(wire: Wire, specs: dict[str, dict[str, object]]) -> None:
    """A create that failed is tried again."""
    token = str(uuid.uuid4())
    active = wire.create(specs["update_session.create"]["library_item_id"])
    reply = create(wire, "update_session.create", specs["update_session.create"], token)
    assert reply.error_type == "RESOURCE_BUSY"
    wire.call("update_session.cancel", update_session_id=active)
    assert create(wire, "update_session.create", specs["update_session.create"], token).value


def test_whose_token(wire: Wire, operator: Wire, specs: dict[str, dict[str, object]]) -> None:
    """A token is that of one user and one operation."""
    token = str(uuid.uuid4())
    created = [create(wire, operation, spec, token).value for operation, spec in specs.items()]
    assert len({*created, None}) == 6
    assert create(operator, "item.create", specs["item.create"], token).error_type == "ALREADY_EXISTS"


def test_lost_answer(wire: Wire, specs: dict[str, dict[str, object]]) -> None:
    """What tokens are for: the first request was processed, and nobody knows."""
    token = str(uuid.uuid4())
    lost = {"match": {"operation": "item.create"}, "fault": {"kind": "reset_after"}}
    wire.process.faults([lost])
    with pytest.raises((ConnectionError, ssl.SSLError)):
        create(wire, "item.create", specs["item.create"], token)
    wire.close()
    (item,) = [found["id"] for found in wire.process.state()["items"].values() if found["name"] == "twice"]
    assert create(wire, "item.create", specs["item.create"], token).value == item


def test_format(wire: Wire, specs: dict[str, dict[str, object]]) -> None:
    assert create(wire, "item.create", specs["item.create"], "token").error_type == "INVALID_ARGUMENT"
