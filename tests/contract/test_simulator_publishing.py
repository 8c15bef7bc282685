# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulator publishes, as any web client sees it."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from tests.simulator.process import SimulatorProcess

pytest_plugins = ["tests.simulator.fixtures"]

ITEMS = [
    {"name": "tools", "type": "iso", "description": "of ours", "files": {"tools 1%.iso": "tools"}},
    {"name": "debian", "type": "ovf", "files": {"debian.ovf": "descriptor", "disk.vmdk": "disk"}},
    {"name": "notes"},
]


class Web:
    """GETs, with the credentials of a subscriber or without."""

    def __init__(self, process: SimulatorProcess, password: str | None = None, user: str = "vcsp") -> None:
        self.process = process
        self.headers = {}
        if password is not None:
            self.headers["Authorization"] = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"

    def get(self, url: str) -> tuple[int, bytes]:
        answer = self.process.session.get(url, headers=self.headers)
        return answer.status_code, answer.content

    def json(self, url: str) -> Any:
        status, body = self.get(url)
        assert status == 200
        return json.loads(body)


def test_documents(vcenter: SimulatorProcess) -> None:
    library = vcenter.publish("published", items=ITEMS)
    url = vcenter.library(library)["publish_url"]
    assert urlsplit(url).path == f"/cls/vcsp/lib/{library}/lib.json"
    web = Web(vcenter)
    described = web.json(url)
    assert (described["id"], described["name"], described["vcspVersion"]) == (f"urn:uuid:{library}", "published", "2")
    assert described["capabilities"] == {"transferIn": ["httpGet"], "transferOut": ["httpGet"]}
    listed = web.json(urljoin(url, described["itemsHref"]))["items"]
    assert [entry["name"] for entry in listed] == ["tools", "debian", "notes"]
    assert [entry["type"] for entry in listed] == ["vcsp.iso", "vcsp.ovf", "vcsp.other"]
    assert listed[0]["description"] == "of ours"
    for entry in listed:
        assert web.json(urljoin(url, entry["selfHref"])) == entry
    contents = {file["name"]: web.get(urljoin(url, file["hrefs"][0]))[1] for entry in listed for file in entry["files"]}
    assert contents == {"tools 1%.iso": b"tools", "debian.ovf": b"descriptor", "disk.vmdk": b"disk"}
    assert [file["size"] for entry in listed for file in entry["files"]] == [5, 10, 4]
    operations = {entry["operation"] for entry in vcenter.requests()}
    assert operations == {"published.library", "published.items", "published.item", "published.file"}


def test_versions(vcenter: SimulatorProcess) -> None:
    """The library's version grows with each change of its items, an item's with each change of itself."""
    library = vcenter.publish("published", items=ITEMS)
    url, web = vcenter.library(library)["publish_url"], Web(vcenter)
    [tools, other] = [item for item, state in vcenter.state()["items"].items() if state["library_id"] == library][:2]

    def seen() -> tuple[int, dict[str, dict[str, Any]]]:
        items = web.json(urljoin(url, "items.json"))["items"]
        return int(web.json(url)["version"]), {entry["id"].removeprefix("urn:uuid:"): entry for entry in items}

    before, items = seen()
    vcenter.change_item(tools, files={"tools 1%.iso": "changed"})
    after, changed = seen()
    assert after > before
    assert int(changed[tools]["version"]) > int(items[tools]["version"])
    assert changed[tools]["files"][0]["etag"] != items[tools]["files"][0]["etag"]
    assert changed[other] == items[other]
    vcenter.delete_item(other)
    assert seen()[0] > after
    assert seen()[1].keys() == items.keys() - {other}


def test_basic(vcenter: SimulatorProcess) -> None:
    library = vcenter.publish("guarded", password="s3cret", items=ITEMS)
    url = vcenter.library(library)["publish_url"]
    item = Web(vcenter, "s3cret").json(urljoin(url, "items.json"))["items"][0]
    paths = ["lib.json", "items.json", item["selfHref"], item["files"][0]["hrefs"][0]]
    for path in paths:
        assert Web(vcenter, "s3cret").get(urljoin(url, path))[0] == 200
        for web in (Web(vcenter), Web(vcenter, "wrong"), Web(vcenter, "s3cret", user="administrator")):
            assert web.get(urljoin(url, path))[0] == 401
    assert "s3cret" not in json.dumps(vcenter.requests())


@pytest.mark.parametrize("how", ["never", "no longer", "deleted", "unknown"])
def test_not_published(vcenter: SimulatorProcess, how: str) -> None:
    library = vcenter.add_library("private", items=ITEMS) if how == "never" else vcenter.publish("open", items=ITEMS)
    url = vcenter.library(library)["publish_url"]
    if how == "no longer":
        vcenter.change_library(library, publish_info={"authentication_method": "NONE", "published": False})
    elif how == "deleted":
        vcenter.delete_library(library)
    elif how == "unknown":
        url = url.replace(library, "00000000-0000-0000-0000-000000000000")
    assert Web(vcenter).get(url)[0] == 404
    assert Web(vcenter).get(urljoin(url, "items.json"))[0] == 404


def test_nothing_but_the_library(vcenter: SimulatorProcess) -> None:
    library = vcenter.publish("published", items=ITEMS)
    url = vcenter.library(library)["publish_url"]
    foreign = next(item for item, state in vcenter.state()["items"].items() if state["name"] == "debian-12")
    for path in ("x.json", f"{foreign}/item.json", f"{foreign}/debian-12.iso", "a/b/c"):
        assert Web(vcenter).get(urljoin(url, path))[0] == 404
    assert vcenter.session.post(url, json={}).status_code == 405
