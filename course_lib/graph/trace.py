"""Programs into graphs: from Python source, from a TensorFlow function, from a GraphDef.

Source is parsed (`ast`), never evaluated: each number becomes a constant, each arithmetic sign or
known function an operation, each name the node that it stands for at that line.
"""

import ast
import inspect
import math
import re
import textwrap
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from course_lib.graph.data import Graph, Node
from course_lib.graph.evaluation import FUNCTIONS, OPERATIONS
from course_lib.session import import_tensorflow, internals, quiet

MOST_LINES = 5_000  # more than a screen can show, and traced in under a second
_SIGNS: dict[type, str] = {
    ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Div: "Div", ast.Pow: "Pow",
}  # fmt: skip
_LOOP = "a loop; a graph has no way back, so write the steps one below the other"
_CHOICE = "a choice (if); a graph runs every operation, so use max, min or relu"
_IMPORT = "an import; sqrt, exp, max and others are known without one"
_FUNCTION = "a function inside the program; write its steps out"
_REFUSED: dict[type, str] = {  # what a straight-line program cannot hold, and what to write instead
    **dict.fromkeys((ast.For, ast.While), _LOOP),
    **dict.fromkeys((ast.If, ast.IfExp), _CHOICE),
    **dict.fromkeys((ast.Import, ast.ImportFrom), _IMPORT),
    **dict.fromkeys((ast.FunctionDef, ast.Lambda), _FUNCTION),
    ast.ClassDef: "a class; only numbers can flow through this graph",
    ast.Compare: "a comparison; only numbers can flow through this graph",
    ast.BoolOp: "and/or; only numbers can flow through this graph",
    ast.List: "a list; only single numbers can flow through this graph",
    ast.Tuple: "several values at once; give each a line of its own",
    ast.Dict: "a dictionary; only single numbers can flow through this graph",
    ast.Subscript: "an index; only single numbers can flow through this graph",
    ast.Attribute: "a dot; write a plain name such as sqrt instead of math.sqrt",
    ast.Return: "a return outside of a function; end with a line such as result = a + b",
}
_GRAPH_CALL = re.compile(r"__(inference|forward)_.*|(Stateful)?PartitionedCall")


class TraceError(ValueError):
    """A program that cannot become a graph; the message names the `line` and its `problem`."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"Line {line}: {problem}.")
        self.line, self.problem = line, problem


def from_source(program: str | Callable) -> Graph:
    """Return the graph of a straight-line program, given as text or as a function.

    Lines assign numbers, names, + - * / **, and calls of sqrt, exp, max and a few more. The text
    may be the lines themselves or one `def`, whose arguments become placeholders (an argument's
    default is the value that it has until it is fed). What the last line or `return` gives is the
    output.

    Nothing is executed. TraceError says in one sentence what line cannot be drawn, and why.
    """
    tree = _parse(_text(program))
    tracer = _Tracer({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)})
    try:
        return tracer.program(tree.body)
    except RecursionError:
        raise TraceError(tracer.line, "is nested too deeply; split it into several lines") from None


def _text(program: str | Callable) -> str:
    if isinstance(program, str):
        return textwrap.dedent(program.removeprefix("\n"))
    try:
        return textwrap.dedent(inspect.getsource(program))
    except (OSError, TypeError):
        reason = "the source of this function cannot be found; pass it as text"
        raise TraceError(1, reason) from None


def _parse(text: str) -> ast.Module:
    count = len(text.splitlines())
    if count > MOST_LINES:
        raise TraceError(MOST_LINES, f"is the last that can be drawn, and there are {count:,}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        reason = error.msg.partition(":")[0]
        raise TraceError(error.lineno or 1, f"is not Python ({reason})") from None
    except (ValueError, MemoryError, RecursionError):
        raise TraceError(1, "cannot be read; split it into shorter lines of plain text") from None


class _Tracer:
    """Collects nodes line by line; `known` maps each name to the node that it stands for now."""

    def __init__(self, taken: set[str]) -> None:
        self.nodes: dict[str, Node] = {}
        self.known: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self.taken, self.line, self.in_function = taken, 1, False

    def program(self, lines: list[ast.stmt]) -> Graph:
        if len(lines) == 1 and isinstance(lines[0], ast.FunctionDef):
            lines = self.arguments(lines[0])
        result = None
        for position, line in enumerate(lines):
            if isinstance(line, ast.Return) and self.in_function:
                if position + 1 < len(lines):
                    raise TraceError(line.lineno + 1, "never runs, because it stands after return")
                result = self.value(line.value) if line.value else None
            elif not _is_docstring(line):
                result = self.statement(line)
        if result is None:
            raise TraceError(1, "gives no value; write a line such as result = 1 + 2")
        return Graph(tuple(self.nodes.values()), (result,), tuple(self.known.items()))

    def arguments(self, function: ast.FunctionDef) -> list[ast.stmt]:
        self.line, self.in_function = function.lineno, True
        given = function.args
        if given.vararg or given.kwarg or given.kwonlyargs or given.posonlyargs:
            raise TraceError(self.line, "has arguments that are not plain names; name each one")
        defaults = [None] * (len(given.args) - len(given.defaults)) + given.defaults
        for argument, default in zip(given.args, defaults, strict=True):
            value = None if default is None else self.literal(default)
            name = self.unique(argument.arg)
            self.known[argument.arg] = self.add(name, "Placeholder", (), value)
        return function.body

    def statement(self, line: ast.stmt) -> str:
        self.line = line.lineno
        if isinstance(line, ast.Expr):
            return self.value(line.value)
        if isinstance(line, ast.Assign):
            targets, source = line.targets, line.value
        elif isinstance(line, ast.AnnAssign) and line.value is not None:
            targets, source = [line.target], line.value
        elif isinstance(line, ast.AugAssign):
            targets = [line.target]
            source = ast.BinOp(ast.Name(_name(self, line.target)), line.op, line.value)
        else:
            raise self.refuse(line)
        names = [_name(self, target) for target in targets]
        result = self.value(source, names[0])
        self.known.update(dict.fromkeys(names, result))
        return result

    def value(self, tree: ast.expr, wanted: str = "") -> str:
        """Return the name of the node that makes this expression; `wanted` is what it is called."""
        self.line = getattr(tree, "lineno", self.line)
        if isinstance(tree, ast.Name):
            if tree.id not in self.known:
                raise TraceError(self.line, f"uses {tree.id}, which no line before it sets")
            return self.known[tree.id]
        negative = isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub)
        if isinstance(tree.operand if negative else tree, ast.Constant):
            value = self.literal(tree)
            return self.add(self.unique(wanted or "const", not wanted), "Const", (), value)
        if negative:
            return self.operation("Neg", [tree.operand], wanted)
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.UAdd):
            return self.value(tree.operand, wanted)
        if isinstance(tree, ast.BinOp) and type(tree.op) in _SIGNS:
            return self.operation(_SIGNS[type(tree.op)], [tree.left, tree.right], wanted)
        if isinstance(tree, ast.Call):
            return self.call(tree, wanted)
        raise self.refuse(tree)

    def call(self, tree: ast.Call, wanted: str) -> str:
        if not isinstance(tree.func, ast.Name):
            raise self.refuse(tree.func)
        called = tree.func.id
        if called == "print":
            raise TraceError(self.line, "prints; leave it out, the picture shows every value")
        kind = FUNCTIONS.get(called)
        if kind is None:
            known = ", ".join(FUNCTIONS)
            raise TraceError(self.line, f"calls {called}, and only {known} are known")
        arity, count = OPERATIONS[kind].arity, len(tree.args)
        if tree.keywords or any(isinstance(argument, ast.Starred) for argument in tree.args):
            raise TraceError(self.line, f"calls {called} with more than plain values")
        if kind in ("Maximum", "Minimum") and count > 2:
            first = ast.Call(tree.func, tree.args[:-1], [])
            return self.operation(kind, [first, tree.args[-1]], wanted)
        if count != arity:
            raise TraceError(self.line, f"gives {called} {count} values, and it takes {arity}")
        return self.operation(kind, tree.args, wanted)

    def operation(self, kind: str, inputs: list[ast.expr], wanted: str) -> str:
        line = self.line
        sources = tuple(self.value(tree) for tree in inputs)
        self.line = line  # inputs may stand on lines of their own
        return self.add(self.unique(wanted or kind.lower(), not wanted), kind, sources)

    def add(self, name: str, kind: str, inputs: tuple[str, ...], value: float | None = None) -> str:
        self.nodes[name] = Node(name, kind, inputs, value, line=self.line)
        return name

    def literal(self, tree: ast.expr) -> float:
        sign = 1
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            sign, tree = -1, tree.operand
        number = tree.value if isinstance(tree, ast.Constant) else None
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise TraceError(self.line, "holds something that is not a number")
        try:
            value = sign * float(number)
        except OverflowError:
            value = math.inf
        if math.isinf(value):
            raise TraceError(self.line, "holds a number that is too large")
        return value

    def unique(self, name: str, numbered: bool = False) -> str:
        """Return a name that no node has: `x`, then x_2; with `numbered`, add_1, add_2 ..."""
        self.counts[name] += 1
        candidate = f"{name}_{self.counts[name]}" if numbered or self.counts[name] > 1 else name
        while candidate in self.nodes or (candidate in self.taken and candidate != name):
            self.counts[name] += 1
            candidate = f"{name}_{self.counts[name]}"
        return candidate

    def refuse(self, tree: ast.AST) -> TraceError:
        what = _REFUSED.get(type(tree), "something other than arithmetic; use + - * / ** and names")
        return TraceError(getattr(tree, "lineno", self.line), f"has {what}")


def _name(tracer: _Tracer, target: ast.expr) -> str:
    if not isinstance(target, ast.Name):
        raise tracer.refuse(target)
    return target.id


def _is_docstring(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(getattr(line.value, "value", None), str)


@dataclass(frozen=True)
class ExecutedOperations:
    """What a call computed and which operations TensorFlow ran for it; a whole graph is "graph"."""

    result: Any
    operations: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.operations)


def from_function(function: Callable, *arguments: Any) -> Graph:
    """Return the graph that TensorFlow builds of `function` for these arguments.

    `function` is plain Python or a `tf.function`; `arguments` are tensors, numbers or
    `tf.TensorSpec`. Names and operations are TensorFlow's own. A variable of the function appears
    as a Placeholder of dtype "resource" that holds its present value; nodes that compute nothing
    and are read by nothing (NoOp) are left out.
    """
    tensorflow = import_tensorflow()
    if not hasattr(function, "get_concrete_function"):
        function = tensorflow.function(function)
    with quiet():
        concrete = function.get_concrete_function(*arguments)
    kept = {
        placeholder.op.name: variable
        for variable in concrete.graph.variables
        for handle, placeholder in concrete.graph.captures
        if handle is variable.handle
    }
    values = {name: float(variable) for name, variable in kept.items() if variable.shape.rank == 0}
    outputs = tuple(tensor.op.name for tensor in concrete.graph.outputs)
    return _from_operations(concrete.graph.get_operations(), outputs, values)


def from_graph_def(graph_def: Any, outputs: tuple[str, ...] = ()) -> Graph:
    """Return the graph of a GraphDef, given as bytes (a frozen .pb) or as TensorFlow's own object.

    Without `outputs`, the results are the nodes that no other node reads. ValueError is raised for
    bytes that are no GraphDef. Shapes are inferred, unknown dimensions are None.
    """
    tensorflow = import_tensorflow()
    if isinstance(graph_def, (bytes, bytearray, memoryview)):
        graph_def = parsed(bytes(graph_def))
    graph = tensorflow.Graph()
    with quiet(), graph.as_default():
        tensorflow.graph_util.import_graph_def(graph_def, name="")
    return _from_operations(graph.get_operations(), outputs, {})


def parsed(graph_def: bytes) -> Any:
    """Return the bytes of a GraphDef as TensorFlow's own object; raises ValueError for others."""
    from google.protobuf.message import DecodeError

    try:
        return import_tensorflow().compat.v1.GraphDef.FromString(graph_def)
    except DecodeError as error:
        problem = "These bytes are no GraphDef: was the file cut short or damaged?"
        raise ValueError(problem) from error


def executed(function: Callable, *arguments: Any) -> ExecutedOperations:
    """Call `function` and return its result with the operations that TensorFlow ran for it.

    Only requests made from Python are seen: of a `tf.function` that was traced before, one.
    """
    seen: list[str] = []

    def note(operation: str, graph: Any) -> None:
        if graph is None:  # operations inside of a graph are recorded, not run
            seen.append("graph" if _GRAPH_CALL.fullmatch(operation) else operation)

    with internals.executed_operations(note):
        result = function(*arguments)
    return ExecutedOperations(result, tuple(seen))


def _from_operations(operations: Any, outputs: tuple[str, ...], values: dict) -> Graph:
    nodes = [_node(operation, values) for operation in operations if operation.type != "NoOp"]
    if not outputs:
        read = {name for node in nodes for name in node.inputs}
        outputs = tuple(node.name for node in nodes if node.name not in read)
    return Graph.sorted(nodes, tuple(dict.fromkeys(outputs)))


def _node(operation: Any, values: dict[str, float]) -> Node:
    result = operation.outputs[0] if operation.outputs else None
    known = result is not None and result.shape.rank is not None
    shape = tuple(result.shape.as_list()) if known else None
    value = values.get(operation.name)
    if operation.type == "Const" and shape == ():
        value = _scalar(operation.get_attr("value"))
    inputs = tuple(tensor.op.name for tensor in operation.inputs)
    dtype = result.dtype.name if result is not None else ""
    return Node(operation.name, operation.type, inputs, value, dtype, shape)


def _scalar(proto: Any) -> float | None:
    from tensorflow import make_ndarray

    array = make_ndarray(proto)
    return float(array) if array.dtype.kind in "fiub" and array.size == 1 else None
