# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts to findings and verdicts, each with its evidence. Reads no machine and no XML; writes nothing."""
