/**
 * Base64 of the Kubernetes API.
 *
 * @module
 */

/** The UTF-8 text of a base64 value; malformed input gives an empty text. */
export function decodeBase64Text(value: string): string {
  try {
    const bytes = Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    return "";
  }
}
