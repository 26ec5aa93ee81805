"""What masks mean: every kind, and what is refused with a remedy."""
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.utils import voc_colormap
from mmseg.datasets.own import make_plan

VOC = voc_colormap().tolist()
RED, GREEN, BLACK, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 0), (255, 255, 255)


def check(found, *expected):
    for label, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(label, wanted)


def test_numbers_of_classes(plan, numbers):
    made, labels = plan(numbers(0, 1, 2, 255))
    assert made.classes == ['class_0', 'class_1', 'class_2']
    check(labels, numbers(0, 1, 2, 255))
    assert 'label_map' not in made.datasets['train']


def test_numbers_with_names(plan, numbers):
    made, labels = plan(numbers(0, 2), classes='sky,road,car')
    assert made.classes == ['sky', 'road', 'car']
    check(labels, numbers(0, 2))


def test_numbers_from_1(plan, numbers):
    made, labels = plan(numbers(1, 2, 3), classes='sky,road,car')
    check(labels, numbers(0, 1, 2))
    assert 'numbered from 1' in made.text
    made, labels = plan(numbers(1, 2, 3))
    assert made.classes == ['class_1', 'class_2', 'class_3']
    check(labels, numbers(0, 1, 2))


def test_zero_that_does_not_count(plan, numbers):
    _, labels = plan(numbers(0, 1, 2, 3), classes='sky,road,car', ignore=[0])
    check(labels, numbers(255, 0, 1, 2))


def test_values_in_steps(plan, numbers):
    made, labels = plan(numbers(0, 85, 170), classes='sky,road,car')
    check(labels, numbers(0, 1, 2))
    assert made.datasets['train']['label_map'] == {0: 0, 85: 1, 170: 2}
    _, labels = plan(numbers(0, 85, 170, 255), classes='sky,road,car')
    check(labels, numbers(0, 1, 2, 255))
    _, labels = plan(numbers(0, 85, 170, 255), classes='sky,road,car,sea')
    check(labels, numbers(0, 1, 2, 3))


@pytest.mark.parametrize('other', [1, 128, 255])
@pytest.mark.parametrize(('classes', 'names'), [
    (None, ['background', 'foreground']), ('crack', ['background', 'crack']),
    ('wall,crack', ['wall', 'crack'])])
def test_two_values(plan, numbers, other, classes, names):
    made, labels = plan(numbers(0, other), numbers(0), classes=classes)
    assert made.classes == names
    check(labels, numbers(0, 1), numbers(0))


def test_a_palette_of_a_known_data_set(plan, numbers):
    colours = [*VOC[:255], (224, 224, 192)]
    made, labels = plan(numbers(*range(12)), numbers(0, 15, 255), palette=colours)
    assert made.classes[15] == 'person'
    assert len(made.classes) == 21
    assert made.datasets['train']['palette'] == VOC[:21]
    check(labels, numbers(*range(12)), numbers(0, 15, 255))


def test_the_colours_of_voc_alone_are_those_of_many_tools(plan, numbers):
    """Such as labelme, which gives them to classes of any kind."""
    made, _ = plan(numbers(*range(12)), numbers(0, 15), palette=VOC)
    assert made.classes == [f'class_{number}' for number in range(16)]


def test_a_palette_gives_the_colours(plan, numbers):
    made, _ = plan(numbers(0, 1, 2), palette=[BLACK, RED, GREEN], classes='a,b,c')
    assert made.datasets['train']['palette'] == [[0, 0, 0], [255, 0, 0], [0, 255, 0]]


def test_255_in_the_colour_of_void_is_no_class(plan, numbers):
    made, labels = plan(numbers(0, 255), palette=[*VOC[:255], (224, 224, 192)], classes='a,b')
    check(labels, numbers(0, 255))
    assert made.classes == ['a', 'b']


def test_palettes_that_differ_are_colours(plan, folders, numbers):
    folders.image('x.jpg')
    folders.mask('x.png', numbers(0, 1), [RED, BLACK])
    made, labels = plan(numbers(0, 1), palette=[BLACK, RED])
    assert 'the palettes of the masks differ' in made.text
    check(labels, numbers(0, 1))
    assert made.datasets['train']['colour_map'] == {'0,0,0': 0, '255,0,0': 1}


def test_a_palette_by_the_colours_of_a_list(plan, folders, numbers):
    (folders.root / 'labelmap.txt').write_text('a:0,255,0::\nb:0,0,0::\nc:255,0,0::\n')
    made, labels = plan(numbers(0, 1, 2), palette=[BLACK, RED, GREEN])
    assert made.classes == ['a', 'b', 'c']
    check(labels, numbers(1, 2, 0))


def test_colours_by_a_list(plan, folders, coloured, numbers):
    (folders.root / 'labelmap.txt').write_text('sky:0,0,0::\nroad:255,0,0::\nsea:0,0,9::\n')
    made, labels = plan(coloured(BLACK, RED), coloured(RED, (224, 224, 192)))
    assert made.classes == ['sky', 'road', 'sea']
    check(labels, numbers(0, 1), numbers(1, 255))
    assert 'sea' in made.text
    assert 'labelmap.txt' in made.text


def test_colours_of_a_known_data_set(plan, coloured, numbers):
    first = coloured(*VOC[:11], (224, 224, 192))
    made, labels = plan(first, coloured(VOC[15], VOC[1]))
    assert made.classes[15] == 'person'
    check(labels, numbers(*range(11), 255), numbers(15, 1))


def test_few_colours_of_a_known_data_set_are_not_told_by_it(plan, coloured):
    made, _ = plan(coloured(*VOC[:4], (224, 224, 192)))
    assert 'aeroplane' not in made.classes
    made, _ = plan(coloured(*VOC[:11]))
    assert 'aeroplane' not in made.classes


def test_colours_alone(plan, coloured, numbers):
    made, labels = plan(coloured(GREEN, RED, BLACK))
    assert made.classes == ['colour_0_0_0', 'colour_0_255_0', 'colour_255_0_0']
    check(labels, numbers(1, 2, 0))
    assert 'NAME_0:0,0,0::' in made.text


def test_two_colours_are_background_and_the_other(plan, coloured, numbers):
    made, labels = plan(coloured(BLACK, RED), coloured(BLACK), classes='crack')
    assert made.classes == ['background', 'crack']
    check(labels, numbers(0, 1), numbers(0))


def test_grey_stored_as_colours(plan, coloured, numbers):
    made, labels = plan(coloured(BLACK, WHITE))
    assert made.classes == ['background', 'foreground']
    check(labels, numbers(0, 1))
    _, labels = plan(coloured((1, 1, 1), (0, 0, 0), (2, 2, 2)), classes='a,b,c')
    check(labels, numbers(1, 0, 2))


def test_an_all_black_mask_is_grey_and_others_are_not(plan, coloured, numbers):
    _, labels = plan(coloured(RED, GREEN, BLACK), numbers(0))
    check(labels, numbers(2, 1, 0), numbers(0))


def test_ignored_colours(plan, coloured, numbers):
    _, labels = plan(coloured(RED, GREEN, BLACK), ignore=['#00ff00'])
    check(labels, numbers(1, 255, 0))
    made, labels = plan(coloured(RED, GREEN, BLACK), ignore=[0, '9,9,9'])
    assert 'own_data.ignore: no mask holds 9,9,9' in made.text
    check(labels, numbers(1, 0, 255))


def test_unknown_colours_are_named_or_ignored(plan, folders, coloured, numbers):
    (folders.root / 'labelmap.txt').write_text('sky:0,0,0::\nroad:255,0,0::\n')
    mask = coloured(BLACK, RED)
    mask[0, :6] = 250, 3, 2
    with pytest.raises(DataError, match=r'1 colour \(RGB\) that .*labelmap.txt does not list: '
                       r'\(250, 3, 2\) \(.* up to 6\.25% of .*\.png\) \(.* near \(255, 0, 0\), '
                       r"road.*ignore=\['250,3,2'\].*unknown_colours='ignore'"):
        plan(mask)
    made, labels = plan(mask, unknown_colours='ignore')
    expected = numbers(0, 1).astype(int)
    expected[0, :6] = 255
    check(labels, expected)
    assert made.datasets['train']['colour_map']['*'] == -1


@pytest.mark.parametrize(('values', 'settings', 'told'), [
    ((0, 1, 2, 3), dict(classes='a,b,c'), 'put its name first in the list; .*own_data.ignore='),
    ((0, 7, 9, 12), dict(classes='a,b,c'), 'lists 3 classes .*but the masks hold .*7 .*ascending'),
    ((0, 85, 170), {}, 'not the numbers 0, 1, 2, .*own_data.classes .*3 values in ascending'),
    ((0,), {}, r'all masks hold 0 \(.*tells no class from another'),
    ((255,), {}, 'tells no class from another'),
    ((0, 1), dict(ignore=[1]), 'tells no class'),
    ((0, 1), dict(ignore=['red']), "own_data.ignore holds 'red', which is no number; .* 0 "),
    ((0, 255), dict(classes='a,b,c'), 'lists 3 classes'),
    ((1, 2), dict(classes='a'), 'lists 1 class ')])
def test_numbers_that_do_not_tell(plan, numbers, values, settings, told):
    with pytest.raises((DataError, ConfigError), match=f'(?s){told}'):
        plan(numbers(*values), **settings)


def test_colours_that_names_alone_do_not_tell(plan, coloured):
    with pytest.raises(ConfigError, match=r'(?s)lists 3 names without colours, .*3 colours .*'
                       r'NAME_0:0,0,0::\nNAME_1:0,255,0::\nNAME_2:255,0,0::'):
        plan(coloured(BLACK, RED, GREEN), classes='a,b,c')


def test_too_many_colours(plan):
    random = np.random.RandomState(0)
    with pytest.raises(DataError, match='colours or more, 96 in .*mixtures; make them again'):
        plan(random.randint(0, 256, (8, 12, 3)))


def test_too_many_classes(plan, numbers):
    with pytest.raises(DataError, match='hold 256 classes, more than 254'):
        plan(numbers(0, 1), numbers(0, 254, 253), classes=[f'c{place}' for place in range(256)])


def test_files_of_a_class_each(folders, numbers, plan):
    for name, values in (('road', (0, 255)), ('car', (0, 0, 7))):
        folders.mask(f'x_{name}.png', numbers(*values))
        folders.mask(f'y_{name}.png', numbers(*values))
    folders.image('x.jpg')
    folders.image('y.jpg')
    made = make_plan(folders.settings(group=False))
    assert made.classes == ['background', 'car', 'road']
    assert made.datasets['val']['class_files'] == {'car': 1, 'road': 2}
    assert 'lie in the files of several classes' in made.text
    made = make_plan(folders.settings(group=False, classes='Road,car'))
    assert made.classes == ['background', 'Road', 'car']
    assert made.datasets['val']['class_files'] == {'road': 1, 'car': 2}
    with pytest.raises(ConfigError, match='lists road,.* but the files .* classes car, road: give'):
        make_plan(folders.settings(classes='road,bus'))


def test_numbered_files_need_names(folders, numbers):
    folders.image('x.jpg')
    folders.image('y.jpg')
    for name in ('x_1', 'x_2', 'y_1'):
        folders.mask(f'{name}.png', numbers(0, 255))
    with pytest.raises(ConfigError, match='whether these numbers are classes or objects'):
        make_plan(folders.settings())
    made = make_plan(folders.settings(classes='road,car', group=False))
    assert made.datasets['val']['class_files'] == {'1': 1, '2': 2}
    made = make_plan(folders.settings(classes='background,road,car', group=False))
    assert made.classes == ['background', 'road', 'car']
    assert made.datasets['val']['class_files'] == {'1': 1, '2': 2}


def test_files_that_are_not_one_a_class(folders, numbers):
    folders.image('x.jpg')
    folders.mask('x_ids.png', numbers(0, 1, 2))
    folders.mask('x_color.png', numbers(0, 85, 170))
    with pytest.raises(DataError, match=r'(?s)colours beside black|own_data\.mask_suffix'):
        make_plan(folders.settings())


def test_damaged_masks(folders, numbers):
    folders.image('a.jpg')
    folders.mask('a.png', numbers(0, 1)[:4])
    with pytest.raises(DataError, match=r'masks/a\.png: the mask is 4 x 12 .*a\.jpg 8 x 12'):
        make_plan(folders.settings())
    file = folders.mask('a.png', numbers(0, 1))
    file.write_bytes(file.read_bytes()[:60])
    with pytest.raises(DataError, match=r'masks/a\.png'):
        make_plan(folders.settings())
    folders.masks.joinpath('a.png').unlink()
    folders.mask('a.jpg', numbers(0, 255))
    with pytest.raises(DataError, match=r'a\.jpg: the file is a JPEG, which is lossy'):
        make_plan(folders.settings())


def test_damaged_images(folders, numbers):
    folders.mask('a.png', numbers(0, 1))
    image = folders.image('a.jpg')
    content = image.read_bytes()
    image.write_bytes(content[:-30])
    with pytest.raises(DataError, match=r'images/a\.jpg: .*truncated|images/a\.jpg: .*cut'):
        make_plan(folders.settings())
    image.write_bytes(b'no image')
    with pytest.raises(DataError, match=r'images/a\.jpg: .*cannot decode'):
        make_plan(folders.settings())
    image.write_bytes(content)
    folders.image('a.jpg', (12, 8))
    with pytest.raises(DataError, match=r'a\.png: the mask is 8 x 12 .*a\.jpg 12 x 8; make both'):
        make_plan(folders.settings())
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((8, 12, 3), np.uint8)).save(image, exif=exif)
    with pytest.raises(DataError, match=r'12 x 8 after its EXIF orientation 6; store the image'):
        make_plan(folders.settings())


def test_masks_of_other_formats(folders, numbers):
    """1-bit and 16-bit PNG, BMP, TIFF: their numbers are the classes."""
    bands = numbers(0, 1)
    for name, mask in (('a.png', Image.fromarray(bands > 0)),
                       ('b.png', Image.fromarray(bands.astype(np.uint16))),
                       ('c.bmp', Image.fromarray(bands)), ('d.tif', Image.fromarray(bands))):
        folders.masks.mkdir(exist_ok=True)
        mask.save(folders.masks / name)
        folders.image(f'{name[0]}.jpg')
    made = make_plan(folders.settings(group=False))
    assert made.classes == ['background', 'foreground']
    assert 'label_map' not in made.datasets['train']
    assert '0 background' in made.text
