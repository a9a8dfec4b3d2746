// Settings of CloudEvents.
import { type Static, type TObject, Type } from "@sinclair/typebox";

export const cloudEventSettings = {
  CLOUDEVENTS_OUTPUT: Type.Union(
    [Type.Literal("binary"), Type.Literal("structured"), Type.Literal("event")],
    {
      default: "binary",
      description:
        "How CloudEvents are written to Kafka. binary: attributes as headers, the data as the value. structured: the whole CloudEvent as JSON. event: as an event of this service; data other than a JSON object is rejected.",
    },
  ),
  CLOUDEVENTS_KEY: Type.Union([Type.Literal("partitionkey"), Type.Literal("subject")], {
    default: "partitionkey",
    description:
      "The record's key of a CloudEvent: its attribute `partitionkey`, or `subject` where it has no `partitionkey`.",
  }),
};
export type CloudEventSettings = Static<TObject<typeof cloudEventSettings>>;
