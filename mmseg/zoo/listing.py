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
        table.add_row([model.name, model.dataset or '', model.schedule or '', _main_score(model),
                       _score(model.miou_multi_scale), '' if model.memory is None else model.memory,
                       _state(model)])
    published = sum(model.weights is not None for model in models)
    renamed = [f'{model.name}: scores and weights were published as {model.published_as}'
               for model in models if model.published_as]
    return '\n'.join([table.get_string(), *renamed,
                      f'{len(models)} models; {published} with weights', LICENCE])


def _main_score(model: PublishedModel) -> str:
    return model.score if model.miou is None else _score(model.miou)


def _score(value: float | None) -> str:
    return '' if value is None else f'{value:.2f}'


def _state(model: PublishedModel) -> str:
    if model.weights is None:
        return 'none'
    return 'downloaded' if model.file.is_file() else 'published'
