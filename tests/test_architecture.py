"""The rules of the house that a machine can check: imports, sizes, names, where a few dangerous words may stand."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("cluster", "serve_apps", "batch", "api")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a file."""
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    docstring = ast.get_docstring(function, clean=False)
    return (function.end_lineno or 0) - function.lineno + 1 - (docstring.count("\n") + 1 if docstring else 0)


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_holds_one_thing(path: Path):
    """Under 300 lines, and its docstring says what it is for."""
    text = path.read_text("utf8")

    assert len(text.splitlines()) <= 300
    assert ast.get_docstring(ast.parse(text))


def test_functions_are_short():
    """Nine in ten under 25 lines, none over 60."""
    lengths = sorted(length(function) for path in SOURCES for function in functions(path))

    assert lengths[-1] <= 60
    assert lengths[int(len(lengths) * 0.9)] < 25


def test_public_functions_and_classes_say_what_they_are():
    """Each has a docstring."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in SOURCES
        for node in definitions(ast.parse(path.read_text("utf8")))
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]

    assert silent == []


def definitions(parent: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Functions and classes of a module and of its classes, not those inside functions."""
    for node in parent.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node
        if isinstance(node, ast.ClassDef):
            yield from definitions(node)


def test_no_module_is_called_after_nothing():
    """No utils, helpers, common, core, misc."""
    nothing = {"utils", "util", "helpers", "helper", "common", "core", "misc", "services_utils"}

    assert not [path for path in [*SOURCES, *TESTS] if path.stem in nothing or path.parent.name in nothing]


def test_ray_is_joined_in_one_place():
    """`ray.init` stands in cluster/runtime.py and nowhere else."""
    joined = [
        path.relative_to(ROOT).as_posix() for path in SOURCES if re.search(r"\bray\.init\(", path.read_text("utf8"))
    ]

    assert joined == ["cluster/runtime.py"]


def test_filters_are_expressions():
    """No f-string and no sum of texts makes a filter out of a value, wherever a table is asked."""
    for path in SOURCES:
        text = path.read_text("utf8")
        if "lancedb" in text or "cluster.store" in text:
            for call in filters(ast.parse(text)):
                made = [arg for arg in [*call.args, *[word.value for word in call.keywords]] if made_of_text(arg)]
                assert not made, f"{path.relative_to(ROOT)}:{call.lineno}"


def filters(tree: ast.Module) -> Iterator[ast.Call]:
    """Calls that take a filter."""
    takes = {"where", "delete", "update", "count_rows", "count", "change", "rows", "batches"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in takes:
            yield node


def made_of_text(node: ast.AST) -> bool:
    """Whether an expression puts texts together."""
    if isinstance(node, ast.BinOp):
        return any(made_of_text(side) or is_text(side) for side in (node.left, node.right))
    return isinstance(node, ast.JoinedStr)


def is_text(node: ast.AST) -> bool:
    """Whether an expression is a text written in the source."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_broad_excepts_are_where_the_design_allows_them():
    """A model's failure over one photo, a job's end, and the decode child's outermost loop; nowhere else."""
    broad = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
    }

    assert broad <= {"batch/stages.py", "batch/attempts.py", "serve_apps/media/child.py"}


def test_nothing_unpickles_and_weights_are_loaded_as_weights():
    """No pickle, no joblib, no torch.load without weights_only."""
    for path in SOURCES:
        tree = ast.parse(path.read_text("utf8"))
        names = {
            alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        assert not names & {"pickle", "joblib", "shelve", "dill"}, path
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                assert any(word.arg == "weights_only" for word in node.keywords), f"{path}:{node.lineno}"


def test_lock_files_carry_hashes_and_no_addresses():
    """Every pinned package has a hash, and no line names a host."""
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text("utf8")
        assert "://" not in text
        pins = re.findall(r"^[A-Za-z0-9_.-]+==", text, re.MULTILINE)
        assert len(pins) > 100
        assert text.count("--hash=sha256:") >= len(pins)
