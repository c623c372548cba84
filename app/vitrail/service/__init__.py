# SPDX-License-Identifier: GPL-3.0-or-later
"""Joins the verbs: libvirt, state folder, journal, recordings, processes. Knows no Qt."""
