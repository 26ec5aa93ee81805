"""Every registered step with options to try, for the tests that hold for all of them.

A new step is one row: options that it needs, and another value of each option. Where options
exclude each other the value is a dict of them all. `plain` is its slow form in `plain_steps`, and
`kinds` the images that it takes: 'uint8' or 'float32', and the number of channels. `foreign`
steps hand samples to another package, which may be missing.
"""
from dataclasses import dataclass, field

import cv2
import numpy as np

from mmcv_replace.utils.errors import MissingModuleError
from mmseg.datasets import PIPELINES

from . import plain_steps

NORM = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
VIEWS = [dict(type='Resize'), dict(type='RandomFlip')]
ANY = [(kind, channels) for kind in ('uint8', 'float32') for channels in (1, 3, 5)]
COLOUR = [(kind, 3) for kind in ('uint8', 'float32')]


@dataclass
class Case:
    options: dict = field(default_factory=dict)
    others: dict = field(default_factory=dict)
    plain: object = None
    kinds: list = field(default_factory=lambda: ANY)
    exact: float = 0  # the largest difference of values between 0 and 255 from the plain form
    alike: float = 1.0  # the least share of labels that are those of the plain form
    seeds: int = 4
    moves: bool = False  # whether image and label map are moved together
    foreign: bool = False

    def variants(self):
        """All options to try, by the name of the one that is changed."""
        changed = {name: value if isinstance(value, dict) and name in value else {name: value}
                   for name, value in self.others.items()}
        return {None: self.options, **{
            name: {**self.options, **values} for name, values in changed.items()}}


CASES = {
    'AdjustGamma': Case(dict(gamma=2.2), dict(gamma=0.5), plain_steps.adjust_gamma, exact=1),
    'Albu': Case(
        dict(transforms=[
            dict(type='HorizontalFlip', p=0.5),
            dict(type='OneOf', p=1.0, transforms=[
                dict(type='PadIfNeeded', min_height=50, min_width=70, position='top_left'),
                dict(type='RandomCrop', height=24, width=30)])]),
        dict(transforms=[dict(type='RandomRotate90', p=0.9)], keymap=dict(depth='mask'),
             seg_pad_val=3), moves=True, foreign=True),
    'CLAHE': Case(dict(clip_limit=3.0), dict(clip_limit=60.0, tile_grid_size=(4, 2)),
                  plain_steps.clahe),
    'Collect': Case(dict(keys=['img'], meta_keys=('img_shape',)),
                    dict(keys=['img', 'gt_semantic_seg'], meta_keys=('pad_shape',))),
    'Compose': Case(dict(transforms=[dict(type='RandomFlip', prob=0.5)]),
                    dict(transforms=[dict(type='RandomFlip', prob=0.1)])),
    'DefaultFormatBundle': Case(),
    'ImageToTensor': Case(dict(keys=['img']), dict(keys=['img', 'gt_semantic_seg'])),
    'LoadAnnotations': Case({}, dict(
        reduce_zero_label=True, file_client_args=dict(backend='step_cases'),
        imdecode_backend='cv2')),
    'LoadImageFromFile': Case(dict(color_type='unchanged'), dict(
        to_float32=True, color_type='grayscale', file_client_args=dict(backend='step_cases'),
        imdecode_backend='pillow', channels=dict(color_type='bands', channels=3),
        npz_key=dict(color_type='bands', npz_key='img', file_client_args=dict(
            backend='step_cases_npz')))),
    'MultiScaleFlipAug': Case(
        dict(transforms=VIEWS, img_scale=(40, 30), flip=True),
        dict(transforms=[*VIEWS, dict(type='CLAHE')], img_scale=[(40, 30), (20, 20)],
             img_ratios=0.5, flip=False, flip_direction=['vertical', 'diagonal'])),
    'Normalize': Case(NORM, dict(mean=[1, 2, 3], std=[4.5, 5, 6], to_rgb=False),
                      plain_steps.normalize, COLOUR, exact=1e-5),
    'Pad': Case(
        dict(size=(64, 71)),
        dict(size=(90, 64), size_divisor=dict(size=None, size_divisor=16), pad_val=7,
             seg_pad_val=3), plain_steps.pad, moves=True),
    'PhotoMetricDistortion': Case({}, dict(
        brightness_delta=100, contrast_range=(0.1, 3.0), saturation_range=(0.0, 4.0), hue_delta=90),
        plain_steps.photo_metric_distortion, [('uint8', 3)], seeds=40),
    'RGB2Gray': Case({}, dict(out_channels=1, weights=(0.5, 0.25, 0.25)), plain_steps.rgb2gray,
                     COLOUR, exact=1e-4),
    'RandomCrop': Case(
        dict(crop_size=(16, 19), cat_max_ratio=0.3, ignore_index=255),
        dict(crop_size=(30, 100), cat_max_ratio=1.0, ignore_index=2), plain_steps.random_crop,
        moves=True),
    'RandomCutOut': Case(
        dict(prob=0.8, n_holes=3, cutout_shape=(9, 5)),
        dict(prob=0.2, n_holes=(0, 6), cutout_shape=[(9, 5), (3, 20), (50, 2)],
             cutout_ratio=dict(cutout_shape=None, cutout_ratio=[(0.3, 0.5), (0.7, 0.1)]),
             fill_in=77, seg_fill_in=4), plain_steps.random_cut_out),
    'RandomFlip': Case(dict(prob=0.5), dict(
        prob=0.1, direction='vertical', flip_ratio=dict(prob=None, flip_ratio=0.9)),
        plain_steps.random_flip, moves=True),
    'RandomMosaic': Case(
        dict(prob=0.8, img_scale=(20, 30)),
        dict(prob=0.3, img_scale=(33, 25), center_ratio_range=(0.0, 2.0), pad_val=9, seg_pad_val=4),
        plain_steps.random_mosaic, exact=1),
    'RandomRotate': Case(
        dict(prob=0.9, degree=30.0),
        dict(prob=0.3, degree=(30, 60), pad_val=9, seg_pad_val=4, center=(10, 12), auto_bound=True),
        plain_steps.random_rotate, exact=16, alike=0.98, moves=True),
    'Rerange': Case({}, dict(min_value=-3, max_value=1), plain_steps.rerange, exact=1e-4),
    'Resize': Case(
        dict(img_scale=(60, 44)),
        dict(img_scale=[(60, 44), (90, 80)],
             multiscale_mode=dict(multiscale_mode='value', img_scale=[(60, 44), (90, 80)]),
             ratio_range=(0.5, 2.0), keep_ratio=False, min_size=50), plain_steps.resize, exact=1,
        moves=True),
    'ResizeToMultiple': Case(
        dict(size_divisor=16), dict(size_divisor=24, interpolation='nearest'),
        plain_steps.resize_to_multiple, exact=1, moves=True),
    'SegRescale': Case(dict(scale_factor=0.5), dict(scale_factor=2), plain_steps.seg_rescale),
    'ToDataContainer': Case(dict(fields=[dict(key='img', stack=True)]),
                            dict(fields=[dict(key='gt_semantic_seg')])),
    'ToTensor': Case(dict(keys=['img']), dict(keys=['gt_semantic_seg'])),
    'TorchvisionTransform': Case(
        dict(transforms=[
            dict(type='RandomHorizontalFlip', p=0.5),
            dict(type='RandomChoice', transforms=[
                dict(type='Pad', padding=5), dict(type='RandomCrop', size=(24, 30))])]),
        dict(transforms=[dict(type='RandomVerticalFlip', p=0.9)], seg_pad_val=3), moves=True,
        foreign=True),
    'Transpose': Case(dict(keys=['img'], order=(2, 0, 1)), dict(
        keys=dict(keys=['gt_semantic_seg'], order=(1, 0)), order=(1, 0, 2))),
}


def missing_packages():
    """The steps that cannot be tried here, and why."""
    reasons = {}
    for name in [name for name, case in CASES.items() if case.foreign]:
        try:
            PIPELINES.get(name)(**CASES[name].options)
        except MissingModuleError as error:
            reasons[name] = str(error)
    return reasons


MISSING = missing_packages()
VARIANTS = [(name, variant) for name, case in CASES.items() if name not in MISSING
            for variant in case.variants()]


def make_sample(kind='uint8', channels=3, size=(41, 57), blocks=6, seed=0, mixed=3):
    """A sample as after loading: smooth noise, two label maps of blocks that agree, and others."""
    random = np.random.RandomState(seed)
    noise = random.randint(0, 256, (*size, channels)).astype(np.uint8)
    img = cv2.GaussianBlur(noise, (3, 3), 0).reshape(noise.shape)
    rows, columns = (-(-edge // blocks) for edge in size)
    label = random.randint(0, 5, (rows, columns)).repeat(blocks, 0).repeat(blocks, 1)
    label = label[:size[0], :size[1]].astype(np.uint8)
    norm = dict(mean=np.zeros(channels, np.float32), std=np.ones(channels, np.float32),
                to_rgb=False)
    return dict(img=img.astype(kind), img_shape=img.shape, ori_shape=img.shape, filename='x.jpg',
                pad_shape=img.shape, scale_factor=1.0, img_norm_cfg=norm, gt_semantic_seg=label,
                gt_extra=label.astype(np.int32) + 100, seg_fields=['gt_semantic_seg', 'gt_extra'],
                depth=img[..., 0].astype(np.float32), mix_results=[
                    make_sample(kind, channels, (size[0] + 3 * number, size[1] - 7 * number),
                                blocks, number, mixed=0) for number in range(1, mixed + 1)])
