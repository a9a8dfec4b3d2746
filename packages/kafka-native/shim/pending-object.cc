#include "shim/pending-object.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "shim/exception.h"
#include "shim/new.h"
#include "shim/property.h"

namespace shim {

namespace {

// Fewer members are set one by one: the call of the factory costs more.
constexpr size_t kFactoryThreshold = 3;

void AppendParameter(std::string& source, size_t index) {
  if (index > 0) source += ',';
  source += 'v';
  source += std::to_string(index);
}

void AppendQuoted(std::string& source, const char* key) {
  source += '"';
  for (; *key != '\0'; key++) {
    if (*key == '"' || *key == '\\') source += '\\';
    source += *key;
  }
  source += '"';
}

}  // namespace

PendingObject* PendingObjects::Reserve() {
  if (used_ == chunks_.size() * kChunkSize) chunks_.push_back(std::make_unique<Chunk>());
  PendingObject& object = At(used_++);
  object.size = 0;
  object.built = nullptr;
  return &object;
}

size_t PendingObjects::EnterScope() {
  for (; built_ < used_; built_++) Build(At(built_));
  return used_;
}

void PendingObjects::Rewind(size_t mark) {
  used_ = mark;
  built_ = std::min(built_, mark);
  if (mark == 0 && chunks_.size() > kRetainedChunks) chunks_.resize(kRetainedChunks);
}

napi_value PendingObjects::Build(PendingObject& object) {
  if (object.built != nullptr) return object.built;
  if (object.size < kFactoryThreshold) {
    napi_create_object(env_, &object.built);
    for (size_t i = 0; i < object.size; i++) SetNamed(object.built, object.keys[i], object.values[i]);
    return object.built;
  }
  napi_value receiver = nullptr;
  napi_get_undefined(env_, &receiver);
  if (napi_call_function(env_, receiver, Factory(object), object.size, object.values.data(), &object.built) !=
      napi_ok) {
    Fatal("building an object");
  }
  return object.built;
}

napi_value PendingObjects::Factory(const PendingObject& object) {
  size_t hash = object.size;
  for (size_t i = 0; i < object.size; i++) {
    hash = hash * 31 + reinterpret_cast<uintptr_t>(object.keys[i]);
  }
  napi_value factory = nullptr;
  auto found = shapes_.find(hash);
  if (found != shapes_.end()) {
    if (std::equal(found->second.keys.begin(), found->second.keys.end(), object.keys.begin(),
                   object.keys.begin() + object.size)) {
      napi_get_reference_value(env_, found->second.factory, &factory);
      return factory;
    }
    // Two lists of keys with the same hash: the later one replaces the other.
    napi_delete_reference(env_, found->second.factory);
    shapes_.erase(found);
  }
  factory = MakeFactory(object);
  Shape shape;
  shape.keys.assign(object.keys.begin(), object.keys.begin() + object.size);
  napi_create_reference(env_, factory, 1, &shape.factory);
  shapes_.emplace(hash, std::move(shape));
  return factory;
}

napi_value PendingObjects::MakeFactory(const PendingObject& object) {
  std::string source = "((";
  for (size_t i = 0; i < object.size; i++) AppendParameter(source, i);
  source += ")=>({";
  for (size_t i = 0; i < object.size; i++) {
    if (i > 0) source += ',';
    AppendQuoted(source, object.keys[i]);
    source += ":v" + std::to_string(i);
  }
  source += "}))";
  napi_value text = MakeString(source.data(), source.size());
  napi_value factory = nullptr;
  if (napi_run_script(env_, text, &factory) != napi_ok) Fatal("compiling an object's factory");
  return factory;
}

napi_value Materialize(PendingObject& object) {
  return Environment::Current().pending_objects().Build(object);
}

v8::Local<v8::Object> ReserveObject() {
  return v8::Local<v8::Object>(Environment::Current().pending_objects().Reserve());
}

}  // namespace shim
