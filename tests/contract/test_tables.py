# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each row of the client's table and of the simulator's is what the vendor's facts say. A new row is held to them too.

What the facts do not cover is not judged: services beside the content library and its tokens, and what NEWER names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._dialects import DIALECTS, OPERATIONS, Operation
from ansible_collections.vsphere.content_library.plugins.module_utils._models import field_of
from tests.simulator import openapi
from tests.simulator.rows import API_ROWS, REST_ROWS, WHOLE, Row

FILES = openapi.load()
# Operations that came after the newest of the vendor's files, 8.0.2, by the last part of their name.
NEWER = ("force_delete",)
# The documents of the vendor have it, the files do not: the id of the session may stand in the body.
IN_THE_BODY = "/rest/com/vmware/content/library/item/update-session?~action=fail"


def judges(name: str, method: str, path: str) -> list[tuple[openapi.OpenApi, list[dict[str, Any]]]]:
    """The files that have the operation, each with its facts of it. None where the facts do not cover the operation.

    A file tells the ways to ask apart by a name in the query, where a row may have one path with an argument.
    """
    if not openapi.covers(path) or name.endswith(NEWER) or path == IN_THE_BODY:
        return []
    found = [(file, file.asked_as(method, path)) for file in FILES]
    assert any(operations for _file, operations in found), f"{name}: no file has {method} {path}"
    return [(file, operations) for file, operations in found if operations]


def parameters(operation: dict[str, Any], place: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in operation["parameters"] if each["in"] == place}


def members(file: openapi.OpenApi, operation: dict[str, Any]) -> dict[str, Any] | None:
    """The properties of the body, or None where there is no body."""
    (body,) = parameters(operation, "body").values() or [None]
    return file.resolved(body["schema"]).get("properties", {}) if body else None


def placeholders(path: str) -> set[str]:
    return {part.partition("}")[0] for part in path.partition("?")[0].split("{")[1:]}


def success(file: openapi.OpenApi, operation: dict[str, Any], dialect: str) -> tuple[int, Any]:
    """The status and the schema of the value in the answer that means success, None for no value."""
    (status,) = (status for status in operation["responses"] if status.startswith("2"))
    schema = operation["responses"][status].get("schema")
    if schema and dialect == "rest":
        schema = file.resolved(schema)["properties"]["value"]
    return int(status), file.resolved(schema) if schema else None


SIMULATED = [(dialect, row) for dialect, rows in (("api", API_ROWS), ("rest", REST_ROWS)) for row in rows]


@pytest.mark.parametrize(
    ("dialect", "row"), SIMULATED, ids=[f"{dialect}-{row.operation}" for dialect, row in SIMULATED]
)
def test_a_row_of_the_simulator(dialect: str, row: Row) -> None:
    path = f"/{dialect}{row.path}"
    for file, operations in judges(row.operation, row.method, path):
        operation = operations[0]
        assert success(file, operation, dialect)[0] == row.status
        assert parameters(operation, "path").keys() == placeholders(path)
        assert set(row.query) == parameters(operation, "query").keys()
        body = members(file, operation)
        if row.body is None or WHOLE in row.body:
            assert (body is None) == (row.body is None)
        else:
            assert body is not None
            assert row.body.keys() == body.keys()


CALLED = [(dialect, operation) for dialect in DIALECTS for operation in OPERATIONS.values()]
KINDS = {"array": "list", "string": "str", "object": "dict"}


def route(dialect: str, row: Operation) -> tuple[str, str]:
    """The method and the path of an operation as the client writes them, with the names of the arguments in it."""
    names = placeholders(row.path) | placeholders(row.rest or "")
    request = DIALECTS[dialect].request(row, {name: f"~{name}~" for name in names}, None)
    path = request.target.partition("&")[0]
    for name in names:
        path = path.replace(f"?{name}=~{name}~", "").replace(f"~{name}~", f"{{{name}}}")
    return request.method, path


@pytest.mark.parametrize(("dialect", "row"), CALLED, ids=[f"{dialect}-{row.name}" for dialect, row in CALLED])
def test_a_row_of_the_client(dialect: str, row: Operation) -> None:
    method, path = route(dialect, row)

    def facts(file: openapi.OpenApi, operation: dict[str, Any]) -> dict[str, Any]:
        status, value = success(file, operation, dialect)
        body = members(file, operation)
        return {
            "status": status,
            "result": KINDS[value["type"]] if value else None,
            "path": parameters(operation, "path").keys(),
            "wrapper": row.wrapper if body is not None and (dialect == "api" or row.wrapper in body) else None,
        }

    has = {
        "status": row.status if dialect == "api" else 200,
        "result": field_of(row.result).kind if row.result else None,
        "path": placeholders(path),
        "wrapper": row.wrapper,
    }
    for file, operations in judges(row.name, method, path):
        assert has in [facts(file, operation) for operation in operations], file.name


def test_the_facts_judge_strictly() -> None:
    """A row with another status, parameter, member or path is refused."""
    (row,) = (row for row in REST_ROWS if row.operation == "item.create")
    test_a_row_of_the_simulator("rest", row)
    others = (
        {"status": 201},
        {"query": ("name",)},
        {"body": {"spec": "spec"}},
        {"body": None},
        {"path": row.path + "s"},
    )
    for other in others:
        with pytest.raises(AssertionError):
            test_a_row_of_the_simulator("rest", replace(row, **other))
    operation = OPERATIONS["item.create"]
    for other in ({"status": 200}, {"result": "Library"}, {"wrapper": "spec"}, {"path": operation.path + "s"}):
        with pytest.raises(AssertionError):
            test_a_row_of_the_client("api" if "status" in other else "rest", operation._replace(**other))
