"""What the front matter of a rule file (``rules/<rule-id>.md``) may say.

The Markdown below the front matter is the page that ``rules explain`` shows. Its fenced code blocks whose info string is
``python``, ``typescript``, ``tsx``, ``javascript`` or ``jsx`` are tests: a block with ``path=NAME`` is a file, and a heading begins
a new case, so that one case can have several files. ``# expect: rule-id`` (``//`` in scripts) stands on each line where the rule
must report; a line without it must stay quiet (for this rule). ``# MISSING: rule-id`` marks a known miss and
``# SPURIOUS: rule-id`` a known false alarm. In the suites, ``(critical low)`` behind it is the severity and confidence that the
finding must have.

Loading is in ``headwater.rules.load``.
"""

from __future__ import annotations

import msgspec

SEVERITIES = ("critical", "high", "medium", "low")
CONFIDENCES = ("high", "medium", "low")


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="kebab"):
    pass


class FlowPattern(_Strict, frozen=True):
    """Data of one of these kinds reaches a sink of one of these classes."""

    from_: list[str] = msgspec.field(name="from")
    to: list[str]
    open: bool = False
    """Only where just anybody can send the data, to something that others share (``headwater.taint.openness``)."""
    owned: bool = False
    """Only where a store holds what belongs to several users, and nothing on the way asks whose it is (``headwater.taint.tenancy``)."""


REACHES = ("anybody", "known", "request")
"""Who has a call made by a request: just anybody; somebody whose identity is known, and does not reach rows that have owners; known or not,
but not just anybody (``headwater.system.ways``, ``headwater.system.owners``)."""


class CallPattern(_Strict, frozen=True):
    """A call that is wrong by itself."""

    path: str | list[str]
    """API path, as in API models."""
    when: str = ""
    """Condition on the arguments, as in API models."""
    confidence: str = "high"
    message: str = ""
    """Beats the rule's message for this call."""
    unless: list[str] = []
    """Words: nothing is reported in a file whose code has one of them, in any case: what the call leaves out is done there otherwise."""
    but_for: list[str] = []
    """Parts of the result: nothing is reported where the function that calls reads these alone."""
    received: list[str] = []
    """Members of what a sign-in service has answered, or of the account that keeps it: of little harm where the first argument is one of
    these, and no request is known to bring it."""
    asked: bool = False
    """Nor where all that leads to the call stands in files that have one of the words of ``unless`` and refuse requests, or the routers of
    its file name a function first that does."""
    sent: bool = False
    """Of little harm where no request is known to bring the first argument: it is for programs that read what is theirs."""
    then: list[str] = []
    """Functions: nothing is reported where one of these is given the same first argument afterwards, with another and no ``options``."""
    reach: str = ""
    """Only where a request leads to the call (``REACHES``)."""


PAPERS = (
    "misspelt-package",
    "model-hub-of-others",
    "model-hub-without-tls",
    "placeholder-account",
    "secret-written-down",
    "unpinned-model-download",
    "unpinned-package-install",
    "unpinned-tool-server",
    "untrusted-package-index",
    "unverified-model-download",
    "vulnerable-package",
)
"""Shapes of files beside the code (``headwater.documents``)."""
SHAPES = (
    "admin-key-for-many",
    "approval-by-default",
    "approval-switched-off",
    "approval-unseen",
    "delegation-circle",
    "description-of-others",
    "description-orders",
    "effect-without-approval",
    "endless-agent-loop",
    "lethal-trifecta",
    "object-of-anybody",
    "path-check-passed",
    "read-for-another",
    "result-as-system",
    "search-without-owner",
    "sign-in-by-case",
    "sign-in-by-query",
    "token-passed-on",
    "undeclared-effect",
    *PAPERS,
)


class ShapePattern(_Strict, frozen=True):
    """Code that is wrong by its shape, which the engine knows by a name (``SHAPES``)."""

    shape: str
    confidence: str = "high"
    message: str = ""
    """Beats the rule's message for this shape."""
    unless: list[str] = []
    """Words: nothing is reported in a file whose code has one of them, in any case."""


class DeploymentPattern(_Strict, frozen=True):
    """A service that a deployment starts in a way that is wrong by itself (``headwater.documents.deployed``)."""

    image: str
    """A regular expression for the name of its image, without its tag."""
    ports: list[int] = []
    """One of these is reached from other machines; empty: it does not matter."""
    set: dict[str, str] = {}
    """Settings of which one has a value that it should not have: regular expressions for all of the name and of the value, in any case."""
    without: list[str] = []
    """Settings of which none is there: regular expressions for a part of a name, or of the command line, in any case."""
    confidence: str = "high"
    message: str = ""
    """Beats the rule's message for this service."""


VERDICTS = ("malicious", "review", "inconclusive")


class Mappings(_Strict, frozen=True):
    """Where the rule stands in the standards; each id carries its edition (``LLM05:2025``)."""

    owasp_llm: list[str] = []
    owasp_agentic: list[str] = []
    atlas: list[str] = []
    cwe: list[int] = []
    """Classic weakness first, AI-specific ones after it."""


class RuleHead(_Strict, frozen=True):
    """The front matter of one rule."""

    id: str
    title: str
    """The bad pattern in a few words, a sentence without a full stop: ``Model output is run as code``."""
    severity: str
    """For the strongest case."""
    message: str
    """One or two sentences; ``{source}``, ``{sink}`` and ``{function}`` are filled in. Says what an attacker gains."""
    fix: str
    """What to change, one or two sentences."""
    flow: FlowPattern | None = None
    calls: list[CallPattern] = []
    expressions: dict[str, str] = {}
    """Regular expressions by name, for several calls: ``when: $0 matches NAME``."""
    shapes: list[ShapePattern] = []
    deployments: list[DeploymentPattern] = []
    model_files: str = ""
    """Model files with this verdict (``headwater.modelfiles.verdicts``). ``{source}`` is what such a file does, ``{sink}`` its name."""
    mappings: Mappings = Mappings()
    tags: list[str] = []
    messages: dict[str, str] = {}
    """Messages of single sink classes, where what an attacker gains differs."""
    cookies: bool = False
    """The harm is done with what browsers send along by themselves: little in an application that asks for nothing of the kind. What a
    published package starts runs behind the firewalls of others, so that any page is a bridge to it."""
    setting: bool = False
    """The call is wrong by how it is set, whatever else it is given: where that comes from says nothing."""
    fix_scripts: str = ""
    """What to change in TypeScript and JavaScript, where ``fix`` names what only Python has."""

    @property
    def patterns(self) -> list[CallPattern | ShapePattern | DeploymentPattern]:
        """All that is wrong by itself."""
        return [*self.calls, *self.shapes, *self.deployments]
