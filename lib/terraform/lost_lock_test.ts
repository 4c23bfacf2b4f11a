import assert from "node:assert/strict";
import { isLockOf } from "./lost_lock.ts";
import { recordingPath } from "./testing.ts";

// The recorded run says at 17:38:21.03 that it changes something.
const log = await Deno.readTextFile(recordingPath("apply-interrupted.jsonl"));
const lost = { since: "2026-11-24T17:38:19.100Z" };
const host = "laptop";
const lock = { ID: "c4090c2e", Who: "somebody@laptop", Created: "2026-11-24T17:38:20.5Z" };

Deno.test("a lock is the killed run's when it was made before the run held it, and on this machine", () => {
  const killed = log.slice(0, log.indexOf("Interrupt received"));
  assert.ok(isLockOf(lock, { lost, log, host }));
  assert.ok(isLockOf(lock, { lost, log: killed, host }), "its last line may be cut");
});

Deno.test("a lock that somebody else may have made is left alone", () => {
  const early = { ...lock, Created: "2026-11-24T17:38:19.000Z" };
  const late = { ...lock, Created: "2026-11-24T17:38:23.000Z" };
  for (const other of [early, late, { ...lock, Created: "" }, { ...lock, Who: "a@mylaptop" }]) {
    assert.ok(!isLockOf(other, { lost, log, host }), JSON.stringify(other));
  }
  assert.ok(!isLockOf(lock, { lost, log, host: "" }), "a machine without a name");
  const [version] = log.split("\n");
  for (const nothing of ["", version!, "no events"]) {
    assert.ok(!isLockOf(lock, { lost, log: nothing, host }), "a run that never held the lock");
  }
});
