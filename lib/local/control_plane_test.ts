import assert from "node:assert/strict";
import {
  apiserverSpec,
  controllerManagerSpec,
  type ControlPlaneInputs,
  etcdSpec,
  kwokSpec,
  schedulerSpec,
} from "./control_plane.ts";
import { CLIENT_NAMES } from "./credentials.ts";
import { localLayout } from "./layout.ts";

const layout = localLayout({ home: "/home/joe/project/.dynamo" });
const tokens = Object.fromEntries(CLIENT_NAMES.map((name) => [name, `secret-${name}`]));
const INPUTS: ControlPlaneInputs = {
  layout,
  programs: {
    origin: "build",
    versions: { kubernetes: "1.36.3", etcd: "3.6.8", kwok: "0.8.0" },
    commands: {
      "etcd": ["/cache/control-plane", "etcd"],
      "kube-apiserver": ["/cache/control-plane", "kube-apiserver"],
      "kube-controller-manager": ["/cache/control-plane", "kube-controller-manager"],
      "kube-scheduler": ["/cache/control-plane", "kube-scheduler"],
      "kwok": ["/cache/control-plane", "kwok"],
    },
  },
  credentials: {
    tokens: tokens as ControlPlaneInputs["credentials"]["tokens"],
    tokenFile: `${layout.pki}/tokens.csv`,
    serviceAccountKey: `${layout.pki}/sa.key`,
    serviceAccountPublicKey: `${layout.pki}/sa.pub`,
    servingFolder: `${layout.pki}/serving`,
  },
  ports: { apiserver: 40001, kubelet: 40002 },
  ca: "authority",
};

const SPECS = () => [
  etcdSpec(INPUTS),
  apiserverSpec(INPUTS),
  controllerManagerSpec(INPUTS),
  schedulerSpec(INPUTS),
  kwokSpec(INPUTS, "stages"),
];

Deno.test("command lines and environments hold no token", () => {
  for (const { command, env } of SPECS()) {
    assert.ok(!JSON.stringify([command, env]).includes("secret-"), command.join(" "));
  }
});

Deno.test("whatever listens, listens on loopback or on a socket file", () => {
  for (const { command } of SPECS()) {
    const text = command.join(" ");
    assert.ok(!text.includes("0.0.0.0"), text);
    for (
      const flag of command.filter((each) => /^--(listen|advertise|initial-adv).*urls=/.test(each))
    ) {
      assert.match(flag, /=unix:\/\/[a-z.-]+:0$/);
    }
  }
  assert.ok(apiserverSpec(INPUTS).command.includes("--bind-address=127.0.0.1"));
  assert.ok(kwokSpec(INPUTS, "").command.includes("--server-address=127.0.0.1:40002"));
  assert.ok(controllerManagerSpec(INPUTS).command.includes("--secure-port=0"));
  assert.ok(schedulerSpec(INPUTS).command.includes("--secure-port=0"));
});

Deno.test("the API server asks everybody who they are and may not run commands in pods", () => {
  const { command } = apiserverSpec(INPUTS);
  assert.ok(command.includes("--anonymous-auth=false"));
  assert.ok(command.includes("--authorization-mode=RBAC"));
  const kinds = kwokSpec(INPUTS, "").command.find((each) => each.startsWith("--enable-crds="));
  assert.equal(kinds, "--enable-crds=Logs,ClusterLogs,PortForward,ClusterPortForward");
});

Deno.test("clients are started again when port, authority or token change", () => {
  const inputs = schedulerSpec(INPUTS).inputs;
  assert.notDeepEqual(schedulerSpec({ ...INPUTS, ca: "new" }).inputs, inputs);
  const ports = { ...INPUTS.ports, apiserver: 1 };
  assert.notDeepEqual(schedulerSpec({ ...INPUTS, ports }).inputs, inputs);
});
