from collections import OrderedDict, namedtuple

import torch

from mmcv_replace.parallel import DataContainer, collate, scatter, scatter_kwargs
from mmcv_replace.parallel.scatter_gather import send


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


Pair = namedtuple('Pair', 'first second')


def test_keeps_types_of_collections():
    inputs = [Pair(torch.ones(1), 2), OrderedDict(a=torch.ones(1))]
    pair, ordered = scatter(inputs, 'meta')
    assert isinstance(pair, Pair)
    assert pair.first.device.type == 'meta'
    assert isinstance(ordered, OrderedDict)
    assert ordered['a'].device.type == 'meta'


def test_a_number_names_a_device():
    (batch,) = scatter({'img': torch.ones(1)}, [-1])
    assert batch['img'].device.type == 'cpu'
    assert scatter({'img': torch.ones(1)}, -1)['img'].device.type == 'cpu'


def test_several_devices_share_a_batch():
    metas = DataContainer([['a'], ['b']], cpu_only=True)
    images = DataContainer([torch.zeros(1, 2), torch.ones(1, 2)], stack=True)
    inputs = {'metas': metas, 'list': [images, 'text'], 'pair': Pair(torch.arange(4), 3), 'n': 1}
    first, second = scatter(inputs, ['cpu', 'meta'])
    assert first['metas'] == ['a']
    assert second['metas'] == ['b']
    assert first['list'][0].tolist() == [[0, 0]]
    assert second['list'][0].device.type == 'meta'
    assert first['list'][1] == second['list'][1] == 'text'
    assert first['pair'].first.tolist() == [0, 1]
    assert isinstance(second['pair'], Pair)
    assert second['pair'].first.shape == (2,)
    assert first['n'] == second['n'] == 1


def test_fewer_entries_than_devices_make_fewer_batches():
    inputs = {'metas': DataContainer([['a']], cpu_only=True), 'n': 1, 'empty': []}
    assert scatter(inputs, [-1, -1]) == [{'metas': ['a'], 'n': 1, 'empty': []}]


def test_tensors_are_split_along_a_dimension():
    rows = torch.arange(4).reshape(2, 2)
    assert [part.tolist() for part in scatter(rows, [-1, -1])] == [[[0, 1]], [[2, 3]]]
    assert [part.tolist() for part in scatter(rows, [-1, -1], 1)] == [[[0], [2]], [[1], [3]]]


def test_arguments_of_calls():
    x = DataContainer([torch.ones(2)])
    (call,), (options,) = scatter_kwargs((x, 5), {'a': x}, [-1])
    assert [call[0].tolist(), call[1], options['a'].tolist()] == [[1, 1], 5, [1, 1]]
    assert scatter_kwargs((), {'a': 1}, [-1]) == (((),), ({'a': 1},))
    assert scatter_kwargs((1,), {}, [-1, -1]) == (((1,), (1,)), ({}, {}))
    assert scatter_kwargs((), {}, [-1]) == scatter_kwargs(None, None, [-1]) == ((), ())
    halves, _ = scatter_kwargs((torch.arange(2).reshape(1, 2),), {}, [-1, -1], dim=1)
    assert [half.tolist() for (half,) in halves] == [[[0]], [[1]]]
