"""Sums for quotes and refunds: numbers and four operators, nothing else."""

import ast
import operator

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
LONGEST = 200


def evaluate(expression: str) -> str:
    if len(expression) > LONGEST:
        raise ValueError("too long")
    return str(compute(ast.parse(expression, mode="eval").body))


def compute(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -compute(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](compute(node.left), compute(node.right))
    raise ValueError("only + - * / on numbers")
