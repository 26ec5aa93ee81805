// Operators that compute: by the host's kernels, on the host's view of the tensors.
#include "generator.h"
#include "state.h"
#include "tensors.h"

#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <torch/library.h>

#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace simulated_npu {
namespace {

using at::Tensor;
using c10::IntArrayRef;

// The matrix units take 16-bit numbers and add up in float32.
Tensor wide(const Tensor& tensor) {
  const auto host = on_host(tensor);
  return host.defined() && at::isReducedFloatingType(host.scalar_type()) ? host.to(at::kFloat)
                                                                         : host;
}

Tensor narrow(const Tensor& host, const Tensor& like) {
  return host.defined() ? to_device(host.to(like.scalar_type()), like.device()) : host;
}

Tensor npu_convolution(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias,
                       IntArrayRef stride, IntArrayRef padding, IntArrayRef dilation,
                       bool transposed, IntArrayRef output_padding, int64_t groups) {
  count("op", "aten::convolution_overrideable");
  const auto host_bias = bias.has_value() ? wide(*bias) : Tensor();
  return narrow(at::convolution(wide(input), wide(weight), host_bias, stride, padding, dilation,
                                transposed, output_padding, groups),
                input);
}

std::tuple<Tensor, Tensor, Tensor> npu_convolution_backward(
    const Tensor& grad_output, const Tensor& input, const Tensor& weight, IntArrayRef stride,
    IntArrayRef padding, IntArrayRef dilation, bool transposed, IntArrayRef output_padding,
    int64_t groups, std::array<bool, 3> output_mask) {
  count("op", "aten::convolution_backward_overrideable");
  const int64_t channels = grad_output.size(1);
  auto [grad_input, grad_weight, grad_bias] = at::convolution_backward(
      wide(grad_output), wide(input), wide(weight), IntArrayRef(channels), stride, padding,
      dilation, transposed, output_padding, groups, output_mask);
  return {narrow(grad_input, input), narrow(grad_weight, weight), narrow(grad_bias, weight)};
}

// Operators whose result has a size or a value that the host must wait for.
const std::set<std::string> kWaiting{
    "aten::equal",          "aten::nonzero",       "aten::nonzero.out",
    "aten::masked_select",  "aten::_unique",       "aten::_unique2",
    "aten::unique_dim",     "aten::bincount",      "aten::masked_select.out",
    "aten::unique_consecutive", "aten::unique_dim_consecutive", "aten::repeat_interleave.Tensor"};

const std::set<std::string> kSelecting{"aten::nonzero", "aten::nonzero.out", "aten::masked_select",
                                       "aten::masked_select.out"};
const std::set<std::string> kIndexing{"aten::index.Tensor", "aten::index.Tensor_out",
                                      "aten::_index_put_impl_"};

bool has_mask(const c10::IValue& indices) {
  for (const auto& index : indices.toOptionalTensorList()) {
    const auto tensor = index.get().toOptional<Tensor>();
    if (tensor && tensor->defined() &&
        (tensor->scalar_type() == at::kBool || tensor->scalar_type() == at::kByte)) {
      return true;
    }
  }
  return false;
}

void count_operator(const std::string& name, const c10::ArrayRef<c10::IValue>& arguments) {
  count("op", name);
  const bool masked = kIndexing.count(name) > 0 && has_mask(arguments[1]);
  if (masked || kSelecting.count(name) > 0) count("boolean_index", name);
  // Reading by a mask has a size that depends on the data; writing by one has not.
  const bool unknown_size = masked && name != "aten::_index_put_impl_";
  if (unknown_size || kWaiting.count(name) > 0) count("host_sync", name);
}

// The generator that an operator was given, which it then forgets, or that of the device.
at::Generator take_generator(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  for (size_t i = 0; i < op.schema().arguments().size(); ++i) {
    auto& argument = torch::jit::peek(*stack, i, op.schema().arguments().size());
    if (argument.isGenerator()) return std::exchange(argument, c10::IValue()).toGenerator();
  }
  return default_generator(-1);
}

// The arguments of one call: on the device as they were given, on the host as kernels take them.
class Call {
 public:
  Call(const c10::OperatorHandle& op, torch::jit::Stack* stack)
      : schema_(op.schema()), given_(torch::jit::pop(*stack, schema_.arguments().size())) {
    for (const auto& argument : given_) taken_.push_back(host_value(argument));
    stack->insert(stack->end(), taken_.begin(), taken_.end());
  }

  // Turn the host's results on the stack into the device's.
  void finish(torch::jit::Stack* stack) {
    for (size_t i = 0; i < given_.size(); ++i) {
      const auto* alias = schema_.arguments()[i].alias_info();
      if (alias != nullptr && alias->isWrite() && given_[i].isTensor()) adopt_size(i);
    }
    auto results = torch::jit::pop(*stack, schema_.returns().size());
    for (size_t i = 0; i < results.size(); ++i) {
      const auto* alias = schema_.returns()[i].alias_info();
      stack->push_back(alias == nullptr ? device_value(results[i]) : given_[written(*alias)]);
    }
  }

 private:
  c10::IValue host_value(const c10::IValue& value) {
    if (value.isTensor()) {
      remember(value.toTensor());
      return on_host(value.toTensor());
    }
    if (value.isTensorList()) {
      c10::List<Tensor> host;
      for (const Tensor& tensor : value.toTensorList()) {
        remember(tensor);
        host.push_back(on_host(tensor));
      }
      return host;
    }
    if (value.isOptionalTensorList()) {
      c10::List<std::optional<Tensor>> host;
      for (const std::optional<Tensor> tensor : value.toOptionalTensorList()) {
        host.push_back(tensor ? std::make_optional(on_host(*tensor)) : std::nullopt);
      }
      return host;
    }
    if (value.isDevice()) {
      device_ = with_index(value.toDevice());
      return c10::Device(c10::kCPU);
    }
    return value;
  }

  void remember(const Tensor& tensor) {
    if (tensor.defined() && tensor.device().type() == kNpu) device_ = tensor.device();
  }

  c10::IValue device_value(const c10::IValue& value) const {
    if (value.isTensor()) return to_device(value.toTensor(), device_);
    if (!value.isTensorList()) return value;
    c10::List<Tensor> result;
    for (const Tensor& tensor : value.toTensorList()) result.push_back(to_device(tensor, device_));
    return result;
  }

  // A kernel that resized what it writes to may have left its result in memory of the host.
  void adopt_size(size_t i) {
    const auto& host = taken_[i].toTensor();
    const auto& device = given_[i].toTensor();
    if (!device.defined() || device.device().type() != kNpu || host.sizes() == device.sizes()) {
      return;
    }
    device.resize_(host.sizes());
    on_host(device).copy_(host);
  }

  // Position of the argument that a result is: the one that the operator writes to.
  size_t written(const c10::AliasInfo& alias) const {
    TORCH_CHECK(alias.isWrite(), schema_.name(), " is a view, which the simulated NPU has not");
    for (size_t i = 0; i < given_.size(); ++i) {
      const auto* other = schema_.arguments()[i].alias_info();
      if (other != nullptr && *other == alias) return i;
    }
    TORCH_CHECK(false, schema_.name(), " returns what it was not given");
  }

  const c10::FunctionSchema& schema_;
  std::vector<c10::IValue> given_;
  std::vector<c10::IValue> taken_;
  c10::Device device_ = with_index(kNpu);
};

void npu_fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  initialize();
  const auto arguments = torch::jit::last(*stack, op.schema().arguments().size());
  count_operator(c10::toString(op.operator_name()), arguments);
  const Uncounted quiet;
  std::optional<DrawAs> generator;
  if (op.hasTag(at::Tag::nondeterministic_seeded)) generator.emplace(take_generator(op, stack));
  Call call(op, stack);
  op.redispatchBoxed(c10::DispatchKeySet(c10::DispatchKey::CPU), stack);
  call.finish(stack);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("convolution_overrideable", npu_convolution);
  m.impl("convolution_backward_overrideable", npu_convolution_backward);
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&npu_fallback>());
}

}  // namespace simulated_npu
