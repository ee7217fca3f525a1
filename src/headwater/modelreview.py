"""Model files as part of a review: findings at the files, joined with the calls in the code that load them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from headwater import limits
from headwater.files.source import Source
from headwater.findings import Confidence, Finding, Gap, Place, Trace
from headwater.modelfiles import names, pool
from headwater.modelfiles.folders import File
from headwater.modelfiles.verdicts import ORDER, Concern, Examined, Verdict, worst
from headwater.rules.load import Rule

SHOWN: Final = 3
"""Concerns that a message tells; ``headwater models`` tells them all."""
_CONFIDENCE: Final = {"malicious": Confidence.HIGH, "review": Confidence.MEDIUM, "inconclusive": Confidence.MEDIUM}
_LOADER: Final = re.compile(
    rb"\b(?:\w+\.)*(?:load|loads|load_model|load_weights|load_state_dict|load_checkpoint|load_from_checkpoint|from_pretrained|read_pickle|"
    rb"load_file|safe_open|Unpickler|InferenceSession|Llama|SentenceTransformer|CrossEncoder|pipeline|from_file|load_model_from_file|"
    rb"Interpreter|Core|read_model|load_learner|restore_from|load_module|open_archive|deserialize|Booster|load_graph|yaml_load|full_load|"
    rb"unsafe_load|LLM|AutoModel|from_saved_model|hub_load|jit_load|model_from_json|from_ckpt|from_single_file|load_model_hf)\s*\("
)
_NAME: Final = re.compile(r"\b[A-Za-z_]\w*\b")
_TEXT: Final = re.compile(r"""[rRbBfFuU]{0,2}(?:"([^"\\\n]{1,400})"|'([^'\\\n]{1,400})')""")
_CALL: Final = 600
"""Bytes of a call that are looked at."""
_STEPS: Final = 4
"""Names that are followed from a call to the text that names the file."""


class Load(NamedTuple):
    """A call that loads a file which the code names."""

    place: Place
    text: str
    target: str
    """The path of the model file."""


class Found(NamedTuple):
    findings: list[Finding]
    gaps: list[Gap]
    counts: dict[str, int]
    sources: dict[str, Source]
    """Of the files that findings are at: those of text as they are, the others empty."""


def examine(
    weights: Sequence[tuple[str, str]], processes: int, progress: pool.Progress | None = None
) -> tuple[list[list[Examined]], list[tuple[str, bytes]]]:
    """What was found in each of the files, with their members, and the Python code in them. Workers cost more than a few files do."""
    files = [File(name, absolute, 0) for name, absolute in weights]
    scanned = pool.scan(files, processes if len(files) > limits.MODEL_FILES_AT_ONCE else 1, progress, hashed=False)
    return [one.files for one in scanned], [source for one in scanned for source in one.sources]


def unpack(sources: Sequence[tuple[str, bytes]], folder: Path) -> dict[str, str]:
    """Writes the Python code in model files into a folder, to be reviewed: what it is called there, and in results."""
    made: dict[str, str] = {}
    archives: dict[str, int] = {}
    for name, data in sources[: limits.MODEL_SOURCES]:
        archive, _, member = name.rpartition("!")
        parts = [re.sub(r"[^\w.-]", "_", part) for part in member.split("/") if part not in ("", ".", "..")][-8:]
        if not parts or len(data) > limits.FILE_BYTES:
            continue
        parts[-1] = parts[-1] if parts[-1].endswith(".py") else f"{parts[-1]}.py"
        path = "/".join((f"archive{archives.setdefault(archive, len(archives))}", *(part[:100] for part in parts)))
        if path not in made:
            made[path] = name
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    return made


def renamed(found: Sequence[Finding], names_: Mapping[str, str]) -> list[Finding]:
    """The same findings at the members of the archives that the code is of."""

    def moved(place: Place) -> Place:
        return Place(names_.get(place.path, place.path), place.start, place.end)

    return [
        msgspec.structs.replace(
            finding,
            place=moved(finding.place),
            traces=tuple(
                Trace(trace.kind, tuple(msgspec.structs.replace(step, place=moved(step.place)) for step in trace.steps))
                for trace in finding.traces
            ),
        )
        for finding in found
    ]


def findings(
    scanned: Sequence[Sequence[Examined]], absolutes: Mapping[str, str], rules: Mapping[str, Rule], code: Mapping[str, Source]
) -> Found:
    """The findings that the rules ask for, and what the ledger says."""
    by_verdict = {rule.head.model_files: rule for rule in rules.values() if rule.head.model_files}
    found: list[Finding] = []
    gaps: list[Gap] = []
    sources: dict[str, Source] = {}
    counts: dict[str, int] = {}
    told: dict[str, tuple[Verdict, str]] = {}
    for group in scanned:
        if not is_model(group):
            continue
        counts["model-files"] = counts.get("model-files", 0) + 1
        verdict = worst([one.verdict for one in group])
        if verdict != "clean":
            counts[f"model-files-{verdict}"] = counts.get(f"model-files-{verdict}", 0) + 1
            told[group[0].path] = verdict, _what(group, verdict)
    loads = _loads(code, sorted(told))
    for group in scanned:
        path = group[0].path
        if path not in told:
            continue
        verdict, what = told[path]
        if verdict == "inconclusive":
            pointer = group[0].format == "git-lfs-pointer"
            gaps.append(Gap("model-file", path, 0, f"a model file that could not be looked at to its end: {what}", not pointer))
        rule = by_verdict.get(verdict)
        if rule is not None:
            sources[path] = Source(path, _text(absolutes.get(path, "")))
            found.append(_finding(rule, group, verdict, what, [load for load in loads if load.target == path], code))
    return Found(found, gaps, counts, sources)


def joined(found: Sequence[Finding], scanned: Sequence[Sequence[Examined]], code: Mapping[str, Source]) -> list[Finding]:
    """The findings about calls that load a file, with what is in that file."""
    told = {
        group[0].path: (worst([one.verdict for one in group]), group)
        for group in scanned
        if is_model(group) and worst([one.verdict for one in group]) in ("malicious", "review")
    }
    loads = _loads(code, sorted(told))
    made: list[Finding] = []
    for finding in found:
        targets = [load.target for load in loads if load.place.path == finding.place.path and _meet(load.place, finding.place)]
        if finding.sink_class in ("", "deserialize") and targets:
            verdict, group = told[targets[0]]
            word = "is malicious" if verdict == "malicious" else "is to be reviewed"
            text = f"{finding.message} The file that it names, '{targets[0]}', {word}: {_what(group, verdict)}"
            finding = msgspec.structs.replace(finding, message=text)
        made.append(finding)
    return made


def is_model(group: Sequence[Examined]) -> bool:
    """Whether a file is one that a review speaks of. Programs and archives of a repository are not, unless they harm."""
    formats = {one.format for one in group}
    if any(one.verdict == "malicious" for one in group):
        return True
    known = formats - {"unknown", "executable", "yaml", "xml", "json", "zip", "tar", "gzip", "7z", "archive", "compressed"}
    return bool(known) or (group[0].verdict == "inconclusive" and names.extension(group[0].path) in names.KNOWN_BY_BYTES)


def _concerns(group: Sequence[Examined]) -> list[tuple[Examined, Concern]]:
    """Worst first."""
    return sorted(((one, concern) for one in group for concern in one.concerns), key=lambda pair: ORDER.index(pair[1].verdict))


def _what(group: Sequence[Examined], verdict: Verdict) -> str:
    """What the file does, in words."""
    said: list[str] = []
    for one, concern in _concerns(group):
        if concern.verdict != verdict:
            continue
        member = one.path.partition("!")[2]
        text = f"in '{member}': {concern.message}" if member else concern.message
        if text not in said:
            said.append(text)
    more = f" And {len(said) - SHOWN} more: headwater models tells all." if len(said) > SHOWN else ""
    return " ".join(" ".join(said[:SHOWN]).split()) + more


def _finding(rule: Rule, group: Sequence[Examined], verdict: Verdict, what: str, loads: list[Load], code: Mapping[str, Source]) -> Finding:
    path = group[0].path
    one, concern = next(pair for pair in _concerns(group) if pair[1].verdict == verdict)
    message = rule.head.message.format(source=what.removesuffix("."), sink=f"`{path.rsplit('/', 1)[-1]}`", function="")
    if loads:
        places = [f"`{load.text}` at {code[load.place.path].place(load.place.start)}" for load in loads[:SHOWN]]
        message += f" It is loaded by {' and by '.join(places)}."
    return Finding(
        rule=rule.id,
        title=rule.head.title,
        message=message,
        severity=rule.severity,
        confidence=_CONFIDENCE[verdict],
        place=Place(path, 0, 0),
        function="",
        sink_class="",
        kind="model-file",
        expression=f"{one.path.partition('!')[2]} {concern.check}".strip(),
        ordinal=0,
        traces=(),
        fix=rule.head.fix,
        cwe=tuple(rule.head.mappings.cwe),
        mappings=rule.mappings,
    )


def _text(absolute: str) -> bytes:
    """The file's own bytes where they are a text that a report can show."""
    from headwater.files.read import UnreadableError, read_bytes
    from headwater.modelfiles.texts import is_text

    try:
        data = read_bytes(absolute, limits.FILE_BYTES)
    except UnreadableError:
        return b""
    return data if is_text(data[:4096]) else b""


# ------------------------------------------------------------------------------------------------------------ loaders


def _loads(code: Mapping[str, Source], targets: Sequence[str]) -> list[Load]:
    """The calls that load one of the files: their path is in the call, or in what a name in it stands for."""
    if not targets:
        return []
    by_end: dict[str, list[str]] = {}
    for target in targets:
        parts = target.split("/")
        for part in (parts[-1], *(parts[-2:-1] if len(parts) > 1 else [])):  # the file, or its folder
            by_end.setdefault(part, []).append(target)
    found: list[Load] = []
    for path, source in code.items():
        if not path.endswith(".py") or not any(end.encode("utf-8", "surrogateescape") in source.data for end in by_end):
            continue
        text = source.data.decode("utf-8", "replace")
        for place, call in _calls(path, source.data):
            target = _target(call, text, path, by_end)
            if target:
                found.append(Load(place, " ".join(call.split())[:160], target))
            if len(found) >= limits.MODEL_LOADS:
                return found
    return found


def _calls(path: str, data: bytes) -> Iterator[tuple[Place, str]]:
    for match in _LOADER.finditer(data):
        depth = 0
        for at in range(match.end() - 1, min(len(data), match.end() + _CALL)):
            depth += (data[at : at + 1] in b"([{") - (data[at : at + 1] in b")]}")
            if depth == 0:
                yield Place(path, match.start(), at + 1), data[match.start() : at + 1].decode("utf-8", "replace")
                break


def _target(call: str, text: str, path: str, by_end: Mapping[str, list[str]]) -> str:
    """The model file that a call names, by itself or by names that stand for its path."""
    looked: set[str] = set()
    waiting = [call.partition("(")[2]]
    for _ in range(_STEPS):
        following: list[str] = []
        for part in waiting:
            texts = [one or other for one, other in _TEXT.findall(part)][:6]
            for size in range(len(texts), 0, -1):  # the parts of a path; what follows may be a mode or another argument
                target = _named("/".join(texts[:size]), path, by_end, folders=size == len(texts))
                if target:
                    return target
            for name in _NAME.findall(_TEXT.sub("", part))[:8]:
                if name not in looked and len(looked) < 24:
                    looked.add(name)
                    following += re.findall(rf"^[^\S\n]*{name}\s*(?::[^=\n]+)?=(?!=)\s*([^\n]+)$", text, re.MULTILINE)[:3]
                    following += re.findall(rf"\bopen\(([^\n]{{1,300}})\)\s+as\s+{name}\b", text)[:3]
        waiting = following
    return ""


def _named(written: str, path: str, by_end: Mapping[str, list[str]], folders: bool) -> str:
    """The file that a path in the code is, or with ``folders`` lies in: from the root, from the folder of the code, or by its end."""
    plain = posixpath.normpath(written.replace("\\", "/")).lstrip("/")
    here = posixpath.normpath(posixpath.join(posixpath.dirname(path), plain))
    for target in by_end.get(plain.rsplit("/", 1)[-1], ()):
        if target in (plain, here) or target.endswith(f"/{plain}") or f"/{plain}".endswith(f"/{target}"):
            return target
        if folders and posixpath.dirname(target) and target.startswith((f"{plain}/", f"{here}/")):
            return target
    return ""


def _meet(one: Place, other: Place) -> bool:
    return one.start < other.end and other.start < one.end
