#!/usr/bin/env bash
# On the CPU the gradient of an embedding in 16 bits stops growing: 4096 times 1 is 256.
#
# Seen with torch 2.13.0 (CPU build, x86-64). A good engineer expects sums of bfloat16 numbers to be
# kept in float32 and rounded once, as the forward pass of F.embedding_bag and Tensor.index_add_ do.
# The backward passes of F.embedding and F.embedding_bag add the rows one by one in the type of the
# table: from 256 on (float16: from 2048 on) adding 1 changes nothing, and a word that occurs often
# gets a sixteenth of its gradient. No warning says so; the order of large and small gradients
# decides which are lost. In float32 all five agree.
#
# Output, for a row that is used 4096 times with gradients of 1:
#   bfloat16: embedding 256, embedding_bag 256, weighted bag 256, index_add 4096, forward sum 4096
#   float16: embedding 2048, embedding_bag 2048, weighted bag 2048, index_add 4096, forward sum 4096
#   float32: embedding 4096, embedding_bag 4096, weighted bag 4096, index_add 4096, forward sum 4096
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
import torch.nn.functional as F

COUNT = 4096
index = torch.zeros(COUNT, 1, dtype=torch.int64)


def gradient(lookup, dtype):
    """What the used row gets, of as many ones as it is used."""
    table = torch.zeros(2, 8, dtype=dtype, requires_grad=True)
    rows = lookup(table)
    rows.backward(torch.ones_like(rows))
    return int(table.grad[0, 0])


for name in ('bfloat16', 'float16', 'float32'):
    dtype = getattr(torch, name)
    ones = torch.ones(COUNT, 1, dtype=dtype)
    added = torch.zeros(2, 8, dtype=dtype).index_add_(
        0, index[:, 0], torch.ones(COUNT, 8, dtype=dtype))
    total = F.embedding_bag(index.T, torch.ones(2, 8, dtype=dtype), mode='sum')
    print(f'{name}: embedding', gradient(lambda table: F.embedding(index[:, 0], table), dtype),
          end=', ')
    print('embedding_bag', gradient(
        lambda table: F.embedding_bag(index, table, mode='sum'), dtype), end=', ')
    print('weighted bag', gradient(lambda table: F.embedding_bag(
        index, table, mode='sum', per_sample_weights=ones), dtype), end=', ')
    print(f'index_add {int(added[0, 0])}, forward sum {int(total[0, 0])}')
EOF
cat "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
