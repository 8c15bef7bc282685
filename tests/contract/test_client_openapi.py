# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the client sends, in both dialects, is what the vendor's OpenAPI allows; nothing in it is unknown there."""

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._dialects import OPERATIONS
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import ERROR_TYPES
from tests.contract.client_cases import CASES, Case, Recorded, Recorder, sent_by_client
from tests.contract.test_tables import NEWER
from tests.simulator import openapi

FILES = openapi.load()


@pytest.fixture(scope="module")
def recorder():
    with Recorder() as recorder:
        yield recorder


def fits(template: str, request: Recorded) -> bool:
    """Whether a path of the OpenAPI, with the action that it may name, is that of the request."""
    path, _mark, query = template.partition("?")
    parts = path.split("/")
    if len(parts) != len(request.path):
        return False
    for part, value in zip(parts, request.path):
        fixed, brace, _name = part.partition("{")
        if not (value.startswith(fixed) and len(value) > len(fixed) if brace else value == part):
            return False
    selector, equals, action = query.partition("=")
    if selector and not equals and selector not in dict(request.query):
        return False
    actions = [(name, value) for name, value in request.query if name in ("action", "~action")]
    return actions == ([(selector, action)] if equals else [])


def described(file: openapi.OpenApi, request: Recorded) -> dict | None:
    """The operation of the OpenAPI that a request is of, or None.

    Literal paths go before those with parameters, those that name an argument of the query before those that don't.
    """
    found = [
        (template.count("{"), -template.count("?"), template)
        for method, template in file.operations
        if method == request.method and fits(template, request)
    ]
    return file.operations[request.method, min(found)[2]] if found else None


def check(file: openapi.OpenApi, operation: dict, request: Recorded, where: str) -> None:
    by_place = {place: {} for place in ("path", "query", "body", "header")}
    for parameter in operation.get("parameters", []):
        by_place[parameter["in"]][parameter["name"]] = parameter

    sent = dict(pair for pair in request.query if pair[0] not in ("action", "~action"))
    # 8.0.2's file has it there; the vendor's newer bindings and documentation have a header, and no server is known
    # that reads the query.
    assert "client_token" not in sent, f"{where}: the client token is in the query"
    unknown = sent.keys() - by_place["query"].keys()
    missing = {name for name, parameter in by_place["query"].items() if parameter.get("required")} - sent.keys()
    assert not unknown, f"{where}: the query has {unknown}"
    assert not missing, f"{where}: the query lacks {missing}"

    (body,) = by_place["body"].values() or [None]
    if body is None:
        assert request.body is None, f"{where}: a body where there is none"
    elif request.body is not None:
        file.validate(body["schema"], request.body, where)
    else:
        assert not body.get("required"), f"{where}: the body is missing"


def is_covered(case: Case) -> bool:
    """Whether the files should have it. They are of 8.0.2, and of the content library and its tokens alone."""
    return not case.operation.endswith(NEWER) and case.operation.partition(".")[0] != "datastore"


@pytest.mark.parametrize("dialect", ["api", "rest"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_client_sends_what_the_openapi_allows(recorder, case, dialect):
    request = sent_by_client(recorder, dialect, case)
    status = OPERATIONS[case.operation].status if dialect == "api" else 200
    judges = []
    for file in FILES:
        operation = described(file, request)
        if operation is None:
            continue
        where = f"{file.name}: {request.method} {'/'.join(request.path)}"
        check(file, operation, request, where)
        successes = [code for code in operation["responses"] if code.startswith("2")]
        assert successes == [str(status)], f"{where}: {successes}"
        judges.append(file.name)
    assert judges or not is_covered(case), f"no file has {request.method} {'/'.join(request.path)}"


def test_every_operation_is_checked():
    assert {case.operation for case in CASES} == OPERATIONS.keys()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_discriminators_of_errors_are_the_vendors(file):
    assert set(file.definitions["VapiStdErrorsErrorType"]["enum"]) == ERROR_TYPES
