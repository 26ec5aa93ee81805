"""The folder of a prediction: names, records, and what is kept of an earlier run."""
import errno
import json
import os

import numpy as np
import pytest

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.evaluation import Prediction
from mmseg.prediction import outputs as outputs_module
from mmseg.prediction.names import FoundFile
from mmseg.prediction.options import PredictOptions
from mmseg.prediction.outputs import Outputs
from mmseg.prediction.records import RecordFile, output_folders, read_records
from mmseg.prediction.sources import Frame, Source, Sources
from mmseg.prediction.video import Frames

NAMES = ['road', '车']


@pytest.fixture
def run(tmp_path):
    """Predicts the files of some keys: writes what is asked for, and returns who was left out."""
    def run(files, write=True, **options):
        found = [FoundFile(f'/in/{name}', name) for name in files]
        sources = Sources(found, list(files.values()), [], [])
        outputs = Outputs(PredictOptions(str(tmp_path / 'out'), **options), sources, NAMES,
                          np.zeros((2, 3), np.uint8), 2)
        for index, (file, key) in enumerate(files.items()):
            if outputs.wanted(found[index]) and write:
                outputs.expect(index, Source(file, key, f'/in/{file}'))
                for path in vars(outputs.place(outputs.source(index))).values():
                    if path is not None:
                        path.touch()
                outputs.record_prediction(
                    Prediction(index, np.array([[0, 1, 1, 255]], np.uint8), {}))
        outputs.close()
        return outputs.skipped
    return run


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob('*') if path.is_file()}


def test_names_and_records(run, tmp_path):
    run({'sub/a.JPG': 'sub/a', 'b.tif': 'b'}, scores='confidence', threshold=0.5)
    assert files_in(tmp_path / 'out') == {
        'masks/sub/a.png', 'overlays/sub/a.jpg', 'scores/sub/a.npz', 'masks/b.png',
        'overlays/b.png', 'scores/b.npz', 'predictions.jsonl'}
    text = (tmp_path / 'out/predictions.jsonl').read_text(encoding='utf-8')
    assert '"车": 0.5' in text  # can be read by people
    assert [json.loads(line) for line in text.splitlines()][0] == dict(
        name='sub/a.JPG', height=1, width=4, shares={'road': 0.25, '车': 0.5}, uncertain=0.25,
        mask='masks/sub/a.png', overlay='overlays/sub/a.jpg', scores='scores/sub/a.npz')


@pytest.mark.parametrize(('options', 'folders'), [
    (dict(masks=False), {'overlays'}), (dict(overlays=False), {'masks'}),
    (dict(masks=False, overlays=False), set())])
def test_what_is_not_asked_for_is_not_written(run, tmp_path, options, folders):
    run({'a.png': 'a'}, **options)
    assert {name.partition('/')[0] for name in files_in(tmp_path / 'out')} == {
        *folders, 'predictions.jsonl'}
    record, = read_records(tmp_path / 'out')
    assert len(record) == 4 + len(folders)


def test_a_run_replaces_an_earlier_one(run, tmp_path):
    run({'a.jpg': 'a', 'b.jpg': 'b'})
    assert run({'a.jpg': 'a'}) == set()
    assert [record['name'] for record in read_records(tmp_path / 'out')] == ['a.jpg']


def test_a_run_goes_on(run, tmp_path):
    run({'a.jpg': 'a', 'b.jpg': 'b', 'other.jpg': 'other'})
    (tmp_path / 'out/masks/b.png').unlink()
    with (tmp_path / 'out/predictions.jsonl').open('a') as file:
        file.write('{"name": "c.jp')  # where it was cut off
    assert run({'a.jpg': 'a', 'b.jpg': 'b', 'c.jpg': 'c'}, skip_existing=True) == {'a.jpg'}
    assert [record['name'] for record in read_records(tmp_path / 'out')] == [
        'a.jpg', 'other.jpg', 'b.jpg', 'c.jpg']
    # What was not written before is missing.
    assert run({'a.jpg': 'a'}, skip_existing=True, scores='confidence') == set()


def test_frames_have_one_video_and_may_have_masks(tmp_path):
    for frame_masks in (False, True):
        outputs = Outputs(PredictOptions(str(tmp_path), frame_masks=frame_masks),
                          Sources([], [], [], []), None, np.zeros((2, 3), np.uint8), 2)
        source = Source('clip.mov', 'sub/clip/000007', np.zeros((2, 2, 3), np.uint8),
                        Frame(7, 0.28, Frames.__new__(Frames)))
        outputs.expect(0, source)
        outputs.record_prediction(Prediction(0, np.zeros((2, 2), np.uint8), {}))
        outputs.close()
        mask = dict(mask='masks/sub/clip/000007.png') if frame_masks else {}
        assert read_records(tmp_path) == [dict(
            name='clip.mov', frame=7, time=0.28, height=2, width=2, shares={'0': 1.0}, **mask,
            video='overlays/sub/clip.webm')]


def test_a_painted_video_is_complete_when_it_has_its_name(run, tmp_path):
    (tmp_path / 'out').mkdir()
    records = RecordFile(tmp_path / 'out')
    for frame in range(2):
        records.add(dict(name='clip.mp4', frame=frame, video='overlays/clip.webm'))
    records.close()
    files = {'clip.mp4': 'clip'}
    assert run(files, write=False, skip_existing=True) == set()
    assert read_records(tmp_path / 'out') == []  # it is predicted anew
    records = RecordFile(tmp_path / 'out')
    records.add(dict(name='clip.mp4', frame=0))
    records.close()
    (tmp_path / 'out/overlays').mkdir()
    (tmp_path / 'out/overlays/clip.webm').touch()
    assert run(files, write=False, skip_existing=True) == {'clip.mp4'}
    assert run(files, write=False, skip_existing=True, overlays=False) == set()


def test_a_video_of_which_frames_were_missing_is_not_complete(run, tmp_path, monkeypatch):
    (tmp_path / 'out/overlays').mkdir(parents=True)
    (tmp_path / 'out/overlays/clip.webm').touch()
    for frames, skipped in ((3, set()), (12, {'clip.mp4'})):
        records = RecordFile(tmp_path / 'out')
        for frame in range(frames):
            records.add(dict(name='clip.mp4', frame=frame))
        records.close()
        monkeypatch.setattr(outputs_module, 'count_frames', lambda path: 12)
        assert run({'clip.mp4': 'clip'}, write=False, skip_existing=True) == skipped


def test_names_that_are_no_text(tmp_path):
    name = os.fsdecode(b'latin\xe9.jpg')
    records = RecordFile(tmp_path)
    records.add(dict(name=name, shares={'车': 1.0}))
    records.close()
    (tmp_path / 'predictions.jsonl').read_text(encoding='utf-8')
    assert read_records(tmp_path) == [dict(name=name, shares={'车': 1.0})]


def test_a_folder_of_results_is_made_once(run, monkeypatch):
    made = []
    monkeypatch.setattr(outputs_module, 'path_inside', lambda folder, name: made.append(str(name)))
    run({'sub/a.jpg': 'sub/a', 'sub/b.jpg': 'sub/b', 'c.jpg': 'c'}, scores='confidence')
    assert sorted(made) == ['masks', 'masks/sub', 'overlays', 'overlays/sub', 'scores',
                            'scores/sub']


def test_a_folder_of_results_that_leads_elsewhere(run, tmp_path):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'out/masks').symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(DataError, match='lies outside of the folder .*remove the link'):
        run({'a.jpg': 'a'})
    assert not list((tmp_path / 'elsewhere').iterdir())


def test_files_of_others_are_not_replaced(run, tmp_path):
    for folder in output_folders(tmp_path / 'out'):
        folder.mkdir(parents=True)
    run({'a.jpg': 'a'}, write=False)  # empty folders are nobody's
    (tmp_path / 'out/predictions.jsonl').unlink()
    (tmp_path / 'out/masks/a.png').touch()
    with pytest.raises(ConfigError, match=r'out/masks has files that no prediction has written'):
        run({'a.jpg': 'a'})


def test_a_folder_that_cannot_be_one(run, tmp_path):
    (tmp_path / 'out').touch()
    with pytest.raises(ConfigError, match='--out .*out is a file: name a folder'):
        run({'a.jpg': 'a'})


def test_a_folder_below_a_file(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(ConfigError, match=r'cannot write to --out .*file/out: Not a directory'):
        Outputs(PredictOptions(str(tmp_path / 'file/out')), Sources([], [], [], []), None,
                np.zeros((2, 3), np.uint8), 2)


def test_a_folder_belongs_to_one_run(run, tmp_path):
    run({'a.jpg': 'a'})
    records = RecordFile(tmp_path / 'out')
    for skip_existing in (False, True):
        with pytest.raises(ConfigError, match=r'another run is writing to --out .*out: choose'):
            run({'b.jpg': 'b'}, skip_existing=skip_existing)
    assert [record['name'] for record in read_records(tmp_path / 'out')] == ['a.jpg']
    records.close()
    run({'b.jpg': 'b'})


class Full:
    """A file on a disk that has room for some bytes."""

    def __init__(self, room):
        self.content, self.room = b'', room

    def write(self, data):
        if not self.room:
            raise OSError(errno.ENOSPC, 'No space left on device')
        taken, self.room = data[:self.room], self.room - len(data[:self.room])
        self.content += taken
        return len(taken)


def test_a_list_on_a_full_disk(tmp_path):
    records = RecordFile(tmp_path)
    records.add(dict(name='a.jpg'))
    records.close()
    full = Full(30)
    records._file = full
    records.add(dict(name='b.jpg'))
    with pytest.raises(DataError, match=r'cannot write .*predictions\.jsonl: No space left on '
                                        'device; mend that, and go on with --skip-existing'):
        records.add(dict(name='c.jpg'))
    assert full.content == b'{"name": "b.jpg"}\n{"name": "c.'
