# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InternalServerError,
    InvalidArgument,
    NotFound,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import Libraries
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Services
from ansible_collections.vsphere.content_library.tests.unit.plugins.library_wire import (
    LIBRARY,
    library,
)
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import HOST, Answer, Refusal, reset

NOT_FOUND = Refusal("NOT_FOUND", 404, ("There is no such thing.",))
FAILED = Refusal("INTERNAL_SERVER_ERROR", 500, ("Out of order.",))
OTHER = "another-item"


@pytest.fixture
def libraries(server):
    return Libraries(server.client())


def test_a_library_by_its_exact_name(server, libraries):
    server.expect("find_library", ["other", LIBRARY], {"name": "demo"})
    server.expect("get_library", library(), id=LIBRARY)
    server.expect("get_library", library(name="Demo"), id="other")
    assert libraries.find("demo") == LIBRARY


@pytest.mark.parametrize("ids", [[], ["other"]])
def test_no_library_of_that_name(server, libraries, ids):
    server.expect("find_library", ids, {"name": "demo"})
    for library_id in ids:
        server.expect("get_library", library(name="Demo"), id=library_id)
    assert libraries.find("demo") is None


def test_several_libraries_of_that_name(server, libraries):
    server.expect("find_library", ["b", "a"], {"name": "demo"})
    server.expect("get_library", library(), id="a")
    server.expect("get_library", library(), id="b")
    with pytest.raises(InvalidArgument, match="2 libraries have the name demo: a, b; name one by library_id"):
        libraries.find("demo")


def test_a_library_that_is_missing(server, libraries):
    server.expect("get_library", NOT_FOUND, id=LIBRARY)
    with pytest.raises(NotFound, match=f"library {LIBRARY} on {HOST}"):
        libraries.get(LIBRARY)


@pytest.mark.parametrize("model", [{}, {"name": "demo"}, {"name": [], "type": "LOCAL"}, {"name": "demo", "type": 3}])
def test_an_answer_that_is_no_library(server, libraries, model):
    server.expect("get_library", model, id=LIBRARY)
    with pytest.raises(InternalServerError, match="can't be read"):
        libraries.get(LIBRARY)


# Several libraries


@pytest.mark.parametrize("wanted", [{"name": "demo"}, {"type": "LOCAL"}, {"name": "demo", "type": "LOCAL"}], ids=str)
def test_libraries_of_a_name_and_a_type(server, libraries, wanted):
    server.expect("find_library", ["c", "b", "a", "vanished"], wanted)
    with server.wire.any_order():
        server.expect("get_library", library(id=None), id="c")
        server.expect("get_library", library(id=None), id="b")
        server.expect("get_library", library(name="Demo", id=None), id="a")
        server.expect("get_library", NOT_FOUND, id="vanished")
    found = [found["id"] for found in libraries.list_libraries(**wanted)]
    assert found == (["b", "c"] if "name" in wanted else ["a", "b", "c"])


def test_all_libraries(server, libraries):
    server.expect("list_libraries", [LIBRARY])
    server.expect("get_library", library(), id=LIBRARY)
    (found,) = libraries.list_libraries()
    assert (found["id"], found["publish_info"], found["storage_backings"]) == (LIBRARY, None, [])


# Create, update, delete

WANTED = {"name": "demo", "storage_backings": [{"type": "DATASTORE", "datastore_id": "datastore-11"}]}


@pytest.fixture(params=["local", "subscribed"])
def kind(request):
    return request.param


@pytest.fixture
def service(server, kind):
    """The service of the type, and its name in the script."""
    return getattr(Services(server.client()), f"{kind}_libraries")


def test_create(server, service, kind):
    server.expect(f"create_{kind}", LIBRARY, WANTED)
    assert service.create(WANTED) == LIBRARY


@pytest.mark.parametrize("lost", [reset(), FAILED])
def test_create_with_a_lost_answer_takes_the_library_of_that_name(server, service, kind, lost):
    """A second create could make a twin, as names repeat."""
    server.expect(f"create_{kind}", lost, WANTED)
    server.expect("find_library", [LIBRARY], {"name": "demo"})
    server.expect("get_library", library(), id=LIBRARY)
    assert service.create(WANTED) == LIBRARY


def test_create_that_did_not_arrive_is_sent_again(server, service, kind):
    server.expect(f"create_{kind}", reset(), WANTED)
    server.expect("find_library", [], {"name": "demo"})
    server.expect(f"create_{kind}", LIBRARY, WANTED)
    assert service.create(WANTED) == LIBRARY


BEFORE = library(version="3", description="old", publish_info={"authentication_method": "BASIC", "published": True})
CHANGE = {"description": "new", "publish_info": {"password": "new", "current_password": "old", "published": False}}


def test_update(server, service, kind):
    server.expect(f"update_{kind}", None, CHANGE, id=LIBRARY)
    service.update(BEFORE, CHANGE)


@pytest.mark.parametrize(
    ("seen", "done"),
    [
        (library(version="4", description="new", publish_info={"published": False}), True),
        (library(version="4", description="new", publish_info=None), True),
        (library(version="4", description="of another", publish_info={"published": False}), False),
        (library(version="3", description="new", publish_info={"published": False}), False),
    ],
)
def test_update_with_a_lost_answer(server, service, kind, seen, done):
    """Done is what the server tells as asked for, in another version: a new password is not sent as the old one."""
    server.expect(f"update_{kind}", reset(), CHANGE, id=LIBRARY)
    server.expect("get_library", seen, id=LIBRARY)
    if not done:
        server.expect(f"update_{kind}", None, CHANGE, id=LIBRARY)
    service.update(BEFORE, CHANGE)


@pytest.mark.parametrize("answer", [None, NOT_FOUND])
def test_delete(server, service, kind, answer):
    server.expect(f"delete_{kind}", answer, id=LIBRARY)
    service.delete(LIBRARY)


@pytest.mark.parametrize("answer", [None, NOT_FOUND])
def test_delete_by_force(server, service, kind, answer):
    server.expect(f"force_delete_{kind}", answer, id=LIBRARY)
    service.force_delete(LIBRARY)


@pytest.mark.parametrize("answer", [Answer(404, b"404 page not found"), Refusal("OPERATION_NOT_FOUND", 404, ("?",))])
def test_a_server_without_delete_by_force_is_told(server, service, kind, answer):
    server.expect(f"force_delete_{kind}", answer, id=LIBRARY)
    if isinstance(answer, Answer):  # which does not prove that there is an API at all
        server.expect("list", [])
    with pytest.raises(VapiError, match=f"{HOST} can't delete a library by force: .* 9.1") as caught:
        service.force_delete(LIBRARY)
    assert caught.value.error_type == "OPERATION_NOT_FOUND"
    assert caught.value.operation == f"{kind}_library.force_delete"


def test_another_failure_of_a_delete_by_force(server, service, kind):
    server.expect(f"force_delete_{kind}", Refusal("UNAUTHORIZED", 403, ("No.",)), id=LIBRARY)
    with pytest.raises(VapiError) as caught:
        service.force_delete(LIBRARY)
    assert caught.value.error_type == "UNAUTHORIZED"


# Subscriptions

SUBSCRIPTION = {"subscription_url": "https://vcenter.example.com/lib.json", "authentication_method": "NONE"}


def test_probe(server):
    answer = {"status": "CERTIFICATE_ERROR", "ssl_thumbprint": "AA:BB", "error_messages": [{"default_message": "No."}]}
    server.expect("probe_subscribed", answer, {"subscription_info": SUBSCRIPTION})
    probe = Services(server.client()).subscribed_libraries.probe(SUBSCRIPTION)
    assert (probe["status"], probe["ssl_thumbprint"]) == ("CERTIFICATE_ERROR", "AA:BB")
    assert probe["error_messages"][0]["default_message"] == "No."


def test_probe_on_a_server_that_does_not_say(server):
    server.expect("probe_subscribed", Answer(200), {"subscription_info": SUBSCRIPTION})
    assert Services(server.client()).subscribed_libraries.probe(SUBSCRIPTION) is None


def test_a_server_that_leaves_another_answer_empty_has_failed(server, libraries):
    server.expect("get_library", Answer(200), id=LIBRARY, polled=True)
    libraries = Libraries(server.client(request_timeout=20))
    with pytest.raises(InternalServerError, match="can't be read"):
        libraries.get(LIBRARY)


def test_what_begins_in_the_background(server):
    services = Services(server.client())
    server.expect("sync_subscribed", None, id=LIBRARY)
    server.expect("evict_subscribed", None, id=LIBRARY)
    server.expect("sync_item", None, {"force_sync_content": True}, id="item")
    server.expect("evict_item", None, id="item")
    services.subscribed_libraries.sync(LIBRARY)
    services.subscribed_libraries.evict(LIBRARY)
    services.subscribed_items.sync("item", True)
    services.subscribed_items.evict("item")


def test_datastores_of_a_name(server):
    query = "?names=nfs%2001" if server.dialect == "api" else "?filter.names=nfs%2001"
    found = [{"datastore": f"datastore-{number}", "name": "nfs 01", "type": "NFS"} for number in (2, 1)]
    server.expect("datastores", found, query=query)
    named = Services(server.client()).datastores.named("nfs 01")
    assert [datastore["datastore"] for datastore in named] == ["datastore-1", "datastore-2"]
