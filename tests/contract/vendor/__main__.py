# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the facts of the vendor's OpenAPI files into this folder: python -m tests.contract.vendor FOLDER

A fact is what a program can check: operations with their parameters and statuses, models with the names, types and
enumerations of their properties. The vendor's texts stay out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parent
SERVICES = ("content", "session", "com/vmware/content", "com/vmware/cis/session")
# What a key of a schema holds: a value as it is, a schema, or schemas by name.
PLAIN = {"$ref", "type", "format", "enum", "required"}
ONE = {"items", "additionalProperties"}
# Answers that no operation lists, and the types of errors.
ALWAYS = ("VapiStdErrorsUnauthenticated", "vapi.std.errors.unauthenticated_error", "VapiStdErrorsErrorType")


def facts_of(document: dict[str, Any]) -> dict[str, Any]:
    """The facts of one file, in the same structure: paths and definitions."""
    paths = {
        path: {method: _operation(operation) for method, operation in sorted(methods.items())}
        for path, methods in sorted(document["paths"].items())
        if path.split("/", 2)[2].partition("?")[0].startswith(SERVICES)
    }
    schemas = {name: _schema(schema) for name, schema in document["definitions"].items()}
    wanted = {name for name in ALWAYS if name in schemas}
    new = wanted | set(_references(paths))
    while new:
        wanted |= new
        new = {name for known in new for name in _references(schemas[known])} - wanted
    return {"paths": paths, "definitions": {name: schemas[name] for name in sorted(wanted)}}


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        {key: _schema(value) if key == "schema" else value for key, value in parameter.items() if key != "description"}
        for parameter in operation.get("parameters", [])
    ]
    responses = {
        status: {"schema": _schema(response["schema"])} if "schema" in response else {}
        for status, response in operation["responses"].items()
    }
    return {"parameters": parameters, "responses": responses}


def _schema(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key in PLAIN}
    kept.update((key, _schema(schema[key])) for key in ONE & schema.keys())
    if "properties" in schema:
        kept["properties"] = {name: _schema(value) for name, value in sorted(schema["properties"].items())}
    return kept


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list):
        for member in value:
            yield from _references(member)


def rendered(facts: dict[str, Any]) -> str:
    """JSON with a line for each operation and each model, so that a difference can be read."""

    def lines(named: dict[str, Any]) -> str:
        return ",\n".join(f"{json.dumps(name)}: {json.dumps(value, sort_keys=True)}" for name, value in named.items())

    paths = {f"{method} {path}": value for path, methods in facts["paths"].items() for method, value in methods.items()}
    return f'{{"operations": {{\n{lines(paths)}\n}}, "definitions": {{\n{lines(facts["definitions"])}\n}}}}\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with the vendor's files, content-library-VERSION.json")
    for path in sorted(parser.parse_args().folder.glob("content-library-*.json")):
        text = rendered(facts_of(json.loads(path.read_text(encoding="utf-8"))))
        (FACTS / path.name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
