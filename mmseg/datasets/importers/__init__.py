"""Turn what labelling tools export into images, masks and a list of classes.

A tool has a reader each (`coco`, `labelme`, `cvat`, `labelstudio`, `yolo`), which lists samples and
says how their objects become pixels; `run` writes them.
"""
from .options import Options
from .run import READERS, import_dataset

__all__ = ['READERS', 'Options', 'import_dataset']
