"""The names of its module that a function uses are those that Python's own symbol tables say."""

from __future__ import annotations

import argparse
import ast
import enum
import inspect
import symtable
import typing
from types import ModuleType

import pytest

from upwell._author.code_version.names import uses_of
from upwell._author.syntax import parse


def global_names(table: symtable.SymbolTable) -> set[str]:
    inside = (global_names(child) for child in table.get_children())
    return {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}.union(*inside)


def without_signature(node: ast.FunctionDef) -> ast.FunctionDef:
    """Take away what is evaluated outside of the function."""
    node.decorator_list, node.returns, node.args.defaults, node.args.kw_defaults = [], None, [], []
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return node


@pytest.mark.parametrize("module", [argparse, enum, inspect, typing], ids=lambda module: module.__name__)
def test_names_of_the_module(module: ModuleType) -> None:
    source = inspect.getsource(module)
    tables = symtable.symtable(source, module.__name__, "exec").get_children()
    expected = {(t.get_name(), t.get_lineno()): global_names(t) for t in tables}
    functions = [n for n in parse(source).body if isinstance(n, ast.FunctionDef)]
    checked = 0
    for node in functions:
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        names = expected.get((node.name, first), expected.get((node.name, node.lineno)))
        if names is not None:
            found = {use.path[0] for use in uses_of(without_signature(node)) if use.imported is None}
            assert names <= found, node.name
            assert found - names <= {"__class__"}, node.name
            checked += 1
    assert checked >= len(functions) > 0
