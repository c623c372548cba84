# SPDX-License-Identifier: GPL-3.0-or-later
"""libvirt's XML: read, edited in place, compared, taken back, shown. Mechanism without policy; lxml stays in here."""

from vitrail.xmldoc.capabilities import read_capabilities, read_domain_capabilities, read_node_device
from vitrail.xmldoc.compare import Difference, differences
from vitrail.xmldoc.shown import masked, shown_diff
from vitrail.xmldoc.splice import edit
from vitrail.xmldoc.takeback import TakenBack, take_back
from vitrail.xmldoc.vm import read_vm

__all__ = [
    "Difference",
    "TakenBack",
    "differences",
    "edit",
    "masked",
    "read_capabilities",
    "read_domain_capabilities",
    "read_node_device",
    "read_vm",
    "shown_diff",
    "take_back",
]
