/**
 * Columns that a text takes on a terminal.
 *
 * @module
 */

// Blocks of UAX #11 whose characters are wide or fullwidth, and emoji shown as pictures.
const WIDE =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}/u;
const NOTHING = /^[\p{Cc}\p{Cf}\p{Mn}\p{Me}\u1160-\u11ff]/u;

/** Counts columns: wide characters take two, control and combining ones none. */
export function unicodeWidth(str: string): number {
  let width = 0;
  for (const character of str) {
    if (NOTHING.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}
