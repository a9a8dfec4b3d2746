// The rule: whatever this server accepts, llhttp accepts too, as the same request; and packets change nothing.
import { isDeepStrictEqual } from "node:util";
import { exceptions } from "./exceptions.ts";
import type { NodeOutcome } from "./node-server.ts";
import type { AcceptedRequest, Outcome } from "./outcome.ts";

/** @returns what breaks the rule; undefined when nothing does */
export function compareWithNode(own: Outcome, node: NodeOutcome, stream: string): string | undefined {
  // This server responds to `OPTIONS *` itself: no handler gets it.
  const others = node.requests.filter(({ target }) => target !== "*");
  for (const [at, request] of own.requests.entries()) {
    const other = others[at];
    if (other !== undefined && isDeepStrictEqual(request, toSameForm(other))) continue;
    // What follows a request that llhttp reads differently can't be compared.
    if (exceptions.some(({ applies }) => applies(request, stream))) return undefined;
    return `request ${at}: ${JSON.stringify(request)}\nnode: ${JSON.stringify(other)} ${node.error ?? ""}`;
  }
  return undefined;
}

/** node:http leaves a target in absolute form as it is. */
function toSameForm(request: AcceptedRequest): AcceptedRequest {
  const absolute = /^https?:\/\/([^/?]*)(.*)$/i.exec(request.target);
  if (absolute === null) return request;
  const [, authority = "", rest = ""] = absolute;
  return {
    ...request,
    target: rest.startsWith("/") ? rest : `/${rest}`,
    fields: [...new Map(request.fields).set("host", authority)].sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}

/** @returns what differs between the stream in one piece and the stream as it was cut; undefined when nothing does */
export function compareCuts(whole: Outcome, cut: Outcome): string | undefined {
  return isDeepStrictEqual(whole, cut)
    ? undefined
    : `in one piece: ${JSON.stringify(whole)}\ncut: ${JSON.stringify(cut)}`;
}
