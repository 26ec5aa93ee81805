import ast

from mmcv_replace.utils.config.syntax import parse_python


def imports_of_toolkit(file):
    """(module, name) of what a file imports from this project."""
    tree = parse_python(file.read_text(encoding='utf-8'))
    return {(node.module, alias.name) for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) for alias in node.names
            if node.module.startswith(('mmseg', 'mmcv_replace'))}


def test_imports_what_the_test_command_imports(repo_dir):
    probe = imports_of_toolkit(repo_dir / 'mmseg/benchmark/startup_probe.py')
    command = imports_of_toolkit(repo_dir / 'tools/test.py')
    assert command - probe <= {('mmcv_replace.utils', 'DictAction')}
