"""Every head exported to ONNX at any size, and one at a fixed size by torch's older exporter."""
import pytest
import torch

from mmseg.models import HEADS

from . import head_options as table

pytest.importorskip('onnx')
pytest.importorskip('onnxscript')
onnxruntime = pytest.importorskip('onnxruntime')

class OneInput(torch.nn.Module):
    """A head that takes its map as such: names of dynamic sizes go by argument."""

    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, x):
        return self.head([x])


def run(path, x):
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return torch.from_numpy(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0])


@torch.no_grad()
@pytest.mark.parametrize('case', [*((name, 0) for name in HEADS), ('PSPHead', 1)],
                         ids='{0[0]}-{0[1]}'.format)
def test_any_size(tmp_path, case):
    head, path = table.build(*case).eval(), tmp_path / 'head.onnx'
    plain, options = (table.HEAD_OPTIONS[case[0]].plain,
                      table.HEAD_OPTIONS[case[0]].options[case[1]])
    sizes = {2: torch.export.Dim('h', min=6, max=64), 3: torch.export.Dim('w', min=6, max=64)}
    torch.onnx.export(OneInput(head).eval(), (torch.randn(1, head.in_channels, 12, 10),), path,
                      dynamo=True, verbose=False, dynamic_shapes=(sizes,), external_data=False)
    for size in ((12, 10), (17, 23), (64, 7)):
        x = torch.randn(1, head.in_channels, *size)
        torch.testing.assert_close(run(path, x), plain(head, x, **options), rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings('ignore')  # torch's own, about its older exporter
def test_fixed_size_by_tracing(tmp_path):
    model, path = OneInput(table.build('PSPHead', 0)).eval(), tmp_path / 'head.onnx'
    x = torch.randn(1, 16, 12, 10)
    with torch.no_grad():
        torch.onnx.export(model, (x,), path, dynamo=False, opset_version=17)
        torch.testing.assert_close(run(path, x), model(x), rtol=1e-4, atol=1e-5)
