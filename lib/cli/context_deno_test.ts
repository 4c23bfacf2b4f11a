import assert from "node:assert/strict";
import { exists, readIfThere, removeAll, writeFileAtomic } from "./files.ts";
import { testContext } from "./testing.ts";

Deno.test("run gives output, lines and exit code", async () => {
  await using test = await testContext();
  const lines: string[] = [];
  const result = await test.ctx.processes.run("/bin/sh", [
    "-c",
    "printf 'a\\rb\\n'; echo c >&2; exit 3",
  ], {
    onLine: (line, stream) => lines.push(`${stream} ${line}`),
  });
  assert.equal(result.code, 3);
  assert.equal(result.stderr, "c\n");
  assert.deepEqual(lines.sort(), ["stderr c", "stdout a", "stdout b"]);
});

Deno.test("a daemon has an identity that a reused number does not have", async () => {
  await using test = await testContext();
  const { processes, clock } = test.ctx;
  const logFile = `${await Deno.makeTempDir()}/log`;
  const daemon = await processes.daemon("/bin/sh", ["-c", "echo started; exec sleep 60"], {
    env: { PATH: "/usr/bin:/bin" },
    logFile,
  });
  assert.ok(processes.alive(daemon));
  const printed = () => Deno.readTextFileSync(logFile) !== "";
  for (let i = 0; i < 500 && !printed(); i++) await clock.sleep(10);
  assert.ok(!processes.alive({ ...daemon, started: "somebody else's start" }));
  processes.kill({ ...daemon, started: "somebody else's start" }, "SIGKILL");
  assert.ok(processes.alive(daemon), "a process with another start was killed");
  processes.kill(daemon, "SIGKILL");
  for (let i = 0; i < 100 && processes.alive(daemon); i++) await clock.sleep(10);
  assert.ok(!processes.alive(daemon));
  assert.equal(await Deno.readTextFile(logFile), "started\n");
  assert.equal((await Deno.stat(logFile)).mode! & 0o777, 0o600);
});

Deno.test("a daemon whose program is missing is an error", async () => {
  await using test = await testContext();
  await assert.rejects(
    test.ctx.processes.daemon("/does/not/exist", [], { env: {}, logFile: "/dev/null" }),
  );
});

Deno.test("sleep ends early when aborted, and leaves no timer", async () => {
  await using test = await testContext();
  const controller = new AbortController();
  const sleeping = test.ctx.clock.sleep(60_000, controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(sleeping, /enough/);
});

Deno.test("files are written whole, private, and removed without a fuss", async () => {
  await using test = await testContext();
  const path = `${test.ctx.home}/a/b.json`;
  assert.equal(await readIfThere(test.ctx, path), undefined);
  await writeFileAtomic(test.ctx, path, "one");
  await writeFileAtomic(test.ctx, path, "two");
  assert.equal(await readIfThere(test.ctx, path), "two");
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  assert.equal((await Deno.stat(`${test.ctx.home}/a`)).mode! & 0o777, 0o700);
  const names = [];
  for await (const entry of Deno.readDir(`${test.ctx.home}/a`)) names.push(entry.name);
  assert.deepEqual(names, ["b.json"]);
  await removeAll(test.ctx, test.ctx.home);
  await removeAll(test.ctx, test.ctx.home);
  assert.equal(await exists(test.ctx, path), false);
});

Deno.test("a started program tells its end, and outlives a Ctrl-C of the terminal", async () => {
  await using test = await testContext();
  const { processes, fs } = test.ctx;
  await fs.mkdir(test.ctx.home, { recursive: true });
  const logFile = `${test.ctx.home}/log`;
  const env = test.ctx.env.toObject();
  const script = 'trap "echo asked; exit 7" INT; echo ready; while :; do sleep 0.05; done';
  const { identity, ended } = await processes.start("/bin/sh", ["-c", script], { env, logFile });
  while (!(await fs.readTextFile(logFile)).includes("ready")) await test.ctx.clock.sleep(10);
  assert.ok(processes.alive(identity));
  processes.kill(identity, "SIGINT");
  assert.equal(await ended, 7);
  assert.equal(await fs.readTextFile(logFile), "ready\nasked\n");
  const killed = await processes.start("/bin/sh", ["-c", "kill -9 $$"], { env, logFile });
  assert.equal(await killed.ended, 137);
});
