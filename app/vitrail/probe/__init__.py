# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the model's facts from what the sources say: one reader a subject, read_host() asks them all."""

from vitrail.probe.host import read_host

__all__ = ["read_host"]
