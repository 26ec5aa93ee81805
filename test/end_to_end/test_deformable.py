"""A backbone with deformable convolutions, trained, resumed and tested by the commands."""
import json

import pytest
import torch

MODEL = '''
_base_ = {base!r}
model = dict(
    backbone=dict(
        depth=50, zero_init_residual=False,
        dcn=dict(type={type!r}, deform_groups=1, fallback_on_stride=False),
        stage_with_dcn=(False, True, True, True)),
    decode_head=dict(in_channels=256), auxiliary_head=dict(in_channels=128))
data = dict(samples_per_gpu=2)
runner = dict(max_iters=2)
checkpoint_config = dict(interval=1)
evaluation = dict(interval=2)
'''


def weights(file):
    return torch.load(file, weights_only=True)['state_dict']


@pytest.mark.parametrize(('kind', 'channels'), [('DCN', 18), ('DCNv2', 27)])
def test_a_backbone_with_deformable_convolutions(tool, small_config, tmp_path, kind, channels):
    config = tmp_path / 'deformable.py'
    config.write_text(MODEL.format(base=str(small_config), type=kind))

    def train(name, *arguments):
        tool('train')([str(config), '--device', 'cpu', '--seed', '0', '--work-dir',
                       str(tmp_path / name), *map(str, arguments)])
        log, = (tmp_path / name).glob('*.log.json')
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        return {mode: [line for line in lines if line.get('mode') == mode]
                for mode in ('train', 'val')}

    logged = train('whole')
    first, last = (weights(tmp_path / f'whole/iter_{number}.pth') for number in (1, 2))
    offsets = [key for key in last if key.endswith('conv2.conv_offset.weight')]
    assert len(offsets) == 4 + 6 + 3  # blocks of the stages 2 to 4
    assert all(last[key].shape[0] == channels for key in offsets)
    # They start as zeros, so that all that they are is what the offsets' gradients made of them.
    assert all(first[key].any() and not torch.equal(first[key], last[key]) for key in offsets)

    train('resumed', '--resume-from', tmp_path / 'whole/iter_1.pth', '--no-validate')
    resumed = weights(tmp_path / 'resumed/iter_2.pth')
    assert all(torch.equal(resumed[key], value) for key, value in last.items())

    tool('test')([str(config), str(tmp_path / 'whole/iter_2.pth'), '--device', 'cpu', '--eval',
                  'mIoU', '--work-dir', str(tmp_path / 'tested')])
    report, = (tmp_path / 'tested').glob('eval_*.json')
    scores = json.loads(report.read_text())
    assert scores['mIoU'] == pytest.approx(logged['val'][0]['mIoU'], abs=1e-4)
