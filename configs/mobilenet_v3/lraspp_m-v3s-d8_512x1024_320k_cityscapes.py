# Paper: Searching for MobileNetV3, ICCV 2019, arXiv:1905.02244
# Command: python tools/train.py configs/mobilenet_v3/lraspp_m-v3s-d8_512x1024_320k_cityscapes.py
# Expected mIoU: 64.11 single scale, 66.42 multi-scale + flip (configs/results.json)
_base_ = './lraspp_m-v3s-d8_scratch_512x1024_320k_cityscapes.py'
model = dict(pretrained='open-mmlab://contrib/mobilenet_v3_small')
