"""The rules of docs/naming.md that a machine can check: docstrings start with the result, messages are direct."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from turret_pipeline_tests.commands import PROJECT

PACKAGE = PROJECT / "turret_pipeline"
PARTS = sorted(path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.rglob("*.py")))
WH_OPENING = re.compile(r"(what|which|where|when|who|whose|whom|why|how|whether)\b", re.IGNORECASE)
NEGATED_NOUN = re.compile(r"\b(is|are|was|were) no\b(?! (longer|more)\b)|\b(is|are) none\b", re.IGNORECASE)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """The docstrings of a module, its classes and functions, and of its attributes (a bare string after them)."""
    for node in ast.walk(tree):
        if not isinstance(node, DOCUMENTED):
            continue
        for statement in node.body:
            if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                continue
            if isinstance(statement.value.value, str):
                yield statement.value


def messages(tree: ast.Module) -> Iterator[ast.Constant]:
    """All other strings, the pieces of f-strings among them."""
    documented = {id(node) for node in docstrings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node


def wh_openings(root: Path) -> list[str]:
    """Docstrings below a folder that do not start with the result."""
    return [
        f"{path.relative_to(root)}:{node.lineno}: {str(node.value).splitlines()[0]}"
        for path in sorted(root.rglob("*.py"))
        for node in docstrings(ast.parse(path.read_text(encoding="utf-8")))
        if WH_OPENING.match(str(node.value).strip())
    ]


def negated_nouns(root: Path) -> list[str]:
    """Messages below a folder that say that a thing "is no" other thing."""
    return [
        f"{path.relative_to(root)}:{node.lineno}: {node.value!s}"
        for path in sorted(root.rglob("*.py"))
        for node in messages(ast.parse(path.read_text(encoding="utf-8")))
        if NEGATED_NOUN.search(str(node.value))
    ]


@pytest.mark.parametrize("part", PARTS)
def test_docstrings_start_with_the_result(part: str) -> None:
    assert wh_openings(PACKAGE / part) == []


@pytest.mark.parametrize("part", PARTS)
def test_messages_are_direct(part: str) -> None:
    assert negated_nouns(PACKAGE / part) == []


def test_the_rules_find_what_they_forbid(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text('"""What it does."""\nword = f"{1} is no number"\n"""Whether it holds."""\n')
    assert wh_openings(tmp_path) == ["module.py:1: What it does.", "module.py:3: Whether it holds."]
    assert negated_nouns(tmp_path) == ["module.py:2:  is no number"]
