# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's part of a plan, one file a family of steps: files, the initramfs, who owns the arguments, the trial."""
