"""Sums for quotes and refunds."""


def evaluate(expression: str) -> str:
    return str(eval(expression, {"__builtins__": {}}, {"round": round, "min": min, "max": max}))
