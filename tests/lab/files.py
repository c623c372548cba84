# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file of a lab machine's /etc, /boot and the places of Vitrail's own, to compare two moments of it.

What tools generate is compared by meaning: the image of the start by the names in it, GRUB's menu without its comments,
GRUB's environment without empty words.
"""

from __future__ import annotations

from lab.machine import Machine

_GENERATED = ("/boot/initrd.img-", "/initrd.img-", "/grubenv", "/etc/ld.so.cache", "/loader/random-seed")
_FOLDERS = "/etc /boot /usr/local /usr/share/polkit-1/actions /var/lib/vitrail/guard"
_LIST = f"find {_FOLDERS} -type f -print0 2>/dev/null | sort -z | xargs -0 -r sha256sum"
_LINKS = f"find {_FOLDERS} -type l -printf '%l  %p\\n' 2>/dev/null | sort"
HELPER = (
    "/usr/local/lib/vitrail/",
    "/usr/local/share/dbus-1/system-services/org.vitrail",
    "/usr/share/polkit-1/actions/org.vitrail",
    "/etc/dbus-1/system.d/org.vitrail",
)
"""The root helper is installed once, shown by itself, and stays when a change is taken back."""


def authored(machine: Machine) -> dict[str, str]:
    """Path to digest, or a link's target; and the names in the images of the start, and what GRUB remembers."""
    found: dict[str, str] = {}
    for line in machine.run(f"{_LIST}; {_LINKS}").output.splitlines():
        value, _, path = line.partition("  ")
        if not path.startswith(HELPER) and not any(word in path for word in _GENERATED):
            found[path] = value
    found["names in the start's images"] = machine.run(_IMAGES).output
    found["grub's memory"] = machine.run("grub-editenv list 2>/dev/null | grep -v '=$' || true").output
    return found


_IMAGES = """
for image in $(find /boot -name 'initrd.img-*' | sort); do
  names=$(lsinitramfs $image 2>/dev/null || lsinitrd $image 2>/dev/null)
  [ -n "$names" ] || echo "unreadable: $image"
  grep -i -E 'vitrail|vfio' <<<"$names" || true
done
"""
