# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of update sessions on govmomi's simulator, an implementation of the API that knows nothing of ours.

It has them on /rest alone, completes asynchronously, and has neither progress nor warnings nor RESOURCE_BUSY; a message
given to fail is lost.
"""

from __future__ import annotations

import pytest
import requests

from tests.playbooks.plays import Server

# What they share is made once.
pytestmark = pytest.mark.xdist_group("vcsim")

SESSION = "vsphere.content_library.update_session"
CONTENT = b"an image" * 1000


@pytest.fixture
def item(vcsim):
    return vcsim.create_item(vcsim.create_library("sessions"), "image", "iso")


@pytest.fixture
def play(playbook, vcsim):
    server = Server(vcsim.host, vcsim.port, vcsim.username, vcsim.password, vcsim.ca_path)

    def run(*tasks):
        return playbook(list(tasks), {"vcsim": server}, way="module", diff=True).succeeded()

    return run


@pytest.fixture
def rest(vcsim):
    """Requests to vcsim in which none of the collection's code takes part."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = vcsim.ca_path

        def call(method, path, **keywords):
            answer = session.request(method, f"{vcsim.url}/rest/com/vmware/{path}", timeout=30, **keywords)
            answer.raise_for_status()
            return answer.json()["value"]

        token = call("POST", "cis/session", auth=(vcsim.username, vcsim.password))
        session.headers["vmware-api-session-id"] = token
        call.session = session
        yield call
        session.delete(f"{vcsim.url}/rest/com/vmware/cis/session", timeout=30)


def task(name, module, **args):
    return {"name": name, module: args}


def test_from_create_to_done(play, rest, vcsim, item):
    mine, args = {"update_session_id": "{{ created.update_session.id }}"}, {"library_item_id": item}
    elsewhere = vcsim.create_item(vcsim.create_library("elsewhere"), "other")
    run = play(
        task("elsewhere", SESSION, library_item_id=elsewhere),
        {**task("check", SESSION, **args), "check_mode": True},
        {**task("create", SESSION, **args), "register": "created"},
        task("adopt", SESSION, **args),
        task("info", f"{SESSION}_info", **args),
        task("enough", SESSION, **mine, min_lifetime=60),
        task("keep alive", SESSION, **mine, min_lifetime=86400),
    )
    created = run.task("create")["update_session"]
    assert run.task("check")["operations"] == run.task("create")["operations"] == ["create"]
    assert run.task("check")["update_session"]["id"] is None
    assert (created["state"], created["library_item_id"]) == ("ACTIVE", item)
    assert (run.task("adopt")["changed"], run.task("adopt")["update_session"]["id"]) == (False, created["id"])
    [seen] = run.task("info")["update_sessions"]
    assert (seen["id"], seen["blocking_warnings"], seen["warning_behavior"]) == (created["id"], [], [])
    assert seen["expires_in"] > 60
    assert run.task("enough")["operations"] == []
    assert run.task("keep alive")["operations"] == ["keep_alive"]
    [warning] = run.task("keep alive")["warnings"]
    assert "min_lifetime" in warning

    spec = {"file_spec": {"name": "image.iso", "source_type": "PUSH", "size": len(CONTENT)}}
    path = f"content/library/item/updatesession/file/id:{created['id']}?~action=add"
    endpoint = rest("POST", path, json=spec)["upload_endpoint"]["uri"]
    rest.session.put(endpoint, data=CONTENT, timeout=30).raise_for_status()

    mine = {"update_session_id": created["id"]}
    run = play(
        task("files", f"{SESSION}_info", **mine, gather_files=True),
        task("done", SESSION, **mine, state="done"),
        task("done already", SESSION, library_item_id=item, state="done"),
        task("delete", SESSION, **mine, state="absent"),
        task("deleted already", SESSION, library_item_id=item, state="absent"),
        task("gone", f"{SESSION}_info", **mine),
        task("elsewhere", SESSION, library_item_id=elsewhere, state="absent"),
    )
    [seen] = run.task("files")["update_sessions"]
    assert [file["name"] for file in seen["files"]] == ["image.iso"]
    assert "upload_endpoint" not in seen["files"][0]
    done = run.task("done")
    assert (done["operations"], done["update_session"]["state"]) == (["complete"], "DONE")
    assert (done["diff"]["before"]["state"], done["diff"]["after"]["state"]) == ("ACTIVE", "DONE")
    [file] = rest("GET", f"content/library/item/file?library_item_id={item}")
    assert (file["name"], file["size"]) == ("image.iso", len(CONTENT))
    assert run.task("done already")["operations"] == []
    assert run.task("delete")["operations"] == ["delete"]
    assert run.task("deleted already")["operations"] == []
    assert run.task("gone")["update_sessions"] == []
    assert run.task("elsewhere")["operations"] == ["cancel", "delete"]


@pytest.mark.costly
def test_from_create_to_error_and_canceled(play, rest, item):
    mine = {"update_session_id": "{{ created.update_session.id }}"}
    refused = {"ignore_errors": True}
    run = play(
        {**task("create", SESSION, library_item_id=item), "register": "created"},
        task("fail", f"{SESSION}_fail", **mine, client_error_message="The disk image is broken."),
        task("failed already", f"{SESSION}_fail", **mine, client_error_message="Again."),
        {**task("complete", SESSION, **mine, state="done"), **refused},
        task("delete", SESSION, **mine, state="absent"),
        {**task("missing", f"{SESSION}_fail", **mine, client_error_message="Again."), **refused},
        {**task("create again", SESSION, library_item_id=item), "register": "created"},
        task("cancel", SESSION, library_item_id=item, state="canceled"),
        task("canceled already", SESSION, **mine, state="canceled"),
        task("delete all", SESSION, library_item_id=item, state="absent"),
        {**task("api", f"{SESSION}_info", api_endpoint="api"), **refused},
    )
    failed = run.task("fail")
    assert (failed["operations"], failed["update_session"]["state"]) == (["fail"], "ERROR")
    assert run.task("failed already")["operations"] == []
    assert run.task("complete")["error_type"] == "NOT_ALLOWED_IN_CURRENT_STATE"
    assert run.task("complete")["update_session"]["state"] == "ERROR"
    assert run.task("delete")["operations"] == ["delete"]
    missing = run.task("missing")
    assert (missing["error_type"], missing["http_status"]) == ("NOT_FOUND", 404)
    assert run.task("cancel")["operations"] == ["cancel"]
    assert run.task("cancel")["update_session"]["state"] == "CANCELED"
    assert run.task("canceled already")["operations"] == []
    assert run.task("delete all")["operations"] == ["delete"]
    assert rest("GET", "content/library/item/update-session") in (None, []), "a session was left behind"
    # So it was /rest that all of the above has found by itself.
    assert run.task("api")["error_type"] == "OPERATION_NOT_FOUND"
