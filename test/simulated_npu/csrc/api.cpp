// torch.ops.simulated_npu: what the Python part of the simulation calls.
#include "generator.h"
#include "state.h"
#include "tensors.h"

#include <torch/library.h>

namespace simulated_npu {
namespace {

c10::Dict<std::string, int64_t> counter_dict() {
  c10::Dict<std::string, int64_t> result;
  for (const auto& [name, number] : counters()) result.insert(name, number);
  return result;
}

void synchronize() {
  initialize();
  count("host_sync", "synchronize");
}

}  // namespace

TORCH_LIBRARY(simulated_npu, m) {
  m.def("initialize() -> ()", initialize);
  m.def("initialized() -> bool", initialized);
  m.def("in_bad_fork() -> bool", in_bad_fork);
  m.def("device_count() -> int", [] { return int64_t(device_count()); });
  m.def("current_device() -> int", [] { return int64_t(current_device()); });
  m.def("set_device(int index) -> ()", [](int64_t index) { set_current_device(index); });
  m.def("synchronize() -> ()", synchronize);
  m.def("memory_allocated(int device) -> int", memory_allocated);
  m.def("max_memory_allocated(int device) -> int", max_memory_allocated);
  m.def("reset_peak_memory_stats(int device) -> ()", reset_peak_memory_stats);
  m.def("default_generator(int device) -> Generator?",
        [](int64_t device) { return default_generator(device); });
  m.def("counters() -> Dict(str, int)", counter_dict);
  m.def("reset_counters() -> ()", reset_counters);
  m.def("forbid(str kind, bool forbidden) -> ()", forbid);
  m.def("on_host(Tensor(a) tensor) -> Tensor(a)", on_host);
}

}  // namespace simulated_npu
