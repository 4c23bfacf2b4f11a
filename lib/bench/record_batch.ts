/**
 * Requests on their way from one thread to another: columns of numbers, whose memory changes
 * hands without a copy, and the few words that failures have.
 *
 * @module
 */
import { type FailureKind, newRecord, RECORD_NUMBERS, type RequestRecord } from "./record.ts";

// The request's and the lane's number come first.
const WIDTH = 2 + RECORD_NUMBERS.length;

/** Some requests. */
export interface RecordBatch {
  /** Rows of numbers. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** What else there is to say about some of the rows. */
  readonly notes: readonly RecordNote[];
}

/** What numbers do not say. */
export interface RecordNote {
  /** Number of the row. */
  readonly row: number;
  /** Whether it was sent again. */
  readonly resent: boolean;
  /** Why it failed. */
  readonly failure: FailureKind | undefined;
  /** What was said about it. */
  readonly message: string;
}

/** Packs requests. */
export function packRecords(records: readonly RequestRecord[]): RecordBatch {
  const numbers = new Float64Array(records.length * WIDTH);
  const notes: RecordNote[] = [];
  for (let row = 0, at = 0; row < records.length; row++) {
    const record = records[row]!;
    numbers[at++] = record.index;
    numbers[at++] = record.lane;
    for (const name of RECORD_NUMBERS) numbers[at++] = record[name];
    const { resent, failure, message } = record;
    if (resent || failure !== undefined) notes.push({ row, resent, failure, message });
  }
  return { numbers, notes };
}

/** The requests of a batch. */
export function unpackRecords({ numbers, notes }: RecordBatch): RequestRecord[] {
  const records: RequestRecord[] = [];
  for (let at = 0; at < numbers.length;) {
    const record = newRecord(numbers[at++]!, numbers[at++]!, NaN);
    for (const name of RECORD_NUMBERS) record[name] = numbers[at++]!;
    records.push(record);
  }
  for (const { row, resent, failure, message } of notes) {
    Object.assign(records[row]!, { resent, failure, message });
  }
  return records;
}
