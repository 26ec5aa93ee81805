"""CVAT: its XML for images, and its coloured masks."""
import cv2
import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils.errors import DataError

from . import exports
from .exports import NAMES, painted, write_cvat_masks, write_cvat_xml


@pytest.fixture
def run_xml(run_import, source):
    """Import the scenes' XML after replacing a part of it, or the shapes of one.jpg."""
    def run(old='', new='', shapes=None, **options):
        write_cvat_xml(source)
        text = exports.cvat_xml()
        assert old in text
        text = text.replace(old, new, 1)
        if shapes is not None:
            start = text.index('<polygon')
            text = text[:start] + shapes + text[text.index('</image>'):]
        (source / 'annotations.xml').write_text(text, encoding='utf-8')
        return run_import('cvat', source, **options)
    return run


def test_layers_go_by_z_order_and_then_by_the_file(run_xml):
    box = '<box label="{}" xtl="{}" ytl="2" xbr="{}" ybr="6" occluded="0" z_order="{}"></box>'
    masks, _, report = run_xml(shapes=''.join(box.format(*values) for values in [
        ('car', 1, 9, 1), ('road', 4, 12, 0), ('road', 7, 20, 1)]))
    row = masks['one.png'][3]
    assert row[:22].tolist() == [0] + [1] * 6 + [2] * 13 + [0] * 2
    assert 'of the higher z_order is above' in report.replace('\n', ' ')


def test_negative_layers(run_xml):
    masks, _, _ = run_xml('z_order="1"', 'z_order="-1"')
    expected = painted('one.jpg')
    expected[10:14, 4:12] = 2
    np.testing.assert_array_equal(masks['one.png'], expected)


@pytest.mark.parametrize(('shape', 'expected'), [
    ('<box label="car" xtl="3.00" ytl="4.00" xbr="9.00" ybr="8.00"/>', np.s_[4:8, 3:9]),
    # Turned by 90 degrees around its middle, 6, 6.
    ('<box label="car" xtl="3" ytl="4" xbr="9" ybr="8" rotation="90.0"/>', np.s_[3:9, 4:8]),
    ('<mask label="car" rle="0, 4, 2, 3, 3" left="5" top="2" width="3" height="4"/>', None),
])
def test_shapes(run_xml, shape, expected):
    wanted = np.zeros((20, 30), bool)
    if expected is None:
        wanted[2:6, 5:8] = np.reshape([1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0], (4, 3))
    else:
        wanted[expected] = True
    masks, _, _ = run_xml(shapes=shape)
    np.testing.assert_array_equal(masks['one.png'] == 1, wanted)


@pytest.mark.parametrize(('runs', 'pixels'), [('0', 0), ('1,4', 4), ('1,4,2', 4)])
def test_masks_that_end_early(run_xml, runs, pixels):
    """An empty mask is `0` in CVAT, with a box of one pixel."""
    size = '1" height="1' if runs == '0' else '3" height="4'
    masks, _, report = run_xml(
        shapes=f'<mask label="car" rle="{runs}" left="5" top="2" width="{size}"/>')
    assert (masks['one.png'] == 1).sum() == pixels
    assert ('objects that cover no pixel: 1' in report) == (pixels == 0)


def test_ellipses(run_xml):
    """As CVAT draws them: with OpenCV, centre and radii rounded."""
    masks, _, _ = run_xml(shapes='<ellipse label="car" cx="12.40" cy="9.60" rx="7.20" ry="3.60" '
                                 'rotation="30.00"/>')
    expected = cv2.ellipse(np.zeros((20, 30), np.uint8), (12, 10), (7, 4), 30, 0, 360, 1, -1)
    np.testing.assert_array_equal(masks['one.png'], expected)


def test_shapes_without_an_area(run_xml):
    masks, _, report = run_xml(shapes=(
        '<polyline label="car" points="1,1;5,5"/><points label="car" points="1,1"/>'
        '<tag label="car"/><points label="car" points="1,1"/>'))
    assert not masks['one.png'].any()
    for tag, number in [('polyline', 1), ('points', 2), ('tag', 1)]:
        assert f'- {tag}, which has no area, left out: {number}' in report


def test_subsets_of_a_project(run_xml, source):
    (source / 'images/train').mkdir(parents=True)
    exports.write_images(source / 'images/train', ['one.jpg'])
    masks, _, _ = run_xml('name="one.jpg"', 'name="one.jpg" subset="train"')
    assert set(masks) == {'train/one.png', 'two.png', 'empty.png'}


def test_names_of_jobs_and_parts_of_skeletons(run_xml):
    _, classes, _ = run_xml(
        '<meta><task><labels>', '<meta><job><labels><label><name>leg</name><parent>man</parent>'
        '</label></labels></job><task><labels>')
    assert classes == NAMES


@pytest.mark.usefixtures('nothing_left')
@pytest.mark.parametrize(('old', 'new', 'message'), [
    ('points="4.00,8.00;12.00,8.00;12.00,14.00;4.00,14.00"', 'points="4,8;12,8"',
     r'image 0 \(one.jpg\), polygon 0 \(car\): a polygon needs 3 points, and this one has 2'),
    ('points="4.00,8.00', 'points="4.00', 'a list of points x, y'),
    ('points="4.00,8.00', 'points="x,8.00', 'a list of points x, y'),
    ('label="car"', 'label="cat"', "declares no label 'cat'; did you mean 'car'?"),
    ('label="car"', '', "declares no label ''"),
    ('z_order="1"', 'z_order="up"', "z_order is 'up' instead of a whole number"),
    ('width="30"', '', 'width is None instead of a whole number'),
    ('width="30"', 'width="31"', 'is for an image of 31 x 20 pixels'),
    ('name="one.jpg"', 'name="gone.jpg"', 'its image gone.jpg is missing'),
    ('name="one.jpg"', '', 'image 0: it has no name'),
    ('<polygon', '<blob/><polygon', "'blob' is no shape of CVAT"),
])
def test_bad_objects(run_xml, old, new, message):
    with pytest.raises(DataError, match=f'(?s)1 problem .*annotations.xml: .*{message}'):
        run_xml(old, new)


@pytest.mark.usefixtures('nothing_left')
@pytest.mark.parametrize(('shape', 'message'), [
    ('<box label="car" xtl="3" ytl="4" xbr="9"/>', 'its ybr is None, which is no number'),
    ('<box label="car" xtl="3" ytl="4" xbr="9" ybr="nan"/>', 'no finite numbers'),
    ('<ellipse label="car" cx="3" cy="4" rx="9" ry="x"/>', "its ry is 'x'"),
    ('<mask label="car" rle="0,14" left="5" top="2" width="3" height="4"/>',
     'covers 14 pixels, and the image .* has 12'),
    ('<mask label="car" rle="0,9,-3,1" left="5" top="2" width="3" height="4"/>', 'run lengths'),
    ('<mask label="car" rle="" left="5" top="2" width="3" height="4"/>', 'no list of whole'),
    ('<mask label="car" rle="0,12" left="28" top="2" width="3" height="4"/>', 'leaves the image'),
    ('<mask label="car" rle="0,12" left="5" top="2.5" width="3" height="4"/>', "its top is '2.5'"),
])
def test_bad_shapes(run_xml, shape, message):
    with pytest.raises(DataError, match=message):
        run_xml(shapes=shape)


@pytest.mark.usefixtures('nothing_left')
def test_a_folder_in_the_place_of_a_file(run_import, source):
    (source / 'annotations.xml').mkdir()
    with pytest.raises(DataError, match='cannot read .*annotations.xml: Is a directory'):
        run_import('cvat', source)


@pytest.mark.usefixtures('nothing_left')
@pytest.mark.parametrize(('text', 'message'), [
    ('<annotations><image', 'annotations.xml is no XML, or cut off'), ('', 'is no XML'),
    ('<annotations><track/></annotations>', "has no images. It is of a video .'CVAT for video'.:"),
    ('<annotations/>', "has no images. export the task as 'CVAT for images 1.1'"),
    ('<!DOCTYPE a [<!ENTITY b "c">]><annotations/>', 'has a document type'),
])
def test_files_that_are_no_exports(run_import, source, text, message):
    (source / 'annotations.xml').write_text(text)
    with pytest.raises(DataError, match=message):
        run_import('cvat', source / 'annotations.xml')


def test_masks_named_by_their_map(run_import, source):
    write_cvat_masks(source)
    masks, _, _ = run_import('cvat', source / 'labelmap.txt')
    np.testing.assert_array_equal(masks['two.png'], painted('two.png'))


def test_a_black_class_of_ones_own(run_import, source):
    """Black is what nobody labelled only where it is called so."""
    write_cvat_masks(source)
    (source / 'labelmap.txt').write_text('sky:0,0,0::\ncar:250,50,83::\nroad:128,64,128::\n')
    masks, classes, _ = run_import('cvat', source, unlabelled='ignore')
    assert classes == ['sky', 'car', 'road']
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg'))


def test_colours_of_voc_where_the_map_has_none(run_import, source):
    write_cvat_masks(source)
    (source / 'labelmap.txt').write_text('background:::\ncar:::\nroad:::\n')
    for path in (source / 'SegmentationClass').iterdir():
        colours = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0]], np.uint8)
        name = path.name if path.name == 'two.png' else path.name.replace('.png', '.jpg')
        Image.fromarray(colours[painted(name)]).save(path)
    masks, _, _ = run_import('cvat', source)
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg'))


def test_palette_masks(run_import, source):
    write_cvat_masks(source)
    mask = Image.fromarray(painted('one.jpg'))
    mask.putpalette([value for name in NAMES for value in exports.COLOURS[name]])
    mask.save(source / 'SegmentationClass/one.png')
    masks, _, _ = run_import('cvat', source)
    np.testing.assert_array_equal(masks['one.png'], painted('one.jpg'))


@pytest.mark.usefixtures('nothing_left')
def test_a_colour_that_is_not_in_the_map(run_import, source):
    write_cvat_masks(source)
    path = source / 'SegmentationClass/one.png'
    rgb = np.array(Image.open(path))
    rgb[:3, :10] = (1, 2, 3)
    rgb[0, 0] = (4, 5, 6)
    Image.fromarray(rgb).save(path)
    with pytest.raises(DataError, match=r'one.png: labelmap.txt has no class of the colour 1,2,3, '
                                        r'which 4.83% of its pixels have \(and 1 more colours\)'):
        run_import('cvat', source)


@pytest.mark.usefixtures('nothing_left')
@pytest.mark.parametrize(('line', 'message'), [
    ('car:1,2::', "'car:1,2::' is not name:red,green,blue::"),
    ('car:1,2,x::', "'car:1,2,x::' is not name"), ('car:1,2,300::', "'car:1,2,300::' is not name"),
    ('car:0,0,0::', "'background' and 'car' have the same colour 0,0,0"),
])
def test_bad_label_maps(run_import, source, line, message):
    write_cvat_masks(source)
    (source / 'labelmap.txt').write_text(f'background:0,0,0::\n{line}\n')
    with pytest.raises(DataError, match=f'labelmap.txt: {message}'):
        run_import('cvat', source)


@pytest.mark.usefixtures('nothing_left')
def test_no_masks(run_import, source):
    (source / 'labelmap.txt').write_text('background:0,0,0::\n')
    with pytest.raises(DataError, match="holds no mask .*'Segmentation mask 1.1'"):
        run_import('cvat', source)


def test_masks_of_datumaro(run_import, source):
    """The library by which CVAT itself writes 'Segmentation mask 1.1'."""
    datumaro = pytest.importorskip('datumaro', reason='needs pip install datumaro==1.13.12')
    exports.write_images(source / 'images')
    labels = NAMES[1:]
    items = []
    for name, (size, boxes) in exports.SCENES.items():
        items.append(datumaro.DatasetItem(
            id=name[:-4], media=datumaro.Image.from_numpy(np.zeros((*size, 3), np.uint8)),
            annotations=[datumaro.Polygon(
                [float(x) for point in exports.outline(box) for x in point],
                label=labels.index(box[0]), z_order=place, id=place, group=place + 1)
                for place, box in reversed(list(enumerate(boxes)))]))
    dataset = datumaro.Dataset.from_iterable(items, categories=labels)
    dataset.transform('polygons_to_masks')
    dataset.transform('merge_instance_segments')
    dataset.export(str(source), 'voc_segmentation', label_map={
        name: [colour, [], []] for name, colour in exports.COLOURS.items()})
    masks, classes, _ = run_import('cvat', source, images=str(source / 'images'))
    assert classes == NAMES
    for name in ('one.jpg', 'two.png'):
        np.testing.assert_array_equal(masks[f'{name[:-4]}.png'], painted(name))


def test_random_shapes_as_datumaro_paints_them(run_xml, tmp_path):
    """Polygons and boxes in random layers, from CVAT's XML and from its own way to masks."""
    datumaro = pytest.importorskip('datumaro', reason='needs pip install datumaro==1.13.12')
    random = np.random.default_rng(0)
    shapes, elements = [], []
    for number in range(40):
        points = random.uniform(-3, 33, (random.integers(3, 8), 2)).round(2)
        label, layer = NAMES[1 + number % 2], int(random.integers(-2, 3))
        facts = dict(label=number % 2, z_order=layer, id=number, group=number + 1)
        if number % 4:
            shapes.append(datumaro.Polygon(points.ravel().tolist(), **facts))
            text = ';'.join(f'{x:.2f},{y:.2f}' for x, y in points)
            elements.append(f'<polygon label="{label}" points="{text}" z_order="{layer}"/>')
        else:
            (left, top), (right, bottom) = points.min(0), points.max(0)
            shapes.append(datumaro.Bbox(left, top, right - left, bottom - top, **facts))
            elements.append(f'<box label="{label}" xtl="{left}" ytl="{top}" xbr="{right}" '
                            f'ybr="{bottom}" z_order="{layer}"/>')
    dataset = datumaro.Dataset.from_iterable([datumaro.DatasetItem(
        id='one', media=datumaro.Image.from_numpy(np.zeros((20, 30, 3), np.uint8)),
        annotations=shapes)], categories=NAMES[1:])
    for step in ('polygons_to_masks', 'boxes_to_masks', 'merge_instance_segments'):
        dataset.transform(step)
    dataset.export(str(tmp_path / 'painted'), 'voc_segmentation', label_map={
        name: [colour, [], []] for name, colour in exports.COLOURS.items()})
    rgb = np.array(Image.open(tmp_path / 'painted/SegmentationClass/one.png').convert('RGB'))
    masks, _, _ = run_xml(shapes=''.join(elements))
    colours = np.array([exports.COLOURS[name] for name in NAMES], np.uint8)
    np.testing.assert_array_equal(colours[masks['one.png']], rgb)
