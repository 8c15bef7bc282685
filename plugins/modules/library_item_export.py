#!/usr/bin/python
# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: library_item_export
short_description: Download the files of a content library item
version_added: 2.0.0
description:
  - Brings the files of a library item into a directory on the host that runs the module. Files that are there already
    are compared, and only what differs is downloaded.
  - A file is written under a temporary name beside its place, compared with the size and the checksum that the server
    reports, and only then renamed. A reader never sees half a file, and a failure leaves the old one.
  - A file of an on-demand library is fetched by its library first.
author:
  - vsphere.content_library contributors (!UNKNOWN)
extends_documentation_fragment:
  - vsphere.content_library.vcenter
  - vsphere.content_library.library
  - vsphere.content_library.library.item
  - vsphere.content_library.attributes
  - vsphere.content_library.attributes.resource_module
options:
  dest:
    description: The directory for the files, on the host that runs the module. It is created where it is missing.
    type: path
    required: true
  files:
    description: The names of the files to download. All files of the library item where this is not set.
    type: list
    elements: str
  mode:
    description:
      - The permissions of the files, as M(ansible.builtin.copy) has them, such as V('0644') or V(u=rw,g=r,o=r).
      - Without it a file that is replaced keeps its permissions, and a new one has those that the umask leaves.
    type: raw
  owner:
    description: The user that owns the files.
    type: str
  group:
    description: The group that owns the files.
    type: str
  force:
    description: Whether to download files that do not differ, too.
    type: bool
    default: false
  wait_timeout:
    description: How many seconds the server may take to prepare a file for the download.
    type: int
    default: 3600
seealso:
  - module: vsphere.content_library.library_item
  - module: vsphere.content_library.library_item_info
"""

EXAMPLES = r"""
- name: Download an OVF package
  vsphere.content_library.library_item_export:
    library_name: demo
    name: gateway
    dest: /srv/images/gateway
  register: exported

- name: Tell where the descriptor is
  ansible.builtin.debug:
    msg: "{{ exported.files | map(attribute='path') | select('search', '[.]ovf$') | first }}"
  when: not ansible_check_mode

- name: Download one file that others may read
  vsphere.content_library.library_item_export:
    library_name: demo
    name: rescue
    files:
      - rescue.iso
    dest: /srv/images
    mode: "0644"
"""

RETURN = r"""
library_item:
  description: The library item.
  type: dict
  returned: success
  contains:  # LibraryItem
    id:
      description: The identifier of the library item.
      type: str
      returned: always
      sample: 3f6cb4c0-5f52-4d3e-b1fd-4f9ef9f7e0a3
    library_id:
      description: The library that has the item.
      type: str
      returned: always
      sample: 8a4ee4c2-7d1c-4d2e-9c6f-0d1f8d7f5c11
    name:
      description: The name of the library item.
      type: str
      returned: always
      sample: debian-12
    type:
      description: The type of the library item, such as V(iso) or V(ovf).
      type: str
      returned: always
      sample: iso
    description:
      description: The description of the library item.
      type: str
      returned: always
      sample: Debian 12.7 netinst
    content_version:
      description: A number that rises with each change of the content.
      type: str
      returned: always
      sample: "2"
    version:
      description: A number that rises with each change of the library item.
      type: str
      returned: always
      sample: "3"
    size:
      description:
        - The storage that the files use, in bytes. V(0) where the content is not in the library's storage.
      type: int
      returned: always
      sample: 658505728
    cached:
      description: Whether the content is in the library's storage.
      type: bool
      returned: always
      sample: true
    creation_time:
      description: When the library item was created.
      type: str
      returned: always
      sample: "2026-01-15T10:20:31.651Z"
    last_modified_time:
      description: When the library item was last changed.
      type: str
      returned: always
      sample: "2026-01-15T10:25:31.651Z"
dest:
  description: The directory of the files.
  type: str
  returned: success
  sample: /srv/images
files:
  description: What became of each file, in the order of their names.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The name of the file.
      type: str
      returned: always
      sample: tools.iso
    path:
      description: Where the file is on the host that runs the module.
      type: str
      returned: always
      sample: /srv/images/tools.iso
    size:
      description: The size in bytes. Of a file that check mode would download, what the server reports.
      type: int
      returned: always
      sample: 658505728
    checksum:
      description: The checksum of the bytes. Null where none was computed or reported.
      type: str
      returned: always
      sample: sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709
    checksum_verified:
      description: Whether the server reported the same checksum.
      type: bool
      returned: always
      sample: true
    action:
      description: V(downloaded) or V(unchanged).
      type: str
      returned: always
      sample: downloaded
    seconds:
      description: How many seconds that took.
      type: float
      returned: always
      sample: 7.25
bytes_transferred:
  description: How many bytes were downloaded.
  type: int
  returned: success
  sample: 658505728
download_session:
  description: The download session as it was last seen. It is deleted in the end. Null where none was needed.
  type: dict
  returned: success
  contains:  # DownloadSession
    id:
      description: The identifier of the download session.
      type: str
      returned: always
      sample: 4be5f6a2-9f53-4b83-9b3c-1f3c5d0a4a5e:71f3f2d4-6f4e-4f5e-8a7a-2a9a3d2c7d10
    library_item_id:
      description: The library item whose files are downloaded.
      type: str
      returned: always
      sample: 3f6cb4c0-5f52-4d3e-b1fd-4f9ef9f7e0a3
    library_item_content_version:
      description: The content version of the library item when the download session was created.
      type: str
      returned: always
      sample: "2"
    client_progress:
      description: The progress that the client reported, from 0 to 100.
      type: int
      returned: always
      sample: 100
    state:
      description: V(ACTIVE), V(CANCELED) or V(ERROR).
      type: str
      returned: always
      sample: ACTIVE
    expiration_time:
      description: The time before which the download session does not expire.
      type: str
      returned: always
      sample: "2026-01-15T10:25:31.651Z"
    error_message:
      description: Why the download session is in V(ERROR). Null in every other state.
      type: dict
      returned: always
      contains:  # Message
        id:
          description: The identifier of the message.
          type: str
          returned: always
          sample: com.vmware.vdcs.cls-main.client_error
        default_message:
          description: The message in English.
          type: str
          returned: always
          sample: The disk image is not readable.
        args:
          description: The values that are inserted into the message.
          type: list
          elements: str
          returned: always
          sample: []
        params:
          description: The same values by name. Null where the server reports none.
          type: dict
          returned: always
          sample: null
        localized:
          description: The message in the language of the API session. Null where the server reports none.
          type: str
          returned: always
          sample: null
    expires_in:
      description:
        - Whole seconds until C(expiration_time), by the server's clock. Never below 0.
        - Null where the server reports no expiration time.
      type: int
      returned: always
      sample: 291
operations:
  description: The API operations performed, in order; in check mode those that would be. Reads are not listed.
  type: list
  elements: str
  returned: success
  sample:
    - download
diff:
  description: The size and the checksum of each file, as C(before) and C(after).
  type: dict
  returned: when diff mode is on
  sample:
    before: {}
    after:
      tools.iso:
        size: 658505728
        checksum: sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709
# Failure
error_type:
  description:
    - The kind of the failure, as one of the error types of the vSphere API, such as V(NOT_FOUND),
      V(NOT_ALLOWED_IN_CURRENT_STATE), V(RESOURCE_BUSY), V(UNAUTHENTICATED) or V(ERROR).
    - A failure that no server reported uses the same words. V(INVALID_ARGUMENT) means that the module
      refused an option, V(UNVERIFIED_PEER) that a certificate could not be verified,
      V(RESOURCE_INACCESSIBLE) that there was no connection, V(TIMED_OUT) that a wait took too long,
      V(INTERNAL_SERVER_ERROR) that an answer could not be read.
  type: str
  returned: failure
  sample: NOT_FOUND
http_status:
  description: The HTTP status of the answer that failed the task. Null where no answer came.
  type: int
  returned: failure
  sample: 404
messages:
  description:
    - The messages of the server, from the operation to the cause. Each has C(id), C(default_message)
      and C(args).
  type: list
  elements: dict
  returned: failure
  sample:
  - id: com.vmware.vdcs.util.resource_not_found
    default_message: The resource was not found.
    args: []
operation:
  description: The operation of the API that failed. Null where none was tried.
  type: str
  returned: failure
  sample: update_session.complete
"""

from collections.abc import Sequence
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._argspec import ITEM, LIBRARY
from ansible_collections.vsphere.content_library.plugins.module_utils._checksums import format_checksum
from ansible_collections.vsphere.content_library.plugins.module_utils._download import Fetched
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._export import Place, compare, export
from ansible_collections.vsphere.content_library.plugins.module_utils._file_attributes import (
    Attributes,
    apply,
    differ,
    wanted_attributes,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._local_files import (
    check_writable,
    local_error,
    remove_abandoned,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._locate import existing_library_item
from ansible_collections.vsphere.content_library.plugins.module_utils._module import module_main
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task

SPEC = dict(
    argument_spec=dict(
        **LIBRARY,
        **ITEM,
        dest=dict(type="path", required=True),
        files=dict(type="list", elements="str"),
        mode=dict(type="raw"),
        owner=dict(type="str"),
        group=dict(type="str"),
        force=dict(type="bool", default=False),
        wait_timeout=dict(type="int", default=3600),
    ),
    required_one_of=[("name", "library_item_id"), ("library_name", "library_id", "library_item_id")],
    mutually_exclusive=[("name", "library_item_id"), ("library_name", "library_id")],
    supports_check_mode=True,
)

Facts = dict[str, Any]


def run(task: Task) -> Facts:
    """Compare what is there with the files of the item, and download what differs."""
    params = task.params
    attributes = wanted_attributes(params["mode"], params["owner"], params["group"])
    if params["wait_timeout"] < 1:
        raise InvalidArgument(f"wait_timeout {params['wait_timeout']} is below 1")
    item = existing_library_item(task.params, task.services)
    places = compare(task, item["id"])
    differing = [place for place in places if not place.same]
    if differing:
        check_writable(params["dest"])
    changed = [place for place in places if place.same and has_other_attributes(place, attributes)]
    fetched: dict[str, Fetched] = {}
    session = None
    if task.check_mode:
        task.note(*["download"] * len(differing))
    else:
        remove_abandoned(params["dest"])
        if differing:
            session, fetched = export(task, item["id"], differing, attributes)
        for place in changed:
            change_attributes(place, attributes)
    return dict(
        changed=bool(differing or changed),
        library_item=item,
        dest=params["dest"],
        files=[row(place, fetched.get(place.name)) for place in places],
        bytes_transferred=sum(file.size for file in fetched.values()),
        download_session=session,
        diff=dict(before=before(places), after=after(places, fetched)),
    )


def has_other_attributes(place: Place, attributes: Attributes) -> bool:
    """Whether a file that is there has other permissions or owners than it shall have."""
    try:
        return differ(place.path, attributes)
    except OSError as error:
        raise local_error(error, place.path, "read") from None


def change_attributes(place: Place, attributes: Attributes) -> None:
    """Give a file that is there its permissions and owners."""
    try:
        apply(place.path, attributes)
    except OSError as error:
        raise local_error(error, place.path, "changed") from None


def row(place: Place, fetched: Fetched | None) -> Facts:
    """What became of a file, for the result."""
    facts = dict(name=place.name, path=place.path)
    if place.same:
        return dict(
            facts,
            size=place.size,
            checksum=format_checksum(place.checksum),
            checksum_verified=place.checksum is not None,
            action="unchanged",
            seconds=round(place.seconds, 3),
        )
    return dict(
        facts,
        size=fetched.size if fetched else place.told_size,
        checksum=format_checksum(fetched.checksum if fetched else place.told_checksum),
        checksum_verified=bool(fetched and fetched.verified),
        action="downloaded",
        seconds=round(fetched.seconds, 3) if fetched else 0.0,
    )


def before(places: Sequence[Place]) -> Facts:
    """What was there, for a diff."""
    return {
        place.name: dict(size=place.size, checksum=format_checksum(place.checksum))
        for place in places
        if place.size is not None
    }


def after(places: Sequence[Place], fetched: dict[str, Fetched]) -> Facts:
    """What is there now, for a diff."""
    rows = [row(place, fetched.get(place.name)) for place in places]
    return {file["name"]: dict(size=file["size"], checksum=file["checksum"]) for file in rows}


def main() -> None:
    module_main(SPEC, run)


if __name__ == "__main__":
    main()
