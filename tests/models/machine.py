# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any sequence of tasks and of events on the server, each held against the contract.

Every task is run in check mode, for real, and once more. Between them come other users, the server and time: sessions
end, expire or are opened, items come and go, API tokens die. A task runs in this process; the simulator in its own.
"""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import ERROR_TYPES
from ansible_collections.vsphere.content_library.plugins.module_utils._module import Outcome
from ansible_collections.vsphere.content_library.plugins.modules import (
    library_item,
    library_item_info,
    update_session,
    update_session_fail,
    update_session_file,
    update_session_info,
)
from tests import in_process
from tests.cases.checks import SESSION_KEYS
from tests.models import contract
from tests.models.contract import ME, NEW, OTHER, Expected, Item, Refused, Session, World
from tests.simulator.process import SimulatorProcess
from tests.simulator.store import stable_id

DEMO, IMAGES, MIRROR = (stable_id("library", name) for name in ("demo", "images", "mirror"))
MISSING = "00000000-0000-4000-8000-000000000000"
SOON = 90  # seconds until a session expires; more than any run takes, less than MIN_LIFETIME
MIN_LIFETIME = 100
REQUEST_TIMEOUT = 10
TOLERANCE = 80  # seconds that a whole sequence may take

NAMES = st.sampled_from(["debian-12", "alpha", "beta"])
FILES = st.sampled_from(["debian-12.iso", "a.iso", "b.bin"])
# Two of them have the same size.
CONTENTS = {"debian-12.iso": b"debian 12\n", "one": b"first\n", "two": b"other\n", "three": b"a third one\n"}
CONTENT = st.sampled_from(sorted(CONTENTS.values()))
WARNINGS = st.sampled_from(["SELF_SIGNED_CERTIFICATE", "EXPIRED_CERTIFICATE"])
BEHAVIOR = st.none() | st.dictionaries(WARNINGS, st.booleans(), max_size=2).map(
    lambda asked: [{"type": warning, "ignored": ignored} for warning, ignored in asked.items()]
)
RAISED = st.lists(WARNINGS, unique=True, max_size=2).map(tuple)
TALLY = {"sequences": 0, "tasks": 0, "runs": 0, "events": 0}


class ContractMachine(RuleBasedStateMachine):
    """A vCenter that nobody has used yet, and what becomes of it."""

    def __init__(self, simulator: SimulatorProcess, folder: Path, dialect: str) -> None:
        super().__init__()
        self.simulator, self.folder, self.dialect = simulator, folder, dialect
        self.world = World()
        self.given: str | None = None  # an API token that tasks are given, while it lives
        self.dies_at: int | None = None  # the request of the next run at which its own API token is dead

    @initialize(
        hides_behavior=st.booleans(),
        item_checksums=st.booleans(),
        session_checksums=st.booleans(),
        get_has_id=st.booleans(),
        delay=st.sampled_from([0, 0, 0.1]),
    )
    def begin(self, hides_behavior, item_checksums, session_checksums, get_has_id, delay):
        """A server of one kind or another."""
        TALLY["sequences"] += 1
        self.simulator.reset()
        self.simulator.config(
            hide_warning_behavior=hides_behavior,
            item_checksum_algorithm="SHA256" if item_checksums else None,
            session_file_checksum=session_checksums,
            get_has_id=get_has_id,
            complete_delay=delay,
        )
        self.world = World((DEMO, IMAGES), (MIRROR,), {}, {}, (), hides_behavior, item_checksums, session_checksums)
        self.simulator.add_item("published", library_id=IMAGES, files={"p.iso": "published\n"})
        for each in self.simulator.state()["items"].values():
            files = {name: self.simulator.item_file(each["id"], name) for name in each["files"]}
            item = Item(each["id"], each["library_id"], each["name"], each["type"], each["description"], files)
            self.world.items[item.id] = item
            if item.name == "published":
                published = f"{self.simulator.url}/control/item/{item.id}/file"
        # The server pulls from itself.
        self.world.urls = {f"{published}/p.iso": b"published\n", f"{published}/missing.iso": None}

    # What tasks ask for

    def a_session(self, data: Any) -> str:
        own = [session.id for session in self.world.sessions.values() if session.user == ME]
        return data.draw(st.sampled_from([*own, *own, MISSING]), "session")

    def an_item(self, data: Any) -> str:
        items = [item.id for item in self.world.items.values() if item.library == DEMO]
        return data.draw(st.sampled_from([*items, *items, MISSING]), "item")

    @rule(
        data=st.data(),
        by_item=st.booleans(),
        state=st.sampled_from(["active", "active", "done", "canceled", "absent"]),
        warning_behavior=BEHAVIOR,
        client_progress=st.none() | st.sampled_from([0, 30, 60, 100, 101]),
        min_lifetime=st.sampled_from([None, 0, MIN_LIFETIME]),
    )
    def update_session(self, data, by_item, state, warning_behavior, client_progress, min_lifetime):
        target = {"library_item_id": self.an_item(data)} if by_item else {"update_session_id": self.a_session(data)}
        steered = dict(warning_behavior=warning_behavior, client_progress=client_progress, min_lifetime=min_lifetime)
        self.task(update_session, dict(**target, state=state, **steered))

    @precondition(lambda self: self.acting(ME))
    @rule(data=st.data(), warning_behavior=BEHAVIOR)
    def done_without_waiting(self, data, warning_behavior):
        """Whether it is DONE yet is a matter of time; so is what becomes of it."""
        session = data.draw(st.sampled_from(self.acting(ME)), "session")
        options = dict(update_session_id=session.id, state="done", warning_behavior=warning_behavior)
        after = copy.deepcopy(self.world)
        refused, _expected = predicted(contract.update_session, after, options)
        if after.sessions[session.id].state == "ACTIVE":
            return  # refused at once, which the other rule has
        outcome = self.run(update_session, dict(options, wait=False))
        self.world = after
        if not outcome.failed:
            assert outcome.result["operations"][-1] == "complete"
            assert outcome.result["update_session"]["state"] in ("ACTIVE", after.sessions[session.id].state)
        else:
            assert refused == outcome.result["error_type"], outcome.result
        while self.simulator.state()["sessions"][session.id]["state"] == "ACTIVE":
            time.sleep(0.05)
        self.same_world()

    @rule(data=st.data(), message=st.sampled_from(["Given up", "Größe\n" * 500, " "]))
    def update_session_fail(self, data, message):
        self.task(update_session_fail, dict(update_session_id=self.a_session(data), client_error_message=message))

    @rule(data=st.data(), name=FILES, content=CONTENT, pulled=st.sampled_from([False, False, True]))
    def file_present(self, data, name, content, pulled):
        options = dict(update_session_id=self.a_session(data), name=name)
        if pulled:
            self.task(update_session_file, dict(options, url=self.a_url(data)))
        else:
            self.task(update_session_file, dict(options, src=self.source(name, content)), src=content)

    @rule(data=st.data(), name=FILES)
    def file_absent(self, data, name):
        self.task(update_session_file, dict(update_session_id=self.a_session(data), name=name, state="absent"))

    def a_url(self, data: Any) -> str:
        return data.draw(st.sampled_from(list(self.world.urls)), "url")

    def source(self, name: str, content: bytes) -> str:
        path = self.folder / hashlib.sha256(content).hexdigest()[:8] / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        return str(path)

    @rule(
        data=st.data(),
        by=st.sampled_from(["session", "item", "none"]),
        states=st.none() | st.lists(st.sampled_from(["ACTIVE", "DONE", "ERROR", "CANCELED"]), unique=True),
        validate=st.booleans(),
    )
    def update_session_info(self, data, by, states, validate):
        options = {"session": lambda: dict(update_session_id=self.a_session(data)), "none": dict}.get(
            by, lambda: dict(library_item_id=self.an_item(data))
        )()
        expected, outcome = self.task(
            update_session_info, dict(options, states=states), gather_files=True, validate=validate
        )
        told = outcome.result["update_sessions"]
        assert [session["id"] for session in told] == [session.id for session in expected.found]
        for is_told, session in zip(told, expected.found):
            files = self.world.files(session)
            waiting = any(file.status == "WAITING_FOR_TRANSFER" for file in files.values())
            validated = validate and session.state == "ACTIVE" and not waiting
            if validated:
                session.expires = session.lifetime  # the server looks three times, and it is told before the last
            self.same_session(is_told, session, self.world)
            assert {file["name"]: file["status"] for file in is_told["files"]} == {
                name: file.status for name, file in files.items()
            }
            if validated:
                failed = sorted(name for name, file in files.items() if file.status == "ERROR")
                assert [file["name"] for file in is_told["validation"]["invalid_files"]] == failed
            else:
                assert is_told.get("validation") is None

    @rule(
        data=st.data(),
        library=st.sampled_from([DEMO, DEMO, DEMO, MIRROR, MISSING]),
        name=NAMES,
        state=st.sampled_from(["present", "present", "present", "absent"]),
        description=st.sampled_from([None, "", "What it is"]),
        kind=st.sampled_from([None, None, None, "iso"]),
        content=st.sampled_from(["none", "src", "src", "src", "url"]),
        flags=st.fixed_dictionaries({"purge": st.booleans(), "force": st.sampled_from([False, False, True])}),
        warning_behavior=BEHAVIOR,
    )
    def library_item(self, data, library, name, state, description, kind, content, flags, warning_behavior):
        options = dict(library_id=library, name="mirrored" if library == MIRROR else name, state=state, type=kind)
        options.update(description=description, warning_behavior=warning_behavior, **flags)
        if state == "present" and content == "url":
            self.task(library_item, dict(options, url=self.a_url(data)))
        elif state == "present" and content == "src":
            files = data.draw(st.dictionaries(FILES, CONTENT, min_size=1, max_size=2), "src")
            src = [self.source(name, content) for name, content in files.items()]
            self.task(library_item, dict(options, src=src), src=files)
        else:
            self.task(library_item, options)

    @rule(library=st.sampled_from([DEMO, MIRROR, MISSING]), name=st.none() | NAMES)
    def library_item_info(self, library, name):
        expected, outcome = self.task(library_item_info, dict(library_id=library, name=name), gather_files=True)
        told = outcome.result["library_items"]
        assert [item["id"] for item in told] == [item.id for item in expected.found]
        for is_told, item in zip(told, expected.found):
            assert (is_told["type"], is_told["description"]) == (item.type, item.description)
            sizes = {file["name"]: file["size"] for file in is_told["files"]}
            assert sizes == {name: len(content) for name, content in item.files.items()}

    # What happens on the server

    def event(self) -> None:
        TALLY["events"] += 1

    def acting(self, *users: str) -> list[Session]:
        return [
            session for session in self.world.sessions.values() if session.state == "ACTIVE" and session.user in users
        ]

    def free_items(self) -> list[str]:
        held = {session.item for session in self.acting(ME, OTHER)}
        return [item.id for item in self.world.items.values() if item.library == DEMO and item.id not in held]

    @precondition(lambda self: self.free_items())
    @rule(
        data=st.data(),
        user=st.sampled_from([ME, ME, OTHER]),
        progress=st.sampled_from([0, 50]),
        behavior=BEHAVIOR,
        raised=st.none() | RAISED,
        lifetime=st.sampled_from([300, 300, SOON]),
        soon=st.booleans(),
    )
    def session_opened(self, data, user, progress, behavior, raised, lifetime, soon):
        """By another run, or by another user."""
        self.event()
        item = data.draw(st.sampled_from(self.free_items()), "item")
        asked = {entry["type"]: entry["ignored"] for entry in behavior or []} or None
        [session_id] = self.simulator.add_sessions(
            library_item_id=item,
            user=user,
            client_progress=progress,
            warning_behavior=behavior or None,
            preview_warnings=None if raised is None else list(raised),
            lifetime=lifetime,
            expires_in=SOON if soon else lifetime,
        )
        session = Session(session_id, item, user, "ACTIVE", progress, asked, raised)
        session.lifetime, session.expires = lifetime, SOON if soon else lifetime
        self.world.sessions[session_id] = session

    @precondition(lambda self: self.acting(ME, OTHER))
    @rule(data=st.data(), state=st.sampled_from(["ERROR", "CANCELED"]))
    def session_ended(self, data, state):
        """By the server, or by somebody in the vSphere Client."""
        self.event()
        session = data.draw(st.sampled_from(self.acting(ME, OTHER)), "session")
        error = "The server gave up" if state == "ERROR" else None
        self.simulator.change_session(session.id, state=state, **({"error_message": error} if error else {}))
        session.end(state, error)

    @precondition(lambda self: self.world.sessions)
    @rule(data=st.data())
    def session_expired(self, data):
        self.event()
        session_id = data.draw(st.sampled_from(list(self.world.sessions)), "session")
        self.simulator.delete_session(session_id)
        del self.world.sessions[session_id]

    @precondition(lambda self: self.acting(ME))
    @rule(data=st.data(), raised=RAISED)
    def session_warned(self, data, raised):
        self.event()
        session = data.draw(st.sampled_from(self.acting(ME)), "session")
        self.simulator.change_session(session.id, preview_warnings=list(raised))
        session.raised = raised

    @rule(raised=RAISED)
    def server_warns(self, raised):
        """Of whatever is published from now on."""
        self.event()
        self.simulator.config(raise_warnings=list(raised))
        self.world.raise_warnings = raised

    @precondition(lambda self: self.acting(ME))
    @rule(data=st.data(), name=FILES)
    def file_announced(self, data, name):
        """And never sent."""
        self.event()
        session = data.draw(st.sampled_from(self.acting(ME)), "session")
        self.by_operator(
            "POST", f"content/library/item/update-session/{session.id}/file", name=name, source_type="PUSH"
        )
        session.added[name] = contract.File("WAITING_FOR_TRANSFER", "PUSH")
        session.removed.discard(name)
        session.expires = session.lifetime

    @rule(name=NAMES, content=CONTENT, kind=st.sampled_from(["", "iso"]))
    def item_made(self, name, content, kind):
        """It may have the name of another one."""
        self.event()
        item_id = self.simulator.add_item(name, type=kind, files={"a.iso": content.decode()})
        self.world.items[item_id] = Item(item_id, DEMO, name, kind, "", {"a.iso": content})

    @precondition(lambda self: self.items_of_demo())
    @rule(data=st.data())
    def item_deleted(self, data):
        self.event()
        item = data.draw(st.sampled_from(self.items_of_demo()), "item")
        self.by_operator("DELETE", f"content/library/item/{item.id}")
        contract.forget(self.world, item)

    @precondition(lambda self: self.items_of_demo())
    @rule(data=st.data(), description=st.sampled_from(["", "Somebody's"]))
    def item_described(self, data, description):
        self.event()
        item = data.draw(st.sampled_from(self.items_of_demo()), "item")
        self.by_operator("PATCH", f"content/library/item/{item.id}", description=description)
        item.description = description

    def items_of_demo(self) -> list[Item]:
        return [item for item in self.world.items.values() if item.library == DEMO]

    @rule(given=st.booleans())
    def token_changes(self, given):
        """Tasks get an API token, or log in by themselves again."""
        self.event()
        self.simulator.expire_tokens()
        self.given = self.log_in(ME) if given else None

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def token_dies(self, data):
        """And the next task is given it all the same."""
        self.event()
        self.simulator.expire_tokens()
        outcome = self.run(update_session, dict(library_item_id=self.an_item(data)))
        assert outcome.failed
        assert outcome.result["error_type"] == "UNAUTHENTICATED"
        self.given = None

    @precondition(lambda self: not self.given)
    @rule(at=st.integers(2, 9))
    def token_will_die(self, at):
        """Amid the next task that has logged in by itself."""
        self.event()
        self.dies_at = at

    @contextmanager
    def dying_token(self) -> Iterator[None]:
        if self.dies_at is None or self.given:
            yield
            return
        self.simulator.faults([{"match": {}, "at": self.dies_at, "fault": {"kind": "status", "status": 401}}])
        yield
        self.simulator.faults([])
        self.simulator.expire_tokens()  # it lives, but for the one request
        self.dies_at = None

    def log_in(self, user: str) -> str:
        simulator = self.simulator
        return simulator.session.post(f"{simulator.url}/api/session", auth=(user, simulator.password)).json()

    def by_operator(self, method: str, path: str, **model: Any) -> None:
        token = {"vmware-api-session-id": self.log_in(OTHER)}
        url = f"{self.simulator.url}/api"
        self.simulator.session.request(method, f"{url}/{path}", json=model or None, headers=token).raise_for_status()
        self.simulator.session.delete(f"{url}/session", headers=token).raise_for_status()

    # A task, three times

    def task(
        self, module: ModuleType, options: dict[str, Any], src: Any = None, **more: Any
    ) -> tuple[Expected, Outcome]:
        """Run a task in check mode, for real and again. Returns what the last run should tell, and what it told.

        src is what the model gets for it; more are options that it does not know.
        """
        TALLY["tasks"] += 1
        predict = getattr(contract, module.__name__.rpartition(".")[2])
        options = {name: value for name, value in options.items() if value is not None}
        model_options = {**options, "src": src} if src is not None else options

        blind = copy.deepcopy(self.world)
        blind.foresees = False
        refused, expected = predicted(predict, blind, model_options)
        before = self.simulator.state()
        self.simulator.clear_requests()
        checked = self.run(module, {**options, **more}, check_mode=True)
        self.compare(checked, refused, expected, blind)
        written = in_process.writes(entry["operation"] for entry in self.simulator.requests())
        assert set(written) <= {"session.create", "session.delete"}, f"in check mode: {written}"
        assert still(before) == still(self.simulator.state())

        refused, expected = predicted(predict, self.world, model_options)
        with self.dying_token():
            outcome = self.run(module, {**options, **more})
        self.learn()
        self.compare(outcome, refused, expected, self.world)
        self.same_world()
        if not (checked.failed or outcome.failed):
            for key in ("changed", "operations"):
                assert checked.result[key] == outcome.result[key]
            states = [(run.result.get("update_session") or {}).get("state") for run in (checked, outcome)]
            assert states[0] == states[1]
        if refused:
            return expected, outcome

        refused, expected = predicted(predict, self.world, model_options)
        again = self.run(module, {**options, **more})
        self.learn()
        self.compare(again, refused, expected, self.world)
        self.same_world()
        forced = options.get("force") and (src or "url" in options)
        hopeless = options.get("min_lifetime") and expected.warnings
        if not (forced or hopeless):
            assert again.result["operations"] == []
            assert not again.result["changed"]
        return expected, again

    def run(self, module: ModuleType, options: dict[str, Any], check_mode: bool = False) -> Outcome:
        TALLY["runs"] += 1
        simulator = self.simulator
        identity = dict(username=simulator.username, password=simulator.password)
        if self.given:
            identity = dict(session_id=self.given)
        connection = dict(hostname=simulator.host, port=simulator.port, ca_path=simulator.ca_path, **identity)
        settings = dict(api_endpoint=self.dialect, request_timeout=REQUEST_TIMEOUT)
        return in_process.run(module, {**connection, **settings, **options}, check_mode)

    def learn(self) -> None:
        """The ids of what a task made."""
        state = self.simulator.state()
        for known, kind in ((self.world.items, "items"), (self.world.sessions, "sessions")):
            if NEW in known:
                [new] = state[kind].keys() - known.keys()
                known[new] = known.pop(NEW)
                known[new].id = new
                for session in self.world.sessions.values():
                    session.item = new if session.item == NEW else session.item

    def compare(self, outcome: Outcome, refused: str | None, expected: Expected, world: World) -> None:
        """A run's result with what the model expects of it."""
        result = outcome.result
        assert "exception" not in result, result["exception"]
        assert (result.get("error_type") if outcome.failed else None) == refused, result
        if refused:
            assert refused in ERROR_TYPES
            assert result["msg"]
            return
        assert result["operations"] == expected.operations
        assert result["changed"] == bool(expected.operations)
        assert len(outcome.warnings) == expected.warnings, outcome.warnings
        if "diff" in result and not result["changed"]:
            assert result["diff"]["before"] == result["diff"]["after"]
        if "update_session" in result:
            self.same_session(result["update_session"], expected.session, world)
        if "file" in result:
            assert (result["file"] is None) == (expected.file is None)
            if expected.file:
                assert result["file"]["status"] == expected.file.status
        if "library_item" in result:
            assert (result["library_item"] is None) == (expected.item is None)
            assert {row["name"]: row["action"] for row in result["files"]} == expected.files
            if expected.item:
                for key in ("name", "type", "description"):
                    assert (result["library_item"][key] or "") == getattr(expected.item, key)

    def same_session(self, told: dict[str, Any] | None, session: Session | None, world: World) -> None:
        if session is None:
            assert told is None
            return
        assert told.keys() >= SESSION_KEYS
        assert told["id"] == (None if session.id == NEW else session.id)
        assert told["library_item_id"] == (None if session.item == NEW else session.item)
        assert told["state"] == session.state
        if world.foresees:
            assert session.expires - TOLERANCE <= told["expires_in"] <= session.expires
        if session.id != NEW:
            assert told["client_progress"] == session.progress
            assert sorted(told["blocking_warnings"]) == sorted(world.blocking(session))
        if session.error:
            assert session.error in told["error_message"]["default_message"]

    def same_world(self) -> None:
        """The server has what the model has, and nothing else."""
        state = self.simulator.state()
        assert {
            item["id"]: (
                item["name"],
                item["type"],
                item["description"],
                {n: f["sha256"] for n, f in item["files"].items()},
            )
            for item in state["items"].values()
        } == {
            item.id: (item.name, item.type, item.description, {n: hashed(content) for n, content in item.files.items()})
            for item in self.world.items.values()
        }
        assert {
            session["id"]: (
                session["user"],
                session["state"],
                session["client_progress"],
                {entry["type"]: entry["ignored"] for entry in session["warning_behavior"] or []},
                set(session["removed"]),
                {name: (file["status"], file["source_type"]) for name, file in session["files"].items()},
            )
            for session in state["sessions"].values()
        } == {
            session.id: (
                session.user,
                session.state,
                session.progress,
                session.behavior or {},
                session.removed,
                {name: (file.status, file.source) for name, file in session.added.items()},
            )
            for session in self.world.sessions.values()
        }
        for session in self.world.sessions.values():
            if session.error:
                assert session.error in state["sessions"][session.id]["error_message"]["default_message"]

    @invariant()
    def no_token_is_left(self):
        """Apart from the one that tasks are given."""
        tokens = [token["sha256"] for token in self.simulator.state()["tokens"]]
        assert tokens == ([hashed(self.given.encode())] if self.given else [])


def predicted(predict: Callable[..., Expected], world: World, options: dict[str, Any]) -> tuple[str | None, Expected]:
    """The error_type that a task fails with, or None and what it reports."""
    try:
        return None, predict(world, **options)
    except Refused as refused:
        return refused.error_type, Expected()


def hashed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def still(state: dict[str, Any]) -> dict[str, Any]:
    """A state without what moves by itself, or by looking."""
    sessions = {key: {**session, "expires_in": None} for key, session in state["sessions"].items()}
    return {"items": state["items"], "sessions": sessions}
