// Random generators of the devices.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace simulated_npu {

const at::Generator& default_generator(c10::DeviceIndex index);  // -1: the current device
at::Generator new_generator(c10::DeviceIndex index);

// While it lives, the host's default generator is that of a device: kernels that run on the host
// in the device's place draw the device's numbers and leave the host's sequence untouched.
class DrawAs {
 public:
  explicit DrawAs(at::Generator device_generator);
  ~DrawAs();

 private:
  at::Generator generator_;
  at::Tensor host_state_;
};

}  // namespace simulated_npu
