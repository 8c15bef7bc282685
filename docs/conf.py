# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's configuration for `make docs`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

_galaxy = yaml.safe_load((Path(__file__).parent.parent / "galaxy.yml").read_text(encoding="utf-8"))

project = "{namespace}.{name}".format(**_galaxy)
copyright = "2026, the vsphere.content_library contributors"
version = release = _galaxy["version"]

# sphinx_antsibull_ext has the roles and styles of the pages that antsibull-docs generates. There is no intersphinx: the
# site is built where nothing outside can be reached.
extensions = ["sphinx_antsibull_ext", "myst_parser", "sphinx_copybutton"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
myst_heading_anchors = 3

highlight_language = "yaml+jinja"
pygments_style = "ansible"
pygments_dark_style = "monokai"
default_role = "any"
nitpicky = True

# static/site.css takes its colors from the theme.
antsibull_ext_color_scheme = "none"
html_theme = "furo"
html_title = f"{project} {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_use_index = False
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-brand-primary": "#0b6b8a", "color-brand-content": "#0b6b8a"},
    "dark_css_variables": {"color-brand-primary": "#6cc4dd", "color-brand-content": "#6cc4dd"},
}

# Labels of ansible-core's documentation that generated pages refer to.
OF_ANSIBLE_CORE = (
    "action_plugins",
    "ansible_configuration_settings",
    "common_return_values",
    "ansible_collections.ansible.builtin.",
)


def shorten(app: Any, name: str, source: list[str]) -> None:
    # The theme shows the headings of a page at its side.
    source[0] = source[0].replace(".. contents::\n   :local:\n   :depth: 1\n", "")
    # The title of a module's page without the name of the collection, which does not fit on a telephone.
    if name.endswith("_module"):
        source[0] = re.sub(rf"^{re.escape(project)}\.(\w+ module --)", r"\1", source[0], count=1, flags=re.MULTILINE)


def setup(app: Any) -> None:
    app.connect("source-read", shorten)
    app.connect(
        "missing-reference",
        lambda app, env, node, text: text if node["reftarget"].startswith(OF_ANSIBLE_CORE) else None,
    )
