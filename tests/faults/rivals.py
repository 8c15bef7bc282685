# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rival matrix: somebody else acts between two requests of a module, and what must hold for both afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import ERROR_TYPES
from ansible_collections.vsphere.content_library.plugins.module_utils._module import Outcome
from ansible_collections.vsphere.content_library.plugins.modules import (
    library,
    library_items,
    library_sync,
    update_session,
)
from tests.faults import equals
from tests.faults.causes import unnamed_cause
from tests.faults.matrix import ONE_FAULT, PUBLISHING, SLACK, Bench, Undisturbed, Verdict, library_facts, repeated
from tests.faults.matrix import OURS as OUR_REQUESTS
from tests.faults.transitions import Transition
from tests.in_process import READS
from tests.simulator.rivals import ACTS
from tests.simulator.store import ADMINISTRATOR, OPERATOR

# Somebody who keeps sessions alive, and one who does not.
ACTORS = {
    "another run of the same user": {"user": ADMINISTRATOR, "keep_alive": 0.3},
    "another user": {"user": OPERATOR, "keep_alive": 0.3},
    "a tool without keep-alives": {"user": ADMINISTRATOR},
}
OF_ITEMS = ("create_item", "publish_item", "delete_item", "rename_item", "describe_item")
OWN = ("open_session", "fill_session", "complete_session", "cancel_session", "fail_session", "delete_session")
OURS = ("add_file", "remove_file", "complete_ours", "cancel_ours", "fail_ours", "delete_ours", "tell_progress")
OF_LIBRARIES = ("create_library", "delete_library", "rename_library")
OF_SUBSCRIBED = ("sync_library", "evict_library")
OF_DOWNLOADS = ("cancel_download", "delete_download", "expire_download")
OF_NOBODY = ("expire_ours", "log_out")
OF_CONTENT = ("publish_item", "complete_session", "delete_item", "create_item")
assert {*OF_ITEMS, *OWN, *OURS, *OF_LIBRARIES, *OF_SUBSCRIBED, *OF_DOWNLOADS, *OF_NOBODY} == set(ACTS)

# What becomes of our own request, before which the rival acts; after a lost answer it is the request that follows.
ENDS: dict[str, dict[str, Any] | None] = {
    "answered": None,
    "request lost": {"kind": "reset_before"},
    "request refused": {"kind": "status", "status": 503},
    "answer lost": {"kind": "reset_after"},
}
ENVELOPE = '<?xml version="1.0"?><Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"><References/></Envelope>'
STANDS_STILL = 3.0  # seconds for which a session that nobody keeps alive is looked at, with all around it


@dataclass(frozen=True)
class Rivalry:
    transition: Transition
    dialect: str
    act: str
    actor: str
    end: str
    position: int

    @property
    def column(self) -> str:
        return self.act

    def rival(self, target: str, library: str, kind: str) -> dict[str, Any]:
        """As the simulator takes it."""
        files = {f"{target}.ovf": ENVELOPE} if kind == "ovf" else {"rival.iso": "of the rival\n"}
        acting = {"act": self.act, "item": target, "library": library, "type": kind, "files": files}
        at = self.position + (self.end == "answer lost")
        return {"match": OUR_REQUESTS, "at": at, "acts": [{**acting, **ACTORS[self.actor]}]}


def actors(act: str) -> list[str]:
    """Those for whom an act differs. Nobody can see another user's session, so an act on ours is the same user's."""
    same, other, tool = ACTORS
    if act in OWN[:2]:
        return [same, other, tool]
    return [same, other] if act in (*OF_ITEMS, *OWN) else [same]


def acts(operations: list[str]) -> list[str]:
    """Those that can have an effect on a transition that does these operations."""
    wanted = [*OF_ITEMS, *OWN, *OURS, *OF_LIBRARIES, *OF_NOBODY]
    wanted += OF_DOWNLOADS if any(operation.startswith("download") for operation in operations) else ()
    return wanted + list(OF_SUBSCRIBED if any("subscribed" in operation for operation in operations) else ())


def rivalries(bench: Bench, transition: Transition, dialect: str, act: str, equal: bool = False) -> Iterator[Rivalry]:
    """All cases of an act, without those that are equal to others, unless they are asked for."""
    operations = bench.undisturbed(transition, dialect).operations
    if act not in acts(operations):
        return
    kept = set(equals.positions(operations, act))
    for actor in actors(act):
        for position, operation in enumerate(operations, 1):
            if equal or position in kept:
                for end in ENDS if equal else equals.ends(operation, dialect, list(ENDS)):
                    yield Rivalry(transition, dialect, act, actor, end, position)


def target(arguments: dict[str, Any]) -> str:
    """The item that a task is about."""
    if "items" in arguments:
        return arguments["items"][0]["name"]
    names_an_item = {"library_id", "library_name"} & arguments.keys()
    return arguments["name"] if names_an_item and arguments.get("name") else "debian-12"


def library_of(transition: Transition, arguments: dict[str, Any]) -> str:
    """The library that a task is about."""
    name = arguments.get("name") if transition.module is library else None
    return arguments.get("library_id") or arguments.get("library_name") or name or "demo"


def contend(bench: Bench, case: Rivalry) -> Verdict:
    """Run the module beside its rival, judge what they left, and run it twice with nobody else there."""
    transition, simulator = case.transition, bench.simulator
    undisturbed = bench.undisturbed(transition, case.dialect)
    arguments, known, _before = bench.prepare(transition)
    before, there = simulator.state(), set(bench.folder.rglob("*"))
    name = target(arguments)
    kinds = [item["type"] for state in (undisturbed.before, undisturbed.wanted) for item in state.items.get(name, [])]
    place = library_of(transition, arguments)
    simulator.rivals([case.rival(name, place, (kinds or ["iso"])[0] or "iso")])
    fault = ENDS[case.end]
    simulator.faults([{"match": OUR_REQUESTS, "at": case.position, "fault": fault}] if fault else [])
    outcome, seconds = bench.run(transition.module, arguments, case.dialect)
    log, done = bench.log(), simulator.rivals_done()
    column = f"{case.act} by {case.actor}, {case.end}"
    verdict = Verdict(transition.module_name, transition.name, case.dialect, column, case.position, False)
    verdict.failed, verdict.seconds = outcome.failed, seconds
    verdict.error_type = outcome.result.get("error_type")
    verdict.operation = log[case.position - 1]["operation"] if len(log) >= case.position else None
    simulator.faults([])
    if done and done[0]["outcome"] == "done":
        verdict.struck = True
        judge = Judge(case, verdict, undisturbed, outcome, log, done[0], before, simulator.state(), name, known)
        judge.hold()
        judge.check(not temporary(set(bench.folder.rglob("*")) - there), "a temporary file was left")
        if not verdict.broken and case.act not in OF_LIBRARIES:
            run_again(bench, case, arguments, judge)
    elif done and done[0]["outcome"].startswith("broken"):
        verdict.broken.append(f"the rival is {done[0]['outcome']}")
    simulator.rivals([])
    return verdict


def temporary(paths: set[Any]) -> list[str]:
    return [path.name for path in paths if path.is_file() and path.name.startswith(".")]


def run_again(bench: Bench, case: Rivalry, arguments: dict[str, Any], judge: Judge) -> None:
    """Twice, when the rival has gone; only the session of a tool that was killed may still be there."""
    simulator = bench.simulator
    simulator.rivals([])
    alone = case.actor == "a tool without keep-alives" and case.transition.module in PUBLISHING
    for session in judge.rival_sessions() if not alone else ():
        simulator.delete_session(session)
    simulator.expire_tokens()
    for which in ("second", "third"):
        outcome, _seconds = bench.run(case.transition.module, arguments, case.dialect)
        judge.again(which, outcome, simulator.state())
        if judge.verdict.broken:
            return


class Judge:
    """What must hold. The rules are hold and again; the rest says what their words mean."""

    def __init__(
        self,
        case: Rivalry,
        verdict: Verdict,
        undisturbed: Undisturbed,
        outcome: Outcome,
        log: list[dict[str, Any]],
        done: dict[str, Any],
        before: dict[str, Any],
        after: dict[str, Any],
        name: str,
        known: list[str],
    ) -> None:
        self.case, self.verdict, self.undisturbed, self.run = case, verdict, undisturbed, outcome
        self.log, self.done, self.before, self.after, self.name, self.known = log, done, before, after, name, known
        self.act, self.transition = case.act, case.transition

    def check(self, holds: object, promise: str) -> None:
        if not holds:
            self.verdict.broken.append(promise)

    def hold(self) -> None:
        """After the run that had the rival beside it."""
        result = self.run.result
        self.check("exception" not in result, f"traceback: {result.get('exception')}")
        limit = self.undisturbed.seconds + SLACK + ONE_FAULT + STANDS_STILL
        self.check(self.verdict.seconds <= limit, f"{self.verdict.seconds:.1f} s, and not {limit:.1f}")
        if self.run.failed:
            self.check(result.get("error_type") in ERROR_TYPES, f"error_type is {result.get('error_type')}")
            self.check(result.get("msg"), "no msg")
            missing = unnamed_cause(result)
            self.check(not missing, missing or "")
        elif not self.transition.fails and self.acted_before_the_end():
            self.wanted(self.after, "success, but")
        for left in self.done["left"]:
            self.as_left(left, self.after["items"].get(left["id"]))
        self.rival_session_stays()
        self.rival_library_stays()
        self.nothing_of_ours()

    def as_left(self, left: dict[str, Any], now: dict[str, Any] | None) -> None:
        """An item is as the rival left it, or as a completed run of ours made it after that."""
        if now is None:
            ours = left["id"] not in self.before["items"] and not left["files"]
            asked = self.name in self.undisturbed.before.items and self.name not in self.undisturbed.wanted.items
            self.check(ours or asked, "the item that the rival left is deleted")
            return
        if self.transition.module is library_sync:
            return  # it has what its publisher has
        wanted = self.undisturbed.wanted.items.get(self.name, [])
        contents = [digests(left)]
        if self.act == "complete_ours" and contents[0].items() <= digests(now).items():
            contents.append(digests(now))  # the server goes on and pulls what we had asked for
        completed = any(entry["operation"] in ("update_session.complete", "item.copy") for entry in self.log)
        # What was being completed when the rival came is ours, unless their act is about content.
        if self.sent_since("update_session.complete") or (completed and self.act not in OF_CONTENT):
            contents += [item["files"] for item in wanted]
            if self.transition.fails and not self.run.failed:
                return  # it had failed for what the rival has ended
            told = self.run.failed or self.transition.module not in PUBLISHING
            if told and self.act in ("add_file", "remove_file"):
                return  # what they did in our session is in the item, and nobody says that this is what a task wants
        self.check(
            digests(now) in contents, f"the rival left {sorted(left['files'])}, now it is {sorted(now['files'])}"
        )
        descriptions, names = [left["description"]], [left["name"]]
        was = self.before["items"].get(left["id"])
        if self.sent_since("item.update"):
            descriptions += [item["description"] for item in wanted]
            if self.act != "describe_item" and was:  # ours, which a failure takes back
                descriptions.append(was["description"])
            if self.act != "rename_item":
                names += [self.name, *([was["name"]] if was else [])]
        self.check(now["description"] in descriptions, f"the description is {now['description']}")
        self.check(now["name"] in names, f"the name is {now['name']}")

    def rival_session_stays(self) -> None:
        """A session that lives is left alone, but by update_session, which is about the sessions of its user."""
        if self.act not in OWN[:2] or self.transition.module is update_session:
            return
        if self.case.actor == "a tool without keep-alives" and self.transition.module in PUBLISHING:
            return
        for session in self.rival_sessions():
            state = self.after["sessions"].get(session, {"state": "gone"})["state"]
            self.check(state == "ACTIVE", f"the rival's session is {state}")

    def rival_library_stays(self) -> None:
        """The library that a rival has made or renamed is there, unless it is the one that a task deletes."""
        names = [entry["name"] for key, entry in self.after["libraries"].items()]
        if self.act == "create_library":
            new = [name for key, name in self.new_libraries() if name == self.done["library"]]
            self.check(new, f"the library that the rival made is gone, there are {names}")
        absent = self.transition.module is library and len(self.undisturbed.wanted.libraries) < len(
            self.undisturbed.before.libraries
        )
        if self.act == "rename_library" and not absent:
            self.check("renamed by a rival" in names, f"the library that the rival renamed is gone, there are {names}")

    def new_libraries(self) -> list[tuple[str, str]]:
        libraries = self.after["libraries"].items()
        return [(key, entry["name"]) for key, entry in libraries if key not in self.before["libraries"]]

    def nothing_of_ours(self) -> None:
        tokens = len(self.after["tokens"]) - self.undisturbed.wanted.tokens
        if self.verdict.operation == "session.create" and self.case.end == "answer lost":
            tokens -= 1  # nobody was told which it is
        self.check(tokens <= 0, f"{tokens} API tokens were left")
        active = len(self.new_active(self.after))
        wanted = sum(session["state"] == "ACTIVE" for session in self.undisturbed.wanted.new_sessions)
        # Of an item, another takes the place of one that a rival has ended.
        old = [place for place, aim in self.undisturbed.wanted.sessions.items() if aim["state"] == "ACTIVE"]
        wanted += sum(self.state_of(self.after, place) != "ACTIVE" for place in old)
        self.check(active <= wanted, f"{active} ACTIVE sessions were left")
        if not self.run.failed or self.act in ("create_item", *OWN[:2]):  # theirs, or held by their session
            return
        if self.act == "rename_item" and not any(item["files"] for item in self.wanted_items()):
            return  # all that was wanted of it had been done, and now it has the name that they want
        empty = [item["name"] for key, item in self.after["items"].items() if key not in self.before["items"]]
        empty = [name for name in empty if not self.files_of(name)]
        self.check(not empty, f"an item without content was left: {empty}")

    def again(self, which: str, outcome: Outcome, state: dict[str, Any]) -> None:
        """A run with nobody beside it converges, and the one after it has nothing to do."""
        result = outcome.result
        if self.transition.fails:
            held = self.undisturbed.outcome.result.get("error_type") == "RESOURCE_BUSY"
            self.check(outcome.failed or held, f"the {which} run did not fail")
        elif outcome.failed:
            gone = result.get("error_type") in ("NOT_FOUND", "NOT_ALLOWED_IN_CURRENT_STATE")
            ended = self.act in (*OURS, *OF_NOBODY, "delete_item")
            session = self.transition.module_name.startswith("update_session")
            named = result.get("error_type") == "ALREADY_EXISTS" and self.act in ("create_item", "publish_item")
            by_id = self.transition.renames and self.act == "delete_item" and result.get("error_type") == "NOT_FOUND"
            copied = self.transition.name == "copy" and result.get("error_type") == "INVALID_ARGUMENT"
            differs = copied and self.act in (*OF_CONTENT, *OWN)  # from the item that it would have to be a copy of
            self.check(
                (gone and ended and session) or named or by_id or differs,
                f"the {which} run failed: {result.get('msg')}",
            )
        else:
            self.wanted(state, f"after the {which} run")
            if which == "third":
                done = repeated(self.transition, outcome)
                self.check(not done, f"the third run did {result.get('operations')}")

    def wanted_items(self) -> list[dict[str, Any]]:
        return self.undisturbed.wanted.items.get(self.name, [])

    def wanted(self, state: dict[str, Any], when: str) -> None:
        """What the task asked for is there."""
        if self.transition.module in PUBLISHING:
            wanted = self.undisturbed.wanted.items.get(self.name, [])
            items = [item for item in state["items"].values() if item["name"] == self.name]
            # A task that tells no source is not about content, one that tells no description not about that.
            content = any(item["files"] for item in wanted)
            self.check(len(items) == len(wanted), f"{when} there are {len(items)} items {self.name}")
            for item, aim in zip(items, wanted):
                same = digests(item) == aim["files"] or not content
                self.check(same, f"{when} the item has {sorted(item['files'])}")
                described = item["description"] == aim["description"] or not aim["description"]
                later = self.act == "describe_item" and when.startswith("success")  # after we had set it
                self.check(described or later, f"{when} not described")
        elif self.transition.module is update_session:
            for place, aim in self.undisturbed.wanted.sessions.items():
                now = self.state_of(state, place)
                replaced = aim["state"] == "ACTIVE" and self.new_active(state)
                self.check(now == aim["state"] or replaced, f"{when} a session is {now}")
        elif self.transition.module in (library, library_sync) and self.act not in OF_LIBRARIES:
            self.wanted_libraries(state, when)

    def wanted_libraries(self, state: dict[str, Any], when: str) -> None:
        """The libraries are as wanted, and so are the items of those that are subscribed."""
        wanted = self.undisturbed.wanted
        found = library_facts(state)
        for name in found.keys() | wanted.libraries.keys():
            now, aim = found.get(name), wanted.libraries.get(name)
            self.check(now == aim, f"{when} library {name} is {now}")
        for entry in state["libraries"].values():
            if entry["type"] == "SUBSCRIBED" and self.act not in OF_SUBSCRIBED:
                items = [item["name"] for item in state["items"].values() if item["library_id"] == entry["id"]]
                aims = [name for name in wanted.items if name.endswith(f" in {entry['name']}")]
                there = sorted(f"{name} in {entry['name']}" for name in items)
                self.check(there == sorted(aims), f"{when} library {entry['name']} has {items}")

    def acted_before_the_end(self) -> bool:
        """Before our last write, so that this may have had a say in what the task tells."""
        if self.transition.module is library_items:  # the item of the rival was done when the others were not
            ends = [entry["n"] for entry in self.log if entry["operation"] == "update_session.complete"]
            return all(self.done["request"] <= number for number in ends)
        return any(entry["n"] >= self.done["request"] for entry in self.log if writes_content(entry))

    def sent_since(self, operation: str) -> bool:
        since = [entry["operation"] for entry in self.log if entry["n"] >= self.done["request"]]
        return operation in since

    def state_of(self, state: dict[str, Any], place: int) -> str:
        """Of one of the sessions that were there before."""
        return state["sessions"].get(self.known[place], {"state": "gone"})["state"]

    def new_active(self, state: dict[str, Any]) -> list[str]:
        theirs = (*self.known, *self.done["sessions"])
        return [key for key, one in state["sessions"].items() if one["state"] == "ACTIVE" and key not in theirs]

    def rival_sessions(self) -> list[str]:
        return [session for session in self.done["sessions"] if session in self.after["sessions"]]

    def files_of(self, name: str) -> list[str]:
        return [file for item in self.after["items"].values() if item["name"] == name for file in item["files"]]


def writes_content(entry: dict[str, Any]) -> bool:
    operation = entry["operation"] or ""
    ends = ("session.create", "session.delete", "update_session.delete", "update_session.keep_alive")
    return not operation.endswith(READS) and operation not in ends and (entry["status"] or 500) < 300


def digests(item: dict[str, Any]) -> dict[str, str]:
    return {name: file["sha256"] for name, file in item["files"].items()}
