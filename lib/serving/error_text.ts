/**
 * What an error answer says, whichever of the known shapes it has.
 *
 * @module
 */

/** Longest excerpt of an answer that goes into a message, in characters. */
const EXCERPT = 300;

/**
 * The message in an error body: `{"error": ".."}`, `{"error": {"message": ".."}}` (OpenAI, vLLM),
 * `{"message", "type", "code"}` (Dynamo 1.x), `{"detail": ".."}`, or plain text. One line,
 * cut to a readable length; empty for an empty body.
 */
export function errorText(body: string): string {
  const trimmed = body.trim();
  if (trimmed.startsWith("{")) {
    try {
      const message = errorMessage(JSON.parse(trimmed));
      if (message !== undefined) return excerpt(message);
    } catch {
      // Not JSON after all: shown as it is.
    }
  }
  return excerpt(trimmed);
}

/** The message in an error object, or undefined when the value does not look like an error. */
export function errorMessage(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { error, message, detail } = value as Record<string, unknown>;
  if (typeof error === "string") return error;
  if (typeof error === "object" && error !== null) {
    return errorMessage(error) ?? JSON.stringify(error);
  }
  if (typeof message === "string") return message;
  if (typeof detail === "string") return detail;
  return undefined;
}

/** The text on one line, cut to a readable length. */
export function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= EXCERPT ? line : `${line.slice(0, EXCERPT - 1)}…`;
}
