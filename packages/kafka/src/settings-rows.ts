// The parts of a settings row.
import { Type } from "@sinclair/typebox";

export const HOUR_MS = 3_600_000;
/** The largest value of most of librdkafka's numbers. */
export const INT_MAX = 2_147_483_647;

export function integer(librdkafka: string, range: [number, number], value: number, description: string) {
  return Type.Integer({ librdkafka, minimum: range[0], maximum: range[1], default: value, description });
}

export function flag(librdkafka: string, value: boolean, description: string) {
  return Type.Boolean({ librdkafka, default: value, description });
}

export function choice<const T extends string[]>(
  librdkafka: string,
  values: T,
  value: T[number],
  description: string,
) {
  return Type.Union(
    values.map((v) => Type.Literal(v as T[number])),
    { librdkafka, default: value, description },
  );
}

export function optionalText(librdkafka: string, description: string) {
  return Type.Optional(Type.String({ librdkafka, description }));
}
