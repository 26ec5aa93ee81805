import torch

from mmcv_replace.parallel import DataContainer, collate, scatter
from mmcv_replace.parallel.scatter import send


def test_unwraps_and_moves():
    samples = [{'img': DataContainer(torch.ones(3, 2, 2), stack=True),
                'boxes': DataContainer(torch.ones(1, 4)),
                'img_metas': DataContainer({'id': i}, cpu_only=True), 'label': i}
               for i in range(2)]
    # The meta device stands for an accelerator.
    batch = scatter(collate(samples, samples_per_gpu=2), 'meta')
    assert batch['img'].device.type == 'meta'
    assert batch['img'].shape == (2, 3, 2, 2)
    assert [box.device.type for box in batch['boxes']] == ['meta', 'meta']
    assert batch['img_metas'] == [{'id': 0}, {'id': 1}]
    assert batch['label'].device.type == 'meta'


def test_host_only_tensors_stay():
    container = DataContainer([[torch.ones(1)]], cpu_only=True)
    assert scatter({'a': container}, 'meta')['a'][0].device.type == 'cpu'


def test_keeps_structure():
    inputs = ([torch.ones(1)], {'flag': True, 'name': 'x'}, None)
    outputs = scatter(inputs, torch.device('cpu'))
    assert isinstance(outputs, tuple)
    assert outputs[0][0].tolist() == [1]
    assert outputs[1:] == ({'flag': True, 'name': 'x'}, None)


def test_list_of_one_device_gives_a_list():
    (batch,) = scatter({'img': torch.ones(1)}, ['meta'])
    assert batch['img'].device.type == 'meta'


def test_send_keeps_the_containers_and_scatter_finds_nothing_left_to_move():
    samples = [{'img': DataContainer(torch.ones(3, 2, 2), stack=True),
                'img_metas': DataContainer({'id': i}, cpu_only=True), 'label': i}
               for i in range(2)]
    sent = send(collate(samples, samples_per_gpu=2), 'meta')

    assert sent['img'].data[0].device.type == 'meta'
    assert sent['img'].stack
    assert sent['img_metas'].data == [[{'id': 0}, {'id': 1}]]
    assert sent['label'].device.type == 'meta'
    batch = scatter(sent, 'meta')
    assert batch['img'] is sent['img'].data[0]
    assert batch['img_metas'] == [{'id': 0}, {'id': 1}]
