"""Reads reports of scanners of dependencies and of secrets: pip-audit, OSV-Scanner, gitleaks, trufflehog. They are hostile input.

What a file is, its content says. What reports say is joined with what was found here by ``headwater.documents``.
"""

from __future__ import annotations

import os
from typing import Any, Final

import msgspec

from headwater import limits
from headwater.scanners.values import Report

_KNOWN: Final = "no report of pip-audit, OSV-Scanner (JSON), gitleaks (JSON, SARIF) or trufflehog (lines of JSON)"


class ReportError(ValueError):
    """A file that cannot be read as a report; the message says why."""


def read(path: str) -> Report:
    """One report. Raises :class:`ReportError`."""
    from headwater.scanners import gitleaks, osv_scanner, pip_audit, trufflehog

    try:
        if not os.path.isfile(path):
            raise ReportError("no such file")
        with open(path, "rb") as file:
            data = file.read(limits.IMPORT_BYTES + 1)
    except OSError as error:
        raise ReportError(error.strerror or str(error)) from None
    if len(data) > limits.IMPORT_BYTES:
        raise ReportError(f"larger than {limits.IMPORT_BYTES:,} bytes")
    if trufflehog.is_report(data):
        return trufflehog.read(data)
    try:
        root: Any = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ReportError(f"{_KNOWN}: {str(error)[:200]}") from None
    for form in (pip_audit, osv_scanner, gitleaks):
        try:
            report: Report | None = form.read(root)
        except msgspec.ValidationError as error:
            raise ReportError(f"it begins like a report of {form.TOOL}, and is none: {str(error)[:200]}") from None
        if report is not None:
            return report
    raise ReportError(_KNOWN)
