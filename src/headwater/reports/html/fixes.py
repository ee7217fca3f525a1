"""A fix as a diff, only where it is mechanical and sure: one line, one reading, and the program does the same but for what is wrong.

Everything else is told in words: a diff that only looks right costs more than none.
"""

from __future__ import annotations

import re
from typing import Final

from headwater.findings import Finding
from headwater.reports.view import View

_FIXES: Final[dict[str, tuple[re.Pattern[str], str]]] = {
    # What a safe loader refuses is what the finding is about.
    "unsafe-yaml-load": (
        re.compile(r"\byaml\.(?:load|full_load|unsafe_load)\(([\w.]+)(?:,\s*(?:Loader\s*=\s*)?yaml\.(?:Unsafe|Full)?Loader)?\)"),
        r"yaml.safe_load(\1)",
    ),
    "tls-verification-off": (re.compile(r"\bverify\s*=\s*False\b"), "verify=True"),
    "flask-debug": (re.compile(r"\bdebug\s*=\s*True\b"), "debug=False"),
}


def diff(view: View, finding: Finding) -> tuple[str, str] | None:
    """The line as it is and as it should be; None where that is not sure."""
    known = _FIXES.get(finding.rule)
    source = view.sources.get(finding.place.path)
    if known is None or source is None or not finding.place.path.endswith(".py"):
        return None
    line = source.position(finding.place.start)[0]
    if source.position(max(finding.place.start, finding.place.end - 1))[0] != line:
        return None
    old = source.line_text(line)
    pattern, new = known
    if len(pattern.findall(old)) != 1:
        return None
    return old, pattern.sub(new, old)
