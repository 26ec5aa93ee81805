# Patches of 64 x 64 pixels of DRIVE's images, scaled by 0.5 to 2 for training.
from resize_and_crop import img_norm_cfg, test_steps, train_steps

img_scale = (584, 565)
crop_size = (64, 64)
train_pipeline = train_steps(img_scale, crop_size, img_norm_cfg)
test_pipeline = test_steps(img_scale, img_norm_cfg)
