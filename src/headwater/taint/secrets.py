"""Secrets by their names: which settings hold one, and when data that may be one is worth following.

A client of a library is made with a key, and what it gives is no key: a secret is followed only where nothing about its way is unsure.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from headwater.index.entities import Fn
from headwater.taint import personal
from headwater.taint.labels import BIT, Label, derive

ENVIRONMENTS = frozenset({"os.environ", "js:process.env", "node:process.env", "js:Bun.env"})
"""The environment, by API path."""
CLASSES = frozenset({"prompt", "log", "response", "generation", "vector-write", "training-data", "telemetry", "limit", "waiting"})
"""Sink classes for data of which nothing about its way may be unsure: they make no function worth interpreting that names no secret."""
KINDS = frozenset({"secret", "pii", "model-internals", "system-prompt", "fixed-prompt", "contact-data"})
"""Source kinds of what is not for everybody: it does no damage where it goes, but there."""
_SURE = frozenset({"generation", "limit", "waiting"})
"""Those of them to which it may not be unsure, whatever the data is."""
_KEPT = frozenset({"vector-write", "training-data"})
"""Those of them to which the way may be unsure."""
SHOWN = BIT["prompt"] | BIT["log"] | BIT["response"] | BIT["telemetry"]
"""What a piece of a secret does no harm to (``key[:4]``)."""
_FOR_SECRETS = SHOWN | BIT["prompt-system"] | BIT["embedding"] | BIT["vector-write"]

_NAME = re.compile(
    r"(^|_)(api_?key|(access|account|admin|auth|client|deploy|encryption|master|private|secret|service|signing|storage|webhook)_?key|secret"
    r"|password|passwd|passphrase|(access|api|app|auth|bearer|bot|deploy|gh|github|gitlab|hf|hub|id|oauth|personal|refresh|slack)_?token)s?$"
    r"|^(token|(?!(eos|bos|pad|stop|mask|unk|sep|cls|max|next|start|end)_)[a-z0-9]+_token)$",
    re.IGNORECASE,
)
_PUBLIC = re.compile(r"(^|_)(anon|browser|client|next_public|posthog|public|publishable|react_app|site|vite)_", re.IGNORECASE)
_PLAIN = re.compile(
    r"^(?:(?!session)[a-z0-9]+_)*(?:audience|count|description|email|enabled|expires|host|hostname|issuer|kind|label|length|model|name|port|region"
    r"|scopes?|title|type|user|version)$"
    r"|^(?:api_)?base_ur[il]$|^(?:expires|created|updated)_(?:at|in|on)$|^(?:client|cloud|key|organi[sz]ation|project|team|tenant|user)_id$"
    r"|^(?:is|has)_[a-z0-9_]+$"
)
"""Names of parts of a setting that are no secret, as ``name`` beside ``key``: what it is called, whose it is, how many there are."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@functools.lru_cache(maxsize=1 << 16)
def harmless(name: object) -> int:
    """The sink classes to which a secret of this name does no harm: keys that are made for pages are sent to them."""
    return BIT["response"] if isinstance(name, str) and _PUBLIC.search(name) else 0


@functools.lru_cache(maxsize=1 << 16)
def named(name: object) -> bool:
    """Whether a setting or parameter is called like one that holds a secret."""
    return isinstance(name, str) and _NAME.search(name) is not None


@functools.lru_cache(maxsize=1 << 16)
def plain(name: object) -> bool:
    """Whether a part of something that holds secrets is called like what is none."""
    return isinstance(name, str) and _PLAIN.search(_CAMEL.sub("_", name).lower()) is not None and not named(name)


def shown(labels: frozenset[Label], steps: Any) -> tuple[frozenset[Label], Any]:
    """The labels, and their steps, of a part that is no secret."""
    made = {label: new for label in labels if (new := derive(label, clear=SHOWN, exact=True) if _is_secret(label) else label) is not None}
    return frozenset(made.values()), {new: steps[old] for old, new in made.items() if old in steps} if steps else steps


def _is_secret(label: Label) -> bool:
    return label.source is not None and label.source.kind == "secret"


def followed(fn: Fn, label: Label, class_: str, lost: int) -> bool:
    """Whether data that reaches a sink is worth telling, as far as it may be a secret; ``lost``: the steps of confidence lost."""
    if label.source is not None:
        return not lost or (class_ not in _SURE and (label.source.kind not in KINDS or not BIT[class_] & _FOR_SECRETS))
    if class_ not in CLASSES or class_ in _KEPT:
        return True
    if lost:
        return False
    last = label.path[-1] if label.path else fn.ir.params[label.param].name if label.param < len(fn.ir.params) else ""
    return class_ != "log" or named(last) or personal.key(last) != ""
