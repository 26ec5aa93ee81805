"""The samples of a data set as one HTML page."""
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files

from mmseg.datasets.tracing import Trace
from mmseg.visualization import Html, Page, tag
from mmseg.visualization.html import join

from .cards import MAIN_LABEL, Card, Painter, split_attempts, visible
from .describe import describe_draws, describe_error, draws_in_line

MOST_CLASSES = 10  # that are listed below a picture
# The slider sets how much is seen of the label maps, which lie above their pictures.
SCRIPT = '''
const slider = document.getElementById('opacity');
slider.addEventListener('input', () => {
  document.documentElement.style.setProperty('--opacity', slider.value / 100);
});
'''


class BrowsePage:
    """A page to which samples are added one by one, so that none has to be kept."""

    def __init__(self, title: str, facts: Mapping[str, object], painter: Painter) -> None:
        self.page = Page(title)
        self.painter = painter
        self.page.style(files(__package__).joinpath('browse.css').read_text(encoding='utf-8'))
        self.page.style(f':root {{ --opacity: {painter.options.opacity}; '
                        f'--side: {painter.options.max_side}px; }}')
        self.page.script(SCRIPT)
        self.page.add(tag('dl', *(tag('div', tag('dt', name), tag('dd', value))
                                  for name, value in facts.items()), cls='facts'))
        self.page.add(tag('label', 'labels ', tag(
            'input', type='range', id='opacity', min=0, max=100,
            value=round(100 * painter.options.opacity)), cls='control'))
        self._list_classes()

    def _list_classes(self) -> None:
        if self.painter.names is None:
            self.page.add(tag('p', 'The data set has no names of classes: they are listed by their '
                                   'numbers.', cls='soft'))
            return
        entries = [self.painter.entry(label) for label in range(len(self.painter.names))]
        listed = tag('ul', *(tag('li', _swatch(colour), text) for text, colour in entries),
                     cls='classes')
        self.page.add(tag('details', tag('summary', f'{len(entries)} classes'), listed,
                          open=len(entries) <= 30))

    def add(self, traces: Sequence[Trace]) -> None:
        """Add a sample: its traces in one or several epochs."""
        first = traces[0]
        title = f'{first.index}' if first.file is None else f'{first.index}: {first.file}'
        cards = [self.painter.cards(trace) for trace in traces]
        if len(traces) == 1:
            parts = [self._steps(first, cards[0])]
        else:
            parts = [tag('div', *self._loaded(cards[0]), *map(self._outcome, traces, cards),
                         cls='steps'), *self._epochs(traces, cards)]
        self.page.add(tag('section', tag('h2', title), *parts, id=f'sample-{first.index}'))

    def _loaded(self, cards: Sequence[Card]) -> Iterator[Html]:
        """The sample before the first step that draws."""
        loaded = list(visible(cards[:_first_draw(cards)]))
        if loaded:
            yield tag('figure', self._stack(loaded[-1]), tag('figcaption', tag('b', 'as loaded')),
                      cls='step')

    def _outcome(self, trace: Trace, cards: Sequence[Card]) -> Html:
        """What becomes of the sample in an epoch, with all that was drawn."""
        caption = [tag('b', f'epoch {trace.epoch}')]
        *dropped, (name, cards) = split_attempts(cards) or [(None, [])]
        if dropped:
            caption.append(tag('div', f'dropped by {dropped[-1][1][-1].step.name}; in its place: '
                                      f'{name or "another sample"}', cls='bad'))
        for card in cards:
            draws = draws_in_line(card.step)
            if draws:
                caption.append(tag('div', tag('span', card.step.name, cls='soft'), ' ', draws))
        shown = list(visible(cards))
        picture = [] if not shown or trace.error is not None else [self._stack(shown[-1])]
        return tag('figure', *picture, *self._error(trace.error), tag('figcaption', *caption),
                   cls='step')

    def _epochs(self, traces: Sequence[Trace], cards: Sequence[Sequence[Card]]) -> Iterator[Html]:
        """All steps of each epoch; those before the first that draws once, in the first epoch."""
        for place, (trace, shown) in enumerate(zip(traces, cards, strict=True)):
            same = _first_draw(shown) if place else 0
            note = [tag('div', f'The steps before are those of epoch {traces[0].epoch}.',
                        cls='soft')] if same else []
            yield tag('details', tag('summary', f'epoch {trace.epoch}, step by step'), *note,
                      self._steps(trace, shown, same))

    def _steps(self, trace: Trace, cards: Sequence[Card], since: int = 0) -> Html:
        told = any(card.step.error is not None for card in cards)
        parts, cards = list(self._truth(trace, cards)), cards[since:]
        for place, (name, attempt) in enumerate(split_attempts(cards)):
            if place:
                parts.append(tag('div', f'in its place: {name or "another sample"}', cls='instead'))
            parts += map(self._card, attempt)
        return tag('div', *parts, *(() if told else self._error(trace.error)), cls='steps')

    def _truth(self, trace: Trace, cards: Sequence[Card]) -> Iterator[Html]:
        """The labels of a sample whose pipeline does not load them."""
        if any(card.labels for card in cards) or trace.error is not None:
            return
        label = self.painter.truth(trace)
        if label is not None:
            reduced = self.painter.reduce_label(label)
            yield tag('figure', tag('div', self.page.picture(
                self.painter.colours_of(reduced), 'labels', 'png'), cls='stack'),
                tag('figcaption', tag('b', 'labels'), ' to compare with, which this pipeline does '
                    'not load'), cls='step')

    def _card(self, card: Card) -> Html:
        step = card.step
        caption = [tag('b', step.name, title=repr(step.step))]
        caption += [tag('div', tag('span', name, cls='soft'), ' ', value)
                    for name, value in describe_draws(step).items()]
        if step.after is not None:
            caption.append(tag('div', step.after.facts(), cls='soft'))
        elif step.error is None:
            caption.append(tag('div', 'It has dropped the sample; another one is taken.',
                               cls='bad'))
        changed = [f'{key}: {value}' for key, (_, value) in step.changed.items()]
        if changed:
            caption.append(tag('details', tag('summary', 'keys'),
                               *(tag('div', entry) for entry in changed), cls='soft'))
        seen = card.picture is not None or bool(card.labels)
        body = [self._stack(card)] if seen else []
        inner = [] if not card.inner else [tag(
            'details', tag('summary', f'{len(card.inner)} steps within it'),
            tag('div', *map(self._card, card.inner), cls='steps'))]
        return tag('figure', *body, tag('figcaption', *caption, *self._classes(card),
                                        *self._error(step.error)), *inner,
                   cls='step' if seen else 'step plain')

    def _stack(self, card: Card) -> Html:
        """The picture with its labels above it, whose opacity the page sets; then other maps."""
        name, main = card.step.name, card.labels.get(MAIN_LABEL)
        layers = [] if card.picture is None else [self.page.picture(card.picture, f'after {name}')]
        if main is not None:
            layers.append(self.page.picture(self.painter.colours_of(main), f'labels after {name}',
                                            'png', cls='label' if layers else None))
        others = [join([self.page.picture(self.painter.colours_of(label, key), key, 'png'),
                        tag('div', key, cls='soft')])
                  for key, label in card.labels.items() if key != MAIN_LABEL]
        return join([tag('div', *layers, cls='stack'), *others])

    def _classes(self, card: Card) -> Iterator[Html]:
        entries = [(*self.painter.entry(label), share) for label, share in card.shares.items()]
        if entries:
            listed = [tag('span', _swatch(colour), f'{text} {100 * share:.1f} %')
                      for text, colour, share in entries[:MOST_CLASSES]]
            more = len(entries) - MOST_CLASSES
            yield tag('div', *listed, f'and {more} more' if more > 0 else '', cls='present')

    def _error(self, error: Exception | None) -> Iterator[Html]:
        if error is not None:
            yield tag('pre', describe_error(error), cls='bad')


def _first_draw(cards: Sequence[Card]) -> int:
    """The place of the first step that draws; their number without one."""
    return next((place for place, card in enumerate(cards) if card.step.drew), len(cards))


def _swatch(colour: Sequence[int]) -> Html:
    return tag('span', cls='swatch', style=f'background: rgb({", ".join(map(str, colour))})')
