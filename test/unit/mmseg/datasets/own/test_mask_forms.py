"""Masks of which numbers or colours may count: palettes of greys, and files of both kinds."""
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.own import make_plan

from .test_labels import BLACK, RED, WHITE, check


@pytest.mark.parametrize('all_gif', [True, False])
def test_greys_that_a_gif_has_numbered_anew(folders, numbers, all_gif):
    """Pillow writes the greys 0, 1, 2, 255 as the numbers 0, 1, 2, 3 of a palette of greys."""
    for name, suffix in (('a', 'gif'), ('b', 'gif' if all_gif else 'png')):
        folders.image(f'{name}.jpg')
        file = folders.mask(f'{name}.{suffix}', numbers(0, 1, 2, 255))
        assert np.array(Image.open(file)).max() == (3 if suffix == 'gif' else 255)
    made = make_plan(folders.settings(group=False))
    assert made.classes == ['class_0', 'class_1', 'class_2']
    assert made.datasets['train']['colour_map'] == {
        '0,0,0': 0, '1,1,1': 1, '2,2,2': 2, '255,255,255': -1}
    assert 'hold their numbers as greys, so their colours count' in made.text


def test_numbers_whose_palette_shows_them_as_greys(plan, numbers):
    """Greys that are far apart are there to be seen, and the numbers are the classes."""
    made, labels = plan(numbers(0, 1, 2), palette=[BLACK, (128,) * 3, WHITE])
    assert made.classes == ['class_0', 'class_1', 'class_2']
    check(labels, numbers(0, 1, 2))


def test_masks_of_numbers_beside_masks_of_colours(plan, numbers, coloured):
    masks = numbers(0, 1, 2), coloured((0, 0, 0), (1, 1, 1), RED)
    with pytest.raises(DataError, match=r'0\.png holds numbers, and 1\.png colours, such as '
                                        r'\(255, 0, 0\) \(33.3% of it\).*list the colours'):
        plan(*masks)


def test_black_masks_of_one_channel_beside_masks_of_colours(plan, numbers, coloured):
    """Programs store a mask that is black throughout as grey."""
    made, labels = plan(numbers(0), coloured(BLACK, RED))
    assert made.classes == ['background', 'foreground']
    check(labels, numbers(0), numbers(0, 1))


def test_folders_that_are_exchanged(folders, numbers):
    folders.image('a.jpg')
    folders.mask('a.png', numbers(0, 1))
    with pytest.raises(DataError, match='is a JPEG.*or are own_data.images and .*exchanged'):
        make_plan(folders.settings(images=str(folders.masks), masks=str(folders.images)))
