// Objects under construction.
//
// napi_create_object() and one napi_set_named_property() per member take about
// 340 ns for a message of eight members; one call of a JavaScript function
// `(a, b, …) => ({"topic": a, "partition": b, …})` takes about 60 ns, since the
// engine knows the shape in advance. So Nan::New<v8::Object>() only reserves a
// PendingObject, Nan::Set() with a literal key adds to it, and the first use of
// the object as a value builds it through the function for that list of keys.
//
// Lifetime: a pending object holds handles and becomes one, so it must not be
// used outside of its handle scope. When a scope opens, all pending
// objects are built, in the scope that they belong to; when one closes, the
// storage of those made in it is reused.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

#include "shim/environment.h"

namespace shim {

struct PendingObject {
  static constexpr size_t kCapacity = 12;

  std::array<const char*, kCapacity> keys;
  std::array<napi_value, kCapacity> values;
  size_t size = 0;
  napi_value built = nullptr;

  // False: the caller has to build the object and set the member on it.
  bool Add(const char* key, napi_value value) {
    if (built != nullptr || size == kCapacity) return false;
    keys[size] = key;
    values[size++] = value;
    return true;
  }
};

class PendingObjects {
 public:
  explicit PendingObjects(napi_env env) : env_(env) {}
  PendingObjects(const PendingObjects&) = delete;
  PendingObjects& operator=(const PendingObjects&) = delete;

  PendingObject* Reserve();
  napi_value Build(PendingObject& object);

  // Before a Node-API handle scope opens: builds what is pending. The mark is for
  // Rewind() when the scope closes.
  size_t EnterScope();
  // Around a call from JavaScript, whose scope the engine has opened.
  size_t Mark() const { return used_; }
  void Rewind(size_t mark);

 private:
  static constexpr size_t kChunkSize = 64;
  // Storage kept for the next burst: that of a batch of a few thousand messages.
  static constexpr size_t kRetainedChunks = 64;
  using Chunk = std::array<PendingObject, kChunkSize>;

  struct Shape {
    std::vector<const char*> keys;
    napi_ref factory;
  };

  PendingObject& At(size_t index) { return (*chunks_[index / kChunkSize])[index % kChunkSize]; }
  napi_value Factory(const PendingObject& object);
  napi_value MakeFactory(const PendingObject& object);

  const napi_env env_;
  std::vector<std::unique_ptr<Chunk>> chunks_;
  size_t used_ = 0;
  // How many of them, from the first on, are built already.
  size_t built_ = 0;
  // By a hash of the keys' addresses, which are literals' in this very addon: an
  // address stands for its text as long as the process runs.
  std::unordered_map<size_t, Shape> shapes_;
};

// The same in terms of the current environment.
napi_value Materialize(PendingObject& object);
napi_value MakeLiteral(const char* text);
bool StrictEquals(napi_value left, napi_value right);

}  // namespace shim
