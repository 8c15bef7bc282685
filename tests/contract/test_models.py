# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of the collection's models have the vendor's types, and their documentation names the vendor's values.

A model that is one of the vendor's names it in its docstring. Its other fields are computed by the collection, or come
from a server newer than the vendor's files. Properties that are no field are passed through to playbooks as they are.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils import _models
from tests.simulator import openapi
from tests.update_return import sentences

FILES = openapi.load()
KINDS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "array": "list", "object": "dict"}


def vendors_name(model: type) -> str | None:
    """The end of the name that the definition has in the files, as ItemUpdateSessionModel."""
    found = re.match(r"([a-z]+(?:\.[a-z]+)*)\.([A-Z]\w+)", model.__doc__ or "")
    return found and "".join(part.capitalize() for part in found[1].split(".")) + found[2]


MODELS = {
    name: model
    for name, model in inspect.getmembers(_models, inspect.isclass)
    if model.__module__ == _models.__name__ and vendors_name(model)
}


def definitions(model: type) -> list[tuple[openapi.OpenApi, dict[str, Any]]]:
    name = vendors_name(model)
    found = [(file, key) for file in FILES for key in file.definitions if name and key.endswith(name)]
    assert found, f"no file has a definition {name}"
    return [
        (file, file.definitions[min((key for other, key in found if other is file), key=len)]) for file, _key in found
    ]


def kind(file: openapi.OpenApi, schema: dict[str, Any]) -> str:
    """The type as a playbook sees it. A map is a list of {key, value} in the files."""
    schema = file.resolved(schema)
    entries = file.resolved(schema.get("items", {})).get("properties", {})
    return "dict" if entries.keys() == {"key", "value"} else KINDS[schema["type"]]


@pytest.mark.parametrize("name", MODELS)
def test_the_fields_of_a_model_have_the_vendors_types(name: str) -> None:
    fields = _models.fields(MODELS[name])
    for file, definition in definitions(MODELS[name]):
        kinds = {key: kind(file, schema) for key, schema in definition["properties"].items() if key in fields}
        assert kinds, file.name
        assert kinds == {key: fields[key].kind for key in kinds}, file.name


@pytest.mark.parametrize("name", [name for name in MODELS if name in sentences()])
def test_the_documentation_names_every_value_of_an_enumeration(name: str) -> None:
    for file, definition in definitions(MODELS[name]):
        for key, schema in definition["properties"].items():
            values = set(file.resolved(schema).get("enum", ()))
            named = set(re.findall(r"V\(([A-Z_0-9]+)\)", str(sentences()[name].get(key, {}).get("description"))))
            assert not named or values <= named, f"{file.name}: {name}.{key} lacks {sorted(values - named)}"


def test_the_models_that_are_judged() -> None:
    assert {"UpdateSession", "UpdateSessionFile", "LibraryItem", "Library", "Message"} <= MODELS.keys()
