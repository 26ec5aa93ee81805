# Paper: ResNeSt: Split-Attention Networks, arXiv:2004.08955
# Command: python tools/train.py configs/resnest/deeplabv3_s101-d8_512x512_160k_ade20k.py
# Expected mIoU: 45.71 single scale, 46.59 multi-scale + flip (configs/results.json)
_base_ = '../deeplabv3/deeplabv3_r101-d8_512x512_160k_ade20k.py'
model = dict(
    pretrained='open-mmlab://resnest101',
    backbone=dict(
        type='ResNeSt', stem_channels=128, radix=2, reduction_factor=4, avg_down_stride=True))
