"""A compact, readable dump of the IR for tests and debugging: one instruction a line, blocks indented."""

from __future__ import annotations

from headwater import ir


def format_function(module: ir.Module, function: ir.Function) -> str:
    """The dump of one function: its head, the evaluation of defaults, its body."""
    return "\n".join(_Writer(module, function).lines())


def format_type(kind: ir.Type) -> str:
    inner = [format_type(arg) for arg in kind.args] + [repr(value) for value in kind.literals]
    return kind.name + ("[" + ", ".join(inner) + "]" if inner else "")


def format_module(module: ir.Module) -> str:
    """The dump of all functions, and of what the module says about itself."""
    lines: list[str] = []
    for name, aliases in module.imports.items():
        for alias in aliases:
            lines.append(f"import {name} -> {'.' * alias.level}{alias.path}{_member(alias)}")
    lines += [f"star {'.' * alias.level}{alias.path}" for alias in module.stars]
    lines += [f"exports {name} = {local}" for name, local in module.exported.items()]
    if module.exports is not None:
        lines.append("exports " + " ".join(module.exports))
    for name, found in module.definitions.items():
        lines.append(f"defines {name}: " + ", ".join(f"{what} {index}" for what, index in found))
    for index, cls in enumerate(module.classes):
        lines.append(_class(index, cls))
    lines += [format_function(module, function) for function in module.functions]
    lines += [f"gap {gap.start}-{gap.end} {gap.reason}" for gap in module.gaps]
    return "\n".join(lines)


def _member(alias: ir.Alias) -> str:
    return f" {alias.member}" if alias.member else " (module)" if alias.module else ""


def _class(index: int, cls: ir.Class) -> str:
    head = ", ".join([format_type(base) for base in cls.bases] + [f"{k}={format_type(v)}" for k, v in cls.keywords.items()])
    lines = [*(f"@{format_type(d)}" for d in cls.decorators), f"class {index} {cls.qualname}({head}) in {cls.function}"]
    for field in cls.fields.values():
        annotation = f": {format_type(field.annotation)}" if field.annotation is not None else ""
        value = f" = r{field.value}" if field.value >= 0 else ""
        lines.append(f"  {field.name}{annotation}{value}")
    lines += [f"  {name}() {', '.join(map(str, methods))}" for name, methods in cls.methods.items()]
    return "\n".join(lines)


class _Writer:
    def __init__(self, module: ir.Module, function: ir.Function) -> None:
        self._module = module
        self._function = function
        self._lines: list[str] = []
        self._names: dict[int, str] = {}
        for name, register in function.names.items():
            self._names.setdefault(register, name)
        for register, param in enumerate(function.params):
            self._names[register] = param.name

    def lines(self) -> list[str]:
        f = self._function
        params = ", ".join(self._param(p) for p in f.params)
        notes = "".join(f" {flag}" for flag in sorted(f.flags))
        if f.captured:
            notes += " captures " + " ".join(("nonlocal " if i in f.nonlocals else "") + n for i, n in enumerate(f.captured))
        returns = f" -> {format_type(f.returns)}" if f.returns is not None else ""
        self._lines.append(f"{f.qualname}({params}){returns}{notes}")
        for name, kind in f.annotations.items():
            self._lines.append(f"  {name}: {format_type(kind)}")
        if f.defaults:
            self._lines.append("  defaults:")
            self._block(f.defaults, 2)
        self._block(f.body, 1)
        return self._lines

    def _param(self, param: ir.Param) -> str:
        mark = {"star": "*", "stars": "**", "keyword": "kw ", "positional": "pos "}.get(param.kind, "")
        annotation = f": {format_type(param.annotation)}" if param.annotation is not None else ""
        default = f" = {self._r(param.default)}" if param.default >= 0 else ""
        return f"{mark}{param.name}{annotation}{default}"

    def _r(self, register: int) -> str:
        if register < 0:
            return "-"
        return self._names.get(register) or f"r{register}"

    def _line(self, depth: int, text: str) -> None:
        self._lines.append("  " * depth + text)

    def _block(self, block: ir.Block, depth: int) -> None:
        for instr in block:
            self._instr(instr, depth)

    def _cond(self, cond: ir.Cond, depth: int) -> str:
        """Writes what a condition evaluates as lines of its own; gives the condition itself."""
        if isinstance(cond, ir.Leaf):
            self._block(cond.pre, depth)
            return self._r(cond.reg)
        if isinstance(cond, ir.Not):
            return f"not {self._cond(cond.part, depth)}"
        word = " and " if isinstance(cond, ir.AllOf) else " or "
        return "(" + word.join(self._cond(part, depth) for part in cond.parts) + ")"

    def _key(self, key: str | int | None, register: int) -> str:
        return repr(key) if key is not None else self._r(register) if register >= 0 else "*"

    def _instr(self, i: ir.AnyInstr, depth: int) -> None:
        r = self._r
        match i:
            case ir.If():
                for number, arm in enumerate(i.arms):
                    cond = self._cond(arm.cond, depth)
                    self._line(depth, f"{'elif' if number else 'if'} {cond}:")
                    self._block(arm.body, depth + 1)
                if i.orelse:
                    self._line(depth, "else:")
                    self._block(i.orelse, depth + 1)
            case ir.Loop():
                if i.cond is None:
                    self._line(depth, "loop:")
                else:
                    self._line(depth, f"while {self._cond(i.cond, depth)}:")
                self._block(i.body, depth + 1)
                if i.orelse:
                    self._line(depth, "else:")
                    self._block(i.orelse, depth + 1)
            case ir.Try():
                self._line(depth, "try:")
                self._block(i.body, depth + 1)
                for handler in i.handlers:
                    types = "".join(f" {r(t)}" for t in handler.types)
                    target = f" as {r(handler.dst)}" if handler.dst >= 0 else ""
                    self._line(depth, f"except{types}{target}:")
                    self._block(handler.body, depth + 1)
                if i.orelse:
                    self._line(depth, "else:")
                    self._block(i.orelse, depth + 1)
                if i.final:
                    self._line(depth, "finally:")
                    self._block(i.final, depth + 1)
            case _:
                self._line(depth, self._simple(i))

    def _simple(self, i: ir.AnyInstr) -> str:
        r = self._r
        match i:
            case ir.Const():
                return f"{r(i.dst)} = {i.value!r}"
            case ir.Name():
                return f"{r(i.dst)} = name {i.name}"
            case ir.Move():
                return f"{r(i.dst)} = {r(i.src)}"
            case ir.Attr():
                return f"{r(i.dst)} = {r(i.obj)}.{i.name}"
            case ir.Item():
                return f"{r(i.dst)} = {r(i.obj)}[{self._key(i.key, i.reg)}]"
            case ir.StoreAttr():
                return f"{r(i.obj)}.{i.name} = {r(i.src)}"
            case ir.StoreItem():
                return f"{r(i.obj)}[{self._key(i.key, i.reg)}] = {r(i.src)}"
            case ir.StoreGlobal():
                return f"global {i.name} = {r(i.src)}"
            case ir.Build():
                spread = i.spread or (False,) * len(i.parts)
                parts = [f"{'**' if s else '?' if k is None else repr(k)}: {r(p)}" for k, p, s in zip(i.keys, i.parts, spread, strict=True)]
                return f"{r(i.dst)} = {i.kind}({', '.join(parts)})"
            case ir.Concat():
                pieces = [repr(i.literals[0])]
                for part, literal in zip(i.parts, i.literals[1:], strict=True):
                    pieces += (r(part), repr(literal))
                return f"{r(i.dst)} = text({' '.join(pieces)})"
            case ir.Binary():
                return f"{r(i.dst)} = {r(i.left)} {i.op} {r(i.right)}"
            case ir.Unary():
                return f"{r(i.dst)} = {i.op}{r(i.operand)}"
            case ir.Test():
                return f"{r(i.dst)} = test {i.op} {r(i.left)}" + (f" {r(i.right)}" if i.right >= 0 else "")
            case ir.Call():
                args = [f"*{r(~a)}" if a < 0 else r(a) for a in i.args]
                args += [f"**{r(v)}" if k == "**" else f"{k}={r(v)}" for k, v in i.kw]
                return f"{r(i.dst)} = call {r(i.fn)}({', '.join(args)})"
            case ir.Decorate():
                return f"{r(i.dst)} = decorate {r(i.decorator)}({r(i.target)})"
            case ir.Func():
                captures = f" [{' '.join(r(c) for c in i.captures)}]" if i.captures else ""
                return f"{r(i.dst)} = func {self._module.functions[i.function].qualname}{captures}"
            case ir.ClassDef():
                return f"{r(i.dst)} = class {self._module.classes[i.cls].qualname}"
            case ir.Import():
                return f"{r(i.dst)} = import {'.' * i.level}{i.path}"
            case ir.Elem():
                return f"{r(i.dst)} = {i.what} of {r(i.src)}"
            case ir.Enter():
                return f"{r(i.dst)} = enter {r(i.ctx)}"
            case ir.Return():
                return f"return {r(i.src)}"
            case ir.Yield():
                return f"{r(i.dst)} = yield{' each' if i.each else ''} {r(i.src)}"
            case ir.Raise():
                return f"raise {r(i.src)}"
            case ir.Break():
                return "break"
            case ir.Continue():
                return "continue"
            case _:
                return type(i).__name__
