"""wandb, MLflow and SwanLab as they are, where installed: what is kept is what was logged."""
import json
import math
import sqlite3
import struct

import pytest

from mmcv_replace.runner import HOOKS
from mmcv_replace.utils import build_from_cfg

pytestmark = pytest.mark.slow
META = {'run_id': 'abc', 'config': "name = '道路'\nlr = 0.1\n", 'env_info': 'Python: 3'}


def records_of(path):
    """Those of a log of LevelDB, after the header of 7 bytes of wandb's and SwanLab's files."""
    data, at, record = path.read_bytes(), 7, b''
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:  # the rest of a block is empty
            at += 32768 - at % 32768
            continue
        _, length, part = struct.unpack_from('<IHB', data, at)  # 1: all, 2: first, 4: last
        record = (b'' if part in (1, 2) else record) + data[at + 7:at + 7 + length]
        at += 7 + length
        if part in (1, 4):
            yield record


def kept_by_wandb(work):
    import wandb
    from wandb.proto.wandb_internal_pb2 import Record
    wandb.teardown()  # its service, which closes the file at its leisure
    for path in sorted(work.glob('wandb/offline-run-*/run-abc.wandb')):
        for data in records_of(path):
            record = Record.FromString(data)
            values = {item.nested_key[0]: json.loads(item.value_json)
                      for item in record.history.item if len(item.nested_key) == 1}  # no picture
            for name, value in values.items():
                if not name.startswith('_'):
                    yield values['_step'], name, float(value)


def kept_by_mlflow(work):
    with sqlite3.connect(work / 'mlflow.db') as database:
        for step, name, value, is_nan in database.execute(
                'select step, key, value, is_nan from metrics'):
            yield step, name, math.nan if is_nan else value


def kept_by_swanlab(work):
    from swanlab.proto.swanlab.record.v1.record_pb2 import Record
    for path in sorted(work.glob('swanlog/run-*/run-abc.swanlab')):
        for data in records_of(path):
            record = Record.FromString(data)
            if record.HasField('scalar') and not record.scalar.key.startswith('__'):
                yield record.scalar.step, record.scalar.key, record.scalar.value.number


@pytest.fixture
def no_account(monkeypatch, tmp_path):
    monkeypatch.setenv('HOME', str(tmp_path))
    for name in ('WANDB_MODE', 'WANDB_API_KEY', 'SWANLAB_MODE', 'SWANLAB_API_KEY',
                 'MLFLOW_TRACKING_URI'):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(('package', 'kind', 'kept', 'pictures'), [
    ('wandb', 'WandbLoggerHook', kept_by_wandb, 'wandb/offline-run-*/files/media/**/*.png'),
    ('mlflow', 'MlflowLoggerHook', kept_by_mlflow, 'mlartifacts/**/images/*.png'),
    ('swanlab', 'SwanlabLoggerHook', kept_by_swanlab, 'swanlog/run-*/media/image/*.png')])
def test_what_is_kept(
        train, evaluate_at, watch, no_account, tmp_path, package, kind, kept, pictures):
    pytest.importorskip(package)
    hook = build_from_cfg({'type': kind, 'interval': 2, 'by_epoch': False}, HOOKS)
    train(hook, watch, evaluation=evaluate_at(2, 3), meta=META, length=6)
    found = {}
    for step, name, value in kept(tmp_path / 'work'):
        assert name not in found.setdefault(step, {})
        found[step][name] = value
    assert list(found) == list(watch.seen) == [2, 3, 4, 6]
    for step, scalars in watch.seen.items():
        assert found[step] == pytest.approx({name: float(value) for name, value in scalars.items()})
    assert len([*(tmp_path / 'work').glob(pictures)]) == 6


def test_a_model_in_mlflow(train, no_account, tmp_path):
    mlflow = pytest.importorskip('mlflow')
    runner = train(build_from_cfg({'type': 'MlflowLoggerHook'}, HOOKS), meta=META)
    folder, = (tmp_path / 'work').glob('mlartifacts/models/*/artifacts')
    loaded = mlflow.pytorch.load_model(str(folder)).state_dict()
    assert {name: value.tolist() for name, value in loaded.items()} == {
        name: value.tolist() for name, value in runner.model.state_dict().items()}
    assert (folder / 'requirements.txt').read_text().split()[1:] == ['torch', 'mmseg-ascend']
