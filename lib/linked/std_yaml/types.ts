/**
 * The error of a text that is not YAML.
 *
 * @module
 */

/** Where in the text something is wrong. */
export interface YamlPosition {
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1. */
  readonly column: number;
  /** Characters from the start of the text, from 0. */
  readonly offset: number;
}

/** A text is not YAML; the message ends with `at line L, column C`. */
export class YamlSyntaxError extends SyntaxError {
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1. */
  readonly column: number;
  /** Characters from the start of the text, from 0. */
  readonly offset: number;
  /** The lines around the place. */
  readonly snippet?: string;

  /** Builds the error from the reason, the place and, if known, the lines around it. */
  constructor(message: string, position: YamlPosition, snippet?: string) {
    const place = `${message} at line ${position.line}, column ${position.column}`;
    super(snippet ? `${place}:\n${snippet}` : place);
    this.name = "YamlSyntaxError";
    this.line = position.line;
    this.column = position.column;
    this.offset = position.offset;
    if (snippet !== undefined) this.snippet = snippet;
  }
}
