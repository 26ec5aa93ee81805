#include "generator.h"

#include "state.h"

#include <ATen/CPUGeneratorImpl.h>

#include <deque>

namespace simulated_npu {
namespace {

// The sequence of numbers is that of a host generator which only this device draws from.
struct DeviceGenerator final : c10::GeneratorImpl {
  explicit DeviceGenerator(c10::DeviceIndex index,
                           at::Generator host = at::detail::createCPUGenerator())
      : GeneratorImpl({kNpu, index}, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1)),
        host_(std::move(host)) {}

  void set_current_seed(uint64_t seed) override { host_.set_current_seed(seed); }
  uint64_t current_seed() const override { return host_.current_seed(); }
  uint64_t seed() override { return host_.seed(); }
  void set_offset(uint64_t) override { TORCH_CHECK(false, "no offset in this generator"); }
  uint64_t get_offset() const override { TORCH_CHECK(false, "no offset in this generator"); }
  void set_state(const c10::TensorImpl& state) override {
    host_.unsafeGetGeneratorImpl()->set_state(state);
  }
  c10::intrusive_ptr<c10::TensorImpl> get_state() const override {
    return host_.unsafeGetGeneratorImpl()->get_state();
  }
  DeviceGenerator* clone_impl() const override {
    return new DeviceGenerator(device_.index(), host_.clone());
  }

 private:
  at::Generator host_;
};

}  // namespace

at::Generator new_generator(c10::DeviceIndex index) {
  return at::make_generator<DeviceGenerator>(index < 0 ? current_device() : index);
}

const at::Generator& default_generator(c10::DeviceIndex index) {
  static const auto generators = [] {
    std::deque<at::Generator> all;
    for (c10::DeviceIndex i = 0; i < device_count(); ++i) all.push_back(new_generator(i));
    return all;
  }();
  return generators.at(index < 0 ? current_device() : index);
}

DrawAs::DrawAs(at::Generator device_generator)
    : generator_(std::move(device_generator)),
      host_state_(at::detail::getDefaultCPUGenerator().get_state()) {
  at::Generator host = at::detail::getDefaultCPUGenerator();
  host.set_state(generator_.get_state());
}

DrawAs::~DrawAs() {
  at::Generator host = at::detail::getDefaultCPUGenerator();
  generator_.set_state(host.get_state());
  host.set_state(host_state_);
}

}  // namespace simulated_npu
