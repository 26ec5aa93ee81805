"""The public names of mmcv 1.7.2 that are not here as they were, each with its reason.

`LEFT_OUT`: names that cannot be imported here.
`PARAMETERS`: functions and classes whose parameters differ. COMPATIBILITY.md beside this file lists
them for readers, and what works differently.
"""
from collections.abc import Iterator, Mapping, Sequence

# reason -> package -> names; `*` stands for the package itself, with all that is in it
Names = Mapping[str, Mapping[str, Sequence[str]]]

LEFT_OUT: Names = {
    'videos are no part of segmentation: cv2.VideoCapture reads them, ffmpeg cuts them': {
        'mmcv.video': ['*', 'Cache', 'VideoReader', 'concat_video', 'convert_video', 'cut_video',
                       'frames2video', 'resize_video'],
    },
    'exported models consist of operators that every runtime has': {
        'mmcv.onnx': ['*'],
        'mmcv.tensorrt': ['*'],
    },
    'optical flow is no part of segmentation': {
        'mmcv.video': ['dequantize_flow', 'flow_from_bytes', 'flow_warp', 'flowread', 'flowwrite',
                       'quantize_flow', 'sparse_flow_from_bytes'],
        'mmcv.visualization': ['flow2rgb', 'flowshow', 'make_color_wheel'],
        'mmcv.visualization.optflow': ['*'],
    },
    'operators on point clouds, voxels and boxes in space are no part of segmentation': {
        'mmcv.ops': [
            'DynamicScatter', 'GroupAll', 'PointsSampler', 'QueryAndGroup', 'RoIAwarePool3d',
            'RoIPointPool3d', 'Voxelization', 'assign_score_withk', 'ball_query', 'boxes_iou3d',
            'boxes_iou_bev', 'boxes_overlap_bev', 'chamfer_distance', 'dynamic_scatter',
            'furthest_point_sample', 'furthest_point_sample_with_dist', 'gather_points',
            'grouping_operation', 'knn', 'nms3d', 'nms3d_normal', 'nms_bev', 'nms_normal_bev',
            'points_in_boxes_all', 'points_in_boxes_cpu', 'points_in_boxes_part',
            'three_interpolate', 'three_nn', 'voxelization'],
    },
    'sparse convolutions are no part of segmentation of images': {
        'mmcv.ops': [
            'SparseConv2d', 'SparseConv3d', 'SparseConvTensor', 'SparseConvTranspose2d',
            'SparseConvTranspose3d', 'SparseInverseConv2d', 'SparseInverseConv3d',
            'SparseMaxPool2d', 'SparseMaxPool3d', 'SparseModule', 'SparseSequential', 'SubMConv2d',
            'SubMConv3d', 'scatter_nd'],
    },
    'rotated boxes and polygons are no part of segmentation': {
        'mmcv.ops': [
            'RiRoIAlignRotated', 'RoIAlignRotated', 'active_rotated_filter', 'box_iou_quadri',
            'box_iou_rotated', 'convex_giou', 'convex_iou', 'diff_iou_rotated_2d',
            'diff_iou_rotated_3d', 'min_area_polygons', 'nms_quadri', 'nms_rotated',
            'points_in_polygons', 'riroi_align_rotated', 'roi_align_rotated',
            'rotated_feature_align'],
    },
    'used by detectors of text, estimators of flow or generators of images, not by segmentation': {
        'mmcv.ops': [
            'BorderAlign', 'Correlation', 'DeformRoIPool', 'DeformRoIPoolPack',
            'FusedBiasLeakyReLU', 'ModulatedDeformRoIPoolPack', 'PrRoIPool', 'border_align',
            'contour_expand', 'deform_roi_pool', 'fused_bias_leakyrelu', 'nms_match',
            'pixel_group', 'prroi_pool', 'upfirdn2d'],
    },
    'nothing is compiled here, so that there is no compiler to ask for and no extension to build': {
        'mmcv.ops': ['get_compiler_version', 'get_compiling_cuda_version',
                     'get_onnxruntime_op_path'],
        'mmcv.utils': ['BuildExtension', 'CUDAExtension', 'CUDA_HOME', 'CppExtension',
                       '_get_cuda_home'],
    },
}

# full name in mmcv -> why its parameters are others
PARAMETERS: Mapping[str, str] = {
    # ops
    'mmcv.ops.SyncBatchNorm': (
        "It is torch's: process_group is mmcv's group, and processes count by their pixels, which "
        "is stats_mode='N'."),
    # utils
    'mmcv.ConfigDict': (
        "It has no parameter for the object itself: mmcv's first one is that."),
    'mmcv.utils.ConfigDict': (
        'As mmcv.ConfigDict: it is the same class.'),
}

PLACE = 'mmcv_replace/COMPATIBILITY.md'
# What these packages export, mmcv itself exports too.
_EXPORTED = ('mmcv.utils', 'mmcv.video', 'mmcv.visualization')


def _absent() -> Iterator[tuple[str, Sequence[str], str]]:
    for reason, packages in LEFT_OUT.items():
        for package, names in packages.items():
            yield package, names, reason


def why_absent(package: str, name: str | None = None) -> str | None:
    """Why `package` of mmcv, or `name` in it, is not here; None where no table says so.

    `package` is named as in mmcv: 'mmcv.ops', or 'mmcv' for a name that mmcv itself exports.
    """
    for home, names, reason in _absent():
        if name in names and (package == home or package == 'mmcv' and home in _EXPORTED):
            return _sentence(f'{package}.{name}', reason)
    for home, names, reason in _absent():
        if '*' in names and f'{package}.'.startswith(f'{home}.'):
            return _sentence(package if name is None else f'{package}.{name}', reason)
    return None


def _sentence(what: str, reason: str) -> str:
    return f'{what} is left out: {reason} (see the tables in {PLACE})'
