# Paper: Encoder-Decoder with Atrous Separable Convolution, ECCV 2018, arXiv:1802.02611
# Command: python tools/train.py configs/deeplabv3plus/deeplabv3plus_r101-d8_512x512_40k_voc12aug.py
# Expected mIoU: 78.62 single scale, 79.53 multi-scale + flip (configs/results.json)
_base_ = './deeplabv3plus_r50-d8_512x512_40k_voc12aug.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
