// Every name of the supported surface, called the way Confluent's client calls
// it. Each file has the case of the same name in ../cases; the same sources are
// built against this package's headers and against NAN's own.
#pragma once

#include <nan.h>
#include <uv.h>

namespace surface {

void InitArguments(v8::Local<v8::Object> exports);
void InitAsyncs(v8::Local<v8::Object> exports);
void InitBuffers(v8::Local<v8::Object> exports);
void InitCallbacks(v8::Local<v8::Object> exports);
void InitClasses(v8::Local<v8::Object> exports);
void InitConversions(v8::Local<v8::Object> exports);
void InitErrors(v8::Local<v8::Object> exports);
void InitHandles(v8::Local<v8::Object> exports);
void InitLocks(v8::Local<v8::Object> exports);
void InitModule(v8::Local<v8::Object> exports);
void InitObjects(v8::Local<v8::Object> exports);
void InitReferences(v8::Local<v8::Object> exports);
void InitStrings(v8::Local<v8::Object> exports);
void InitValues(v8::Local<v8::Object> exports);
void InitWorkers(v8::Local<v8::Object> exports);

inline void Offer(v8::Local<v8::Object> exports, const char* name, Nan::FunctionCallback callback) {
  Nan::Set(exports, Nan::New(name).ToLocalChecked(),
           Nan::GetFunction(Nan::New<v8::FunctionTemplate>(callback)).ToLocalChecked());
}

}  // namespace surface
