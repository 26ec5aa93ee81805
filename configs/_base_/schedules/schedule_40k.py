# As schedule_20k.py over 40,000 iterations.
_base_ = './schedule_20k.py'
runner = dict(max_iters=40000)
checkpoint_config = dict(interval=4000)
evaluation = dict(interval=4000)
