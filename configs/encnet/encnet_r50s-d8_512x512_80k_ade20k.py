# Paper: Context Encoding for Semantic Segmentation, CVPR 2018, arXiv:1803.08904
# Command: python tools/train.py configs/encnet/encnet_r50s-d8_512x512_80k_ade20k.py
# Expected mIoU: no published figure to reproduce
_base_ = './encnet_r50-d8_512x512_80k_ade20k.py'
model = dict(backbone=dict(stem_channels=128))
