# Windows of 512 x 512 pixels of larger images, scaled by 0.5 to 2 for training; 0 is no class.
from resize_and_crop import img_norm_cfg, test_steps, train_steps

crop_size = (512, 512)
train_pipeline = train_steps(crop_size, crop_size, img_norm_cfg, reduce_zero_label=True)
test_pipeline = test_steps(crop_size, img_norm_cfg)
data = dict(
    train=dict(pipeline=train_pipeline),
    val=dict(pipeline=test_pipeline),
    test=dict(pipeline=test_pipeline))
