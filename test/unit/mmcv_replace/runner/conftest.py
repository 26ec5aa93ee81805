"""A toy regression that a runner can train in milliseconds."""
import logging
import sys
from unittest.mock import MagicMock

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from mmcv_replace.runner import EpochBasedRunner, IterBasedRunner


class ToyModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def train_step(self, data, optimizer):
        x, y = data
        loss = (self.layer(x) - y).square().mean()
        return {'loss': loss, 'log_vars': {'loss': loss.detach(), 'size': float(len(x))},
                'num_samples': len(x)}

    val_step = train_step


def toy_loader(length=7, batch_size=2):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(length, 2, generator=generator)
    return DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=batch_size)


@pytest.fixture
def make_loader():
    return toy_loader


@pytest.fixture
def make_model():
    def make(seed=0):
        torch.manual_seed(seed)
        return ToyModel()
    return make


@pytest.fixture
def make_runner(make_model, tmp_path):
    """A runner with a model and an optimizer; keyword arguments are the runner's."""
    def make(by_epoch=False, model=None, lr=0.1, momentum=0.0, **kwargs):
        model = model or make_model()
        kwargs.setdefault('max_epochs' if by_epoch else 'max_iters', 3)
        kwargs.setdefault('optimizer', torch.optim.SGD(model.parameters(), lr=lr,
                                                       momentum=momentum))
        kwargs.setdefault('work_dir', tmp_path / 'work')
        return (EpochBasedRunner if by_epoch else IterBasedRunner)(model, **kwargs)
    return make


@pytest.fixture
def log_lines():
    """Messages that the library logs."""
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger = logging.getLogger('mmseg')
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lines
    logger.removeHandler(handler)
    logger.setLevel(level)


class MlflowException(Exception):
    def __init__(self, text, status=500):
        super().__init__(text)
        self.status = status

    def get_http_status_code(self):
        return self.status


@pytest.fixture
def packages_of_loggers(monkeypatch):
    """Stand-ins for packages that loggers import, by name."""
    roots = {name: MagicMock(name=name) for name in (
        'clearml', 'dvclive', 'mlflow', 'neptune', 'pavi', 'segmind', 'swanlab', 'wandb')}
    for name, module in roots.items():
        monkeypatch.setitem(sys.modules, name, module)
    for name in ('mlflow.pytorch', 'neptune.new', 'segmind.tracking.fluent',
                 'segmind.utils.logging_utils'):
        module = roots[name.partition('.')[0]]
        for part in name.split('.')[1:]:
            module = getattr(module, part)
        monkeypatch.setitem(sys.modules, name, module)
    roots['mlflow'].exceptions.MlflowException = MlflowException
    roots['mlflow'].active_run.return_value = None
    roots['mlflow'].is_tracking_uri_set.return_value = False
    roots['mlflow'].start_run.return_value.info.run_id = 'run of MLflow'
    for name, home in (('wandb', 'setup'), ('swanlab', 'Settings')):  # nobody has logged in
        settings = getattr(roots[name], home).return_value
        settings = settings.settings if name == 'wandb' else settings
        settings.configure_mock(mode='online', api_key=None, identity_token_file=None,
                                base_url='https://api.wandb.ai')
    monkeypatch.setenv('NETRC', '/no/such/file')
    for name in ('WANDB_MODE', 'SWANLAB_MODE', 'MLFLOW_TRACKING_URI'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, 'segmind.tracking', roots['segmind'].tracking)
    monkeypatch.setitem(sys.modules, 'segmind.utils', roots['segmind'].utils)
    return roots
