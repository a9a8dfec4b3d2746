// Settings of the webhook handler.
import { Type } from "@sinclair/typebox";

export const webhookSettings = {
  WEBHOOK_URL: Type.Optional(
    Type.String({
      pattern: "^https?://",
      examples: ["https://example.com/events"],
      description: "URL to which CONSUMER_HANDLER=webhook posts events.",
    }),
  ),
  WEBHOOK_TIMEOUT_MS: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 600_000,
    description: "Time limit for a request; then it counts as failed.",
  }),
};
