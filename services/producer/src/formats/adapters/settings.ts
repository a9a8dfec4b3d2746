// Which forms of other products are taken.
import { type Static, type TObject, Type } from "@sinclair/typebox";

export const adapterSettings = {
  ADAPTERS: Type.Array(Type.Union([Type.Literal("segment"), Type.Literal("posthog")]), {
    default: [],
    description:
      "APIs of other products whose SDKs may send events here, separated by commas: `segment`, `posthog`. Without them their paths are 404.",
  }),
};
export type AdapterSettings = Readonly<Static<TObject<typeof adapterSettings>>>;
export type AdapterName = AdapterSettings["ADAPTERS"][number];
