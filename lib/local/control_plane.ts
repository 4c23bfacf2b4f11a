/**
 * Command lines of the control plane's processes. Everything listens on loopback only;
 * etcd on a socket file in a folder that only its owner can enter, because it has no
 * passwords. The socket's path is relative to the cluster's folder, which is every process's
 * working directory: it may have 107 bytes, and a checkout can lie deep.
 *
 * @module
 */
import type { Programs } from "./binaries/programs.ts";
import type { ProgramName } from "./binaries/pinned.ts";
import type { Credentials } from "./credentials.ts";
import type { DaemonSpec } from "./daemon.ts";
import { kubeconfigPath } from "./kubeconfig.ts";
import type { LocalLayout } from "./layout.ts";
import { KWOK_KINDS } from "./kwok/crds.ts";
import { LOOPBACK } from "./ports.ts";
import { servingPaths } from "./serving_certificate.ts";
import type { ClusterPorts } from "./state.ts";

/** What the command lines are made from. */
export interface ControlPlaneInputs {
  /** Folders of the cluster. */
  readonly layout: LocalLayout;
  /** What to run. */
  readonly programs: Programs;
  /** Tokens and keys; only their paths reach a command line. */
  readonly credentials: Credentials;
  /** Ports on loopback. */
  readonly ports: ClusterPorts;
  /** The administrator's certificate authority, PEM; clients start again when it changes. */
  readonly ca: string;
}

/** Processes of the control plane in the order in which they are started. */
export const CONTROL_PLANE: readonly ProgramName[] = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kwok",
];

/** Milliseconds that each process gets to end by itself. */
export const STOP_MS = 8_000;

// etcd wants host:port even for sockets, and takes the whole of it for the file's name.
const ETCD_CLIENT = "unix://etcd.sock:0";
const ETCD_PEER = "unix://etcd-peer.sock:0";

/** etcd: data in the cluster's folder, no port. */
export function etcdSpec(
  { layout, programs }: Pick<ControlPlaneInputs, "layout" | "programs">,
): DaemonSpec {
  return spec("etcd", layout, [
    ...programs.commands.etcd,
    "--name=local",
    `--data-dir=${layout.etcd}`,
    `--listen-client-urls=${ETCD_CLIENT}`,
    `--advertise-client-urls=${ETCD_CLIENT}`,
    `--listen-peer-urls=${ETCD_PEER}`,
    `--initial-advertise-peer-urls=${ETCD_PEER}`,
    `--initial-cluster=local=${ETCD_PEER}`,
    "--auto-compaction-mode=revision",
    "--auto-compaction-retention=10000",
    "--log-level=warn",
  ]);
}

/** kube-apiserver. It makes its own serving certificate; clients show tokens. */
export function apiserverSpec(
  inputs: Pick<ControlPlaneInputs, "layout" | "programs" | "credentials" | "ports">,
): DaemonSpec {
  const { layout, programs, credentials, ports } = inputs;
  return spec("kube-apiserver", layout, [
    ...programs.commands["kube-apiserver"],
    `--etcd-servers=${ETCD_CLIENT}`,
    `--bind-address=${LOOPBACK}`,
    // The address in the certificate it makes.
    `--external-hostname=${LOOPBACK}`,
    `--secure-port=${ports.apiserver}`,
    `--cert-dir=${credentials.servingFolder}`,
    `--token-auth-file=${credentials.tokenFile}`,
    "--anonymous-auth=false",
    "--authorization-mode=RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${credentials.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${credentials.serviceAccountKey}`,
    // Addresses of services that stay on this machine, should anything dial one.
    "--service-cluster-ip-range=127.96.0.0/16",
    // There is no address of ours that the endpoint of the service "kubernetes" could name.
    "--endpoint-reconciler-type=none",
    "--kubelet-preferred-address-types=InternalIP",
    // kwok serves the nodes' kubelet API with this server's own certificate.
    `--kubelet-certificate-authority=${servingPaths(credentials.servingFolder).certificate}`,
    "--allow-privileged=true",
    "--profiling=false",
  ], [credentials.tokens].map((tokens) => JSON.stringify(tokens)));
}

/** kube-controller-manager, without those controllers that have nothing to work on here. */
export function controllerManagerSpec(inputs: ControlPlaneInputs): DaemonSpec {
  const { layout, programs, credentials } = inputs;
  const without = [
    "node-ipam-controller",
    "certificatesigningrequest-approving-controller",
    "certificatesigningrequest-cleaner-controller",
    "certificatesigningrequest-signing-controller",
    "persistentvolume-expander-controller",
    "persistentvolume-attach-detach-controller",
  ];
  return client("kube-controller-manager", inputs, [
    ...programs.commands["kube-controller-manager"],
    `--kubeconfig=${kubeconfigPath(layout, "kube-controller-manager")}`,
    // Nobody reads its metrics: without a port nobody else can either.
    "--secure-port=0",
    "--leader-elect=false",
    "--use-service-account-credentials=true",
    `--service-account-private-key-file=${credentials.serviceAccountKey}`,
    `--root-ca-file=${servingPaths(credentials.servingFolder).certificate}`,
    `--controllers=*,${without.map((name) => `-${name}`).join(",")}`,
    // At the default of 20 calls a second its controllers need 4 s to come up.
    "--kube-api-qps=300",
    "--kube-api-burst=600",
    "--profiling=false",
  ]);
}

/** kube-scheduler, as it comes. */
export function schedulerSpec(inputs: ControlPlaneInputs): DaemonSpec {
  const { layout, programs } = inputs;
  return client("kube-scheduler", inputs, [
    ...programs.commands["kube-scheduler"],
    `--kubeconfig=${kubeconfigPath(layout, "kube-scheduler")}`,
    "--secure-port=0",
    "--leader-elect=false",
    "--kube-api-qps=300",
    "--kube-api-burst=600",
    "--profiling=false",
  ]);
}

/** kwok: keeps the nodes alive and serves their kubelet API. Pods are the node agent's. */
export function kwokSpec(inputs: ControlPlaneInputs, stages: string): DaemonSpec {
  const { layout, programs, credentials, ports } = inputs;
  const serving = servingPaths(credentials.servingFolder);
  return client("kwok", inputs, [
    ...programs.commands.kwok,
    `--config=${kwokConfigPath(layout)}`,
    `--kubeconfig=${kubeconfigPath(layout, "kwok")}`,
    "--manage-all-nodes=true",
    `--node-ip=${LOOPBACK}`,
    `--node-port=${ports.kubelet}`,
    `--server-address=${LOOPBACK}:${ports.kubelet}`,
    `--tls-cert-file=${serving.certificate}`,
    `--tls-private-key-file=${serving.key}`,
    "--node-lease-duration-seconds=40",
    `--enable-crds=${KWOK_KINDS}`,
  ], [stages]);
}

/** Path of kwok's configuration. */
export function kwokConfigPath(layout: LocalLayout): string {
  return `${layout.root}/kwok.yaml`;
}

function client(
  name: ProgramName,
  inputs: ControlPlaneInputs,
  command: readonly string[],
  more: readonly string[] = [],
): DaemonSpec {
  const { layout, ports, ca, credentials } = inputs;
  // What its kubeconfig is made from: it is read at the start only.
  const read = [
    String(ports.apiserver),
    ca,
    credentials.tokens[name as keyof typeof credentials.tokens],
  ];
  return spec(name, layout, command, [...read, ...more]);
}

function spec(
  name: ProgramName,
  layout: LocalLayout,
  command: readonly string[],
  inputs: readonly string[] = [],
): DaemonSpec {
  // Half of Go's usual headroom: 100 MB less for the API server, and no more CPU (measured).
  const env = { HOME: layout.root, GOGC: "50" };
  return { name, command, env, cwd: layout.root, inputs, stopMs: STOP_MS };
}
