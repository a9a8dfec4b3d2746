// Where this server accepts what llhttp rejects, or reads it differently, and why that is right.
import { METHODS } from "node:http";
import type { AcceptedRequest } from "./outcome.ts";

export interface Exception {
  readonly name: string;
  readonly reason: string;
  /** @param stream all bytes. @returns the request may differ from llhttp's, or be rejected by it */
  applies(request: AcceptedRequest, stream: string): boolean;
}

export const exceptions: readonly Exception[] = [
  {
    name: "other methods",
    reason:
      "llhttp has a list of methods; to RFC 9110, section 9.1, any token is one, and the application rejects it with a 405.",
    applies: ({ method }) => !METHODS.includes(method),
  },
  {
    name: "later minor versions",
    reason:
      "RFC 9110, section 2.5: a recipient handles a higher minor version, such as HTTP/1.2, as the highest one that it knows.",
    applies: (_, stream) => / HTTP\/1\.[2-9]\r\n/.test(stream),
  },
  {
    name: "whitespace in chunk extensions",
    reason: "RFC 9112, section 7.1.1: a recipient must parse such whitespace (BWS), and remove it.",
    applies: (_, stream) => /\r\n[\da-f]+(?:[\t ]+;|;[^\r\n]*[\t ])[^\r\n]*\r\n/i.test(stream),
  },
  {
    name: "a tab after a length or a coding",
    reason: "RFC 9110, section 5.5: spaces and tabs around a value are no part of it.",
    applies: (_, stream) => /\r\n(?:Content-Length|Transfer-Encoding):[\t ]*\w+ *\t[\t ]*\r\n/i.test(stream),
  },
  {
    name: "an upgrade",
    reason:
      "llhttp reads no request after one that offers an upgrade. A server may ignore the offer (RFC 9110, section 7.8), and this one does.",
    applies: (_, stream) => /\r\nUpgrade:/i.test(stream) && /\r\nConnection:[^\r]*Upgrade/i.test(stream),
  },
];
