# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.integration.content import check_case, contract, runner, variables


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    with variables(tmp_path_factory.mktemp("files")) as files:
        yield files


@pytest.fixture(scope="module")
def run(request, playbook, servers, files):
    return runner("library_item_info", request, playbook, servers, files)


@pytest.mark.parametrize(("case", "way", "dialect"), contract("library_item_info"))
def test_contract(case, way, dialect, run, files):
    check_case(case, dialect, run(way), files)
