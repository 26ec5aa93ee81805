"""Annotation files with any content: polygons, run lengths, archives of files."""
import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcv_replace.utils.errors import UserError
from mmseg.datasets.converters.cityscapes_polygons import draw_polygons
from mmseg.datasets.converters.pascal_context import convert_pascal_context
from mmseg.datasets.converters.unpack import unpacked
from mmseg.datasets.importers.raster.rle import coco_rle

MANY, FEW = settings.get_profile('many'), settings.get_profile('few')
ODD = st.one_of(st.none(), st.booleans(), st.integers(-3, 70), st.floats(), st.text(max_size=4),
                st.sampled_from((2**40, -2**70, [], {}, [[]], 'car', '')))
POINT = st.one_of(st.lists(st.one_of(st.integers(-9, 40), st.floats(-9, 40), ODD), max_size=3), ODD)
OBJECT = st.one_of(ODD, st.fixed_dictionaries({}, optional=dict(
    label=st.one_of(st.sampled_from(('car', 'cargroup', 'license plate', 'group')), ODD),
    polygon=st.one_of(st.lists(POINT, max_size=5), ODD), deleted=ODD)))
SIDE = st.one_of(st.integers(1, 30), ODD)


@MANY
@given(width=SIDE, height=SIDE, objects=st.one_of(st.lists(OBJECT, max_size=4), ODD))
def test_polygons(attempt, width, height, objects):
    drawn = attempt(draw_polygons, dict(imgWidth=width, imgHeight=height, objects=objects), 'a')
    assert isinstance(drawn, UserError) or drawn.size == (width, height)


@MANY
@given(content=ODD)
def test_annotations_of_another_form(attempt, content):
    assert isinstance(attempt(draw_polygons, content, 'a'), UserError)


COUNTS = st.one_of(st.lists(st.one_of(st.integers(-2, 30), ODD), max_size=5), ODD,
                   st.text(alphabet=[chr(code) for code in range(46, 114)], max_size=16),
                   st.binary(max_size=9))


@MANY
@given(size=st.one_of(st.lists(SIDE, max_size=3), ODD), counts=COUNTS)
def test_run_lengths(attempt, size, counts):
    mask = attempt(coco_rle, dict(size=size, counts=counts), (5, 6))
    assert isinstance(mask, UserError) or size == [5, 6] and mask.shape == (5, 6)


@FEW
@given(image=st.fixed_dictionaries(dict(phase=st.sampled_from(('train', 'val', 3))), optional=dict(
           image_id=st.one_of(st.just(1), ODD), height=SIDE, width=SIDE, file_name=ODD)),
       region=st.fixed_dictionaries({}, optional=dict(
           image_id=st.one_of(st.just(1), ODD), category_id=st.one_of(st.just(2), ODD),
           segmentation=ODD)))
def test_pascal_in_detail(attempt, tmp_path_factory, image, region):
    root = tmp_path_factory.mktemp('context')
    (root / 'VOC2010/JPEGImages').mkdir(parents=True)
    (root / 'a.json').write_text(json.dumps(dict(images=[image], annos_segmentation=[region])))
    attempt(convert_pascal_context, root, root / 'a.json')
    assert not [path for path in root.rglob('*.png')
                if path.parent != root / 'VOC2010/SegmentationClassContext']


@pytest.fixture(scope='session')
def archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as made:
        made.writestr('a/b.txt', np.random.default_rng(0).bytes(300))
        made.writestr('c.txt', b'c' * 3000)
    return file.getvalue()


@FEW
@given(place=st.integers(0, 700), noise=st.binary(max_size=3), cut=st.one_of(
    st.none(), st.integers(0, 700)))
def test_archives(attempt, folder, archive, place, noise, cut):
    def read():
        with unpacked([folder / 'a.zip'], folder / 'tmp') as files:
            return [file.read() for file in files]

    content = bytearray(archive)
    content[place:place + len(noise)] = noise
    (folder / 'a.zip').write_bytes(content[:cut])
    attempt(read)
    assert not list((folder / 'tmp').iterdir())
