# SPDX-License-Identifier: GPL-3.0-or-later
"""The root side of host changes; standard library and `model` only, so that one file runs on half-broken machines.

Nothing that comes in is trusted: values are checked by their types, paths and programs stand in tables here, and what
must fit this machine is read anew.
"""
