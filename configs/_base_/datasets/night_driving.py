# Nighttime Driving, with the classes of Cityscapes: 50 images of nights, 1920 x 1080, to test on.
# Training and validation are those of cityscapes.py.
_base_ = './cityscapes.py'
_steps = [
    _base_.test_pipeline[0],
    dict(_base_.test_pipeline[1], img_scale=(1920, 1080)),
]
data = dict(
    test=dict(
        type='NightDrivingDataset',
        data_root='data/NighttimeDrivingTest/',
        img_dir='leftImg8bit/test/night',
        ann_dir='gtCoarse_daytime_trainvaltest/test/night',
        pipeline=_steps))
