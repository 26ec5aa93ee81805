import pytest
import torch
from torch import nn

from mmcv_replace.parallel import MMDataParallel
from mmcv_replace.runner import load_checkpoint, load_state_dict, save_checkpoint
from mmcv_replace.utils.errors import CheckpointError


def network(classes=3):
    return nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Conv2d(2, classes, 1))


def same_weights(first, second):
    return all(torch.equal(a, b) for a, b in zip(
        first.state_dict().values(), second.state_dict().values(), strict=True))


@pytest.mark.parametrize('content', [
    lambda weights: {'state_dict': weights, 'meta': {}},
    lambda weights: {'model': weights, 'epoch': 3},
    lambda weights: weights,
    lambda weights: {'state_dict': {f'module.{key}': value for key, value in weights.items()}},
])
def test_layouts_of_files(tmp_path, content, log_lines):
    source, target = network(), network()
    torch.save(content(source.state_dict()), tmp_path / 'x.pth')
    load_checkpoint(target, tmp_path / 'x.pth', strict=True)
    assert same_weights(source, target)
    assert log_lines == []


def test_returns_everything_and_loads_into_wrapped_models(tmp_path):
    source, target = network(), network()
    save_checkpoint(source, tmp_path / 'x.pth', meta={'iter': 5})
    checkpoint = load_checkpoint(MMDataParallel(target), str(tmp_path / 'x.pth'))
    assert checkpoint['meta']['iter'] == 5
    assert same_weights(source, target)


def test_keys_are_revised(tmp_path):
    source, target = network(), network()
    torch.save({f'backbone.{key}': value for key, value in source.state_dict().items()},
               tmp_path / 'x.pth')
    load_checkpoint(target, tmp_path / 'x.pth', strict=True, revise_keys=[(r'^backbone\.', '')])
    assert same_weights(source, target)


def test_report_of_what_does_not_fit(log_lines):
    source, target = network(classes=21), network(classes=3)
    before = target[2].weight.clone()
    state = source.state_dict()
    del state['0.bias']
    state['extra'] = torch.zeros(1)
    load_state_dict(target, state, source='x.pth')
    assert torch.equal(target[0].weight, source[0].weight)
    assert torch.equal(target[2].weight, before)
    (report,) = log_lines
    lines = report.split('\n')
    assert lines[0].startswith('x.pth does not fit')
    cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines if '[' in line]
    assert cells == [['2.weight', '[21, 2, 1, 1]', '[3, 2, 1, 1]'], ['2.bias', '[21]', '[3]']]
    assert '1 of the model, not in it: 0.bias' in lines
    assert '1 in it, not of the model: extra' in lines


def test_strict_raises_the_report():
    target = network(classes=3)
    before = target[0].weight.clone()
    with pytest.raises(CheckpointError, match=r'2\.weight'):
        load_state_dict(target, network(classes=21).state_dict(), strict=True)
    assert torch.equal(target[0].weight, before)


def test_batch_counters_may_be_absent(log_lines):
    state = network().state_dict()
    del state['1.num_batches_tracked']
    load_state_dict(network(), state, strict=True)
    assert log_lines == []


def test_values_that_are_no_tensors(log_lines):
    load_state_dict(network(), {**network().state_dict(), '0.bias': 'text', 'epoch': 3})
    assert '1 of the model, not in it: 0.bias' in log_lines[0]
    assert '2 in it, not of the model: 0.bias, epoch' in log_lines[0]


def test_long_lists_are_cut(log_lines):
    state = {**network().state_dict(), **{f'extra{i:02}': torch.zeros(1) for i in range(13)}}
    load_state_dict(network(), state)
    assert '13 in it, not of the model: extra00, ' in log_lines[0]
    assert log_lines[0].endswith('extra09 and 3 more')


def test_nothing_fits():
    with pytest.raises(CheckpointError, match=r'no weights for this .* keys: other\. .*0\.weight'):
        load_state_dict(network(), {'other': torch.zeros(1)})
