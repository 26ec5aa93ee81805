# Paper: CGNet: A Light-weight Context Guided Network for Semantic Segmentation, arXiv:1811.08201
# Command: python tools/train.py configs/cgnet/cgnet_512x1024_60k_cityscapes.py
# Expected mIoU: 68.27 single scale, 70.33 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/cgnet.py', '../_base_/datasets/cityscapes_cgnet_512x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adam_60k.py',
]
