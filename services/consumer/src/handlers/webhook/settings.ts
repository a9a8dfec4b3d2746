// The webhook handler's part of the settings.
import { Type } from "@sinclair/typebox";

export const webhookSettings = {
  WEBHOOK_URL: Type.Optional(
    Type.String({
      pattern: "^https?://",
      examples: ["https://example.com/events"],
      description: "Where CONSUMER_HANDLER=webhook posts events to.",
    }),
  ),
  WEBHOOK_TIMEOUT_MS: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 600_000,
    description: "A request without an answer has failed after this.",
  }),
};
