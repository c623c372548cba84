# SPDX-License-Identifier: GPL-3.0-or-later
"""The class words that lspci prints, and the class codes they stand for.

Separate because it is a table: lspci without numbers prints a class as words, and those are its rendering of the code,
not a device's name. Words of older databases stand beside today's.
"""

from __future__ import annotations

from string import hexdigits

_WORDS = {
    0x0000: "Non-VGA unclassified device",
    0x0001: "VGA compatible unclassified device",
    0x0005: "Image coprocessor",
    0x00FF: "Unclassified device",
    0x0100: "SCSI storage controller",
    0x0101: "IDE interface",
    0x0102: "Floppy disk controller",
    0x0103: "IPI bus controller",
    0x0104: "RAID bus controller",
    0x0105: "ATA controller",
    0x0106: "SATA controller",
    0x0107: "Serial Attached SCSI controller",
    0x0108: "Non-Volatile memory controller",
    0x0109: "Universal Flash Storage controller",
    0x0180: "Mass storage controller",
    0x0200: "Ethernet controller",
    0x0201: "Token ring network controller",
    0x0202: "FDDI network controller",
    0x0203: "ATM network controller",
    0x0204: "ISDN controller",
    0x0205: "WorldFip controller",
    0x0206: "PICMG controller",
    0x0207: "Infiniband controller",
    0x0208: "Fabric controller",
    0x0280: "Network controller",
    0x0300: "VGA compatible controller",
    0x0301: "XGA compatible controller",
    0x0302: "3D controller",
    0x0380: "Display controller",
    0x0400: "Multimedia video controller",
    0x0401: "Multimedia audio controller",
    0x0402: "Computer telephony device",
    0x0403: "Audio device",
    0x0480: "Multimedia controller",
    0x0500: "RAM memory",
    0x0501: "FLASH memory",
    0x0502: "CXL",
    0x0580: "Memory controller",
    0x0600: "Host bridge",
    0x0601: "ISA bridge",
    0x0602: "EISA bridge",
    0x0603: "MicroChannel bridge",
    0x0604: "PCI bridge",
    0x0605: "PCMCIA bridge",
    0x0606: "NuBus bridge",
    0x0607: "CardBus bridge",
    0x0608: "RACEway bridge",
    0x0609: "Semi-transparent PCI-to-PCI bridge",
    0x060A: "InfiniBand to PCI host bridge",
    0x0680: "Bridge",
    0x0700: "Serial controller",
    0x0701: "Parallel controller",
    0x0702: "Multiport serial controller",
    0x0703: "Modem",
    0x0704: "GPIB controller",
    0x0705: "Smard Card controller",
    0x0780: "Communication controller",
    0x0800: "PIC",
    0x0801: "DMA controller",
    0x0802: "Timer",
    0x0803: "RTC",
    0x0804: "PCI Hot-plug controller",
    0x0805: "SD Host controller",
    0x0806: "IOMMU",
    0x0880: "System peripheral",
    0x0899: "Timing Card",
    0x0900: "Keyboard controller",
    0x0901: "Digitizer Pen",
    0x0902: "Mouse controller",
    0x0903: "Scanner controller",
    0x0904: "Gameport controller",
    0x0980: "Input device controller",
    0x0A00: "Generic Docking Station",
    0x0A80: "Docking Station",
    0x0B40: "Co-processor",
    0x0C00: "FireWire (IEEE 1394)",
    0x0C01: "ACCESS Bus",
    0x0C02: "SSA",
    0x0C03: "USB controller",
    0x0C04: "Fibre Channel",
    0x0C05: "SMBus",
    0x0C06: "InfiniBand",
    0x0C07: "IPMI Interface",
    0x0C08: "SERCOS interface",
    0x0C09: "CANBUS",
    0x0C80: "Serial bus controller",
    0x0D00: "IRDA controller",
    0x0D01: "Consumer IR controller",
    0x0D10: "RF controller",
    0x0D11: "Bluetooth",
    0x0D12: "Broadband",
    0x0D20: "802.1a controller",
    0x0D21: "802.1b controller",
    0x0D80: "Wireless controller",
    0x0E00: "I2O",
    0x1000: "Network and computing encryption device",
    0x1010: "Entertainment encryption device",
    0x1080: "Encryption controller",
    0x1100: "DPIO module",
    0x1101: "Performance counters",
    0x1110: "Communication synchronizer",
    0x1120: "Signal processing management",
    0x1180: "Signal processing controller",
    0x1200: "Processing accelerators",
    0x1201: "SNIA Smart Data Accelerator Interface (SDXI) controller",
    0x1300: "Non-Essential Instrumentation",
    0x4000: "Coprocessor",
    0xFF00: "Unassigned class",
}

_OLDER_WORDS = {
    "Generic system peripheral": 0x0880,
    "IDE controller": 0x0101,
    "RAID controller": 0x0104,
    "Smart Card controller": 0x0705,
    "Signal processing device": 0x1180,
}

_CODES = {words.lower(): code for code, words in _WORDS.items()}
_CODES |= {words.lower(): code for words, code in _OLDER_WORDS.items()}
_LONGEST = max(len(words.split()) for words in _CODES)


def class_of_words(words: str) -> int | None:
    """The 16-bit class that lspci calls so, None where nobody here knows the words."""
    plain = " ".join(words.lower().split())
    number = plain.removeprefix("class ")
    if number != plain and len(number) == len("0300") and set(number) <= set(hexdigits):
        return int(number, 16)
    return _CODES.get(plain)


def leading_class(rest: str) -> tuple[int, str] | None:
    """The class whose words this text starts with, and what follows: for columns, where no colon stands between."""
    parts = rest.split(maxsplit=_LONGEST)
    for count in range(min(_LONGEST, len(parts)), 0, -1):
        code = _CODES.get(" ".join(parts[:count]).lower())
        if code is not None:
            return code, " ".join(parts[count:])
    return None
