# Paper: Pyramid Scene Parsing Network, CVPR 2017, arXiv:1612.01105
# Command: python tools/train.py configs/pspnet/pspnet_r18-d8_512x512_own_data.py
# Expected mIoU: that of your data; README.md, "Your own data", says what to change
_base_ = './pspnet_r18-d8_512x512_20k_voc12aug.py'
own = dict(
    type='CustomDataset',
    data_root='data/my_data',
    img_suffix='.jpg',
    seg_map_suffix='.png',
    split=None,
    classes=['road', 'building', 'sky'],
    palette=[[128, 64, 128], [70, 70, 70], [70, 130, 180]])
data = dict(
    train=dict(img_dir='images/train', ann_dir='masks/train', **own),
    val=dict(img_dir='images/val', ann_dir='masks/val', **own),
    test=dict(img_dir='images/val', ann_dir='masks/val', **own))
model = dict(decode_head=dict(num_classes=3), auxiliary_head=dict(num_classes=3))
