// What the parts of the simulation share: devices, the process, memory figures, counters.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <map>
#include <string>

namespace simulated_npu {

constexpr auto kNpu = c10::DeviceType::PrivateUse1;
constexpr int kMaxDevices = 64;

// Devices. The current one is a thread's own, as on the real device.
c10::DeviceIndex device_count();
c10::DeviceIndex current_device();
void set_current_device(c10::DeviceIndex index);  // -1 changes nothing; throws beyond the last
c10::Device with_index(c10::Device device);       // the current device where none is named

// The first use of a device in a process; throws in the child of a fork after such a use.
void initialize();
bool initialized();
bool in_bad_fork();

// Bytes on a device: now, and the most there were since the last reset.
int64_t memory_allocated(int64_t device);
int64_t max_memory_allocated(int64_t device);
void reset_peak_memory_stats(int64_t device);
c10::Allocator* device_allocator();
c10::Allocator* pinned_allocator();
bool is_pinned(const void* pointer);

// Counters by kind ('op', 'host_sync', 'blocking_upload', 'boolean_index', 'float64_cast') and
// operator.
using Counters = std::map<std::string, int64_t>;  // 'kind/operator' -> number
void count(const std::string& kind, const std::string& name);
Counters counters();
void reset_counters();
void forbid(const std::string& kind, bool forbidden);  // count() of that kind throws

// While it lives, this thread counts nothing: work of the simulation, not of the program.
class Uncounted {
 public:
  Uncounted();
  ~Uncounted();
};

}  // namespace simulated_npu
