"""Data that stands encoded in a text, where none of its signs is special until somebody decodes it: base64, hex, the path of an address.

What is base64 or hex holds letters, digits and few other signs: between the quotes of a program, or in a query or command, it ends nothing.
In the path of an address that was parsed, ``<``, ``>`` and ``"`` stand as ``%3C``: in a page they begin no tag and end no attribute
between double quotes. Labels remember it in ``Label.cleared``, so that decoding takes it back, in another function too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from headwater.taint.labels import BIT, DECODED, ENCODED, PERCENT, Label, derive, uncleared
from headwater.taint.value import NO_CONST, Value

if TYPE_CHECKING:
    from headwater.taint.arguments import Args

_FORMS: Final = frozenset({"base64", "base64url", "hex"})
_ENCODES: Final = re.compile(
    r"js:btoa|base64\.(?:urlsafe_|standard_)?b(?:64|32|16)encode|binascii\.(?:hexlify|b2a_(?:base64|hex))|npm:js-base64.*\.(?:encode|encodeURI)"
)
_DECODES: Final = re.compile(r"(?i)decode|unescape|atob|unquote|fromhex|unhexlify|a2b_")
_PROGRAM: Final = BIT["code"] | BIT["sandboxed-code"]
_TEXTS: Final = BIT["shell"] | BIT["sql"] | BIT["html"] | BIT["xml"] | BIT["query"] | BIT["ldap"] | BIT["template"]
_PAGES: Final = BIT["html"] | BIT["xml"]
_RUNS: Final = re.compile(
    r"(?i)\b(?:exec|eval|compile|pickle|marshal|dill|joblib|unserialize|__import__|function|import_module|execfile|iex|invoke-expression)\b"
    r"|\|\s*(?:sudo\s+)?(?:[\w./-]*/)?(?:ba|z|da|k|a)?sh\b|\|\s*(?:sudo\s+)?(?:python|node|perl|ruby|php|xargs)|-e(?:nc|ncodedcommand|c)?\b|-c\b"
)
"""In the text around: what is decoded there is run."""
_SINGLE: Final = re.compile(r"=\s*'[^'\"<>]*\Z|<script\b(?:(?!</script).)*\Z|\son\w+\s*=\s*\"[^\"]*\Z|javascript:[^\"']*\Z", re.I | re.S)
"""The end of a text in a page behind which other signs count than those of a tag and a double quote."""


def path_of_address(value: Value) -> Value:
    """The path of an address that was parsed, whose scheme is that of the web."""
    return _each(value, lambda label: derive(label, clear=_PAGES | PERCENT, exact=True))


def called(args: Args, names: Sequence[str], receiver: Value | None, result: Value) -> Value:
    """The result of a call that encodes, or decodes."""
    first = args.positional[0].const if args.positional else NO_CONST
    if (args.name == "toString" and receiver is not None and first in _FORMS) or any(_ENCODES.fullmatch(one) for one in names):
        return _each(result, lambda label: derive(label, clear=ENCODED, exact=True))
    of_bytes = args.name == "decode" and not any(one.labels for one in args.positional)
    into_bytes = args.name == "from" and len(args.positional) > 1 and args.positional[1].const in _FORMS
    if into_bytes or (not of_bytes and (_DECODES.search(args.name) or any(_DECODES.search(one.rpartition(".")[2]) for one in names))):
        return _each(result, lambda label: derive(label, weak=DECODED, exact=True))
    return result


def behind(text: str, literals: Sequence[str], value: Value) -> Value:
    """What is put into a text behind ``text``; ``literals``: all that is written in it."""
    if any(label.cleared & ENCODED for label in value.labels) and text.strip("\0"):
        quoted = text.count('"') % 2 or text.count("'") % 2 or text.count("`") % 2
        runs = any(_RUNS.search(one) for one in (text, *literals))
        clear = 0 if runs else _TEXTS | (_PROGRAM if quoted else 0)
        value = _each(value, lambda label: derive(label, clear=clear, exact=True) if label.cleared & ENCODED else label)
    if any(label.cleared & PERCENT for label in value.labels) and _SINGLE.search(text):
        value = _each(value, lambda label: uncleared(label, _PAGES | PERCENT) if label.cleared & PERCENT else label)
    return value


def _each(value: Value, change: Callable[[Label], Label | None]) -> Value:
    made = {label: after for label in value.labels if (after := change(label)) is not None}
    steps = {made[one]: node for one, node in value.steps.items() if one in made} if value.steps else None
    return value.with_(labels=frozenset(made.values()), steps=steps)
