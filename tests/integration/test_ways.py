# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task's result does not tell whether it was run in the worker or as a module."""

from __future__ import annotations

import pytest

from tests.integration.cases import WAYS, check_ways_agree, contract_in_several_ways


@pytest.mark.skipif(len(WAYS) < 2, reason=f"CONTENT_LIBRARY_WAYS names one way, {WAYS[0]}")
@pytest.mark.parametrize(("module", "case", "dialect"), contract_in_several_ways())
def test_results_are_the_same(module, case, dialect, run_cases):
    check_ways_agree(case, dialect, [run_cases(module, way) for way in WAYS])
