# Windows of 896 x 896 pixels of larger images, scaled by 0.5 to 2 for training.
from resize_and_crop import img_norm_cfg, test_steps, train_steps

crop_size = (896, 896)
train_pipeline = train_steps(crop_size, crop_size, img_norm_cfg)
test_pipeline = test_steps(crop_size, img_norm_cfg)
data = dict(
    train=dict(pipeline=train_pipeline),
    val=dict(pipeline=test_pipeline),
    test=dict(pipeline=test_pipeline))
