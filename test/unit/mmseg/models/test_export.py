"""PSPHead exported to ONNX, at a fixed size and at any."""
import pytest
import torch

from mmseg.models import PSPHead

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


def make(**options):
    torch.manual_seed(0)
    head = PSPHead(in_channels=8, channels=4, num_classes=3, pool_scales=(1, 2, 3, 6),
                   norm_cfg=dict(type='BN'), **options)
    return OneInput(head).eval()


def run(path, x):
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return torch.from_numpy(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0])


@pytest.mark.parametrize('align_corners', [False, True])
def test_any_size(tmp_path, align_corners):
    model = make(align_corners=align_corners)
    sizes = {2: torch.export.Dim('h', min=6, max=64), 3: torch.export.Dim('w', min=6, max=64)}
    path = tmp_path / 'head.onnx'
    with torch.no_grad():
        torch.onnx.export(model, (torch.randn(1, 8, 12, 10),), path, dynamo=True, verbose=False,
                          dynamic_shapes=(sizes,), external_data=False)
        for size in ((12, 10), (17, 23), (64, 7)):
            x = torch.randn(1, 8, *size)
            torch.testing.assert_close(run(path, x), model(x), rtol=1e-4, atol=1e-5)
            plain = make(align_corners=align_corners, fuse_pyramid=False)
            torch.testing.assert_close(run(path, x), plain(x), rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings('ignore')  # torch's own, about its older exporter
def test_fixed_size_by_tracing(tmp_path):
    model, x, path = make(), torch.randn(1, 8, 12, 10), tmp_path / 'head.onnx'
    with torch.no_grad():
        torch.onnx.export(model, (x,), path, dynamo=False, opset_version=17)
        torch.testing.assert_close(run(path, x), model(x), rtol=1e-4, atol=1e-5)
