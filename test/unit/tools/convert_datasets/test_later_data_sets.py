"""The commands of the data sets of the later 0.x line: their options reach the converters."""
import importlib

import pytest

COMMANDS = {
    'coco_stuff10k': (dict(nproc=1), None), 'coco_stuff164k': (dict(nproc=1), None),
    'loveda': (dict(nproc=1, tmp_dir=None), 'data/loveDA'),
    'potsdam': (dict(nproc=1, tmp_dir=None, clip_size=512, stride_size=None, unknown='nearest'),
                'data/potsdam'),
    'vaihingen': (dict(nproc=1, tmp_dir=None, clip_size=512, stride_size=None, unknown='nearest'),
                  'data/vaihingen'),
    'isaid': (dict(nproc=1, tmp_dir=None, patch_width=896, patch_height=896, overlap_area=384,
                   unknown='error'), 'data/iSAID')}
OTHERS = dict(nproc=3, tmp_dir='place', clip_size=7, stride_size=5, unknown='ignore',
              patch_width=9, patch_height=8, overlap_area=2)


@pytest.fixture(params=COMMANDS)
def command(request, run_tool, monkeypatch):
    """Run a command; returns the arguments that its converter gets, by their names."""
    name = request.param
    package = 'mmseg.datasets.converters' + ('' if name.startswith('coco') else '.aerial')
    module = importlib.import_module(f'{package}.{name}')
    real = getattr(module, f'convert_{name}')

    def run(*words):
        import inspect
        seen = {}

        def convert(*args, **kwargs):
            bound = inspect.signature(real).bind(*args, **kwargs)
            seen.update(bound.arguments)
            seen.update(seen.pop('options', {}))
            return dict(train=1234, val=5)
        monkeypatch.setattr(module, f'convert_{name}', convert)
        run_tool(f'convert_datasets/{name}.py', *words)
        return seen
    run.name = name
    return run


def source_of(seen):
    return seen.pop('coco_path', None) or seen.pop('dataset_path')


def test_defaults(command, capsys):
    seen = command('archives')
    assert source_of(seen) == 'archives'
    defaults, out_dir = COMMANDS[command.name]
    assert seen == defaults | dict(out_dir=out_dir)
    unit = 'windows' if 'stride_size' in defaults else 'images'
    assert f'train: 1,234 {unit}  val: 5 {unit}' in capsys.readouterr().out


@pytest.mark.parametrize('out', ['-o', '--out_dir', '--out-dir'])
@pytest.mark.parametrize('joint', ['_', '-'])
def test_options(command, out, joint):
    names = COMMANDS[command.name][0]
    words = [word for name in names for word in (f'--{name.replace("_", joint)}', OTHERS[name])]
    seen = command('archives', out, 'there', *words)
    assert source_of(seen) == 'archives'
    assert seen == {name: OTHERS[name] for name in names} | dict(out_dir='there')


@pytest.mark.parametrize('name', COMMANDS)
def test_errors_without_traceback(run_command_line, tmp_path, name):
    done = run_command_line(f'convert_datasets/{name}.py', tmp_path / 'nowhere', '-o',
                            tmp_path / 'out')
    assert done.returncode == 2
    assert 'nowhere' in done.stderr
    assert 'Traceback' not in done.stderr
    assert not (tmp_path / 'out').exists()
