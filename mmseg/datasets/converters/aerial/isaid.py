"""Convert the images of iSAID to windows with masks, and its images to test as they are.

Source: Waqas Zamir et al., iSAID: A Large-scale Dataset for Instance Segmentation in Aerial Images,
CVPR workshops 2019. The images are those of DOTA v1.0.
"""
import shutil
from pathlib import Path

from mmcv_replace.utils import track_iter_progress
from mmcv_replace.utils.errors import ConfigError
from mmseg.datasets.isaid import COLOURS, iSAIDDataset

from ..archives import unpack_folder
from ..completeness import check_split, warn_of_subset
from ..finding import find_files
from ..staging import staged
from .tiles import Labels, Style, Tile, convert_tiles, count_windows
from .windows import Windows

IGNORED = 255
SPLITS = ('train', 'val', 'test')
PATTERNS = dict(image=r'(train|val|test)/(?:.*/)?(P\d+)\.png',
                label=r'(train|val)/(?:.*/)?(P\d+)_instance_color_RGB\.png')
# Windows of the default size that the complete archives give.
FULL_COUNTS = dict(train=33978, val=11644)
LAYOUT = '''expected, packed or unpacked:
  train/images/part1.zip, ...         P0000.png, ...      (of DOTA; also val, and test if you like)
  train/Semantic_masks/images.zip     P0000_instance_color_RGB.png, ...        (also val)'''


def convert_isaid(dataset_path: str | Path, out_dir: str | Path = 'data/iSAID',
                  tmp_dir: str | Path | None = None, patch_width: int = 896,
                  patch_height: int = 896, overlap_area: int = 384, unknown: str = 'error',
                  nproc: int = 1) -> dict[str, int]:
    """Write windows and masks; returns the number of images in each split.

    The windows overlap by `overlap_area` pixels. Smaller images are padded with black, and their
    masks with ignored pixels. The images to test, which the server takes whole, are copied. What
    has to be unpacked goes to `tmp_dir` (by default to a folder in `out_dir`) and is deleted.
    `unknown`: 'error', or 'ignore' for colours of no class. Raises DataError for archives, images
    and colours that cannot be used; then `out_dir` is as before.
    """
    if overlap_area < 0:
        raise ConfigError(f'--overlap_area {overlap_area}: windows overlap by 0 pixels or more')
    windows = Windows(patch_width, patch_height, patch_width - overlap_area,
                      patch_height - overlap_area, '--patch_width, --patch_height, --overlap_area')
    with staged(out_dir) as folder, unpack_folder(tmp_dir, folder) as unpack_to:
        tiles = find_tiles(dataset_path, unpack_to)
        colours = {colour: label for label, colour in enumerate(COLOURS.values())}
        labels = Labels(colours, iSAIDDataset.PALETTE, IGNORED, unknown)
        style = Style(windows, pad=True, mask_suffix='_instance_color_RGB', rows_first=True)
        done = convert_tiles([tile for tile in tiles if tile.split != 'test'], labels, style,
                             folder, unpack_to, nproc)
        whole = [tile for tile in tiles if tile.split == 'test']
        for tile in track_iter_progress(whole):
            copy_image(tile, folder / 'img_dir' / 'test')
    counts = count_windows(done) | ({'test': len(whole)} if whole else {})
    if (patch_width, patch_height, overlap_area) == (896, 896, 384):
        warn_of_subset(counts, FULL_COUNTS, 'windows')
    return counts


def copy_image(tile: Tile, folder: Path) -> None:
    """Write an image that is not cut to a folder, which is made if necessary."""
    folder.mkdir(parents=True, exist_ok=True)
    with tile.image.open() as source, open(folder / f'{tile.name}.png', 'wb') as target:
        shutil.copyfileobj(source, target, 2**20)


def find_tiles(source: str | Path, unpack_to: Path) -> list[Tile]:
    """The images with their masks; DataError where one lacks its mask, or a split its images."""
    # No archive of this data set holds another one: the pattern matches none.
    found = find_files(source, PATTERNS, r'^\b$', unpack_to)
    labels = {(split.lower(), name): label for (split, name), label in found['label'].items()}
    tiles = [Tile(name, split.lower(), image, labels.get((split.lower(), name)))
             for (split, name), image in found['image'].items()]
    for split in ('train', 'val'):
        here = [tile for tile in tiles if tile.split == split]
        check_split(source, split, [tile.name for tile in here],
                    [tile.name for tile in here if tile.label is None], LAYOUT)
    return sorted(tiles, key=lambda tile: (SPLITS.index(tile.split), tile.name))
