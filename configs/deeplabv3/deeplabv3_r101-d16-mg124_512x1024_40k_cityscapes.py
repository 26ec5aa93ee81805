# Paper: Rethinking Atrous Convolution for Semantic Image Segmentation, arXiv:1706.05587
# Command: python tools/train.py configs/deeplabv3/deeplabv3_r101-d16-mg124_512x1024_40k_cityscapes.py
# Expected mIoU: no published figure to reproduce
_base_ = './deeplabv3_r101-d8_512x1024_40k_cityscapes.py'
model = dict(
    backbone=dict(dilations=(1, 1, 1, 2), strides=(1, 2, 2, 1), multi_grid=(1, 2, 4)),
    decode_head=dict(
        dilations=(1, 6, 12, 18), sampler=dict(type='OHEMPixelSampler', min_kept=100000)))
