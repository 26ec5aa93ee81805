"""Names of mmsegmentation 0.x that user code imports, and their parameters."""
import importlib
import inspect
import logging

import pytest

import mmseg
from mmseg.version import parse_version_info

NAMES = {
    'mmseg': ['digit_version', 'mmcv_version', 'version_info', '__version__'],
    'mmseg.apis': ['get_root_logger', 'set_random_seed', 'train_segmentor', 'init_segmentor',
                   'inference_segmentor', 'multi_gpu_test', 'single_gpu_test',
                   'show_result_pyplot', 'init_random_seed'],
    'mmseg.apis.inference': ['LoadImage', 'inference_segmentor', 'init_segmentor',
                             'show_result_pyplot'],
    'mmseg.apis.test': ['multi_gpu_test', 'single_gpu_test'],
    'mmseg.apis.train': ['set_random_seed', 'train_segmentor'],
    'mmseg.core.builder': ['OPTIMIZER_BUILDERS', 'build_optimizer', 'build_optimizer_constructor'],
    'mmseg.core': ['BasePixelSampler', 'DistEvalHook', 'EvalHook', 'OHEMPixelSampler', 'add_prefix',
                   'build_pixel_sampler', 'eval_metrics', 'get_classes', 'get_palette',
                   'mean_dice', 'mean_iou'],
    'mmseg.core.evaluation.class_names': [
        'ade_classes', 'ade_palette', 'cityscapes_classes', 'cityscapes_palette', 'get_classes',
        'get_palette', 'voc_classes', 'voc_palette'],
    'mmseg.core.evaluation.eval_hooks': ['DistEvalHook', 'EvalHook'],
    'mmseg.core.evaluation.metrics': ['eval_metrics', 'intersect_and_union', 'mean_dice',
                                      'mean_iou', 'total_intersect_and_union'],
    'mmseg.core.seg.builder': ['PIXEL_SAMPLERS', 'build_pixel_sampler'],
    'mmseg.core.seg.sampler.base_pixel_sampler': ['BasePixelSampler'],
    'mmseg.core.seg.sampler.ohem_pixel_sampler': ['OHEMPixelSampler'],
    'mmseg.core.utils.misc': ['add_prefix'],
    'mmseg.datasets': [
        'ADE20KDataset', 'ChaseDB1Dataset', 'CityscapesDataset', 'ConcatDataset', 'CustomDataset',
        'DATASETS', 'DRIVEDataset', 'HRFDataset', 'PIPELINES', 'PascalContextDataset',
        'PascalContextDataset59', 'PascalVOCDataset', 'RepeatDataset', 'STAREDataset',
        'build_dataloader', 'build_dataset'],
    'mmseg.datasets.ade': ['ADE20KDataset'],
    'mmseg.datasets.chase_db1': ['ChaseDB1Dataset'],
    'mmseg.datasets.cityscapes': ['CityscapesDataset'],
    'mmseg.datasets.drive': ['DRIVEDataset'],
    'mmseg.datasets.hrf': ['HRFDataset'],
    'mmseg.datasets.pascal_context': ['PascalContextDataset', 'PascalContextDataset59'],
    'mmseg.datasets.stare': ['STAREDataset'],
    'mmseg.datasets.builder': ['DATASETS', 'PIPELINES', 'build_dataloader', 'build_dataset',
                               'worker_init_fn'],
    'mmseg.datasets.custom': ['CustomDataset'],
    'mmseg.datasets.dataset_wrappers': ['ConcatDataset', 'RepeatDataset'],
    'mmseg.datasets.pipelines.compose': ['Compose'],
    'mmseg.datasets.pipelines.formating': ['Collect', 'DefaultFormatBundle', 'ImageToTensor',
                                           'ToDataContainer', 'ToTensor', 'Transpose',
                                           'to_tensor'],
    'mmseg.datasets.pipelines.loading': ['LoadAnnotations', 'LoadImageFromFile'],
    'mmseg.datasets.pipelines.test_time_aug': ['MultiScaleFlipAug'],
    'mmseg.datasets.pipelines.transforms': [
        'AdjustGamma', 'CLAHE', 'Normalize', 'PIPELINES', 'Pad', 'PhotoMetricDistortion',
        'RGB2Gray', 'RandomCrop', 'RandomFlip', 'RandomRotate', 'Rerange', 'Resize', 'SegRescale'],
    'mmseg.datasets.voc': ['PascalVOCDataset'],
    'mmseg.models.backbones.unet': ['BasicConvBlock', 'DeconvModule', 'InterpConv', 'UNet'],
    'mmseg.models.decode_heads.aspp_head': ['ASPPHead', 'ASPPModule'],
    'mmseg.models.decode_heads.sep_aspp_head': ['DepthwiseSeparableASPPHead',
                                                'DepthwiseSeparableASPPModule'],
    'mmseg.ops': ['Encoding', 'Upsample', 'resize'],
    'mmseg.ops.encoding': ['Encoding'],
    'mmseg.utils': ['build_ddp', 'build_dp', 'collect_env', 'find_latest_checkpoint', 'get_device',
                    'get_root_logger', 'setup_multi_processes'],
    'mmseg.utils.collect_env': ['collect_env'],
    'mmseg.utils.logger': ['get_root_logger'],
}
# Their parameters in 0.10, which ours begin with.
PARAMETERS = {
    'mmseg.apis.init_segmentor': 'config checkpoint device',
    'mmseg.apis.multi_gpu_test': 'model data_loader tmpdir gpu_collect efficient_test',
    'mmseg.apis.show_result_pyplot': 'model img result palette fig_size',
    'mmseg.apis.single_gpu_test': 'model data_loader show out_dir efficient_test',
    'mmseg.apis.train_segmentor': 'model dataset cfg distributed validate timestamp meta',
    'mmseg.core.DistEvalHook': 'dataloader interval gpu_collect by_epoch',
    'mmseg.core.EvalHook': 'dataloader interval by_epoch',
    'mmseg.core.eval_metrics': 'results gt_seg_maps num_classes ignore_index metrics nan_to_num',
    'mmseg.datasets.CustomDataset': 'pipeline img_dir img_suffix ann_dir seg_map_suffix split '
                                    'data_root test_mode ignore_index reduce_zero_label classes '
                                    'palette',
    'mmseg.datasets.build_dataloader': 'dataset samples_per_gpu workers_per_gpu num_gpus dist '
                                       'shuffle seed drop_last pin_memory dataloader_type',
    'mmseg.models.decode_heads.aspp_head.ASPPModule': 'dilations in_channels channels conv_cfg '
                                                      'norm_cfg act_cfg',
    'mmseg.utils.get_root_logger': 'log_file log_level',
}


@pytest.mark.parametrize('module', NAMES)
def test_names(module):
    found = importlib.import_module(module)
    assert [name for name in NAMES[module] if not hasattr(found, name)] == []
    assert not hasattr(found, 'no_such_name')


@pytest.mark.parametrize('name', PARAMETERS)
def test_parameters(name):
    module, _, function = name.rpartition('.')
    expected = PARAMETERS[name].split()
    found = list(inspect.signature(getattr(importlib.import_module(module), function)).parameters)
    assert found[:len(expected)] == expected


def test_results_of_processes_are_collected_by_the_engine():
    engine = pytest.importorskip('mmcv_replace.engine')
    test = importlib.import_module('mmseg.apis.test')
    assert test.collect_results_cpu is engine.collect_results_cpu
    assert test.collect_results_gpu is engine.collect_results_gpu


def test_versions():
    assert parse_version_info('1.3.0rc1') == (1, 3, 0, 'rc1')
    assert mmseg.version_info == parse_version_info(mmseg.__version__)
    assert mmseg.digit_version('0.9') < mmseg.digit_version('0.10')
    # User code asks so which of two ways of working its attentions take.
    assert mmseg.mmcv_version >= mmseg.digit_version('1.3.17')


def test_the_log_file_comes_first(tmp_path):
    from mmseg.utils import get_root_logger

    logger = get_root_logger(str(tmp_path / 'run.log'), 'INFO')
    logger.warning('told')
    for handler in [each for each in logger.handlers if isinstance(each, logging.FileHandler)
                    and each.baseFilename == str(tmp_path / 'run.log')]:
        handler.close()
        logger.removeHandler(handler)

    assert 'told' in (tmp_path / 'run.log').read_text()
