# Paper: Mixed Precision Training, ICLR 2018, arXiv:1710.03740
# Command: python tools/train.py configs/fp16/fcn_r101-d8_512x1024_80k_fp16_cityscapes.py
# Expected mIoU: 76.80 single scale
#     as fcn/fcn_r101-d8_fp16_512x1024_80k_cityscapes
_base_ = '../fcn/fcn_r101-d8_512x1024_80k_cityscapes.py'
optimizer_config = dict(type='Fp16OptimizerHook', loss_scale=512.)
