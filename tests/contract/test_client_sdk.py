# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the client sends to /api is what the vendor's SDK sends for the same arguments.

The SDK leaves some characters as they are that the client quotes in a path (a colon, parentheses); a server reads the
same, so requests are compared as a server understands them.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import requests
from com.vmware.cis_client import Session
from com.vmware.content.library.item.downloadsession_client import File as DownloadSessionFile
from com.vmware.content.library.item.updatesession_client import File as UpdateSessionFile
from com.vmware.content.library.item.updatesession_client import WarningBehavior, WarningType
from com.vmware.content.library.item_client import (
    DownloadSession,
    DownloadSessionModel,
    File,
    Storage,
    TransferEndpoint,
    UpdateSession,
    UpdateSessionModel,
)
from com.vmware.content.library_client import (
    Item,
    ItemModel,
    OptimizationInfo,
    PublishInfo,
    StorageBacking,
    SubscribedItem,
    SubscriptionInfo,
)
from com.vmware.content_client import Library, LibraryModel, LocalLibrary, SubscribedLibrary
from com.vmware.vcenter_client import Datastore
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.security.session import create_session_security_context
from vmware.vapi.security.user_password import create_user_password_security_context
from vmware.vapi.stdlib.client.factories import StubConfigurationFactory

from ansible_collections.vsphere.content_library.plugins.module_utils._dialects import OPERATIONS
from tests.contract.client_cases import (
    BEHAVIOR,
    CASES,
    ITEM,
    LIBRARY,
    MESSAGE,
    NAME,
    PASSWORD,
    PUBLISH_INFO,
    PULL,
    PUSH,
    SESSION,
    SOURCE_ITEM,
    SUBSCRIPTION,
    TOKEN,
    USERNAME,
    Recorder,
    sent_by_client,
)


def behavior():
    return [WarningBehavior(type=WarningType(entry["type"]), ignored=entry["ignored"]) for entry in BEHAVIOR]


def push():
    checksum = PUSH["checksum_info"]
    return UpdateSessionFile.AddSpec(
        name=NAME,
        source_type=UpdateSessionFile.SourceType.PUSH,
        size=PUSH["size"],
        checksum_info=File.ChecksumInfo(
            algorithm=File.ChecksumAlgorithm(checksum["algorithm"]), checksum=checksum["checksum"]
        ),
    )


def pull():
    return UpdateSessionFile.AddSpec(
        name=NAME,
        source_type=UpdateSessionFile.SourceType.PULL,
        source_endpoint=TransferEndpoint(**PULL["source_endpoint"]),
    )


def backings():
    return [StorageBacking(type=StorageBacking.Type("DATASTORE"), datastore_id="datastore-11")]


def local():
    return LibraryModel(
        name=NAME,
        description=MESSAGE,
        storage_backings=backings(),
        optimization_info=OptimizationInfo(optimize_remote_publishing=True),
    )


def publication():
    method = PublishInfo.AuthenticationMethod(PUBLISH_INFO["authentication_method"])
    return PublishInfo(**{**PUBLISH_INFO, "authentication_method": method})


def subscription():
    method = SubscriptionInfo.AuthenticationMethod(SUBSCRIPTION["authentication_method"])
    return SubscriptionInfo(**{**SUBSCRIPTION, "authentication_method": method})


# By the names of the cases: the same call in the SDK's words.
SDK_CALLS = {
    "log in": lambda config: Session(config).create(),
    "log out": lambda config: Session(config).delete(),
    "list": lambda config: UpdateSession(config).list(),
    "list of item": lambda config: UpdateSession(config).list(ITEM),
    "get": lambda config: UpdateSession(config).get(SESSION),
    "create": lambda config: UpdateSession(config).create(UpdateSessionModel(library_item_id=ITEM)),
    "create with behavior": lambda config: UpdateSession(config).create(
        UpdateSessionModel(library_item_id=ITEM, warning_behavior=behavior())
    ),
    "update": lambda config: UpdateSession(config).update(SESSION, UpdateSessionModel(warning_behavior=behavior())),
    "keep alive": lambda config: UpdateSession(config).keep_alive(SESSION),
    "progress": lambda config: UpdateSession(config).keep_alive(SESSION, 40),
    "complete": lambda config: UpdateSession(config).complete(SESSION),
    "cancel": lambda config: UpdateSession(config).cancel(SESSION),
    "fail": lambda config: UpdateSession(config).fail(SESSION, MESSAGE),
    "delete": lambda config: UpdateSession(config).delete(SESSION),
    "files": lambda config: UpdateSessionFile(config).list(SESSION),
    "file": lambda config: UpdateSessionFile(config).get(SESSION, NAME),
    "push": lambda config: UpdateSessionFile(config).add(SESSION, push()),
    "pull": lambda config: UpdateSessionFile(config).add(SESSION, pull()),
    "remove": lambda config: UpdateSessionFile(config).remove(SESSION, NAME),
    "validate": lambda config: UpdateSessionFile(config).validate(SESSION),
    "create download": lambda config: DownloadSession(config).create(DownloadSessionModel(library_item_id=ITEM)),
    "download session": lambda config: DownloadSession(config).get(SESSION),
    "keep download alive": lambda config: DownloadSession(config).keep_alive(SESSION),
    "progress of download": lambda config: DownloadSession(config).keep_alive(SESSION, 40),
    "fail download": lambda config: DownloadSession(config).fail(SESSION, MESSAGE),
    "delete download": lambda config: DownloadSession(config).delete(SESSION),
    "prepare": lambda config: DownloadSessionFile(config).prepare(
        SESSION, NAME, DownloadSessionFile.EndpointType.HTTPS
    ),
    "prepared": lambda config: DownloadSessionFile(config).get(SESSION, NAME),
    "library": lambda config: Library(config).get(LIBRARY),
    "find library": lambda config: Library(config).find(Library.FindSpec(name=NAME)),
    "libraries": lambda config: Library(config).list(),
    "libraries of a type": lambda config: Library(config).find(
        Library.FindSpec(name=NAME, type=LibraryModel.LibraryType("SUBSCRIBED"))
    ),
    "create library": lambda config: LocalLibrary(config).create(local()),
    "update library": lambda config: LocalLibrary(config).update(
        LIBRARY, LibraryModel(name=NAME, publish_info=publication(), unset_security_policy_id=True)
    ),
    "delete library": lambda config: LocalLibrary(config).delete(LIBRARY),
    "force-delete library": lambda config: LocalLibrary(config).force_delete(LIBRARY),
    "subscribe": lambda config: SubscribedLibrary(config).create(
        LibraryModel(name=NAME, storage_backings=backings(), subscription_info=subscription())
    ),
    "update subscription": lambda config: SubscribedLibrary(config).update(
        LIBRARY, LibraryModel(subscription_info=subscription())
    ),
    "delete subscribed library": lambda config: SubscribedLibrary(config).delete(LIBRARY),
    "force-delete subscribed library": lambda config: SubscribedLibrary(config).force_delete(LIBRARY),
    "probe": lambda config: SubscribedLibrary(config).probe(subscription()),
    "sync library": lambda config: SubscribedLibrary(config).sync(LIBRARY),
    "evict library": lambda config: SubscribedLibrary(config).evict(LIBRARY),
    "sync item": lambda config: SubscribedItem(config).sync(ITEM, True),
    "evict item": lambda config: SubscribedItem(config).evict(ITEM),
    "datastores": lambda config: Datastore(config).list(Datastore.FilterSpec(names={NAME})),
    "items": lambda config: Item(config).list(LIBRARY),
    "find items": lambda config: Item(config).find(Item.FindSpec(library_id=LIBRARY, name=NAME)),
    "search items": lambda config: Item(config).find(Item.FindSpec(name=NAME, type="iso")),
    "storage": lambda config: Storage(config).list(ITEM),
    "item": lambda config: Item(config).get(ITEM),
    "create item": lambda config: Item(config).create(
        ItemModel(library_id=LIBRARY, name=NAME, type="iso", description=MESSAGE)
    ),
    "copy item": lambda config: Item(config).copy(
        SOURCE_ITEM, ItemModel(library_id=LIBRARY, name=NAME, description=MESSAGE)
    ),
    "update item": lambda config: Item(config).update(ITEM, ItemModel(name=NAME, description=MESSAGE)),
    "delete item": lambda config: Item(config).delete(ITEM),
    "files of item": lambda config: File(config).list(ITEM),
}


@pytest.fixture(scope="module")
def recorder():
    with Recorder() as recorder:
        yield recorder


def sent_by_sdk(recorder, case):
    """The one request that the SDK makes; its REST connector reads answers in the form of /rest."""
    recorder.answer(200, case.answer, wrapped=True)
    recorder.requests.clear()
    connector = get_requests_connector(requests.Session(), msg_protocol="rest", url=f"{recorder.url}/api")
    context = create_session_security_context(TOKEN)
    if case.operation == "session.create":
        context = create_user_password_security_context(USERNAME, PASSWORD)
    connector.set_security_context(context)
    SDK_CALLS[case.name](StubConfigurationFactory.new_std_configuration(connector))
    (request,) = recorder.requests
    return request


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_client_sends_what_the_sdk_sends(recorder, case):
    expected = sent_by_client(recorder, "api", case)
    if case.operation in ("item.list", "download_file.get"):
        # The SDK puts a query's value into the body of a GET. The OpenAPI of 7.0.3 and 8.0.2, and
        # test_client_openapi.py with it, want it in the query.
        ((name, value),) = expected.query
        expected = replace(expected, query=[(name, "")], body={name: value})
    if case.operation == "datastore.list":
        # Here too: the vendor's documentation has the filter in the query.
        assert expected.query == [("names", NAME)]
        expected = replace(expected, query=[], body={"filter": {"names": [NAME]}})
    assert sent_by_sdk(recorder, case) == expected


def test_every_operation_is_compared():
    assert {case.operation for case in CASES} == OPERATIONS.keys()
