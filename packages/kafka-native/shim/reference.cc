#include "shim/reference.h"

#include "shim/exception.h"

namespace shim {

ReferenceSlab::ReferenceSlab(napi_env env) : env_(env) {
  napi_value array = nullptr;
  if (napi_create_array(env, &array) != napi_ok || napi_create_reference(env, array, 1, &array_) != napi_ok) {
    Fatal("creating the array of references");
  }
}

napi_value ReferenceSlab::Array() const {
  napi_value array = nullptr;
  napi_get_reference_value(env_, array_, &array);
  return array;
}

uint32_t ReferenceSlab::Acquire(napi_value value) {
  uint32_t index = size_;
  if (free_.empty()) {
    size_++;
  } else {
    index = free_.back();
    free_.pop_back();
  }
  napi_set_element(env_, Array(), index, value);
  return index;
}

napi_value ReferenceSlab::Get(uint32_t index) const {
  napi_value value = nullptr;
  napi_get_element(env_, Array(), index, &value);
  return value;
}

void ReferenceSlab::Release(uint32_t index) {
  napi_value undefined = nullptr;
  napi_get_undefined(env_, &undefined);
  napi_set_element(env_, Array(), index, undefined);
  free_.push_back(index);
}

bool Reference::Usable() const {
  return environment_ != nullptr && environment_ == &Environment::Current() && environment_->alive();
}

void Reference::Reset(napi_value value) {
  Clear();
  if (value == nullptr) return;
  environment_ = &Environment::Current();
  index_ = environment_->references().Acquire(value);
}

void Reference::Clear() {
  if (Usable()) environment_->references().Release(index_);
  environment_ = nullptr;
}

napi_value Reference::Get() const { return Usable() ? environment_->references().Get(index_) : nullptr; }

}  // namespace shim
