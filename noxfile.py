# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# /// script
# dependencies = ["nox>=2025.02.09", "antsibull-nox>=1.0"]
# ///

"""The sessions that antsibull-nox.toml configures: nox -Re lint, docs-check, license-check, ..."""

import antsibull_nox

antsibull_nox.load_antsibull_nox_toml()
