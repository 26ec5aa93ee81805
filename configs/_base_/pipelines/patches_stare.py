# Patches of 128 x 128 pixels of STARE's images, scaled by 0.5 to 2 for training.
from resize_and_crop import img_norm_cfg, test_steps, train_steps

img_scale = (605, 700)
crop_size = (128, 128)
train_pipeline = train_steps(img_scale, crop_size, img_norm_cfg)
test_pipeline = test_steps(img_scale, img_norm_cfg)
