# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's OpenAPI as a judge of answers, by the facts of it that are kept in tests/contract/vendor."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, FormatChecker

from .process import ROOT

FACTS = ROOT / "tests/contract/vendor"
# The folders of the services that the facts cover, with all their operations.
COVERED = ("/api/content/", "/api/session", "/rest/com/vmware/content/", "/rest/com/vmware/cis/session")
# Any operation may give these; the files list them with few.
EVERYWHERE = {
    ("api", 401): "VapiStdErrorsUnauthenticated",
    ("rest", 401): "vapi.std.errors.unauthenticated_error",
    ("api", 403): "VapiStdErrorsUnauthorized",
    ("rest", 403): "vapi.std.errors.unauthorized_error",
}

formats = FormatChecker(formats=())


@formats.checks("date-time", raises=ValueError)
def is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is not None


class OpenApi:
    """The facts of one of the vendor's files. Operations are named by method and path as they stand in it."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        document = json.loads(path.read_text(encoding="utf-8"))
        self.definitions = {name: strict(definition) for name, definition in document["definitions"].items()}
        self.operations: dict[tuple[str, str], dict[str, Any]] = {}
        for name, operation in document["operations"].items():
            method, _space, template = name.partition(" ")
            # Of one file's "?library_id" the other knows nothing: it is the query of the list.
            self.operations[method.upper(), template.removesuffix("?library_id")] = operation

    def asked_as(self, method: str, path: str) -> list[dict[str, Any]]:
        """The operations with that path, and those with the same path and a name in the query; exact ones first."""
        found = {template: operation for (verb, template), operation in self.operations.items() if verb == method}
        named = [template for template in found if template.startswith(f"{path}?") and "=" not in template]
        return [found[template] for template in (path, *named) if template in found]

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema itself, also where it is a reference, which may be to another one."""
        while "$ref" in schema:
            schema = self.definitions[schema["$ref"].rpartition("/")[2]]
        return schema

    def check_answer(self, method: str, template: str, status: int, body: bytes) -> None:
        """Raise unless the file allows this answer; an operation that it does not have is not judged."""
        operation = self.operations.get((method, template))
        if operation is None:
            return
        where = f"{self.name}: {method} {template}: {status} {body[:500]!r}"
        everywhere = EVERYWHERE.get((template.split("/")[1], status))
        if everywhere:
            schema = {"$ref": f"#/definitions/{everywhere}"}
        elif str(status) in operation["responses"]:
            schema = operation["responses"][str(status)].get("schema")
        else:
            raise AssertionError(f"{where}: the status is none of {sorted(operation['responses'])}")
        if not schema:
            assert not body, f"{where}: a body where there is none"
            return
        self.validate(schema, json.loads(body), where)

    def validate(self, schema: dict[str, Any], instance: Any, where: str) -> None:
        validator = Draft4Validator({**schema, "definitions": self.definitions}, format_checker=formats)
        errors = [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(instance)]
        assert not errors, f"{where}: {errors}"


def strict(schema: Any) -> Any:
    """The schema with unknown properties forbidden."""
    if isinstance(schema, list):
        return [strict(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: strict(entry) for name, entry in schema.items()}
    if isinstance(schema.get("properties"), dict):
        result.setdefault("additionalProperties", False)
    return result


def covers(path: str) -> bool:
    """Whether the facts have all operations of the service that the path is of."""
    return path.startswith(COVERED)


def load() -> list[OpenApi]:
    return [OpenApi(path) for path in sorted(FACTS.glob("content-library-*.json"))]
