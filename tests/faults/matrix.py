# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cell of the fault matrix: a transition with a fault at one of its requests, and what must hold afterwards."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from ansible_collections.vsphere.content_library.plugins.module_utils import _synchronization
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import ERROR_TYPES
from ansible_collections.vsphere.content_library.plugins.module_utils._local_files import PREFIX
from ansible_collections.vsphere.content_library.plugins.module_utils._module import Outcome
from ansible_collections.vsphere.content_library.plugins.modules import library_item, library_items, library_sync
from tests.faults.causes import unnamed_cause
from tests.faults.faults import Fault
from tests.faults.gate import HOST, ONE_REQUEST_EACH, Gate, connected
from tests.faults.transitions import WAIT_TIMEOUT, Scene, Transition
from tests.in_process import nobodys_vcenter, run
from tests.simulator.process import SimulatorProcess

REQUEST_TIMEOUT = 2
SLACK = 4.0  # seconds that a busy machine may add
# One that was hit may use up its time, be looked after for as long, or be pushed again after a second.
ONE_FAULT = max(2 * REQUEST_TIMEOUT, WAIT_TIMEOUT + 1) + 1.0
TEARDOWN = 9  # requests at most on the way out of a failure
# What a publisher is asked by the server itself is no request of ours.
OURS = {"path": "^(?!/cls/vcsp/)"}
# Seconds after which a synchronization that stands still counts as done; a simulator is not as slow as a vCenter.
STILL, EMPTY = 1.0, 1.5
SYNC_LOOKS = 40
PUBLISHING = (library_item, library_items)
TRIES = 3
NOT_HERE = "not here"


@dataclass(frozen=True)
class Case:
    transition: Transition
    dialect: str
    fault: Fault
    position: int


@dataclass
class Undisturbed:
    """What a transition does when nothing happens."""

    operations: list[str]
    before: State
    wanted: State
    outcome: Outcome
    seconds: float


@dataclass
class Verdict:
    """broken: promises that did not hold. excused: what the fault made impossible, by name. struck: it was hit."""

    module: str
    transition: str
    dialect: str
    fault: str
    position: int
    struck: bool
    operation: str | None = None
    failed: bool = False
    error_type: str | None = None
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        row = f"{self.module}: {self.transition}, {self.dialect}"
        return f"{row}, {self.fault} at {self.position} ({self.operation})"


@dataclass
class State:
    """The simulator's state without what differs from run to run: ids of what is new, times, versions."""

    items: dict[str, list[dict[str, Any]]]
    libraries: dict[str, list[dict[str, Any]]]
    sessions: dict[int, dict[str, Any]]
    new_sessions: list[dict[str, Any]]
    tokens: int
    downloads: int
    local: dict[str, str]

    @classmethod
    def of(cls, state: dict[str, Any], known: list[str], dest: Path) -> State:
        """state is what the simulator tells; known are the ids of the sessions that were there before.

        sessions has them by their place in known, downloads counts the download sessions, and local has the files in
        dest.
        """
        items: dict[str, list[dict[str, Any]]] = {}
        for item in state["items"].values():
            facts = {key: item[key] for key in ("type", "description")}
            library = state["libraries"][item["library_id"]]
            facts["library"] = library["name"]
            facts["files"] = {
                name: file["sha256"] if file["cached"] else NOT_HERE for name, file in item["files"].items()
            }
            elsewhere = "" if library["name"] == "demo" else f" in {library['name']}"
            items.setdefault(f"{item['name']}{elsewhere}", []).append(facts)
        libraries = library_facts(state)
        sessions, new = {}, []
        for session_id, session in state["sessions"].items():
            facts = {key: session[key] for key in ("state", "client_progress", "user", "removed", "files")}
            facts["warning_behavior"] = sorted(map(json.dumps, session["warning_behavior"] or []))
            facts["error"] = (session["error_message"] or {}).get("args")
            facts["item"] = state["items"][session["library_item_id"]]["name"]
            if session_id in known:
                sessions[known.index(session_id)] = facts
            else:
                new.append(facts)
        new.sort(key=lambda facts: (facts["item"], facts["state"]))
        local = {path.name: path.read_text() for path in dest.iterdir()}
        return cls(items, libraries, sessions, new, len(state["tokens"]), len(state["download_sessions"]), local)


def published(entry: dict[str, Any]) -> bool:
    return (entry["operation"] or "").startswith("published.")


def library_facts(state: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """By name. A subscription tells the name of the library that it is to."""
    publishers = {library["publish_url"]: library["name"] for library in state["libraries"].values()}
    found: dict[str, list[dict[str, Any]]] = {}
    for library in state["libraries"].values():
        facts = {key: library[key] for key in ("type", "description", "storage_backings", "publish_info")}
        info = dict(library["subscription_info"])
        url = info.pop("subscription_url", None)
        facts["subscription_info"] = {**info, "to": publishers.get(url, url)}
        found.setdefault(library["name"], []).append(facts)
    return found


class Bench:
    """A simulator with a gate before it, and the runs of modules against it."""

    def __init__(self, simulator: SimulatorProcess, folder: Path) -> None:
        self.simulator = simulator
        self.folder = folder
        self.scene = Scene(simulator, folder)
        self.gate = Gate((simulator.host, simulator.port))
        self.thread_errors: list[str] = []
        self._recorded: dict[tuple[str, str], Undisturbed] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Bench:
        self._stack.enter_context(nobodys_vcenter())
        for module in (_synchronization, library_sync):
            self._stack.enter_context(mock.patch.multiple(module, STILL=STILL, EMPTY=EMPTY))
        self._stack.enter_context(self.gate)
        threading.excepthook = lambda args: self.thread_errors.append(f"{args.thread}: {args.exc_value!r}")
        return self

    def __exit__(self, *exc_info: object) -> None:
        threading.excepthook = threading.__excepthook__
        self._stack.close()

    def undisturbed(self, transition: Transition, dialect: str) -> Undisturbed:
        key = (transition.name, dialect)
        if key not in self._recorded:
            for _try in range(TRIES):
                arguments, known, before = self.prepare(transition)
                outcome, seconds = self.run(transition.module, arguments, dialect)
                if transition.module is not library_sync or transition.fails or outcome.result.get("changed"):
                    break  # else the machine was so busy that what stood still was only late
            assert outcome.failed == transition.fails, f"{key}: {outcome.result}"
            operations = [entry["operation"] for entry in self.log()]
            wanted = self.state(known)
            self._recorded[key] = Undisturbed(operations, before, wanted, outcome, seconds)
        return self._recorded[key]

    def prepare(self, transition: Transition) -> tuple[dict[str, Any], list[str], State]:
        """The arguments of a run, the ids of the sessions that are there, and the state."""
        self.simulator.reset()
        self.scene.clear()
        arguments = transition.prepare(self.scene)
        state = self.settled()
        known = list(state["sessions"])
        self.simulator.clear_requests()
        return arguments, known, State.of(state, known, self.scene.dest)

    def log(self) -> list[dict[str, Any]]:
        """The requests of the module."""
        return [entry for entry in self.simulator.requests() if not published(entry)]

    def settled(self) -> dict[str, Any]:
        """The simulator's state once no synchronization is under way any more."""
        for _look in range(SYNC_LOOKS):
            state = self.simulator.state()
            if not any(library["syncing"] for library in state["libraries"].values()):
                break
            time.sleep(0.05)
        return state

    def state(self, known: list[str]) -> State:
        return State.of(self.settled(), known, self.scene.dest)

    def run(
        self, module: ModuleType, arguments: dict[str, Any], dialect: str, port: int | None = None
    ) -> tuple[Outcome, float]:
        """One run, and its seconds."""
        options = self.options(arguments, dialect, port)
        start = time.monotonic()
        outcome = run(module, options)
        return outcome, time.monotonic() - start

    def options(self, arguments: dict[str, Any], dialect: str, port: int | None = None) -> dict[str, Any]:
        """A transition's arguments with the connection options."""
        return dict(
            hostname=HOST,
            port=port or self.simulator.port,
            username=self.simulator.username,
            password=self.simulator.password,
            ca_path=self.simulator.ca_path,
            api_endpoint=dialect,
            request_timeout=REQUEST_TIMEOUT,
            **arguments,
        )

    def try_out(self, case: Case) -> Verdict:
        """Run a case, and judge it."""
        transition, dialect, fault = case.transition, case.dialect, case.fault
        undisturbed = self.undisturbed(transition, dialect)
        arguments, known, before = self.prepare(transition)
        connected.addresses.clear()
        self.thread_errors.clear()
        refused = fault.kind == "refused"
        if refused:
            self.simulator.faults([ONE_REQUEST_EACH])
            self.gate.refuse(case.position)
        else:
            played = fault.played("api" if dialect == "auto" else dialect)
            self.simulator.faults([{"match": OURS, "at": case.position, "count": fault.count, "fault": played}])
        outcome, seconds = self.run(transition.module, arguments, dialect, self.gate.port if refused else None)
        log = self.log()
        struck = self.gate.refused > 0 if refused else any(entry["fault"] for entry in log)
        verdict = Verdict(transition.module_name, transition.name, dialect, fault.name, case.position, struck)
        verdict.failed, verdict.seconds = outcome.failed, seconds
        if refused:
            self.gate.stand_open()
            hit = log[case.position - 1]["operation"] if len(log) >= case.position else None
        else:
            hit = next((entry["operation"] for entry in log if entry["fault"]), None)
        verdict.operation = hit
        verdict.error_type = outcome.result.get("error_type")
        self.simulator.faults([])
        after = self.state(known)
        judge = Judge(case, verdict, undisturbed, before, after, outcome)
        judge.outcome(self.thread_errors, {HOST_PORT[1] for HOST_PORT in connected.addresses if HOST_PORT[0] != HOST})
        judge.libraries()
        judge.state()
        judge.tokens()
        if not verdict.broken and not judge.twins:
            if verdict.excused:
                self.simulator.expire_tokens()
            self.run_again(transition, arguments, dialect, known, judge)
        return verdict

    def run_again(
        self, transition: Transition, arguments: dict[str, Any], dialect: str, known: list[str], judge: Judge
    ) -> None:
        """Twice, with nothing in the way."""
        second, _seconds = self.run(transition.module, arguments, dialect)
        judge.second(second, self.state(known))
        third, _seconds = self.run(transition.module, arguments, dialect)
        judge.third(third, self.state(known))


class Judge:
    """Holds what a run left behind against what is promised."""

    def __init__(
        self, case: Case, verdict: Verdict, undisturbed: Undisturbed, before: State, after: State, outcome: Outcome
    ) -> None:
        self.verdict, self.undisturbed = verdict, undisturbed
        self.before, self.after, self.run = before, after, outcome
        self.transition, self.fault = case.transition, case.fault
        self.outage = self.fault.count > 1
        # Of many items, each may have a session that nobody can end any more.
        self.entries = max(1, len(undisturbed.outcome.result.get("results", [])))
        # vcsim tells an empty list as null on /rest.
        lists = (verdict.operation or "").endswith((".list", ".find"))
        self.empty = self.fault.name == "JSON null" and case.dialect == "rest" and lists
        self.plausible = self.fault.false or self.empty
        # Told that there is nothing to clear up, a task that fails leaves it.
        self.misled = self.plausible and case.transition.fails
        # Nobody can bring name and description back where the server is gone, or denies that they were changed.
        # Libraries may have one name, so one that the server denies is made again.
        self.twins = False
        self.described = case.transition.fails and (self.outage or verdict.operation == "item.update")

    def check(self, holds: object, promise: str) -> None:
        if not holds:
            self.verdict.broken.append(promise)

    def outcome(self, thread_errors: list[str], strangers: set[Any]) -> None:
        result, run = self.run.result, self.run
        self.check(not thread_errors, f"a thread died: {thread_errors}")
        self.check(not strangers, f"something was sent to {strangers}")
        self.check("exception" not in result, f"traceback: {result.get('exception')}")
        if run.failed:
            self.check(result.get("error_type") in ERROR_TYPES, f"error_type is {result.get('error_type')}")
            self.check(isinstance(result.get("msg"), str) and result["msg"], "no msg")
            self.check(len(str(result.get("msg"))) < 2000, "a msg that nobody reads")
            missing = unnamed_cause(result)
            self.check(not missing, missing or "")
        limit = self.undisturbed.seconds + SLACK
        limit += TEARDOWN * REQUEST_TIMEOUT * self.entries if self.outage else ONE_FAULT
        self.check(self.verdict.seconds <= limit, f"{self.verdict.seconds:.1f} s, and not {limit:.1f}")
        if not run.failed and not self.transition.fails and not self.plausible:
            self.check(self.after.items == self.undisturbed.wanted.items, "success, but the items are not as wanted")
            libraries = self.undisturbed.wanted.libraries
            self.check(self.after.libraries == libraries, "success, but the libraries are not as wanted")
            wanted = undisturbed_result(self.undisturbed.outcome.result)
            got = undisturbed_result(result)
            for key, value in wanted.items():
                self.check(got[key] == value, f"success, but {key} is {got[key]} and not {value}")

    def state(self) -> None:
        """Old or wanted, each property of each thing."""
        before, after, wanted = self.before, self.after, self.undisturbed.wanted
        items = self.with_old_name() if self.described and self.transition.renames else after.items
        for name in before.items.keys() | items.keys() | wanted.items.keys():
            olds, nows, news = (known.get(name, []) for known in (before.items, items, wanted.items))
            listed = name.endswith(" in replica")  # by the server, one file after the other
            if listed and self.twins:
                continue
            if len(nows) > 1 or (not nows and olds and news):
                self.check(False, f"{len(nows)} items {name}")
            elif nows and self.outage and not olds and not listed:
                # One that has got another name may have its old files.
                known = ({}, *(item["files"] for item in (*news, *self.renamed())))
                self.check(nows[0]["files"] in known, f"half made: {nows}")
            elif not nows:
                self.check(not olds or not news, f"item {name} is lost")
            else:
                known = [*olds, *news, *(self.renamed() if name in self.renames() else ())]
                self.check(known or self.misled, f"item {name} was left half made: {nows[0]}")
                for key, value in nows[0].items():
                    if key == "files" and self.empty:  # Those that are there but were not told stay.
                        value, values = value.items(), [pair for item in known for pair in item["files"].items()]
                        self.check(all(pair in values for pair in value), f"files of item {name} are {value}")
                    elif key == "files" and listed:
                        values = [pair for item in known for pair in item["files"].items()]
                        half = [pair for pair in value.items() if pair not in values and pair[1] != NOT_HERE]
                        self.check(not half, f"files of item {name} are {value}")
                    elif known and not (key == "description" and self.described):
                        self.check(value in [item[key] for item in known], f"{key} of item {name} is {value}")
        for number, was in before.sessions.items():
            now, new = after.sessions.get(number), wanted.sessions.get(number)
            if now is None:
                self.check(new is None, "a session is lost")
                continue
            states = {was["state"], new["state"] if new else "CANCELED"}
            self.check(now["state"] in states, f"a session is {now['state']}")
            for key in ("client_progress", "warning_behavior", "error", "removed"):
                self.check(now[key] in (was[key], *([new[key]] if new else [])), f"{key} of a session is {now[key]}")
            for name, file in now["files"].items():
                same = new and new["files"].get(name) == file
                self.check(same or file["status"] != "READY", f"file {name} of a session is {file}")
        active = [session for session in after.new_sessions if session["state"] == "ACTIVE"]
        allowed = (
            self.entries
            if self.outage or self.misled
            else len([1 for new in wanted.new_sessions if new["state"] == "ACTIVE"])
        )
        self.check(len(active) <= allowed, f"{len(active)} ACTIVE sessions were left")
        self.local()

    def with_old_name(self) -> dict[str, list[dict[str, Any]]]:
        """The items, with the one that kept its new name under its old one."""
        items, lost = dict(self.after.items), self.before.items.keys() - self.after.items.keys()
        for name, new in zip(sorted(lost), sorted(items.keys() - self.before.items.keys())):
            items[name] = items.pop(new)
        return items

    def renames(self) -> set[str]:
        """The old and the new name of an item that is renamed."""
        before, wanted = self.before.items.keys(), self.undisturbed.wanted.items.keys()
        return before ^ wanted if self.transition.renames else set()

    def renamed(self) -> list[dict[str, Any]]:
        """The item that is renamed, as it was and as it is to be."""
        states = (self.before, self.undisturbed.wanted)
        return [item for state in states for name in self.renames() for item in state.items.get(name, [])]

    def local(self) -> None:
        """Each file is the old or the new one, and neither a temporary file nor a download session is left."""
        killed = self.outage and self.fault.kind == "signal"
        for name, text in self.after.local.items():
            known = [state.local.get(name) for state in (self.before, self.undisturbed.wanted)]
            self.check(text in known or (killed and name.startswith(PREFIX)), f"file {name} is {text[:80]!r}")
        lost = self.before.local.keys() - self.after.local.keys()
        self.check(not lost, f"files are lost: {lost}")
        # What nobody could delete expires by itself.
        ours = ("download_session.create", "download_session.delete")
        allowed = 1 if self.outage or self.misled or self.verdict.operation in ours else 0
        self.check(self.after.downloads <= allowed, f"{self.after.downloads} download sessions were left")

    def libraries(self) -> None:
        """Old or wanted, each property of each library, and none twice."""
        before, after, wanted = self.before.libraries, self.after.libraries, self.undisturbed.wanted.libraries
        for name in before.keys() | after.keys() | wanted.keys():
            olds, nows, news = (libraries.get(name, []) for libraries in (before, after, wanted))
            if len(nows) > 1:
                self.twins = True
                self.check(self.plausible, f"{len(nows)} libraries {name}")
                continue
            if not nows:
                self.check(not olds or not news, f"library {name} is lost")
            for now in nows:
                for key, value in now.items():
                    known = [library[key] for library in (*olds, *news)]
                    self.check(value in known, f"{key} of library {name} is {value}")

    def tokens(self) -> None:
        """None is left, apart from those that the fault put out of reach."""
        left = self.after.tokens - self.undisturbed.wanted.tokens
        if left <= 0:
            return
        operation = self.verdict.operation
        if self.outage:
            reason = "killed process" if self.fault.kind == "signal" else "server went away"
        elif operation == "session.create":
            reason = "login without an answer"
        elif operation == "session.delete":
            reason = "logout without success"
            told = self.run.failed or any("could not be deleted" in text for text in self.run.warnings)
            self.check(told or self.plausible, "a token was left, and nobody told")
        elif self.fault.name == "401":
            reason = "called invalid by the server"
        else:
            self.check(False, f"{left} API tokens were left")
            return
        self.check(left == 1, f"{left} API tokens were left")
        self.verdict.excused.append(reason)

    def second(self, outcome: Outcome, state: State) -> None:
        if self.transition.fails:
            self.check(outcome.failed, "the second run did not fail")
            return
        self.check(not outcome.failed, f"the second run failed: {outcome.result.get('msg')}")
        self.converged(state, "second")

    def third(self, outcome: Outcome, state: State) -> None:
        if self.transition.fails:
            return
        self.check(not outcome.failed, f"the third run failed: {outcome.result.get('msg')}")
        self.check(not repeated(self.transition, outcome), f"the third run did {outcome.result.get('operations')}")
        self.converged(state, "third")

    def converged(self, state: State, which: str) -> None:
        wanted = self.undisturbed.wanted
        self.check(state.local == wanted.local, f"after the {which} run there are the files {sorted(state.local)}")
        self.check(state.downloads <= self.after.downloads, f"the {which} run left a download session")
        self.check(state.items == wanted.items, f"after the {which} run the items are {state.items}")
        self.check(state.libraries == wanted.libraries, f"after the {which} run the libraries are {state.libraries}")
        for number, session in wanted.sessions.items():
            for key in ("state", "client_progress", "warning_behavior", "error", "files"):
                now = state.sessions.get(number, {}).get(key)
                self.check(now == session[key], f"after the {which} run {key} of a session is {now}")
        for number in state.sessions.keys() - wanted.sessions.keys():
            left = state.sessions[number]["state"]
            # Those that an item's runs are done with may stay, as long as they hold nobody up.
            ended = left != "ACTIVE" and self.transition.module in PUBLISHING
            self.check(ended, f"after the {which} run a session is left in {left}")
        active = [session for session in state.new_sessions if session["state"] == "ACTIVE"]
        expected = [session for session in wanted.new_sessions if session["state"] == "ACTIVE"]
        self.check(len(active) == len(expected), f"after the {which} run {len(active)} sessions are ACTIVE")


def repeated(transition: Transition, outcome: Outcome) -> bool:
    """Whether a run did again what had been done. A synchronization always asks; what counts is what that brings."""
    return bool(outcome.result["changed"] if transition.module is library_sync else outcome.result.get("operations"))


def undisturbed_result(result: dict[str, Any]) -> dict[str, Any]:
    """What of a result does not differ from run to run, such as the order of things by their ids."""
    kept = {key: result.get(key) for key in ("changed", "library_item", "library", "file")}
    kept["operations"] = sorted(result.get("operations", []))
    kept["files"] = [(file["name"], file.get("action")) for file in result.get("files", [])]
    named = ("name", "type", "description")
    for key, names in (("library_item", named), ("library", named), ("file", ("name", "size", "status"))):
        kept[key] = {name: kept[key][name] for name in names} if kept[key] else None
    kept["update_sessions"] = sorted(session["state"] for session in result.get("update_sessions", []))
    kept["library_items"] = [item["name"] for item in result.get("library_items", [])]
    kept["items"] = [(entry["name"], entry["changed"]) for entry in result.get("results", [])]
    kept["state"] = (result.get("update_session") or {}).get("state")
    return kept
