"""The same scenes of boxes as each labelling tool would export them, written in plain loops.

A scene is (height, width) and a list of (label, left, top, right, bottom), where right and bottom
are the first column and row that are not covered any more. Later boxes lie above, and are smaller.
"""
import json

import numpy as np
from PIL import Image

NAMES = ['background', 'car', 'road']  # in the order of the alphabet
COLOURS = {'background': (0, 0, 0), 'car': (250, 50, 83), 'road': (128, 64, 128)}
SCENES = {
    'one.jpg': ((20, 30), [('road', 0, 10, 30, 20), ('car', 4, 8, 12, 14)]),
    'two.png': ((17, 23), [('car', 3, 3, 20, 15), ('road', 5, 5, 9, 14)]),
    'empty.jpg': ((16, 16), []),
}


def painted(name, names=NAMES, unlabelled=0):
    """The label map of a scene."""
    size, boxes = SCENES[name]
    label_map = np.full(size, unlabelled, np.uint8)
    for label, left, top, right, bottom in boxes:
        label_map[top:bottom, left:right] = names.index(label)
    return label_map


def write_images(folder, names=SCENES):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        height, width = SCENES[name][0]
        noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(noise).save(folder / name)


def write_json(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), encoding='utf-8')
    return path


def outline(box, last=0):
    """Corners of a box; `last` is 1 for tools that fill the outline too."""
    _, left, top, right, bottom = box
    right, bottom = right - last, bottom - last
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def coco_data():
    """Categories of numbers with gaps, as in COCO."""
    numbers = {'car': 3, 'road': 17}
    images = [dict(id=40 + number, file_name=name, height=size[0], width=size[1])
              for number, (name, (size, _)) in enumerate(SCENES.items())]
    annotations = [
        dict(id=len(image['file_name']), image_id=image['id'], category_id=numbers[box[0]],
             iscrowd=0, segmentation=[sum(outline(box), [])])
        for image in images for box in SCENES[image['file_name']][1]]
    return dict(images=images, annotations=annotations, categories=[
        dict(id=number, name=name) for name, number in reversed(numbers.items())])


def write_coco(folder):
    write_images(folder / 'images')
    return write_json(folder / 'annotations/instances.json', coco_data())


def labelme_data(name):
    height, width = SCENES[name][0]
    return dict(version='6.3.1', flags={}, imagePath=name, imageData=None, imageHeight=height,
                imageWidth=width, shapes=[
                    dict(label=box[0], points=outline(box, last=1), shape_type='polygon', flags={},
                         group_id=None, description='') for box in SCENES[name][1]])


def write_labelme(folder):
    write_images(folder)
    for name in SCENES:
        write_json(folder / name.replace('.jpg', '.json').replace('.png', '.json'),
                   labelme_data(name))
    return folder


def cvat_xml():
    lines = ['<?xml version="1.0" encoding="utf-8"?>', '<annotations>', '<version>1.1</version>',
             '<meta><task><labels>']
    lines += [f'<label><name>{name}</name><color>#000000</color></label>' for name in NAMES[1:]]
    lines += ['</labels></task></meta>']
    for number, (name, (size, boxes)) in enumerate(SCENES.items()):
        lines += [f'<image id="{number}" name="{name}" width="{size[1]}" height="{size[0]}">']
        # The order of the file is not that of the layers.
        for z_order, box in reversed(list(enumerate(boxes))):
            points = ';'.join(f'{x:.2f},{y:.2f}' for x, y in outline(box))
            lines += [f'<polygon label="{box[0]}" source="manual" occluded="0" points="{points}" '
                      f'z_order="{z_order}"></polygon>']
        lines += ['</image>']
    return '\n'.join([*lines, '</annotations>'])


def write_cvat_xml(folder):
    write_images(folder / 'images')
    (folder / 'annotations.xml').write_text(cvat_xml(), encoding='utf-8')
    return folder


def write_cvat_masks(folder):
    write_images(folder / 'JPEGImages')
    (folder / 'SegmentationClass').mkdir()
    for name in SCENES:
        rgb = np.array([COLOURS[label] for label in NAMES], np.uint8)[painted(name)]
        Image.fromarray(rgb).save(folder / 'SegmentationClass' / f'{name[:-4]}.png')
    lines = [f'{name}:{",".join(map(str, colour))}::' for name, colour in COLOURS.items()]
    (folder / 'labelmap.txt').write_text('\n'.join(['# label:color_rgb:parts:actions', *lines, '']))
    return folder


def label_studio_tasks():
    tasks = []
    for number, (name, (size, boxes)) in enumerate(SCENES.items()):
        result = [
            dict(id=f'r{place}', type='polygonlabels', from_name='label', to_name='image',
                 original_width=size[1], original_height=size[0], image_rotation=0,
                 value=dict(closed=True, polygonlabels=[box[0]], points=[
                     [x / size[1] * 100, y / size[0] * 100] for x, y in outline(box)]))
            for place, box in enumerate(boxes)]
        tasks.append(dict(id=number, data={'image': f'/data/upload/1/0a1b2c3d-{name}'},
                          annotations=[dict(id=number, was_cancelled=False, result=result)]))
    return tasks


def write_labelstudio(folder):
    write_images(folder / 'images')
    return write_json(folder / 'project.json', label_studio_tasks())


def write_yolo(folder):
    write_images(folder / 'images')
    (folder / 'labels').mkdir()
    (folder / 'data.yaml').write_text('path: .\ntrain: images\nval: images\n'
                                      'names:\n  0: car\n  1: road\n')
    for name, (size, boxes) in SCENES.items():
        lines = []
        for box in boxes:
            # The middle of a pixel, since coordinates are cut.
            shares = [(value + 0.5) / size[1 - axis] for point in outline(box, last=1)
                      for axis, value in enumerate(point)]
            lines.append(' '.join([str(NAMES.index(box[0]) - 1), *(f'{x:.6f}' for x in shares)]))
        if lines:  # an image without an object has no file
            (folder / f'labels/{name[:-4]}.txt').write_text('\n'.join(lines) + '\n')
    return folder


# Name -> the tool, and what writes its export into a new folder and returns the SOURCE.
EXPORTS = {
    'coco': ('coco', write_coco), 'labelme': ('labelme', write_labelme),
    'cvat-xml': ('cvat', write_cvat_xml), 'cvat-masks': ('cvat', write_cvat_masks),
    'labelstudio': ('labelstudio', write_labelstudio), 'yolo': ('yolo', write_yolo),
}
