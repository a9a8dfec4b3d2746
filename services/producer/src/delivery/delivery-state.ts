// The states of delivery, and the transitions between them: a pure function, with the time as part of each event.

/** Whether and how waiting events are sent while new ones go behind them. */
type Replay =
  /** As fast as the client and the replay window allow. */
  | "sending"
  /** A delivery failed just now and may fail as fast again: nothing is sent before `resumeMs`. */
  | "backing_off"
  /** Nothing is sent until no event is in flight; then replay returns to the records it has skipped. */
  | "rewinding";

export type State =
  | { readonly name: "new" }
  /** Events go straight to the client: no older event waits. */
  | { readonly name: "direct" }
  /** New events wait behind older ones. */
  | {
      readonly name: "spooling";
      readonly replay: Replay;
      readonly resumeMs: number;
      /** Replay has passed rejected records that could not be quarantined. */
      readonly hasSkipped: boolean;
    }
  /**
   * Kafka refused events: nothing is sent until each event in flight has its outcome. New events wait in the journal when
   * older ones do, and otherwise in memory.
   */
  | {
      readonly name: "draining";
      readonly deadlineMs: number;
      readonly isSpooling: boolean;
      readonly hasSkipped: boolean;
    }
  /** Events that wait in memory are sent again, and new ones go behind them. None waits in the journal. */
  | { readonly name: "resending" }
  | { readonly name: "stopping" };

export type StateEvent =
  | { readonly type: "started"; readonly hasBacklog: boolean }
  /** The client takes no events, or too many wait in memory. */
  | { readonly type: "blocked" }
  /** Kafka refused a batch. */
  | { readonly type: "batch_refused"; readonly nowMs: number }
  /** Each event in flight has its outcome, or the time for that is over; the others are sent again. */
  | { readonly type: "drained" }
  /** The events in flight were taken back. */
  | { readonly type: "reclaimed"; readonly nowMs: number; readonly pauseMs: number }
  /** The journal can't be read. */
  | { readonly type: "unreadable"; readonly nowMs: number }
  /** A rejected record stays in the journal, because it can't be quarantined now. */
  | { readonly type: "skipped" }
  /** Every waiting event was sent. */
  | { readonly type: "caught_up"; readonly connected: boolean; readonly canQuarantine: boolean }
  /** No event is in flight. */
  | { readonly type: "idle" }
  | { readonly type: "tick"; readonly nowMs: number }
  | { readonly type: "stopped" };

export const NEW: State = Object.freeze({ name: "new" });
const DIRECT: State = Object.freeze({ name: "direct" });
const STOPPING: State = Object.freeze({ name: "stopping" });
const RESENDING: State = Object.freeze({ name: "resending" });
const SENDING: State = Object.freeze({ name: "spooling", replay: "sending", resumeMs: 0, hasSkipped: false });

/** Longest wait for the outcomes of events in flight after a refusal, ms. They usually arrive within one round trip. */
export const DRAIN_MS = 1_000;

/** The state after an event; the same object when the event changes nothing. */
export function transition(state: State, event: StateEvent): State {
  if (event.type === "stopped") return STOPPING;
  switch (state.name) {
    case "new":
      if (event.type !== "started") return state;
      return event.hasBacklog ? SENDING : DIRECT;
    case "stopping":
      return state;
    case "direct":
    case "resending":
      return fromMemory(state, event);
    case "draining":
      return fromDraining(state, event);
    case "spooling":
      return fromSpooling(state, event);
  }
}

/** No event waits in the journal. */
function fromMemory(state: State, event: StateEvent): State {
  switch (event.type) {
    case "blocked":
      return SENDING;
    case "skipped":
      return { ...SENDING, hasSkipped: true } as State;
    case "batch_refused":
      return { name: "draining", deadlineMs: event.nowMs + DRAIN_MS, isSpooling: false, hasSkipped: false };
    case "reclaimed":
      return backingOff(event.nowMs + event.pauseMs, false);
    case "caught_up":
      return event.connected ? DIRECT : state;
    default:
      return state;
  }
}

function fromDraining(state: State & { name: "draining" }, event: StateEvent): State {
  switch (event.type) {
    case "drained":
      return state.isSpooling ? ({ ...SENDING, hasSkipped: state.hasSkipped } as State) : RESENDING;
    case "blocked":
      return state.isSpooling ? state : { ...state, isSpooling: true };
    case "reclaimed":
      return backingOff(event.nowMs + event.pauseMs, false);
    case "skipped":
      return { ...state, isSpooling: true, hasSkipped: true };
    default:
      return state;
  }
}

function fromSpooling(state: State & { name: "spooling" }, event: StateEvent): State {
  switch (event.type) {
    case "batch_refused":
      return {
        name: "draining",
        deadlineMs: event.nowMs + DRAIN_MS,
        isSpooling: true,
        hasSkipped: state.hasSkipped || state.replay === "rewinding",
      };
    case "reclaimed":
      // Replay begins again at the oldest record, and so passes the skipped ones.
      return backingOff(event.nowMs + event.pauseMs, false);
    case "unreadable":
      return backingOff(event.nowMs, state.hasSkipped);
    case "skipped":
      return state.hasSkipped ? state : { ...state, hasSkipped: true };
    case "caught_up":
      if (state.replay !== "sending") return state;
      if (!state.hasSkipped) return event.connected ? DIRECT : state;
      return event.canQuarantine ? { ...state, replay: "rewinding" } : state;
    case "idle":
      return state.replay === "rewinding" ? SENDING : state;
    case "tick":
      return state.replay === "backing_off" && event.nowMs >= state.resumeMs
        ? { ...state, replay: "sending" }
        : state;
    default:
      return state;
  }
}

function backingOff(resumeMs: number, hasSkipped: boolean): State {
  return { name: "spooling", replay: "backing_off", resumeMs, hasSkipped };
}
