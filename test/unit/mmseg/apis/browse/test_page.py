"""The page of a data set: pictures, draws, classes, errors."""
import re

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.datasets import build_dataset
from mmseg.datasets.pipelines.draws import tell
from mmseg.datasets.tracing import trace_sample

from .conftest import PIPELINE


def test_each_step_with_its_picture_and_its_draws(make_config, browse, folder):
    cfg = make_config(classes=['road', 'tree', '\u80cc\u666f', '<b>'])
    page, text, code = browse(cfg, indices=[2])
    assert code == 0
    assert page.titles == ['2: 2.png']
    assert 'train.html: 1 sample, 0.0 MB' in text
    trace = trace_sample(build_dataset(cfg.data.train), 5, 0, 2)
    steps = {step.name: step for step in trace.steps}
    crop = page.step('RandomCrop')
    assert f'top {steps["RandomCrop"].draws["top"]}' in crop['text']
    assert '24 x 24, 3 bands of uint8, ' in crop['text']
    shown = crop['pictures']['after RandomCrop'].astype(int)
    assert np.abs(shown - steps['RandomCrop'].after.img).mean() < 4  # a JPEG
    painted = crop['pictures']['labels after RandomCrop']
    label = steps['RandomCrop'].after.labels['gt_semantic_seg']
    assert (painted[label == 255] == 0).all()
    assert len({tuple(color) for color in painted[label == 1].tolist()}) == 1
    assert (painted[label == 1][0] == (0, 0, 128)).all()  # VOC's second colour, in BGR
    # Seen as before: no picture again. The padding is seen, in the normalised image's mean.
    for name in ('Normalize', 'DefaultFormatBundle', 'Collect'):
        assert page.step(name)['pictures'] == {}
    assert page.step('Pad')['pictures']['after Pad'].shape == (32, 32, 3)
    for name in ('0 road', '1 tree', '2 \u80cc\u666f', '3 <b>', '255 (ignored)'):
        assert name in page.text


def test_several_epochs_show_the_range(make_config, browse):
    cfg = make_config()
    page, _, _ = browse(cfg, indices=[0], epochs=[0, 1, 5])
    loaded, *epochs = page.figures[:4]
    assert loaded['text'] == 'as loaded'
    dataset = build_dataset(cfg.data.train)
    for epoch, figure in zip((0, 1, 5), epochs, strict=True):
        crop = next(step for step in trace_sample(dataset, 5, epoch, 0).steps
                    if step.name == 'RandomCrop')
        assert figure['text'].startswith(f'epoch {epoch}')
        assert f'RandomCrop top {crop.draws["top"]}; left {crop.draws["left"]}' in figure['text']
        assert figure['pictures']['after Pad'].shape == (32, 32, 3)
    assert page.text.count('step by step') == 3
    # What is the same in each epoch is there once.
    steps = [figure['text'] for figure in page.figures[4:]]
    assert sum(text.startswith('LoadImageFromFile') for text in steps) == 1
    assert sum(text.startswith('RandomCrop') for text in steps) == 3
    assert page.text.count('The steps before are those of epoch 0.') == 2


def test_the_seed_is_that_of_the_config_or_the_option(make_config, browse):
    texts = [browse(make_config(seed=seed), **options)[0].text for seed, options in (
        (5, {}), (None, dict(seed=5)), (None, {}), (7, dict(seed=5)))]
    drawn = [text[text.index('RandomCrop'):] for text in texts]
    assert drawn[0] == drawn[1] == drawn[3] != drawn[2]
    assert 'the config sets none' in texts[2]
    assert all('the config sets none' not in text for text in (texts[0], texts[1], texts[3]))


def test_the_seed_of_the_newest_run(make_config, browse, folder):
    (folder / 'work').mkdir()
    for name, text in (('20260101_000000', '{"seed": 5}\n{"mode": "train"}\n'),
                       ('20250101_000000', '{"seed": 9}\n'), ('20260201_000000', '{"se'),
                       ('20260202_000000', '[1]\n'), ('20260203_000000', '{"seed": null}\n')):
        (folder / f'work/{name}.log.json').write_text(text)
    text = browse(make_config(seed=None))[0].text
    assert '5 (of the run ' in text
    assert '20260101_000000.log.json)' in text
    of_config = browse(make_config(seed=5))[0].text
    assert '5 (of the config)' in of_config
    assert text[text.index('RandomCrop'):] == of_config[of_config.index('RandomCrop'):]


@pytest.mark.parametrize('number', [None, 1, 171])
def test_any_number_of_classes(make_config, browse, folder, number):
    if number == 1:
        for file in (folder / 'ann').iterdir():
            label = np.array(Image.open(file))
            Image.fromarray(np.where(label == 255, 255, 0).astype(np.uint8)).save(file)
    names = {} if number is None else dict(classes=[f'class {place}' for place in range(number)])
    page, _, code = browse(make_config(**names))
    assert code == 0
    if number is None:
        assert 'no names of classes' in page.text
        assert '255 (ignored)' in page.text
    else:
        assert f'{number} classes' in page.text
        assert f'{number - 1} class {number - 1}' in page.text


def test_a_sample_that_cannot_be_loaded_is_shown_with_its_error(make_config, browse, folder):
    (folder / 'img/1.png').write_bytes(b'no image')
    (folder / 'ann/3.png').unlink()
    page, text, code = browse(make_config())
    assert code == 1
    assert page.titles == ['0: 0.png', '1: 1.png', '2: 2.png', '3: 3.png']
    assert 'cannot decode the image' in page.text
    assert '2 samples could not be loaded:\n  1 1.png (epoch 0): ' in text
    assert text.splitlines()[-1].startswith('  3 3.png (epoch 0): ')


def test_an_error_of_a_users_step(make_config, browse):
    def broken(results):
        raise KeyError('gt_depth')

    page, text, code = browse(make_config([*PIPELINE[:3], broken]), indices=[0], epochs=[0, 1])
    assert code == 1
    figure = page.step('broken')
    assert "KeyError: 'gt_depth'" in figure['text']
    assert 'test_page.py, line' in figure['text']
    assert "(epoch 1): KeyError: 'gt_depth'" in text


def test_a_dropped_sample_and_the_one_in_its_place(make_config, browse):
    def drop_first(results):
        return None if results['ori_filename'] == '0.png' else results

    cfg = make_config([*PIPELINE[:2], drop_first, *PIPELINE[2:]])
    page, _, code = browse(cfg, indices=[0])
    assert code == 0
    assert 'It has dropped the sample' in page.step('drop_first')['text']
    name = re.search(r'in its place: ([123]\.png)', page.text)[1]
    trace = trace_sample(build_dataset(cfg.data.train), 5, 0, 0)
    assert trace.sample['img_metas'].data['ori_filename'] == name
    page, _, _ = browse(cfg, indices=[0], epochs=[0, 1])
    for epoch, figure in enumerate(page.figures[1:3]):
        assert f'epoch {epoch}dropped by drop_first; in its place: ' in figure['text']
        assert figure['text'].count('RandomCrop') == 1


def test_draws_are_told_with_their_units(make_config, browse):
    def turn(results):
        tell(holes=[dict(top=1, left=2), dict(top=3, left=4)], Blur={}, share=0.123456)
        return results

    def silent(results):
        np.random.rand()
        return results

    steps = [*PIPELINE[:2], dict(type='RandomRotate', prob=1.0, degree=(7.25, 7.25)), turn, silent]
    page, _, _ = browse(make_config(steps), indices=[0], epochs=[0, 1])
    text = page.figures[1]['text']
    assert 'RandomRotate degrees 7.25' in text
    assert 'turn holes top 1, left 2; top 3, left 4; Blur; share 0.1235' in text
    assert 'silent draws at random, but does not tell what' in text
    assert 'sizes, width x height' in page.text


def test_many_failures_are_cut(make_config, browse, folder):
    for file in (folder / 'img').iterdir():
        file.write_bytes(b'')
    _, text, _ = browse(make_config(), epochs=range(6))
    assert '24 samples could not be loaded' in text
    assert text.endswith('... and 4 more')


def test_on_error_is_told(make_config, browse):
    cfg = make_config()
    assert 'training takes another' not in browse(cfg)[0].text
    cfg.data.on_error = 'skip'
    assert 'training takes another in its place' in browse(cfg)[0].text


def test_five_bands(make_config, browse, folder):
    """Of float values, of which bands are chosen."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(32, 40, 5)).astype(np.float32) for _ in range(4)]
    for number, array in enumerate(arrays):
        np.save(folder / f'img/{number}.npy', array)
    steps = [dict(type='LoadImageFromFile', color_type='bands'), *PIPELINE[1:4],
             dict(type='Normalize', mean=[1.0] * 5, std=[2.0] * 5, to_rgb=False)]
    cfg = make_config(steps)
    cfg.data.train.img_suffix = '.npy'

    def shown(**options):
        page, _, code = browse(cfg, indices=[0], **options)
        assert code == 0
        assert page.step('Normalize')['pictures'] == {}
        return page.step('LoadImageFromFile')['pictures']['after LoadImageFromFile']

    for bands, options in (([0, 1, 2], {}), ([4, 0, 3], dict(bands=[4, 0, 3])),
                           ([3] * 3, dict(bands=[3]))):
        low, high = np.percentile(arrays[0], (2, 98), axis=(0, 1))
        expected = np.clip((arrays[0] - low) / (high - low), 0, 1)[..., bands[::-1]] * 255
        assert np.abs(shown(**options) - expected).mean() < 12  # a JPEG of noise
    with pytest.raises(ConfigError, match=r'bands to show \[7\]'):
        browse(cfg, bands=[7])


def test_grey_images_and_floats(make_config, browse):
    steps = [dict(type='LoadImageFromFile', color_type='grayscale', to_float32=True),
             *PIPELINE[1:4], dict(type='Normalize', mean=[120.0], std=[60.0], to_rgb=False)]
    page, _, code = browse(make_config(steps), indices=[0])
    assert code == 0
    assert '40 x 32, 1 band of float32, ' in page.step('LoadImageFromFile')['text']
    assert page.step('Normalize')['pictures'] == {}
    picture = page.step('LoadImageFromFile')['pictures']['after LoadImageFromFile'].astype(int)
    assert np.ptp(picture, axis=2).max() < 8


def test_other_label_maps(make_config, browse):
    def edges(results):
        label = results['gt_semantic_seg']
        results['gt_edge'] = (label != np.roll(label, 1, 0)).astype(np.uint8)
        results['seg_fields'].append('gt_edge')
        return results

    page, _, _ = browse(make_config([*PIPELINE[:2], edges, *PIPELINE[2:]]), indices=[0])
    assert set(page.step('edges')['pictures']) == {
        'after edges', 'labels after edges', 'gt_edge'}
    assert 'gt_edge' in page.step('RandomCrop')['pictures']


def test_label_maps_of_another_size_or_with_negative_values(make_config, browse):
    def shift(results):
        results['gt_semantic_seg'] = results['gt_semantic_seg'].astype(np.int64) - 1
        return results

    steps = [*PIPELINE[:2], dict(type='SegRescale', scale_factor=0.5), shift]
    page, text, code = browse(make_config(steps), indices=[0])
    assert code == 0, text
    assert page.step('SegRescale')['pictures']['labels after SegRescale'].shape == (16, 20, 3)


def test_steps_within_steps_and_the_truth_of_a_validation(make_config, browse):
    views = dict(type='MultiScaleFlipAug', img_scale=(60, 48), flip=True, transforms=[
        dict(type='Resize'), dict(type='RandomFlip'), PIPELINE[4],
        dict(type='ImageToTensor', keys=['img']), dict(type='Collect', keys=['img'])])
    cfg = make_config()
    cfg.data.val = dict(cfg.data.train, pipeline=[PIPELINE[0], views])
    page, _, code = browse(cfg, split='val')
    assert code == 0
    assert '10 steps within it' in page.step('MultiScaleFlipAug')['text']
    truth = page.step('labels')
    assert (truth['pictures']['labels'][:3] == 0).all()
    cfg.data.val.ann_dir = None
    page, _, _ = browse(cfg, split='val')
    assert not any(figure['text'].startswith('labels') for figure in page.figures)


def test_steps_that_are_left_out(make_config, browse):
    page, _, _ = browse(make_config(), skip_types=['RandomFlip', 'Pad'])
    assert 'RandomFlip, Pad: the draws of later steps may differ' in page.text
    assert not any(figure['text'].startswith('RandomFlip') for figure in page.figures)
    with pytest.raises(ConfigError, match='--skip-type Padd'):
        browse(make_config(), skip_types=['Padd'])


def test_large_pictures_are_reduced(make_config, browse, folder):
    cv2.imwrite(str(folder / 'img/0.png'), np.zeros((300, 200, 3), np.uint8))
    Image.fromarray(np.ones((300, 200), np.uint8)).save(folder / 'ann/0.png')
    page, _, _ = browse(make_config(), indices=[0], max_side=100)
    pictures = page.step('LoadAnnotations')['pictures']
    assert {picture.shape for picture in pictures.values()} == {(100, 67, 3)}


def test_the_opacity_is_that_of_the_page(make_config, browse, folder):
    browse(make_config(), opacity=0.3)
    text = (folder / 'work/browse/train.html').read_text()
    assert '--opacity: 0.3;' in text
    assert 'value="30"' in text


def test_a_wrapped_data_set(make_config, browse):
    mosaic = dict(type='RandomMosaic', prob=1.0, img_scale=(15, 15))
    cfg = make_config(PIPELINE[:3], wrap=lambda dataset: dict(
        type='MultiImageMixDataset', pipeline=[mosaic, *PIPELINE[3:]],
        dataset=dict(type='RepeatDataset', times=2, dataset=dataset)))
    page, _, code = browse(cfg, indices=[5])
    assert code == 0
    assert page.titles == ['5: 1.png']
    assert 'MultiImageMixDataset of RepeatDataset of CustomDataset' in page.text
    assert 'other samples' in page.step('RandomMosaic')['text']
    assert '9 steps within it' in page.step('RandomMosaic')['text']


def test_a_data_set_without_a_pipeline(make_config, browse, monkeypatch):
    class Plain(torch.utils.data.Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return dict(img=np.full((8, 8, 3), 90, np.uint8))

    monkeypatch.setattr('mmseg.apis.browse.job.build_split', lambda *args, **kwargs: Plain())
    page, _, code = browse(make_config())
    assert code == 0
    assert page.titles == ['0', '1']
    assert page.figures[0]['pictures']['after loading'].shape == (8, 8, 3)


def test_an_empty_data_set(make_config, browse, folder):
    for file in (folder / 'img').iterdir():
        file.unlink()
    with pytest.raises(DataError, match='img'):
        browse(make_config())
