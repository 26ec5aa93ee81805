"""The image under an overlay is the one that the pipeline loads, to the last bit."""
import cv2
import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset

from mmcv_replace.fileio import BaseStorageBackend, FileClient
from mmcv_replace.parallel import collate
from mmcv_replace.utils.errors import DataError
from mmseg.core.evaluation import Prediction, WriteOverlays, predict, run_sinks
from mmseg.datasets import PIPELINES, ConcatDataset, CustomDataset
from mmseg.datasets.loader.deterministic_dataset import DeterministicDataset
from mmseg.visualization import draw_overlay

PALETTE = [[0, 0, 200], [0, 200, 0], [200, 0, 0]]


def random_image(channels=3, dtype=np.uint8, seed=0):
    high = 200 if dtype == np.uint8 else 60000
    image = np.random.default_rng(seed).integers(1, high, (8, 9, channels)).astype(dtype)
    return image[..., 0] if channels == 1 else image


@pytest.fixture
def make_dataset(tmp_path):
    def make(images, suffix='.png', loader=None, folder='img'):
        (tmp_path / folder).mkdir()
        for number, image in enumerate(images):
            if image.ndim == 3 and image.shape[2] > 4:
                pytest.importorskip('tifffile').imwrite(tmp_path / folder / f'{number}{suffix}',
                                                        image, planarconfig='contig')
            else:
                cv2.imwrite(str(tmp_path / folder / f'{number}{suffix}'), image)
        steps = [loader or dict(type='LoadImageFromFile'),
                 dict(type='MultiScaleFlipAug', img_scale=(4, 4), flip=False,
                      transforms=[dict(type='Resize')])]
        return CustomDataset(steps, str(tmp_path / folder), suffix, test_mode=True,
                             classes=('a', 'b', 'c'))
    return make


def overlay(dataset, index, tmp_path):
    """The overlay of a seg map of class 1 over a sample's image, from its file."""
    class Drawing:
        @staticmethod
        def show_result(img, result, palette, show, opacity, out_file):
            cv2.imwrite(out_file, draw_overlay(img, result[0], palette, opacity))

    seg_map = np.ones((8, 9), np.uint8)
    prediction = Prediction(index, seg_map, {}, load=lambda: dataset.get_original_image(index))
    run_sinks([prediction], [WriteOverlays(Drawing, tmp_path, palette=PALETTE)])
    return cv2.imread(str(tmp_path / f'sample_{index}.png')).astype(int)


def blended(image):
    """Half of a BGR image and half of the colour of class 1, pixel by pixel."""
    return np.trunc(image * 0.5 + np.array(PALETTE[1][::-1]) * 0.5).astype(int)


def stretched(image):
    """Values from the least to the greatest on 0 to 255."""
    low, high = int(image.min()), int(image.max())
    return np.round((image.astype(float) - low) / (high - low) * 255)


UNCHANGED = dict(type='LoadImageFromFile', color_type='unchanged')


@pytest.mark.parametrize(('image', 'suffix', 'loader', 'expected'), [
    (random_image(), '.png', None, lambda image: image),
    (random_image(), '.png', dict(type='LoadImageFromFile', to_float32=True), lambda image: image),
    (random_image(1), '.png', UNCHANGED, lambda image: image[..., None].repeat(3, 2)),
    (random_image(1, np.uint16), '.png', UNCHANGED,
     lambda image: stretched(image)[..., None].repeat(3, 2)),
    (random_image(3, np.uint16), '.tiff', UNCHANGED, stretched),
    (random_image(5), '.tiff', UNCHANGED, lambda image: image[..., :3]),
], ids=['bytes', 'floats', 'grey', 'grey of 16 bits', 'TIFF of 16 bits', 'five channels'])
def test_images_of_every_kind(make_dataset, tmp_path, image, suffix, loader, expected):
    dataset = DeterministicDataset(make_dataset([image], suffix, loader))
    np.testing.assert_array_equal(overlay(dataset, 0, tmp_path), blended(expected(image)))


def test_a_concatenation_asks_the_data_set_of_the_sample(make_dataset):
    images = [random_image(seed=seed) for seed in range(3)]
    joined = ConcatDataset([make_dataset(images[:1]), make_dataset(images[1:], folder='more')])
    for index, image in enumerate(images):
        np.testing.assert_array_equal(joined.get_original_image(index), image)


def test_a_backend_of_the_users(make_dataset):
    class Shifted(BaseStorageBackend):
        """Keeps files with another name than it is asked for."""

        def get(self, filepath):
            with open(filepath.replace('0.png', '1.png'), 'rb') as file:
                return file.read()

        def get_text(self, filepath):
            raise NotImplementedError

    FileClient.register_backend('shifted', Shifted, force=True)
    dataset = make_dataset([random_image(seed=1), random_image(seed=2)], loader=dict(
        type='LoadImageFromFile', file_client_args=dict(backend='shifted')))
    np.testing.assert_array_equal(dataset.get_original_image(0), random_image(seed=2))


def test_a_loader_of_the_users(make_dataset, monkeypatch):
    class LoadInverted:
        def __call__(self, results):
            image = cv2.imread(f'{results["img_prefix"]}/{results["img_info"]["filename"]}')
            return {**results, 'img': 255 - image}

    monkeypatch.setitem(PIPELINES.module_dict, 'LoadInverted', LoadInverted)
    dataset = make_dataset([random_image()], loader=dict(type='LoadInverted'))
    np.testing.assert_array_equal(dataset.get_original_image(0), 255 - random_image())


def test_images_that_a_data_set_makes_itself(make_dataset):
    """In `prepare_test_img`, as methods of users do: no step loads them."""
    class InMemory(CustomDataset):
        def prepare_test_img(self, idx):
            results = dict(img_info=self.img_infos[idx], img=random_image(seed=idx + 5))
            self.pre_pipeline(results)
            return self.pipeline(results)

    dataset = make_dataset([random_image(), random_image()], loader=dict(type='Resize'))
    dataset.__class__ = InMemory
    pipeline = dataset.pipeline
    np.testing.assert_array_equal(dataset.get_original_image(1), random_image(seed=6))
    assert dataset.pipeline is pipeline


# ------------------------------------------------------------------ without a data set


def test_the_file_is_read_where_nothing_loads_the_image(tmp_path):
    file = tmp_path / 'a.png'
    cv2.imwrite(str(file), random_image())
    prediction = Prediction(0, None, dict(filename=str(file), ori_filename='a.png'))
    assert prediction.path == str(file)
    np.testing.assert_array_equal(prediction.read_image(), random_image())


def test_predictions_for_a_data_set_without_the_method(model, dataset, tmp_path):
    class Plain(Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            sample = dataset[index]
            sample['img_metas'][0].data['filename'] = str(tmp_path / f'{index}.png')
            return sample

    for index in range(2):
        cv2.imwrite(str(tmp_path / f'{index}.png'), random_image(seed=index))
    predictions = list(predict(model, DataLoader(Plain(), collate_fn=collate)))
    for index, prediction in enumerate(predictions):
        np.testing.assert_array_equal(prediction.read_image(), random_image(seed=index))


def test_an_image_without_a_file():
    prediction = Prediction(3, None, {})
    assert prediction.path is None
    with pytest.raises(DataError, match=r'sample_3\.png: there is no file with the original image: '
                                        r'let the data set return it from get_original_image'):
        prediction.read_image()


def test_an_error_of_loading_says_what_was_wanted(tmp_path):
    prediction = Prediction(0, None, dict(filename=str(tmp_path / 'gone.png')))
    with pytest.raises(DataError, match=r'gone\.png') as caught:
        prediction.read_image()
    assert any('reading the original image of sample_0.png' in note
               for note in caught.value.__notes__)
