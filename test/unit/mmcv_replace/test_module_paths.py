"""The modules in which mmcv has names, where the module here that defines them is another one."""
import importlib

import pytest

import mmcv_replace

HOMES = {
    'mmcv.cnn.bricks.transformer': ['FFN', 'MultiheadAttention', 'PatchEmbed', 'build_dropout'],
    'mmcv.cnn.utils.weight_init': ['INITIALIZERS', 'PretrainedInit', 'XavierInit', 'initialize',
                                   'kaiming_init', 'trunc_normal_', 'update_init_info'],
    'mmcv.fileio.file_client': ['BaseStorageBackend', 'CephBackend', 'FileClient',
                                'HardDiskBackend', 'HTTPBackend', 'LmdbBackend',
                                'MemcachedBackend', 'PetrelBackend'],
    'mmcv.fileio.handlers': ['BaseFileHandler', 'JsonHandler', 'PickleHandler', 'YamlHandler'],
    'mmcv.fileio.io': ['dump', 'file_handlers', 'load', 'register_handler'],
    'mmcv.fileio.parse': ['dict_from_file', 'list_from_file'],
    'mmcv.image.colorspace': ['bgr2gray', 'bgr2ycbcr', 'imconvert', 'ycbcr2rgb'],
    'mmcv.image.geometric': ['cutout', 'imcrop', 'imflip_', 'impad_to_multiple', 'imrescale',
                             'imrotate', 'imshear', 'imtranslate', 'rescale_size'],
    'mmcv.image.photometric': ['adjust_hue', 'adjust_lighting', 'auto_contrast', 'clahe',
                               'imdenormalize', 'imequalize', 'imnormalize_', 'lut_transform',
                               'posterize', 'solarize'],
    'mmcv.ops.bbox': ['bbox_overlaps'],
    'mmcv.ops.carafe': ['CARAFE', 'CARAFENaive', 'CARAFEPack', 'carafe', 'carafe_naive'],
    'mmcv.ops.cc_attention': ['CrissCrossAttention'],
    'mmcv.ops.corner_pool': ['CornerPool'],
    'mmcv.ops.deform_conv': ['DeformConv2d', 'DeformConv2dPack', 'deform_conv2d'],
    'mmcv.ops.focal_loss': ['SigmoidFocalLoss', 'SoftmaxFocalLoss', 'sigmoid_focal_loss',
                            'softmax_focal_loss'],
    'mmcv.ops.masked_conv': ['MaskedConv2d', 'masked_conv2d'],
    'mmcv.ops.merge_cells': ['BaseMergeCell', 'ConcatCell', 'GlobalPoolingCell', 'SumCell'],
    'mmcv.ops.modulated_deform_conv': ['ModulatedDeformConv2d', 'ModulatedDeformConv2dPack',
                                       'modulated_deform_conv2d'],
    'mmcv.ops.multi_scale_deform_attn': ['MultiScaleDeformableAttention',
                                         'multi_scale_deformable_attn_pytorch'],
    'mmcv.ops.nms': ['batched_nms', 'nms', 'soft_nms'],
    'mmcv.ops.point_sample': ['SimpleRoIAlign', 'abs_img_point_to_rel_img_point', 'denormalize',
                              'generate_grid', 'get_shape_from_feature_map', 'normalize',
                              'point_sample', 'rel_roi_point_to_abs_img_point',
                              'rel_roi_point_to_rel_img_point'],
    'mmcv.ops.psa_mask': ['PSAMask'],
    'mmcv.ops.roi_align': ['RoIAlign', 'roi_align'],
    'mmcv.ops.roi_pool': ['RoIPool', 'roi_pool'],
    'mmcv.ops.saconv': ['SAConv2d'],
    'mmcv.ops.tin_shift': ['TINShift', 'tin_shift'],
    'mmcv.parallel.scatter_gather': ['scatter', 'scatter_kwargs'],
    'mmcv.runner.checkpoint': ['CheckpointLoader', 'get_state_dict', 'load_from_http',
                               'load_state_dict', 'save_checkpoint', 'weights_to_cpu'],
    'mmcv.runner.dist_utils': ['allreduce_grads', 'allreduce_params', 'get_dist_info',
                               'init_dist', 'master_only'],
    'mmcv.runner.fp16_utils': ['LossScaler', 'auto_fp16', 'cast_tensor_type', 'force_fp32',
                               'wrap_fp16_model'],
    'mmcv.runner.hooks.hook': ['HOOKS', 'Hook'],
    'mmcv.runner.hooks.memory': ['EmptyCacheHook'],
    'mmcv.runner.hooks.optimizer': ['Fp16OptimizerHook', 'GradientCumulativeFp16OptimizerHook',
                                    'GradientCumulativeOptimizerHook', 'OptimizerHook'],
    'mmcv.utils.config': ['Config', 'ConfigDict', 'DictAction'],
    'mmcv.utils.misc': ['concat_list', 'import_modules_from_strings', 'is_list_of', 'to_2tuple'],
    'mmcv.utils.registry': ['Registry', 'build_from_cfg'],
}


@pytest.mark.parametrize('module', HOMES)
def test_names_of_a_module(module):
    assert mmcv_replace.install_alias()
    found = importlib.import_module(module)
    package = importlib.import_module(module.rpartition('.')[0])
    for name in HOMES[module]:
        value = getattr(found, name)
        assert getattr(package, name, value) is value
