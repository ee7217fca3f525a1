"""The services that the files of a deployment start: Compose files, manifests of Kubernetes, and what a Dockerfile sets.

Of each is known what image it runs, which settings it is given, and which of its ports others than this machine reach. What a
variable of the shell decides is not known, but for its default; what a file that is mounted says is not known either.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from headwater.documents.nodes import Node, documents
from headwater.files.source import Source

_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::?([-?+])([^{}]*))?\}|\$(\w+)")
_LOOPBACK: Final = re.compile(r"127(?:\.\d+){3}|localhost|\[?::1\]?")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#+\s*headwater\s*:")
_BETWEEN: Final = re.compile(r":(?![^{]*\})")
"""Between the parts of a port, but for what is in a variable's braces."""
_SETTINGS_FILE: Final = re.compile(r"\.(?:ya?ml|json|toml|conf|cfg|ini|properties|env|acl)$|/(?:config|conf|etc)(?:/|$)", re.IGNORECASE)
_ASIDE: Final = re.compile(
    r"(?:^|[/._-])(?:dev|devel|development|devcontainer|local|tests?|testing|integration|e2e|ci|github|examples?|samples?|demo|debug|quickstart"
    r"|playground|tutorials?|docs?|benchmarks?|deps|watch)(?:[/._-]|$)",
    re.IGNORECASE,
)
"""Of a path: what is started there is for whoever writes the program."""
_FROM: Final = re.compile(r"FROM\s+(?:--\S+\s+)*(\S+)", re.IGNORECASE)
_ENV: Final = re.compile(r"ENV\s+(.*)", re.IGNORECASE)
_PAIR: Final = re.compile(r"""([\w.]+)=("[^"]*"|'[^']*'|\S*)""")
_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Pod", "ReplicaSet", "Job", "CronJob"})
_OUTSIDE: Final = frozenset({"LoadBalancer", "NodePort"})


class Setting(msgspec.Struct, frozen=True):
    """One setting: an environment variable, or a word of the command line with its value."""

    value: str | None
    """None: it is not known."""
    start: int
    end: int


class Port(msgspec.Struct, frozen=True):
    """A port of the service that others than this machine reach; 0: all of its ports."""

    number: int
    start: int
    end: int


class Service(msgspec.Struct, frozen=True):
    """What is started."""

    path: str
    name: str
    image: str
    start: int
    """Of the image."""
    end: int
    settings: dict[str, Setting]
    command: str = ""
    ports: tuple[Port, ...] = ()
    partial: bool = False
    """More settings are in a file that was not read."""
    aside: bool = False
    """It is started where the program is written or tried."""


Read = Callable[[str], Source | None]
"""A file beside, by its path; None where there is none."""


def services(source: Source, language: str, read: Read) -> tuple[list[Service], bool]:
    """What one file starts, and whether a limit cut it off."""
    if language == "dockerfile":
        return list(_of_dockerfile(source)), False
    found: list[Service] = []
    roots, cut = documents(source.data)
    for root in roots:
        inner = root.at("services")
        if inner is not None and inner.fields is not None:
            found += _of_compose(source, inner, read)
        elif root.said("kind") in _WORKLOADS and root.said("apiVersion"):
            found += _of_kubernetes(source, root, roots)
    return found, cut


def comments(source: Source, language: str) -> list[tuple[int, int]]:
    """The comments that speak to Headwater: such text in a value is none."""
    texts: list[Node] = []
    todo: list[Node] = documents(source.data)[0] if language != "dockerfile" else []
    seen: set[int] = set()
    """Contents of mappings and lists, which aliases share."""
    while todo:
        node = todo.pop()
        inner = id(node.fields if node.items is None else node.items)
        if node.text is not None:
            texts.append(node)
        elif inner not in seen:
            seen.add(inner)
            todo += [*(node.items or ()), *(node.fields or {}).values()]
    found = []
    texts.sort(key=_end)
    for line in range(1, source.lines + 1):
        text = source.line_text(line)
        at = _COMMENT.search(text)
        if at is not None:
            start = source.offset(line, at.start() + 1)
            after = bisect_right(texts, start, key=_end)
            if after == len(texts) or not texts[after].start <= start:
                found.append((start, source.offset(line, len(text.rstrip()) + 1)))
    return found


def _end(text: Node) -> int:
    return text.end


# ----------------------------------------------------------------------------------------------------------- compose


def _of_compose(source: Source, table: Node, read: Read) -> Iterator[Service]:
    for key, node in (table.fields or {}).items():
        image = node.at("image")
        if image is None or image.text is None:
            continue
        settings = dict(_environment(node.at("environment")))
        partial = node.at("extends") is not None or node.at("configs") is not None
        for path in _paths(node.at("env_file")):
            beside = read(posixpath.normpath(posixpath.join(posixpath.dirname(source.path), path)))
            if beside is None:
                partial = True
            for name, said in _dotenv(beside.text if beside is not None else ""):
                settings.setdefault(name, Setting(said, image.start, image.end))
        command = " ".join(_words(node.at("command")) + _words(node.at("entrypoint")))
        partial = partial or any(_SETTINGS_FILE.search(one) for one in _targets(node.at("volumes")))
        ports = tuple(_published(node.at("ports")))
        network = node.at("network_mode")
        if network is not None and network.text == "host":
            ports = (Port(0, network.start, network.end),)
        aside = _ASIDE.search(source.path) is not None or node.at("profiles") is not None
        name = _VARIABLE.sub(lambda match: match[3] or "", image.text)
        yield Service(source.path, key, name, image.start, image.end, settings, command, ports, partial, aside)


def _environment(node: Node | None) -> Iterator[tuple[str, Setting]]:
    for key, value in ((node and node.fields) or {}).items():
        if value.text is not None:
            yield key, Setting(_known(value.text), value.key, value.end)
    for one in _items(node):
        if one.text is not None:
            name, equals, said = one.text.partition("=")
            yield name.strip(), Setting(_known(said.strip()) if equals else None, one.start, one.end)


def _items(node: Node | None) -> list[Node]:
    """Of a list; none where there is none."""
    return node.items or [] if node is not None else []


def _known(text: str) -> str | None:
    """A value with the defaults of its variables; None where one has none."""
    unknown = False

    def default(match: re.Match[str]) -> str:
        nonlocal unknown
        if match[2] == "-":
            return match[3] or ""
        unknown = True
        return ""

    made = _VARIABLE.sub(default, text.replace("$$", "\0"))
    return None if unknown else made.replace("\0", "$").strip("\"'")


def _published(node: Node | None) -> Iterator[Port]:
    """Ports that Compose publishes on an address of which it is not known that it is this machine's alone."""
    for one in _items(node):
        if one.text is not None:
            *outside, inside = _BETWEEN.split(one.text.removesuffix("/tcp"))
            host = _known(":".join(outside[:-1])) if len(outside) > 1 else ""
            if host is not None and not _LOOPBACK.fullmatch(host):
                yield from (Port(number, one.start, one.end) for number in _numbers(_known(inside) or ""))
        else:
            target, published = one.at("target"), _known(one.said("host_ip"))
            if target is not None and target.text is not None and published is not None and not _LOOPBACK.fullmatch(published):
                yield from (Port(number, target.start, target.end) for number in _numbers(_known(target.text) or ""))


def _numbers(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if not first.isdigit() or len(first) > 5:
        return []
    if not last.isdigit() or len(last) > 5:
        return [int(first)]
    return list(range(int(first), min(int(last), int(first) + 100) + 1))


def _targets(node: Node | None) -> Iterator[str]:
    """The files and folders that are mounted, as they are called in the container."""
    for one in _items(node):
        if one.text is None:
            yield one.said("target")
        elif len(parts := one.text.split(":")) > 1:
            yield parts[1]


def _words(node: Node | None) -> list[str]:
    return [one.text for one in (node, *_items(node)) if one is not None and one.text is not None]


def _paths(node: Node | None) -> Iterator[str]:
    for one in (node, *_items(node)):
        if one is not None and (path := one.text or one.said("path")):
            yield path


def _dotenv(text: str) -> Iterator[tuple[str, str | None]]:
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            yield name.strip(), _known(value.strip())


# -------------------------------------------------------------------------------------------------------- kubernetes


def _of_kubernetes(source: Source, root: Node, roots: list[Node]) -> Iterator[Service]:
    spec = root.at("spec")
    labels = root.at("metadata", "labels")
    seen: set[int] = set()
    while spec is not None and spec.at("containers") is None and id(spec.fields) not in seen:
        seen.add(id(spec.fields))  # an alias may lead back to where it stands
        inner = spec.at("template") or spec.at("jobTemplate")
        if inner is None:
            return
        labels = inner.at("metadata", "labels") or labels
        spec = inner.at("spec")
    outside = tuple(_reached(labels, roots))
    for one in _items(spec.at("containers")) if spec is not None else ():
        image = one.at("image")
        if image is None or image.text is None:
            continue
        settings: dict[str, Setting] = {}
        for pair in _items(one.at("env")):
            name, value = pair.at("name"), pair.at("value")
            if name is not None and name.text is not None:
                known = value if value is not None and value.text is not None else None
                settings[name.text] = Setting(known.text if known else None, name.start, known.end if known else name.end)
        command = " ".join(_words(one.at("command")) + _words(one.at("args")))
        mounted = [mount.said("mountPath") for mount in _items(one.at("volumeMounts"))]
        partial = one.at("envFrom") is not None or any(_SETTINGS_FILE.search(path) for path in mounted)
        aside = _ASIDE.search(source.path) is not None
        called = one.said("name") or root.said("metadata", "name")
        yield Service(source.path, called, image.text, image.start, image.end, settings, command, outside, partial, aside)


def _reached(labels: Node | None, roots: list[Node]) -> Iterator[Port]:
    """The ports at which the file's services hand on what comes from outside of the cluster."""
    known = _texts(labels)
    for root in roots:
        if root.said("kind") != "Service" or root.said("spec", "type") not in _OUTSIDE:
            continue
        wanted = _texts(root.at("spec", "selector"))
        if not wanted or not wanted.items() <= known.items():
            continue
        for one in _items(root.at("spec", "ports")):
            target = one.at("targetPort") if one.said("targetPort").isdigit() else one.at("port")
            if target is not None and target.text is not None and target.text.isdigit() and len(target.text) < 6:
                yield Port(int(target.text), target.start, target.end)


def _texts(node: Node | None) -> dict[str, str]:
    """The texts of a mapping."""
    return {key: value.text for key, value in ((node and node.fields) or {}).items() if value.text is not None}


# -------------------------------------------------------------------------------------------------------- dockerfiles


def _of_dockerfile(source: Source) -> Iterator[Service]:
    """The last stage of a Dockerfile: what it is made from, and the variables that it sets."""
    image = ""
    start = end = 0
    settings: dict[str, Setting] = {}
    for line in range(1, source.lines + 1):
        text = source.line_text(line)
        found = _FROM.match(text.lstrip())
        if found is not None:
            image, settings = found[1], {}
            start, end = source.offset(line, 1), source.offset(line, len(text.rstrip()) + 1)
        env = _ENV.match(text.lstrip())
        for pair in _PAIR.finditer(env[1]) if env is not None else ():
            settings[pair[1]] = Setting(_known(pair[2]), source.offset(line, 1), source.offset(line, len(text.rstrip()) + 1))
    if image:
        yield Service(source.path, "Dockerfile", image, start, end, settings, aside=_ASIDE.search(source.path) is not None)
