# As schedule_20k.py over 160,000 iterations.
_base_ = './schedule_20k.py'
runner = dict(max_iters=160000)
checkpoint_config = dict(interval=16000)
evaluation = dict(interval=16000)
