# Paper: Encoder-Decoder with Atrous Separable Convolution, ECCV 2018, arXiv:1802.02611
# Command: python tools/train.py configs/deeplabv3plus/deeplabv3plus_r101-d16-mg124_512x1024_40k_cityscapes.py
# Expected mIoU: 79.09 single scale, 80.36 multi-scale + flip (configs/results.json)
_base_ = './deeplabv3plus_r101-d8_512x1024_40k_cityscapes.py'
model = dict(
    backbone=dict(dilations=(1, 1, 1, 2), strides=(1, 2, 2, 1), multi_grid=(1, 2, 4)),
    decode_head=dict(
        dilations=(1, 6, 12, 18), sampler=dict(type='OHEMPixelSampler', min_kept=100000)))
