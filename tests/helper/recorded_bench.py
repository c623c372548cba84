# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded machine as one that the helper can work on: its own files, programs that run, images that are some.

What a recording does not hold is made up from what the machine says of itself: kernels, modules, images. The programs
do in few lines what the real ones do with the files that a plan writes; each was run once before a test begins, so that
what they make anew can be compared.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from helper import bench
from helper.bench import call, device_files, program
from helper.trial_bench import _MODULES, BLOCK, BOOTCTL, GRUB_PROGRAMS, ONE_SHOT
from machines.build import place_of
from vitrail.model.boot import BootStack
from vitrail.model.machine import Host
from vitrail.model.reading import known_or
from vitrail.model.trial import EntryTrial, GrubTrial

_STARTED = "{ echo load_env; echo save_env next_entry; echo 'source custom.cfg'; "
_INSMOD = "folder usr/bin; plain usr/bin/insmod ELF\n"
_OSTREE = (
    'read -r line < /boot/ostree.line; shift; words=""\n'
    '[ $# = 0 ] && { echo "$line"; exit 0; }\n'
    'case "$1" in --append*) for one in "$@"; do words="$words ${one#*=}"; done\n'
    f"{bench._ADD_WORDS};;\n"
    '*) for one in "$@"; do words="$words ${one#*=}"; done\n'
    f"{bench._TAKE_WORDS};;\nesac\n"
    'echo "$line" > /boot/ostree.line\n'
)
_LIMINE_IMAGE = "/boot/cachyos/linux-cachyos/initramfs"
_WORDS_OF_LIMINE = (
    'words=""\nwhile read -r line; do case $line in KERNEL_CMDLINE*)\n'
    'line=${line#*\\"}; words="$words ${line%\\"}";; esac\ndone < /etc/default/limine\n'
)


class Recorded:
    """One recorded machine in a folder. `trial` is the entry that its plan would start once, None for none."""

    def __init__(self, name: str, host: Host, folder: Path, trial: GrubTrial | EntryTrial | None) -> None:
        self.host = host
        self.root = folder / "root"
        self.trial = trial
        self.release = known_or(host.kernel, "")
        shutil.copytree(place_of(name) / "root", self.root, symlinks=True)
        self._shell()
        self._kernel()
        self._devices()
        for path, words in self._programs().items():
            program(self.root, path, words)
        self._settle()

    def _write(self, path: str, words: str | bytes = "") -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(words.encode() if isinstance(words, str) else words)

    def _shell(self) -> None:
        lib = self.root / "usr/lib"
        lib.mkdir(parents=True, exist_ok=True)
        (self.root / "lib").symlink_to("usr/lib")
        for path in bench._shell_files():
            self._write(str(path).lstrip("/"), path.resolve().read_bytes())
            (self.root / str(path).lstrip("/")).chmod(0o755)
        self._write("bin/sh", bench._shell_files()[0].read_bytes())
        (self.root / "bin/sh").chmod(0o755)
        self._write("dev/null")
        for folder in (
            "boot/cachyos/linux-cachyos",
            "run",
            "etc/default/grub.d",
            "boot/efi/loader/entries",
            "boot/loader/entries",
            "boot/grub",
        ):
            (self.root / folder).mkdir(parents=True, exist_ok=True)

    def _kernel(self) -> None:
        modules = self.root / f"usr/lib/modules/{self.release}"
        rows = []
        for name, needs in _MODULES.items():
            self._write(f"usr/lib/modules/{self.release}/kernel/{name}.ko", b"\x7fELF" + name.encode())
            rows.append(f"kernel/{name}.ko:{''.join(f' kernel/{need}.ko' for need in needs)}\n")
        (modules / "modules.dep").write_text("".join(rows))
        (modules / "modules.builtin").write_text("kernel/virt/lib/irqbypass.ko\n")
        self._write(f"boot/vmlinuz-{self.release}", "kernel")
        if self.trial is not None:
            for path in (self.trial.kernel, *self.trial.initrds):
                self._write(f"{self._mount}{path}".lstrip("/"), "loaded")

    def _devices(self) -> None:
        """A recording leaves out what one file of a function says as well as several."""
        for device in known_or(self.host.devices, ()):
            folder = (self.root / f"sys/bus/pci/devices/{device.address}").resolve()
            for name, words in device_files(device.identity, device.pci_class.code or 0).items():
                (folder / name).write_text(words)

    @property
    def _mount(self) -> str:
        """Where the loader's paths begin."""
        if isinstance(self.trial, GrubTrial):
            return "" if self.trial.kernel.startswith("/boot/") else "/boot"
        assert isinstance(self.trial, EntryTrial)
        return f"/{self.trial.folder.value.removesuffix('/loader/entries')}"

    @property
    def _images(self) -> list[str]:
        """Where this machine's images are: those that it shows, and what its trial is loaded after."""
        shown = [f"/{path}" for path in known_or(self.host.boot.setup.images, ())]
        loaded = [f"{self._mount}{self.trial.initrds[-1]}"] if self.trial is not None else []
        return list(dict.fromkeys((*shown, *loaded)))

    def _programs(self) -> dict[str, str]:
        images = " ".join(self._images) or "/made-by-nobody"
        built = {
            "usr/sbin/update-initramfs": ("/boot/initrd.img-6.1.0 /boot/initrd.img-6.2.0", images),
            "usr/bin/dracut": ("/boot/initramfs-6.1.0.img /boot/initramfs-6.2.0.img", images),
            "usr/bin/mkinitcpio": ("/boot/initramfs-linux.img", images),
        }
        made = {path: bench.PROGRAMS[path].replace(*places) for path, places in built.items()}
        # What loads modules is in every image of these two, and a trial's own needs it.
        made["usr/bin/mkinitcpio"] = made["usr/bin/mkinitcpio"].replace(
            "folder etc; folder hooks;", f"{_INSMOD}folder etc; folder hooks;"
        )
        made["usr/bin/dracut"] = made["usr/bin/dracut"].replace(
            "folder usr/lib/dracut/hooks/pre-udev\n", f"folder usr/lib/dracut/hooks/pre-udev\n{_INSMOD}"
        )
        made |= {path: bench.PROGRAMS[path] for path in ("usr/bin/grubby", "usr/bin/kernelstub")}
        made["usr/bin/sdboot-manage"] = bench.PROGRAMS["usr/bin/sdboot-manage"]
        made["usr/bin/rpm-ostree"] = _OSTREE
        made["usr/sbin/proxmox-boot-tool"] = bench.PROGRAMS["usr/bin/proxmox-boot-tool"]
        made |= self._of_menus()
        made |= self._of_entries(made["usr/bin/dracut"])
        made["usr/bin/bootctl"] = BOOTCTL
        made["usr/bin/limine-update"] = made["usr/bin/mkinitcpio"].replace(images, _LIMINE_IMAGE) + (
            f'{_WORDS_OF_LIMINE}{{ echo "  cmdline: $words"; echo "  module_path: boot():{_LIMINE_IMAGE[5:]}"; }}'
            " > /boot/limine.conf\n"
        )
        return made

    def _of_menus(self) -> dict[str, str]:
        """GRUB's programs; the menu has the kernel and the images that the machine was started with."""
        trial = self.trial if isinstance(self.trial, GrubTrial) else None
        kernel = trial.kernel if trial is not None else f"/boot/vmlinuz-{self.release}"
        initrds = " ".join(trial.initrds) if trial is not None else f"/boot/initrd.img-{self.release}"
        lines = (
            f'echo "  linux {kernel} root=/dev/vda1 ro $GRUB_CMDLINE_LINUX_DEFAULT"; echo "  initrd {initrds}"; }} > '
        )
        defaults = 'GRUB_CMDLINE_LINUX_DEFAULT=""; . /etc/default/grub\n'
        drop_ins = 'for one in /etc/default/grub.d/*.cfg; do [ -e "$one" ] && . "$one"; done\n'
        made = {
            "usr/sbin/update-grub": f"{defaults}{drop_ins}{_STARTED}{lines}/boot/grub/grub.cfg\n",
            "usr/bin/grub-mkconfig": f'{defaults}{_STARTED}{lines}"$2"\n',
            "usr/sbin/grub2-mkconfig": f'{defaults}{_STARTED}{lines}"$2"\n',
        }
        if trial is None:
            return made
        strip = 'echo "$1"\n' if kernel.startswith("/boot/") else 'words=${1#/boot}; echo "${words:-/}"\n'
        table = next((name.removeprefix("part_") for name in trial.modules if name.startswith("part_")), "")
        probe = (
            f'case "$1" in\n--target=fs_uuid) echo {trial.file_system} ;;\n--target=fs) echo {trial.modules[-1]} ;;\n'
            f"--target=partmap) echo {table} ;;\nesac\n"
        )
        folder = trial.folder.value
        name = folder.rpartition("/")[2]
        for path, words in GRUB_PROGRAMS.items():
            made[path.replace("grub-", f"{name}-")] = words.replace("/boot/grub/", f"/{folder}/")
        made[f"usr/sbin/{name}-probe"] = probe
        made[f"usr/bin/{name}-mkrelpath"] = strip
        return made

    def _of_entries(self, build: str) -> dict[str, str]:
        """Who writes entries from the file of the whole line; the entries that are there are written anew."""
        made = "read -r line < /etc/kernel/cmdline\n"
        for folder in ("boot/loader/entries", "efi/loader/entries", "boot/efi/loader/entries"):
            for path in sorted((self.root / folder).glob("*.conf")):
                if path.name.startswith("vitrail-"):
                    continue
                kept = [line for line in path.read_text().split("\n") if line and not line.startswith("options")]
                said = "; ".join(f"echo '{line}'" for line in kept)
                made += f'{{ {said}; echo "options $line{self._added(path)}"; }} > /{folder}/{path.name}\n'
        return {
            "usr/bin/kernel-install": made + build,
            "usr/bin/sdbootutil": f'case "$1" in mkinitrd)\n{build};;\n*)\n{made};;\nesac\n',
        }

    def _added(self, entry: Path) -> str:
        """What the writer of this entry adds to the line by itself: the snapshot that it is for."""
        options = [line.split()[1:] for line in entry.read_text().split("\n") if line.startswith("options")]
        line = self.root / "etc/kernel/cmdline"
        given = line.read_text().split() if line.exists() else []
        return "".join(f" {word}" for words in options for word in words if word not in given)

    def _settle(self) -> None:
        """Everything that programs make is made once; then this is how the machine was found."""
        self._write("boot/grubby.line", "root=/dev/vda1 ro\n")
        self._write("boot/stub.line", "root=/dev/vda1 ro\n")
        self._write("boot/ostree.line", "root=/dev/vda1 ro\n")
        if isinstance(self.trial, EntryTrial):
            self._write(ONE_SHOT, b"")
        self._write("proc/sys/kernel/osrelease", f"{self.release}\n")
        for image in self._images:
            (self.root / image.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        tool = known_or(self.host.boot.initramfs, None)
        builder = {"initramfs-tools": "/usr/sbin/update-initramfs"}.get(str(tool), f"/usr/bin/{tool}")
        call(self.root, builder)
        stack = known_or(self.host.boot.stack, None)
        for vector in self._makers(stack):
            call(self.root, *vector)
        if isinstance(self.trial, GrubTrial):
            self._write(f"{self.trial.folder.value}/grubenv", BLOCK)
        (self.root / "calls").unlink()

    def _makers(self, stack: BootStack | None) -> list[tuple[str, ...]]:
        """The programs that make this machine's menu or entries."""
        if stack in (BootStack.GRUB, BootStack.GRUB_BLS):
            if (self.root / "boot/grub2/grub.cfg").exists():
                return [("/usr/sbin/grub2-mkconfig", "-o", "/boot/grub2/grub.cfg")]
            if (self.root / "etc/initramfs-tools").exists():
                return [("/usr/sbin/update-grub",)]
            return [("/usr/bin/grub-mkconfig", "-o", "/boot/grub/grub.cfg")]
        made: dict[BootStack | None, list[tuple[str, ...]]] = {
            BootStack.KERNEL_INSTALL: [("/usr/bin/kernel-install", "add", self.release)],
            BootStack.SDBOOTUTIL: [("/usr/bin/sdbootutil", word) for word in ("mkinitrd", "update-all-entries")],
            BootStack.SDBOOT_MANAGE: [("/usr/bin/sdboot-manage", "gen")],
            BootStack.LIMINE: [("/usr/bin/limine-update",)],
            BootStack.PROXMOX: [("/usr/sbin/proxmox-boot-tool", "refresh")],
        }
        return made.get(stack, [])
