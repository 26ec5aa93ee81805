"""Every head exported to ONNX at any size, and one at a fixed size by torch's older exporter."""
import pytest
import torch

from mmseg.models import HEADS

from . import head_options as table
from .head_plain import WIDTHS

pytest.importorskip('onnx')
pytest.importorskip('onnxscript')
onnxruntime = pytest.importorskip('onnxruntime')


class OneInput(torch.nn.Module):
    """A head that takes its maps as such: names of dynamic sizes go by argument."""

    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, *maps):
        return self.head(maps, *table.previous(self.head, maps))


def run(path, *maps):
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return torch.from_numpy(session.run(None, {
        taken.name: x.numpy() for taken, x in zip(session.get_inputs(), maps, strict=True)})[0])


def maps_of(row, head, size):
    """The map of a head at that size; where it reads several, each is half of that before."""
    widths = [head.in_channels] if isinstance(head.in_channels, int) else head.in_channels
    widths = WIDTHS if row.all_maps else widths
    return [torch.randn(1, width, *(-(-each // 2 ** i) for each in size))
            for i, width in enumerate(widths)]


@torch.no_grad()
@pytest.mark.parametrize('case', [
    *((name, 0) for name in HEADS if table.HEAD_OPTIONS[name].any_size), ('PSPHead', 1)],
                         ids='{0[0]}-{0[1]}'.format)
def test_any_size(tmp_path, case):
    head, path = table.build(*case).eval(), tmp_path / 'head.onnx'
    row = table.HEAD_OPTIONS[case[0]]
    inputs = maps_of(row, head, (13, 18))
    # From 3 pixels on: torch would try other, slower exporters where a head cannot take fewer.
    sizes = tuple({axis: torch.export.Dim(f'{name}{i}', min=3, max=64)
                   for axis, name in ((2, 'h'), (3, 'w'))} for i in range(len(inputs)))
    torch.onnx.export(OneInput(head).eval(), tuple(inputs), path, dynamo=True, verbose=False,
                      dynamic_shapes=(sizes,), external_data=False)
    for size in ((13, 18), (9, 15), (32, 11)):
        maps = maps_of(row, head, size)
        several = row.all_maps or len(maps) > 1
        expected = row.plain(head, maps if several else maps[0], *table.previous(head, maps),
                             **row.options[case[1]])
        torch.testing.assert_close(run(path, *maps), expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_lraspp_at_one_size(tmp_path):
    """The window of its pooling depends on the size of the map."""
    head, path = table.build('LRASPPHead', 0).eval(), tmp_path / 'head.onnx'
    row, maps = table.HEAD_OPTIONS['LRASPPHead'], table.maps(1, torch.float32)
    torch.onnx.export(OneInput(head).eval(), tuple(maps), path, dynamo=True, verbose=False,
                      external_data=False)
    expected = row.plain(head, head._transform_inputs(maps), **row.options[0])
    torch.testing.assert_close(run(path, *maps), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings('ignore')  # torch's own, about its older exporter
def test_fixed_size_by_tracing(tmp_path):
    model, path = OneInput(table.build('PSPHead', 0)).eval(), tmp_path / 'head.onnx'
    x = torch.randn(1, 16, 12, 10)
    with torch.no_grad():
        torch.onnx.export(model, (x,), path, dynamo=False, opset_version=17)
        torch.testing.assert_close(run(path, x), model(x), rtol=1e-4, atol=1e-5)
