# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said to the root helper and what it answers: one JSON line each way, protocol 1.

Separate from the helper because both sides need it, and because the refusals are kinds and arguments: the side that
knows the user's language makes sentences of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.host_step import HostPlan
from vitrail.model.kernel_argument import check_plan_id

PROTOCOL = 1
MAX_LINE_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_ID_LENGTH = 64
_OPEN_FILE = re.compile(r"proc/[1-9][0-9]{0,9}/fdinfo/(0|[1-9][0-9]{0,9})", re.ASCII)
_JOB = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hello:
    """Which helper this is and what it knows."""


@dataclass(frozen=True, slots=True)
class Apply:
    """Carry out exactly this."""

    plan: HostPlan


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back a plan's newest run, or the newest run of all, or everything. `force`: exactly as it was before."""

    plan_id: str | None
    everything: bool
    force: bool

    def __post_init__(self) -> None:
        if self.plan_id is not None:
            check_plan_id(self.plan_id)
            if self.everything:
                raise ValueError("everything")


@dataclass(frozen=True, slots=True)
class Status:
    """Every run, and what awaits Keep."""


@dataclass(frozen=True, slots=True)
class Keep:
    """The plan is to stay; the boot in which the user saw that is named."""

    plan_id: str
    boot_id: str

    def __post_init__(self) -> None:
        check_plan_id(self.plan_id)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a recording of this machine holds, in pages: after this path, None for the first page."""

    after: str | None


@dataclass(frozen=True, slots=True)
class Watch:
    """Load data that only root sees, in pages like `Facts`."""

    after: str | None

    def __post_init__(self) -> None:
        if self.after is not None and not _OPEN_FILE.fullmatch(self.after):
            raise ValueError("after")


@dataclass(frozen=True, slots=True)
class Job:
    """How a change that was begun over the bus is getting on; None: the newest that the same user began.

    The answer comes as soon as there is more than was `seen`, and after some seconds in any case; -1: at once.
    """

    job: str | None
    seen: int

    def __post_init__(self) -> None:
        if self.job is not None and not _JOB.fullmatch(self.job):
            raise ValueError("job")
        if self.seen < -1:
            raise ValueError("seen")


@dataclass(frozen=True, slots=True)
class Extend:
    """A quarter of an hour more until the guard takes the trial back, or restarts."""

    plan_id: str
    boot_id: str

    def __post_init__(self) -> None:
        check_plan_id(self.plan_id)


@dataclass(frozen=True, slots=True)
class Story:
    """What became of trials that nobody kept, and what this boot shows of kept plans: a `HostStory`."""


Request = Hello | Apply | Undo | Status | Keep | Facts | Watch | Job | Extend | Story
VERBS: dict[str, type[Request]] = {
    "hello": Hello,
    "apply": Apply,
    "undo": Undo,
    "status": Status,
    "keep": Keep,
    "facts": Facts,
    "watch": Watch,
    "job": Job,
    "extend": Extend,
    "story": Story,
}


class Kind(StrEnum):
    """Why the helper did not do it. From `apply-failed` on, something may have been written."""

    LINE_TOO_LONG = "line-too-long"
    UNFINISHED_LINE = "unfinished-line"
    NOT_JSON = "not-json"
    TOO_DEEP = "too-deep"
    DUPLICATE_KEY = "duplicate-key"
    NOT_A_REQUEST = "not-a-request"
    PROTOCOL = "protocol"
    VERB = "verb"
    FIELDS = "fields"
    NOT_AVAILABLE = "not-available"
    RULE = "rule"
    """The plan breaks a rule of the helper's own: `rule` names it."""
    OTHER_MACHINE = "other-machine"
    OTHER_BOOT = "other-boot"
    OTHER_DEVICE = "other-device"
    UNREAD = "unread"
    """Something that has to be compared could not be read."""
    PLACE = "place"
    """A path is not what it should be: a link, no plain file, not root's."""
    SUBJECT_CHANGED = "subject-changed"
    RENDERING = "rendering"
    """What is rendered here is not what was previewed."""
    UNRENDERABLE = "unrenderable"
    TOOL_MISSING = "tool-missing"
    NO_SPACE = "no-space"
    PACKAGE_LOCK = "package-lock"
    LOCKED = "locked"
    INTERRUPTED = "interrupted"
    """An earlier run never ended: it has to be taken back first."""
    LATER_PLAN = "later-plan"
    """A later plan wrote the same subject: it has to be taken back first."""
    HELD = "held"
    """Somebody uses the device: `holders` names them, `kinds` says what they are."""
    NO_RUN = "no-run"
    NOT_RESTARTED = "not-restarted"
    NOT_STARTED = "not-started"
    """This start is not the one that the plan is tried in."""
    TOO_LATE = "too-late"
    """The guard is taking the plan back already."""
    AWAITS_KEEP = "awaits-keep"
    """Another plan is being tried: one trial at a time."""
    TRIAL = "trial"
    """The trial would not start what runs now: `what` differs from what is read here."""
    ONE_SHOT = "one-shot"
    """A start that happens only once cannot be relied on here: `reason`."""
    INITRAMFS = "initramfs"
    """The initramfs has no sound place for the early script: `reason`."""
    OTHER_STACK = "other-stack"
    """Not what started this computer: `stack`."""
    NO_USER = "no-user"
    """No ordinary user here has this name or number: `user`."""
    NO_GROUP = "no-group"
    NO_ROM = "no-rom"
    """What lies there is no expansion ROM of a card: `path`."""
    NO_CORE = "no-core"
    """The helper's own file, which the guard needs a copy of, cannot be read."""
    JOURNAL = "journal"
    """The journal or an original is not readable."""
    STATE = "state"
    """The state folder cannot be used."""
    CORE_MISSING = "core-missing"
    """The program that does the work could not be started."""
    APPLY_FAILED = "apply-failed"
    """A step failed; `result` says what became of the rest."""
    UNDO_FAILED = "undo-failed"
    INTERNAL = "internal"
    NO_JOB = "no-job"
    """Nobody here knows of such a job of this user's."""
    CORE_DIED = "core-died"
    """The program that does the work ended without an answer that can be read."""
    CORE_LATE = "core-late"
    """It has not answered in all the time that there is; only a restart may end it."""


class Refusal(Exception):
    """The answer is no: a kind and arguments, never a sentence."""

    def __init__(self, kind: Kind, **args: str | int) -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.args_of = args


@dataclass(frozen=True, slots=True)
class HostStepOutcome:
    """One step of an apply or undo; `detail` is a kind, `args` what it is about."""

    index: int
    kind: str
    subject: str
    result: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class HostRunOutcome:
    """One apply or undo; `result` is a `RunResult`."""

    plan_id: str
    run: str
    result: str
    steps: tuple[HostStepOutcome, ...]


@dataclass(frozen=True, slots=True)
class HostRunState:
    """One run in a status; `state` is a `RunState`, `kept` whether the user saw it work."""

    plan_id: str
    run: str
    started_at: float
    state: str
    kept: bool
    awaits_keep: bool
    boot_id: str


@dataclass(frozen=True, slots=True)
class HostProgress:
    """The step that has just begun: the how manyth of how many, and whether it is being taken back."""

    plan_id: str
    step: int
    of: int
    kind: str
    subject: str
    back: bool


@dataclass(frozen=True, slots=True)
class HostJobStarted:
    """What a change over the bus is answered with: it has begun, and goes on whether or not anybody waits."""

    job: str


@dataclass(frozen=True, slots=True)
class HostJob:
    """A change that was begun over the bus. `request` is the id that its caller gave, `seen` what to ask on from."""

    job: str
    request: str
    verb: str
    plan_id: str | None
    started_at: float
    seen: int
    progress: HostProgress | None
    answer: str | None
    """The line that the core answered with, None as long as it is at work."""
