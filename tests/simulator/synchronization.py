# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscribed libraries: what a probe finds, what a synchronization does, and when content is fetched."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from .endpoints import EndpointError, normalized, open_endpoint, peer_thumbprint
from .models import Blob, FileSource, Item, ItemFile, Library
from .publishing import ITEM_TYPES, URN

if TYPE_CHECKING:
    from .store import Store

BLOCK = 1 << 18
DOCUMENT_LIMIT = 64 << 20


@dataclass(frozen=True)
class Publication:
    """A published library: what its lib.json says."""

    id: str
    items_url: str


@dataclass(frozen=True)
class PublishedItem:
    id: str
    name: str
    type: str
    description: str
    files: tuple[FileSource, ...]


@dataclass(frozen=True)
class Subscription:
    """Where a subscribed library comes from, and how its publisher is trusted."""

    url: str
    thumbprint: str
    credentials: tuple[str, str] | None
    trusted: ssl.SSLContext
    algorithm: str
    timeout: float

    def open(self, url: str) -> http.client.HTTPResponse:
        if self.algorithm == "sha256" and 0 < len(normalized(self.thumbprint)) < 64:
            raise EndpointError("CERTIFICATE_ERROR", "the thumbprint is not one of SHA-256")
        return open_endpoint(url, self.trusted, self.thumbprint, self.credentials, self.timeout)

    def read(self, url: str) -> Any:
        with self.open(url) as response:
            try:
                return json.loads(response.read(DOCUMENT_LIMIT))
            except (OSError, ValueError, http.client.HTTPException) as error:
                raise EndpointError("UNKNOWN_ERROR", f"{url} could not be read: {error}") from error

    def read_publication(self) -> Publication:
        content = self.read(self.url)
        try:
            return Publication(content["id"].removeprefix(URN), urljoin(self.url, content["itemsHref"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise EndpointError("UNKNOWN_ERROR", f"{self.url} describes no library: {error!r}") from error

    def read_items(self) -> list[PublishedItem]:
        url = self.read_publication().items_url
        try:
            return [self.published_item(entry) for entry in self.read(url)["items"]]
        except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
            raise EndpointError("UNKNOWN_ERROR", f"{url} lists no items: {error!r}") from error

    def published_item(self, entry: dict[str, Any]) -> PublishedItem:
        files = tuple(
            FileSource(file["name"], urljoin(self.url, file["hrefs"][0]), int(file["size"]), str(file["etag"]))
            for file in entry["files"]
        )
        kind = ITEM_TYPES.get(entry["type"], entry["type"].removeprefix("vcsp."))
        return PublishedItem(entry["id"].removeprefix(URN), entry["name"], kind, entry.get("description", ""), files)

    def fetch_file(self, source: FileSource, blob: Blob) -> None:
        """The file's bytes to where ``blob`` has them; nothing is left there unless all have come."""
        try:
            with self.open(source.url) as response, blob.path.open("wb") as stream:
                while block := response.read(BLOCK):
                    stream.write(block)
                    blob.size += len(block)
            if response.length or blob.size != source.size:
                raise EndpointError("UNKNOWN_ERROR", f"{source.name} has {blob.size} bytes, not {source.size}")
        except (OSError, http.client.HTTPException) as error:
            blob.path.unlink(missing_ok=True)
            if isinstance(error, EndpointError):
                raise
            raise EndpointError("UNKNOWN_ERROR", f"{source.name} could not be fetched: {error}") from error


def subscription(store: Store, info: dict[str, Any]) -> Subscription:
    """How the publisher in a SubscriptionInfo is to be asked."""
    basic = info.get("authentication_method") == "BASIC"
    trusted = store.pull_context
    if store.config.trusted_ca:
        trusted = ssl.create_default_context(cafile=store.config.trusted_ca)
    return Subscription(
        url=info.get("subscription_url", ""),
        thumbprint=info.get("ssl_thumbprint", ""),
        credentials=(info.get("user_name", ""), info.get("password", "")) if basic else None,
        trusted=trusted,
        algorithm="sha256" if store.is_at_least("9.1") else "sha1",
        timeout=store.config.probe_timeout,
    )


async def probe(store: Store, info: dict[str, Any]) -> tuple[str, str | None, str | None]:
    """A probe's status, the publisher's thumbprint, and what is wrong."""
    asked = subscription(store, info)
    status, text = "SUCCESS", None
    try:
        await store.fetch(asked.read_publication)
    except EndpointError as error:
        status, text = error.status, str(error)
    thumbprint = None
    if status not in ("HOST_NOT_FOUND", "INVALID_URL", "TIMED_OUT"):
        thumbprint = await store.fetch(peer_thumbprint, asked.url, asked.algorithm, asked.timeout)
    return status, thumbprint, text


def start_sync(store: Store, library: Library) -> None:
    """Trigger a synchronization of the library, which has no effect while one is under way."""
    if not library.syncing:
        library.syncing = True
        library.last_sync = time.time()
        store.start(sync(store, library))


async def sync(store: Store, library: Library) -> None:
    try:
        await synchronize(store, library)
    finally:
        library.syncing = False


async def synchronize(store: Store, library: Library, only: Item | None = None, content: bool = False) -> None:
    """Bring the library, or one item of it, to what its publisher has; with ``content`` on demand too."""
    await asyncio.sleep(store.config.sync_delay)
    library.sync_error = None
    try:
        published = await store.fetch(subscription(store, library.subscription_info).read_items)
    except EndpointError as error:
        library.sync_error = f"{error.status}: {error}"
        return
    if not exists(store, library):
        return
    apply(store, library, published, only)
    if content or not library.on_demand:
        for item in store.library_items(library) if only is None else [only]:
            await cache_item(store, library, item)


async def cache_item(store: Store, library: Library, item: Item) -> None:
    for file in list(item.files.values()):
        try:
            await cache(store, library, item, file)
        except EndpointError as error:  # the file stays uncached, until the next synchronization
            library.sync_error = f"{error.status}: {error}"


def exists(store: Store, library: Library) -> bool:
    return store.libraries.get(library.id) is library and not library.deleted


def apply(store: Store, library: Library, published: list[PublishedItem], only: Item | None) -> None:
    """What is listed, and no content yet."""
    mine = {item.source_id or item.id: item for item in store.library_items(library)}
    for source in published:
        item = mine.pop(source.id, None)
        if only is None or item is only:
            update(store, library, item, source)
    for item in mine.values():
        if only is None or item is only:
            store.delete_item(item)


def update(store: Store, library: Library, item: Item | None, source: PublishedItem) -> None:
    is_new = item is None
    if item is None:
        item = store.add_item(library.id, source.name, source.type)
        item.source_id, item.description = source.id, source.description
    item.last_sync = time.time()
    if (item.name, item.type, item.description) != (source.name, source.type, source.description):
        item.name, item.type, item.description = source.name, source.type, source.description
        item.metadata_version += 1
        item.modified = time.time()
    wanted = {file.name: file for file in source.files}
    for name in wanted.keys() & item.files.keys():
        if is_same(item.files[name].source, wanted[name]):
            item.files[name].source = wanted[name]
    changed = {name for name, file in wanted.items() if name not in item.files or item.files[name].source != file}
    gone = item.files.keys() - wanted.keys()
    for name in changed | gone:
        previous = item.files.pop(name, None)
        if previous:
            previous.blob.path.unlink(missing_ok=True)
        if name in wanted:
            version = previous.version + 1 if previous else 1
            item.files[name] = ItemFile(name, store.new_blob(), version, cached=False, source=wanted[name])
    if (changed or gone) and not is_new:
        item.content_version += 1
        item.modified = time.time()


def is_same(mine: FileSource | None, theirs: FileSource) -> bool:
    """The same content, from another address perhaps."""
    return mine is not None and (mine.size, mine.etag) == (theirs.size, theirs.etag)


async def cache(store: Store, library: Library, item: Item, file: ItemFile) -> None:
    """Have the file's content here. Who asks meanwhile waits for the same fetch."""
    if file.cached:
        return
    if file.source is None:
        await asyncio.sleep(store.config.fetch_delay)
        file.cached = True
        return
    if file.fetching is None:
        file.fetching = asyncio.ensure_future(fetch(store, library, item, file, file.source))
    try:
        await asyncio.shield(file.fetching)
    finally:
        if file.fetching is not None and file.fetching.done():
            file.fetching = None


async def fetch(store: Store, library: Library, item: Item, file: ItemFile, source: FileSource) -> None:
    await asyncio.sleep(store.config.fetch_delay)
    if item.files.get(file.name) is not file or not exists(store, library):
        return
    blob = store.new_blob()
    await store.fetch(subscription(store, library.subscription_info).fetch_file, source, blob)
    if item.files.get(file.name) is file and store.items.get(item.id) is item:
        file.blob, file.cached = blob, True
    else:
        blob.path.unlink(missing_ok=True)


async def evict(store: Store, items: list[Item]) -> None:
    """Remove the content of these items, which stay."""
    await asyncio.sleep(store.config.evict_delay)
    for item in items:
        for file in item.files.values():
            file.cached = False
            if file.source:
                file.blob.path.unlink(missing_ok=True)
                file.blob = store.new_blob()


async def synchronize_regularly(store: Store, interval: float) -> None:
    """What vCenter does for libraries that are to be synchronized automatically."""
    while store.config.automatic_sync_interval == interval:
        await asyncio.sleep(interval)
        for library in list(store.libraries.values()):
            if library.subscription_info.get("automatic_sync_enabled"):
                start_sync(store, library)
