# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of every module."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  hostname:
    description:
      - The vCenter Server, as a name, an address, or a URL such as V(https://vcenter.example.com).
      - A URL with V(http://) is accepted for loopback addresses only, because credentials must not travel in the clear.
      - Falls back to the environment variable E(VMWARE_HOST).
    type: str
    required: true
  port:
    description:
      - The TCP port of the REST service.
      - Defaults to the port in O(hostname), where it is a URL with one, else to V(443).
      - Falls back to the environment variable E(VMWARE_PORT).
    type: int
  username:
    description:
      - The user to log in as. Ignored where O(session_id) is set.
      - Falls back to the environment variable E(VMWARE_USER).
    type: str
  password:
    description:
      - The password of O(username). Ignored where O(session_id) is set.
      - With O(username) and O(password) a task logs in, works, and deletes its API token again, also when it fails.
      - Falls back to the environment variable E(VMWARE_PASSWORD).
    type: str
  session_id:
    description:
      - An API token that exists already. It wins over O(username) and O(password), is never replaced by a login, and is
        never deleted by the task.
      - Falls back to the environment variable E(VMWARE_SESSION_ID).
    type: str
  validate_certs:
    description:
      - Whether the certificate of the vCenter Server must be trusted and carry its name.
      - V(false) turns verification off whatever E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE) say.
      - AWX and Automation Controller set E(VMWARE_VALIDATE_CERTS) to V(False) unless told otherwise. When it is the
        environment that turns verification off, the task warns.
      - Falls back to the environment variable E(VMWARE_VALIDATE_CERTS).
    type: bool
    default: true
  ca_path:
    description:
      - A bundle of certificates in PEM format, or a directory of hashed ones, to trust instead of the system's store.
      - Where it is not set, E(REQUESTS_CA_BUNDLE) and E(CURL_CA_BUNDLE) are looked at first.
      - Falls back to the environment variable E(VMWARE_CA_PATH).
    type: path
  proxy_host:
    description:
      - An HTTP proxy to connect through. Else the usual proxy variables of the environment hold.
      - Loopback addresses are never reached through a proxy.
      - Falls back to the environment variable E(VMWARE_PROXY_HOST).
    type: str
  proxy_port:
    description:
      - The port of O(proxy_host). V(8080) where it is not set.
      - Falls back to the environment variable E(VMWARE_PROXY_PORT).
    type: int
  api_endpoint:
    description:
      - Which generation of the REST API to use. V(api) is served by vSphere 7.0U2 and later, V(rest) by 6.5 to 8.0.
      - V(auto) takes V(api) where it exists. It costs no request then, and one for each task elsewhere.
      - Falls back to the environment variable E(VMWARE_API_ENDPOINT).
    type: str
    choices:
      - auto
      - api
      - rest
    default: auto
  request_timeout:
    description:
      - How many seconds one operation may take with its retries, connecting included.
      - No connection, a broken one, and the answers 429 and 503 are tried again with growing pauses until then. After a
        lost answer to a write the state is read first.
    type: int
    default: 60
requirements:
  - requests
notes:
  - The environment variables are those that the I(VMware vCenter) credential of AWX and Automation Controller injects.
  - One C(module_defaults) for C(group/vsphere.content_library.vcenter) gives the connection options of a whole play.
"""
