# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.integration.cases import check_case, contract


@pytest.mark.parametrize(("case", "way", "dialect"), contract("update_session_info"))
def test_contract(case, way, dialect, run_cases):
    check_case(case, dialect, run_cases("update_session_info", way))
