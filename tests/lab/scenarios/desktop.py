# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario 8: the same as by command line, by clicks in the real window: a guest gets the card and gives it back."""

from __future__ import annotations

from lab.boards import INSIDE
from lab.disks import machine
from lab.place import runs
from lab.user import Vm
from lab.window import Desktop
from lab.wiring import AUDIO, CARD_WITH_PORTS, CIRRUS, Hardware, Slot

BOARD = Hardware((Slot((CARD_WITH_PORTS, AUDIO)),), builtin=CIRRUS, arguments="video=Virtual-1:d")
WAY = (
    ("vm", "Which VM do you want", "games", "What for…"),
    ("purpose", "What will you use it for", "Games", "How to see it…"),
    ("seeing", "How will you see", "On its own monitor", "Show the modes"),
    ("modes", "Which mode?", "Whole card (passthrough)", "What is lost…"),
)


def test_by_clicks_the_guest_gets_the_card_and_gives_it_back():
    with machine(BOARD, name="desktop", window=True) as made:
        vm = Vm(made, "games")
        before, drivers = vm.xml(), made.drivers()
        window = Desktop(made, runs() / "desktop-pictures")

        window.click("Give a VM graphics…")
        for page, question, answer, following in WAY:
            window.wait(question)
            window.click(answer)
            window.picture(page)
            window.click(following)
        window.wait("What does this computer lose")
        window.picture("losses")
        window.click("Review every change")
        window.wait("1. Change the definition of games")
        window.picture("review")
        assert vm.xml() == before, "nothing is written before the last click"
        window.click("Write these changes")
        window.wait("Did it work?")
        window.wait("shows everything as it was meant")
        window.picture("check")
        window.click("Keep")
        window.wait("Take back the change of games")
        window.picture("changes")
        assert vm.xml() != before

        inside = vm.start()
        assert inside >= INSIDE
        assert {made.driver_of(one.address) for one in made.hardware.wired()[1:]} == {"vfio-pci"}
        window.picture("guest-runs")
        vm.shut_down()
        assert made.drivers() == drivers

        window.click("Take back")
        window.wait("it was taken back")
        window.picture("taken-back")
        assert vm.xml() == before
        assert made.vitrail("history", "--json").json["plans"][0]["state"] == "taken_back"
