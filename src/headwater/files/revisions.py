"""Names of revisions and the history between them: what ``main``, ``v1.2~3`` or a part of an id is, and where two histories part.

Read from git's files, without running git: its configuration, hooks and filters belong to the repository and are not asked.
"""

from __future__ import annotations

import heapq
import os
import re
from typing import Final, NamedTuple

from headwater import limits
from headwater.files.git import git_folder
from headwater.files.gitobjects import GitError, MissingError, Objects
from headwater.files.read import UnreadableError, read_bytes

_NAME: Final = re.compile(r"(?!.*(?:\.\.|//|/\.|\.lock(?:/|$)|@\{|/$))[\w@][\w@./+-]*", re.ASCII)
_STEPS: Final = re.compile(r"((?:[~^]\d{0,6})*)$")
_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PREFIX: Final = re.compile(r"[0-9a-f]{7,63}")
_PLACES: Final = ("{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD")
_LINE: Final = re.compile(rb"(tree|parent|object) ([0-9a-f]{40,64})\n|(author) [^\n]*\n|committer [^\n]*> (\d{1,15}) [^\n]*(?:\n|\Z)")


class Commit(NamedTuple):
    id: str
    tree: str
    parents: tuple[str, ...]
    time: int


class Repository:
    """The history of the repository whose work tree is ``root``."""

    def __init__(self, root: str) -> None:
        folder = git_folder(root)
        if folder is None or not os.path.isdir(folder):
            raise GitError("it is not in a git repository")
        self._own = folder
        common = self._read(os.path.join(folder, "commondir"))
        self._common = os.path.join(folder, os.fsdecode(common.strip()).replace("\0", "")) if common else folder
        self.objects = Objects(os.path.join(self._common, "objects"))
        shallow = self._read(os.path.join(self._common, "shallow"), limits.GIT_INDEX_BYTES) or b""
        self._shallow = frozenset(shallow.decode("ascii", "replace").split())
        self._commits: dict[str, Commit] = {}

    @property
    def shallow(self) -> bool:
        """Whether the history is cut off."""
        return bool(self._shallow)

    # ---------------------------------------------------------------------------------------------------------- names

    def find(self, revision: str) -> Commit:
        """The commit that a revision names; raises GitError."""
        steps = _STEPS.search(revision)
        walk = steps[1] if steps else ""
        name = revision.removesuffix(walk) if walk else revision
        if not _NAME.fullmatch(name) or len(revision) > 1_000:
            raise GitError("it is no name of a revision")
        found = self._commit_of(self._id("HEAD" if name == "@" else name), name)
        for kind, number in re.findall(r"([~^])(\d*)", walk):
            count = int(number or 1)
            for _ in range(count if kind == "~" else min(count, 1)):
                which = 0 if kind == "~" else count - 1
                if which >= len(found.parents):
                    raise GitError(f"{name} has no such parent{self._cut()}")
                found = self.commit(found.parents[which])
        return found

    def _id(self, name: str) -> str:
        if _ID.fullmatch(name):
            return name
        for place in _PLACES:
            found = self._ref(place.format(name))
            if found:
                return found
        if _PREFIX.fullmatch(name):
            sizes = {40, 64} if not self._ids() else {len(self._ids())}
            ids = {one for size in sizes for one in self.objects.begin_with(name, size)}
            if len(ids) == 1:
                return ids.pop()
            if ids:
                raise GitError("more than one object begins so")
        if os.path.isdir(os.path.join(self._common, "reftable")):
            raise GitError("the repository keeps its names in a reftable, which is not read: give the id of the commit")
        raise GitError(f"there is no such revision{self._cut()}")

    def _ids(self) -> str:
        return self._ref("HEAD")

    def _ref(self, name: str, depth: int = 0) -> str:
        """The id that a reference holds; empty where there is none."""
        folder = self._common if name.startswith("refs/") else self._own
        text = (self._read(os.path.join(folder, name)) or b"").decode("ascii", "replace").strip()
        if text.startswith("ref:") and depth < 5:
            target = text[4:].strip()
            return self._ref(target, depth + 1) if target.startswith("refs/") and _NAME.fullmatch(target) else ""
        found = _ID.match(text)  # FETCH_HEAD has more in a line
        return found[0] if found else self._packed(name)

    def _packed(self, name: str) -> str:
        data = self._read(os.path.join(self._common, "packed-refs"), limits.GIT_INDEX_BYTES) or b""
        found = re.search(rb"^([0-9a-f]{40,64}) " + re.escape(name.encode()) + rb"$", data, re.MULTILINE)
        return found[1].decode() if found else ""

    def _commit_of(self, id: str, name: str) -> Commit:
        """A commit, or the one that a tag names."""
        for _ in range(5):
            try:
                return self.commit(id)
            except MissingError:
                raise GitError(f"the commit is not in this clone{self._cut()}") from None
            except GitError:
                tag = _LINE.match(self.objects.read(id, "tag", limits.GIT_COMMIT_BYTES))
                if tag is None or tag[1] != b"object":
                    break
                id = tag[2].decode()
        raise GitError(f"{name} is no commit")

    def _cut(self) -> str:
        return ": this clone is shallow, fetch the base too (git fetch origin BASE, or with the whole history)" if self.shallow else ""

    @staticmethod
    def _read(path: str, most: int = limits.GIT_FILE_BYTES) -> bytes | None:
        try:
            return read_bytes(path, most)
        except UnreadableError:
            return None

    # -------------------------------------------------------------------------------------------------------- history

    def commit(self, id: str) -> Commit:
        found = self._commits.get(id)
        if found is None:
            data = self.objects.read(id, "commit", limits.GIT_COMMIT_BYTES)
            tree, parents, time, at = "", [], 0, 0
            while (line := _LINE.match(data, at)) is not None:
                at = line.end()
                if line[1] == b"tree":
                    tree = line[2].decode()
                elif line[1] == b"parent":
                    parents.append(line[2].decode())
                elif line[4]:
                    time = int(line[4])
                    break
            if not tree:
                raise GitError(f"the commit {id[:12]} is damaged")
            found = self._commits[id] = Commit(id, tree, () if id in self._shallow else tuple(parents), time)
        return found

    def merge_base(self, one: Commit, other: Commit) -> Commit | None:
        """The last commit that both come from; None where none is known. As git does it: younger commits first, until only
        ancestors of what was found are left."""
        first, second, old = 1, 2, 4
        flags = {one.id: first}
        flags[other.id] = flags.get(other.id, 0) | second
        queue = [(-commit.time, commit.id) for commit in dict.fromkeys((one, other))]
        heapq.heapify(queue)
        waiting = len(queue)  # in the queue, and not ancestors of what was found
        found: list[Commit] = []
        while queue and waiting > 0:
            if len(self._commits) > limits.GIT_COMMITS:
                return None
            _, id = heapq.heappop(queue)
            state = flags[id]
            waiting -= not state & old
            commit = self.commit(id)
            pass_on = state
            if state == first | second:
                found.append(commit)
                pass_on |= old
            for parent in commit.parents:
                before = flags.get(parent, 0)
                if before & pass_on == pass_on:
                    continue
                try:
                    time = self.commit(parent).time
                except MissingError:
                    continue  # a clone that is cut off without saying so
                flags[parent] = before | pass_on
                queued = any(id == parent for _, id in queue) if before else False
                if queued:
                    waiting -= bool(not before & old and flags[parent] & old)
                else:
                    heapq.heappush(queue, (-time, parent))
                    waiting += not flags[parent] & old
        return next((commit for commit in found if not flags[commit.id] & old), None)
