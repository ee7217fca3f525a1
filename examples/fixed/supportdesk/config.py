"""Settings, all from the environment."""

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    base_url: str
    api_key: str
    model: str
    data: Path
    prompts: Path
    host: str
    port: int
    origins: list[str]
    customers: dict[str, int]
    """Access token to customer id."""
    admin_token: str


def load_settings() -> Settings:
    data = Path(os.environ.get("SUPPORTDESK_DATA", "data"))
    (data / "attachments").mkdir(parents=True, exist_ok=True)
    return Settings(
        base_url=os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1"),
        api_key=os.environ.get("OPENAI_API_KEY", "unset"),
        model=os.environ.get("SUPPORTDESK_MODEL", "gpt-4o-mini"),
        data=data,
        prompts=Path(__file__).parent.parent / "prompts",
        host=os.environ.get("SUPPORTDESK_HOST", "127.0.0.1"),
        port=int(os.environ.get("SUPPORTDESK_PORT", "8080")),
        origins=json.loads(os.environ.get("SUPPORTDESK_ORIGINS", '["https://desk.example.com"]')),
        customers=json.loads(os.environ.get("SUPPORTDESK_CUSTOMERS", "{}")),
        admin_token=os.environ.get("SUPPORTDESK_ADMIN_TOKEN", ""),
    )
