"""Convert the tiles of Vaihingen (ISPRS) to windows with masks."""
from pathlib import Path
from typing import Any

from .isprs import City, convert_city

VAIHINGEN = City(
    # Label images of another folder have the same names.
    image=r'top/top_mosaic_09cm_area(\d+)\.tiff?',
    label=r'top_mosaic_09cm_area(\d+)_noBoundary\.tiff?',
    nested=r'ISPRS_semantic_labeling_Vaihingen(_ground_truth_eroded_COMPLETE)?\.zip$',
    expected='''expected, packed (also within Vaihingen.zip) or unpacked:
  ISPRS_semantic_labeling_Vaihingen.zip
      top/top_mosaic_09cm_area1.tif, ...
  ISPRS_semantic_labeling_Vaihingen_ground_truth_eroded_COMPLETE.zip
      top_mosaic_09cm_area1_noBoundary.tif, ...''',
    tile_name='area{}',
    splits=dict(
        train=('1', '3', '5', '7', '11', '13', '15', '17', '21', '23', '26', '28', '30', '32',
               '34', '37'),
        val=('2', '4', '6', '8', '10', '12', '14', '16', '20', '22', '24', '27', '29', '31', '33',
             '35', '38')),
    full_counts=dict(train=344, val=398))


def convert_vaihingen(dataset_path: str | Path, out_dir: str | Path = 'data/vaihingen',
                      **options: Any) -> dict[str, int]:
    """Write the windows of all tiles to `out_dir`; `options` are those of `convert_city`."""
    return convert_city(VAIHINGEN, dataset_path, out_dir, **options)
