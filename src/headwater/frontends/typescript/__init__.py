"""The TypeScript and JavaScript frontend: source bytes to the IR."""

from headwater.frontends.typescript.module import lower

__all__ = ["lower"]
