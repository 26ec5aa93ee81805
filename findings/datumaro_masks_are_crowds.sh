#!/usr/bin/env bash
# datumaro writes every object that is a mask into COCO files as a crowd.
#
# Versions: datumaro 1.13.12, pycocotools 2.0.11; Python 3.11, x86-64.
# A good engineer would expect `iscrowd` to say that a region is a group of objects which nobody told
# apart, as COCO defines it: evaluation and most training code leave such regions out, or treat them
# as ignored. datumaro, by which CVAT exports too, sets it for each object whose shape is a mask and
# not a polygon, such as all that was painted with a brush: a data set painted so trains on nothing,
# without a word. The attribute `is_crowd` of an object, set to False, makes outlines of the mask.
# Output seen:
#   polygon: iscrowd 0, a list of polygons
#   mask: iscrowd 1, an RLE
#   mask with is_crowd=False: iscrowd 0, a list of polygons
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q datumaro==1.13.12 pycocotools==2.0.11
cat > "$folder/export.py" <<'PYTHON'
import json
import pathlib
import sys

import datumaro
import numpy as np

block = np.zeros((8, 9), bool)
block[2:5, 3:7] = True
objects = {
    'polygon': datumaro.Polygon([3, 2, 7, 2, 7, 5, 3, 5], label=0, id=1, group=1),
    'mask': datumaro.Mask(block, label=0, id=2, group=2),
    'mask with is_crowd=False': datumaro.Mask(block, label=0, id=3, group=3,
                                              attributes={'is_crowd': False}),
}
items = [datumaro.DatasetItem(id=name, annotations=[shape], media=datumaro.Image.from_numpy(
    np.zeros((8, 9, 3), np.uint8))) for name, shape in objects.items()]
datumaro.Dataset.from_iterable(items, categories=['road']).export(sys.argv[1], 'coco_instances')
file, = pathlib.Path(sys.argv[1]).rglob('*.json')
data = json.loads(file.read_text())
names = {image['id']: pathlib.Path(image['file_name']).stem for image in data['images']}
for entry in data['annotations']:
    form = 'an RLE' if isinstance(entry['segmentation'], dict) else 'a list of polygons'
    print(f'{names[entry["image_id"]]}: iscrowd {entry["iscrowd"]}, {form}')
PYTHON
"$folder/venv/bin/python" "$folder/export.py" "$folder/coco" | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
