# Paper: Fast-SCNN: Fast Semantic Segmentation Network, BMVC 2019, arXiv:1902.04502
# Command: python tools/train.py configs/fastscnn/fast_scnn_4x8_80k_lr0.12_cityscapes.py
# Expected mIoU: no published figure to reproduce
_base_ = [
    '../_base_/models/fast_scnn.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
data = dict(samples_per_gpu=2, workers_per_gpu=4)
optimizer = dict(lr=0.12, weight_decay=4e-5)
