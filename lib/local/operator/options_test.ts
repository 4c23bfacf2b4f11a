import assert from "node:assert/strict";
import { readOptions } from "./options.ts";

const NEEDED = ["--kubeconfig", "k", "--release", "0.4.1", "--namespace", "dynamo"];

Deno.test("the process's flags are read", () => {
  const options = readOptions([
    ...NEEDED,
    "--nats",
    "nats://n:4222",
    "--etcd=e:2379",
    "--restrict-namespace",
    "one",
    "--health-port",
    "8081",
  ]);
  assert.equal(options.kubeconfig, "k");
  assert.equal(options.healthPort, 8081);
  assert.equal(options.settings.features.behaviour, "legacy");
  const { natsAddress, etcdAddress, restrictNamespace } = options.settings;
  assert.deepEqual([natsAddress, etcdAddress, restrictNamespace], [
    "nats://n:4222",
    "e:2379",
    "one",
  ]);
  const bare = readOptions(NEEDED).settings;
  assert.deepEqual([bare.natsAddress, bare.restrictNamespace], [undefined, undefined]);
});

Deno.test("missing and malformed flags are named", () => {
  assert.throws(() => readOptions(NEEDED.slice(2)), /--kubeconfig is missing/);
  assert.throws(() => readOptions([...NEEDED, "--health-port", "x"]), /--health-port x is no port/);
  assert.throws(() => readOptions([...NEEDED, "--what"]), { code: "OPERATOR_USAGE", exitCode: 2 });
});
