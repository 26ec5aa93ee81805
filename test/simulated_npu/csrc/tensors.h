// The way between a device's tensor and the host's kernels.
#pragma once

#include <ATen/core/Tensor.h>

namespace simulated_npu {

// The host's view of a device tensor: same memory, same shape. Host tensors are passed through.
at::Tensor on_host(const at::Tensor& tensor);

// A device tensor with the values and the layout of a host tensor.
at::Tensor to_device(const at::Tensor& host, c10::Device device);

}  // namespace simulated_npu
