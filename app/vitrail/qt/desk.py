# SPDX-License-Identifier: GPL-3.0-or-later
"""What all pages of one window share: the place it looks at, the threads, the language, and the newest facts.

Pages ask the desk; the window listens to it. So no page knows another one, and none knows the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from vitrail.model.errors import VitrailError
from vitrail.model.resume import ResumeState
from vitrail.qt.facts import Facts
from vitrail.qt.load.short import ShortLoad, short_loads
from vitrail.qt.reading import read_facts
from vitrail.qt.runner import Runner, Ticket
from vitrail.qt.widgets.labels import Say
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import Speaker

if TYPE_CHECKING:
    from vitrail.qt.load.marking import Marking
    from vitrail.qt.load.meter import Beat
    from vitrail.qt.load.sampling import Sampling
    from vitrail.service.load_findings import Trouble

_PAINTED_MS = 50
Prepare = Callable[[Facts, Say], object]


@dataclass(frozen=True, slots=True)
class Look:
    """Facts with what pages made of them."""

    facts: Facts
    prepared: dict[str, object]


class Desk(QObject):
    """One place, opened.

    Signals:
        began: a read was begun.
        facts_read: a new look at the machine, and what is in sight was prepared; a `Facts`.
        pages_prepared: now everything else was prepared too.
        reading_failed: nothing could be read; a `VitrailError`.
        wizard_asked: give the VM with this uuid graphics; empty: ask which.
        page_asked: show the page with this name, at the thing with this key (or empty).
        demo_asked: open the demo machine.
        resume_read: what waits for the user's word on a change of this computer; a `ResumeState`.
        proof_asked: show the page about it.
        load_sampled: the load was measured; a `Beat`.
        troubles_found: what is wrong with the load was judged anew; a tuple of `Trouble`.
    """

    began = Signal()
    facts_read = Signal(Facts)
    pages_prepared = Signal()
    reading_failed = Signal(VitrailError)
    wizard_asked = Signal(str)
    page_asked = Signal(str, str)
    demo_asked = Signal()
    resume_read = Signal(ResumeState)
    proof_asked = Signal()
    load_sampled = Signal(object)
    troubles_found = Signal(object)

    def __init__(self, workplace: Workplace, runner: Runner, speaker: Speaker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.workplace = workplace
        self.runner = runner
        self.speaker = speaker
        self.say = speaker.say
        self.facts: Facts | None = None
        self.preparers: dict[str, Prepare] = {}
        """What each page works out of new facts, on the reader's thread."""
        self.in_sight: frozenset[str] = frozenset()
        """The pages that are prepared before anything is shown; all others after it."""
        self.prepared: dict[str, object] = {}
        self.loads: dict[str, ShortLoad] = {}
        """The known load of every card and VM, as last measured."""
        self.troubles: tuple[Trouble, ...] = ()
        """What is wrong with the load, as last judged."""
        self._under_way: Ticket | None = None
        self._again = False

    @cached_property
    def sampling(self) -> Sampling:
        """The live load, made when it is first wanted."""
        from vitrail.qt.load.sampling import Sampling  # noqa: PLC0415 - nobody needs it for the first picture

        made = Sampling(self.workplace, self.runner, self)
        if self.facts is not None:
            made.know(self.facts.host)
        self.facts_read.connect(lambda facts: made.know(facts.host))
        made.sampled.connect(self._sampled)
        return made

    def _sampled(self, beat: Beat) -> None:
        self.loads = short_loads(beat.sample)
        self.load_sampled.emit(beat)
        if beat.troubles is not None:
            self.troubles = beat.troubles
            self.troubles_found.emit(beat.troubles)

    @cached_property
    def marking(self) -> Marking:
        """The moments that stuttered; it has the seconds before a mark only if it was there."""
        from vitrail.qt.load.marking import Marking  # noqa: PLC0415 - with the load

        return Marking(self.sampling, lambda: self.facts, self.workplace.stutters, self.runner)

    def read(self) -> None:
        """Look at the machine anew. While a look is under way, one more is made after it, not ten."""
        if self._under_way is not None:
            self._again = True
            return
        self.began.emit()
        self._under_way = self.runner.read(self._look, self._done, self._failed, self)

    def watch(self) -> None:
        """Look again whenever the place says that something changed."""
        heard = self.runner.at_home(lambda _: self.read(), self)
        self.runner.read(lambda: self.workplace.watch(heard), _nothing, self.reading_failed.emit, self)

    def _look(self) -> Look:
        facts = read_facts(self.workplace)
        return self._prepare(facts, self.in_sight)

    def _prepare(self, facts: Facts, names: Iterable[str]) -> Look:
        return Look(facts, {name: self.preparers[name](facts, self.say) for name in names})

    def require(self, name: str) -> None:
        """Prepare this page here and now, for whoever is faster than the reader: right after the first look."""
        if self.facts is not None and name not in self.prepared:
            self.prepared |= self._prepare(self.facts, (name,)).prepared

    def look_now(self) -> None:
        """Look on this thread and tell everybody; for pictures, where nobody waits for a window."""
        try:
            facts = read_facts(self.workplace)
        except VitrailError as error:
            self._failed(error)
            return
        self._show(self._prepare(facts, self.preparers))

    def look_for_resume(self) -> None:
        """Ask what waits for the user; where nobody can tell, nothing is said: Changes shows why."""
        self.runner.read(self.workplace.resume_state, self.resume_read.emit, _nothing, self)

    def _done(self, look: Look) -> None:
        self._under_way = None
        self._show(look)
        # Not while what is in sight is painted: two threads that compute take turns.
        QTimer.singleShot(_PAINTED_MS, self, partial(self._prepare_rest, look))
        self._once_more()

    def _prepare_rest(self, look: Look) -> None:
        rest = tuple(name for name in self.preparers if name not in look.prepared)
        self.runner.read(lambda: self._prepare(look.facts, rest), self._rest_done, self._failed, self)

    def _show(self, look: Look) -> None:
        self.facts = look.facts
        self.prepared |= look.prepared
        self.facts_read.emit(look.facts)

    def _rest_done(self, rest: Look) -> None:
        self.prepared |= rest.prepared
        self.pages_prepared.emit()
        self.look_for_resume()

    def _failed(self, error: VitrailError) -> None:
        self._under_way = None
        self.reading_failed.emit(error)
        self._once_more()

    def _once_more(self) -> None:
        if self._again:
            self._again = False
            self.read()


def _nothing(answer: object) -> None:
    """Whoever begins to listen needs no answer."""
    del answer
