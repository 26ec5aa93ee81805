# Paper: Mixed Precision Training, ICLR 2018, arXiv:1710.03740
# Command: python tools/train.py configs/fp16/deeplabv3_r101-d8_512x1024_80k_fp16_cityscapes.py
# Expected mIoU: 80.48 single scale
#     as deeplabv3/deeplabv3_r101-d8_fp16_512x1024_80k_cityscapes
_base_ = '../deeplabv3/deeplabv3_r101-d8_512x1024_80k_cityscapes.py'
optimizer_config = dict(type='Fp16OptimizerHook', loss_scale=512.)
