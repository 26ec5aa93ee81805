"""What holds for the exports of all tools: the same scenes become the same data set."""
import os
import shlex
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import ConfigError, DataError, MissingDataError
from mmseg.core.utils import voc_colormap
from mmseg.datasets.importers import READERS, Options, import_dataset, run
from mmseg.datasets.listing import folders

from .exports import EXPORTS, NAMES, SCENES, painted


def mask_of(name):
    return f'{name[:-4]}.png'


@pytest.fixture(params=EXPORTS)
def exported(request, source):
    tool, write = EXPORTS[request.param]
    return tool, write(source)


def test_all_tools_are_tested():
    assert {tool for tool, _ in EXPORTS.values()} == set(READERS)


@pytest.mark.parametrize('nproc', [1, 2])
def test_scenes(run_import, exported, nproc):
    masks, classes, report = run_import(*exported, nproc=nproc)
    assert classes == NAMES
    assert set(masks) == {mask_of(name) for name in SCENES}
    for name in SCENES:
        np.testing.assert_array_equal(masks[mask_of(name)], painted(name), name)
    assert "images without an object, 'background' throughout: 1 (empty.jpg)" in report


def test_the_command_that_is_told(exported, tmp_path):
    """It can be pasted, whatever the name of the folder."""
    out = tmp_path / "two words & 'quotes'"
    report = import_dataset(*exported, out, Options())
    words = shlex.split(report.splitlines()[-1])
    assert words[:3] == ['python', 'tools/train.py', 'CONFIG']
    assert dict(zip(words[3::2], words[4::2], strict=True)) == {
        '--images': f'{out}/images', '--masks': f'{out}/masks', '--classes': f'{out}/classes.txt'}


def test_masks_have_the_palette_and_images_are_the_same_files(run_import, exported, tmp_path):
    run_import(*exported)
    mask = Image.open(tmp_path / 'out/masks/one.png')
    assert mask.mode == 'P'
    np.testing.assert_array_equal(np.reshape(mask.getpalette(), (-1, 3)), voc_colormap())
    found = next(path for path in (tmp_path / 'export').rglob('one.jpg'))
    assert os.path.samefile(found, tmp_path / 'out/images/one.jpg')


def test_images_are_copied_where_links_cannot_be_made(run_import, exported, tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError('another device')
    monkeypatch.setattr(os, 'link', refuse)
    run_import(*exported)
    found = next(path for path in (tmp_path / 'export').rglob('one.jpg'))
    assert found.read_bytes() == (tmp_path / 'out/images/one.jpg').read_bytes()


def test_images_elsewhere(run_import, exported, tmp_path):
    elsewhere = tmp_path / 'export/elsewhere/deep'
    elsewhere.mkdir(parents=True)
    for name in SCENES:
        found = next(path for path in (tmp_path / 'export').rglob(name))
        found.rename(elsewhere / name)
    with pytest.raises(DataError, match='missing|no images'):
        run_import(*exported)
    given = elsewhere if exported[0] == 'yolo' else elsewhere.parent
    masks, _, _ = run_import(*exported, images=str(given))
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg'))


def test_unlabelled_pixels_that_are_ignored(run_import, exported):
    masks, classes, report = run_import(*exported, unlabelled='ignore')
    assert classes == ['car', 'road']
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg', classes, 255))
    assert 'images without an object, ignored: 1 (empty.jpg)' in report


def test_ignored_classes(run_import, exported):
    masks, classes, _ = run_import(*exported, ignore=['road'])
    assert classes == ['background', 'car']
    expected = np.where(painted('one.jpg') == 2, 255, painted('one.jpg'))
    np.testing.assert_array_equal(masks['one.png'], expected)


@pytest.mark.parametrize('as_file', [False, True])
def test_classes_in_an_order_of_ones_own(run_import, exported, tmp_path, as_file):
    wanted = ['road', 'tree', 'background', 'car']
    (tmp_path / 'export/order.names').write_text('\n'.join(wanted))
    given = [str(tmp_path / 'export/order.names')] if as_file else wanted
    masks, classes, _ = run_import(*exported, classes=given)
    assert classes == wanted
    np.testing.assert_array_equal(masks['two.png'], painted('two.png', wanted, 2))


def test_without_empty_images(run_import, exported):
    masks, _, report = run_import(*exported, skip_empty=True)
    assert set(masks) == {'one.png', 'two.png'}
    assert 'images without an object, left out: 1' in report


@pytest.mark.usefixtures('nothing_left')
def test_options_that_do_not_fit(run_import, exported):
    with pytest.raises(ConfigError, match=r"--ignore raod: .* did you mean 'road'\?"):
        run_import(*exported, ignore=['raod'])
    with pytest.raises((ConfigError, DataError), match='road.*--ignore'):
        run_import(*exported, classes=['background', 'car'])
    with pytest.raises(ConfigError, match='add .background. where its index should be'):
        run_import(*exported, classes=['car', 'road'])
    with pytest.raises(MissingDataError, match='--images nowhere: there is no such folder'):
        run_import(*exported, images='nowhere')


@pytest.mark.usefixtures('nothing_left')
def test_a_damaged_image(run_import, exported, tmp_path):
    found = next(path for path in (tmp_path / 'export').rglob('one.jpg'))
    found.write_bytes(found.read_bytes()[:200])
    with pytest.raises(DataError, match=r'(?s)1 problem .*one\.jpg: the file is truncated.*'
                                        'Nothing was written'):
        run_import(*exported)


def test_bad_images_left_out(run_import, exported, tmp_path):
    found = next(path for path in (tmp_path / 'export').rglob('one.jpg'))
    found.write_bytes(b'no image')
    masks, _, report = run_import(*exported, skip_bad=True)
    assert set(masks) == {'two.png', 'empty.png'}
    assert 'left out: 1 problem in the annotations' in report
    assert 'no image of a format that is known' in report


@pytest.mark.usefixtures('nothing_left')
def test_nothing_but_bad_images(run_import, exported, tmp_path):
    for name in SCENES:
        next(path for path in (tmp_path / 'export').rglob(name)).write_bytes(b'no image')
    with pytest.raises(DataError, match='no image is left to import; 3 problems'):
        run_import(*exported, skip_bad=True)
    with pytest.raises(DataError, match='3 problems'):
        run_import(*exported)


@pytest.mark.usefixtures('nothing_left')
def test_an_image_of_another_size(run_import, exported, tmp_path):
    found = next(path for path in (tmp_path / 'export').rglob('one.jpg'))
    Image.new('RGB', (31, 20)).save(found)
    if exported[0] == 'yolo':  # shares of any image
        return
    with pytest.raises(DataError, match='(30 x 20|31 x 20).*(31 x 20|30 x 20)'):
        run_import(*exported)


def test_an_image_turned_by_its_orientation(run_import, exported, tmp_path):
    """Annotations are for the image as it is seen."""
    found = next(path for path in (tmp_path / 'export').rglob('one.jpg'))
    image = Image.open(found)
    exif = image.getexif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(found, exif=exif)
    masks, _, _ = run_import(*exported)
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg'))


@pytest.mark.usefixtures('nothing_left')
def test_a_stop_in_between(run_import, exported, monkeypatch):
    def stop(*args):
        raise KeyboardInterrupt
    monkeypatch.setattr(run, 'write_palette_png', stop)
    with pytest.raises(KeyboardInterrupt):
        run_import(*exported)


@pytest.mark.usefixtures('nothing_left')
def test_a_full_disk_is_no_bad_image(run_import, exported, monkeypatch):
    def refuse(*args):
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr(os, 'link', refuse)
    monkeypatch.setattr('shutil.copyfile', refuse)
    with pytest.raises(DataError, match='cannot write .*: No space left on device'):
        run_import(*exported, skip_bad=True)


def test_folders_that_exist(run_import, exported, tmp_path):
    (tmp_path / 'out').mkdir()
    run_import(*exported)  # into an empty one
    with pytest.raises(ConfigError, match='out exists already: choose another folder by -o'):
        run_import(*exported)


@pytest.mark.usefixtures('nothing_left')
def test_folders_that_may_not_be_read(run_import, exported, monkeypatch):
    def refuse(path, *args, **options):
        raise PermissionError(13, 'Permission denied', str(path))
    monkeypatch.setattr(folders, 'scandir', refuse)
    monkeypatch.setattr(folders, 'os', SimpleNamespace(stat=refuse))
    with pytest.raises(DataError, match='cannot read .*Permission denied; correct .*permissions'):
        run_import(*exported)


@pytest.mark.usefixtures('nothing_left')
def test_sources_that_are_none(run_import, source):
    (source / 'export.zip').touch()
    for tool in READERS:
        with pytest.raises(MissingDataError, match='nowhere does not exist'):
            run_import(tool, source / 'nowhere')
        with pytest.raises(DataError, match='is an archive: unpack it'):
            run_import(tool, source / 'export.zip')
        with pytest.raises(DataError, match='holds no|no names'):
            run_import(tool, source)
