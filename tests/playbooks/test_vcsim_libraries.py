# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries on govmomi's simulator, and what its client govc makes of them.

It has them on /rest alone, knows no datastore by its name, publishes and subscribes when a library is created only, and
answers a probe with nothing.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.playbooks.plays import Server
from tests.playbooks.vcsim import go_build

LIBRARY = "vsphere.content_library.library"
INFO = "vsphere.content_library.library_info"
SYNC = "vsphere.content_library.library_sync"


@pytest.fixture
def play(playbook, vcsim):
    server = Server(vcsim.host, vcsim.port, vcsim.username, vcsim.password, vcsim.ca_path)

    def run(*tasks):
        return playbook(list(tasks), {"vcsim": server}, way="in_process", diff=True).succeeded()

    return run


@pytest.fixture
def govc(vcsim):
    """Runs govc, and reads the JSON that it puts out."""
    command = go_build("./govc")
    environment = {
        **os.environ,
        "GOVC_URL": f"https://{vcsim.host}:{vcsim.port}/sdk",
        "GOVC_USERNAME": vcsim.username,
        "GOVC_PASSWORD": vcsim.password,
        "GOVC_TLS_CA_CERTS": vcsim.ca_path,
        "GOVC_PERSIST_SESSION": "false",
    }

    def run(subcommand, *arguments):
        done = subprocess.run(
            [command, subcommand, "-json", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def task(register, module, /, **args):
    return {"name": register, module: args, "register": register.replace(" ", "_")}


@pytest.fixture
def backing(vcsim):
    return {"datastore_id": vcsim.datastore}


def test_a_local_library(play, govc, backing):
    args = {"name": "images", "description": "Images for everybody", **backing}
    run = play(
        {**task("check", LIBRARY, **args), "check_mode": True},
        task("create", LIBRARY, **args),
        task("again", LIBRARY, **args),
        task("info", INFO, name="images", gather_usage_count=True),
        task("change", LIBRARY, name="images", description="Images"),
        task("rename", LIBRARY, library_id="{{ create.library.id }}", name="pictures"),
    )
    assert run.task("check")["operations"] == run.task("create")["operations"] == ["create_library"]
    assert run.task("again")["operations"] == []
    library_id = run.task("create")["library"]["id"]
    [library] = run.task("info")["libraries"]
    assert (library["id"], library["type"], library["item_count"]) == (library_id, "LOCAL", 0)
    assert run.task("change")["operations"] == run.task("rename")["operations"] == ["update_library"]
    [seen] = govc("library.info", "pictures")
    assert (seen["id"], seen["name"], seen["description"], seen["type"]) == (library_id, "pictures", "Images", "LOCAL")
    assert "pictures" in [library["name"] for library in govc("library.ls")]
    run = play(
        task("delete", LIBRARY, name="pictures", state="absent"), task("gone", LIBRARY, name="pictures", state="absent")
    )
    assert run.task("delete")["operations"] == ["delete_library"]
    assert run.task("gone")["operations"] == []
    assert "pictures" not in [library["name"] for library in govc("library.ls") or []]


@pytest.mark.parametrize("on_demand", [False, True])
@pytest.mark.costly
def test_published_and_subscribed(play, govc, vcsim, backing, on_demand):
    source, copy = f"source {on_demand}", f"copy {on_demand}"
    publication = {"published": True, "authentication_method": "none"}
    run = play(
        task("publish", LIBRARY, name=source, publication=publication, **backing),
        task("item", "vsphere.content_library.library_item", library_name=source, name="debian", type="iso"),
        task(
            "subscribe",
            LIBRARY,
            name=copy,
            type="subscribed",
            subscription={
                "subscription_url": "{{ publish.library.publish_info.publish_url }}",
                "on_demand": on_demand,
            },
            **backing,
        ),
        task("item 2", "vsphere.content_library.library_item", library_name=source, name="alpine", type="iso"),
        {**task("check", SYNC, library_name=copy), "check_mode": True},
        task("sync", SYNC, library_name=copy),
        task("sync item", SYNC, library_name=copy, name="alpine", force_content=True),
    )
    assert run.task("publish")["library"]["publish_info"]["published"] is True
    subscribed = run.task("subscribe")["library"]
    assert (subscribed["type"], subscribed["subscription_info"]["on_demand"]) == ("SUBSCRIBED", on_demand)
    assert run.task("check")["operations"] == run.task("sync")["operations"] == ["sync"]
    assert [f"{item['name']} {item['change']}" for item in run.task("sync")["library_items"]] == ["alpine added"]
    [seen] = govc("library.info", copy)
    assert (seen["id"], seen["type"]) == (subscribed["id"], "SUBSCRIBED")
    assert sorted(item["name"] for item in govc("library.ls", f"{copy}/*")) == ["alpine", "debian"]
    run = play(
        *([task("evict", SYNC, library_name=copy, state="evicted")] if on_demand else []),
        task("delete", LIBRARY, name=copy, state="absent"),
        task("delete source", LIBRARY, name=source, state="absent"),
    )
    assert run.task("delete")["operations"] == ["delete_library"]
    assert {source, copy}.isdisjoint(library["name"] for library in govc("library.ls") or [])
