"""Find which names of a notebook a cell reads, binds or changes, by Python's own scope rules.

Names that are local to a function, a class, a lambda or a comprehension are none of these.
"""

import ast
import builtins
import re
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_BUILTINS = frozenset(dir(builtins))
# Code that uses one of these may read or bind any name of the notebook.
_REACHES_EVERYTHING = frozenset(
    "globals locals vars eval exec get_ipython dir __import__ __main__ In Out".split()
)
_TIMED = re.compile(
    r"^(\s*)%{1,2}(?:time|timeit|prun|capture)\b(?:[ \t]+-\S+(?:[ \t]+\d+)?)*[ \t]*"
)
_MAGIC = re.compile(r"^(\s*)(?:[%!?].*|[\w.]+\?{1,2}\s*)$")
_ASSIGNED_MAGIC = re.compile(r"^([ \t]*\w[\w, ]*=)[ \t]*[%!].*$")
_ACTS = re.compile(  # a magic command that may write files or names
    r"^[ \t]*(?:!|%(?!%?(?:time|timeit|prun|capture|matplotlib|config|load_ext|autoreload)\b))",
    re.MULTILINE,
)
_CHECK_CALL = re.compile(r"""^[^#\n]*\bcheck\(\s*["'](\d{1,2}\.\d{1,2})["']""", re.MULTILINE)
_NOT_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True)
class Effects:
    """Which names a cell reads, binds, imports, or may change in place by a call or an item.

    `binds` are the names that it binds whatever happens, `later` those that its functions read when
    they are called; `unclear` says that it may reach any name, `magic` that it may bind names or
    write files that its text does not show, by a magic command or a star import.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    binds: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    unclear: bool = False
    magic: bool = False


@lru_cache(maxsize=8192)
def effects(code: str) -> Effects:
    """Return the effects of a cell's code; code that is no Python cannot run and has none."""
    plain = python_of(code)
    magic = plain != code and bool(_ACTS.search(code))
    try:
        tree, table = ast.parse(plain), symtable.symtable(plain, "cell", "exec")
    except _NOT_PYTHON:
        return Effects(magic=magic)
    symbols = list(table.get_symbols())
    now = {each.get_name() for each in symbols if each.is_referenced()}
    now |= {each.target.id for each in ast.walk(tree) if _adds_to_a_name(each)}
    fresh = _bound_before_read(tree)
    writes = {each.get_name() for each in symbols if each.is_assigned() or each.is_imported()}
    imports = {each.get_name() for each in symbols if each.is_imported()}
    later: set[str] = set()
    for inner in _below(table):
        for each in inner.get_symbols():
            if each.is_global():
                later |= {each.get_name()} if each.is_referenced() else set()
                writes |= {each.get_name()} if each.is_assigned() or each.is_imported() else set()
    reads = now | later
    changes = set().union(*map(_changed, ast.walk(tree))) & reads
    imported = (each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom))
    stars = any(each.names[0].name == "*" for each in imported)
    modules = {
        part.name for node in ast.walk(tree) if isinstance(node, ast.Import) for part in node.names
    }
    return Effects(
        frozenset(reads - (_BUILTINS - writes) - fresh),
        frozenset(writes),
        frozenset(imports),
        frozenset(changes),
        frozenset().union(*map(_bound, tree.body)),
        frozenset(later - _BUILTINS - fresh),
        bool((reads | modules) & _REACHES_EVERYTHING),
        magic or stars,
    )


def needed_statements(
    code: str, wanted: frozenset[str], pictures: frozenset[str] = frozenset()
) -> str:
    """Return a cell's code without what only binds names that nothing reads, here or in `wanted`.

    What may do more than bind a name stays, as a call does that is given what is read; and so does
    a cell that may reach any name. What only shows something goes: see `pictures`.
    """
    whole = effects(code)
    if whole.unclear or whole.magic or "*" in wanted or python_of(code) != code:
        return code
    kept: list[str] = []
    try:
        body = ast.parse(code).body
    except _NOT_PYTHON:
        return code
    for statement in reversed(body):
        text = ast.unparse(statement)
        effect = effects(text)
        used = effect.writes | (effect.reads if _calls(statement) else effect.changes)
        if _only_binds(statement) and not used & wanted or _only_shows(statement, pictures):
            continue
        kept.append(text)
        wanted = wanted - effect.binds | effect.reads
    return code if len(kept) == len(body) else "\n".join(reversed(kept))


@lru_cache(maxsize=8192)
def pictures(code: str) -> frozenset[str]:
    """Return the names that a cell imports from `course_lib.views`: what is called there draws."""
    try:
        nodes = ast.parse(python_of(code)).body
    except _NOT_PYTHON:
        return frozenset()
    drawing = (
        _bound(each)
        for each in nodes
        if isinstance(each, ast.ImportFrom) and f"{each.module}.".startswith("course_lib.views.")
    )
    return frozenset().union(*drawing)


@lru_cache(maxsize=8192)
def statements(code: str) -> tuple[str, ...]:
    """Return a cell's statements in one way of writing, without comments; none of no Python."""
    try:
        return tuple(map(ast.unparse, ast.parse(python_of(code)).body))
    except _NOT_PYTHON:
        return ()


def checked(code: str) -> dict[str, str]:
    """Return by exercise ids what code calls `check` for; "" for `...` and in no Python."""
    try:
        nodes = list(ast.walk(ast.parse(python_of(code))))
    except _NOT_PYTHON:
        return dict.fromkeys(_CHECK_CALL.findall(code), "")
    found: dict[str, str] = {}
    calls = [each for each in nodes if isinstance(each, ast.Call)]
    for call in sorted(calls, key=lambda each: (each.lineno, each.col_offset)):
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        named = {each.arg: each.value for each in call.keywords}
        given = [*call.args, *(named[each] for each in ("identifier", "answer") if each in named)]
        match name, given:
            case "check", [ast.Constant(str(identifier)), answer]:
                found.pop(identifier, None)
                untouched = isinstance(answer, ast.Constant) and answer.value is ...
                found[identifier] = "" if untouched else ast.unparse(answer)
    return found


def python_of(code: str) -> str:
    """Return a cell's code with what only IPython understands replaced, line by line.

    What is timed or captured stays, other magic commands become `pass`; the body of a cell magic
    in another language goes.
    """
    if not re.search(r"[%!?]", code) or _parses(code):
        return code
    if re.match(r"\s*%%(?!time|timeit|prun|capture)", code):
        return "pass"
    lines, going_on = [], False
    for line in code.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        if going_on:
            going_on, line = line.endswith("\\"), ""
        elif line.lstrip().startswith("%%"):
            line = ""
        elif timed := _TIMED.match(line):
            line = timed[1] + (line[timed.end() :] or "pass")
        elif _MAGIC.match(line):
            going_on, line = line.endswith("\\"), f"{indent}pass"
        else:
            line = _ASSIGNED_MAGIC.sub(r"\1 None", line)
        lines.append(line)
    return "\n".join(lines)


def _parses(code: str) -> bool:
    try:
        return bool(ast.parse(code).body)
    except _NOT_PYTHON:
        return False


def _below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    waiting = table.get_children()
    while waiting:
        inner = waiting.pop()
        yield inner
        waiting += inner.get_children()


def _changed(node: ast.AST) -> set[str]:
    """Return the name whose value a node may change in place."""
    match node:
        case ast.Attribute() | ast.Subscript() if not isinstance(node.ctx, ast.Load):
            return _root(node)
        case ast.Call(func=ast.Attribute()):
            return _root(node.func)
    return set()


def _bound_before_read(tree: ast.Module) -> set[str]:
    """Return the names that a cell certainly binds before it reads them."""
    bound: set[str] = set()
    read: set[str] = set()
    for statement in tree.body:
        nodes = list(ast.walk(statement))
        names = {each.id for each in nodes if isinstance(each, ast.Name) and not _is_stored(each)}
        names |= {each.target.id for each in nodes if _adds_to_a_name(each)}
        if isinstance(statement, ast.FunctionDef):
            names.discard(statement.name)  # it calls itself
        read |= names - bound
        bound |= _bound(statement)
    return bound - read


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a cell binds in any case."""
    match statement:
        case ast.FunctionDef() | ast.ClassDef():
            return {statement.name}
        case ast.Import():
            return {each.asname or each.name.split(".")[0] for each in statement.names}
        case ast.ImportFrom():
            return {each.asname or each.name for each in statement.names}
        case ast.Assign():
            nodes = [node for target in statement.targets for node in ast.walk(target)]
            return {node.id for node in nodes if _is_stored(node)}
    return set()


def _only_binds(statement: ast.stmt) -> bool:
    """Tell whether a statement is an import, a definition, or gives values to names alone."""
    match statement:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.FunctionDef() | ast.ClassDef():
            return not statement.decorator_list
        case ast.Assign(targets=targets):
            plain = (ast.Name, ast.Tuple, ast.List, ast.Starred, ast.Store)
            return all(isinstance(each, plain) for part in targets for each in ast.walk(part))
    return False


def _only_shows(statement: ast.stmt, pictures: frozenset[str]) -> bool:
    """Tell whether a statement calls one of `pictures`, or `.show` or `.play`, and keeps nothing.

    So it is in the course's own cells: a picture leaves alone what it is given.
    """
    match statement:
        case ast.Expr(ast.Call(func=ast.Attribute(attr="show" | "play"))):
            return True
        case ast.Expr(ast.Call(func=function)):
            return bool(_root(function) & pictures)
    return False


def _calls(statement: ast.stmt) -> bool:
    """Tell whether a statement calls something at once; a function's body waits until later."""
    later = isinstance(statement, ast.FunctionDef)
    nodes = [statement.args] if later else [statement]
    return any(isinstance(node, ast.Call) for each in nodes for node in ast.walk(each))


def _is_stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _root(node: ast.AST) -> set[str]:
    """Return the name at the start of `name.attribute[…]`, if there is one."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _adds_to_a_name(node: ast.AST) -> bool:
    return isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
