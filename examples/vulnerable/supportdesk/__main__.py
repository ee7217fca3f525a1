"""Starts the web service: ``python -m supportdesk``."""

import uvicorn

from supportdesk.config import load_settings


def main() -> None:
    settings = load_settings()
    uvicorn.run("supportdesk.api:app", host="0.0.0.0", port=settings.port)


if __name__ == "__main__":
    main()
