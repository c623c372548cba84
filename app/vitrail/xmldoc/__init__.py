# SPDX-License-Identifier: GPL-3.0-or-later
"""libvirt's XML: read, edited in place, compared, taken back, shown. Mechanism without policy; lxml stays in here."""
