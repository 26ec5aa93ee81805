# Patches of 256 x 256 pixels of HRF's images, scaled by 0.5 to 2 for training.
from resize_and_crop import img_norm_cfg, test_steps, train_steps

img_scale = (2336, 3504)
crop_size = (256, 256)
train_pipeline = train_steps(img_scale, crop_size, img_norm_cfg)
test_pipeline = test_steps(img_scale, img_norm_cfg)
