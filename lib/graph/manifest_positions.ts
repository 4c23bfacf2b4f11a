/**
 * YAML documents with the place of every value in their text, so that a value can be changed
 * without touching anything around it. `@std/yaml` has no positions, hence `js-yaml` here.
 *
 * @module
 */
import {
  constructFromEvents,
  CORE_SCHEMA,
  type Event,
  EVENT_ID,
  getScalarValue,
  mergeTag,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from "js-yaml";
import { checkPlain } from "../cli/plain_yaml.ts";

/** Keys and indices from the document's root. */
export type YamlPath = readonly (string | number)[];

/** A scalar with its place. */
export interface PlacedScalar {
  /** Where it stands in the document; for an alias the place of the alias. */
  readonly path: YamlPath;
  /** The text it stands for. */
  readonly value: string;
  /** Start of the value in the text, without quotes; -1 for an empty one. */
  readonly start: number;
  /** End of the value, exclusive, without quotes. */
  readonly end: number;
}

/** A mapping with its place. */
export interface PlacedMapping {
  /** Where it stands in the document. */
  readonly path: YamlPath;
  /** Block style: its first key. Flow style: its brace. */
  readonly start: number;
  /** `{a: b}` rather than lines. */
  readonly flow: boolean;
}

/** One document. */
export interface PlacedDocument {
  /** Its value; undefined when the text holds only comments. */
  readonly value: unknown;
  /** Scalars that are values (not keys), in the order of the text. */
  readonly scalars: readonly PlacedScalar[];
  /** Mappings, in the order of the text. */
  readonly mappings: readonly PlacedMapping[];
}

/**
 * Splits a text into its documents; joined, they are the text again. A marker belongs to the
 * document that it begins. (YAML allows `---` at the start of a line for nothing else.)
 */
export function splitDocuments(text: string): string[] {
  return text.split(/^(?=---(?:\s|$))/m).filter((part) => part !== "");
}

// As kubectl reads it: merge keys, and (see below) octal numbers of YAML 1.1.
const SCHEMA = CORE_SCHEMA.withTags(mergeTag);
const YAML_1_1_OCTAL = /^0[0-7]+$/;

/**
 * Reads one document.
 *
 * @throws {SyntaxError} with line and column, counted from the start of this text.
 */
export function readDocument(text: string): PlacedDocument {
  try {
    const events = parseEvents(text, {});
    const values = constructFromEvents(events, { source: text, schema: SCHEMA });
    if (values.length > 1) throw new SyntaxError("more than one document");
    checkPlain(values[0]);
    const walk = new Walk(text, values[0]);
    walk.run(events);
    return { value: values[0] ?? undefined, scalars: walk.scalars, mappings: walk.mappings };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const place = error.mark === undefined
      ? ""
      : ` at line ${error.mark.line + 1}, column ${error.mark.column + 1}`;
    throw new SyntaxError(`${error.reason}${place}`, { cause: error });
  }
}

interface Level {
  readonly kind: "mapping" | "sequence";
  readonly path: YamlPath;
  /** Entries seen; in a mapping, keys and values alike. */
  count: number;
  /** The key whose value comes next. */
  key: string;
}

class Walk {
  readonly scalars: PlacedScalar[] = [];
  readonly mappings: PlacedMapping[] = [];
  readonly #text: string;
  readonly #document: unknown;
  readonly #levels: Level[] = [];
  readonly #anchors = new Map<string, ScalarEvent>();

  constructor(text: string, document: unknown) {
    this.#text = text;
    this.#document = document;
  }

  run(events: readonly Event[]): void {
    for (const event of events) {
      switch (event.type) {
        case EVENT_ID.DOCUMENT:
          break;
        case EVENT_ID.POP:
          this.#levels.pop();
          break;
        case EVENT_ID.SCALAR:
          this.#scalar(event);
          break;
        case EVENT_ID.ALIAS:
          this.#alias(this.#text.slice(event.anchorStart, event.anchorEnd));
          break;
        default:
          this.#collection(event);
      }
    }
  }

  #collection(event: Extract<Event, { start: number }>): void {
    const path = this.#enter("");
    const kind = event.type === EVENT_ID.MAPPING ? "mapping" : "sequence";
    if (kind === "mapping") {
      this.mappings.push({ path, start: event.start, flow: this.#text[event.start] === "{" });
    }
    this.#levels.push({ kind, path, count: 0, key: "" });
  }

  #scalar(event: ScalarEvent): void {
    const value = event.valueStart < 0 ? "" : getScalarValue(this.#text, event);
    if (event.anchorStart >= 0) {
      this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), event);
    }
    const isKey = this.#atKey();
    const path = this.#enter(value);
    if (isKey) return;
    this.scalars.push({ path, value, start: event.valueStart, end: event.valueEnd });
    const plain = event.style === SCALAR_STYLE.PLAIN && event.tagStart < 0;
    if (plain && YAML_1_1_OCTAL.test(value)) setAt(this.#document, path, parseInt(value, 8));
  }

  #alias(name: string): void {
    const isKey = this.#atKey();
    const event = this.#anchors.get(name);
    const value = event === undefined ? "" : getScalarValue(this.#text, event);
    const path = this.#enter(value);
    if (isKey || event === undefined) return;
    this.scalars.push({ path, value, start: event.valueStart, end: event.valueEnd });
  }

  #atKey(): boolean {
    const level = this.#levels.at(-1);
    return level?.kind === "mapping" && level.count % 2 === 0;
  }

  /** Path of the node that comes now; `value` is kept when the node is a key. */
  #enter(value: string): YamlPath {
    const level = this.#levels.at(-1);
    if (level === undefined) return [];
    const index = level.count++;
    if (level.kind === "sequence") return [...level.path, index];
    if (index % 2 === 0) level.key = value;
    return [...level.path, level.key];
  }
}

/** Sets a value inside of an object; does nothing when the way there does not exist. */
export function setAt(root: unknown, path: YamlPath, value: unknown): void {
  const last = path.at(-1);
  const parent = path.slice(0, -1).reduce<unknown>(
    (at, key) => isObject(at) ? at[key] : undefined,
    root,
  );
  if (last !== undefined && isObject(parent)) parent[last] = value;
}

function isObject(value: unknown): value is Record<string | number, unknown> {
  return typeof value === "object" && value !== null;
}
