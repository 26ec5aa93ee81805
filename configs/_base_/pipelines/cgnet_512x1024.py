# As crop_512x1024.py, with the mean colour of Cityscapes, from which CGNet learns without weights.
from resize_and_crop import test_steps, train_steps

img_norm_cfg = dict(mean=[72.39239876, 82.90891754, 73.15835921], std=[1, 1, 1], to_rgb=True)
crop_size = (512, 1024)
train_pipeline = train_steps((2048, 1024), crop_size, img_norm_cfg)
train_pipeline[4] = dict(type='RandomFlip', flip_ratio=0.5)  # what prob was called before
test_pipeline = test_steps((2048, 1024), img_norm_cfg)
data = dict(
    train=dict(pipeline=train_pipeline),
    val=dict(pipeline=test_pipeline),
    test=dict(pipeline=test_pipeline))
