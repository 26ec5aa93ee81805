# Paper: U-Net: Convolutional Networks for Biomedical Images, MICCAI 2015, arXiv:1505.04597
# Command: python tools/train.py configs/unet/unet_s5-d16_256x256_40k_hrf.py
# Expected mIoU: not published; Dice of the vessels 79.45
#     as unet/fcn_unet_s5-d16_256x256_40k_hrf
_base_ = [
    '../_base_/models/fcn_unet_s5-d16.py', '../_base_/datasets/hrf.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
evaluation = dict(metric='mDice')
