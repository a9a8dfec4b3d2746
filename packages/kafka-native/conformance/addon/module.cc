#include <node.h>
#include <node_buffer.h>

#include "surface.h"

#if NODE_MAJOR_VERSION <= 6
#error "Confluent's sources would take the path for a Node that is long gone"
#endif

namespace surface {

enum { kConstant = 42 };

void InitModule(v8::Local<v8::Object> exports) {
  v8::Local<v8::Object> constants = Nan::New<v8::Object>();
  NODE_DEFINE_CONSTANT(constants, surface::kConstant);
  Nan::Set(exports, Nan::New("constants").ToLocalChecked(), constants);
}

void Init(v8::Local<v8::Object> exports, v8::Local<v8::Value> module, void* data) {
  (void)module;
  (void)data;
  InitArguments(exports);
  InitAsyncs(exports);
  InitBuffers(exports);
  InitCallbacks(exports);
  InitClasses(exports);
  InitConversions(exports);
  InitErrors(exports);
  InitHandles(exports);
  InitLocks(exports);
  InitModule(exports);
  InitObjects(exports);
  InitReferences(exports);
  InitStrings(exports);
  InitValues(exports);
  InitWorkers(exports);
}

}  // namespace surface

NODE_MODULE(surface, surface::Init)
