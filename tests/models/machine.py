# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any sequence of tasks and of events on the server, and what always holds.

Every task is run in check mode, for real, and once more. Between them come other users, the server and time: sessions
end, expire or are opened, items come and go, API tokens die. Nothing here knows what a module does: the cases do.
Whatever a task is asked, and whatever it finds:

- check mode writes nothing, and says what the run then does, or fails with;
- a run that succeeds has reached what was asked for, and the second run finds nothing to do;
- a run that fails has an error_type that is known, and leaves every item as it was;
- nothing of others is touched: no session of another user, no item and no session that the task does not name;
- facts are the server's, every key of them is there, and no API token is left.

A task runs in this process; the simulator in its own.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
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
from tests.cases.checks import check_mirrors, check_shape, still
from tests.simulator.process import SimulatorProcess
from tests.simulator.store import stable_id

ME, OTHER = "administrator@vsphere.local", "operator@vsphere.local"
DEMO, IMAGES, MIRROR = (stable_id("library", name) for name in ("demo", "images", "mirror"))
MISSING = "00000000-0000-4000-8000-000000000000"
SOON = 90  # seconds until a session expires; more than any run takes, less than MIN_LIFETIME
MIN_LIFETIME = 100
REQUEST_TIMEOUT = 10
REACHED = {"active": "ACTIVE", "done": "DONE", "canceled": "CANCELED"}

NAMES = st.sampled_from(["debian-12", "alpha", "beta"])
FILES = st.sampled_from(["debian-12.iso", "a.iso", "b.bin"])
# Two of them have the same size.
CONTENT = st.sampled_from([b"a third one\n", b"debian 12\n", b"first\n", b"other\n"])
WARNINGS = st.sampled_from(["SELF_SIGNED_CERTIFICATE", "EXPIRED_CERTIFICATE"])
BEHAVIOR = st.none() | st.dictionaries(WARNINGS, st.booleans(), max_size=2).map(
    lambda asked: [{"type": warning, "ignored": ignored} for warning, ignored in asked.items()]
)
RAISED = st.lists(WARNINGS, unique=True, max_size=2)
TALLY = {"sequences": 0, "tasks": 0, "runs": 0, "events": 0}

State = dict[str, Any]


class ContractMachine(RuleBasedStateMachine):
    """A vCenter that nobody has used yet, and what becomes of it."""

    def __init__(self, simulator: SimulatorProcess, folder: Path, dialect: str) -> None:
        super().__init__()
        self.simulator, self.folder, self.dialect = simulator, folder, dialect
        self.state: State = {}
        self.urls: list[str] = []
        self.given: str | None = None  # an API token that tasks are given, while it lives
        self.dies_at: int | None = None  # the request of the next run at which its own API token is dead

    @initialize(
        hides_behavior=st.booleans(),
        item_checksums=st.booleans(),
        session_checksums=st.booleans(),
        get_has_id=st.booleans(),
        delay=st.sampled_from([0, 0, 0.02]),
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
        published = self.simulator.add_item("published", library_id=IMAGES, files={"p.iso": "published\n"})
        # The server pulls from itself.
        folder = f"{self.simulator.url}/control/item/{published}/file"
        self.urls = [f"{folder}/p.iso", f"{folder}/missing.iso"]
        self.look()

    def look(self) -> State:
        self.state = self.simulator.state()
        return self.state

    # What tasks ask for

    def a_session(self, data: Any) -> str:
        own = [session["id"] for session in self.sessions(ME)]
        return data.draw(st.sampled_from([*own, *own, MISSING]), "session")

    def an_item(self, data: Any) -> str:
        items = [item["id"] for item in self.items_of_demo()]
        return data.draw(st.sampled_from([*items, *items, MISSING]), "item")

    def sessions(self, *users: str, active: bool = False) -> list[dict[str, Any]]:
        found = [session for session in self.state.get("sessions", {}).values() if session["user"] in users]
        return [session for session in found if not active or session["state"] == "ACTIVE"]

    def items_of_demo(self) -> list[dict[str, Any]]:
        return [item for item in self.state.get("items", {}).values() if item["library_id"] == DEMO]

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
        item_id = target.get("library_item_id") or self.item_of(target["update_session_id"])
        # By an item, and for absent, it is about all of the user's sessions on the item.
        outcome = self.task(update_session, dict(**target, state=state, **steered), item_id, contents=state == "done")
        if outcome.failed:
            return
        if state == "absent":
            named = [
                session["id"] for session in self.sessions(ME) if not by_item or session["library_item_id"] == item_id
            ]
            assert not named if by_item else target["update_session_id"] not in named
        else:
            told = outcome.result["update_session"]
            assert self.state["sessions"][told["id"]]["state"] == REACHED[state]
            assert state != "active" or told["client_progress"] >= (client_progress or 0)

    @precondition(lambda self: self.sessions(ME, active=True))
    @rule(data=st.data(), warning_behavior=BEHAVIOR)
    def done_without_waiting(self, data, warning_behavior):
        """Whether it is DONE yet is a matter of time; so is what becomes of it."""
        session = data.draw(st.sampled_from(self.sessions(ME, active=True)), "session")
        options = dict(update_session_id=session["id"], state="done", warning_behavior=warning_behavior)
        outcome = self.run(update_session, {**options, "wait": False})
        if outcome.failed:
            self.check_failure(outcome)
        else:
            assert outcome.result["operations"][-1] == "complete"
            while self.look()["sessions"][session["id"]]["state"] == "ACTIVE":
                time.sleep(0.01)
        self.look()

    @rule(data=st.data(), message=st.sampled_from(["Given up", "Größe\n" * 500, " "]))
    def update_session_fail(self, data, message):
        session_id = self.a_session(data)
        options = dict(update_session_id=session_id, client_error_message=message)
        outcome = self.task(update_session_fail, options, self.item_of(session_id))
        if not outcome.failed:
            assert self.state["sessions"][session_id]["state"] == "ERROR"
            assert outcome.result["update_session"]["error_message"]["default_message"]

    @rule(data=st.data(), name=FILES, content=CONTENT, pulled=st.sampled_from([False, False, True]))
    def file_present(self, data, name, content, pulled):
        session_id = self.a_session(data)
        source = dict(url=self.a_url(data)) if pulled else dict(src=self.source(name, content))
        options = dict(update_session_id=session_id, name=name, **source)
        outcome = self.task(update_session_file, options, self.item_of(session_id))
        if not outcome.failed:
            session = self.state["sessions"][session_id]
            there = session["files"].get(name) or self.state["items"][session["library_item_id"]]["files"][name]
            assert there.get("status", "READY") == outcome.result["file"]["status"] == "READY"

    @rule(data=st.data(), name=FILES)
    def file_absent(self, data, name):
        session_id = self.a_session(data)
        options = dict(update_session_id=session_id, name=name, state="absent")
        outcome = self.task(update_session_file, options, self.item_of(session_id))
        if not outcome.failed:
            session = self.state["sessions"][session_id]
            assert name not in session["files"]
            assert name in session["removed"] or name not in self.state["items"][session["library_item_id"]]["files"]

    def item_of(self, session_id: str) -> str | None:
        return self.state["sessions"].get(session_id, {}).get("library_item_id")

    def a_url(self, data: Any) -> str:
        return data.draw(st.sampled_from(self.urls), "url")

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
        session_id = self.a_session(data) if by == "session" else None
        item_id = self.an_item(data) if by == "item" else None
        options = dict(update_session_id=session_id, library_item_id=item_id, states=states)
        outcome = self.task(update_session_info, {**options, "gather_files": True, "validate": validate}, None)
        told = {session["id"]: session for session in outcome.result["update_sessions"]}
        assert list(told) == sorted(
            session["id"]
            for session in self.sessions(ME)
            if session_id in (None, session["id"])
            and item_id in (None, session["library_item_id"])
            and (not states or session["state"] in states)
        )
        for session in told.values():
            self.check_session(session)
            pushed = self.state["sessions"][session["id"]]["files"]
            assert pushed.keys() <= {file["name"] for file in session["files"]}
            assert not validate or session["state"] == "ACTIVE" or session["validation"] is None

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
        name = "mirrored" if library == MIRROR else name
        options = dict(library_id=library, name=name, state=state, type=kind, description=description)
        files: dict[str, bytes] = {}
        if state == "present" and content == "src":
            files = data.draw(st.dictionaries(FILES, CONTENT, min_size=1, max_size=2), "src")
            options["src"] = [self.source(name, content) for name, content in files.items()]
        elif state == "present" and content == "url":
            options["url"] = self.a_url(data)
        named = [
            item["id"] for item in self.state["items"].values() if (item["library_id"], item["name"]) == (library, name)
        ]
        options.update(warning_behavior=warning_behavior, **flags)
        before = self.state
        outcome = self.task(library_item, options, named[0] if len(named) == 1 else None, contents=True)
        opened = self.state["sessions"].keys() - before["sessions"].keys()
        assert "ACTIVE" not in [self.state["sessions"][key]["state"] for key in opened]
        if outcome.failed:
            assert still(self.state)["items"] == still(before)["items"], "a failure leaves every item as it was"
            return
        told = outcome.result["library_item"]
        if state == "absent":
            assert told is None
            assert not set(named) & self.state["items"].keys()
            return
        item = self.state["items"][told["id"]]
        assert (told["name"], item["name"], item["library_id"]) == (name, name, library)
        assert description in (None, item["description"])
        has = {name: file["sha256"] for name, file in item["files"].items()}
        # Without the server's checksums, what has the same size counts as the same.
        assert files.keys() <= has.keys()
        assert not (files and flags["purge"]) or files.keys() == has.keys()
        for row in outcome.result["files"]:
            if row["checksum_verified"] and row["name"] in files:
                assert has[row["name"]] == hashlib.sha256(files[row["name"]]).hexdigest()

    @rule(library=st.sampled_from([DEMO, MIRROR, MISSING]), name=st.none() | NAMES)
    def library_item_info(self, library, name):
        outcome = self.task(library_item_info, dict(library_id=library, name=name, gather_files=True), None)
        told = outcome.result["library_items"]
        there = [item for item in self.state["items"].values() if item["library_id"] == library]
        there = [item for item in there if name in (None, item["name"])]
        assert [item["id"] for item in told] == [
            item["id"] for item in sorted(there, key=lambda item: (item["name"], item["id"]))
        ]
        for item in told:
            sizes = {name: file["size"] for name, file in self.state["items"][item["id"]]["files"].items()}
            assert {file["name"]: file["size"] for file in item["files"]} == sizes

    # What happens on the server

    def event(self) -> None:
        TALLY["events"] += 1

    def free_items(self) -> list[str]:
        held = {session["library_item_id"] for session in self.sessions(ME, OTHER, active=True)}
        return [item["id"] for item in self.items_of_demo() if item["id"] not in held]

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
        self.simulator.add_sessions(
            library_item_id=data.draw(st.sampled_from(self.free_items()), "item"),
            user=user,
            client_progress=progress,
            warning_behavior=behavior or None,
            preview_warnings=raised,
            lifetime=lifetime,
            expires_in=SOON if soon else lifetime,
        )
        self.look()

    @precondition(lambda self: self.sessions(ME, OTHER, active=True))
    @rule(data=st.data(), state=st.sampled_from(["ERROR", "CANCELED"]))
    def session_ended(self, data, state):
        """By the server, or by somebody in the vSphere Client."""
        self.event()
        session = data.draw(st.sampled_from(self.sessions(ME, OTHER, active=True)), "session")
        error = {"error_message": "The server gave up"} if state == "ERROR" else {}
        self.simulator.change_session(session["id"], state=state, **error)
        self.look()

    @precondition(lambda self: self.sessions(ME, OTHER))
    @rule(data=st.data())
    def session_expired(self, data):
        self.event()
        self.simulator.delete_session(data.draw(st.sampled_from(self.sessions(ME, OTHER)), "session")["id"])
        self.look()

    @precondition(lambda self: self.sessions(ME, active=True))
    @rule(data=st.data(), raised=RAISED)
    def session_warned(self, data, raised):
        self.event()
        session = data.draw(st.sampled_from(self.sessions(ME, active=True)), "session")
        self.simulator.change_session(session["id"], preview_warnings=raised)

    @rule(raised=RAISED)
    def server_warns(self, raised):
        """Of whatever is published from now on."""
        self.event()
        self.simulator.config(raise_warnings=raised)

    @precondition(lambda self: self.sessions(ME, active=True))
    @rule(data=st.data(), name=FILES)
    def file_announced(self, data, name):
        """And never sent."""
        self.event()
        session = data.draw(st.sampled_from(self.sessions(ME, active=True)), "session")
        path = f"content/library/item/update-session/{session['id']}/file"
        self.by_operator("POST", path, name=name, source_type="PUSH")
        self.look()

    @rule(name=NAMES, content=CONTENT, kind=st.sampled_from(["", "iso"]))
    def item_made(self, name, content, kind):
        """It may have the name of another one."""
        self.event()
        self.simulator.add_item(name, type=kind, files={"a.iso": content.decode()})
        self.look()

    @precondition(lambda self: self.items_of_demo())
    @rule(data=st.data())
    def item_deleted(self, data):
        self.event()
        item = data.draw(st.sampled_from(self.items_of_demo()), "item")
        self.by_operator("DELETE", f"content/library/item/{item['id']}")
        self.look()

    @precondition(lambda self: self.items_of_demo())
    @rule(data=st.data(), description=st.sampled_from(["", "Somebody's"]))
    def item_described(self, data, description):
        self.event()
        item = data.draw(st.sampled_from(self.items_of_demo()), "item")
        self.by_operator("PATCH", f"content/library/item/{item['id']}", description=description)
        self.look()

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

    def task(self, module: ModuleType, options: dict[str, Any], item_id: str | None, contents: bool = False) -> Outcome:
        """Run a task in check mode, for real and again. Returns what the last of them told.

        item_id is the item that the task is about, if it is there; contents: whether the task may change it.
        """
        TALLY["tasks"] += 1
        options = {name: value for name, value in options.items() if value is not None}
        before = self.look()
        self.simulator.clear_requests()
        checked = self.run(module, options, check_mode=True)
        written = in_process.writes(entry["operation"] for entry in self.simulator.requests())
        assert set(written) <= {"session.create", "session.delete"}, f"in check mode: {written}"
        assert still(before) == still(self.look()), "check mode changed something"
        self.check_outcome(checked)

        with self.dying_token():
            outcome = self.run(module, options)
        after = self.look()
        self.check_outcome(outcome)
        self.check_others(before, after, item_id, contents)
        if outcome.failed:
            return outcome
        assert not checked.failed, checked.result
        for key in ("changed", "operations"):
            assert checked.result[key] == outcome.result[key]
        states = [(run.result.get("update_session") or {}).get("state") for run in (checked, outcome)]
        assert states[0] == states[1]

        again = self.run(module, options)
        final = self.look()
        self.check_outcome(again)
        forced = options.get("force") and ("src" in options or "url" in options)
        hopeless = options.get("min_lifetime") and outcome.warnings
        if not (forced or hopeless):
            assert not again.failed, again.result
            assert again.result["operations"] == []
            assert still(final) == still(after), "the second run changed something"
        return again

    def run(self, module: ModuleType, options: dict[str, Any], check_mode: bool = False) -> Outcome:
        TALLY["runs"] += 1
        simulator = self.simulator
        identity = dict(username=simulator.username, password=simulator.password)
        if self.given:
            identity = dict(session_id=self.given)
        connection = dict(hostname=simulator.host, port=simulator.port, ca_path=simulator.ca_path, **identity)
        settings = dict(api_endpoint=self.dialect, request_timeout=REQUEST_TIMEOUT)
        return in_process.run(module, {**connection, **settings, **options}, check_mode)

    def check_outcome(self, outcome: Outcome) -> None:
        """What a result has, whatever became of the task."""
        result = outcome.result
        if outcome.failed:
            self.check_failure(outcome)
            return
        assert result["changed"] == bool(result["operations"])
        if "diff" in result and not result["changed"]:
            assert result["diff"]["before"] == result["diff"]["after"]
        session = result.get("update_session")
        if session:
            assert session["id"] is None or session["id"] in self.state["sessions"]
            check_shape(session)

    def check_failure(self, outcome: Outcome) -> None:
        result = outcome.result
        assert "exception" not in result, result["exception"]
        assert result["error_type"] in ERROR_TYPES
        assert result["msg"]
        if result.get("update_session"):
            check_shape(result["update_session"])

    def check_session(self, session: dict[str, Any]) -> None:
        """The facts of a session that nobody has touched since are the server's."""
        check_shape(session)
        check_mirrors(session, self.state["sessions"][session["id"]])

    def check_others(self, before: State, after: State, item_id: str | None, contents: bool) -> None:
        """Nothing that the task is not about has changed; with a session, what is on its item and the user's."""
        old, new = still(before), still(after)
        assert old["libraries"] == new["libraries"]
        for key, item in old["items"].items():
            if key != item_id or not contents:
                assert new["items"].get(key) == item, "another item was touched"
        for key, session in old["sessions"].items():
            gone_with_it = session["library_item_id"] not in new["items"]
            own = session["user"] == ME and session["library_item_id"] == item_id
            if not (own or (gone_with_it and session["library_item_id"] == item_id)):
                assert new["sessions"].get(key) == session, "another session was touched"
        for key in new["sessions"].keys() - old["sessions"].keys():
            assert new["sessions"][key]["user"] == ME

    @invariant()
    def no_token_is_left(self):
        """Apart from the one that tasks are given."""
        tokens = [token["sha256"] for token in self.simulator.state()["tokens"]]
        assert tokens == ([hashlib.sha256(self.given.encode()).hexdigest()] if self.given else [])
