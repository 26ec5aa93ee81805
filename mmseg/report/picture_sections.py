"""Sections with pictures: fixed validation images over time, and the worst ones."""
import base64
import io
from collections.abc import Sequence

import numpy as np

from mmseg.core.evaluation.records import EvaluationRecord
from mmseg.visualization import ERROR_COLOURS, class_colours, draw_error_map, encode_picture
from mmseg.visualization.html import Html, join, table, tag

from .pictures import Pictures, StoredPicture, read_image, read_labels, read_pictures
from .run import Run
from .sheet import Sheet, lacking, place

SIDES = {'fixed': 320, 'worst': 240}  # pixels of the longer side on the page
SAMPLES = 20  # fixed images on the page, at most
CELLS = 60  # fixed images times evaluations on the page, at most, lest it grow too large
NO_PICTURES = ("No pictures are recorded: custom_hooks = [dict(type='ReportHook')] in the config "
               'keeps them at each evaluation; evaluation = dict(pictures=4) says of how many '
               'images, or of which.')
COLUMNS = ('image', 'truth', 'prediction', 'errors')
NO_CLASS = ERROR_COLOURS['ignored']  # RGB of pixels without a class


def fixed_pictures(sheet: Sheet, run: Run, number: int) -> list[Html]:
    """The same images at each evaluation, with a slider over the evaluations.

    `number` of the run on the page.
    """
    found = [(record, pictures) for record in run.evaluations
             if (pictures := read_pictures(record)) is not None and pictures.fixed]
    if not found:
        return [lacking(NO_PICTURES)]
    latest = {picture.name: picture for picture in found[-1][1].fixed[:SAMPLES]}
    most = max(2, CELLS // len(latest))
    shown = [found[place] for place in np.unique(np.linspace(
        0, len(found) - 1, min(most, len(found))).round().astype(int))]
    frames = [_frame(record, pictures, latest) for record, pictures in shown]
    sheet.data(f'frames{number}', frames)
    used: set[int] = set()
    rows = [_row(shown[-1], picture, 'fixed', used) for picture in latest.values()]
    slider = tag('label', 'evaluation ', tag(
        'input', type='range', cls='frames', min=0, max=len(frames) - 1, value=len(frames) - 1,
        data_frames=f'frames{number}'), ' ', tag('output', frames[-1]['title']))
    lost = len(found[-1][1].fixed) - len(latest)
    left_out = [f'{len(shown)} of {len(found)} evaluations, spread evenly'] * (
        len(shown) < len(found)) + [f'{lost} more images in WORK_DIR/evaluations'] * (lost > 0)
    return [slider if len(frames) > 1 else tag('p', frames[-1]['title']),
            *(tag('p', text, cls='soft') for text in left_out),
            tag('div', *rows, cls='samples'), _legend(shown[-1][0], used)]


def worst_pictures(run: Run) -> list[Html]:
    """The images with the lowest mIoU at the last evaluation that has pictures."""
    found = next(((record, pictures) for record in reversed(run.evaluations)
                  if (pictures := read_pictures(record)) is not None and pictures.worst), None)
    if found is None:
        return [lacking(NO_PICTURES)]
    record, pictures = found
    used: set[int] = set()
    rows = [_row(found, picture, 'worst', used) for picture in pictures.worst]
    scores = table(('image', 'mIoU', 'accuracy', 'file'), [
        (picture.name, f'{picture.miou:.4f}', f'{picture.accuracy:.4f}', picture.path or '')
        for picture in pictures.worst], numbers=(1, 2))
    return [tag('p', f'at {_title(record)}: the mean IoU of the classes in an image, and the share '
                'of its pixels that are right'),
            tag('details', tag('summary', 'as a table'), scores),
            tag('div', *rows, cls='samples worst'), _legend(record, used)]


def _title(record: EvaluationRecord) -> str:
    weights = ', averaged weights' if record.averaged else ''
    return f'{"epoch" if record.by_epoch else "iteration"} {place(record.done)}{weights}'


def _frame(record: EvaluationRecord, pictures: Pictures, latest: dict[str, StoredPicture]
           ) -> dict[str, object]:
    """Prediction, errors and caption of each sample at one evaluation."""
    samples = {}
    for picture in pictures.fixed:
        maps = _maps(pictures, picture, record, SIDES['fixed'])
        if maps is not None and picture.name in latest:
            samples[picture.name] = {'caption': _scores(picture), 'prediction': maps['prediction'],
                                     'errors': maps['errors']}
    return {'title': _title(record), 'samples': samples}


def _row(found: tuple[EvaluationRecord, Pictures], picture: StoredPicture, kind: str,
         used: set[int]) -> Html:
    """A sample: its name and scores above image, truth, prediction and errors."""
    record, pictures = found
    maps = _maps(pictures, picture, record, SIDES[kind], used)
    image = read_image(pictures.folder, picture.image, SIDES[kind])
    sources = {'image': None if image is None else _uri(encode_picture(image, 'jpeg'), 'jpeg'),
               **(maps or {})}
    cells = [tag('figure', tag('img', src=sources[column], alt=f'{column} of {picture.name}',
                               cls=f'map {column}') if sources.get(column) else
                 tag('div', 'not readable', cls='soft'), tag('figcaption', column))
             for column in COLUMNS]
    return tag('div', tag('p', tag('b', picture.name), ' ', tag(
        'span', _scores(picture), cls='scores')), tag('div', *cells, cls='maps'),
        cls='sample', data_sample=picture.name)


def _scores(picture: StoredPicture) -> str:
    return f'mIoU {picture.miou:.4f}, accuracy {picture.accuracy:.4f}'


def _maps(pictures: Pictures, picture: StoredPicture, record: EvaluationRecord, side: int,
          used: set[int] | None = None) -> dict[str, str] | None:
    """Truth, prediction and errors as data URIs; None where a file is damaged."""
    truth, seg_map = (read_labels(pictures.folder, file, side)
                      for file in (picture.truth, picture.prediction))
    if truth is None or seg_map is None or truth.shape != seg_map.shape:
        return None
    if used is not None:
        used |= set(np.unique(truth).tolist()) | set(np.unique(seg_map).tolist())
    number = max(len(record.classes), len(record.palette), int(truth.max()) + 1,
                 int(seg_map.max()) + 1)
    colours = np.vstack([class_colours(record.palette or None, number), [NO_CLASS]]).astype(
        np.uint8)
    errors = draw_error_map(seg_map, truth, -1)[..., ::-1]
    return {'truth': _png(colours[truth]), 'prediction': _png(colours[seg_map]),
            'errors': _png(errors)}


def _png(rgb: np.ndarray) -> str:
    """A data URI of a picture of few colours, as a PNG with a palette: a third of the size."""
    from PIL import Image  # late: a report without pictures needs none
    packed = rgb.astype(np.int32) @ np.array([65536, 256, 1])
    colours, places = np.unique(packed, return_inverse=True)
    if len(colours) > 256:
        picture = Image.fromarray(np.ascontiguousarray(rgb))
    else:
        picture = Image.fromarray(places.reshape(packed.shape).astype(np.uint8))
        picture.putpalette(np.stack([colours >> 16, colours >> 8 & 255, colours & 255],
                                    axis=1).astype(np.uint8).tobytes())
    file = io.BytesIO()
    picture.save(file, 'PNG', optimize=False)
    return _uri(file.getvalue(), 'png')


def _uri(content: bytes, format: str) -> str:
    return f'data:image/{format};base64,{base64.b64encode(content).decode()}'


def _legend(record: EvaluationRecord, used: set[int]) -> Html:
    """The colours of the classes that the pictures show."""
    classes = sorted(used - {-1})
    colours = class_colours(record.palette or None, max([len(record.palette), *(
        label + 1 for label in classes), 1]))
    entries = [_entry(record.classes[label] if label < len(record.classes) else str(label), colour)
               for label, colour in zip(classes, colours[classes].tolist(), strict=True)]
    errors = [_entry('no class' if name == 'ignored' else name, colour)
              for name, colour in ERROR_COLOURS.items()]
    return join([tag('p', *entries, cls='legend'), tag('p', 'errors:', *errors, cls='legend')])


def _entry(text: str, colour: Sequence[int]) -> Html:
    return tag('span', tag('i', cls='swatch', style=f'background:rgb{tuple(colour)}'), text)
