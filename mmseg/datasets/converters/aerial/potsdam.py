"""Convert the tiles of Potsdam (ISPRS) to windows with masks."""
from pathlib import Path
from typing import Any

from .isprs import City, convert_city

POTSDAM = City(
    image=r'top_potsdam_(\d+_\d+)_RGB\.tiff?',
    label=r'top_potsdam_(\d+_\d+)_label_noBoundary\.tiff?',
    nested=r'(2_Ortho_RGB|5_Labels_all_noBoundary)\.zip$',
    expected='''expected, packed (also within Potsdam.zip) or unpacked:
  2_Ortho_RGB.zip                 top_potsdam_2_10_RGB.tif, ...
  5_Labels_all_noBoundary.zip     top_potsdam_2_10_label_noBoundary.tif, ...''',
    tile_name='{}',
    splits=dict(
        train=('2_10', '2_11', '2_12', '3_10', '3_11', '3_12', '4_10', '4_11', '4_12', '5_10',
               '5_11', '5_12', '6_7', '6_8', '6_9', '6_10', '6_11', '6_12', '7_7', '7_8', '7_9',
               '7_10', '7_11', '7_12'),
        val=('2_13', '2_14', '3_13', '3_14', '4_13', '4_14', '4_15', '5_13', '5_14', '5_15',
             '6_13', '6_14', '6_15', '7_13')),
    full_counts=dict(train=3456, val=2016))


def convert_potsdam(dataset_path: str | Path, out_dir: str | Path = 'data/potsdam',
                    **options: Any) -> dict[str, int]:
    """Write the windows of all tiles to `out_dir`; `options` are those of `convert_city`."""
    return convert_city(POTSDAM, dataset_path, out_dir, **options)
