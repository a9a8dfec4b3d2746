// The package's own types of events are the contract's: a difference is an error of the type check.
import { expect, test } from "bun:test";
import {
  type Durability as ContractDurability,
  type EventInput as ContractEvent,
  durabilities,
} from "@ingest/contract";
import type { EventResult as ContractResult } from "../../../services/producer/src/events/model.ts";
import type { Durability, EventInput, EventResult } from "./types.ts";

test("an event, a durability and a result are those of the contract", () => {
  const event: EventInput = { event_type: "page_view" } satisfies ContractEvent;
  const sent: ContractEvent = event;
  const result: EventResult = { index: 0, status: "stored", topic: "events" } satisfies ContractResult;
  const statuses: EventResult["status"] = result.status satisfies ContractResult["status"];
  const levels: readonly Durability[] = durabilities satisfies readonly ContractDurability[];
  expect([sent.event_type, statuses, ...levels]).toEqual([
    "page_view",
    "stored",
    "accepted",
    "durable",
    "stored",
  ]);
});

/** Assignable both ways. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
true satisfies Same<Required<EventInput>, Required<ContractEvent>>;
true satisfies Same<Durability, ContractDurability>;
true satisfies Same<EventResult["status"], ContractResult["status"]>;
true satisfies Same<keyof EventResult, keyof ContractResult>;
