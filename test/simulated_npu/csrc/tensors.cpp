// Operators that make, move and look at tensors.
#include "tensors.h"

#include "state.h"

#include <ATen/EmptyTensor.h>
#include <ATen/ops/_copy_from_and_resize.h>
#include <ATen/ops/_local_scalar_dense.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/_to_copy_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/copy.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/resize_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/set_cpu_dispatch.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

namespace simulated_npu {

using at::Tensor;
using c10::IntArrayRef;

Tensor on_host(const Tensor& tensor) {
  if (!tensor.defined() || tensor.device().type() != kNpu) return tensor;
  initialize();
  const auto& storage = tensor.storage();
  // The alias holds the storage, hence the memory, as long as it lives.
  c10::DataPtr memory(storage.mutable_data(), new c10::Storage(storage),
                      [](void* held) { delete static_cast<c10::Storage*>(held); },
                      c10::DeviceType::CPU);
  // Kernels may resize what they write to: the alias then gets memory of its own.
  c10::Storage alias(c10::Storage::use_byte_size_t(), storage.nbytes(), std::move(memory),
                     c10::GetAllocator(c10::kCPU), /*resizable=*/true);
  auto host = at::detail::make_tensor<c10::TensorImpl>(
      std::move(alias), c10::DispatchKeySet(c10::DispatchKey::CPU), tensor.dtype());
  host.unsafeGetTensorImpl()->set_sizes_and_strides(tensor.sizes(), tensor.strides(),
                                                    tensor.storage_offset());
  return host;
}

Tensor to_device(const Tensor& host, c10::Device device) {
  if (!host.defined()) return host;
  const Uncounted quiet;
  auto result = at::empty_like(host, host.options().device(device));
  on_host(result).copy_(host);
  return result;
}

namespace {

constexpr c10::DispatchKeySet kKeys(c10::DispatchKey::PrivateUse1);

at::ScalarType accepted(std::optional<at::ScalarType> given) {
  const auto dtype = c10::dtype_or_default(given);
  TORCH_CHECK(dtype != at::kDouble && dtype != at::kComplexDouble,
              "Device do not support double dtype: use float32 on the NPU");
  return dtype;
}

Tensor npu_empty(IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
                 std::optional<c10::Device> device, std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  count("op", "aten::empty.memory_format");
  const c10::DeviceGuard guard(with_index(c10::device_or_default(device)));
  return at::detail::empty_generic(size, device_allocator(), kKeys, accepted(dtype), format);
}

Tensor npu_empty_strided(IntArrayRef size, IntArrayRef stride, std::optional<at::ScalarType> dtype,
                         std::optional<at::Layout>, std::optional<c10::Device> device,
                         std::optional<bool>) {
  count("op", "aten::empty_strided");
  const c10::DeviceGuard guard(with_index(c10::device_or_default(device)));
  return at::detail::empty_strided_generic(size, stride, device_allocator(), kKeys,
                                           accepted(dtype));
}

// A copy makes the host wait unless it was asked not to and the host's memory is page-locked.
void count_copy(const Tensor& source, const Tensor& target, bool non_blocking) {
  count("op", "aten::_copy_from");
  const bool from_device = source.device().type() == kNpu;
  if (from_device && target.device().type() == kNpu) return;
  const auto& host = from_device ? target : source;
  if (non_blocking && is_pinned(host.const_data_ptr())) return;
  count(from_device ? "host_sync" : "blocking_upload", "aten::_copy_from");
}

Tensor npu_copy_from(const Tensor& source, const Tensor& target, bool non_blocking) {
  count_copy(source, target, non_blocking);
  on_host(target).copy_(on_host(source));
  return target;
}

Tensor npu_copy_from_and_resize(const Tensor& source, const Tensor& target) {
  target.resize_(source.sizes());
  return npu_copy_from(source, target, false);
}

// A device tensor that is cast to float64 becomes float32, as on the real device. That makes a
// float64 tensor of the host float32 too, where this one refuses it.
Tensor npu_to_copy(const Tensor& self, std::optional<at::ScalarType> dtype,
                   std::optional<at::Layout> layout, std::optional<c10::Device> device,
                   std::optional<bool> pin, bool non_blocking,
                   std::optional<at::MemoryFormat> format) {
  if (dtype == at::kDouble && self.device().type() == kNpu &&
      device.value_or(self.device()).type() == kNpu) {
    TORCH_WARN_ONCE("Device do not support double dtype now, dtype cast replace with float.");
    count("float64_cast", "aten::_to_copy");
    dtype = at::kFloat;
  }
  return at::native::_to_copy(self, dtype, layout, device, pin, non_blocking, format);
}

at::Scalar npu_local_scalar_dense(const Tensor& self) {
  count("op", "aten::_local_scalar_dense");
  count("host_sync", "aten::_local_scalar_dense");
  return at::_local_scalar_dense(on_host(self));
}

const Tensor& npu_resize_(const Tensor& self, IntArrayRef size,
                          std::optional<at::MemoryFormat> format) {
  const c10::DeviceGuard guard(self.device());
  return at::native::resize_(self, size, format);
}

Tensor& npu_set_storage_(Tensor& self, at::Storage source, int64_t offset, IntArrayRef size,
                         IntArrayRef stride) {
  return at::cpu::set_(self, source, offset, size, stride);
}

Tensor& npu_set_nothing_(Tensor& self) {
  const c10::DeviceGuard guard(self.device());
  return npu_set_storage_(
      self, at::Storage(at::Storage::use_byte_size_t(), 0, device_allocator(), true), 0, {0}, {});
}

void npu_record_stream(Tensor&, c10::Stream) {}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", npu_empty);
  m.impl("empty_strided", npu_empty_strided);
  m.impl("_copy_from", npu_copy_from);
  m.impl("_to_copy", npu_to_copy);
  m.impl("_copy_from_and_resize", npu_copy_from_and_resize);
  m.impl("_local_scalar_dense", npu_local_scalar_dense);
  m.impl("resize_", npu_resize_);
  m.impl("set_.source_Storage_storage_offset", npu_set_storage_);
  m.impl("set_.source_Storage",
         static_cast<Tensor& (*)(Tensor&, at::Storage)>(at::native::set_));
  m.impl("set_.source_Tensor", at::native::set_tensor_);
  m.impl("set_", npu_set_nothing_);
  m.impl("as_strided", at::native::as_strided_tensorimpl);
  m.impl("view", at::native::view);
  m.impl("_reshape_alias", at::native::_reshape_alias);
  m.impl("unfold", at::native::unfold);
  m.impl("record_stream", npu_record_stream);
}

}  // namespace simulated_npu
