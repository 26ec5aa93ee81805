# Images of 2048 x 1024; for training 0.5 to 2 times that, of which 512 x 1024 are cropped.
from resize_and_crop import img_norm_cfg, test_steps, train_steps

crop_size = (512, 1024)
train_pipeline = train_steps((2048, 1024), crop_size, img_norm_cfg)
test_pipeline = test_steps((2048, 1024), img_norm_cfg)
data = dict(
    train=dict(pipeline=train_pipeline),
    val=dict(pipeline=test_pipeline),
    test=dict(pipeline=test_pipeline))
