# Images fitted into 520 x 520; for training 0.5 to 2 times that, of which 480 x 480 are cropped.
from resize_and_crop import img_norm_cfg, test_steps, train_steps

img_scale = (520, 520)
crop_size = (480, 480)
train_pipeline = train_steps(img_scale, crop_size, img_norm_cfg)
test_pipeline = test_steps(img_scale, img_norm_cfg)
data = dict(
    train=dict(pipeline=train_pipeline),
    val=dict(pipeline=test_pipeline),
    test=dict(pipeline=test_pipeline))
