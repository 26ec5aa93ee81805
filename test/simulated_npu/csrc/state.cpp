#include "state.h"

#include <c10/util/Exception.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <mutex>
#include <set>
#include <sstream>

namespace simulated_npu {
namespace {

thread_local c10::DeviceIndex current = 0;
thread_local int uncounted = 0;

std::mutex counters_mutex;
Counters counts;
std::set<std::string> forbidden_kinds;

std::atomic<bool> process_initialized = false;
std::atomic<bool> forked_after_use = false;

// The machine has SIMULATED_NPU_DEVICES devices, 8 without it; ASCEND_RT_VISIBLE_DEVICES lists
// those that this process sees, up to the first that does not exist.
int visible_devices() {
  const char* number = std::getenv("SIMULATED_NPU_DEVICES");
  const int present = number ? std::clamp(std::atoi(number), 0, kMaxDevices) : 8;
  const char* list = std::getenv("ASCEND_RT_VISIBLE_DEVICES");
  if (list == nullptr) return present;
  std::istringstream items(list);
  int visible = 0;
  for (std::string item; std::getline(items, item, ','); ++visible) {
    const bool number_like = !item.empty() && std::all_of(item.begin(), item.end(), ::isdigit);
    if (!number_like || std::stoi(item) >= present) break;
  }
  return visible;
}

void after_fork_in_child() {
  if (process_initialized) forked_after_use = true;
  process_initialized = false;
}

}  // namespace

c10::DeviceIndex device_count() {
  static const auto count = static_cast<c10::DeviceIndex>(visible_devices());
  return count;
}

c10::DeviceIndex current_device() { return current; }

void set_current_device(c10::DeviceIndex index) {
  if (index == -1) return;
  TORCH_CHECK(index >= 0 && index < device_count(), "Invalid NPU device ID ", int(index),
              ": this process sees ", int(device_count()), " devices");
  current = index;
}

c10::Device with_index(c10::Device device) {
  return device.has_index() ? device : c10::Device(kNpu, current);
}

void initialize() {
  TORCH_CHECK(!forked_after_use,
              "Cannot re-initialize NPU in forked subprocess. To use NPU with multiprocessing, you "
              "must use the 'spawn' start method");
  if (process_initialized) return;
  TORCH_CHECK(device_count() > 0, "no NPU is visible to this process");
  static const int registered = pthread_atfork(nullptr, nullptr, after_fork_in_child);
  TORCH_INTERNAL_ASSERT(registered == 0);
  process_initialized = true;
}

bool initialized() { return process_initialized; }

bool in_bad_fork() { return forked_after_use; }

void count(const std::string& kind, const std::string& name) {
  if (uncounted > 0) return;
  std::lock_guard<std::mutex> lock(counters_mutex);
  ++counts[kind + "/" + name];
  TORCH_CHECK(forbidden_kinds.count(kind) == 0, "forbidden here: ", kind, " by ", name);
}

Counters counters() {
  std::lock_guard<std::mutex> lock(counters_mutex);
  return counts;
}

void reset_counters() {
  std::lock_guard<std::mutex> lock(counters_mutex);
  counts.clear();
}

void forbid(const std::string& kind, bool forbidden) {
  std::lock_guard<std::mutex> lock(counters_mutex);
  if (forbidden) {
    forbidden_kinds.insert(kind);
  } else {
    forbidden_kinds.erase(kind);
  }
}

Uncounted::Uncounted() { ++uncounted; }

Uncounted::~Uncounted() { --uncounted; }

}  // namespace simulated_npu
