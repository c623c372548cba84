# SPDX-License-Identifier: GPL-3.0-or-later
"""What the root helper lends of this computer: all pages or nothing, and nobody is asked twice in a moment."""

from __future__ import annotations

from vitrail.model.errors import Refused
from vitrail.model.text import text
from vitrail.service.helper_client import Fact, FactsPage, HelperClient
from vitrail.service.lent_facts import LentFacts
from vitrail.source.lent_root import Loan

PAGES = {
    None: FactsPage((Fact("boot/a", "text", "1"),), "boot/a"),
    "boot/a": FactsPage((Fact("boot/b", "link", "a"),), None),
}


class Client(HelperClient):
    """A helper that tells these pages, and refuses any other."""

    def __init__(self, pages: dict[str | None, FactsPage]) -> None:
        super().__init__()
        self.pages = pages
        self.asked = 0

    def facts(self, after: str | None = None, *, prompts: bool = True) -> FactsPage:
        assert not prompts
        self.asked += 1
        page = self.pages.get(after)
        if page is None:
            raise Refused(text("tests.refused"))
        return page


def test_all_pages_are_lent():
    assert LentFacts(Client(PAGES)).lend() == {"boot/a": Loan("text", "1"), "boot/b": Loan("link", "a")}


def test_half_a_list_is_none():
    assert LentFacts(Client({None: PAGES[None]})).lend() == {}


def test_a_helper_that_gives_nothing_is_not_asked_again_at_once():
    client = Client({})
    facts = LentFacts(client)
    assert (facts.lend(), facts.lend(), client.asked) == ({}, {}, 1)


def test_a_list_without_an_end_ends():
    client = Client({None: FactsPage((), None), "x": FactsPage((), "x")})
    client.pages[None] = FactsPage((), "x")
    assert LentFacts(client).lend() == {}
