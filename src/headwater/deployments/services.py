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

from headwater.deployments.tree import Node, Table, Text, documents
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
    roots, cut = documents(source)
    for root in roots:
        if isinstance(root, Table):
            inner = root.get("services")
            if isinstance(inner, Table):
                found += _of_compose(source, inner, read)
            elif root.text("kind") in _WORKLOADS and root.text("apiVersion"):
                found += _of_kubernetes(source, root, roots)
    return found, cut


def comments(source: Source, language: str) -> list[tuple[int, int]]:
    """The comments that speak to Headwater: such text in a value is none."""
    texts: list[Text] = []
    todo: list[Node] = list(documents(source)[0]) if language != "dockerfile" else []
    seen: set[int] = set()
    while todo:
        node = todo.pop()
        if isinstance(node, Text):
            texts.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            todo += node if isinstance(node, list) else [part for pair in node.items.values() for part in pair]
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


def _end(text: Text) -> int:
    return text.end


# ----------------------------------------------------------------------------------------------------------- compose


def _of_compose(source: Source, table: Table, read: Read) -> Iterator[Service]:
    for key, node in table.items.values():
        image = node.get("image") if isinstance(node, Table) else None
        if not isinstance(node, Table) or not isinstance(image, Text):
            continue
        settings = dict(_environment(node.get("environment")))
        partial = "extends" in node.items or "configs" in node.items
        for path in _paths(node.get("env_file")):
            beside = read(posixpath.normpath(posixpath.join(posixpath.dirname(source.path), path)))
            if beside is None:
                partial = True
            for name, said in _dotenv(beside.text if beside is not None else ""):
                settings.setdefault(name, Setting(said, image.start, image.end))
        command = " ".join(_words(node.get("command")) + _words(node.get("entrypoint")))
        partial = partial or any(_SETTINGS_FILE.search(one) for one in _targets(node.get("volumes")))
        ports = tuple(_published(node.get("ports")))
        network = node.get("network_mode")
        if isinstance(network, Text) and network.text == "host":
            ports = (Port(0, network.start, network.end),)
        aside = _ASIDE.search(source.path) is not None or "profiles" in node.items
        name = _VARIABLE.sub(lambda match: match[3] or "", image.text)
        yield Service(source.path, key.text, name, image.start, image.end, settings, command, ports, partial, aside)


def _environment(node: Node | None) -> Iterator[tuple[str, Setting]]:
    if isinstance(node, Table):
        for key, value in node.items.values():
            if isinstance(value, Text):
                yield key.text, Setting(_known(value.text), key.start, value.end)
    elif isinstance(node, list):
        for one in node:
            if isinstance(one, Text):
                name, equals, said = one.text.partition("=")
                yield name.strip(), Setting(_known(said.strip()) if equals else None, one.start, one.end)


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
    for one in node if isinstance(node, list) else ():
        if isinstance(one, Text):
            *outside, inside = _BETWEEN.split(one.text.removesuffix("/tcp"))
            host = _known(":".join(outside[:-1])) if len(outside) > 1 else ""
            if host is not None and not _LOOPBACK.fullmatch(host):
                yield from (Port(number, one.start, one.end) for number in _numbers(_known(inside) or ""))
        elif isinstance(one, Table):
            target, published = one.get("target"), _known(one.text("host_ip"))
            if isinstance(target, Text) and published is not None and not _LOOPBACK.fullmatch(published):
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
    for one in node if isinstance(node, list) else ():
        if isinstance(one, Text):
            parts = one.text.split(":")
            if len(parts) > 1:
                yield parts[1]
        elif isinstance(one, Table):
            yield one.text("target")


def _words(node: Node | None) -> list[str]:
    if isinstance(node, Text):
        return [node.text]
    return [one.text for one in node if isinstance(one, Text)] if isinstance(node, list) else []


def _paths(node: Node | None) -> Iterator[str]:
    for one in node if isinstance(node, list) else [node]:
        if isinstance(one, Text):
            yield one.text
        elif isinstance(one, Table):
            yield one.text("path")


def _dotenv(text: str) -> Iterator[tuple[str, str | None]]:
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            yield name.strip(), _known(value.strip())


# -------------------------------------------------------------------------------------------------------- kubernetes


def _of_kubernetes(source: Source, root: Table, roots: list[Node]) -> Iterator[Service]:
    spec: Node | None = root.get("spec")
    labels: Node | None = root.get("metadata", "labels")
    while isinstance(spec, Table) and "containers" not in spec.items:
        inner = spec.get("template") or spec.get("jobTemplate")
        if not isinstance(inner, Table):
            return
        labels = inner.get("metadata", "labels") or labels
        spec = inner.get("spec")
    containers = spec.get("containers") if isinstance(spec, Table) else None
    outside = tuple(_reached(labels, roots))
    for one in containers if isinstance(containers, list) else ():
        image = one.get("image") if isinstance(one, Table) else None
        if not isinstance(one, Table) or not isinstance(image, Text):
            continue
        settings: dict[str, Setting] = {}
        env = one.get("env")
        for pair in env if isinstance(env, list) else ():
            name = pair.get("name") if isinstance(pair, Table) else None
            if isinstance(name, Text) and isinstance(pair, Table):
                value = pair.get("value")
                known = value.text if isinstance(value, Text) else None
                settings[name.text] = Setting(known, name.start, value.end if isinstance(value, Text) else name.end)
        command = " ".join(_words(one.get("command")) + _words(one.get("args")))
        mounts = one.get("volumeMounts")
        mounted = [mount.text("mountPath") for mount in mounts if isinstance(mount, Table)] if isinstance(mounts, list) else []
        partial = "envFrom" in one.items or any(_SETTINGS_FILE.search(path) for path in mounted)
        aside = _ASIDE.search(source.path) is not None
        name_ = one.text("name") or root.text("metadata", "name")
        yield Service(source.path, name_, image.text, image.start, image.end, settings, command, outside, partial, aside)


def _reached(labels: Node | None, roots: list[Node]) -> Iterator[Port]:
    """The ports at which the file's services hand on what comes from outside of the cluster."""
    known = _texts(labels)
    for root in roots:
        if not isinstance(root, Table) or root.text("kind") != "Service" or root.text("spec", "type") not in _OUTSIDE:
            continue
        wanted = _texts(root.get("spec", "selector"))
        if not wanted or not wanted.items() <= known.items():
            continue
        ports = root.get("spec", "ports")
        for one in ports if isinstance(ports, list) else ():
            if isinstance(one, Table):
                target = one.get("targetPort") or one.get("port")
                target = target if isinstance(target, Text) and target.text.isdigit() else one.get("port")
                if isinstance(target, Text) and target.text.isdigit() and len(target.text) < 6:
                    yield Port(int(target.text), target.start, target.end)


def _texts(node: Node | None) -> dict[str, str]:
    """The texts of a mapping."""
    return {key: value.text for key, (_, value) in node.items.items() if isinstance(value, Text)} if isinstance(node, Table) else {}


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
