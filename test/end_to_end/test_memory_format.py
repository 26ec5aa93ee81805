"""Low precision on a CPU with matrix units: channels_last reaches every pass over the network."""
import argparse
import pickle

import numpy as np
import pytest
import torch

from mmcv_replace.utils import DictAction
from mmseg.apis import inference_segmentor, init_segmentor, load_config
from mmseg.models import EncoderDecoder

SLIDE = ('model.test_cfg.mode=slide', 'model.test_cfg.crop_size=(64, 64)',
         'model.test_cfg.stride=(48, 48)')
IMAGE = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)


@pytest.fixture
def matrix_units(monkeypatch):
    """Let torch say whether the CPU has AMX; what is computed stays the same.

    There are no products of oneDNN, for which models in float32 would be in channels_last.
    """
    monkeypatch.setattr('mmseg.apis.acceleration.has_products', lambda: False)
    return lambda found: monkeypatch.setattr(torch.cpu, '_is_amx_tile_supported', lambda: found)


@pytest.fixture
def passes(monkeypatch):
    """For each pass its name, the size of its images, and whether features are channels_last."""
    seen = []

    def watched(name, method):
        def run(self, img, *args, **kwargs):
            def note(module, inputs, out):
                seen.append((name, tuple(img.shape[2:]),
                             out.is_contiguous(memory_format=torch.channels_last)))
            hook = self.backbone.layer4[0].conv1.register_forward_hook(note)
            try:
                return method(self, img, *args, **kwargs)
            finally:
                hook.remove()
        return run

    for name in ('forward_train', 'encode_decode'):
        monkeypatch.setattr(EncoderDecoder, name, watched(name, getattr(EncoderDecoder, name)))
    return seen


@pytest.fixture(scope='module')
def checkpoint(run_tool, small_config, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('trained')
    done = run_tool('train', small_config, '--device', 'cpu', '--work-dir', work_dir, '--seed', 3,
                    '--no-validate')
    assert done.returncode == 0, done.stderr
    return str(work_dir / 'latest.pth')


@pytest.fixture
def load(small_config):
    """The small config with options of the command line."""
    def run(*options):
        parser = argparse.ArgumentParser()
        parser.add_argument('--options', nargs='*', action=DictAction)
        return load_config(small_config, parser.parse_args(['--options', *options]).options)
    return run


def formats(passes, name):
    return {chosen for seen, _, chosen in passes if seen == name}


@pytest.mark.parametrize(('found', 'arguments', 'chosen'), [
    (True, ['--amp'], True),
    (True, ['--amp', '--opt-level', 'O2'], True),
    (True, ['--amp', '--cfg-options', 'channels_last=False'], False),
    (True, [], False),
    (False, ['--amp'], False)])
def test_training_and_its_evaluation(tool, small_config, tmp_path, matrix_units, passes, found,
                                     arguments, chosen):
    matrix_units(found)
    tool('train')([str(small_config), '--device', 'cpu', '--work-dir', str(tmp_path), '--seed', '3',
                   *arguments])
    assert formats(passes, 'forward_train') == {chosen}
    assert formats(passes, 'encode_decode') == {chosen}
    log = next(tmp_path.glob('*.log')).read_text()
    assert ('the model runs in channels_last for bfloat16: the matrix units of this CPU (AMX) are '
            'reached in this memory format alone (channels_last=False keeps the plain format)'
            in log) == chosen


@pytest.mark.parametrize('mode', [(), SLIDE], ids=['whole', 'slide'])
def test_the_test_command(tool, small_config, checkpoint, tmp_path, matrix_units, passes, capsys,
                          mode):
    matrix_units(True)
    results = {}
    for chosen, arguments in ((True, ['--amp']), (False, ['--amp', 'channels_last=False']),
                              (False, [])):
        passes.clear()
        amp = [each for each in arguments if each == '--amp']
        options = [each for each in arguments if each != '--amp'] + list(mode)
        tool('test')([str(small_config), checkpoint, '--device', 'cpu', '--out',
                      str(tmp_path / 'out.pkl'), *amp,
                      *(['--cfg-options', *options] if options else [])])
        assert formats(passes, 'encode_decode') == {chosen}
        assert ('channels_last for bfloat16' in capsys.readouterr().err) == chosen
        assert (max(size[0] for _, size, _ in passes) <= 64) == bool(mode)
        results.setdefault(chosen, (tmp_path / 'out.pkl').read_bytes())
    for one, other in zip(pickle.loads(results[True]), pickle.loads(results[False]), strict=True):
        assert (one != other).mean() < 0.01


@pytest.mark.parametrize('mode', [(), SLIDE], ids=['whole', 'slide'])
def test_from_python(small_config, checkpoint, matrix_units, passes, mode, load):
    matrix_units(True)
    plain = init_segmentor(load(*mode, 'channels_last=False'), checkpoint, 'cpu')
    model = init_segmentor(load(*mode), checkpoint, 'cpu')
    expected, = inference_segmentor(model, IMAGE)
    assert formats(passes, 'encode_decode') == {False}
    passes.clear()
    with torch.autocast('cpu', torch.bfloat16):
        label_map, = inference_segmentor(model, IMAGE)
        assert formats(passes, 'encode_decode') == {True}
        passes.clear()
        by_plain, = inference_segmentor(plain, IMAGE)
    assert formats(passes, 'encode_decode') == {False}
    assert (label_map != by_plain).mean() < 0.01
    assert (label_map != expected).mean() < 0.05


@pytest.mark.parametrize(('option', 'found', 'chosen'), [
    ('bf16.opt_level=O1', True, True), ('bf16.opt_level=O1', False, False),
    ('bf16.opt_level=O0', True, False), ('fp16.opt_level=O1', True, True)])
def test_from_python_the_config_says_the_precision(checkpoint, matrix_units, passes, load, option,
                                                   found, chosen):
    matrix_units(found)
    inference_segmentor(init_segmentor(load(option), checkpoint, 'cpu'), IMAGE)
    assert formats(passes, 'encode_decode') == {chosen}
