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
      - A URL with V(http://) is accepted for loopback addresses only, because credentials must be encrypted on the way.
      - Falls back to the environment variable E(VMWARE_HOST).
    type: str
    required: true
  port:
    description:
      - The TCP port of the REST service.
      - The default is the port in the URL of O(hostname), or V(443) if there is none.
      - Falls back to the environment variable E(VMWARE_PORT).
    type: int
  username:
    description:
      - The user to log in as. Ignored if O(session_id) is set.
      - Falls back to the environment variable E(VMWARE_USER).
    type: str
  password:
    description:
      - The password of O(username). Ignored if O(session_id) is set.
      - With O(username) and O(password), each task logs in and deletes its API token at its end, also when it fails.
      - Falls back to the environment variable E(VMWARE_PASSWORD).
    type: str
  session_id:
    description:
      - An API token that exists already. It takes precedence over O(username) and O(password). The task never
        replaces it by a login and never deletes it.
      - Falls back to the environment variable E(VMWARE_SESSION_ID).
    type: str
  validate_certs:
    description:
      - Whether the certificate of the vCenter Server must be trusted and carry its name.
      - V(false) turns verification off, also if E(REQUESTS_CA_BUNDLE) or E(CURL_CA_BUNDLE) is set.
      - AWX and Automation Controller set E(VMWARE_VALIDATE_CERTS) to V(False) by default. The task warns if the
        environment turns verification off.
      - Falls back to the environment variable E(VMWARE_VALIDATE_CERTS).
    type: bool
    default: true
  ca_path:
    description:
      - A bundle of certificates in PEM format, or a directory of hashed ones, to trust instead of the system's store.
      - If it is not set, E(REQUESTS_CA_BUNDLE) and E(CURL_CA_BUNDLE) are used before the system's store.
      - Falls back to the environment variable E(VMWARE_CA_PATH).
    type: path
  proxy_host:
    description:
      - An HTTP proxy to connect through. The default comes from the usual proxy variables of the environment.
      - A connection to a loopback address never uses a proxy.
      - Falls back to the environment variable E(VMWARE_PROXY_HOST).
    type: str
  proxy_port:
    description:
      - The port of O(proxy_host). The default is V(8080).
      - Falls back to the environment variable E(VMWARE_PROXY_PORT).
    type: int
  api_endpoint:
    description:
      - Which generation of the REST API to use. vSphere 7.0U2 and later has V(api), vSphere 6.5 to 8.0 has V(rest).
      - V(auto) uses V(api) if the server has it, and else V(rest). Only in the second case, each task sends one request
        more.
      - Falls back to the environment variable E(VMWARE_API_ENDPOINT).
    type: str
    choices:
      - auto
      - api
      - rest
    default: auto
  request_timeout:
    description:
      - How many seconds one operation may take. This includes connecting and retries.
      - The task retries after connection errors and after the answers 429 and 503, with growing pauses. If the answer
        to a write is lost, the task first reads the state. A create is sent again with the same client token, so that
        nothing is made twice.
      - A push or download may take longer. It fails when no byte moved for that long, or when it did not get further
        than ever before for that long after a failure.
    type: int
    default: 60
requirements:
  - requests
notes:
  - The environment variables are those that the I(VMware vCenter) credential of AWX and Automation Controller injects.
  - One C(module_defaults) for C(group/vsphere.content_library.vcenter) gives the connection options of a whole play.
"""
