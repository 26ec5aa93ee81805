# Paper: U-Net: Convolutional Networks for Biomedical Images, MICCAI 2015, arXiv:1505.04597
# Command: python tools/train.py configs/unet/unet_s5-d16_128x128_40k_stare.py
# Expected mIoU: not published; Dice of the vessels 81.02
#     as unet/fcn_unet_s5-d16_128x128_40k_stare
_base_ = [
    '../_base_/models/fcn_unet_s5-d16.py', '../_base_/datasets/stare.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
model = dict(test_cfg=dict(crop_size=(128, 128), stride=(85, 85)))
evaluation = dict(metric='mDice')
