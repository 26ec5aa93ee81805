# As crop_512x1024.py for models with align_corners=True, whose maps have an odd size.
from resize_and_crop import img_norm_cfg, test_steps, train_steps

crop_size = (769, 769)
train_pipeline = train_steps((2049, 1025), crop_size, img_norm_cfg)
test_pipeline = test_steps((2049, 1025), img_norm_cfg)
data = dict(
    train=dict(pipeline=train_pipeline),
    val=dict(pipeline=test_pipeline),
    test=dict(pipeline=test_pipeline))
