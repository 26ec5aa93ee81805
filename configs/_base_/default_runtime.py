# What every run has, whatever its model and data.
# Trackers: add a hook of the type TensorboardLoggerHook, WandbLoggerHook, MlflowLoggerHook or
# SwanlabLoggerHook (pip install mmseg-ascend[tensorboard], [wandb], [mlflow] or [swanlab]).
log_config = dict(interval=50, hooks=[dict(type='TextLoggerHook', by_epoch=False)])
dist_params = dict()  # empty: the communication backend of the device that is used
log_level = 'INFO'
load_from = None
resume_from = None
workflow = [('train', 1)]
cudnn_benchmark = True
