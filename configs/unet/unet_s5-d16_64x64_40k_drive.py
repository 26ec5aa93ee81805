# Paper: U-Net: Convolutional Networks for Biomedical Images, MICCAI 2015, arXiv:1505.04597
# Command: python tools/train.py configs/unet/unet_s5-d16_64x64_40k_drive.py
# Expected mIoU: not published; Dice of the vessels 78.67
#     as unet/fcn_unet_s5-d16_64x64_40k_drive
_base_ = [
    '../_base_/models/fcn_unet_s5-d16.py', '../_base_/datasets/drive.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
model = dict(test_cfg=dict(crop_size=(64, 64), stride=(42, 42)))
evaluation = dict(metric='mDice')
