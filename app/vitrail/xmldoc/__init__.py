# SPDX-License-Identifier: GPL-3.0-or-later
"""libvirt's XML, read and edited in place: comments, unknown elements and foreign namespaces survive. No policy."""
