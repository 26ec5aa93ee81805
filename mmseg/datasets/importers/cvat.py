"""CVAT: 'CVAT for images 1.1' (XML) and 'Segmentation mask 1.1' (coloured PNGs)."""
from pathlib import Path

from .cvat_masks import LABEL_MAP, read_masks
from .cvat_xml import read_xml
from .export import Export, Problems
from .json_file import find_file
from .options import Options


def read_cvat(source: Path, options: Options, problems: Problems) -> Export:
    """Samples of an unpacked export in either format, named by its folder or its main file."""
    label_map = source / LABEL_MAP if source.is_dir() else source
    if label_map.name == LABEL_MAP and label_map.is_file():
        return read_masks(label_map, options, problems)
    file = find_file(source, ['*.xml'], f'export of CVAT, with {LABEL_MAP} or annotations.xml')
    return read_xml(file, options, problems)
