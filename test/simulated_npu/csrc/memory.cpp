// Memory of the devices, which is host memory that is counted, and page-locked host memory,
// which is host memory that is remembered.
#include "state.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

namespace simulated_npu {
namespace {

constexpr size_t kGranularity = 512;  // bytes; that of the real allocator

struct Usage {
  int64_t now = 0;
  int64_t peak = 0;
};

struct Block {
  void* pointer;
  size_t bytes;
  c10::DeviceIndex device;
};

std::mutex memory_mutex;
Usage usage[kMaxDevices];
std::map<const char*, size_t> pinned_blocks;

Block* new_block(size_t bytes) {
  const size_t rounded = (bytes + kGranularity - 1) / kGranularity * kGranularity;
  auto* block = new Block{nullptr, rounded, current_device()};
  TORCH_CHECK(posix_memalign(&block->pointer, kGranularity, rounded) == 0, "out of memory");
  return block;
}

void release_device_block(void* context) {
  auto* block = static_cast<Block*>(context);
  {
    std::lock_guard<std::mutex> lock(memory_mutex);
    usage[block->device].now -= static_cast<int64_t>(block->bytes);
  }
  std::free(block->pointer);
  delete block;
}

void release_pinned_block(void* context) {
  auto* block = static_cast<Block*>(context);
  {
    std::lock_guard<std::mutex> lock(memory_mutex);
    pinned_blocks.erase(static_cast<const char*>(block->pointer));
  }
  std::free(block->pointer);
  delete block;
}

struct DeviceAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    initialize();
    const c10::Device device(kNpu, current_device());
    if (bytes == 0) return {nullptr, device};
    auto* block = new_block(bytes);
    std::lock_guard<std::mutex> lock(memory_mutex);
    auto& on_device = usage[block->device];
    on_device.now += static_cast<int64_t>(block->bytes);
    on_device.peak = std::max(on_device.peak, on_device.now);
    return {block->pointer, block, release_device_block, device};
  }

  void copy_data(void* target, const void* source, size_t bytes) const override {
    std::memcpy(target, source, bytes);
  }
};

struct PinnedAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    initialize();
    if (bytes == 0) return {nullptr, c10::DeviceType::CPU};
    auto* block = new_block(bytes);
    std::lock_guard<std::mutex> lock(memory_mutex);
    pinned_blocks[static_cast<const char*>(block->pointer)] = block->bytes;
    return {block->pointer, block, release_pinned_block, c10::DeviceType::CPU};
  }

  void copy_data(void* target, const void* source, size_t bytes) const override {
    std::memcpy(target, source, bytes);
  }
};

DeviceAllocator the_device_allocator;
PinnedAllocator the_pinned_allocator;

Usage& usage_of(int64_t device) {
  TORCH_CHECK(device >= 0 && device < device_count(), "Invalid NPU device ID ", device);
  return usage[device];
}

}  // namespace

REGISTER_ALLOCATOR(kNpu, &the_device_allocator);

c10::Allocator* device_allocator() { return &the_device_allocator; }

c10::Allocator* pinned_allocator() { return &the_pinned_allocator; }

bool is_pinned(const void* pointer) {
  const auto* address = static_cast<const char*>(pointer);
  std::lock_guard<std::mutex> lock(memory_mutex);
  auto after = pinned_blocks.upper_bound(address);
  if (after == pinned_blocks.begin()) return false;
  const auto& [start, bytes] = *std::prev(after);
  return address < start + bytes;
}

int64_t memory_allocated(int64_t device) {
  std::lock_guard<std::mutex> lock(memory_mutex);
  return usage_of(device).now;
}

int64_t max_memory_allocated(int64_t device) {
  std::lock_guard<std::mutex> lock(memory_mutex);
  return usage_of(device).peak;
}

void reset_peak_memory_stats(int64_t device) {
  std::lock_guard<std::mutex> lock(memory_mutex);
  usage_of(device).peak = usage_of(device).now;
}

}  // namespace simulated_npu
