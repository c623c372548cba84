# SPDX-License-Identifier: GPL-3.0-or-later
"""Where facts come from: this machine, a recording, the udev database, pasted text. Reads; never concludes."""
