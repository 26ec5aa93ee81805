"""The published models as a table."""
from collections.abc import Sequence

from .models import LICENCE, PublishedModel


def format_models(models: Sequence[PublishedModel]) -> str:
    """A row for each model: data set, iterations, published scores and memory, and its weights."""
    from prettytable import PrettyTable
    table = PrettyTable(['model', 'data set', 'iterations', 'mIoU', 'multi-scale', 'GB', 'weights'])
    table.align = 'r'
    table.align['model'] = table.align['data set'] = table.align['weights'] = 'l'
    for model in models:
        table.add_row([model.name, model.dataset or '', model.schedule or '', _score(model.miou),
                       _score(model.miou_multi_scale), '' if model.memory is None else model.memory,
                       _state(model)])
    published = sum(model.weights is not None for model in models)
    return f'{table.get_string()}\n{len(models)} models; {published} with weights\n{LICENCE}'


def _score(value: float | None) -> str:
    return '' if value is None else f'{value:.2f}'


def _state(model: PublishedModel) -> str:
    if model.weights is None:
        return 'none'
    return 'downloaded' if model.file.is_file() else 'published'
