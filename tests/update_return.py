# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what RETURN of the modules says of models, from one source: make return

plugins/module_utils/_models.py has the fields of each model with their types, update_return.yml beside this file a
sentence and a sample for each. They are put below each "contains:  # MODEL", and below the comment "# Failure" at the
end of RETURN.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import tests.conftest  # noqa: F401 pylint: disable=unused-import; it makes the collection importable
from ansible_collections.vsphere.content_library.plugins.module_utils import _models

MODULES = Path(__file__).resolve().parent.parent / "plugins/modules"
SENTENCES = Path(__file__).with_suffix(".yml")
WIDTH = 118
MODEL = re.compile(r"^( *)contains:  # (\w+)$")


@cache
def sentences() -> dict[str, dict[str, dict[str, Any]]]:
    """By model and field: description, sample, and returned where that is not always."""
    return yaml.safe_load(SENTENCES.read_text(encoding="utf-8"))


def documented(model: type, returned: str = "always") -> Iterator[str]:
    """The lines that describe the fields of a model."""
    told = sentences()[model.__name__]
    fields = _models.fields(model)
    missing, unknown = fields.keys() - told.keys(), told.keys() - fields.keys()
    if missing or unknown:
        raise ValueError(f"{SENTENCES.name}: {model.__name__} lacks {sorted(missing)} and has {sorted(unknown)}")
    for name, field in fields.items():
        yield f"{name}:"
        yield from ("  " + line for line in _described(field, told[name], returned))


def _described(field: _models.Field, told: dict[str, Any], returned: str) -> Iterator[str]:
    yield from _description(told["description"])
    yield f"type: {field.kind}"
    if field.elements:
        yield f"elements: {field.elements.kind}"
    yield f"returned: {told.get('returned', returned if field.always else 'when the server reports it')}"
    if "sample" in told:
        sample = yaml.safe_dump({"sample": told["sample"]}, sort_keys=False, width=WIDTH)
        yield from re.sub(r"'([^'\"\n]*)'$", r'"\1"', sample, flags=re.MULTILINE).splitlines()
    model = field.elements.model if field.elements else field.model
    if model:
        yield f"contains:  # {model.__name__}"
        yield from ("  " + line for line in documented(model))


def _description(texts: str | list[str]) -> Iterator[str]:
    if isinstance(texts, str) and len(texts) < WIDTH - 24:
        yield f"description: {texts}"
        return
    yield "description:"
    for text in [texts] if isinstance(texts, str) else texts:
        yield from textwrap.wrap(text, WIDTH - 16, initial_indent="  - ", subsequent_indent="    ")


def updated(text: str) -> str:
    """The text of a module with what is said of models as the source says it."""
    before, begin, rest = text.partition('RETURN = r"""\n')
    documentation, end, after = rest.partition('"""\n')
    return before + begin + "".join(f"{line}\n" for line in _updated(documentation.splitlines())) + end + after


def _updated(lines: list[str]) -> Iterator[str]:
    skipped = None  # the indentation of the key whose description is replaced
    for line in lines:
        indentation = len(line) - len(line.lstrip())
        if skipped is not None and indentation > skipped:
            continue
        skipped = None
        yield line
        found = MODEL.match(line)
        if found:
            skipped = indentation
            model = getattr(_models, found[2])
            yield from (f"{' ' * (skipped + 2)}{described}" for described in documented(model))
        if line == "# Failure":
            yield from documented(_models.Failure, "failure")
            return


def main() -> None:
    for path in sorted(MODULES.glob("*.py")):
        path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
