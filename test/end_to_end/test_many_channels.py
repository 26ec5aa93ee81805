"""Images of five bands, 16 bits or floats, are trained on, scored, painted and predicted alike."""
import pickle

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmseg.apis import inference_segmentor, init_segmentor, load_config, show_result_pyplot
from mmseg.core import voc_colormap
from mmseg.datasets import build_dataset
from mmseg.datasets.pipeline_options import set_pipeline_options
from mmseg.datasets.pipelines.device_normalize import finish
from mmseg.prediction.pipeline import build_inference_pipeline

SIZE, BANDS = (48, 64), 5
MEAN = [3000.0, 2000, 1000, 4000, 500]
STD = [900.0, 800, 700, 600, 500]
CONFIG = '''
_base_ = {base!r}
in_channels = 5
img_norm_cfg = dict(mean={mean}, std={std}, to_rgb=False)
crop_size = (32, 32)
train_pipeline = [
    dict(type='LoadImageFromFile', {load}),
    dict(type='LoadAnnotations'),
    dict(type='Resize', img_scale=(64, 48), ratio_range=(0.9, 1.5)),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomRotate', prob=0.5, degree=10, pad_val=img_norm_cfg['mean']),
    dict(type='Normalize', **img_norm_cfg),
    dict(type='Pad', size=crop_size, pad_val=(0, 0, 0, 0, 1)),
    dict(type='DefaultFormatBundle'),
    dict(type='Collect', keys=['img', 'gt_semantic_seg']),
]
test_pipeline = [
    dict(type='LoadImageFromFile', {load}),
    dict(type='MultiScaleFlipAug', img_scale=(64, 48), flip=False, transforms=[
        dict(type='Resize', keep_ratio=True),
        dict(type='RandomFlip'),
        dict(type='Normalize', **img_norm_cfg),
        dict(type='ImageToTensor', keys=['img']),
        dict(type='Collect', keys=['img']),
    ]),
]
own = dict(_delete_=True, type='CustomDataset', data_root={root!r}, img_dir='img',
           img_suffix={suffix!r}, classes=['a', 'b', 'c'], **{masks})
data = dict(
    train=dict(pipeline=train_pipeline, **own),
    val=dict(pipeline=test_pipeline, **own),
    test=dict(pipeline=test_pipeline, **own))
model = dict(
    backbone=dict(base_channels=8, stem_channels=8),
    decode_head=dict(in_channels=64, channels=16, num_classes=3),
    auxiliary_head=dict(in_channels=32, channels=8, num_classes=3))
runner = dict(max_iters=3)
evaluation = dict(interval=3)
checkpoint_config = dict(interval=3)
log_config = dict(interval=1)
'''
# How the bands and the masks lie in files: suffix, settings of loading, and of the data set.
FORMS = {
    'tiff': ('.tif', '', dict(seg_map_suffix='.tif', ann_dir='ann')),
    'floats': ('.npy', '', dict(seg_map_suffix='.npy', ann_dir='ann')),
    'archives': ('.npz', "npz_key='bands'", dict(seg_map_suffix='.npz', seg_map_key='mask',
                                                 ann_dir='img')),
}


def scene(number):
    """Bands [H, W, 5] whose levels differ, and a mask of three classes that they show."""
    rng = np.random.default_rng(number)
    mask = cv2.resize(rng.integers(0, 3, (3, 4)).astype(np.uint8), SIZE[::-1],
                      interpolation=cv2.INTER_NEAREST)
    levels = np.array([[1000, 4000, 2000], [2000, 900, 5000], [300, 600, 1500],
                       [5000, 3000, 4000], [100, 900, 400]]).T
    return levels[mask] + rng.integers(0, 300, (*SIZE, BANDS)), mask


def write(folder, form):
    tifffile = pytest.importorskip('tifffile')
    for name in ('img', 'ann'):
        (folder / name).mkdir()
    for number in range(5):
        img, mask = scene(number)
        if form == 'tiff':
            tifffile.imwrite(folder / f'img/{number}.tif', img.astype(np.uint16),
                             photometric='rgb', planarconfig='contig', extrasamples=[0, 0])
            tifffile.imwrite(folder / f'ann/{number}.tif', mask)
        elif form == 'floats':
            np.save(folder / f'img/{number}.npy', img.astype(np.float32).transpose(2, 0, 1))
            np.save(folder / f'ann/{number}.npy', mask.astype(np.int64))
        else:
            np.savez_compressed(folder / f'img/{number}.npz', bands=img.astype(np.float64),
                                mask=mask)


@pytest.fixture(scope='module', params=FORMS)
def job(request, tmp_path_factory, repo_dir, run_tool):
    """A folder with data, config, the checkpoint of a training, predictions and pictures."""
    folder = tmp_path_factory.mktemp(request.param)
    write(folder, request.param)
    suffix, load, masks = FORMS[request.param]
    (folder / 'config.py').write_text(CONFIG.format(
        base=str(repo_dir / 'configs/pspnet/pspnet_r18-d8_512x512_20k_voc12aug.py'), load=load,
        mean=MEAN, std=STD, root=str(folder), suffix=suffix, masks=masks))
    plain = init_segmentor(load_config(folder / 'config.py', {'in_channels': None,
                                                              'model.backbone.in_channels': 3}))
    torch.save(plain.backbone.state_dict(), folder / 'rgb.pth')
    done = run_tool('train', 'config.py', '--device', 'cpu', '--work-dir', 'run', '--seed', 0,
                    '--cfg-options', 'model.pretrained=rgb.pth', cwd=folder)
    assert done.returncode == 0, done.stderr
    told = done.stdout + done.stderr
    assert 'for 3 channels fitted to 5: R, G, B repeated, scaled by 3/5' in told
    done = run_tool('test', 'config.py', 'run/latest.pth', '--device', 'cpu', '--eval', 'mIoU',
                    '--out', 'seg_maps.pkl', '--show-dir', 'painted', '--no-fuse-conv-bn',
                    cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def samples(folder, split='test', **options):
    """The samples of a split; options are those of `data`."""
    cfg = load_config(folder / 'config.py')
    data = build_dataset(cfg.data[split], dict(test_mode=split == 'test'))
    set_pipeline_options(data, options, asynchronous=False)
    return data


def bands_of(folder, number):
    """The bands [H, W, 5] of an image, from what was drawn."""
    return scene(number)[0].astype(np.float32)


def file_of(folder, number):
    return next((folder / 'img').glob(f'{number}.*'))


def test_the_model_sees_the_bands_in_their_order(job):
    for number, sample in enumerate(samples(job)):
        expected = (bands_of(job, number) - np.float32(MEAN)) / np.float32(STD)
        found = sample['img'][0].numpy().transpose(1, 2, 0)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_predictions_see_what_the_test_sees(job):
    pipeline = build_inference_pipeline(load_config(job / 'config.py'))
    for number, sample in enumerate(samples(job)):
        bands = bands_of(job, number)
        for image in (str(file_of(job, number)), bands, bands.transpose(2, 0, 1),
                      bands.astype(np.uint16)):
            found = pipeline(dict(img=image, seg_fields=[]))
            np.testing.assert_array_equal(found['img'][0], sample['img'][0])


def test_options_of_the_pipeline_change_no_pixel(job):
    def all_of(**options):
        data, found = samples(job, 'train', **options), []
        for _ in range(2):  # the second time from a cache, if there is one
            for number in range(len(data)):
                np.random.seed(number)
                batch = finish(data[number])
                found.append([batch[key].data.numpy() for key in ('img', 'gt_semantic_seg')])
        return found

    plain = all_of(plan_pipeline=False)
    for options in ({}, dict(cache='decoded'), dict(normalize_on_device=True)):
        for one, other in zip(all_of(**options), plain, strict=True):
            np.testing.assert_array_equal(one[1], other[1])
            np.testing.assert_array_equal(one[0], other[0])


def test_the_commands_predict_what_python_predicts(job):
    saved = job / 'run/config.py'  # the config that the training has written
    model = init_segmentor(str(saved), str(job / 'run/latest.pth'), 'cpu')
    seg_maps = pickle.loads((job / 'seg_maps.pkl').read_bytes())
    for number, seg_map in enumerate(seg_maps):
        for image in (str(file_of(job, number)), bands_of(job, number)):
            found = inference_segmentor(model, image)[0]
            assert np.mean(found == seg_map) > 0.999  # norms are folded in one of them


def test_files_are_predicted_as_they_are_tested(job, tool, tmp_path):
    assert tool('predict')([str(job / 'run/latest.pth'), str(job / 'img'), '--out', str(tmp_path),
                            '--device', 'cpu', '--cfg-options', 'fuse_conv_bn=False']) == 0
    for number, seg_map in enumerate(pickle.loads((job / 'seg_maps.pkl').read_bytes())):
        with Image.open(tmp_path / f'masks/{number}.png') as mask:
            np.testing.assert_array_equal(np.array(mask), seg_map)
        painted = cv2.imread(str(tmp_path / f'overlays/{number}.png'))
        written, = (job / 'painted').glob(f'{number}.*')
        np.testing.assert_array_equal(painted, cv2.imread(str(written)))


def picture(bands, seg_map, shown):
    """What is to be seen: three bands from their 2nd to their 98th percentile, half the class."""
    img = bands[..., shown].astype(np.float64)
    low, high = np.percentile(img, (2, 98), axis=(0, 1))
    grey = np.round(np.clip((img - low) / (high - low), 0, 1) * 255)
    colours = np.array(voc_colormap()[:3], float)
    colours[0] = 224  # black would only darken
    return (grey + colours[seg_map]) / 2


def test_pictures_show_the_first_three_bands(job):
    seg_maps = pickle.loads((job / 'seg_maps.pkl').read_bytes())
    model = init_segmentor(str(job / 'config.py'), device='cpu')
    model.PALETTE = samples(job).PALETTE
    for number, seg_map in enumerate(seg_maps):
        written, = (job / 'painted').glob(f'{number}.*')
        painted = cv2.imread(str(written))
        expected = picture(bands_of(job, number), seg_map, [0, 1, 2])
        assert np.abs(painted[..., ::-1] - expected).max() <= 2
        images = [bands_of(job, number), bands_of(job, number).transpose(2, 0, 1)]
        if file_of(job, number).suffix != '.npz':  # of which the model does not know the key
            images.append(str(file_of(job, number)))
        for image in images:
            np.testing.assert_array_equal(model.show_result(image, [seg_map]), painted)
        other = show_result_pyplot(model, images[0], [seg_map], bands=(4, 2, 3),
                                   out_file=str(job / 'other.png'))
        expected = picture(bands_of(job, number), seg_map, [4, 2, 3])
        assert np.abs(other[..., ::-1] - expected).max() <= 2


def test_the_data_check_finds_nothing(job, tool, capsys):
    assert tool('check_dataset')([str(job / 'config.py'), '--split', 'train', '--nproc', '1']) == 0
    assert ' 0 warnings, 0 info' in capsys.readouterr().out


@pytest.mark.parametrize('job', ['tiff'], indirect=True)
def test_a_command_for_other_bands_and_views(job, run_tool):
    done = run_tool('test', 'config.py', 'run/latest.pth', '--device', 'cpu', '--aug-test',
                    '--show-dir', 'other', '--show-bands', 3, '--opacity', 0.01, cwd=job)
    assert done.returncode == 0, done.stderr
    written, = (job / 'other').glob('0.*')
    painted = cv2.imread(str(written)).astype(int)
    expected = picture(bands_of(job, 0), np.zeros(SIZE, int), [3])[..., :1] * 2 - 224
    assert np.abs(painted - expected).max() <= 4  # one per cent of a colour, and rounding


@pytest.mark.parametrize('job', ['tiff'], indirect=True)
@pytest.mark.parametrize(('options', 'message'), [
    (['img_norm_cfg=None', *(f'data.train.pipeline.6.{key}=[1,2,3]' for key in ('mean', 'std'))],
     'Normalize in data.train has 3 values in mean and std, but the images have 5 channels'),
    (['in_channels=4', 'img_norm_cfg.mean=[1,2,3,4]', 'img_norm_cfg.std=[1,2,3,4]'],
     'the image has 5 bands (uint16, [48, 64, 5]), but in_channels=4')])
def test_what_does_not_fit_ends_before_the_training(job, run_tool, options, message):
    done = run_tool('train', 'config.py', '--device', 'cpu', '--work-dir', 'refused',
                    '--cfg-options', *options, 'model.pretrained=None', cwd=job)
    assert done.returncode == 2
    assert message in done.stderr
    assert not list((job / 'refused').glob('*.pth'))


@pytest.mark.parametrize('job', ['tiff'], indirect=True)
def test_multiply_adds_are_those_of_five_channels(job, tool, capsys):
    tool('get_flops')([str(job / 'config.py'), '--shape', '64', '64'])
    assert 'Input shape: (5, 64, 64)' in capsys.readouterr().out
