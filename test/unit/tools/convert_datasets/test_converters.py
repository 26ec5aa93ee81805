"""The commands that convert the data sets of mmsegmentation 0.10, on tiny archives."""
import pytest

from ...mmseg.datasets.converters import archives
from .test_later_data_sets import COMMANDS as LATER

# Command -> what makes its archives, and what it prints.
COMMANDS = {
    'chase_db1': (archives.make_chase_db1, 'training: 20 images  validation: 8 images'),
    'drive': (archives.make_drive, 'training: 20 images  validation: 20 images'),
    'hrf': (archives.make_hrf, 'training: 15 images  validation: 30 images'),
    'stare': (archives.make_stare, 'training: 10 images  validation: 10 images'),
    'cityscapes': (archives.make_cityscapes,
                   'test.txt: 2 names  train.txt: 2 names  val.txt: 2 names'),
    'pascal_context': (archives.make_pascal_context, 'train.txt: 2 names  val.txt: 1 names'),
}
DEFAULTS = {'chase_db1': 'data/CHASE_DB1', 'drive': 'data/DRIVE', 'hrf': 'data/HRF',
            'stare': 'data/STARE', 'pascal_context': 'VOC2010', 'cityscapes': ''}


@pytest.fixture(params=COMMANDS)
def name(request):
    return request.param


@pytest.fixture
def made(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return COMMANDS[name][0](tmp_path)


def files_of(folder, suffix):
    return {str(path.relative_to(folder)) for path in folder.rglob(f'*{suffix}')}


def test_without_options(run_tool, name, made, tmp_path, capsys):
    run_tool(f'convert_datasets/{name}.py', *made.paths)
    assert capsys.readouterr().out == COMMANDS[name][1] + '\n'
    assert set(made.masks) <= files_of(tmp_path / DEFAULTS[name], '.png')


@pytest.mark.parametrize('flag', ['-o', '--out-dir', '--out_dir'])
def test_out_dir_and_processes(run_tool, name, made, tmp_path, flag):
    run_tool(f'convert_datasets/{name}.py', *made.paths, flag, tmp_path / 'mine', '--nproc', 2)
    found = files_of(tmp_path / 'mine', '.png') | files_of(tmp_path / 'mine', '.txt')
    if name == 'cityscapes':
        assert found == {'train.txt', 'val.txt', 'test.txt'}
    elif name == 'pascal_context':
        assert found == {place.rpartition('/')[2] for place in made.masks}
    else:
        assert found == {*made.masks, *made.images}


def test_gt_dir_of_cityscapes(run_tool, tmp_path):
    made = archives.make_cityscapes(tmp_path, kind='gtCoarse')
    run_tool('convert_datasets/cityscapes.py', tmp_path, '--gt-dir', 'gtCoarse')
    assert set(made.masks) <= files_of(tmp_path, '.png')


@pytest.mark.parametrize('name', ['chase_db1'], indirect=True)
@pytest.mark.parametrize('flag', ['--tmp-dir', '--tmp_dir'])
def test_tmp_dir(run_tool, made, tmp_path, flag):
    run_tool('convert_datasets/chase_db1.py', *made.paths, flag, tmp_path / 'new/tmp')
    assert (tmp_path / 'new/tmp').is_dir()
    assert not list((tmp_path / 'new/tmp').iterdir())


def test_no_process(run_tool, name, made, capsys):
    with pytest.raises(SystemExit, match='2'):
        run_tool(f'convert_datasets/{name}.py', *made.paths, '--nproc', 0)
    assert 'argument --nproc: 0: there must be one process at least' in capsys.readouterr().err


def test_progress_and_an_error_without_a_traceback(run_command_line, tmp_path):
    made = archives.make_pascal_context(tmp_path)
    done = run_command_line('convert_datasets/pascal_context.py', *made.paths)
    assert done.returncode == 0
    assert '3/3' in done.stderr
    made.paths[1].write_text('{')
    done = run_command_line('convert_datasets/pascal_context.py', *made.paths)
    assert done.returncode == 2
    assert 'trainval_merged.json is not valid json' in done.stderr
    assert 'Traceback' not in done.stderr


def test_every_command_is_here(repo_dir):
    """A converter that has no case gets one, in this file or one of its own."""
    tools = {path.stem for path in (repo_dir / 'tools/convert_datasets').glob('*.py')}
    tests = {path.stem.removeprefix('test_') for path in (
        repo_dir / 'test/unit/tools/convert_datasets').glob('test_*.py')}
    assert tools <= {*COMMANDS, *LATER} | tests
