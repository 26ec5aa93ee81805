"""Objects of other packages in checkpoints: plain data afterwards, and no code of theirs runs.

`test/reference/mmengine_checkpoints.py` writes real files of mmengine; those here have the same
globals, from classes of the same names that are gone again when the file is read.
"""
import argparse
import collections
import datetime
import pathlib
import sys
import types
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from mmcv_replace.runner import IterBasedRunner, load_checkpoint
from mmcv_replace.runner.checkpoint import read_checkpoint, read_meta
from mmcv_replace.runner.checkpoints.averaged import averaged_state, regular_form
from mmcv_replace.runner.hooks import EMAHook
from mmcv_replace.utils import Config, ConfigDict
from mmcv_replace.utils.errors import CheckpointError
from mmseg.apis.inference import load_weights

ZIPPED = pytest.mark.parametrize('zipped', [True, False])


@pytest.fixture
def foreign(monkeypatch):
    """Makes a class that pickles say is of another package."""
    def make(path, bases=(object,), **members):
        module, _, name = path.rpartition('.')
        for end in range(len(module.split('.'))):
            part = '.'.join(module.split('.')[:end + 1])
            if part not in sys.modules:
                monkeypatch.setitem(sys.modules, part, types.ModuleType(part))
        made = type(name, bases, {'__module__': module, **members})
        for value in members.values():
            if isinstance(value, types.FunctionType):
                value.__module__, value.__qualname__ = module, f'{name}.{value.__name__}'
        monkeypatch.setattr(sys.modules[module], name, made, raising=False)
        return made
    return make


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Writes a value, forgets every class that `foreign` made, and reads it."""
    def through_a_file(value, zipped=True, change=None):
        path = tmp_path / 'x.pth'
        torch.save({'meta': value}, path, _use_new_zipfile_serialization=zipped)
        if change is not None:
            rewrite(path, *change)
        monkeypatch.undo()
        return read_checkpoint(path)['meta']
    return through_a_file


def rewrite(path, old, new):
    """Replace bytes of the pickle in a checkpoint."""
    if not zipfile.is_zipfile(path):
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new))
        return
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    [name] = [name for name in parts if name.endswith('data.pkl')]
    assert old in parts[name]
    parts[name] = parts[name].replace(old, new)
    with zipfile.ZipFile(path, 'w') as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def mean(self):
    raise AssertionError('code of the file ran')


@pytest.fixture
def history(foreign):
    """A HistoryBuffer as mmengine 0.10 pickles it, with the methods of its statistics."""
    def getstate(self):
        return {**self.__dict__, 'statistics_methods': {'mean': kind.mean}}

    def setstate(self, state):
        raise AssertionError('code of the file ran')

    kind = foreign('mmengine.logging.history_buffer.HistoryBuffer', mean=mean,
                   __getstate__=getstate, __setstate__=setstate)
    buffer = kind()
    buffer.max_length = 100
    buffer._log_history, buffer._count_history = np.array([0.5, 0.25]), np.array([1, 2])
    return buffer


@pytest.fixture
def mmengine_file(history, tmp_path, monkeypatch):
    """A file as mmengine's Runner with an EMAHook writes it: state_dict is the average."""
    def write(numpy=b'numpy._core', zipped=True, **more):
        model = nn.Linear(2, 2)
        average = {key: value.detach() + 1 for key, value in model.state_dict().items()}
        path = tmp_path / 'iter_3.pth'
        torch.save({
            'meta': {'epoch': 0, 'iter': 3, 'cfg': "a = dict(type='X')\n", 'seed': 3,
                     'experiment_name': 'run', 'mmengine_version': '0.10.7',
                     'dataset_meta': {'classes': ('road', 'car'),
                                      'palette': [[1, 2, 3], [4, 5, 6]]}},
            'state_dict': collections.OrderedDict(average),
            'message_hub': {'log_scalars': collections.OrderedDict({'train/loss': history}),
                            'runtime_info': collections.OrderedDict(best=np.float64(0.5)),
                            'resumed_keys': collections.OrderedDict()},
            'ema_state_dict': collections.OrderedDict(
                {'steps': torch.tensor(3),
                 **{f'module.{key}': value for key, value in model.state_dict().items()}}),
            **more}, path, _use_new_zipfile_serialization=zipped)
        if numpy != b'numpy._core':
            rewrite(path, b'numpy._core', numpy)
        monkeypatch.undo()
        return path, model.state_dict(), average
    return write


def test_a_history_of_another_version_does_not_keep_from_the_weights(mmengine_file, history):
    del history._count_history
    history.max_len = history.__dict__.pop('max_length')
    path, _, average = mmengine_file()
    checkpoint = read_checkpoint(path)
    buffer = checkpoint['message_hub']['log_scalars']['train/loss']
    assert {key: np.asarray(value).tolist() for key, value in buffer.items()} == {
        'log_history': [0.5, 0.25]}
    assert torch.equal(checkpoint['state_dict']['weight'], average['weight'])


@ZIPPED
@pytest.mark.parametrize('numpy', [b'numpy._core', b'numpy.core'])
def test_a_message_hub_is_plain_data(mmengine_file, numpy, zipped):
    path, _, average = mmengine_file(numpy, zipped)
    checkpoint = read_checkpoint(path)
    buffer = checkpoint['message_hub']['log_scalars']['train/loss']
    assert type(buffer) is dict
    assert {key: np.asarray(value).tolist() for key, value in buffer.items()} == {
        'log_history': [0.5, 0.25], 'count_history': [1, 2], 'max_length': 100}
    best = checkpoint['message_hub']['runtime_info']['best']
    assert (type(best), best) == (float, 0.5)
    assert torch.equal(checkpoint['state_dict']['weight'], average['weight'])
    assert read_meta(path)['meta']['iter'] == 3
    torch.save(checkpoint, path.with_name('again.pth'))


def test_mmengine_writes_the_average_as_the_state_dict(mmengine_file):
    path, trained, average = mmengine_file()
    model = nn.Linear(2, 2)
    checkpoint = load_checkpoint(model, path, strict=True)
    assert torch.equal(model.weight, average['weight'])
    assert torch.equal(averaged_state(checkpoint, 'x')['weight'], average['weight'])
    regular = regular_form(checkpoint)
    assert list(regular['state_dict']) == list(trained)
    assert torch.equal(regular['state_dict']['weight'], trained['weight'])
    assert torch.equal(regular['ema_state_dict']['weight'], average['weight'])


class Toy(nn.Linear):
    def train_step(self, data_batch, optimizer):
        raise AssertionError('no step is taken here')


def with_optimizer(model, **group):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    state = optimizer.state_dict()
    state['param_groups'][0].update(initial_lr=0.2, **group)
    return optimizer, state


def test_a_run_of_mmengine_goes_on(mmengine_file):
    """With the trained weights and their averages, the optimizer's state and the iteration."""
    model = Toy(2, 2)
    optimizer, state = with_optimizer(Toy(2, 2))
    path, trained, average = mmengine_file(optimizer=state, param_schedulers=[{'last_step': 3}])
    runner = IterBasedRunner(model, optimizer=torch.optim.SGD(model.parameters(), lr=9.0),
                             max_iters=9)
    ema = EMAHook()
    runner.register_hook(ema)
    runner.resume(path)
    assert runner.iter == 3
    assert torch.equal(model.weight, trained['weight'])
    assert runner.optimizer.param_groups[0]['initial_lr'] == 0.2
    assert torch.equal(runner.optimizer.state[model.weight]['momentum_buffer'],
                       state['state'][0]['momentum_buffer'])
    with ema.applied(runner):
        assert torch.equal(model.weight, average['weight'])


@pytest.mark.parametrize(('optimizer', 'told'), [
    ({}, 'holds no optimizer state.*--load-from'),
    ({'optimizer': {'generator': {'state': {}, 'param_groups': []}}}, 'param_groups.*--load-from'),
    ({'optimizer': {'state': {}, 'param_groups': [{'params': [0]}, {'params': [1]}]}},
     '(?s)2 groups of parameters.*--load-from')])
def test_a_run_of_mmengine_that_cannot_go_on(mmengine_file, optimizer, told):
    model = Toy(2, 2)
    path, *_ = mmengine_file(**optimizer)
    runner = IterBasedRunner(model, optimizer=torch.optim.SGD(model.parameters(), lr=9.0),
                             max_iters=9)
    with pytest.raises(CheckpointError, match=told):
        runner.resume(path)


def test_the_classes_of_mmengine(mmengine_file):
    path, *_ = mmengine_file()
    model = nn.Linear(2, 2)
    load_weights(model, str(path))
    assert model.CLASSES == ('road', 'car')
    assert model.PALETTE == [[1, 2, 3], [4, 5, 6]]


def test_averages_of_our_own_stay_what_they_are(tmp_path):
    torch.save({'state_dict': {'w': torch.zeros(1)}, 'ema_state_dict': {'w': torch.ones(1)}},
               tmp_path / 'x.pth')
    assert averaged_state(read_checkpoint(tmp_path / 'x.pth'), 'x')['w'] == 1


def dict_like(foreign, path, **members):
    kind = foreign(path, (dict,), **members)
    return kind(a=1, b=kind(c=[2]))


def test_dicts_of_other_packages(foreign, stored):
    """addict's Dict says that its state is itself; mmengine's ConfigDict is built from a dict."""
    found = stored({
        'addict': dict_like(foreign, 'addict.addict.Dict', __getstate__=lambda self: self,
                            __setstate__=lambda self, state: None),
        'mmcv': dict_like(foreign, 'mmcv.utils.config.ConfigDict'),
        'mmengine': dict_like(foreign, 'mmengine.config.config.ConfigDict', __reduce_ex__=lambda
                              self, _: (type(self), (dict(self.items()),), None, None, None)),
        'lightning': dict_like(foreign, 'lightning.fabric.utilities.data.AttributeDict'),
        'own': ConfigDict(a=1, b=dict(c=[2])),
    })
    assert len(found) == 5
    for value in found.values():
        assert value == {'a': 1, 'b': {'c': [2]}}
        assert type(value).__module__ in ('builtins', 'collections')


@pytest.mark.parametrize('state', [lambda self: (self.values, 'f.py', 'a = 1', {}, True, set()),
                                   lambda self: {'_cfg_dict': self.values, '_filename': 'f.py'}])
@pytest.mark.parametrize('path', ['mmengine.config.config.Config', 'mmcv.utils.config.Config'])
def test_configs_are_their_values(foreign, stored, path, state):
    config = foreign(path, __getstate__=state, __setstate__=lambda self, state: 1 / 0)()
    config.values = {'a': [1]}
    assert stored([config]) == [{'a': [1]}]


@ZIPPED
def test_objects_of_python(stored, zipped):
    counts = collections.defaultdict(list)
    counts['x'].append(1)
    when = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc)
    shared = argparse.Namespace(lr=0.1, folder=pathlib.PurePosixPath('a/b'))
    assert stored({
        'default': counts, 'ordered': collections.OrderedDict(a=1), 'user': collections.UserDict(
            {'a': (pathlib.Path('c'), 1)}), 'args': shared, 'again': (shared,),
        'space': types.SimpleNamespace(a=1), 'deque': collections.deque([1, 2], 5),
        'windows': pathlib.PureWindowsPath('c:/a'), 'when': when, 'date': when.date(),
        'took': datetime.timedelta(minutes=1), 'frozen': frozenset({1}),
        'size': torch.Size([2]), 'type': torch.float16,
    }, zipped) == {
        'default': {'x': [1]}, 'ordered': {'a': 1}, 'user': {'a': ('c', 1)},
        'args': {'lr': 0.1, 'folder': 'a/b'}, 'again': ({'lr': 0.1, 'folder': 'a/b'},),
        'space': {'a': 1}, 'deque': [1, 2], 'windows': 'c:\\a',
        'when': '2024-05-06 07:08:09+00:00', 'date': '2024-05-06', 'took': 60.0,
        'frozen': frozenset({1}), 'size': (2,), 'type': torch.float16}


@pytest.mark.parametrize('value', [
    np.float64(0.5), np.int64(-3), np.bool_(True), np.str_('abc'), np.str_(''), np.float32(0.25),
    np.complex64(1j), np.bytes_(b'xy'), np.datetime64('2024-05-06', 'D')])
def test_numbers_of_numpy_are_those_of_python(stored, value):
    found = stored(value)
    assert type(found) is type(value.item()) or isinstance(value, np.datetime64)
    assert str(found) == str(value.item())


@pytest.mark.parametrize('array', [
    np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.zeros((0, 3)),
    np.array(3.5), np.arange(3, dtype='>i4'), np.array(['a', 'bcd']), np.array([True, False]),
    np.array(['2024-01-01'], 'M8[ns]'), np.array([(1, 0.5)], [('a', 'i4'), ('b', 'f8')])])
def test_arrays(stored, array):
    found = stored(array)
    assert found.shape == array.shape
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_an_array_of_objects_is_a_list(stored):
    assert stored(np.array([['a', None], [np.float64(1.5), 'd']], object)) == [
        ['a', None], [1.5, 'd']]


def test_parameters_and_prefixes_of_data_parallel(tmp_path):
    model = nn.Linear(2, 2)
    torch.save({'state_dict': {f'module.{key}': value
                               for key, value in model.named_parameters()}}, tmp_path / 'x.pth')
    other = nn.Linear(2, 2)
    load_checkpoint(other, tmp_path / 'x.pth', strict=True)
    assert torch.equal(other.weight, model.weight)


def test_an_object_that_holds_itself(stored):
    loop = argparse.Namespace()
    loop.self = loop
    assert stored([loop]) == [{'self': None}]


def test_values_of_a_config_of_ours(stored):
    assert stored(Config(dict(a=dict(b=1)))) == {'a': {'b': 1}}
