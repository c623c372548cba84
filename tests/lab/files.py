# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything in a lab machine's /etc, /boot and the places of Vitrail's own, to compare two moments of it.

Names, kinds, modes and owners of all of it; contents too, where no tool generates them anew with every run. The images
of the start are compared by the names in them (which drivers those are depends on the devices of the day), the memory
of GRUB by what it holds, the firmware's by its entries.
"""

from __future__ import annotations

from lab.machine import Machine

FEWEST = 300
"""A Debian has far more; fewer have not been read."""
_GENERATED = ("/boot/initrd.img-", "/initrd.img-", "/grubenv", "/etc/ld.so.cache", "/loader/random-seed")
_FOLDERS = "/etc /boot /usr/local /usr/share/polkit-1/actions /var/lib/vitrail/guard"
_THERE = f"find {_FOLDERS} -printf '%y %m %U:%G %l\\t%p\\n' 2>/dev/null | sort"
_CONTENTS = f"find {_FOLDERS} -type f -print0 2>/dev/null | sort -z | xargs -0 -r sha256sum"
_IMAGES = """
for image in $(find /boot -name 'initrd.img-*' | sort); do
  names=$(lsinitramfs $image 2>/dev/null || lsinitrd $image 2>/dev/null | awk '{print $NF}')
  [ $(wc -l <<<"$names") -gt 100 ] || { echo "unreadable: $image" >&2; exit 1; }
  echo "$image $(grep -v -E '/(modules|firmware)/' <<<"$names" | sort | sha256sum)"
  grep -i -E 'vitrail|vfio' <<<"$names" || true
done
"""
_FIRMWARE = "efibootmgr | grep -v -E '^(BootCurrent|Timeout)'; ls /sys/firmware/efi/efivars | grep ^LoaderEntry | sort"
_HELPER = (
    "/usr/local/lib/vitrail/",
    "/usr/local/share/dbus-1/",
    "/usr/share/polkit-1/actions/org.vitrail",
    "/etc/dbus-1/system.d/org.vitrail",
)
"""The root helper is installed once, shown by itself, and stays when a change is taken back."""


def authored(machine: Machine) -> dict[str, str]:
    """Path to what it is, `digest of PATH` to its content; and what the start's images and memories hold."""
    # Without the EFI partition half of what matters would be missing from both moments, and equal.
    machine.run("findmnt -n /boot/efi")
    found: dict[str, str] = {}
    for line in machine.run(_THERE).output.splitlines():
        value, _, path = line.partition("\t")
        found[path] = value.rstrip()
    for line in machine.run(_CONTENTS).output.splitlines():
        digest, _, path = line.partition("  ")
        if not any(word in path for word in _GENERATED):
            found[f"digest of {path}"] = digest
    found = {path: value for path, value in found.items() if not _is_helper(path.removeprefix("digest of "))}
    if len(found) < FEWEST:
        raise AssertionError(f"only {len(found)} things were found: {sorted(found)[:20]}")
    found["the start's images"] = machine.run(_IMAGES).output
    found["GRUB's memory"] = machine.run("grub-editenv list 2>/dev/null | grep -v '=$' || true").output
    found["the firmware's entries"] = machine.run(_FIRMWARE, ok=False).output
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """What is not as it was: then and now."""
    places = sorted(before.keys() | after.keys())
    return {one: (before.get(one), after.get(one)) for one in places if before.get(one) != after.get(one)}


def _is_helper(path: str) -> bool:
    return f"{path}/".startswith(_HELPER) or path.startswith(_HELPER)
