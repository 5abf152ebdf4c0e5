"""Edits of small programs, and whether they are to change the version of the code of `tasks.report`."""

from __future__ import annotations

from dataclasses import dataclass

from bench.cache.programs import FACTORY, PLUGINS, SHOP, Files


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of a program.

    Attributes:
        about: What it is, for a reader.
        changes: Whether it is to change the version.
        file: The file that is edited.
        old: Text in it, which occurs once.
        new: What replaces that.
        program: The program.
    """

    about: str
    changes: bool
    file: str
    old: str
    new: str
    program: Files

    def edited(self) -> Files:
        """Return the program after the edit."""
        text = self.program[self.file]
        assert text.count(self.old) == 1, (
            f"{self.about}: {self.old!r} is {text.count(self.old)} times in {self.file}"
        )
        return {**self.program, self.file: text.replace(self.old, self.new)}


_SAME = [
    ("a comment", "tasks.py", "    # doubles\n", "    # twice as much\n"),
    ("a docstring", "tasks.py", '"""Say what was sold."""', '"""Tell."""'),
    ("the docstring of a module", "tasks.py", "Tasks of a shop", "The shop"),
    (
        "layout",
        "tasks.py",
        "(orders: list[Order], first: int = LIMIT)",
        "(\n    orders: list[Order],\n    first: int = LIMIT,\n)",
    ),
    ("quotes", "tasks.py", 'log.info("done")', "log.info('done')"),
    ("blank lines above", "tasks.py", "import functools\n", "\n\n\nimport functools\n"),
    ("the order of definitions", "text.py", "import re\n\nWIDTH = 8\n", "WIDTH = 8\n\nimport re\n"),
    (
        "hints of a helper",
        "shop/pricing.py",
        "def total(count, percent):",
        "def total(count: int, percent: int) -> int:",
    ),
    ("hint of a constant", "tasks.py", "LIMIT = 10", "LIMIT: int = 10"),
    ("a function that nothing reaches, in the same module", "tasks.py", "return UNUSED", "return UNUSED + 1"),
    (
        "a function that nothing reaches, in another module",
        "shop/rates.py",
        "return RATE\n",
        "return RATE + 1\n",
    ),
    ("a constant that nothing reaches", "tasks.py", "UNUSED = 1", "UNUSED = 2"),
    ("a function that a star import brings and nothing reaches", "text.py", "return 2", "return 3"),
    ("an import for type checkers", "shop/unused.py", "x = 1", "x = 2"),
    ("what runs as a script", "tasks.py", "print(report([]))", "print(len(report([])))"),
    (
        "retries of the task's decorator",
        "tasks.py",
        '(cache="auto", retries=1)',
        '(cache="auto", retries=7, timeout=60)',
    ),
    ("resources of the environment", "envs.py", "1Gi", "2Gi"),
    ("variables of the environment", "envs.py", '"MODE": "1"', '"MODE": "2"'),
    ("how a name is imported", "tasks.py", "import shop.rates as r\n", "from shop import rates as r\n"),
    ("a recursive function's comment", "shop/pricing.py", "def step(i):\n", "def step(i):\n    # one more\n"),
]
_NEW = [
    ("the task's body", "tasks.py", "str(price +", "str(1 + price +"),
    ("a default", "tasks.py", "= LIMIT)", "= LIMIT + 1)"),
    ("a constant that a default names", "tasks.py", "LIMIT = 10", "LIMIT = 11"),
    ("a type of a parameter", "tasks.py", "first: int = LIMIT", "first: float = LIMIT"),
    ("a helper three modules away", "shop/rates.py", "return percent + len", "return percent * len"),
    ("a helper's helper that calls itself", "shop/pricing.py", "step(i - 1) + 1", "step(i - 1) + 2"),
    (
        "a function reached through a module's name",
        "shop/rates.py",
        "return price * START",
        "return price / START",
    ),
    ("a function that a star import brings", "text.py", 're.sub(" +"', 're.sub("  +"'),
    ("a constant of a helper", "text.py", "WIDTH = 8", "WIDTH = 9"),
    ("a module imported inside the task", "shop/late.py", '"\\n"', '" "'),
    ("another thing imported under the same name", "tasks.py", "import numpy as np", "import math as np"),
    ("arguments of a partial", "tasks.py", "percent=5", "percent=6"),
    ("a lambda", "tasks.py", "lambda x: x * 3", "lambda x: x * 4"),
    ("a decorator of the user's", "tasks.py", "* times", "+ times * 'x'"),
    ("arguments of a decorator", "tasks.py", "@loud(2)", "@loud(3)"),
    ("an item that is added to a table", "tasks.py", 'TABLE["b"] = 2', 'TABLE["b"] = 3'),
    (
        "a container that a function fills at import",
        "shop/rates.py",
        "factors.append(RATE)",
        "factors.append(-RATE)",
    ),
    ("a global that a function assigns at import", "shop/rates.py", "START = 7", "START = 8"),
    ("what is imported if something else is missing", "shop/rates.py", "RATE = 3", "RATE = 4"),
    ("a field of a dataclass", "shop/models.py", "kind: Kind = Kind.BOOK", "kind: Kind = Kind.TOY"),
    ("a method", "shop/models.py", "return len(self.name)", "return len(self.name) + 1"),
    ("a member of an enumeration", "shop/models.py", 'BOOK = "book"', 'BOOK = "novel"'),
    ("a base class", "shop/models.py", 'return "order"', 'return "Order"'),
    (
        "a metaclass",
        "shop/models.py",
        "(mcs, name, bases, members)\n\n",
        "(mcs, name, bases, dict(members))\n\n",
    ),
    ("a task that the task calls", "tasks.py", "return n * 2", "return n * 3"),
    ("the version_override of a task that it calls", "tasks.py", 'override="v1"', 'override="v2"'),
]
_PLUGINS = [
    ("a function that a decorator registers in its module", True, "plugins/registry.py", "x=1", "x=2"),
    ("one that registers from another module", True, "plugins/double.py", "half() * 4", "half() * 3"),
    ("what that calls", True, "plugins/double.py", "return 1\n", "return 2\n"),
    ("one that registers with an object's method", True, "plugins/double.py", "return 7", "return 8"),
    ("an item that another module adds", True, "plugins/double.py", '["two"] = 2', '["two"] = 3'),
    ("what another module appends", True, "plugins/double.py", 'append("two")', 'append("2")'),
    ("what another module only reads", False, "plugins/double.py", '"seconds", 5', '"seconds", 6'),
    ("a function beside the registered ones", False, "plugins/double.py", "return 3", "return 4"),
]
_FACTORY = [
    ("a value in a closure", True, "tasks.py", "FACTOR = 2", "FACTOR = 3"),
    ("a function in a closure", True, "tasks.py", "clean(x) * factor", "clean(x) ** factor"),
    ("what a function in a closure calls", True, "helpers.py", "return abs(x)", "return round(x)"),
    ("a default that is worked out by another function", True, "tasks.py", "offset=1", "offset=2"),
    ("what nothing in a closure reaches", False, "helpers.py", "return -x", "return +x"),
]
EDITS = [
    *(Edit(about, False, *change, SHOP) for about, *change in _SAME),
    *(Edit(about, True, *change, SHOP) for about, *change in _NEW),
    *(Edit(*edit, PLUGINS) for edit in _PLUGINS),
    *(Edit(*edit, FACTORY) for edit in _FACTORY),
]
