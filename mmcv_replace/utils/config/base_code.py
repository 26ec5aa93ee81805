"""Let the code of a Python config use the values of the files that it inherits from."""
import ast
import re
from typing import Any

from .base_values import BASE_KEY, PLACE

VALUES, FILL = '__base_values__', '__fill_text__'  # names that the changed code uses
# `_base_.append(...)` changes the list of files; `{{ _base_.append }}` would be a value.
_OF_FILES = frozenset((*dir(list), *dir(str)))
# Not so in `_base_ = ['../_base_/models/x.py']`, all that most files have of it.
_MAY_REFER = re.compile(rf'{BASE_KEY}\s*[^\s=/]')


def link_to_bases(tree: ast.Module, source: str) -> ast.Module:
    """The syntax tree with names VALUES and FILL in place of references to the bases.

    Such are `{{ _base_.a }}` and `_base_.a`, alone or in expressions, and strings with the former.
    """
    if not _MAY_REFER.search(source):  # walking the tree takes a fifth of the reading of a file
        return tree
    return ast.fix_missing_locations(_Linker(source).visit(tree))


def static_bases(tree: ast.Module) -> Any:
    """What is assigned to `_base_` by a literal; an empty list without one."""
    found: Any = []
    for node in tree.body:
        match node:
            case ast.Assign([ast.Name(name)], value) if name == BASE_KEY:
                try:
                    found = ast.literal_eval(value)
                except ValueError:
                    continue
    return found


class _Linker(ast.NodeTransformer):
    def __init__(self, source: str) -> None:
        self.source = source
        self.braced = False

    def visit_Set(self, node: ast.Set) -> ast.AST:  # noqa: N802
        match node:
            case ast.Set([ast.Set([inner])]) if _mentions_base(inner):
                self.braced, before = True, self.braced
                inner = self.visit(inner)
                self.braced = before
                return inner
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:  # noqa: N802
        match node:
            case ast.Attribute(ast.Name(name) as base, attribute, ast.Load()) if (
                    name == BASE_KEY and (self.braced or attribute not in _OF_FILES)):
                node.value = ast.copy_location(ast.Name(VALUES, ast.Load()), base)
                return node
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:  # noqa: N802
        if not isinstance(node.value, str) or not PLACE.search(node.value):
            return node
        # A dumped config escapes the braces of a text that only looks like a reference.
        if not PLACE.search(ast.get_source_segment(self.source, node) or ''):
            return node
        call = ast.Call(ast.Name(FILL, ast.Load()), [node], [])
        return ast.copy_location(call, node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:  # noqa: N802
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:  # noqa: N802
        node.values = [self.visit(part) if isinstance(part, ast.FormattedValue) else part
                       for part in node.values]
        return node


def _mentions_base(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Name) and part.id == BASE_KEY for part in ast.walk(node))
