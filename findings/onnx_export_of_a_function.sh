#!/usr/bin/env bash
# torch.onnx.export(dynamo=False) of an autograd.Function that fills its result: a constant, no input.
#
# Versions: torch 2.13.0 (CPU build, x86-64), onnx 1.23.2, NumPy 2.2.6.
# A Function whose forward pass makes an empty tensor and writes parts of it, as one does who works
# in chunks, is exported as ONE Constant: the memory of the empty tensor at that moment. The graph
# has no input, and gives the same numbers for every image. A good engineer would expect the writes
# in the graph, as they are for the same lines outside of a Function, or an error. There is neither
# an error nor a warning but that the exporter is old; onnx.checker is content. The exporter of
# torch.export (dynamo=True) keeps the writes.
#
# Output:
#   in a Function: inputs [], nodes ['Constant'], warnings of it: 0
#   the same lines in a function: inputs ['x'], scattered: True, warnings of it: 0
#
# Fails when this changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --retries 1 torch==2.13.0+cpu onnx==1.23.2 numpy==2.2.6 \
    --extra-index-url https://download.pytorch.org/whl/cpu

OMP_NUM_THREADS=1 "$folder/venv/bin/python" - > "$folder/seen" << 'EOF'
import io
import warnings

import onnx
import torch


def fill(x):
    out = x.new_empty(x.shape)
    out[:2] = x[:2] * 2
    out[2:] = x[2:] * 3
    return out


class Filled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return fill(x)

    @staticmethod
    def backward(ctx, grad):
        return torch.cat([grad[:2] * 2, grad[2:] * 3])


class Layer(torch.nn.Module):
    def __init__(self, call):
        super().__init__()
        self.call = call

    def forward(self, x):
        return self.call(x)


def export(call):
    file = io.BytesIO()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter('always')
        torch.onnx.export(Layer(call).eval(), (torch.ones(4, 2),), file, dynamo=False,
                          opset_version=17, input_names=['x'])
    graph = onnx.load_from_string(file.getvalue())
    onnx.checker.check_model(graph, full_check=True)
    about = [w for w in seen if not issubclass(w.category, DeprecationWarning)]
    return ([x.name for x in graph.graph.input], [node.op_type for node in graph.graph.node],
            f'warnings of it: {len(about)}')


inputs, nodes, warned = export(Filled.apply)
print(f'in a Function: inputs {inputs}, nodes {nodes}, {warned}')
inputs, nodes, warned = export(fill)
scattered = 'ScatterND' in nodes
print(f'the same lines in a function: inputs {inputs}, scattered: {scattered}, {warned}')
EOF
cat "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
