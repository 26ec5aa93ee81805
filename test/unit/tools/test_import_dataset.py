"""tools/import_dataset.py: what a user sees."""
import pytest

from mmseg.datasets.importers import READERS

from ..mmseg.datasets.importers.exports import EXPORTS, NAMES


@pytest.mark.parametrize('name', EXPORTS)
def test_every_tool(run_command_line, tmp_path, name):
    tool, write = EXPORTS[name]
    (tmp_path / 'export').mkdir()
    done = run_command_line('import_dataset.py', tool, write(tmp_path / 'export'), '-o',
                            tmp_path / 'out', '--nproc', 2)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'out/classes.txt').read_text().split() == NAMES
    lines = done.stdout.splitlines()
    assert lines[-2] == f'3 images and masks are in {tmp_path}/out. Train on them:'
    assert lines[-1] == (f'  python tools/train.py CONFIG --images {tmp_path}/out/images --masks '
                         f'{tmp_path}/out/masks --classes {tmp_path}/out/classes.txt')
    assert any(line.startswith('Rule: ') for line in lines)


def test_options(run_tool, tmp_path, capsys):
    write = EXPORTS['coco'][1]
    (tmp_path / 'export').mkdir()
    run_tool('import_dataset.py', 'coco', write(tmp_path / 'export'), '--out', tmp_path / 'out',
             '--images', tmp_path / 'export/images', '--classes', 'road', 'background',
             '--ignore', 'car', '--unlabelled', 'background', '--skip-bad', '--skip-empty',
             '--crowd', 'class')
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line[:1] == '|']
    assert [row[3] for row in rows] == ['class', 'road', 'background', '(ignored)']
    assert [row[7] for row in rows] == ['images', '2', '2', '2']


def test_errors_have_no_traceback(run_command_line, tmp_path):
    (tmp_path / 'a.json').write_text('{}')
    done = run_command_line('import_dataset.py', 'coco', tmp_path / 'a.json', '-o',
                            tmp_path / 'out')
    assert done.returncode == 2
    assert "a.json: 'categories' is missing" in done.stderr
    assert 'Traceback' not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ['a.json']


def test_help_names_all_tools(run_command_line):
    text = run_command_line('import_dataset.py', '--help').stdout
    assert all(tool in text for tool in READERS)
    assert '--crowd' in run_command_line('import_dataset.py', 'coco', '--help').stdout
