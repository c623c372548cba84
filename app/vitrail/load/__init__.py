# SPDX-License-Identifier: GPL-3.0-or-later
"""Live GPU load: samplers, attribution to VMs, history."""
