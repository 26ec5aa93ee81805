"""What the cells of a notebook hold: predict an image, score a data set, look inside."""
from mmseg.apis import inference_segmentor, init_segmentor, single_gpu_test
from mmseg.core.evaluation import get_palette
from mmseg.datasets import build_dataloader, build_dataset
from mmseg.models import build_segmentor

# isort: split
import sys

import mmcv
import numpy as np
import torch
from mmcv.cnn import fuse_conv_bn
from mmcv.parallel import MMDataParallel
from mmcv.runner import load_checkpoint

config_file, checkpoint_file, out_dir = sys.argv[1:]

# %% one image
model = init_segmentor(config_file, checkpoint_file, device='cpu')
img = mmcv.imread('data/images/1.png')
result = inference_segmentor(model, img)
assert result[0].shape == img.shape[:2]
model.show_result(img, result, palette=get_palette('cityscapes')[:3], out_file=f'{out_dir}/a.png')
model.show_result('data/images/1.png', result, out_file=f'{out_dir}/b.png', show=False)
assert mmcv.imread(f'{out_dir}/a.png').shape == img.shape
small = mmcv.imresize(img, (32, 24))
mmcv.imwrite(mmcv.impad_to_multiple(small, 16), f'{out_dir}/c.png')
assert mmcv.imread(f'{out_dir}/c.png').shape == (32, 32, 3)

# %% a data set, as tools/test.py did it
cfg = mmcv.Config.fromfile(config_file)
cfg.model.pretrained = None
cfg.data.test.test_mode = True
dataset = build_dataset(cfg.data.test)
data_loader = build_dataloader(dataset, samples_per_gpu=1, workers_per_gpu=0, dist=False,
                               shuffle=False)
model = build_segmentor(cfg.model, train_cfg=None, test_cfg=cfg.test_cfg)
checkpoint = load_checkpoint(model, checkpoint_file, map_location='cpu')
model.CLASSES = checkpoint['meta']['CLASSES']
model.PALETTE = checkpoint['meta']['PALETTE']
model = fuse_conv_bn(model)
model = MMDataParallel(model, device_ids=[0])
outputs = single_gpu_test(model, data_loader, False, None)
assert len(outputs) == len(dataset)
mmcv.dump([output.tolist() for output in outputs], f'{out_dir}/outputs.json')
scores = dataset.evaluate(outputs, ['mIoU', 'roads'])
mmcv.dump(dict(scores), f'{out_dir}/scores.json')

# %% inside
model = model.module.eval()
x = torch.from_numpy(np.zeros((2, 3, 32, 32), np.float32))
metas = [dict(ori_shape=(40, 48, 3), img_shape=(32, 32, 3), pad_shape=(32, 32, 3), flip=False,
              filename='none', scale_factor=1.0)] * 2
with torch.no_grad():
    features = model.extract_feat(x)
    assert [tuple(f.shape[1:]) for f in features] == [(8, 8, 8), (16, 4, 4), (32, 4, 4), (64, 4, 4)]
    assert model.encode_decode(x, metas).shape == (2, 3, 32, 32)
    assert model.inference(x, metas, rescale=True).shape == (2, 3, 40, 48)
    maps = model([x], [metas], return_loss=False, rescale=False)
losses = model.train()(x, metas, gt_semantic_seg=torch.zeros(2, 1, 32, 32, dtype=torch.long))
loss, log_vars = model._parse_losses(losses)
loss.backward()
print(mmcv.__version__, [m.shape for m in maps])
print({name: round(float(value), 3) for name, value in log_vars.items()})
