# SPDX-License-Identifier: GPL-3.0-or-later
"""Two small VMs as libvirt writes them: a plain one, and one with a hostile name and a planted password."""

from __future__ import annotations

PLAIN_UUID = "11111111-1111-4111-8111-111111111111"
HOSTILE_UUID = "22222222-2222-4222-8222-222222222222"
SECRET = "pl4nted-vnc-p4ssw0rd"
HOSTILE_NAME = "<b>win\u202e\u009b31m"

_DOMAIN = """<domain type='kvm'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='KiB'>4194304</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc-q35-9.2'>hvm</type>
  </os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'{password}>
      <listen type='address' address='127.0.0.1'/>
    </graphics>
    <video>
      <model type='qxl' primary='yes'/>
    </video>
  </devices>
</domain>
"""


def domain(name: str, uuid: str, *, password: str = "") -> str:
    """The text of a VM with QXL and a VNC display."""
    words = name.replace("&", "&amp;").replace("<", "&lt;")
    return _DOMAIN.format(name=words, uuid=uuid, password=f" passwd='{password}'" if password else "")
