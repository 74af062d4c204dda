"""The regular expressions of our packages, found by themselves, and how each is applied."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = ("crawler", "storage", "scheduler")
_ALL_OF_A_TEXT = frozenset({"sub", "subn", "split", "findall", "finditer"})
_METHODS = frozenset({"match", "fullmatch", "search", *_ALL_OF_A_TEXT})


@dataclass(frozen=True, kw_only=True)
class Found:
    """A pattern, where it stands, and how it is applied: `match`, `fullmatch`, `search`, `finditer`."""

    name: str
    pattern: re.Pattern[Any]
    methods: frozenset[str]


def our_patterns() -> list[Found]:
    """Return the patterns of all modules: values of names, members of collections, those written within functions."""
    found: dict[tuple[Any, int], Found] = {}
    for module in _modules():
        for name, pattern, methods in [*_named(module), *_within(module)]:
            key = (pattern.pattern, pattern.flags)
            known = found.get(key)
            found[key] = Found(
                name=known.name if known else f"{module.__name__}.{name}",
                pattern=pattern,
                methods=methods | (known.methods if known else frozenset()),
            )
    # In one order, whatever the order of a set is: several processes may share the tests.
    return sorted(found.values(), key=lambda one: (one.name, str(one.pattern.pattern), one.pattern.flags))


@cache
def _modules() -> list[ModuleType]:
    modules = []
    for package in map(importlib.import_module, PACKAGES):
        inner = [info.name for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
        # The migrations are a package of their own within an installed one.
        names = [name for name in inner if not name.endswith("__main__") and "_migrations" not in name]
        modules += [package, *map(importlib.import_module, names)]
    return [module for module in modules if module.__file__]


@cache
def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


@cache
def _used(module: ModuleType) -> Mapping[str, frozenset[str]]:
    """Return by which methods a module applies each name; `_X[kind].search` counts for `_X`."""
    used: dict[str, set[str]] = {}
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Attribute) and node.attr in _METHODS:
            value = node.value.value if isinstance(node.value, ast.Subscript) else node.value
            name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", None)
            if name:
                used.setdefault(name, set()).add(_kind(node.attr))
    return {name: frozenset(methods) for name, methods in used.items()}


def _kind(method: str) -> str:
    return "finditer" if method in _ALL_OF_A_TEXT else method


def _named(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any], frozenset[str]]]:
    for name, value in vars(module).items():
        for pattern in _patterns_in(value):
            # What is handed on under another name may be applied in any way.
            yield name, pattern, _used(module).get(name, frozenset({"search", "finditer"}))


def _patterns_in(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _patterns_in(inner)
    elif isinstance(value, list | tuple | set | frozenset) and len(value) < 100:
        for inner in value:
            yield from _patterns_in(inner)


def _within(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any], frozenset[str]]]:
    for node in ast.walk(_tree(module)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and node.func.attr in _METHODS
        ):
            flags = re.NOFLAG
            for flag in ast.walk(node):
                if isinstance(flag, ast.Attribute) and isinstance(flag.value, ast.Name) and flag.value.id == "re":
                    flags |= getattr(re, flag.attr) if flag.attr.isupper() else re.NOFLAG
            yield f"line {node.lineno}", re.compile(node.args[0].value, flags), frozenset({_kind(node.func.attr)})
