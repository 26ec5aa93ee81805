"""The toolkit's PSPNet against the same network written by hand in plain PyTorch."""
import importlib.util

import pytest
import torch

from mmcv_replace.cnn import revert_sync_batchnorm
from mmseg.apis import load_config
from mmseg.benchmark.plain import plain_options
from mmseg.models import build_segmentor


@pytest.fixture(scope='module')
def plain(repo_dir):
    spec = importlib.util.spec_from_file_location(
        'plain_pspnet', repo_dir / 'test/reference/plain_pspnet.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=['r50-d8_512x512_20k_voc12aug', 'r18-d16_128x128_quickstart'])
def models(plain, repo_dir, request):
    cfg = load_config(repo_dir / f'configs/pspnet/pspnet_{request.param}.py')
    ours = revert_sync_batchnorm(
        build_segmentor(cfg.model, cfg.get('train_cfg'), cfg.get('test_cfg')))
    by_hand = plain.PlainPSPNet(**plain_options(cfg)['network'])
    state = dict(zip(by_hand.state_dict(), ours.state_dict().values(), strict=True))
    by_hand.load_state_dict(state)
    for model in (ours, by_hand):
        model.double()
        for module in model.modules():
            if isinstance(module, torch.nn.modules.dropout._DropoutNd):
                module.p = 0.0
    return ours, by_hand


def test_logits_are_those_of_plain_pytorch(models):
    ours, by_hand = (model.eval() for model in models)
    image = torch.randn(1, 3, 65, 97, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(ours.encode_decode(image, [{}]), by_hand(image),
                                   rtol=1e-9, atol=1e-9)


def test_loss_and_gradients_are_those_of_plain_pytorch(models, plain):
    ours, by_hand = (model.train() for model in models)
    image = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    label = torch.randint(0, 21, (2, 64, 64))
    label[:, :8] = 255
    losses = ours.forward_train(image, [{}, {}], label[:, None])
    total = losses['decode.loss_seg'] + losses['aux.loss_seg']
    expected = plain.plain_loss(by_hand, image, label)
    torch.testing.assert_close(total, expected, rtol=1e-9, atol=0)
    total.backward()
    expected.backward()
    for (name, mine), theirs in zip(ours.named_parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-6, atol=1e-9, msg=name)
