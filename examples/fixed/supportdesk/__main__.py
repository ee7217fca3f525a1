"""Starts the web service: ``python -m supportdesk``."""

import uvicorn

from supportdesk.config import load_settings


def main() -> None:
    settings = load_settings()
    uvicorn.run("supportdesk.api:app", host=settings.host, port=settings.port)


if __name__ == "__main__":
    main()
