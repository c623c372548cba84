# SPDX-License-Identifier: GPL-3.0-or-later
"""The files without values: the early script that reserves cards, and what puts it into each kind of initramfs.

One body for every family. It does nothing unless the plan's token is a whole word of the command line, nothing with
`vitrail=off`, and nothing for a plan of which one single device is not where and what it was.
"""

from __future__ import annotations

from vitrail.model.boot import InitramfsTool
from vitrail.model.guard_text import GUARD_TEXTS
from vitrail.model.host_step import Fixed

TABLE = "/etc/vitrail/reserved-cards"
MODULES = ("vfio_pci", "vfio_iommu_type1")
"""Without vfio_virqfd, which has been part of vfio itself since Linux 6.2."""

_HEADER = "# Written by Vitrail. Take it back with: vitrail undo\n"

CARRIED = "usr/lib/vitrail"
"""Where a trial's own image has its modules, and an insmod where the system's image names none."""

_FROM_SYSTEM = f"""\
\tmodprobe -a {" ".join(MODULES)} || vitrail_log "vfio could not be loaded"
"""

_CARRIED_ALONG = f"""\
\tPATH="$PATH:/{CARRIED}"
\tfor vitrail_module in /{CARRIED}/*.ko; do
\t\t[ -e "$vitrail_module" ] || continue
\t\tvitrail_name=${{vitrail_module##*-}}
\t\tvitrail_name=${{vitrail_name%.ko}}
\t\t[ -e "/sys/module/$vitrail_name" ] && continue
\t\tvitrail_values=""
\t\tset -f
\t\tfor vitrail_one in $vitrail_line; do
\t\t\tcase "$vitrail_one" in
\t\t\t"$vitrail_name".*) vitrail_values="$vitrail_values ${{vitrail_one#*.}}" ;;
\t\t\tesac
\t\tdone
\t\tinsmod "$vitrail_module" $vitrail_values || vitrail_log "$vitrail_name could not be loaded"
\t\tset +f
\tdone
"""
"""What modprobe would take from the command line, insmod has to be told."""


def _body(load_modules: str) -> str:
    return f"""\
vitrail_log() {{ echo "<5>vitrail: $*" > /dev/kmsg; }}

vitrail_word() {{
\tcase " $vitrail_line " in
\t*" $1 "*) return 0 ;;
\tesac
\treturn 1
}}

vitrail_id() {{
\t[ "$2" = "-" ] && return 0
\tread -r vitrail_seen < "$1" || return 1
\t[ "$vitrail_seen" = "$2" ]
}}

vitrail_same() {{
\t[ -e "$vitrail_dev/vendor" ] && [ ! -e "$vitrail_dev/driver" ] &&
\t\tvitrail_id "$vitrail_dev/vendor" "$1" && vitrail_id "$vitrail_dev/device" "$2" &&
\t\tvitrail_id "$vitrail_dev/subsystem_vendor" "$3" && vitrail_id "$vitrail_dev/subsystem_device" "$4"
}}

vitrail_early() {{
\t[ -r {TABLE} ] && read -r vitrail_line < /proc/cmdline || return 0
\tvitrail_word vitrail=off && return 0
\tvitrail_bad=" "
\tvitrail_any=""
\twhile read -r plan addr ven dev sven sdev rest; do
\t\tvitrail_word "vitrail.plan=$plan" || continue
\t\tvitrail_dev=/sys/bus/pci/devices/$addr
\t\tif vitrail_same "$ven" "$dev" "$sven" "$sdev"; then
\t\t\tvitrail_any=1
\t\telse
\t\t\tvitrail_bad="$vitrail_bad$plan "
\t\t\tvitrail_log "$addr is absent, another device, or has a driver: nothing is done for plan $plan"
\t\tfi
\tdone < {TABLE}
\t[ -n "$vitrail_any" ] || return 0
\twhile read -r plan addr ven dev sven sdev rest; do
\t\tvitrail_word "vitrail.plan=$plan" || continue
\t\tcase "$vitrail_bad" in *" $plan "*) continue ;; esac
\t\techo vfio-pci > "/sys/bus/pci/devices/$addr/driver_override" && vitrail_log "$addr is reserved"
\tdone < {TABLE}
{load_modules}\
\twhile read -r plan addr ven dev sven sdev rest; do
\t\tvitrail_word "vitrail.plan=$plan" || continue
\t\tcase "$vitrail_bad" in *" $plan "*) continue ;; esac
\t\t[ -e "/sys/bus/pci/devices/$addr/driver" ] || echo "$addr" > /sys/bus/pci/drivers_probe
\tdone < {TABLE}
\treturn 0
}}
"""


_BODY = _body(_FROM_SYSTEM)

_INITRAMFS_TOOLS_HOOK = f"""\
#!/bin/sh
{_HEADER}\
case "$1" in
prereqs)
\techo ""
\texit 0
\t;;
esac
[ -e {TABLE} ] || exit 0
. /usr/share/initramfs-tools/hook-functions
manual_add_modules {" ".join(MODULES)}
copy_file config {TABLE}
"""


def _initramfs_tools_early(body: str) -> str:
    return f"""\
#!/bin/sh
{_HEADER}\
case "$1" in
prereqs)
\techo ""
\texit 0
\t;;
esac
{body}
( vitrail_early )
exit 0
"""


_DRACUT_CONF = f"""\
{_HEADER}\
add_dracutmodules+=" vitrail "
add_drivers+=" {" ".join(MODULES)} "
"""

_DRACUT_MODULE = f"""\
#!/bin/bash
{_HEADER}\
check() {{
\t[ -e {TABLE} ] || return 1
\treturn 0
}}

depends() {{ return 0; }}

installkernel() {{ hostonly='' instmods {" ".join(MODULES)}; }}

install() {{
\tinst_multiple modprobe
\tinst_simple {TABLE}
\tinst_hook pre-udev 00 "$moddir/vitrail-early.sh"
}}
"""


def _dracut_early(body: str) -> str:
    return f"""\
#!/bin/sh
{_HEADER}\
(
{body}
vitrail_early
)
:
"""


# Read by bash after /etc/mkinitcpio.conf: ours goes right behind `base`, so before `udev`, and no line is replaced.
_MKINITCPIO_CONF = f"""\
{_HEADER}\
_vitrail_hooks=()
for _vitrail_hook in "${{HOOKS[@]}}"; do
\t_vitrail_hooks+=("$_vitrail_hook")
\tif [[ $_vitrail_hook == base ]]; then
\t\t_vitrail_hooks+=(vitrail)
\tfi
done
HOOKS=("${{_vitrail_hooks[@]}}")
unset _vitrail_hook _vitrail_hooks
"""

_MKINITCPIO_INSTALL = f"""\
#!/bin/bash
{_HEADER}\
build() {{
\tlocal module
\tfor module in {" ".join(MODULES)}; do
\t\tadd_module "$module"
\tdone
\tadd_file {TABLE}
\tadd_runscript
}}

help() {{ echo "Reserves cards for virtual machines before any other driver takes them."; }}
"""


def _mkinitcpio_hook(body: str) -> str:
    return f"""\
#!/usr/bin/ash
{_HEADER}\
{body}
run_earlyhook() {{
\t( vitrail_early )
}}
"""


FIXED_TEXTS: dict[Fixed, str] = {
    Fixed.INITRAMFS_TOOLS_HOOK: _INITRAMFS_TOOLS_HOOK,
    Fixed.INITRAMFS_TOOLS_EARLY: _initramfs_tools_early(_BODY),
    Fixed.DRACUT_CONF: _DRACUT_CONF,
    Fixed.DRACUT_MODULE: _DRACUT_MODULE,
    Fixed.DRACUT_EARLY: _dracut_early(_BODY),
    Fixed.MKINITCPIO_CONF: _MKINITCPIO_CONF,
    Fixed.MKINITCPIO_INSTALL: _MKINITCPIO_INSTALL,
    Fixed.MKINITCPIO_HOOK: _mkinitcpio_hook(_BODY),
    Fixed.BOOSTER_MODULES: f"modules_force_load: {','.join(MODULES)}\n",
    **GUARD_TEXTS,
}
"""Whole files, but for booster, whose one file is the user's: there it is the block."""

TRIAL_EARLY: dict[InitramfsTool, str] = {
    InitramfsTool.INITRAMFS_TOOLS: _initramfs_tools_early(_body(_CARRIED_ALONG)),
    InitramfsTool.DRACUT: _dracut_early(_body(_CARRIED_ALONG)),
    InitramfsTool.MKINITCPIO: _mkinitcpio_hook(_body(_CARRIED_ALONG)),
}
"""The same script in a trial's own image, which brings its modules along. Booster runs no scripts, so it has none."""
