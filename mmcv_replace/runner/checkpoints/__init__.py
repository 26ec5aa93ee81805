"""Everything about checkpoint files. What is in one, and which module knows it:

    meta           run_id, config, CLASSES, epoch, iter, hook_msgs ...       files.py, BaseRunner
    state_dict     the model's weights and buffers            weights.py, state_dict.py
    ema_state_dict, raw_state_dict   averaged and trained weights (EMAHook)  averaged.py
    optimizer      momenta and settings of the groups      optimizer_state.py, group_layout.py
    scaler         the loss scale of mixed precision                         ../precision
    run_state      position in workflow and data, random numbers, gradients  run_state.py

Writing: files.py (one file, in one step), serialize.py (plain data only), saver.py (in the
background), ownership.py (which old ones a run may delete). Reading: loader.py (from which place),
files.py, safe_unpickler.py (objects of other packages), safetensors_file.py, file_format.py (what a
file is that is no checkpoint), pretrained.py and model_zoo.py (downloads). Resuming: auto_resume.py
(which file), resume_table.py (what differs). replay_file.py: a batch that led to NaN.

Giving away: portable.py (a file named after its content), describe.py (what of meta goes along),
conversion.py and key_names.py (formats and names of other toolkits).
"""
