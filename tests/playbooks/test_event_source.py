# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source: what it tells of update sessions, its options, its place, its secrets."""

from __future__ import annotations

import base64
import json
import logging
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.vsphere.content_library.plugins.module_utils import _argspec
from ansible_collections.vsphere.content_library.plugins.module_utils._update_sessions import UpdateSessions
from tests.control import Control
from tests.playbooks.event_source import (
    AT_ONCE,
    GUIDE,
    ITEM,
    MODULE,
    PATH,
    ROOT,
    TIME_LIMIT,
    Event,
    Source,
    assert_no_secret,
    client_of,
    fault,
    operations,
)
from tests.simulator.process import SimulatorProcess


class TestLife:
    def test_from_created_to_gone(self, simulator, watch, dialect):
        source = watch(api_endpoint=dialect)
        assert source.types() == []
        [session] = simulator.add_sessions()
        assert source.types() == ["created"]
        simulator.change_session(session, client_progress=40)
        [event] = source.look()
        assert event["type"] == "progress"
        assert event["hostname"] == simulator.host
        assert event["update_session"]["id"] == session
        assert event["update_session"]["client_progress"] == 40

        warnings = ["SELF_SIGNED_CERTIFICATE", "EXPIRED_CERTIFICATE"]
        simulator.change_session(session, preview_warnings=warnings)
        events = source.look()
        assert [(event["type"], event["warning"]) for event in events] == [
            ("warning_raised", warning) for warning in warnings
        ]
        assert events[0]["update_session"]["blocking_warnings"] == warnings

        simulator.change_session(session, expires_in=30)
        assert source.types() == ["expiring_soon"]
        assert source.types() == []
        simulator.change_session(session, expires_in=300)  # as by a keep-alive
        assert source.types() == []
        simulator.change_session(session, expires_in=59)
        [event] = source.look()
        assert event["type"] == "expiring_soon"
        assert 0 < event["update_session"]["expires_in"] < 60

        simulator.change_session(session, state="DONE")
        assert source.types() == ["done"]
        simulator.delete_session(session)
        [event] = source.look()
        assert event["type"] == "gone"
        assert event["update_session"]["state"] == "DONE"
        assert source.types() == []
        assert source.delay == 10
        source.end()
        assert operations(simulator).count("session.create") == 1
        assert operations(simulator)[-1] == "session.delete"
        assert simulator.state()["tokens"] == []

    @pytest.mark.parametrize(("state", "told"), [("DONE", "done"), ("ERROR", "error"), ("CANCELED", "canceled")])
    def test_end(self, state, told, simulator, watch, dialect):
        [session] = simulator.add_sessions()
        source = watch(api_endpoint=dialect)
        source.look()
        simulator.change_session(session, state=state, error_message="Broken." if state == "ERROR" else None)
        [event] = source.look()
        assert (event["type"], event["update_session"]["state"]) == (told, state)
        if state == "ERROR":
            assert event["update_session"]["error_message"]["default_message"] == "Broken."
        simulator.clear_requests()
        assert source.types() == []
        assert operations(simulator) == ["update_session.list"]

    def test_end_between_two_looks(self, simulator, watch):
        source = watch()
        source.look()
        simulator.add_sessions(state="CANCELED")
        assert source.types() == ["created", "canceled"]

    def test_at_the_start(self, simulator, watch):
        [open_one] = simulator.add_sessions(client_progress=40, preview_warnings=["EXPIRED_CERTIFICATE"])
        for state in ("DONE", "ERROR", "CANCELED"):
            simulator.add_sessions(state=state)
        source = watch()
        events = source.look()
        assert [event["type"] for event in events] == ["created", "warning_raised"]
        assert events[0]["update_session"]["id"] == open_one
        assert source.types() == []

    def test_a_warning_that_is_ignored(self, simulator, watch):
        ignored = [{"type": "EXPIRED_CERTIFICATE", "ignored": True}]
        simulator.add_sessions(preview_warnings=["EXPIRED_CERTIFICATE"], warning_behavior=ignored)
        [event] = watch().look()
        assert event["update_session"]["blocking_warnings"] == []

    def test_never_expiring_soon(self, simulator, watch):
        simulator.add_sessions(expires_in=5)
        assert watch(expiring_within=0).types() == ["created"]

    def test_sessions_of_one_item(self, simulator, watch, dialect):
        item = simulator.add_item("watched")
        source = watch(api_endpoint=dialect, library_item_id=item)
        simulator.add_sessions()
        assert source.types() == []
        simulator.add_sessions(library_item_id=item)
        [event] = source.look()
        assert event["update_session"]["library_item_id"] == item

    def test_item_that_does_not_exist(self, simulator, watch, dialect):
        assert watch(api_endpoint=dialect, library_item_id=ITEM).types() == []

    def test_filters_may_change_events(self, simulator, watch):
        """ansible-rulebook hands an event to filters that change it in place."""
        [session] = simulator.add_sessions()
        source = watch()
        source.look()[0]["update_session"].clear()
        simulator.change_session(session, client_progress=1)
        assert source.types() == ["progress"]

    def test_facts_are_those_of_the_modules(self, simulator, watch, dialect):
        """All of them, however little the server tells; by its clock."""
        simulator.config(clock_offset=3600)
        simulator.add_sessions(
            client_progress=40,
            expires_in=3700,  # by our clock
            preview_warnings=["SELF_SIGNED_CERTIFICATE", "EXPIRED_CERTIFICATE"],
            warning_behavior=[{"type": "EXPIRED_CERTIFICATE", "ignored": True}],
        )
        [session] = simulator.add_sessions()
        with client_of(simulator, dialect) as client:
            source = watch(api_endpoint=dialect)
            source.look()
            simulator.change_session(session, state="ERROR", error_message={"id": "a", "default_message": "b"})
            source.look()
            told = {event["update_session"]["id"]: event["update_session"] for event in source.events}
            for returned in UpdateSessions(client).list_all_sessions():
                event = told[returned["id"]]
                assert abs(event.pop("expires_in") - returned.pop("expires_in")) < 30
                assert event == returned


class TestLogin:
    def test_dead_token(self, simulator, watch, dialect):
        source = watch(api_endpoint=dialect)
        source.look()
        simulator.expire_tokens()
        [session] = simulator.add_sessions()
        assert source.types() == ["created"]
        simulator.expire_tokens()
        simulator.change_session(session, client_progress=1)
        assert source.types() == ["progress"]
        source.end()
        assert operations(simulator).count("session.create") == 3
        assert simulator.state()["tokens"] == []

    def test_token_of_somebody_else(self, simulator, watch):
        with Control({"host": simulator.host, "port": simulator.port, "ca_path": simulator.ca_path}) as control:
            control.server["password"] = simulator.password
            token = control.log_in(simulator.username)
        simulator.clear_requests()
        simulator.add_sessions()
        source = watch(session_id=token, password="not-the-password")
        assert source.types() == ["created"]
        source.end()
        assert set(operations(simulator)) == {"update_session.list", "update_session.get"}
        assert len(simulator.state()["tokens"]) == 1

        source = watch(session_id=token)
        source.look()
        simulator.expire_tokens()
        with pytest.raises(Exception, match="UNAUTHENTICATED, HTTP 401") as raised:
            source.look()
        assert token not in str(raised.value)
        assert "session.create" not in operations(simulator)

    def test_wrong_password(self, simulator, watch, dialect):
        source = watch(api_endpoint=dialect, password="not-the-password")
        with pytest.raises(Exception, match=rf"HTTP 401\] \(as {simulator.username}\)") as raised:
            source.look()
        assert "not-the-password" not in str(raised.value)
        assert operations(simulator) == ["session.create"]

    @pytest.mark.parametrize("missing", ["disable_api", "disable_rest"])
    def test_auto(self, missing, simulator, watch):
        simulator.config(**{missing: True})
        simulator.add_sessions()
        assert watch().types() == ["created"]
        assert [entry["status"] for entry in simulator.requests()].count(404) == (missing == "disable_api")

    @pytest.mark.parametrize("options", [{}, {"api_endpoint": "api"}, {"api_endpoint": "rest"}, {"session_id": "a"}])
    def test_no_endpoint(self, options, simulator, watch):
        simulator.config(disable_api=True, disable_rest=True)
        with pytest.raises(Exception, match="there is no /"):
            watch(**options).look()


WRONG_OPTIONS = {
    "unknown options: hots": {"hots": "vcenter"},
    "hostname is missing": {"hostname": None},
    "credentials are missing": {"password": ""},
    "session_id is no API token": {"session_id": "se cret"},
    "port, or VMWARE_PORT, can't be read": {"port": "https"},
    "port 70000 is not between": {"port": 70000},
    "proxy_port 1 needs a proxy_host": {"proxy_port": 1},
    "validate_certs, or VMWARE_VALIDATE_CERTS, can't be read": {"validate_certs": "maybe"},
    "api_endpoint is none of auto, api, rest": {"api_endpoint": "soap"},
    "interval is not above 0": {"interval": 0, "expiring_within": 0},
    "interval can't be read": {"interval": "nan"},
    "request_timeout 0.5 is not at least 1": {"request_timeout": 0.5},
    "expiring_within is less than interval": {"interval": 120},
    "library_item_id must not be empty": {"library_item_id": ""},
    "library_id must not be empty": {"library_id": None},
    "watch must not be empty": {"watch": []},
    "watch is none of update_sessions, libraries, library_items": {"watch": ["libraries", "items"]},
    "must not carry credentials": {"hostname": "https://secret:secret@vcenter.example.com"},
    "only https, or http to loopback": {"hostname": "http://vcenter.example.com"},
    "is not a host": {"hostname": "https://vcenter.example.com/ui"},
    "ca_path /nowhere can't be loaded": {"ca_path": "/nowhere"},
    "it has no certificate in PEM format": {"ca_path": str(ROOT / "LICENSE")},
    "has no certificate that is named by its hash": {"ca_path": str(ROOT)},
    "proxy_host is not a host": {"proxy_host": "http://user:secret@proxy"},
}


class TestOptions:
    @pytest.mark.parametrize("message", WRONG_OPTIONS)
    def test_wrong(self, message, simulator, watch):
        source = watch(**WRONG_OPTIONS[message])
        with pytest.raises(Exception, match=re.escape(message)) as raised:
            source.look()
        assert type(raised.value).__name__ == "InvalidArgument"
        assert not re.search("se ?cret", str(raised.value))
        assert simulator.requests() == []

    def test_environment(self, simulator, no_foreign_variables, monkeypatch, caplog):
        for name, value in simulator.environment.items():
            monkeypatch.setenv(name, value)
        with Source() as source:
            source.look()
        monkeypatch.delenv("VMWARE_CA_PATH")
        monkeypatch.setenv("VMWARE_VALIDATE_CERTS", "False")  # as AWX does
        assert caplog.text == ""
        with Source() as source:
            source.look()
        assert "VMWARE_VALIDATE_CERTS turns the verification of certificates off" in caplog.text
        assert simulator.state()["tokens"] == []

    def test_options_win_over_the_environment(self, simulator, watch, monkeypatch):
        for name in simulator.environment:
            monkeypatch.setenv(name, "elsewhere")
        monkeypatch.setenv("VMWARE_PORT", "1")
        assert watch().types() == []

    def test_hashed_certificates(self, simulator, watch, tmp_path):
        if not shutil.which("openssl"):
            pytest.skip("no openssl that hashes a folder of certificates")
        shutil.copy(simulator.ca_path, tmp_path)
        subprocess.run(["openssl", "rehash", tmp_path], check=True)
        assert watch(ca_path=str(tmp_path)).types() == []

    def test_are_documented(self):
        documented = yaml.safe_load(MODULE["DOCUMENTATION"])["options"]
        assert documented.keys() == MODULE["OPTIONS"].keys()
        for name, (option, variable) in MODULE["OPTIONS"].items():
            told = {key: documented[name].get(key) for key in ("type", "default", "choices", "required")}
            assert told == {key: option.get(key) for key in told}, name
            variables = re.findall(r"E\((VMWARE_\w+)\)", str(documented[name]["description"]))
            assert variables == ([variable] if variable else []), name

    def test_are_those_of_the_modules(self):
        assert _argspec.CONNECTION.keys() < MODULE["OPTIONS"].keys()

    def test_examples_have_them(self):
        for example in yaml.safe_load(MODULE["EXAMPLES"]):
            args = example["vsphere.content_library.update_sessions"] or {}
            assert args.keys() <= MODULE["OPTIONS"].keys()


class TestGuide:
    def test_samples(self, simulator, watch):
        """Each sample of the guide is what the source tells, but for ids and times."""
        samples = {name: json.loads(example.text) for name, example in GUIDE.items() if example.language == "json"}
        samples = {name: sample for name, sample in samples.items() if "update_session" in sample}
        message = samples["error"]["update_session"]["error_message"]["default_message"]
        source = watch()
        source.look()
        [session] = simulator.add_sessions()
        for change in (
            {},
            {"client_progress": 40},
            {"preview_warnings": ["EXPIRED_CERTIFICATE"]},
            {"expires_in": 51},
            {"state": "ERROR", "error_message": message},
        ):
            simulator.change_session(session, **change)
            source.look()
        simulator.delete_session(session)
        simulator.add_sessions(client_progress=100, state="DONE")
        simulator.add_sessions(state="CANCELED")
        source.look()
        events: dict[str, Event] = {}
        for event in source.events:
            events.setdefault(event["type"], event)
        assert samples.keys() == events.keys()
        assert samples["created"].keys() == events["created"].keys()
        for name, sample in samples.items():
            event, told = events[name], sample.pop("update_session")
            assert sample.items() <= {**event, "hostname": "vcenter.example.com"}.items()
            if name == "created":
                assert told.keys() == event["update_session"].keys()
            for key, value in told.items():
                seen = event["update_session"][key]
                if key == "error_message" and value:
                    assert value.items() <= seen.items()
                elif key == "expires_in":
                    assert value - TIME_LIMIT < seen <= value + 1
                elif key not in ("id", "library_item_id", "expiration_time"):
                    assert seen == value, (name, key)

    def test_options(self):
        """Those that the modules do not have are in the guide, with their defaults."""
        page = (ROOT / "docs/docsite/rst/events.rst").read_text(encoding="utf-8")
        for name, (option, variable) in MODULE["OPTIONS"].items():
            if not variable:
                default = option.get("default", "")
                default = f"{default:g}" if isinstance(default, int) else ", ".join(default)
                assert f"* - ``{name}``\n      - {default}".rstrip() in page


ALONE = """
import asyncio, builtins, json, runpy, sys

class NoAnsible:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("ansible", "yaml"):
            raise ModuleNotFoundError(name)

class Queue:
    async def put(self, event):
        print(json.dumps([event["type"], sys.modules[CLIENT].__file__]), flush=True)
        raise SystemExit

CLIENT = "ansible_collections.vsphere.content_library.plugins.module_utils._client"
sys.meta_path.insert(0, NoAnsible())
path, others, args = json.load(sys.stdin)
sys.path[:0] = others
asyncio.run(runpy.run_path(path)["main"](Queue(), args))
"""


class TestPlace:
    """ansible-rulebook runs the file by its path, in a Python that need not have ansible-core."""

    @pytest.fixture
    def collection(self, tmp_path: Path, no_foreign_variables: None) -> Path:
        """The collection as it is installed."""
        return self.copy(tmp_path / "installed")

    def copy(self, folder: Path) -> Path:
        collection = folder / "ansible_collections/vsphere/content_library"
        for name in ("extensions", "plugins/module_utils", "plugins/plugin_utils"):
            shutil.copytree(ROOT / name, collection / name, ignore=shutil.ignore_patterns("__pycache__"))
        return collection

    def run(self, simulator: SimulatorProcess, path: Path, *others: Path) -> tuple[str, Path]:
        """The type of the first event, and where the client came from."""
        simulator.add_sessions()
        args = {name: getattr(simulator, name) for name in ("port", "username", "password", "ca_path")}
        process = subprocess.run(
            [sys.executable, "-I", "-c", ALONE],
            input=json.dumps([str(path), [str(other) for other in others], {"hostname": simulator.host, **args}]),
            capture_output=True,
            text=True,
            cwd=path.parent,
            timeout=TIME_LIMIT,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        assert simulator.state()["tokens"] == []
        told, client = json.loads(process.stdout)
        return told, Path(client)

    @pytest.mark.parametrize("place", ["installed", "linked", "linked alone", "another", "a package"])
    def test_it_finds_its_collection(self, place, simulator, collection, tmp_path):
        source, others = collection / PATH.relative_to(ROOT), []
        if place == "linked":
            (tmp_path / "link").symlink_to(collection)
            source = tmp_path / "link" / PATH.relative_to(ROOT)
        elif place == "linked alone":
            (tmp_path / "update_sessions.py").symlink_to(source)
            source = tmp_path / "update_sessions.py"
        elif place in ("another", "a package"):
            broken = self.copy(tmp_path / "another")
            (broken / "plugins/module_utils/_client.py").write_text("raise ImportError('that of another copy')\n")
            if place == "a package":
                (broken.parents[1] / "__init__.py").touch()
            others = [tmp_path / "another"]
        told, client = self.run(simulator, source, *others)
        assert told == "created"
        assert client == collection / "plugins/module_utils/_client.py"

    def test_a_copy_alone_takes_the_collection_that_python_finds(self, simulator, collection, tmp_path):
        shutil.copy(PATH, tmp_path)
        told, client = self.run(simulator, tmp_path / PATH.name, tmp_path / "installed")
        assert told == "created"
        assert client == collection / "plugins/module_utils/_client.py"


def test_vcsim(vcsim, no_foreign_variables):
    """It ignores library_item_id, answers null for an empty list, and writes a 404 as plain text."""
    item, other = (vcsim.create_item(vcsim.create_library(f"events-{name}"), name) for name in ("one", "two"))
    with Control({"host": vcsim.host, "port": vcsim.port, "ca_path": vcsim.ca_path}) as rest:
        basic = base64.b64encode(f"{vcsim.username}:{vcsim.password}".encode()).decode()
        path = "/rest/com/vmware/cis/session"
        headers = {"Authorization": f"Basic {basic}"}
        headers = {"vmware-api-session-id": rest.exchange("POST", path, headers=headers)["value"]}
        path = "/rest/com/vmware/content/library/item/update-session"
        connection = {name: getattr(vcsim, name) for name in ("port", "username", "password", "ca_path")}
        with Source(hostname=vcsim.host, library_item_id=item, **connection) as source:
            assert source.types() == []
            bodies = [{"create_spec": {"library_item_id": library_item_id}} for library_item_id in (other, item)]
            elsewhere, session = (rest.exchange("POST", path, body, headers)["value"] for body in bodies)
            [event] = source.look()
            assert (event["type"], event["update_session"]["library_item_id"]) == ("created", item)
            rest.exchange("DELETE", f"{path}/id:{session}", headers=headers)
            assert source.types() == ["gone"]
        rest.exchange("DELETE", f"{path}/id:{elsewhere}", headers=headers)
        with Source(hostname=vcsim.host, watch=["libraries", "library_items"], **connection) as source:
            assert source.types() == []
            new = vcsim.create_item(vcsim.create_library("events-new"), "new")
            assert source.types() == ["library_created", "item_added"]
            rest.exchange("DELETE", f"/rest/com/vmware/content/library/item/id:{new}", headers=headers)
            assert source.types() == ["item_removed"]


class TestSecrets:
    def test_nothing_shows(self, simulator, watch, caplog):
        caplog.set_level(logging.DEBUG)
        source = watch()
        [session] = simulator.add_sessions(preview_warnings=["EXPIRED_CERTIFICATE"])
        source.look()
        simulator.expire_tokens()
        simulator.faults([fault("update_session.list", AT_ONCE["500"])])
        source.look()
        simulator.faults([])
        simulator.change_session(session, state="ERROR")
        source.look()
        source.end()
        with pytest.raises(Exception, match="HTTP 401") as raised:
            watch(password="not-the-password").look()
        assert "looking again in" in caplog.text
        assert_no_secret(simulator, f"{caplog.text} {source.events} {raised.value!r}")

    @pytest.mark.parametrize(
        "password", ["a/secret", "a#secret", "a?secret", "a%secret", "/secret", "a@secret", "a[secret"]
    )
    @pytest.mark.parametrize("where", ["proxy_host", "environment"])
    def test_the_password_of_a_proxy(self, where, password, watch, caplog, monkeypatch):
        """Whatever is in it: nothing listens at that proxy, or its URL can't be read."""
        caplog.set_level(logging.DEBUG)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        options = {"proxy_host": f"somebody:{password}@127.0.0.1", "proxy_port": port}
        if where == "environment":
            monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:{password}@127.0.0.1:{port}")
            options = {}
        text = ""
        try:
            assert watch(hostname="192.0.2.1", ca_path=None, request_timeout=1, **options).look() == []
        except Exception as error:
            text = repr(error)
        text += caplog.text
        assert "the proxy of the environment" in text or "Connection refused" in text
        assert not re.search("secret|somebody", text)

    def test_what_a_server_says_is_no_command_to_a_terminal(self, simulator, watch, caplog):
        """Nor is it a secret that it was told."""
        basic = base64.b64encode(f"{simulator.username}:{simulator.password}".encode()).decode()
        source = watch()
        source.look()
        error = {"messages": [{"default_message": f"\x1b]0;owned\x07\u009b {basic} {simulator.password}"}]}
        simulator.faults([fault("update_session.list", {"kind": "status", "status": 500, "body": error})])
        source.look()
        simulator.faults([fault("update_session.list", {"kind": "status", "status": 400, "body": error})])
        with pytest.raises(Exception, match="HTTP 400") as raised:
            source.look()
        for text in (caplog.records[0].getMessage(), str(raised.value)):
            assert r"\x1b]0;owned\x07\x9b *** ***" in text
            assert text.isprintable()
