"""When it is told that the network sees far less of an image than there is."""
import logging

import pytest

from mmseg.prediction.options import PredictOptions
from mmseg.prediction.shrinkage import ShrinkageNote


@pytest.fixture
def told(caplog):
    """Looks at images of some sizes and of what is seen of them; returns what was logged."""
    def told(*pairs, by_windows=False, **options):
        with caplog.at_level(logging.INFO, 'mmseg'):
            logging.getLogger('mmseg').propagate = True
            note = ShrinkageNote(PredictOptions('out', **options), by_windows)
            for number, (size, seen) in enumerate(pairs):
                note.look(f'{number}.jpg', size, seen)
        return caplog.text
    return told


def test_the_first_image_that_is_shrunk_considerably_is_told(told):
    text = told(((366, 500), (512, 699, 3)), ((1024, 1024), (512, 512, 3)),
                ((6000, 5000), (512, 427, 3)), ((9000, 9000), (512, 512, 3)))
    assert text.count('shrinks') == 1
    assert ('2.jpg, and maybe others: the test pipeline shrinks 5000 x 6000 pixels to 427 x 512; '
            'if the model was trained on larger ones, --slide --scale 1 predicts images') in text


def test_one_side_is_enough(told):
    assert 'shrinks' in told(((300, 2000), (512, 512)))


def test_a_model_that_has_windows_needs_no_option_for_them(told):
    assert ' ones, --scale 1 predicts' in told(((6000, 6000), (512, 512)), by_windows=True)


def test_a_scale_that_was_chosen_is_not_told(told):
    assert not told(((6000, 6000), (600, 600)), scale=0.1)


@pytest.mark.parametrize(('seen', 'words'), [((150, 200), ''), ((80, 60), 'to 120 x 160;')])
def test_of_several_scales_the_plain_one_counts(told, seen, words):
    text = told(((366, 500), seen), tta=True)
    assert words in text
    assert bool(words) == bool(text)
