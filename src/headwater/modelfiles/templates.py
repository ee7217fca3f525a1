"""Judges a chat template by its syntax tree: what it reaches when it is rendered, and what it puts into the prompt unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from headwater.modelfiles import folding, hidden, jinja
from headwater.modelfiles.jinja import Node
from headwater.modelfiles.names import words
from headwater.modelfiles.work import Examination

INTERNALS: Final = words(
    """func_globals func_code gi_frame gi_code cr_frame cr_code ag_frame ag_code f_globals f_locals f_back f_builtins f_code tb_frame
    tb_next mro im_func im_self im_class co_code co_consts gi_yieldfrom"""
)
DUNDERS: Final = words(
    """__class__ __globals__ __builtins__ __import__ __subclasses__ __init__ __mro__ __base__ __bases__ __dict__ __getattribute__
    __getattr__ __getitem__ __call__ __code__ __func__ __self__ __module__ __reduce__ __reduce_ex__ __loader__ __spec__ __name__
    __new__ __closure__ __init_subclass__ __repr__ __wrapped__ __traceback__"""
)
RUNNERS: Final = words(
    """system popen Popen eval exec execfile check_output check_call getoutput getstatusoutput import_module load_module exec_module
    spawn spawnl spawnv fork posix_spawn run_module run_path runcode urlopen urlretrieve load_library CDLL"""
)
METHODS: Final = frozenset(
    name for kind in (str, list, dict, tuple, int, float, set) for name in dir(kind) if not name.startswith("_")
) | frozenset({"cycle", "changed", "strftime", "isoformat", "contains", "includes", "length", "size", "trim", "tojson"})
GLOBALS: Final = words(
    """range dict namespace joiner cycler lipsum raise_exception strftime_now loop caller super len str int float bool list min max
    enumerate zip sorted isinstance tojson fromjson now get_current_date"""
)
"""What renderers of chat templates offer to be called, and what people take to be offered; the latter fails and does nothing."""
NAMED: Final = 8
"""Names that a message tells."""
_RENDERED: Final = "Whoever renders the template without a sandbox"
_FLAWED: Final = re.compile(r"__(?:class|globals|builtins|import|subclasses|init|mro|bases?|getattribute)__|\\x5f|\\u005f|\|\s*attr\b")
_GO: Final = re.compile(r"\{\{-?\s*(?:\.|if\s+(?:or|and|not|eq|ne|\.|\$|\()|range\b|end\b|else\b|template\b|with\b|define\b|\$)")
_TAGS: Final = re.compile(r"\{%|\{\{")


def has_tags(text: str) -> bool:
    return _TAGS.search(text) is not None


def looks_like_chat(text: str) -> bool:
    """Whether it is a template that messages of a chat are put into."""
    if not has_tags(text):
        return False
    return ("messages" in text and ("role" in text or "content" in text)) or "add_generation_prompt" in text


def judge(work: Examination, text: str, name: str, at: int = -1) -> bool:
    """Notes what a template does; whether it could be parsed. ``name``: what the file calls it, in words."""
    if not has_tags(text):
        return True
    try:
        tree = jinja.parse(text)
    except (jinja.TemplateError, RecursionError) as error:
        if _FLAWED.search(text):
            found = _FLAWED.search(text)
            start = 0 if found is None else max(0, found.start() - 60)
            message = f"{name} reaches for Python's internals. {_RENDERED} may run what it says."
            work.concern("template-internals", "malicious", message, text[start : start + 300], at)
        elif not _GO.search(text):  # the templates of Go, which reach nothing but the data
            work.concern("template-unreadable", "inconclusive", f"{name} does not parse as a Jinja template: {error}.", text[:200], at)
        return False
    _Judge(work, text, name, at, tree).judge()
    return True


class _Judge:
    def __init__(self, work: Examination, text: str, name: str, at: int, tree: tuple[Node, ...]) -> None:
        self.work = work
        self.text = text
        self.name = name
        self.at = at
        self.tree = tree
        self.values = folding.Values(tree)
        self.reached: dict[str, Node] = {}

    def judge(self) -> None:
        for node in walk(self.tree):
            self._node(node)
        if self.reached:
            listed = ", ".join(f"'{name[:60]}'" for name in list(self.reached)[:NAMED])
            what = f"reaches {listed}. {_RENDERED} gives it all of Python."
            self._say("template-internals", True, what, next(iter(self.reached.values())))
        for remark in hidden.remarks(self.tree, self.values):
            self.work.concern("template-hidden-text", "review", f"{self.name}: {remark.what}", remark.text, self.at)

    def _say(self, check: str, malicious: bool, what: str, node: Node) -> None:
        self.work.concern(check, "malicious" if malicious else "review", f"{self.name} {what}", self._around(node), self.at)

    def _around(self, node: Node) -> str:
        start = max(self.text.rfind("{%", 0, node.at + 1), self.text.rfind("{{", 0, node.at + 1), node.at - 200, 0)
        end = min((place for place in (self.text.find("%}", node.at), self.text.find("}}", node.at)) if place >= 0), default=node.at + 200)
        return self.text[start : min(end + 2, start + 600)]

    def _node(self, node: Node) -> None:
        if node.kind == "attribute":
            self._reached(str(node.value), node)
        elif node.kind == "item" and len(node.parts) == 2:
            for key in self.values.texts(node.parts[1]):
                self._reached(key, node, subscript=True)
        elif node.kind == "filter":
            self._filter(node)
        elif node.kind == "call":
            self._call(node)
        elif node.kind == "const" and node.value in DUNDERS:
            self._reached(str(node.value), node)
        elif node.kind in ("include", "import", "from", "extends"):
            self._say("template-loads-file", False, f"loads another template ('{node.kind}').", node)
        elif node.kind in ("binary", "keyword", "set"):
            for text in self.values.texts(node if node.kind == "binary" else node.parts[-1]) if node.parts else ():
                if text in DUNDERS:
                    self._reached(text, node)

    def _reached(self, name: str, node: Node, subscript: bool = False) -> None:
        if name in DUNDERS or name in INTERNALS or (name.startswith("__") and name.endswith("__") and not subscript):
            self.reached.setdefault(name, node)
        elif name.startswith("_") and not subscript:
            self._say("template-internals", "__" in name, f"reaches '{name}', which is not meant for templates.", node)

    def _filter(self, node: Node) -> None:
        name = str(node.value)
        arguments = node.parts[1:]
        if name == "attr" or (name == "map" and arguments and self.values.texts(arguments[0])[:1] == ["attr"]):
            wanted = arguments[-1:] if arguments else ()
            names = self.values.texts(wanted[0]) if wanted else []
            for one in names:
                self._reached(one, node)
            if not names:
                self._say("template-internals", False, "picks an attribute by a name that is made while it is rendered.", node)
        elif name in ("map", "selectattr", "rejectattr", "sort", "groupby", "sum", "unique", "min", "max", "join"):
            for argument in arguments:
                for text in self.values.texts(argument.parts[0] if argument.kind == "keyword" else argument):
                    for part in text.split("."):
                        if part.startswith("__") or part in INTERNALS:
                            self._reached(part, node)

    def _call(self, node: Node) -> None:
        called = node.parts[0]
        names: list[str] = []
        if called.kind == "attribute":
            names = [str(called.value)]
        elif (called.kind == "item" and len(called.parts) == 2) or (
            called.kind == "filter" and called.value == "attr" and len(called.parts) > 1
        ):
            names = self.values.texts(called.parts[1])
        for name in names:
            if name in RUNNERS:
                given = ", ".join(repr(text) for part in node.parts[1:] for text in self.values.texts(part)[:1])
                self._say("template-call", True, f"calls '{name}({given})'.", node)
            elif name in ("format", "format_map") and any("__" in text for text in self.values.texts(called.parts[0])):
                self._say("template-internals", True, "reaches Python's internals with a format string.", node)
            elif name not in METHODS and not self.values.is_made_here(called.parts[0]) and not name.startswith("_"):
                self._say("template-call", False, f"calls '{name}', which no method of text, lists or messages is called.", node)
        if called.kind == "name":
            name = str(called.value)
            if name in RUNNERS or name in ("open", "getattr", "globals", "vars", "compile"):
                self._say("template-call", True, f"calls '{name}'.", node)
            elif name not in GLOBALS and not self.values.is_local(name):
                self._say("template-call", False, f"calls '{name}', which renderers of chat templates do not offer.", node)


def walk(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """All nodes, in the order of the text."""
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        yield node
        stack += reversed((*node.parts, *node.body))
