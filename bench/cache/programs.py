"""Small programs whose files are edited to see which edits change the version of a task's code."""

from __future__ import annotations

Files = dict[str, str]

SHOP: Files = {
    "tasks.py": '''
"""Tasks of a shop."""
import functools
import logging
from typing import TYPE_CHECKING

import numpy as np
import shop.rates as r
import upwell
from envs import env
from shop import pricing
from shop import models
from shop.models import Order
from text import *

if TYPE_CHECKING:
    from shop.unused import Hint

log = logging.getLogger(__name__)
LIMIT = 10
UNUSED = 1
TABLE = {"a": 1}
TABLE["b"] = 2
total = functools.partial(pricing.total, percent=5)


def loud(times):
    """Repeat what comes out."""
    def decorate(func):
        @functools.wraps(func)
        def call(*args):
            return func(*args) * times
        return call
    return decorate


@loud(2)
def shout(text: str) -> str:
    return text.upper()


@env.task(cache="auto", retries=1)
def child(n: int) -> int:
    # doubles
    return n * 2


@env.task(cache=upwell.Cache("auto", version_override="v1"))
def pinned(n: int) -> int:
    return n


@env.task(cache="auto")
def report(orders: list[Order], first: int = LIMIT) -> str:
    """Say what was sold."""
    from shop.late import finish

    lines = [shorten(order.name) for order in orders if order.kind is models.Kind.BOOK]
    price = r.convert(total(len(lines))) + TABLE["a"] + np.sum([1])
    log.info("done")
    return shout(finish(lines)) + str(price + child(first) + pinned(1) + SCALE(3))


def unrelated():
    return UNUSED


SCALE = lambda x: x * 3

if __name__ == "__main__":
    print(report([]))
''',
    "envs.py": """
import upwell

base = upwell.TaskEnvironment("shop", resources=upwell.Resources(memory="1Gi"))
env = base.clone_with("shop-tasks", env_vars={"MODE": "1"})
""",
    "text.py": """
import re

WIDTH = 8


def shorten(text):
    return re.sub(" +", " ", text)[:WIDTH]


def other():
    return 2
""",
    "shop/__init__.py": "",
    "shop/pricing.py": """
from .models import Order
from . import rates


def total(count, percent):
    return sum(step(i) for i in range(count)) * rates.tax(percent)


def step(i):
    return 1 if i == 0 else step(i - 1) + 1
""",
    "shop/rates.py": """
try:
    from fastrates import RATE
except ImportError:
    RATE = 3

FACTORS = []


def fill(factors):
    factors.append(RATE)


def load():
    global START
    START = 7


fill(FACTORS)
load()


def tax(percent):
    return percent + len(FACTORS)


def convert(price):
    return price * START


def forgotten():
    return RATE
""",
    "shop/models.py": """
import dataclasses
import enum


class Kind(enum.Enum):
    BOOK = "book"
    TOY = "toy"


class Named(type):
    def __new__(mcs, name, bases, members):
        return super().__new__(mcs, name, bases, members)


class Base(metaclass=Named):
    def label(self):
        return "order"


@dataclasses.dataclass
class Order(Base):
    name: str
    kind: Kind = Kind.BOOK

    def size(self) -> int:
        return len(self.name)
""",
    "shop/late.py": """
def finish(lines):
    return "\\n".join(lines)
""",
    "shop/unused.py": """
class Hint:
    x = 1
""",
}

PLUGINS: Files = {
    "tasks.py": """
import upwell
from plugins import run

env = upwell.TaskEnvironment("plugins")


@env.task(cache="auto")
def report(name: str) -> int:
    return run(name)
""",
    "plugins/__init__.py": """
from .registry import run
from . import double
""",
    "plugins/registry.py": """
HANDLERS = {}
LIMITS = {}
NAMES = []


class App:
    def __init__(self):
        self.routes = {}

    def route(self, path):
        def register(func):
            self.routes[path] = func
            return func
        return register


app = App()


def handler(func):
    HANDLERS[func.__name__] = func
    return func


@handler
def one(x=1):
    return x


def run(name):
    return HANDLERS[name]() + LIMITS[name] + len(NAMES) + app.routes[name]()
""",
    "plugins/double.py": """
from . import registry
from .registry import LIMITS, app, handler

LIMITS["two"] = 2
registry.NAMES.append("two")
TIMEOUT = LIMITS.get("seconds", 5)


@handler
def two():
    return half() * 4


def half():
    return 1


@app.route("two")
def route():
    return 7


def three():
    return 3
""",
}

FACTORY: Files = {
    "tasks.py": """
import upwell
from helpers import clean

env = upwell.TaskEnvironment("factory")
FACTOR = 2


def build(factor, offset=1):
    def scale(x):
        return clean(x) * factor

    @env.task(cache="auto")
    def report(x: int, plus=offset) -> int:
        return scale(x) + plus

    return report


report = build(FACTOR)
""",
    "helpers.py": """
def clean(x):
    return abs(x)


def other(x):
    return -x
""",
}
