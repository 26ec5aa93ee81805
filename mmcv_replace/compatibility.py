"""What of mmcv 1.7.2 and mmsegmentation 0.10 is not as it was, each point with its reason.

`LEFT_OUT`: names that cannot be imported here. `LATER`: names that are still to be built.
`PARAMETERS`: functions and classes whose parameters differ. `BEHAVIOUR`: what works differently on
purpose; each row tells what is different here, and after the colon why. Every other public name of
mmcv 1.7.2 exists with the parameters of mmcv: the same names, order and defaults. Parameters of
ours follow them; what is `**kwargs` in mmcv may be spelled out.
"""
from collections.abc import Iterator, Mapping, Sequence

# reason -> package -> names; `*` stands for the package itself, with all that is in it
Names = Mapping[str, Mapping[str, Sequence[str]]]

LEFT_OUT: Names = {
    'videos are no part of segmentation: cv2.VideoCapture reads them, ffmpeg cuts them': {
        'mmcv.video': ['*', 'Cache', 'VideoReader', 'concat_video', 'convert_video', 'cut_video',
                       'frames2video', 'resize_video'],
    },
    'optical flow is no part of segmentation': {
        'mmcv.video': ['dequantize_flow', 'flow_from_bytes', 'flow_warp', 'flowread', 'flowwrite',
                       'quantize_flow', 'sparse_flow_from_bytes'],
        'mmcv.visualization': ['flow2rgb', 'flowshow', 'make_color_wheel'],
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
                       '_get_cuda_home', 'ext_loader'],
        'mmcv.utils.ext_loader': ['*'],
    },
}

LATER: Names = {
    'this operator is still to be built': {
        'mmcv.ops': [
            'CARAFE', 'CARAFENaive', 'CARAFEPack', 'CornerPool', 'CrissCrossAttention',
            'DeformConv2d', 'DeformConv2dPack', 'MaskedConv2d', 'ModulatedDeformConv2d',
            'ModulatedDeformConv2dPack', 'MultiScaleDeformableAttention', 'PSAMask', 'RoIAlign',
            'RoIPool', 'SAConv2d', 'SigmoidFocalLoss', 'SimpleRoIAlign', 'SoftmaxFocalLoss',
            'TINShift', 'batched_nms', 'bbox_overlaps', 'carafe', 'carafe_naive', 'deform_conv2d',
            'masked_conv2d', 'modulated_deform_conv2d', 'nms', 'point_sample',
            'rel_roi_point_to_rel_img_point', 'roi_align', 'roi_pool', 'sigmoid_focal_loss',
            'soft_nms', 'softmax_focal_loss', 'tin_shift'],
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
    # fileio
    # image
    # cnn
    # visualization, arraymisc, engine
    # parallel
    # runner
    # runner.hooks
}

# subject -> what is different here, and why
BEHAVIOUR: Mapping[str, str] = {
    # utils
    'Registry: repr': (
        'It lists names and places, not classes: for the text of mmcv all classes would have to '
        'be imported.'),
    'Registry: functions': (
        'They can be registered, as in mmcv 1.7.2: 1.2.7 refused them.'),
    'Registry: unknown scope': (
        '`get` returns None, as for an unknown name: mmcv 1.7.2 fails there at an attribute of '
        'None.'),
    'build_from_cfg: errors of a constructor': (
        'They keep their text, and a note names the component: their type may need other '
        'arguments than a text.'),
    'Config: a dict': (
        'A Config is itself the dict that mmcv keeps in _cfg_dict: so it can be given to what '
        'takes a dict.'),
    'Config: filename': (
        'It is absolute: a later change of the folder does not matter.'),
    'Config: values': (
        'Only numbers, texts, None, lists, tuples and dicts, so that every config can be written '
        'and read back; ranges become lists, and names with an underscore are private to a file.'),
    'Config: errors in a file': (
        'An exception in its code becomes a ConfigError with file and line: commands print it '
        'without a traceback.'),
    'Config: bases with the same key': (
        'They may agree about its value, which mmcv refuses too: both may inherit from a third '
        'file.'),
    'Config: Python as base of JSON or YAML': (
        'It is refused, but for the configs of this project: data must not start a program.'),
    'Config: {{ _base_.key }}': (
        'It is the value at once, where mmcv puts it in afterwards, and not into texts: code can '
        'compute with it.'),
    'DictAction: values': (
        'Dicts are read too: mmcv takes them for texts. Every text with unpaired brackets is an '
        'error that names the option: mmcv takes some of them for texts, too.'),
    'ProgressBar': (
        "It is tqdm's, on stderr: that keeps to one line on a terminal and adds few lines to a "
        'file.'),
    'collect_env': (
        'It asks for no compilers: nothing is compiled.'),
    'load_url': (
        'It reads tensors and plain values alone, by default: a pickle can run any code.'),
    'get_logger: log_file': (
        'A file given at a later call is written too: mmcv leaves it out.'),
    'logger_initialized': (
        'It holds only what programs enter, since a logger whose handlers were removed is set up '
        'again.'),
    # fileio
    'load of a pickle': (
        'It is refused unless trusted=True: reading a pickle can run any code.'),
    'load and dump of YAML': (
        "Of Python's objects tuples alone are read, and none is written: others can run code. "
        'Keys keep their order and letters stay letters: people read these files.'),
    'dump and put to the disk': (
        'The file is replaced in one step: a kill leaves the old one or the new one.'),
    'FileClient(prefix=...)': (
        'Fsspec serves the prefixes without a backend, and s3 where petrel_client is not '
        'installed: few can install that.'),
    'HTTPBackend': (
        'It waits 60 seconds for an answer, not for ever, and reads no file://: an address must '
        'not hang a run or open a local file.'),
    'list_from_file, dict_from_file and load': (
        'A byte-order mark is dropped: it would be part of the first name.'),
    'dict_from_file': (
        'A line without a value raises DataError, which names it, and empty lines are skipped: '
        'mmcv asserts that there are none, without a text.'),
    'FileClient.list_dir_or_file': (
        'The paths are sorted: all machines see one order.'),
    'files that cannot be read': (
        'They raise DataError, which is a FileNotFoundError too where there is no file: commands '
        'say in one line what is wrong.'),
    # image
    'one number as pad_val of impad or border_value of imrotate': (
        'It fills all channels: OpenCV would fill the first alone.'),
    'imread and imfrombytes': (
        'A damaged file raises DataError: OpenCV returns None or grey. All backends give the same '
        'pixels, and one that cannot read a file leaves it to another that can: the choice is one '
        'of speed.'),
    'the backend tifffile': (
        'Colours are in BGR order and other formats than TIFF are read: so it is with the other '
        "backends. Bands without colours need flag='unchanged': none shall be taken for a colour."),
    'the backend turbojpeg': (
        'It is simplejpeg: that brings libjpeg-turbo with it.'),
    'imwrite': (
        "A suffix that is not known raises DataError, which is OpenCV's error too: its text names "
        'the remedy. auto_mkdir=False creates no folder: mmcv 1.7 creates it all the same.'),
    'adjust_hue': (
        "A negative hue_factor works with NumPy 2: mmcv's conversion of it is an error there."),
    'imdenormalize': (
        'The result is float32 for every type of image: mmcv takes float32 alone.'),
    'lut_transform, imequalize, auto_contrast, clahe and adjust_hue': (
        'Floats are rounded, and values beyond 0 to 255 refused, instead of cut off or wrapped '
        'around.'),
    # cnn
    'mmcv.cnn.fuse_conv_bn': (
        'It folds a norm only into the convolution named directly before it, and no children of a '
        'class with runs_in_order = False: mmcv takes the last convolution before the norm, '
        'whatever lies between, which changes the results of its own ResNet-50.'),
    'mmcv.cnn.get_model_complexity_info': (
        'It leaves no methods and numbers on the model: that can be saved and copied afterwards. '
        'Shares of nothing are 0%: mmcv divides by zero for a model without parameters.'),
    'mmcv.cnn.RFSearchHook': (
        'It keeps its step and its dilations in checkpoints, and runs before they are saved: a '
        'run that is resumed continues the search. Its files are written by the first process '
        'alone, and the config of the caller stays as it is: others may use both.'),
    'mmcv.cnn.ResNet, mmcv.cnn.VGG': (
        '`train()` returns the module: torch promises that. Basic blocks take with_cp: nothing '
        'speaks against it.'),
    'HSigmoid without arguments': (
        'The defaults are bias=3 and divisor=6, as in mmcv since 1.4.4: a config for an older one '
        'writes bias=1, divisor=2.'),
    'ConvModule with a bias before a batch norm': (
        'The log says once that the norm takes the bias away: a warning of Python would not be in '
        'the log of the run.'),
    'GeneralizedAttention, attention_type x1x0': (
        'Maps need not be square, and energies of rows belong to rows: mmcv takes the query of '
        'the mirrored pixel there.'),
    'NonLocal2d, GeneralizedAttention': (
        'The matrix of all pairs of pixels is not kept in memory, so that results are equal up to '
        'rounding: it has 16 million entries for 64 x 64 pixels.'),
    'MultiheadAttention': (
        'The matrix of all pairs is not kept in memory, so that results are equal up to rounding '
        'and dropout draws other numbers: it grows with the square of the sequence.'),
    'FFN, BaseTransformerLayer with unknown arguments': (
        'The log names them: mmcv ignores a misspelt option without a word.'),
    'DropPath(1.)': (
        'The result is 0: mmcv divides by 0.'),
    'init_cfg, layer': (
        'It names all base classes of a layer, not the nearest alone: a class derived for speed '
        'is initialised as its base is.'),
    'BaseModule.init_weights': (
        'An init_cfg of a module inside a plain container is applied too. It would do nothing, '
        'without a word.'),
    'init_cfg, Pretrained in a list': (
        'Children keep what it loads, as they do where it stands alone. mmcv draws over it.'),
    'what initialised each parameter': (
        'The logger mmseg.cnn tells it, at level DEBUG alone: all weights are read several times '
        'for it.'),
    # visualization, arraymisc, engine
    'imshow': (
        "ConfigError, which names the remedy, where no window can be shown: OpenCV's error does "
        'not.'),
    'mmcv.engine.collect_results_cpu': (
        'The results travel over the network of the hosts, and tmpdir has no effect: no folder '
        'has to be shared, and no pickle is read from one.'),
    'mmcv.engine.multi_gpu_test': (
        'All results are kept where processes have unequal numbers of them, and there is no pause '
        'of two seconds: mmcv drops the surplus silently.'),
    # parallel
    'mmcv.parallel.MMDataParallel': (
        'Several devices are an error, and without device_ids the model stays where it is: one '
        'process a device, which the message starts, is faster.'),
    'mmcv.parallel.MMDistributedDataParallel': (
        'device_ids and output_device have no effect: a batch goes where the parameters are. '
        'Without gradients the model is called directly: processes may evaluate different numbers '
        'of batches.'),
    'mmcv.parallel.collate': (
        'Lists of unequal length are an error, texts are listed, and stacked tensors of several '
        'types get a common one: mmcv cuts the lists, recurses without end on texts, and takes '
        'the first type.'),
    'mmcv.parallel.scatter': (
        'It also takes a device without a list, for the batch alone, leaves what is no tensor in '
        'a DataContainer as it is, and keeps named tuples: mmcv refuses the former two and makes '
        'plain tuples of the last.'),
    'mmcv.parallel._functions.scatter': (
        'streams has no effect: copies are queued in the current stream, where their use waits '
        'for them.'),
    # runner
    'groups of the optimizer': (
        'train_segmentor puts parameters with equal settings into one group, where '
        'build_optimizer and constructors make one a parameter, as in mmcv: a step of few groups '
        'is faster. A state of either kind resumes in the other.'),
    'checkpoints that hold code': (
        'They are read without running it, and objects that are no plain data raise '
        'CheckpointError with the remedy: whoever wrote a file could run anything on this '
        'machine.'),
    'map_location=None': (
        'Checkpoints are loaded into the memory of the host, whatever device saved them: a file '
        'of one kind of device can be read on every other.'),
    'load_checkpoint(strict=True)': (
        'A model that a checkpoint does not fit stays as it was: half of the weights of another '
        'model are of no use.'),
    'load_checkpoint of a file without weights for the model': (
        'It is an error, not a warning, also with strict=False: the run would go on from random '
        'weights.'),
    'names of weights': (
        'Those of torchvision:// stand in a table: torchvision need not be installed. $MMCV_HOME '
        'may hold tables for mmcls:// and torchvision:// too: for mirrors and machines without a '
        'network.'),
    'init_dist': (
        'Where `backend` is not given, or is that of another kind of device, the one of the '
        'device in use is taken: one script runs on every machine. The first node of a slurm job '
        'is read from its variables: containers lack scontrol.'),
    'set_random_seed(deterministic=True)': (
        'Kernels outside of convolutions are repeatable too: otherwise two runs differ all the '
        'same.'),
    'mixed precision': (
        'torch.autocast chooses the data types inside of a decorated method, and '
        'Fp16OptimizerHook turns it on for all of the model: it knows which operators need '
        'float32. Devices without float16 kernels of their own compute in bfloat16: that needs no '
        'loss scale.'),
    'OptimizerHook': (
        'Gradients are cleared before the forward pass, not after it: that lowers the peak of '
        'memory. A step whose gradients overflow is skipped on the device: the host need not '
        'wait.'),
    'GradientCumulative hooks': (
        'A resumed run goes on in the middle of a step with the gradients of its checkpoint: mmcv '
        'begins the step anew.'),
    'paramwise_cfg.bypass_duplicate': (
        'The log names a parameter that is met again, instead of a Python warning: it is where '
        'the user of a run looks.'),
    'paramwise_cfg with an unknown key': (
        'The default constructor raises an error, while a subclass may have keys of its own: a '
        'misspelt key would have no effect.'),
    'a runner without a logger': (
        "It uses the logger 'mmseg', where mmcv raises TypeError: a runner in a notebook needs "
        'none.'),
    'names of checkpoints by runner.save_checkpoint': (
        'Count the iterations that are done or the epochs that have begun, but at least 1, where '
        'mmcv counts one more between two of them: such an iteration or epoch need not follow.'),
    'a workflow without training': (
        'It is an error: mmcv would never end.'),
    'register_training_hooks': (
        'CheckInvalidLossHook is added too: a run does not go on with NaN.'),
    'a checkpoint of an epoch that is not finished': (
        'It holds the number of epochs that are done, and a run resumes within the epoch: mmcv '
        'counts the epoch as done and skips its rest.'),
    # runner.hooks
    'EMAHook': (
        'It keeps the averages beside the state_dict, not as further buffers of the model: a '
        'checkpoint loads into a model without the hook.'),
    'the last iterations of a run': (
        'They are logged although ignore_last is set: otherwise a short run would log nothing.'),
    'a minimum of a schedule above the value that a group starts with': (
        'That group does not reach it, and a warning says so: settings for the main group must '
        'not raise the rate of another. A min_momentum_ratio above 1 is one to rise to: momenta '
        'may rise as rates fall.'),
    'the end of a cycle with step_ratio_up so small that it has no way up': (
        'Gamma does not change it: that is for the peak.'),
    'a learning rate or momentum that is no number': (
        'It ends the run with an error: mmcv trains on with it.'),
    'lr_config and momentum_config by epoch': (
        'They are applied before each iteration, not once an epoch: a resume within an epoch goes '
        'on exactly.'),
    'CosineRestartLrUpdaterHook with periods shorter than the run': (
        'It is an error before the training: mmcv fails when the last period is over.'),
    'out_dir of CheckpointHook': (
        'It is used as it is, as in mmcv 1.2, and only a place such as s3:// gets a folder of the '
        "work directory's name, as in mmcv 1.7: configs for 1.2 find their files."),
    'checkpoints': (
        'They are written in the background: training does not wait. Only those of the same run '
        'are deleted: no file of another run is lost.'),
    'ProfilerHook': (
        'It profiles 5 iterations after 10 others and writes them to a folder, unless '
        'by_epoch=False, profile_iters or schedule ask for the beginning as in mmcv: the first '
        'iterations are not typical.'),
    'PaviLoggerHook': (
        'Of add_graph_kwargs and add_ckpt_kwargs it uses active, img_key and interval alone, and '
        'it sends the graph once: the others are options of a package that few can install.'),
    'DvcliveLoggerHook by epoch': (
        'It logs the means of each epoch: mmcv logs scores of evaluations alone.'),
    'a logger without its package': (
        'The package is named when the hook is made, and when the run begins for PaviLoggerHook, '
        'as in mmcv: the training has not begun.'),
    'MlflowLoggerHook': (
        'MLflow finds the packages that the model needs, as in mmcv 1.2: mmcv 1.7 names torch '
        'alone, with which a model of this package does not load.'),
    'numbers of iterations in logs': (
        'Count those that are done, where mmcv counts one more for scores between two iterations, '
        'so that a curve has no gaps.'),
    'fps': (
        'Is logged beside time: how many samples all processes train in a second.'),
    'validation in a workflow of IterBasedRunner': (
        'Calls before_val_epoch and after_val_epoch around its iterations, so that their means '
        'are logged, apart from those of the training.'),
    # mmseg.datasets
    'sizes and ratios of Resize and MultiScaleFlipAug': (
        'A list of two whole numbers is a size and a whole number a ratio, where 0.10 asserts '
        'tuples and floats: JSON and YAML have no tuples, and 1 means 1.0.'),
    'MultiScaleFlipAug without img_scale': (
        'The sizes of the views are (width, height) as everywhere, where 0.10 exchanges the two: '
        'with keep_ratio=False each image would be squeezed.'),
    'Rerange': (
        'An image of one value becomes min_value, where 0.10 asserts: one blank image need not '
        'end a run.'),
    'RGB2Gray': (
        'The default weights give the luma of BGR images too: those of 0.10 count blue as red '
        'there.'),
    'unset labels of data sets and steps': (
        'An ignore_index, reduce_zero_label or seg_pad_val that nobody has set follows the '
        'training data or the data set, and is 255 or False as in 0.10 where that sets none: '
        'labels need one meaning in a whole run.'),
    'labels that are no class': (
        'They are an error that names the mask, in samples and in scores, where 0.10 leaves them '
        'out of the scores: they are mistakes in the data.'),
    'label_map of chosen classes': (
        'It holds ignore_index for the other classes instead of -1: a uint8 mask turned that into '
        '255, whatever the ignored label was.'),
    'palette of classes without colours': (
        "It is VOC's instead of a random one: pictures of two runs can be compared."),
    'classes of a data set': (
        'Each name stands once: a list with a name twice is a mistake.'),
    'ConcatDataset': (
        'Data sets of different classes are refused, and where none scores itself, all are scored '
        'together: their labels would not mean the same.'),
    'samples of build_dataloader': (
        'They are drawn by seed, epoch and index instead of by worker: they do not depend on the '
        'number of workers. Shares of an evaluation are not padded: each image counts once.'),
    'CustomDataset.evaluate': (
        'An argument that it does not know is an error, where 0.10 takes any in silence: a typo '
        'in `evaluation` is found.'),
    'CustomDataset.format_results': (
        'It writes label maps to out_dir: that of 0.10 does nothing.'),
    'a second Resize or RandomFlip of a pipeline': (
        'It draws for itself: that of 0.10 repeats what the first has drawn.'),
    'CLAHE and AdjustGamma': (
        'They take integers and floats from 0 to 255, where 0.10 casts others modulo 256: such an '
        'image is a mistake in the pipeline.'),
    # mmseg.models
    'build_segmentor and constructors of models': (
        'They draw no weights and read no file: a test or an export needs no pretrained weights, '
        'and no network. init_weights does both; train_segmentor calls it for a model that is '
        'new, and what the program has written to that stays.'),
    'train_cfg and test_cfg of build_segmentor': (
        'They are an error where the model has them too, of which 0.10 silently takes those of '
        'the model: one of the two would have no effect.'),
    'log_vars of train_step': (
        'They are tensors on the device, which the logger reads every log_config.interval '
        'iterations: float(value) would wait for the device in each.'),
    'val_step of segmentors': (
        'It returns what train_step does, with names that end in _val: 0.10 returns the losses '
        'alone, which no runner can log.'),
    'show_result of segmentors': (
        "It returns the picture also where it is written, and takes VOC's colours where there are "
        'none: random colours would change from run to run.'),
    'scores of a single logit': (
        'Softmax cross entropy of one class is an error: its loss is always 0, and the model '
        'would learn nothing.'),
    'fallback_on_stride of dcn': (
        'Each block with a stride keeps its plain convolution: in 0.10 the first block that is '
        'built does, whatever its stride, since building it removes the key.'),
    # mmseg.apis and mmseg.core
    'EvalHook and DistEvalHook': (
        'They score one prediction after the other instead of a list of all, unless a data set or '
        "a hook overrides evaluate: memory does not grow with the data. save_best is 'auto': the "
        'best weights are kept.'),
    'efficient_test, gpu_collect and tmpdir of an evaluation': (
        'They have no effect: no prediction is kept.'),
    'device of init_segmentor and train_segmentor': (
        "It is 'auto', the first usable kind, instead of 'cuda:0' and cfg.gpu_ids: scripts run "
        'anywhere.'),
}

_PLACE = 'mmcv_replace/compatibility.py'
# What these packages export, mmcv itself exports too.
_EXPORTED = ('mmcv.utils', 'mmcv.video', 'mmcv.visualization')


def _absent() -> Iterator[tuple[str, Sequence[str], str]]:
    for table in (LEFT_OUT, LATER):
        for reason, packages in table.items():
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
    return f'{what} is left out: {reason} (see the tables in {_PLACE})'
