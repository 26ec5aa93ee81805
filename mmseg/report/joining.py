"""Logs joined to one series of records, where a run was resumed."""
import re
from collections.abc import Iterator
from typing import Any

from .log_file import PATTERN, LogFile
from .run import Resume, Run

# In the text of a config, for runs whose log does not say it.
BY_EPOCH = re.compile(r"type='EpochBasedRunner'")


def join(run: Run) -> Run:
    """Fill a run from its logs."""
    run.by_epoch = _counts_epochs(run.logs)
    run.epoch_length = _epoch_length(run.logs, run.by_epoch)
    found: dict[tuple[str, float], dict[str, Any]] = {}
    step = 0.0
    for log in run.logs:
        run.notes += log.notes
        records = list(_placed(log, run.epoch_length if run.by_epoch else None))
        if not records:
            continue
        step = _step(records) or step
        begin = _beginning(log, records, run.epoch_length if run.by_epoch else 1, step)
        if found or begin > 0:
            reached = max((x for _, x in found), default=begin)
            run.resumes.append(Resume(begin, log.path.name.removesuffix(PATTERN[1:]),
                                      max(reached - begin, 0)))
            found = {place: record for place, record in found.items() if place[1] <= begin}
        for record in records:
            place = (record['mode'], record['x'])
            # An evaluation and a validation of the workflow may have the same place.
            found[place] = found.get(place, {}) | record
    for mode in ('train', 'val'):
        getattr(run, mode).extend(found[place] for place in sorted(found) if place[0] == mode)
    if not found:
        run.notes.append('the log has no record: the run ended before its first line '
                         '(log_config.interval iterations)')
    return run


def _counts_epochs(logs: list[LogFile]) -> bool:
    """Whether the iterations are those within an epoch."""
    for log in logs:
        places = [(record['epoch'], record['iter']) for record in log.of_mode('train')]
        for (epoch, iteration), (later, next_one) in zip(places, places[1:], strict=False):
            if later > epoch:
                return next_one <= iteration
    start = logs[-1].meta.get('start')
    if isinstance(start, dict) and 'by_epoch' in start:
        return bool(start['by_epoch'])
    return bool(BY_EPOCH.search(str(logs[-1].meta.get('config', ''))))


def _epoch_length(logs: list[LogFile], by_epoch: bool) -> int | None:
    """Iterations of an epoch; in logs that do not say it, of the longest one that was logged."""
    start = logs[-1].meta.get('start')
    if isinstance(start, dict) and start.get('epoch_length'):
        return start['epoch_length']
    if not by_epoch:
        return None
    return max((record['iter'] for log in logs for record in log.of_mode('train')), default=1)


def _placed(log: LogFile, epoch_length: int | None) -> Iterator[dict[str, Any]]:
    """The records with their place 'x'; `epoch_length` is None for a log of iterations."""
    last = 0
    places = [record['iter'] for record in log.of_mode('train')]
    step = places[1] - places[0] if len(places) > 1 else sum(places[:1])
    for record in log.records:
        if epoch_length is not None:
            # Validations of the workflow, which have losses, and those in logs of 0.x, which do
            # not say where they start, count their own batches: they are at the end of an epoch.
            own = record['mode'] == 'train' or ('start' in log.meta and 'loss' not in record)
            part = min(record['iter'] / epoch_length, 1) if own else 1
            x = round(record['epoch'] - 1 + part, 6)
        elif record['mode'] == 'train':
            x = last = record['iter']
        else:
            # In logs of 0.x, which do not say where they start, the number is that of the
            # validation's batches, unless it fits between the training records around it.
            own = 'start' in log.meta or not last or last <= record['iter'] <= last + step
            x = record['iter'] if own else last
        yield record | {'x': x}


def _step(records: list[dict[str, Any]]) -> float:
    """The distance of the first two training records; 0 where there are not two."""
    places = [record['x'] for record in records if record['mode'] == 'train'][:2]
    return places[1] - places[0] if len(places) == 2 else 0.0


def _beginning(log: LogFile, records: list[dict[str, Any]], unit: int, step: float) -> float:
    """The place at which a log begins, 0 for a new run.

    `unit`: iterations by which places count; `step`: how far its records lie apart.
    """
    start = log.meta.get('start')
    if isinstance(start, dict) and 'iter' in start:
        return round(start['iter'] / unit, 6)
    first = min(record['x'] for record in records)
    # A training record is of the iterations up to its place.
    before = (step or first) if records[0]['mode'] == 'train' else 0
    return max(round(first - before, 5), 0)
