# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The language of the cases: what a module promises, as data.

A case of <module>.yml puts the simulator into a state (`given`, see tests/cases/given.py), and runs the module with the
options in `task`: in check mode, for real and, where that changed something, again. `phases` overrides that. `expect`
says what comes of it:

    changed, operations     as in the result, operations as numbers of each where their order is open; without
                            operations nothing is done, and with some the task has changed something. A task that
                            failed after it wrote something has `changed: true`
    requests                the operations of the API that the real run called, without login and logout. Those of the
                            service update_session may leave out its name. `any` where they depend on the time
    sent                    false where nothing at all may be sent
    returned                which keys the result has, and not null, beside those of every result
    state                   update_session.state; null where update_session is null
    update_session, library_item, library, file
                            some keys of that return value and their values; null where it is null
    update_sessions         the sessions that are returned, by their names in `given`
    each                    some keys that each of update_sessions, or of libraries, has
    mirrored                false where the server lies, so that the facts are not those of its state
    libraries               the libraries that are returned, by their names in `given`, or on the server
    library_items           the names of the items that are returned
    datastore_paths         a regular expression for the datastore_path of each file of these
    item_files              the names of the files of the first of them
    results                 some keys of each of the results of library_items, in order, and their values
    failed_items            as in the result
    server_items            all items that the library `shop` of `given` has on the server afterwards, by their names:
                            of each what `content` has
    changes                 library_items of library_sync: "NAME CHANGE"
    files                   as in the result, in order: "NAME ACTION", and " verified" where checksum_verified is true
    diff                    before and after, where they are not what the server says they are
    warnings                a part of each warning
    failed                  msg (parts of it), error_type, http_status (one for each dialect where they differ),
                            operation, update_session (some of its keys), messages (a part of the last one). What is
                            left out is null, or not there. Without error_type it is Ansible's own check of the options
    server                  sessions by their names in `given`: some keys of the server's afterwards, or null for one
                            that is gone
    server_libraries        libraries by their names in `given`, or on the server: some keys of the server's afterwards,
                            or null for one that is gone
    sessions                all sessions on the server afterwards: each its state, and a part of its error message
    session_files           by name, some keys of the files that `session` of `given` has; null for what is not there
    content                 by name, what the item has on the server afterwards: the name in `files` of a file with the
                            same bytes, or null for whatever was there before; the item is that of the result, else the
                            one that `given` has; null for an item that is gone
    local                   the files in `scratch` on this host after the real run, by name, with their text
    tokens_left             how many more than before; 1 where the server refuses a token and keeps it all the same
    check, again            what differs from the above in that phase; see tests/cases/checks.py for what always holds

`local` has the files, by name, with their text, that `scratch` has before, an otherwise empty folder on this host.

Values are Jinja templates, as in a playbook. They may use `given`, the ids of what was put on the server, by name;
`dialect`; `scratch`; the case's own `vars`; and what tests/cases/sources.py tells of the files to push and pull.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import yaml

CASES = Path(__file__).parent
DIALECTS = ["api", "rest"]
MODULES = sorted(path.stem for path in CASES.glob("*.yml"))
DEFAULT_GIVEN = {"sessions": {"session": {}}}
TEMPLATES = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
ONE_EXPRESSION = re.compile(r"\{\{((?:(?!\}\}).)*)\}\}", re.DOTALL)
OMIT = object()
# libyaml's, where PyYAML has it: each worker of the tests reads all cases.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def load(module: str) -> list[dict[str, Any]]:
    cases = yaml.load((CASES / f"{module}.yml").read_text(encoding="utf-8"), Loader=LOADER)
    names = [case["case"] for case in cases]
    assert len(names) == len(set(names)), f"{module}.yml has a case twice"
    return cases


def phases_of(case: dict[str, Any]) -> list[str]:
    return case.get("phases") or ["check", "run", *["again"] * changes(case["expect"])]


def changes(expect: dict[str, Any]) -> bool:
    """Whether the real run changes anything, and succeeds."""
    return "failed" not in expect and bool(expect.get("operations"))


def dialects_of(case: dict[str, Any]) -> list[str]:
    """Where nothing is sent, there is no dialect."""
    return DIALECTS if case["expect"].get("sent", True) else DIALECTS[:1]


def rendered(data: Any, values: dict[str, Any], keep_omitted: bool = False) -> Any:
    """data with its templates filled in; what is `omit` is left out, but for keep_omitted on the highest level."""
    if isinstance(data, dict):
        pairs = ((name, rendered(value, values)) for name, value in data.items())
        return {name: value for name, value in pairs if value is not OMIT or keep_omitted}
    if isinstance(data, list):
        return [rendered(value, values) for value in data]
    if not isinstance(data, str) or "{{" not in data:
        return data
    one = ONE_EXPRESSION.fullmatch(data)
    if one:
        return TEMPLATES.compile_expression(one[1], undefined_to_none=False)(**values)
    return TEMPLATES.from_string(data).render(values)


def variables(case: dict[str, Any], dialect: str, sources: dict[str, Any]) -> dict[str, Any]:
    """What the templates of a case may use, but for `given`."""
    values = {**sources, "dialect": dialect, "omit": OMIT}
    for name, value in case.get("vars", {}).items():
        values[name] = rendered(value, values)
    return values
