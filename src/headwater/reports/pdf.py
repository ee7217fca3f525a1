"""The HTML report on paper, by WeasyPrint (the extra ``pdf``). It draws what is in the file and may fetch nothing."""

from __future__ import annotations

import importlib
import logging
from typing import Any, NoReturn

from headwater.reports.html.context import context
from headwater.reports.html.page import document
from headwater.reports.view import View


class MissingError(Exception):
    """WeasyPrint is not installed, or does not find the libraries of the system that it needs."""


def check() -> Any:
    """Gives WeasyPrint. Asked before the analysis, so that nobody waits for a report that cannot be written."""
    try:
        return importlib.import_module("weasyprint")
    except ImportError:
        raise MissingError("the format pdf needs the extra: pip install 'headwater[pdf]'") from None
    except OSError:  # of the loader of libraries
        raise MissingError("the format pdf needs Pango (Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0)") from None


def render(view: View) -> bytes:
    """The file; the same review gives the same bytes."""
    weasyprint = check()
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)  # rules for screens that paper has no use for
    page = document(context(view, printed=True)).decode("utf-8")
    made: bytes = weasyprint.HTML(string=page, url_fetcher=_refuse).write_pdf(pdf_identifier=b"headwater")
    return made


def _refuse(url: str, *_: object, **__: object) -> NoReturn:
    raise ValueError(f"nothing is fetched: {url}")
