/**
 * Requests as lines that a person can run by hand.
 *
 * @module
 */
import { baseUrl, type Call, type Endpoint } from "./endpoint.ts";

/**
 * The call as a curl line. An API key is shown as `$OPENAI_API_KEY`, the value of another header
 * as a variable named after it.
 */
export function curlLine(endpoint: Endpoint, call: Call): string {
  const words = ["curl", "-sS"];
  const streamed = call.body?.stream === true;
  if (streamed) words.push("-N");
  words.push(quote(baseUrl(endpoint.url) + call.path));
  if (endpoint.apiKey !== undefined) words.push("-H", '"Authorization: Bearer $OPENAI_API_KEY"');
  for (const name of Object.keys(endpoint.headers ?? {})) {
    words.push("-H", `"${name}: $${name.toUpperCase().replaceAll(/\W/g, "_")}"`);
  }
  const body = call.raw ?? (call.body === undefined ? undefined : JSON.stringify(call.body));
  if (body !== undefined) {
    words.push("-H", quote("Content-Type: application/json"), "-d", quote(body));
  }
  return words.join(" ");
}

// For a POSIX shell: everything between single quotes is literal.
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
