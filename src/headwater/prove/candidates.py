"""Which payloads fit a text answer, in which form, dressed as the prompt demands, and how likely each is to be run."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Final

import msgspec

from headwater.prove import arguments, payloads, schemas
from headwater.prove.attempts import Payload
from headwater.prove.forms import Form, Wants

# What a chat shows, where no word of the prompt says what the answer is for.
UNSAID: Final = (("html", 0.6), ("python", 0.16), ("sql", 0.14), ("sh", 0.13), ("javascript", 0.1), ("jinja", 0.1), ("url", 0.1))
OF_PAYLOAD: Final = {"mako": "jinja", "ejs": "jinja", "pug": "jinja", "format": "jinja", "pickle-base64": "pickle"}
OTHER: Final = 0.02  # a language that no word speaks for, beside one that does
ENDS: Final = re.compile(r"final|finish|submit|done|answer|return", re.IGNORECASE)


class Candidate(msgspec.Struct, frozen=True):
    """A payload in a form."""

    payload: Payload
    form: Form
    weight: float
    plain: bool
    """Without what the prompt demands of code beside it."""
    demands: Wants

    @property
    def key(self) -> str:
        demanded = (self.demands.defines, self.demands.calls, self.demands.declares)
        return f"{self.payload.id} {self.form.name} {'' if self.plain else demanded}"


def language(payload: Payload) -> str:
    return OF_PAYLOAD.get(payload.language, payload.language)


def candidates(forms: tuple[Form, ...], wants: Wants, classes: frozenset[str] | None) -> Iterator[Candidate]:
    """Each payload in each form that it may fit."""
    demanding = bool(wants.defines or wants.calls or wants.declares)
    for form in forms:
        fitting = _fitting(form, wants)
        for payload in payloads.payloads():
            if (classes is not None and payload.sink_class not in classes) or "{root}" in payload.text:
                continue
            weight = form.weight * fitting.get(payload.sink_class, fitting.get(f"/{language(payload)}", 0.0)) * 0.8**payload.rank
            if form.slot and payload.sink_class == "code":
                weight *= _share(language(payload), wants)
            if not form.slot and not _whole(payload):
                weight *= 0.15
            if language(payload) == "python":
                if form.short and "\n" in payload.text:
                    weight *= 0.02
                elif wants.expression and not payloads.is_expression(payload):
                    weight *= 0.6
            elif form.short and "\n" in payload.text:
                weight *= 0.1
            if not weight:
                continue
            if language(payload) == "python" and demanding and not form.short and not form.slot:
                yield Candidate(payload, form, weight, False, wants)
                weight *= 0.4
            yield Candidate(payload, form, weight, True, wants)


def _whole(payload: Payload) -> bool:
    """Whether it makes sense by itself: others are for the middle of a command, a statement or a text in quotes."""
    if payload.sink_class == "sql":
        return bool(re.match(r"(?:CREATE|SELECT|WITH|ATTACH|COPY)\b|/\*", payload.text))
    return payload.family not in {"quote", "newline", "option"} and "{benign}" not in payload.text


def _fitting(form: Form, wants: Wants) -> dict[str, float]:
    """How much a form suits classes of sinks, or languages (with a slash before them)."""
    if form.slot:
        fitting = arguments.classes_of(form.slot, form.about)
        shares = dict(wants.languages)
        top = max(shares.values(), default=1.0)
        for sink_class, name in (("code", "python"), ("code", "javascript"), ("sql", "sql"), ("shell", "sh"), ("html", "html")):
            if name in shares:
                fitting[sink_class] = max(fitting.get(sink_class, 0), 0.7 * shares[name] / top)
        return fitting
    if form.languages:
        return {f"/{name}": 0.95**place for place, name in enumerate(form.languages)}
    if not wants.languages:
        return {f"/{name}": weight for name, weight in UNSAID}
    top = wants.languages[0][1]
    fitting = {f"/{name}": OTHER for name, _ in UNSAID}
    return fitting | {f"/{name}": share / top for name, share in wants.languages}


def _share(name: str, wants: Wants) -> float:
    shares = dict(wants.languages)
    if not shares.keys() & {"python", "javascript"}:
        return 1.0 if name == "python" else 0.5
    return 1.0 if shares.get(name, 0) >= shares.get("python" if name == "javascript" else "javascript", 0) else 0.2


def dress(text: str, candidate: Candidate) -> str:
    """The text of the answer that holds the filled-in payload."""
    if language(candidate.payload) == "python" and not candidate.plain:
        text = demanded(text, candidate.demands)
    return candidate.form.dress(text)


def demanded(code: str, wants: Wants) -> str:
    """Code with what is demanded of it besides: a function that is defined, others that are called, variables that are set."""
    lines = [code]
    for name in wants.calls:
        if not ENDS.search(name) and name not in {found for found, _ in wants.defines}:
            lines.append(f"{name}({schemas.OF_FORMAT['json']!r})" if "json" in name.lower() else f"{name}({_argument(name)!r})")
    for name, value in wants.declares:
        lines.append(f"{name} = {value}")
    code = "\n".join(lines)
    for name, parameters in wants.defines:
        code = f"def {name}({parameters}):\n{textwrap.indent(code, '    ')}\n    return 1"
    return code


def _argument(name: str) -> str:
    return schemas.text({}, name)


def benign(form: Form, wants: Wants) -> str:
    """What an honest model would answer in the form."""
    if form.slot:
        return form.dress(schemas.text({}, form.slot))
    name = form.languages[0] if form.languages else wants.languages[0][0] if wants.languages else ""
    if form.short and name != "sql":
        return form.dress("1")
    if name == "python":
        return form.dress(
            "1" if wants.expression and not wants.declares else demanded("print(1)" if not wants.declares else "", wants).strip()
        )
    return form.dress(
        {"sql": "SELECT 1 AS a", "javascript": "1", "sh": ":", "html": "Done.", "url": "http://127.0.0.1/", "path": "a.txt"}.get(
            name, "Done."
        )
    )
