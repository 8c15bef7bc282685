#!/usr/bin/python
# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: library
short_description: A content library as desired state
version_added: 2.0.0
description:
  - Creates, changes, publishes and deletes local libraries. Creates, changes and deletes subscribed libraries.
  - What an option does not name stays as it is. Nothing is published, or readable without a password, that the task
    does not name.
author:
  - vsphere.content_library contributors (!UNKNOWN)
extends_documentation_fragment:
  - vsphere.content_library.vcenter
  - vsphere.content_library.attributes
  - vsphere.content_library.attributes.resource_module
options:
  name:
    description:
      - The library, by its exact name. Where several libraries have the name, use O(library_id).
      - With O(library_id), the name that the library has afterwards.
      - One of O(name) and O(library_id) is required.
    type: str
  library_id:
    description: The library, by its identifier. It has to exist, unless O(state=absent).
    type: str
  state:
    description:
      - V(present) creates the library if it is missing, and changes what differs.
      - V(absent) deletes it, with all its items.
    type: str
    default: present
    choices:
      - present
      - absent
  type:
    description:
      - Whether others may take the content of the library, or it takes its content from another one.
      - It can't be changed. The default is that of the existing library, and V(local) for a new one.
    type: str
    choices:
      - local
      - subscribed
  description:
    description: The description of the library.
    type: str
  datastore:
    description:
      - The datastore that stores the content, by its name. Where several datastores have the name, use O(datastore_id).
      - A new library needs one of O(datastore), O(datastore_id) and O(storage_uri). It can't be changed.
    type: str
  datastore_id:
    description: The datastore that stores the content, by its identifier, such as V(datastore-11).
    type: str
  storage_uri:
    description: The file share that stores the content, such as V(nfs://nas.example.com/content).
    type: str
  security_policy_id:
    description: The security policy of the library, by its identifier. An empty string removes it.
    type: str
  optimize_remote_publishing:
    description: Whether the library stores its content so that it is published faster. It can't be changed.
    type: bool
  publication:
    description: How a local library is published.
    type: dict
    suboptions:
      published:
        description: Whether others can subscribe to the library.
        type: bool
      authentication_method:
        description:
          - V(none) lets everybody subscribe who can reach the server. V(basic) asks for a password.
          - Required with O(publication.published=true), so that who can read the content is always named.
        type: str
        choices:
          - none
          - basic
      user_name:
        description: The name that subscribers give. A server takes V(vcsp) only, which is its default.
        type: str
      password:
        description: The password for subscribers. Required where O(publication.authentication_method) becomes V(basic).
        type: str
      current_password:
        description:
          - The present password. Required to change it, and to end the publication or its V(basic) authentication.
        type: str
      persist_json_enabled:
        description: Whether the published descriptions are stored beside the content too.
        type: bool
  subscription:
    description: What a subscribed library is subscribed to.
    type: dict
    suboptions:
      subscription_url:
        description:
          - The URL of the published library. A new subscribed library needs it.
          - Another URL means another library as a rule. The server then drops all items. The task warns of that.
        type: str
      authentication_method:
        description: V(basic) where the publisher wants a password. The default for a new library is V(none).
        type: str
        choices:
          - none
          - basic
      user_name:
        description: The name for the publisher. The default with V(basic) is V(vcsp), as every vCenter has it.
        type: str
      password:
        description: The password for the publisher.
        type: str
      ssl_thumbprint:
        description:
          - The thumbprint of the publisher's certificate. Needed where the server can't verify that certificate.
          - SHA-1 up to vSphere 8, SHA-256 from 9.1.
          - Where it is missing, the failure tells the one that the publisher has. Compare it before you use it.
        type: str
      automatic_sync_enabled:
        description:
          - Whether the server synchronizes the library by itself from time to time. The default for a new library is
            V(true).
        type: bool
      on_demand:
        description:
          - Whether content comes only when it is asked for. The default for a new library is V(false).
        type: bool
  update_password:
    description:
      - No server tells passwords, nor the thumbprint of a subscription, so they can't be compared.
      - V(on_create) sends them to a new library, and with another publisher or authentication method.
      - V(always) sends them each time, and the task is then always changed.
    type: str
    default: on_create
    choices:
      - always
      - on_create
  force:
    description:
      - Whether to delete a library that somebody has declared to use. vSphere 9.1 refuses that otherwise.
      - Needs the API endpoint V(api).
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the items of a new subscription are listed, and until a deleted library is gone.
    type: bool
    default: true
  wait_timeout:
    description: How many seconds to wait for that.
    type: int
    default: 600
seealso:
  - module: vsphere.content_library.library_sync
  - module: vsphere.content_library.library_info
"""

EXAMPLES = r"""
- name: Create a library
  vsphere.content_library.library:
    name: images
    description: Images for everybody
    datastore: nfs-01

- name: Publish it with a password
  vsphere.content_library.library:
    name: images
    datastore: nfs-01
    publication:
      published: true
      authentication_method: basic
      password: "{{ publication_password }}"
  register: published

- name: Subscribe to it
  vsphere.content_library.library:
    name: images of the other site
    type: subscribed
    datastore: nfs-01
    subscription:
      subscription_url: "{{ published.library.publish_info.publish_url }}"
      authentication_method: basic
      password: "{{ publication_password }}"
      on_demand: true
  when: not ansible_check_mode

- name: Change the password
  vsphere.content_library.library:
    name: images
    publication:
      current_password: "{{ publication_password }}"
      password: another secret
    update_password: always

- name: Delete the subscribed library
  vsphere.content_library.library:
    name: images of the other site
    state: absent
"""

RETURN = r"""
library:
  description:
    - The library. In check mode as it would be. Null where there is none afterwards.
    - It has the keys that RV(vsphere.content_library.library_info#module:libraries) describes, without C(items).
  type: dict
  returned: success, and failure where a wait for it took too long
  sample:
    id: 8a4ee4c2-7d1c-4d2e-9c6f-0d1f8d7f5c11
    name: images
    type: LOCAL
operations:
  description: The API operations performed, in order; in check mode those that would be. Reads are not listed.
  type: list
  elements: str
  returned: success
  sample:
    - create_library
diff:
  description: What the task changes, as C(before) and C(after). No password shows there.
  type: dict
  returned: when diff mode is on
  sample:
    before: {}
    after:
      name: images
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

from contextlib import suppress
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    TimedOut,
    VapiError,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import (
    id_of,
    library_diff_state,
    message_text,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import LocalLibraries, only_id
from ansible_collections.vsphere.content_library.plugins.module_utils._library_plan import (
    changes,
    check_fixed,
    check_limits,
    creation,
    predicted,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._models import Library
from ansible_collections.vsphere.content_library.plugins.module_utils._module import module_main
from ansible_collections.vsphere.content_library.plugins.module_utils._synchronization import (
    wait_until_listed,
    with_library,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._task import Task
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import Deadline, wait_for

METHODS = dict(type="str", choices=["none", "basic"])
SPEC = dict(
    argument_spec=dict(
        name=dict(type="str"),
        library_id=dict(type="str"),
        state=dict(type="str", choices=["present", "absent"], default="present"),
        type=dict(type="str", choices=["local", "subscribed"]),
        description=dict(type="str"),
        datastore=dict(type="str"),
        datastore_id=dict(type="str"),
        storage_uri=dict(type="str"),
        security_policy_id=dict(type="str"),
        optimize_remote_publishing=dict(type="bool"),
        publication=dict(
            type="dict",
            options=dict(
                published=dict(type="bool"),
                authentication_method=METHODS,
                user_name=dict(type="str"),
                password=dict(type="str", no_log=True),
                current_password=dict(type="str", no_log=True),
                persist_json_enabled=dict(type="bool"),
            ),
            required_if=[("published", True, ("authentication_method",))],
        ),
        subscription=dict(
            type="dict",
            options=dict(
                subscription_url=dict(type="str"),
                authentication_method=METHODS,
                user_name=dict(type="str"),
                password=dict(type="str", no_log=True),
                ssl_thumbprint=dict(type="str"),
                automatic_sync_enabled=dict(type="bool"),
                on_demand=dict(type="bool"),
            ),
        ),
        update_password=dict(type="str", choices=["always", "on_create"], default="on_create", no_log=False),
        force=dict(type="bool", default=False),
        wait=dict(type="bool", default=True),
        wait_timeout=dict(type="int", default=600),
    ),
    required_one_of=[("name", "library_id")],
    mutually_exclusive=[("datastore", "datastore_id", "storage_uri")],
    supports_check_mode=True,
)
# The status of a probe that failed -> the kind of the failure.
PROBE_ERRORS = {
    "INVALID_URL": "INVALID_ARGUMENT",
    "TIMED_OUT": "TIMED_OUT",
    "INVALID_CREDENTIALS": "UNAUTHENTICATED",
    "CERTIFICATE_ERROR": "UNVERIFIED_PEER",
}


def run(task: Task) -> dict[str, Any]:
    """Create, change or delete the library."""
    params = task.params
    check_limits(params)
    library = before = find(task)
    if params["state"] == "absent":
        library = None
        if before:
            delete(task, before)
    elif before is None:
        library = update(task, create(task), new=True)
    else:
        library = update(task, before)
    check_name(task, library)
    return dict(library=library, diff=dict(before=library_diff_state(before), after=library_diff_state(library)))


def check_name(task: Task, library: Library | None) -> None:
    """Raise NotFound where the library has lost the name that the task is about."""
    name = task.params["name"]
    if library and name not in (None, library["name"]):
        text = f"somebody else renamed library {library['id']} on {task.host} from {name} to {library['name']}"
        raise with_library(NotFound(text, operation="library.get"), library)


def find(task: Task) -> Library | None:
    """The library that the task names. Raises NotFound for an id that nothing has, unless that is what is wanted."""
    params, libraries = task.params, task.services.libraries
    if params["library_id"]:
        try:
            return libraries.get(params["library_id"])
        except NotFound:
            if params["state"] == "absent":
                return None
            raise
    found = {id_of(library): library for library in libraries.list_libraries(name=params["name"])}
    library_id = only_id(list(found), f"libraries have the name {params['name']}", "library_id")
    return found[library_id] if library_id else None


def service(task: Task, type_: str) -> LocalLibraries:
    """The service for libraries of a type."""
    return task.services.subscribed_libraries if type_ == "SUBSCRIBED" else task.services.local_libraries


def find_backing(task: Task) -> dict[str, str] | None:
    """Where the task wants the content, None where it does not say. Raises NotFound, InvalidArgument."""
    params = task.params
    if params["storage_uri"]:
        return {"type": "OTHER", "storage_uri": params["storage_uri"]}
    datastore_id = params["datastore_id"]
    if params["datastore"]:
        found = [datastore["datastore"] for datastore in task.services.datastores.named(params["datastore"])]
        datastore_id = only_id(found, f"datastores have the name {params['datastore']}", "datastore_id")
        if datastore_id is None:
            raise NotFound(f"there is no datastore {params['datastore']} on {task.host} that this user may see")
    return {"type": "DATASTORE", "datastore_id": datastore_id} if datastore_id else None


def create(task: Task) -> Library:
    """Create the library. The one that is there afterwards may be another's: after a lost answer nobody can tell."""
    type_ = (task.params["type"] or "local").upper()
    model = creation(task.params, find_backing(task))
    if type_ == "SUBSCRIBED":
        probe(task, model["subscription_info"])
    library_id = task.perform("create_library", service(task, type_).create, model)
    if task.check_mode:
        return predicted(None, model, type_)
    if type_ == "SUBSCRIBED" and task.params["wait"]:
        return wait_until_listed(task.services, library_id, None, task.params["wait_timeout"])
    return task.services.libraries.get(library_id)


def update(task: Task, library: Library, new: bool = False) -> Library:
    """Change what differs. A new library was sent all of that, and differs only where it is another's."""
    params = {**task.params, "update_password": "on_create"} if new else task.params
    if not new:
        check_fixed(params, library, find_backing(task))
    model = changes(params, library)
    if not model:
        return library
    source = {**(library["subscription_info"] or {}), **model.get("subscription_info", {})}
    moves = "subscription_url" in model.get("subscription_info", {})
    if moves:
        probe(task, {name: value for name, value in source.items() if value is not None})
        task.warnings.append(
            f"Library {library['name']} is subscribed to another URL. If another library is published there, the "
            "server drops all items that came from the old one."
        )
    task.perform("update_library", service(task, library["type"]).update, library, model)
    if task.check_mode:
        return predicted(library, model, library["type"])
    if moves and params["wait"]:
        return wait_until_listed(task.services, id_of(library), library["last_sync_time"], params["wait_timeout"])
    return task.services.libraries.get(id_of(library))


def probe(task: Task, subscription: dict[str, Any]) -> None:
    """Raise VapiError where the server can't subscribe like this, with what it found."""
    found = task.services.subscribed_libraries.probe(subscription)
    if found is None or found["status"] == "SUCCESS":
        return
    status, thumbprint = found["status"], found["ssl_thumbprint"]
    reasons = [text for text in map(message_text, found["error_messages"]) if text]
    if status == "CERTIFICATE_ERROR" and thumbprint:
        reasons.append(f"the publisher's certificate has the ssl_thumbprint {thumbprint}: compare it, then name it")
    raise VapiError(
        f"{task.host} can't subscribe to {subscription['subscription_url']}: {status}: {'; '.join(reasons)}",
        error_type=PROBE_ERRORS.get(status, "RESOURCE_INACCESSIBLE"),
        messages=[dict(message) for message in found["error_messages"]],
        operation="subscribed_library.probe",
    )


def delete(task: Task, library: Library) -> None:
    """Delete the library with all that is in it."""
    if task.params["type"] not in (None, library["type"].lower()):
        raise InvalidArgument(f"library {library['name']} is {library['type'].lower()}, not {task.params['type']}")
    task.perform("delete_library", delete_if_allowed, task, library)
    if task.check_mode or not task.params["wait"]:
        return

    def exists() -> bool:
        with suppress(NotFound):
            task.services.libraries.get(id_of(library))
            return True
        return False

    timeout = task.params["wait_timeout"]
    _seen, gone = wait_for(exists, lambda seen: not seen, Deadline(timeout))
    if not gone:
        text = f"library {library['name']} on {task.host} is still there {timeout} seconds after its deletion"
        raise with_library(TimedOut(text, operation=f"{library['type'].lower()}_library.delete"), library)


def delete_if_allowed(task: Task, library: Library) -> None:
    """Delete the library; by force where the server refuses that and the task asks for it."""
    libraries, library_id = service(task, library["type"]), id_of(library)
    try:
        libraries.delete(library_id)
    except NotAllowedInCurrentState:
        if not task.params["force"]:
            raise
        libraries.force_delete(library_id)


def main() -> None:
    module_main(SPEC, run)


if __name__ == "__main__":
    main()
