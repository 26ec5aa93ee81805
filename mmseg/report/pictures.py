"""Pictures of evaluations on the disk: WORK_DIR/evaluations/iter_2000/pictures.json and its files.

Images and annotations lie in WORK_DIR/evaluations/samples, once for all evaluations. Label maps are
PNGs of class indices, reduced like the images, in which the highest value means no class.
"""
import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from mmcv_replace.fileio import atomic_write
from mmcv_replace.utils.errors import UserError
from mmseg.core.evaluation.evidence import Evaluation, FixedPicture
from mmseg.core.evaluation.records import FOLDER, EvaluationRecord, record_name
from mmseg.visualization import encode_picture
from mmseg.visualization.panels import reduce_to

INDEX = 'pictures.json'
SAMPLES = 'samples'
SIDE = 512  # pixels of the longer side, at most

logger = logging.getLogger('mmseg.report')


@dataclass(frozen=True)
class StoredPicture:
    """A validation image in one evaluation; the files are relative to WORK_DIR/evaluations."""

    name: str
    path: str | None  # of the image in the data set
    miou: float
    accuracy: float
    image: str | None  # JPEG; None where it could not be read
    truth: str
    prediction: str


@dataclass(frozen=True)
class Pictures:
    """Those of one evaluation."""

    folder: Path  # WORK_DIR/evaluations
    fixed: list[StoredPicture]  # the same samples each time
    worst: list[StoredPicture]  # the lowest mIoU first


def store_pictures(work_dir: str | Path, evaluation: Evaluation) -> None:
    """Write the fixed and the worst pictures of an evaluation below a work directory."""
    root = Path(work_dir, FOLDER)
    name = record_name(evaluation.done, evaluation.by_epoch, evaluation.averaged)
    stored = {kind: [asdict(_store(root, f'{name}/{kind}_{number}.png', picture))
                     for number, picture in enumerate(pictures)]
              for kind, pictures in (('fixed', evaluation.pictures.values()),
                                     ('worst', evaluation.worst))}
    with atomic_write(root / name / INDEX, 'w', sync=False) as file:
        json.dump(stored, file)


def _store(root: Path, prediction: str, picture: FixedPicture) -> StoredPicture:
    truth = np.ascontiguousarray(picture.truth)
    sample = picture.sample
    # An image of the same file with the same annotation is written once.
    key = hashlib.sha256(f'{sample.path}|{sample.name}|{truth.shape}'.encode(
        'utf-8', 'backslashreplace') + truth.tobytes()).hexdigest()[:20]
    image, known = f'{SAMPLES}/{key}.jpg', f'{SAMPLES}/{key}.png'
    if not (root / known).exists():
        _write(root / known, encode_picture_of_labels(truth, picture.ignore_index))
    if not (root / image).exists():
        try:
            _write(root / image, encode_picture(reduce_to(picture.image(), SIDE), 'jpeg'))
        except (UserError, OSError) as error:
            logger.warning('the report lacks the image %s: %s', sample.name, error)
            image = None
    _write(root / prediction, encode_picture_of_labels(picture.seg_map, picture.ignore_index))
    return StoredPicture(sample.name, sample.path, sample.miou, sample.accuracy, image, known,
                         prediction)


def encode_picture_of_labels(labels: np.ndarray, ignore_index: int) -> bytes:
    """A PNG of class indices [H, W], in which the highest value of its type means no class."""
    labels = _reduced(labels.astype(np.int32), SIDE)
    classes = labels[labels != ignore_index]
    kind = np.uint8 if classes.max(initial=0) < 255 else np.uint16
    values = np.where(labels == ignore_index, np.iinfo(kind).max, labels).astype(kind)
    return cv2.imencode('.png', values)[1].tobytes()


def read_pictures(record: EvaluationRecord) -> Pictures | None:
    """The pictures of a recorded evaluation; None where there are none, or they are damaged."""
    root = record.path.parent
    try:
        content = json.loads((root / record.path.stem / INDEX).read_text(encoding='utf-8'))
        return Pictures(root, *([StoredPicture(**entry) for entry in content[kind]]
                                for kind in ('fixed', 'worst')))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning('the pictures of %s cannot be read: %s', record.path, error)
        return None


def read_labels(root: Path, file: str, side: int) -> np.ndarray | None:
    """A stored label map [H, W], -1 for no class, of at most `side` pixels; None if damaged."""
    values = cv2.imread(str(root / file), cv2.IMREAD_UNCHANGED)
    if values is None or values.ndim != 2:
        return None
    labels = np.where(values == np.iinfo(values.dtype).max, -1, values.astype(np.int32))
    return _reduced(labels, side)


def read_image(root: Path, file: str | None, side: int) -> np.ndarray | None:
    """A stored image, BGR [H, W, 3], of at most `side` pixels; None if it is lacking or damaged."""
    image = None if file is None else cv2.imread(str(root / file))
    return None if image is None else reduce_to(image, side)


def _reduced(labels: np.ndarray, side: int) -> np.ndarray:
    """A label map whose longer side has at most `side` pixels; each of them is one of its own."""
    longest = max(labels.shape)
    if longest <= side:
        return labels
    size = [max(1, round(edge * side / longest)) for edge in labels.shape[::-1]]
    return cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)


def _write(path: Path, content: bytes) -> None:
    with atomic_write(path, sync=False) as file:
        file.write(content)
