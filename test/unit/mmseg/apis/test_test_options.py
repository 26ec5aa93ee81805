"""Which of the options of a test job are for the scores, and which for files."""
from pathlib import Path

import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.test_options import OutputOptions, split_options
from mmseg.datasets import CustomDataset

FOLDER = Path('work', 'format_results')


class Own(CustomDataset):
    """A data set of a user, whose evaluate writes files itself."""

    def evaluate(self, results, metric, imgfile_prefix):
        return dict(mIoU=0.5)


@pytest.fixture
def split(tmp_path):
    def split(cls=CustomDataset, **options):
        return split_options(OutputOptions(**options), cls([], str(tmp_path)), FOLDER)
    return split


def test_without_a_prefix_scores_or_files_get_all_options(split):
    assert split(metrics=['mIoU'], eval_options=dict(a=1)) == (dict(a=1), {})
    assert split(format_only=True, eval_options=dict(a=1))[1] == dict(out_dir=str(FOLDER), a=1)
    assert split(format_only=True, eval_options=dict(out_dir='x'))[1] == dict(out_dir='x')
    assert split(out='all.pkl')[1] == {}


def test_a_prefix_names_the_folder_and_writes_beside_the_scores(split):
    given = dict(imgfile_prefix='x', a=1)
    assert split(format_only=True, eval_options=given)[1] == dict(out_dir='x', a=1)
    assert split(metrics=['mIoU'], eval_options=given) == (dict(a=1), dict(out_dir='x'))
    assert given == dict(imgfile_prefix='x', a=1)


def test_an_evaluate_of_ones_own_gets_the_prefix(split):
    given = dict(imgfile_prefix='x')
    assert split(Own, metrics=['any'], eval_options=given) == (given, {})
    assert split(Own, format_only=True, eval_options=given)[1] == dict(out_dir='x')


def test_two_names_of_the_folder_are_refused(split):
    with pytest.raises(ConfigError, match='out_dir=... and imgfile_prefix=... are names of one'):
        split(format_only=True, eval_options=dict(out_dir='x', imgfile_prefix='x'))
