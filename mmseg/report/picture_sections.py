"""Sections with pictures: fixed validation images over time, and the worst ones."""
from collections.abc import Mapping, Sequence

import numpy as np

from mmseg.core.evaluation.records import EvaluationRecord
from mmseg.visualization import ERROR_COLOURS, class_colours
from mmseg.visualization.html import Html, join, table, tag

from .painter import Found, Painter, paint_within
from .pictures import StoredPicture, read_pictures
from .run import Run
from .sheet import Sheet, lacking, place, score

SIDES = {'fixed': 320, 'worst': 240}  # pixels of the longer side on the page
SAMPLES = 20  # fixed images on the page, at most
CELLS = 120  # fixed images times evaluations on the page, at most
NO_PICTURES = ("No pictures are recorded: custom_hooks = [dict(type='ReportHook')] in the config "
               'keeps them at each evaluation; evaluation = dict(pictures=4) says of how many '
               'images, or of which.')
MAPS = ('truth', 'prediction', 'errors')


def fixed_pictures(sheet: Sheet, run: Run, number: int, limit: float) -> list[Html]:
    """The same images at each evaluation, with a slider over the evaluations.

    `number` of the run on the page; `limit`: characters that the pictures may have.
    """
    found = [(record, pictures) for record in run.evaluations
             if (pictures := read_pictures(record)) is not None and pictures.fixed]
    if not found:
        return [lacking(NO_PICTURES)]
    latest = {picture.name: picture for picture in found[-1][1].fixed[:SAMPLES]}
    most = max(2, CELLS // len(latest))
    shown = [found[place] for place in np.unique(np.linspace(
        0, len(found) - 1, min(most, len(found))).round().astype(int))]

    def paint(painter: Painter) -> tuple[list[dict[str, object]], list[Html]]:
        frames = [_frame(painter, each, latest) for each in shown]
        return frames, [_row(picture, {
            'image': painter.image(shown[-1][1], picture),
            **painter.maps(shown[-1], picture, ['truth']),
            **frames[-1]['samples'].get(picture.name, {})}) for picture in latest.values()]

    (frames, rows), painter = paint_within(limit, SIDES['fixed'], paint)
    sheet.data(f'frames{number}', frames)
    slider = tag('label', 'evaluation ', tag(
        'input', type='range', cls='frames', min=0, max=len(frames) - 1, value=len(frames) - 1,
        data_frames=f'frames{number}'), ' ', tag('output', frames[-1]['title']))
    lost = len(found[-1][1].fixed) - len(latest)
    left_out = [f'{len(shown)} of {len(found)} evaluations, spread evenly'] * (
        len(shown) < len(found)) + [f'{lost} more images in WORK_DIR/evaluations'] * (lost > 0)
    return [slider if len(frames) > 1 else tag('p', frames[-1]['title']),
            *(tag('p', text, cls='soft') for text in left_out), *_reduced(painter, 'fixed'),
            tag('div', *rows, cls='samples'), _legend(shown[-1][0], painter.labels)]


def worst_pictures(run: Run, limit: float) -> list[Html]:
    """The images with the lowest mIoU at the last evaluation that has pictures.

    `limit`: characters that the pictures may have.
    """
    found = next(((record, pictures) for record in reversed(run.evaluations)
                  if (pictures := read_pictures(record)) is not None and pictures.worst), None)
    if found is None:
        return [lacking(NO_PICTURES)]
    record, pictures = found
    rows, painter = paint_within(limit, SIDES['worst'], lambda painter: [
        _row(picture, {'image': painter.image(pictures, picture),
                       **painter.maps(found, picture, MAPS)}) for picture in pictures.worst])
    scores = table(('image', 'mIoU', 'accuracy', 'file'), [
        (picture.name, score(picture.miou), score(picture.accuracy), picture.path or '')
        for picture in pictures.worst], numbers=(1, 2))
    return [tag('p', f'at {_title(record)}: the mean IoU of the classes in an image, and the share '
                'of its pixels that are right'),
            tag('details', tag('summary', 'as a table'), scores), *_reduced(painter, 'worst'),
            tag('div', *rows, cls='samples worst'), _legend(record, painter.labels)]


def _title(record: EvaluationRecord) -> str:
    weights = ', averaged weights' if record.averaged else ''
    return f'{"epoch" if record.by_epoch else "iteration"} {place(record.done)}{weights}'


def _reduced(painter: Painter, kind: str) -> list[Html]:
    """What is said where the pictures had to be smaller."""
    if painter.side == SIDES[kind]:
        return []
    return [tag('p', f'Pictures are reduced to {painter.side} pixels, lest the page grow too '
                'large: a report of one run, or of fewer evaluation.pictures, has larger ones.',
                cls='soft')]


def _frame(painter: Painter, found: Found, latest: Mapping[str, StoredPicture]
           ) -> dict[str, object]:
    """Prediction, errors and caption of each sample at one evaluation."""
    record, pictures = found
    samples = {}
    for picture in pictures.fixed:
        maps = painter.maps(found, picture, MAPS[1:]) if picture.name in latest else {}
        if maps:
            samples[picture.name] = {'caption': _scores(picture), **maps}
    return {'title': _title(record), 'samples': samples}


def _row(picture: StoredPicture, sources: Mapping[str, str | None]) -> Html:
    """A sample: its name and scores above image, truth, prediction and errors."""
    cells = [tag('figure', tag('img', src=sources[column], alt=f'{column} of {picture.name}',
                               cls=f'map {column}') if sources.get(column) else
                 tag('div', 'not readable', cls='soft'), tag('figcaption', column))
             for column in ('image', *MAPS)]
    return tag('div', tag('p', tag('b', picture.name), ' ', tag(
        'span', _scores(picture), cls='scores')), tag('div', *cells, cls='maps'),
        cls='sample', data_sample=picture.name)


def _scores(picture: StoredPicture) -> str:
    return f'mIoU {score(picture.miou)}, accuracy {score(picture.accuracy)}'


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
