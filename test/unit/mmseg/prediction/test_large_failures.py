"""Large images that cannot be read or predicted, and outputs that cannot be written."""
import pytest
import torch

from mmcv_replace.image.formats import array_rows
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.apis.inference import predict_images
from mmseg.apis.predict.job import predict_from_config
from mmseg.prediction import map_store, paint
from mmseg.prediction.large import wants_windows
from mmseg.prediction.options import PredictOptions

from .large_images import (
    SIZE,
    SLIDE,
    make_config,
    make_model,
    predict,
    write,
)

tifffile = pytest.importorskip('tifffile')

pytestmark = pytest.mark.usefixtures('small_parts')

OPTIONS = PredictOptions('x', max_pixels=SIZE[0] * SIZE[1] - 1)


def test_damaged_tiles_leave_nothing_behind(tmp_path):
    path, cfg = write(tmp_path / 'a.tif', compression='zlib'), make_config(SLIDE)
    with tifffile.TiffFile(path) as file:
        place = file.pages[0].dataoffsets[5]
    with open(path, 'r+b') as file:
        file.seek(place)
        file.write(b'\xff' * 9)
    with pytest.raises(DataError, match='a.tif: its part 5 cannot be decoded'):
        predict(cfg, make_model(cfg), path, tmp_path)
    left = [each.name for each in (tmp_path / 'out').rglob('*') if each.is_file()]
    assert left == ['predictions.jsonl']
    assert (tmp_path / 'out/predictions.jsonl').read_bytes() == b''


def test_an_interrupted_write_leaves_nothing_behind(tmp_path, monkeypatch):
    path, cfg = write(tmp_path / 'a.png'), make_config(SLIDE)
    blocks = map_store.FileArray.blocks

    def stop(self):
        yield from list(blocks(self))[:3]
        raise KeyboardInterrupt

    monkeypatch.setattr(map_store.FileArray, 'blocks', stop)
    with pytest.raises(KeyboardInterrupt):
        predict(cfg, make_model(cfg), path, tmp_path)
    left = [each.name for each in (tmp_path / 'out').rglob('*') if each.is_file()]
    assert left == ['predictions.jsonl']


def test_a_picture_that_is_not_written_leaves_nothing_behind(tmp_path, monkeypatch):
    path, cfg = write(tmp_path / 'a.png'), make_config(SLIDE)
    monkeypatch.setattr(paint.cv2, 'imencode', lambda *args: full_disk())
    with pytest.raises(OSError, match='No space left'):
        predict(cfg, make_model(cfg), path, tmp_path)
    left = [each.name for each in (tmp_path / 'out').rglob('*') if each.is_file()]
    assert sorted(left) == ['a.png', 'predictions.jsonl']


def full_disk(*args):
    raise OSError(28, 'No space left on device')


def out_of_memory(*args):
    raise MemoryError('no 9 GiB')


def test_a_file_that_cannot_be_read(tmp_path, monkeypatch):
    path, cfg = write(tmp_path / 'a.npy'), make_config(SLIDE, loader=dict(color_type='unchanged'))
    monkeypatch.setattr(array_rows.ArrayRows, 'read', full_disk)
    with pytest.raises(DataError, match=r'cannot read .*a\.npy: No space left on device'):
        predict(cfg, make_model(cfg), path, tmp_path)


def run_command(tmp_path, *names):
    cfg = make_config(SLIDE)
    torch.save(dict(meta={}, state_dict=make_model(cfg).state_dict()), tmp_path / 'model.pth')
    paths = [write(tmp_path / name) for name in names]
    options = PredictOptions(out=str(tmp_path / 'out'), max_pixels=OPTIONS.max_pixels)
    return predict_from_config(cfg, str(tmp_path / 'model.pth'), paths, options, 'cpu')


def test_a_full_disk_ends_the_prediction(tmp_path, monkeypatch):
    monkeypatch.setattr(map_store.FileArray, 'put', full_disk)
    with pytest.raises(DataError, match='cannot write what was predicted for a.png: No space left '
                                        'on device; .*--skip-existing'):
        run_command(tmp_path, 'a.png', 'b.png')


def test_want_of_memory_is_the_fault_of_one_image(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(map_store.FileArray, 'put', out_of_memory)
    assert run_command(tmp_path, 'a.png', 'b.png') == 2
    assert 'b.png: the memory does not suffice for it (no 9 GiB); --slide with a smaller --crop' \
        in caplog.text


def test_a_fault_names_the_image(tmp_path, monkeypatch):
    monkeypatch.setattr(map_store.FileArray, 'put', lambda self, *args: 1 / 0)
    with pytest.raises(ZeroDivisionError) as caught:
        run_command(tmp_path, 'a.png')
    assert caught.value.__notes__ == ['while predicting a.png']


def test_bands_that_the_model_does_not_take(tmp_path):
    path = write(tmp_path / 'a.tif', 5)
    cfg = make_config(SLIDE, channels=4, loader=dict(color_type='bands', channels=4))
    with pytest.raises(DataError, match=r'has 5 bands .*\[61, 97, 5\].* in_channels=4'):
        predict(cfg, make_model(cfg), path, tmp_path)
    cfg = make_config(SLIDE, channels=4, loader=dict(color_type='bands'))
    with pytest.raises(ConfigError, match=r'4 values, the image \(61, 97, 5\) has 5 channels'):
        predict(cfg, make_model(cfg), path, tmp_path)


def test_an_image_that_is_larger_than_its_padding(tmp_path):
    path = write(tmp_path / 'a.tif')
    cfg = make_config(SLIDE, after=[dict(type='Pad', size=(60, 97))])
    for run in (lambda model: wants_windows(path, cfg, OPTIONS, model),
                lambda model: predict(cfg, model, path, tmp_path),
                lambda model: list(predict_images(model, [path]))):
        with pytest.raises(ConfigError, match='cannot pad an image of 61 x 97 .* 60 x 97'):
            run(make_model(cfg))
