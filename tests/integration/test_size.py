# SPDX-License-Identifier: GPL-3.0-or-later
"""A thousand domains of libvirt's test driver."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from vitrail.model.reading import Known
from vitrail.service.places import open_place

DOMAIN = """<domain type='test'><name>vm{number:04d}</name><uuid>00000000-0000-4000-8000-{number:012d}</uuid>
<memory>65536</memory><os><type arch='x86_64'>hvm</type></os>
<devices><graphics type='vnc'/><video><model type='vga'/></video></devices></domain>"""


@pytest.mark.parametrize("count", [10, 1000])
def test_many_domains_are_read_with_a_handful_of_calls_and_one_each(count: int, tmp_path: Path, state: Path):
    assert not state.exists()
    file = tmp_path / "node.xml"
    file.write_text(f"<node>{''.join(DOMAIN.format(number=number) for number in range(count))}</node>")
    place = open_place(None, f"test://{file}")
    started = time.perf_counter()
    host = place.read()
    seconds = time.perf_counter() - started
    assert isinstance(host.vms, Known)
    assert [vm.name for vm in host.vms.value[:2]] == ["vm0000", "vm0001"]
    assert len(host.vms.value) == count
    assert seconds < 0.5 + count * 0.01
    place.close()
