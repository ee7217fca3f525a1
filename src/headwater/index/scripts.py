"""What the specifiers of imports in TypeScript and JavaScript name: files of the project, packages of it, or API paths.

Specifiers come from the frontend in one form: ``./x`` and ``../x`` as written, ``node:fs`` for the modules of Node, ``npm:name/part`` for
all else, with ``_`` for a dot. A file is named with or without its suffix, by that of what it is compiled to, or by its folder (``index``).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Final

from headwater.files.npm import Npm
from headwater.files.twins import BUILT
from headwater.index.entities import Mod

_SUFFIXES: Final = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
_COMPILED: Final = (".js", ".jsx", ".mjs", ".cjs")
PACKAGE: Final = "npm:"


class Scripts:
    """The scripts of a project by the names that imports give them."""

    def __init__(self, modules: Iterable[Mod], npm: Npm) -> None:
        self._npm = npm
        self._places: dict[str, Mod] = {mod.path: mod for mod in modules}
        self._dotted = {_form(path): path for path in sorted(self._places, reverse=True) if "." in posixpath.splitext(path)[0]}
        """Paths with a dot before the suffix, by what the frontend makes of them."""
        self._packages = {_form(name): package for name, package in npm.packages.items()}
        self._known: dict[tuple[str, str], Mod | None] = {}

    def find(self, importer: Mod, specifier: str) -> Mod | None:
        """The script that an import names; None where it is none of the project."""
        folder = importer.path.rpartition("/")[0]
        key = (folder, specifier)
        if key not in self._known:
            self._known[key] = self._find(folder, specifier)
        return self._known[key]

    def _find(self, folder: str, specifier: str) -> Mod | None:
        if specifier.startswith("."):
            return self.at(posixpath.join(folder, specifier))
        name = specifier.removeprefix(PACKAGE)
        if name == specifier:
            return None
        here = folder
        while True:  # the nearest configuration counts
            for pattern, targets in self._npm.aliases.get(here, ()):
                before, star, after = _form(pattern).partition("*")
                if star and name.startswith(before) and name.endswith(after) and len(name) >= len(before) + len(after):
                    middle = name[len(before) : len(name) - len(after)]
                elif not star and name == before:
                    middle = ""
                else:
                    continue
                for target in targets:
                    place = target.replace("*", middle, 1)
                    found = self.at(place) or self._of_dots(place)
                    if found is not None:
                        return found
            if not here:
                break
            here = here.rpartition("/")[0]
        return self._of_package(name)

    def owns(self, package: str) -> bool:
        """Whether a package is one of the repository itself."""
        return _form(package) in self._packages

    def root(self, path: str) -> str:
        """The folder of the package that a script belongs to."""
        above = (one.folder for one in self._packages.values() if not one.folder or path.startswith(f"{one.folder}/"))
        return max(above, key=len, default="")

    def _of_dots(self, place: str) -> Mod | None:
        """The script whose path has dots where the place has ``_``."""
        formed = _form(posixpath.normpath(place))
        known = [self._dotted.get(formed + end) for end in ("", *(_form(f"{way}{one}") for way in ("", "/index") for one in _SUFFIXES))]
        return next((self._places[path] for path in known if path is not None), None) if "_" in formed else None

    def _of_package(self, name: str) -> Mod | None:
        parts = name.split("/")
        first = 2 if name.startswith("@") else 1
        package = self._packages.get("/".join(parts[:first]))
        if package is None:
            return None
        rest = "/".join(parts[first:])
        files = package.entries.get(f"./{rest}" if rest else ".", ())
        for file in (*files, rest, f"src/{rest}" if rest else "src"):
            found = self.at(posixpath.join(package.folder, file)) or self._source(package.folder, file)
            if found is not None:
                return found
        return None

    def _source(self, folder: str, file: str) -> Mod | None:
        """The source of a file that is built and is not there."""
        parts = posixpath.normpath(file).split("/")
        if parts[0] not in BUILT:
            return None
        rest = [part for part in parts[1:] if part not in BUILT and part != "types"]
        return self.at("/".join((*([folder] if folder else []), "src", *rest)))

    def at(self, place: str) -> Mod | None:
        """The script at a path with or without a suffix."""
        place = posixpath.normpath(place)
        if place.startswith("../") or place == "..":
            return None
        place = "" if place == "." else place
        found = self._places.get(place)
        if found is not None:
            return found
        stem, suffix = posixpath.splitext(place)
        stems = (place.removesuffix(".d.ts"),) if place.endswith(".d.ts") else (stem, place) if suffix in _COMPILED else (place,)
        for known in stems:
            for one in _SUFFIXES:
                found = self._places.get(known + one)
                if found is not None:
                    return found
        for one in _SUFFIXES:
            found = self._places.get(posixpath.join(place, "index" + one))
            if found is not None:
                return found
        return None


def _form(name: str) -> str:
    """A name of a package as the frontend writes it."""
    return name.replace(".", "_")
