# As crop_512x512_reduce_zero.py, but images are tested at 1024 x 1024, the size that LoveDA's have.
from resize_and_crop import img_norm_cfg, test_steps, train_steps

crop_size = (512, 512)
train_pipeline = train_steps((2048, 512), crop_size, img_norm_cfg, reduce_zero_label=True)
test_pipeline = test_steps((1024, 1024), img_norm_cfg)
data = dict(
    train=dict(pipeline=train_pipeline),
    val=dict(pipeline=test_pipeline),
    test=dict(pipeline=test_pipeline))
