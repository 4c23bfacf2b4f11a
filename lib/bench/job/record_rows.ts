/**
 * Requests as rows of plain JSON, which knows no NaN; times to the microsecond, as precise as the
 * clock is.
 *
 * @module
 */
import { newRecord, RECORD_NUMBERS, type RequestRecord } from "../record.ts";

/** A request: numbers in the order of the fields, null for NaN; resent, failure and message last. */
export type RecordRow = readonly (number | string | boolean | null)[];

/** The row of a request. */
export function rowOf(record: RequestRecord): RecordRow {
  const { index, lane, resent, failure, message } = record;
  const numbers = RECORD_NUMBERS.map((name) => {
    const value = record[name];
    return Number.isNaN(value) ? null : Math.round(value * 1000) / 1000;
  });
  const row = [index, lane, ...numbers];
  return failure === undefined && !resent ? row : [...row, resent, failure ?? null, message];
}

/** The request of a row. */
export function recordOf(row: RecordRow): RequestRecord {
  const [index, lane, ...rest] = row;
  const record = newRecord(Number(index), Number(lane), NaN);
  RECORD_NUMBERS.forEach((name, i) => record[name] = rest[i] === null ? NaN : Number(rest[i]));
  const [resent = false, failure, message = ""] = rest.slice(RECORD_NUMBERS.length);
  record.resent = resent === true;
  record.failure = (failure ?? undefined) as RequestRecord["failure"];
  record.message = String(message);
  return record;
}
