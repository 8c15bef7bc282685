# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases of tests/integration/cases/<module>.yml: one playbook for each module, one test for each case and dialect.

A case puts the simulator into a state (`given`, the arguments of plugins/action/simulator.py) and runs the module with
the options in `task`: in check mode, for real and, where that changed something, again. `phases` overrides that.
`expect` says what comes of it:

    changed, operations     as in the result, operations as numbers of each where their order is open
    requests                the operations of the API that the real run called, without login and logout
    state                   update_session.state; null where update_session is null
    update_session          some keys of update_session and their values
    update_sessions         the sessions that are returned, by their names in `given`
    each                    some keys that each of update_sessions has; `mirrored: false` where the server lies
    server                  sessions by name: some keys of the server's afterwards, or null for one that is gone
    diff                    before and after, where they are not what the server says they are
    warnings                a part of each warning
    failed                  error_type, http_status (one for each dialect where they differ), operation, msg (parts of
                            it), update_session (some of its keys), messages (a part of the last one)
    check, again            what differs from the above in that phase; see `check_case` for what always holds
    sent                    false where nothing at all may be sent

Everything may use `{{ given.NAME }}` for an id of `given`.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.playbooks import Run, TaskResult

CASES = Path(__file__).parent / "cases"
DIALECTS = ["api", "rest"]
# How tasks are run. CONTENT_LIBRARY_WAYS names one of them to leave out the other.
WAYS = os.environ.get("CONTENT_LIBRARY_WAYS", "in_process,module").split(",")
READS = {"update_session.get", "update_session.list", "file.list", "file.get", "file.validate"}
SESSION_KEYS = {
    "id",
    "library_item_id",
    "library_item_content_version",
    "client_progress",
    "state",
    "expiration_time",
    "error_message",
    "preview_info",
    "warning_behavior",
    "expires_in",
    "blocking_warnings",
}
MESSAGE_KEYS = {"id", "default_message", "args", "params", "localized"}
PREVIEW_KEYS = {"state", "certificate_info", "cert_chain", "warnings"}
# What differs from run to run: ids of what was created, times.
MOVING = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?", "<id>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "<time>"),
    (r'"expires_in": \d+', '"expires_in": 0'),
    (r"expires in \d+ seconds", "expires in 0 seconds"),
)
DEFAULT_GIVEN = {"sessions": {"session": {}}}


@cache
def load_cases(module: str) -> list[dict[str, Any]]:
    cases = yaml.safe_load((CASES / f"{module}.yml").read_text(encoding="utf-8"))
    names = [case["case"] for case in cases]
    assert len(names) == len(set(names)), f"{module}.yml has a case twice"
    return cases


def phases_of(case: dict[str, Any]) -> list[str]:
    expect = case["expect"]
    return case.get("phases") or ["check", "run", *["again"] * bool(expect.get("changed"))]


def contract(module: str) -> list[Any]:
    """Parameters `case`, `way` and `dialect` of a test: how each case of a module is run."""
    return [
        pytest.param(case, way, dialect, id=f"{case['case']}-{way}-{dialect}")
        for number, case in enumerate(load_cases(module))
        for way in WAYS
        for dialect in dialects_of(number, case, way)
    ]


def contract_in_several_ways() -> list[Any]:
    """Parameters `module`, `case` and `dialect` of a test: what is run in each way."""
    return [
        pytest.param(path.stem, case, dialect, id=f"{path.stem}-{case['case']}-{dialect}")
        for path in sorted(CASES.glob("*.yml"))
        for number, case in enumerate(load_cases(path.stem))
        for dialect in DIALECTS
        if all(dialect in dialects_of(number, case, way) for way in WAYS)
    ]


def dialects_of(number: int, case: dict[str, Any], way: str) -> list[str]:
    if not case["expect"].get("sent", True):
        return ["api"]  # Nothing is sent, in whatever dialect.
    if way == "module" and "in_process" in WAYS:
        # A process for each task takes its time, and the code that speaks a dialect is the same in both ways.
        return [DIALECTS[number % 2]]
    return DIALECTS


def playbook_of(module: str, cases: list[tuple[dict[str, Any], list[str]]]) -> list[dict[str, Any]]:
    """The tasks of cases, one after the other, each on the hosts of some dialects."""
    tasks: list[dict[str, Any]] = []
    for case, dialects in cases:
        when = {"when": f"inventory_hostname in {dialects}"}
        given = {"simulator": case.get("given", DEFAULT_GIVEN), "register": "given", "vars": case.get("vars", {})}
        tasks.append({"name": f"{case['case']} | given", **given, **when})
        tasks += [
            {
                "name": f"{case['case']} | {phase}",
                f"vsphere.content_library.{module}": case["task"],
                "check_mode": phase == "check",
                "diff": True,
                "ignore_errors": True,
                **when,
            }
            for phase in phases_of(case)
        ]
    return tasks


def check_case(case: dict[str, Any], dialect: str, run: Run) -> None:
    """Hold what happened against what the case expects, and against what holds for every task of the collection.

    In check mode: nothing but reads, the server as it was, and the result that the real run then has. The second run:
    unchanged. Always: no API token left behind, every key of a session there, facts and diff as the server says.
    """
    given = run.task(f"{case['case']} | given", dialect)
    assert given.status == "ok", given.result
    expect = _rendered(case["expect"], given.result)
    results = {phase: run.task(f"{case['case']} | {phase}", dialect) for phase in phases_of(case)}
    before = given
    for phase, task in results.items():
        wanted = {**expect, **expect.get(phase, {})}
        if phase == "again" and "again" not in expect:
            wanted.update(changed=False, operations=[], requests=None, warnings=[])
        _check_requests(task, wanted, phase)
        assert task.state["tokens"] == given.state["tokens"], "an API token was left behind, or one was taken away"
        assert _texts(task.result.get("warnings", []), wanted.get("warnings", [])), task.result
        if "failed" in wanted:
            _check_failure(task, wanted["failed"], dialect)
        elif "update_sessions" in wanted:
            _check_sessions(task, wanted, given)
        else:
            _check_session(task, wanted, phase, before)
        if phase == "check" or not wanted.get("changed"):
            assert _still(task.state) == _still(before.state), "the server's state was changed"
        before = task
    _check_server(results["run"], expect.get("server", {}), given)
    if "check" in results and not {"check", "failed", "update_sessions"} & expect.keys():
        _check_prediction(results["check"].result, results["run"].result)


def check_ways_agree(case: dict[str, Any], dialect: str, runs: list[Run]) -> None:
    """Hold the results of a case that ran in several ways against each other, key by key, and the requests too."""

    def comparable(run: Run) -> Any:
        names = run.task(f"{case['case']} | given", dialect).result
        tasks = [run.task(f"{case['case']} | {phase}", dialect) for phase in phases_of(case)]
        text = json.dumps([(task.status, task.result, task.operations) for task in tasks])
        for name, identifier in names.items():
            text = text.replace(identifier, f"<{name}>") if isinstance(identifier, str) else text
        for pattern, shown in MOVING:
            text = re.sub(pattern, shown, text)
        seen = json.loads(text)
        for _status, result, operations in seen:
            # Several sessions come in the order of their ids.
            result.get("update_sessions", []).sort(key=lambda session: session["id"])
            if isinstance(case["expect"].get("operations"), dict):
                result["operations"].sort()
                operations.sort()
        return seen

    first, *others = map(comparable, runs)
    for other in others:
        assert first == other


def _check_requests(task: TaskResult, wanted: dict[str, Any], phase: str) -> None:
    if not wanted.get("sent", True):
        assert task.requests == [], "something was sent"
        return
    operations = task.operations
    requests = [_operation(name) for name in wanted.get("requests") or []]
    if "session.create" in operations and "session.create" not in requests:
        assert (operations.pop(0), operations.pop()) == ("session.create", "session.delete")
    if phase == "run" and requests:
        assert operations == requests
        return
    if phase == "check" or not wanted.get("changed"):
        assert set(operations) <= READS, "something was written"


def _operation(name: str) -> str:
    return name if "." in name else f"update_session.{name}"


def _check_session(task: TaskResult, wanted: dict[str, Any], phase: str, before: TaskResult) -> None:
    result = task.result
    assert task.status == "ok", result
    assert result["changed"] == wanted["changed"]
    operations = wanted.get("operations", [])
    assert (Counter(result["operations"]) if isinstance(operations, dict) else result["operations"]) == operations
    session = result["update_session"]
    assert (session and session["state"]) == wanted["state"]
    if session:
        _check_shape(session)
        assert _contains(session, wanted.get("update_session", {})), session
    if phase == "check":
        return
    old, new = before.state["sessions"], task.state["sessions"]
    if session:
        _check_mirrors(session, new[session["id"]])
        diff = {"before": _managed(old.get(session["id"])), "after": _managed(new[session["id"]])}
    else:
        diff = {"before": {name: _managed(old[name]) for name in old.keys() - new.keys()}, "after": {}}
    assert result["diff"] == wanted.get("diff", diff)


def _check_sessions(task: TaskResult, wanted: dict[str, Any], given: TaskResult) -> None:
    result = task.result
    assert task.status == "ok", result
    assert (result["changed"], result["operations"]) == (False, [])
    sessions = result["update_sessions"]
    assert [session["id"] for session in sessions] == sorted(given[name] for name in wanted["update_sessions"])
    for session in sessions:
        _check_shape(session)
        assert _contains(session, wanted.get("each", {})), session
        if wanted.get("mirrored", True):
            _check_mirrors(session, task.state["sessions"][session["id"]])


def _check_failure(task: TaskResult, wanted: dict[str, Any], dialect: str) -> None:
    result = task.result
    assert task.status == "failed", result
    for text in wanted["msg"]:
        assert text in result["msg"]
    if "error_type" not in wanted:
        return  # AnsibleModule's own check of the arguments
    status = wanted.get("http_status")
    assert result["error_type"] == wanted["error_type"], result
    assert result["http_status"] == (status[dialect] if isinstance(status, dict) else status), result
    operation = wanted.get("operation")
    assert result["operation"] == (operation and _operation(operation)), result
    if "messages" in wanted:
        assert wanted["messages"] in result["messages"][-1]["default_message"]
    else:
        assert result["messages"] == []
    if wanted.get("update_session"):
        _check_shape(result["update_session"])
        assert _contains(result["update_session"], wanted["update_session"]), result
    else:
        assert "update_session" not in result, result


def _check_server(task: TaskResult, wanted: dict[str, Any], given: TaskResult) -> None:
    for name, facts in wanted.items():
        session = task.state["sessions"].get(given[name])
        assert (session is None) == (facts is None), (name, session)
        if facts:
            assert _contains(session, facts), session


def _check_prediction(predicted: dict[str, Any], real: dict[str, Any]) -> None:
    """Check mode says what the run then did, but for what only the server can tell."""

    moving = ["expiration_time", "expires_in"]
    if "create" in real["operations"]:
        moving += ["id", "library_item_content_version"]
    if {"create", "update"} & set(real["operations"]):
        moving.append("preview_info")

    def foreseen(result: dict[str, Any]) -> dict[str, Any]:
        result = copy.deepcopy({name: result[name] for name in ("changed", "operations", "update_session", "diff")})
        for key in moving:
            (result["update_session"] or {}).pop(key, None)
        for part in (result["update_session"] or {}, result["diff"]["after"]):
            if part.get("error_message"):
                part["error_message"] = part["error_message"]["default_message"]
        return result

    assert foreseen(predicted) == foreseen(real)


def _check_shape(session: dict[str, Any]) -> None:
    """Every key is there, so that a playbook need not ask whether it is defined."""
    assert session.keys() >= SESSION_KEYS, SESSION_KEYS - session.keys()
    assert isinstance(session["warning_behavior"], list)
    assert isinstance(session["blocking_warnings"], list)
    assert session["error_message"] is None or session["error_message"].keys() == MESSAGE_KEYS
    assert session["preview_info"] is None or session["preview_info"].keys() == PREVIEW_KEYS


def _check_mirrors(session: dict[str, Any], server: dict[str, Any]) -> None:
    """The facts are the server's."""
    assert session["library_item_id"] == server["library_item_id"]
    assert {key: session[key] for key in ("state", "client_progress")} == {
        key: server[key] for key in ("state", "client_progress")
    }
    assert _managed(server)["error_message"] == session["error_message"]
    # Far less than the hour that the server's clock may be off, and more than a busy machine takes for a task.
    assert abs(session["expires_in"] - server["expires_in"]) < 60


def _managed(session: dict[str, Any] | None) -> dict[str, Any]:
    """What of the server's session shows in a diff, the way the modules show it."""
    if session is None:
        return {}
    error = session["error_message"]
    return {
        "state": session["state"],
        "client_progress": session["client_progress"],
        "warning_behavior": session["warning_behavior"] or [],
        "error_message": error and {**dict.fromkeys(MESSAGE_KEYS), **error},
    }


def _still(state: dict[str, Any]) -> dict[str, Any]:
    """The state without what moves by itself, and without tokens, which are looked at on their own."""
    sessions = {
        name: {key: value for key, value in session.items() if key != "expires_in"}
        for name, session in state["sessions"].items()
    }
    return {"items": state["items"], "libraries": state["libraries"], "sessions": sessions}


def _contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and _contains(whole[key], value) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(_contains, whole, part))
    return whole == part


def _texts(texts: list[str], parts: list[str]) -> bool:
    return len(texts) == len(parts) and all(part in text for text, part in zip(texts, parts))


def _rendered(expect: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    text = re.sub(r"\{\{ given\.(\w+) \}\}", lambda match: given[match[1]], json.dumps(expect))
    return json.loads(text)
