"""Make syntax trees of Python text."""
import ast
import gc


def parse_python(text: str, filename: str = '<unknown>', mode: str = 'exec') -> ast.AST:
    """The syntax tree of `text`, as `ast.parse` makes it; nothing is executed.

    Before Python 3.12 all trees of a process share one counter of their depth. Garbage collection
    while a tree is made may run code of other threads, which parses as well (formatting a
    traceback does), and the counter then no longer fits: SystemError for a text without fault.
    So nothing is collected meanwhile. Raises what `ast.parse` raises.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(text, filename, mode)
    finally:
        if collects:
            gc.enable()
