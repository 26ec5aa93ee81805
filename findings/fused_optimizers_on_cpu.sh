#!/usr/bin/env bash
# torch's fused optimizers on the CPU leave weights as they are, or step the wrong ones, in silence.
#
# Seen with torch 2.13.0 (CPU build, x86-64), in two ways:
#
# 1. SGD(fused=True) does not train bfloat16 and float16 weights: no error, no warning, no change.
#    Only what does not fill a vector of the processor moves: the last 3 of 67 values below. Adam,
#    AdamW and Adagrad train them.
# 2. All four read a weight, its gradient and its running averages from end to end and ignore their
#    strides. A gradient or a momentum of the other memory format (channels_last against contiguous,
#    as in a checkpoint that a GPU has written) is then added to other values than its own. Equal
#    formats give the values of fused=False.
#
# Output:
#   SGD bfloat16: 3 of 67 values moved with fused=True, 67 without
#   SGD float16: 3 of 67 values moved with fused=True, 67 without
#   Adam bfloat16: 67 of 67 values moved with fused=True, 67 without
#   channels_last gradient: SGD wrong, Adam wrong, AdamW wrong, Adagrad wrong
#   equal memory formats: SGD equal, Adam equal, AdamW equal, Adagrad equal
#
# Fails when any of this changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --retries 1 torch==2.13.0+cpu numpy==2.2.6 \
    --extra-index-url https://download.pytorch.org/whl/cpu

OMP_NUM_THREADS=1 "$folder/venv/bin/python" - > "$folder/seen" << 'EOF'
import torch

OPTIMIZERS = {'SGD': {'momentum': 0.9}, 'Adam': {}, 'AdamW': {}, 'Adagrad': {}}


def moved(name, dtype, fused):
    weight = torch.nn.Parameter(torch.linspace(0.25, 0.5, 67).to(dtype))
    weight.grad = torch.ones_like(weight)
    before = weight.detach().clone()
    getattr(torch.optim, name)([weight], lr=0.25, fused=fused).step()
    return int((weight != before).sum())


def weight_after(name, fused, memory_format):
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(4, 3, 5, 5))
    optimizer = getattr(torch.optim, name)([weight], lr=0.1, fused=fused, **OPTIMIZERS[name])
    for _ in range(3):
        weight.grad = torch.randn(4, 3, 5, 5).to(memory_format=memory_format)
        optimizer.step()
    return weight.detach()


def verdict(memory_format, names=('equal', 'wrong')):
    words = []
    for name in OPTIMIZERS:
        fused, plain = (weight_after(name, flag, memory_format) for flag in (True, False))
        close = torch.allclose(fused, plain, rtol=1e-4, atol=1e-5)
        words.append(f'{name} {names[0] if close else names[1]}')
    return ', '.join(words)


for name, dtype in (('SGD', 'bfloat16'), ('SGD', 'float16'), ('Adam', 'bfloat16')):
    fused, plain = (moved(name, getattr(torch, dtype), flag) for flag in (True, False))
    print(f'{name} {dtype}: {fused} of 67 values moved with fused=True, {plain} without')
print(f'channels_last gradient: {verdict(torch.channels_last)}')
print(f'equal memory formats: {verdict(torch.contiguous_format)}')
EOF

cat "$folder/seen"
sed -n 's/^#   //p' "$0" | grep -E ' moved with |^channels_last|^equal' | diff - "$folder/seen"
