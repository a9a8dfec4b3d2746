// Which forms of other products are taken.
import { type Static, type TObject, Type } from "@sinclair/typebox";

export const adapterSettings = {
  ADAPTERS: Type.Array(
    Type.Union((["segment", "posthog", "form", "pixel"] as const).map((name) => Type.Literal(name))),
    {
      default: [],
      description:
        "Other forms in which events are taken, separated by commas. `segment`, `posthog`: what the SDKs of these products send. `form`: HTML forms to `/register_event`. `pixel`: the query of the image `/pixel.gif`. Without them their paths are 404.",
    },
  ),
};
export type AdapterSettings = Readonly<Static<TObject<typeof adapterSettings>>>;
export type AdapterName = AdapterSettings["ADAPTERS"][number];
