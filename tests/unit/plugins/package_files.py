# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OVF packages and archives, made for a test."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._packages import open_package


def envelope(*references, namespace="http://schemas.dmtf.org/ovf/envelope/1"):
    elements = "".join(f'<File ovf:id="file{n}" {reference}/>' for n, reference in enumerate(references))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Envelope xmlns="{namespace}" xmlns:ovf="{namespace}"><References>{elements}</References>'
        '<VirtualSystem ovf:id="vm"><Info>A machine</Info></VirtualSystem></Envelope>'
    ).encode()


def href(name, **more):
    return f'ovf:href="{name}"' + "".join(f' ovf:{key}="{value}"' for key, value in more.items())


def manifest(files, algorithm="SHA256"):
    return "".join(
        f"{algorithm}({name})= {hashlib.new(algorithm.lower(), content).hexdigest()}\n"
        for name, content in files.items()
    ).encode()


DISKS = {f"vm-disk{n}.vmdk": bytes([n]) * 1000 * n for n in (1, 2, 3)}


def ova(path, members, tar_format=tarfile.USTAR_FORMAT):
    with tarfile.open(path, "w", format=tar_format) as archive:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return str(path)


def content_of(file):
    with file.opened() as fd:
        return os.pread(fd, file.size, file.offset)


def names(package):
    return [file.name for file in package.files]


def refused(match, src, checksum=None):
    with pytest.raises(InvalidArgument, match=match) as caught:
        open_package([src] if isinstance(src, str) else src, checksum)
    assert caught.value.error_type == "INVALID_ARGUMENT"
    assert str(caught.value).startswith(("src: ", "checksum: "))
