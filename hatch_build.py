"""Puts the rules and API models into a wheel in the form that ``headwater.rules.builtin`` reads at once.

An editable installation has none: its files may change at any time.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuiltIn(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        sys.path.insert(0, os.path.join(self.root, "src"))
        from headwater.rules import builtin

        self.folder = tempfile.TemporaryDirectory()
        for place, data in builtin.build().items():
            path = os.path.join(self.folder.name, os.path.basename(place))
            with open(path, "wb") as file:
                file.write(data)
            build_data["force_include"][path] = f"headwater/{place}"
