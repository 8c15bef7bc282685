# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a case expects, and what holds for every task of the collection, held against what happened.

In check mode: nothing but reads, the server as it was, and the result that the real run then has. The second run:
unchanged. Always: no API token left behind, no session that the task opened, no upload URL in a result, every key of a
session there, facts and diff as the server says.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cases.language import changes, phases_of, rendered
from tests.in_process import writes

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
ABSENT = "absent"
LOGIN = ("session.create", "session.delete")
EVERYWHERE = {"changed", "operations", "warnings", "diff", "invocation"}
OBJECTS = ("update_session", "library_item", "library", "file")
# What differs from run to run: ids of what was created, times.
MOVING = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?", "<id>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "<time>"),
    (r'"expires_in": \d+', '"expires_in": 0'),
    (r"expires in \d+ seconds", "expires in 0 seconds"),
    (r'"session_id": "[0-9a-f]{32}"', '"session_id": "<token>"'),
    (r'"seconds": [\d.e-]+', '"seconds": 0.0'),
)


@dataclass
class TaskResult:
    """What a task returned. Of a simulator also the requests that it got from it, and its state afterwards.

    seconds is the time from the task's start on all hosts, in ansible-core's linear strategy.
    """

    host: str
    name: str
    status: str
    result: dict[str, Any]
    seconds: float = 0.0
    requests: list[dict[str, Any]] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def operations(self) -> list[str]:
        """The operations of the API that were called, in order; not what the server asks as a subscriber of itself."""
        names = [request["operation"] for request in self.requests]
        return [name for name in names if not (name or "").startswith("published.")]

    def __getitem__(self, key: str) -> Any:
        return self.result[key]


def check_case(
    case: dict[str, Any], dialect: str, values: dict[str, Any], given: TaskResult, results: dict[str, TaskResult]
) -> None:
    """results has those of the phases; values are what the templates of a case may use."""
    expect = rendered(case["expect"], {**values, "given": given.result})
    assert list(results) == phases_of(case)
    before = given
    for phase, task in results.items():
        wanted = wanted_in(phase, expect)
        check_requests(task, wanted, phase)
        check_tokens(task, given, wanted)
        assert texts(task.result.get("warnings", []), wanted.get("warnings", [])), task.result
        assert "/cls/data" not in json.dumps(task.result)
        if "failed" in wanted:
            check_failure(task, wanted, dialect, phase)
        else:
            check_success(task, wanted, phase, given, before)
        if phase == "check" or not wanted["changed"]:
            assert still(task.state) == still(before.state), "the server's state was changed"
        before = task
    if "run" in results:
        check_server(results["run"], expect, given, Path(values["files"]))
        if "local" in expect:
            assert values["local"] == expect["local"]
    if {"check", "run"} <= results.keys() and not {"check", "failed"} & expect.keys():
        check_prediction(results["check"].result, results["run"].result)


def wanted_in(phase: str, expect: dict[str, Any]) -> dict[str, Any]:
    """What is expected of a phase."""
    own = expect.get(phase, {})
    wanted = {"changed": changes(expect), **expect, **own}
    unchanged = phase == "again" and "operations" not in own
    of_the_run_alone = {"check": {"requests"}, "again": {"requests", "files", "results"} if unchanged else {"requests"}}
    for key in of_the_run_alone.get(phase, set()) - own.keys():
        wanted.pop(key, None)
    if unchanged:
        wanted.update(changed=False, operations=[], warnings=own.get("warnings", []))
    return wanted


def check_requests(task: TaskResult, wanted: dict[str, Any], phase: str) -> None:
    if not wanted.get("sent", True):
        assert task.requests == [], "something was sent"
        return
    if wanted.get("requests") == "any":
        return
    operations = task.operations
    requests = [operation(name) for name in wanted.get("requests", [])]
    if not set(LOGIN) & set(requests):
        if "session.create" in operations:
            assert operations[0] == "session.create"
            assert operations[-1] == "session.delete"
        operations = [name for name in operations if name not in LOGIN]
    if requests:
        assert operations == requests
    elif phase == "check" or not wanted["changed"]:
        assert set(writes(operations)) <= set(LOGIN), "something was written"


def operation(name: str) -> str:
    return name if "." in name or name == "upload" else f"update_session.{name}"


def check_tokens(task: TaskResult, given: TaskResult, wanted: dict[str, Any]) -> None:
    """Those of this task are gone, and those of others are not."""
    before, after, left = given.state["tokens"], task.state["tokens"], wanted.get("tokens_left", 0)
    assert len(after) - len(before) == left, "an API token was left behind, or taken away"
    assert left < 0 or all(token in after for token in before), "an API token was taken away"


def check_success(task: TaskResult, wanted: dict[str, Any], phase: str, given: TaskResult, before: TaskResult) -> None:
    result = task.result
    assert task.status == "ok", result
    assert result["changed"] == wanted["changed"]
    operations = wanted.get("operations", [])
    assert (Counter(result["operations"]) if isinstance(operations, dict) else result["operations"]) == operations
    if "returned" in wanted:
        assert {key for key, value in result.items() if value is not None} - EVERYWHERE == set(wanted["returned"])
    for key in OBJECTS:
        if key in wanted:
            assert contains(result[key], wanted[key]), result[key]
    if "state" in wanted:
        session = result["update_session"]
        assert (session and session["state"]) == wanted["state"]
    if result.get("update_session"):
        check_shape(result["update_session"])
    if "libraries" in wanted:
        assert [library["id"] for library in result["libraries"]] == [
            library_id(task.state, given, name) for name in wanted["libraries"]
        ]
        assert all(contains(library, wanted.get("each", {})) for library in result["libraries"]), result
    if "changes" in wanted:
        assert [f"{item['name']} {item['change']}" for item in result["library_items"]] == wanted["changes"]
    check_results(task, wanted, phase)
    if "library_items" in wanted:
        assert [item["name"] for item in result["library_items"]] == wanted["library_items"]
    if "datastore_paths" in wanted:
        stored = [file for item in result["library_items"] for file in item["storage"]]
        assert len(stored) == len(wanted["datastore_paths"])
        for file, pattern in zip(stored, wanted["datastore_paths"]):
            assert re.search(pattern, file["datastore_path"]), file
    if "item_files" in wanted:
        assert [file["name"] for file in result["library_items"][0]["files"]] == wanted["item_files"]
    if "update_sessions" in wanted:
        check_sessions(task, wanted, given)
    check_files(result, wanted, phase)
    check_facts(task, wanted, phase, before)


def check_results(task: TaskResult, wanted: dict[str, Any], phase: str) -> None:
    """What a task with many items tells of each of them."""
    results = task.result.get("results", [])
    assert ("results" in wanted) <= ("results" in task.result), task.result
    if "results" in wanted:
        assert contains(results, wanted["results"]), results
    if "failed_items" in task.result:
        assert task["failed_items"] == wanted.get("failed_items", [])
        assert task["failed_items"] == [entry["name"] for entry in results if "failed" in entry]
        assert task["changed"] == any(entry["changed"] for entry in results)
        assert task["operations"] == [operation for entry in results for operation in entry["operations"]]
    for entry in results:
        item = entry.get("library_item")
        if entry.get("update_session"):
            check_shape(entry["update_session"])
        if item and phase != "check":
            assert contains(task.state["items"][item["id"]], {key: item[key] for key in ("name", "type", "library_id")})


def library_id(state: dict[str, Any], given: TaskResult, name: str) -> str | None:
    """The id of a library by its name in `given`, else by that on the server; None where there is none."""
    if name in given.result:
        return given[name]
    ids = [identifier for identifier, library in state["libraries"].items() if library["name"] == name]
    assert len(ids) < 2, f"several libraries have the name {name}"
    return ids[0] if ids else None


def check_sessions(task: TaskResult, wanted: dict[str, Any], given: TaskResult) -> None:
    sessions = task["update_sessions"]
    assert [session["id"] for session in sessions] == sorted(given[name] for name in wanted["update_sessions"])
    for session in sessions:
        check_shape(session)
        assert contains(session, wanted.get("each", {})), session
        if wanted.get("mirrored", True):
            check_mirrors(session, task.state["sessions"][session["id"]])


def check_files(result: dict[str, Any], wanted: dict[str, Any], phase: str) -> None:
    rows = result.get("files", [])
    if phase == "again" and not wanted["changed"]:
        assert {row["action"] for row in rows} <= {"unchanged"}
    if "files" not in wanted:
        return
    told = [" ".join([row["name"], row["action"], *["verified"] * row["checksum_verified"]]) for row in rows]
    wanted_rows = wanted["files"]
    if phase == "check":  # which can't know what the server will verify
        told, wanted_rows = ([text.replace(" verified", "") for text in rows] for rows in (told, wanted_rows))
    assert told == wanted_rows


def check_facts(task: TaskResult, wanted: dict[str, Any], phase: str, before: TaskResult) -> None:
    """What a task that wrote tells is what is on the server afterwards."""
    result, session = task.result, task.result.get("update_session")
    if not wanted["changed"] and "diff" in result:
        assert result["diff"]["before"] == result["diff"]["after"]
    if phase == "check" or not wanted.get("mirrored", True):
        return
    old, new = before.state["sessions"], task.state["sessions"]
    if session:
        check_mirrors(session, new[session["id"]])
    item = result.get("library_item")
    if item:
        on_server = task.state["items"][item["id"]]
        assert {key: item[key] for key in ("name", "type", "library_id")} == {
            key: on_server[key] for key in ("name", "type", "library_id")
        }
    library = result.get("library")
    if library:
        check_library(library, task.state["libraries"][library["id"]])
    if "diff" in wanted:
        assert result["diff"] == wanted["diff"]
    elif "state" in wanted and session:  # of the modules whose resource is the session
        assert result["diff"] == {"before": managed(old.get(session["id"])), "after": managed(new[session["id"]])}
    elif "state" in wanted:
        assert result["diff"] == {
            "before": {name: managed(old[name]) for name in old.keys() - new.keys()},
            "after": {},
        }


def check_library(library: dict[str, Any], server: dict[str, Any]) -> None:
    """The facts are the server's, but for what it tells nobody."""
    for key in ("name", "type", "description", "version", "security_policy_id"):
        assert library[key] == server[key], key
    for told, kept in zip(library["storage_backings"], server["storage_backings"]):
        assert contains(told, kept), told
    for name in ("publish_info", "subscription_info"):
        secrets = ("password", "current_password", "ssl_thumbprint")
        assert contains(library[name] or {}, {key: kept for key, kept in server[name].items() if key not in secrets})


def check_failure(task: TaskResult, expect: dict[str, Any], dialect: str, phase: str) -> None:
    result, wanted = task.result, expect["failed"]
    assert task.status == "failed", result
    check_results(task, expect, phase)
    for text in wanted["msg"]:
        assert text in result["msg"], result["msg"]
    if "error_type" not in wanted:
        assert "error_type" not in result, result  # AnsibleModule's own check of the arguments
        return
    status = wanted.get("http_status")
    assert result["error_type"] == wanted["error_type"], result
    assert result["http_status"] == (status[dialect] if isinstance(status, dict) else status), result
    failed = wanted.get("operation")
    assert result["operation"] == (failed and operation(failed)), result
    if "messages" in wanted:
        assert wanted["messages"] in result["messages"][-1]["default_message"], result
    else:
        assert result["messages"] == [], result
    if wanted.get("update_session"):
        check_shape(result["update_session"])
        assert contains(result["update_session"], wanted["update_session"]), result
    else:
        assert "update_session" not in result, result
    assert ("library" in wanted) == ("library" in result), result
    assert contains(result.get("library"), wanted.get("library")), result


def check_server(task: TaskResult, expect: dict[str, Any], given: TaskResult, folder: Path) -> None:
    """What is on the server after the real run."""
    for name, facts in expect.get("server", {}).items():
        session = task.state["sessions"].get(given[name])
        assert (session is None) == (facts is None), (name, session)
        assert contains(session, facts), session
    for name, facts in expect.get("server_libraries", {}).items():
        library = task.state["libraries"].get(library_id(task.state, given, name))
        assert (library is None) == (facts is None), (name, library)
        assert contains(library, facts), library
    for name, wanted in expect.get("session_files", {}).items():
        assert contains(task.state["sessions"][given["session"]]["files"].get(name), wanted), name
    sessions = sorted(task.state["sessions"].values(), key=lambda session: session["state"])
    told = [f"{session['state']} {(session['error_message'] or {}).get('default_message', '')}" for session in sessions]
    if "sessions" in expect:
        assert texts(told, expect["sessions"]), told
    elif given.state["sessions"] == {} and "state" not in expect:
        assert not any(text.startswith("ACTIVE") for text in told), "a session was left open"
    items, old_items = task.state["items"], given.state["items"]
    if "failed" in expect and "server_items" not in expect:
        local = {name for name, library in task.state["libraries"].items() if library["type"] == "LOCAL"}
        ours = [{name for name, item in all_.items() if item["library_id"] in local} for all_ in (old_items, items)]
        assert ours[0] == ours[1], "an item was left behind, or lost"
    if "content" in expect:
        check_content(task, expect["content"], given, folder)
    if "server_items" in expect:
        there = {item["name"]: item_id for item_id, item in items.items() if item["library_id"] == given["shop"]}
        assert sorted(there) == sorted(expect["server_items"])
        for name, item_id in there.items():
            check_item_files(task, item_id, expect["server_items"][name], given, folder)


def check_content(task: TaskResult, content: dict[str, Any] | None, given: TaskResult, folder: Path) -> None:
    item_id = (task.result.get("library_item") or {}).get("id") or given["item"]
    if content is None:
        assert item_id not in task.state["items"]
        return
    check_item_files(task, item_id, content, given, folder)


def check_item_files(task: TaskResult, item_id: str, content: dict[str, Any], given: TaskResult, folder: Path) -> None:
    items, old_items = task.state["items"], given.state["items"]
    has, had = items[item_id]["files"], old_items.get(item_id, {"files": {}})["files"]
    assert has.keys() == content.keys()
    for name, source in content.items():
        assert has[name]["sha256"] == (sha256_of(folder / source) if source else had[name]["sha256"]), name


@functools.cache
def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_prediction(predicted: dict[str, Any], real: dict[str, Any]) -> None:
    """Check mode says what the run then did, but for what only the server can tell: null, or what moves."""
    moving = {"expiration_time", "expires_in", "seconds", "last_modified_time", "last_sync_time"}
    written = set(real["operations"])
    if "create" in written:
        moving |= {"library_item_content_version"}
    if written & {"create", "add_file", "remove_file", "upload", "copy_item"}:
        moving |= {"preview_info", "content_version", "size", "cached", "checksum_verified"}
    if written:
        moving |= {"version", "metadata_version"}
    if written & {"add_file", "upload"}:
        moving |= {"checksum", "bytes_transferred", "status"}
    if "download" in written:
        moving |= {"checksum", "checksum_verified", "bytes_transferred", "size"}

    def differences(told: Any, was: Any, path: str) -> Iterator[str]:
        if path.endswith(".error_message") and told and was:
            told, was = told["default_message"], was["default_message"]
        if isinstance(told, dict) and isinstance(was, dict):
            for key in (told.keys() | was.keys()) - moving:
                yield from differences(told.get(key, ABSENT), was.get(key, ABSENT), f"{path}.{key}")
        elif isinstance(told, list) and isinstance(was, list) and len(told) == len(was):
            for number, (member, other) in enumerate(zip(told, was)):
                yield from differences(member, other, f"{path}[{number}]")
        elif told != was and not (told is None and written):
            yield f"{path}: {told} was {was}"

    assert list(differences(predicted, real, "")) == []


def check_ways_agree(case: dict[str, Any], runs: list[tuple[TaskResult, dict[str, TaskResult]]]) -> None:
    """Hold the results of a case that ran in several ways against each other, key by key, and the requests too."""

    def comparable(given: TaskResult, results: dict[str, TaskResult]) -> Any:
        text = json.dumps([(task.status, task.result, task.operations) for task in results.values()])
        for name, identifier in given.result.items():
            text = text.replace(identifier, f"<{name}>") if isinstance(identifier, str) else text
        for pattern, shown in MOVING:
            text = re.sub(pattern, shown, text)
        seen = json.loads(text)
        for _status, result, operations in seen:
            # Several sessions come in the order of their ids, several files are sent at a time, and who waits for the
            # server may have to look once more.
            result.get("update_sessions", []).sort(key=lambda session: session["id"])
            if isinstance(case["expect"].get("operations"), dict):
                result["operations"].sort()
            operations[:] = [sorted(writes(operations)), sorted(set(operations))]
        return seen

    first, *others = [comparable(*run) for run in runs]
    for other in others:
        for told, same in zip(first, other):
            assert told == same, f"{case['case']}: {told} is not {same}"


def check_shape(session: dict[str, Any]) -> None:
    """Every key is there, so that a playbook need not ask whether it is defined."""
    assert session.keys() >= SESSION_KEYS, SESSION_KEYS - session.keys()
    assert isinstance(session["warning_behavior"], list)
    assert isinstance(session["blocking_warnings"], list)
    assert session["error_message"] is None or session["error_message"].keys() == MESSAGE_KEYS
    assert session["preview_info"] is None or session["preview_info"].keys() == PREVIEW_KEYS


def check_mirrors(session: dict[str, Any], server: dict[str, Any]) -> None:
    """The facts are the server's."""
    assert session["library_item_id"] == server["library_item_id"]
    assert {key: session[key] for key in ("state", "client_progress")} == {
        key: server[key] for key in ("state", "client_progress")
    }
    assert managed(server)["error_message"] == session["error_message"]
    # Far less than the hour that the server's clock may be off, and more than a busy machine takes for a task.
    assert abs(session["expires_in"] - server["expires_in"]) < 60


def managed(session: dict[str, Any] | None) -> dict[str, Any]:
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


def still(state: dict[str, Any]) -> dict[str, Any]:
    """The state without what moves by itself, and without tokens, which are looked at on their own."""
    sessions = {
        name: {
            **{key: value for key, value in session.items() if key != "expires_in"},
            "files": {file_name: unpulled(file) for file_name, file in session["files"].items()},
        }
        for name, session in state["sessions"].items()
    }
    libraries = {
        name: {key: value for key, value in library.items() if key not in ("syncing", "sync_error")}
        for name, library in state["libraries"].items()
    }
    return {"items": state["items"], "libraries": libraries, "sessions": sessions}


def unpulled(file: dict[str, Any]) -> dict[str, Any]:
    """A file without how far the server is with its pull."""
    if file["source_type"] != "PULL" or file["status"] not in ("WAITING_FOR_TRANSFER", "TRANSFERRING"):
        return file
    return {key: value for key, value in file.items() if key not in ("status", "bytes_transferred")}


def contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and contains(whole[key], value) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(contains, whole, part))
    return whole == part


def texts(found: list[str], parts: list[str]) -> bool:
    return len(found) == len(parts) and all(part in text for text, part in zip(found, parts))
