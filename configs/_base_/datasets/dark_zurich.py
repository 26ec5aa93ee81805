# Dark Zurich, with the classes of Cityscapes: 50 images of a night, 1920 x 1080, to test on.
# Training and validation are those of cityscapes.py.
_base_ = './cityscapes.py'
_steps = [
    _base_.test_pipeline[0],
    dict(_base_.test_pipeline[1], img_scale=(1920, 1080)),
]
data = dict(
    test=dict(
        type='DarkZurichDataset',
        data_root='data/dark_zurich/',
        img_dir='rgb_anon/val/night',
        ann_dir='gt/val/night',
        pipeline=_steps))
