#include "shim/exception.h"
#include "shim/function-callback-info.h"
#include "shim/object-wrap-data.h"

namespace shim {

namespace {

// Made up once for this addon; the tag's uniqueness is all that matters.
constexpr napi_type_tag kWrapTag = {0x6b61666b612d6e61, 0x746976652d777261};

void FinalizeWrap(napi_env, void* data, void*) {
  auto* wrap = static_cast<WrapData*>(data);
  Environment* environment = wrap->environment;
  // Node runs the remaining finalizers at the environment's end.
  if (!environment->alive()) return;
  EnvironmentScope current(environment);
  if (environment->verified_wrap == wrap) environment->verified_wrap = nullptr;
  delete wrap->object;
  delete wrap;
}

}  // namespace

const WrapData* FindWrap(napi_value value) {
  Environment& environment = Environment::Current();
  void* data = nullptr;
  if (value == nullptr || napi_unwrap(environment.env(), value, &data) != napi_ok) return nullptr;
  if (data == nullptr) return nullptr;
  if (data != environment.verified_wrap) {
    bool ours = false;
    if (napi_check_object_type_tag(environment.env(), value, &kWrapTag, &ours) != napi_ok || !ours)
      return nullptr;
    environment.verified_wrap = data;
  }
  return static_cast<WrapData*>(data);
}

}  // namespace shim

namespace Nan {

void ObjectWrap::Wrap(const v8::Local<v8::Object>& object) {
  shim::Environment& environment = shim::Environment::Current();
  auto* wrap = new shim::WrapData{&environment, this, environment.frame->constructing};
  napi_env env = environment.env();
  if (napi_type_tag_object(env, object.handle(), &shim::kWrapTag) != napi_ok ||
      napi_wrap(env, object.handle(), wrap, shim::FinalizeWrap, nullptr, nullptr) != napi_ok) {
    shim::Fatal("wrapping an object");
  }
}

ObjectWrap* ObjectWrap::Find(napi_value object) {
  const shim::CallFrame* frame = shim::Environment::Current().frame;
  if (frame != nullptr && frame->wrapped != nullptr && frame->receiver == object) {
    return static_cast<ObjectWrap*>(frame->wrapped);
  }
  const shim::WrapData* wrap = shim::FindWrap(object);
  return wrap == nullptr ? nullptr : wrap->object;
}

}  // namespace Nan
