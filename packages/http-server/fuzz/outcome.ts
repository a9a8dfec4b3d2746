// What became of a stream of bytes: the requests that were accepted, and how it ended.

/** A complete request. Text is Latin-1: one character a byte. */
export interface AcceptedRequest {
  readonly method: string;
  readonly target: string;
  /** Lower-case names in the order of the alphabet; the values of a repeated field are joined by commas. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface Outcome {
  readonly requests: readonly AcceptedRequest[];
  /** Of the responses, in order; without interim ones. */
  readonly statuses: readonly number[];
  readonly isClosed: boolean;
}
