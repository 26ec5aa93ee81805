"""The steps that the data sets of mmsegmentation 0.x share; only sizes differ.

The other files of this folder import the functions, which do not become part of a config, and
`img_norm_cfg`, which does.
"""
Size = tuple[int, int]
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)


def train_steps(img_scale: Size, crop_size: Size, img_norm_cfg: dict, **loading: bool
                ) -> list[dict]:
    """Crops of a randomly scaled, flipped and distorted image; `loading`: of LoadAnnotations."""
    return [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations', **loading),
        dict(type='Resize', img_scale=img_scale, ratio_range=(0.5, 2.0)),
        dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
        dict(type='RandomFlip', prob=0.5),
        dict(type='PhotoMetricDistortion'),
        dict(type='Normalize', **img_norm_cfg),
        dict(type='Pad', size=crop_size, pad_val=0),
        dict(type='DefaultFormatBundle'),
        dict(type='Collect', keys=['img', 'gt_semantic_seg']),
    ]


def test_steps(img_scale: Size, img_norm_cfg: dict) -> list[dict]:
    """The whole image at one scale; `tools/test.py --aug-test` adds scales and flips."""
    return [
        dict(type='LoadImageFromFile'),
        dict(
            type='MultiScaleFlipAug',
            img_scale=img_scale,
            flip=False,
            transforms=[
                dict(type='Resize', keep_ratio=True),
                dict(type='RandomFlip'),
                dict(type='Normalize', **img_norm_cfg),
                dict(type='ImageToTensor', keys=['img']),
                dict(type='Collect', keys=['img']),
            ]),
    ]
