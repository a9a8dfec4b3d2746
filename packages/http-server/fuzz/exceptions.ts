// Where this server takes what llhttp refuses, or reads it differently, and why that is right.
import { METHODS } from "node:http";
import type { TakenRequest } from "./outcome.ts";

export interface Exception {
  readonly name: string;
  readonly reason: string;
  /** @param stream all bytes. @returns the request may differ from llhttp's, or be refused by it */
  applies(request: TakenRequest, stream: string): boolean;
}

export const exceptions: readonly Exception[] = [
  {
    name: "other methods",
    reason:
      "llhttp has a list of methods; to RFC 9110, section 9.1, any token is one, and the application refuses it with a 405.",
    applies: ({ method }) => !METHODS.includes(method),
  },
  {
    name: "later minor versions",
    reason: "RFC 9110, section 2.5: a recipient takes HTTP/1.2 for the highest minor version that it knows.",
    applies: (_, stream) => / HTTP\/1\.[2-9]\r\n/.test(stream),
  },
  {
    name: "blanks in chunk extensions",
    reason: "RFC 9112, section 7.1.1: a recipient must parse such blanks (BWS), and remove them.",
    applies: (_, stream) => /\r\n[\da-f]+(?:[\t ]+;|;[^\r\n]*[\t ])[^\r\n]*\r\n/i.test(stream),
  },
  {
    name: "a tab behind a length or a coding",
    reason: "RFC 9110, section 5.5: blanks around a value, spaces and tabs, are no part of it.",
    applies: (_, stream) => /\r\n(?:Content-Length|Transfer-Encoding):[\t ]*\w+ *\t[\t ]*\r\n/i.test(stream),
  },
  {
    name: "an upgrade",
    reason:
      "llhttp reads no request behind one that offers an upgrade. A server may ignore the offer (RFC 9110, section 7.8), and this one does.",
    applies: (_, stream) => /\r\nUpgrade:/i.test(stream) && /\r\nConnection:[^\r]*Upgrade/i.test(stream),
  },
];
