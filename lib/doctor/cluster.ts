/**
 * The cluster, where there is one: what the release needs of it.
 *
 * @module
 */
import { versionNumbers } from "../blueprint/release_table.ts";
import { compareVersions } from "../blueprint/types.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { type Check, fail, type Finding, ok, type Patient, skipped, warn } from "./types.ts";

const WITH_CLUSTER = ["local", "eks", "context"] as const;
const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";

async function kubeOf(patient: Patient): Promise<Kube> {
  const cluster = await patient.cluster();
  if ("missing" in cluster) throw new Error(cluster.missing);
  return cluster;
}

/** Whether the API server answers. Every other check of the cluster is skipped when it does not. */
export const clusterCheck: Check = {
  id: "cluster",
  title: "Cluster",
  targets: WITH_CLUSTER,
  quick: true,
  deadlineMs: 20_000,
  async run(patient) {
    const cluster = await patient.cluster();
    if ("missing" in cluster) return skipped(cluster.missing);
    return ok(`${cluster.server} answers, Kubernetes ${await cluster.version()}`);
  },
};

/** NATS, etcd, Prometheus and model caches wait for ever without a default StorageClass. */
export const storageClassCheck: Check = {
  id: "storage-class",
  title: "StorageClass",
  targets: WITH_CLUSTER,
  quick: true,
  needs: "cluster",
  deadlineMs: 20_000,
  async run(patient) {
    const kube = await kubeOf(patient);
    const { items } = await kube.list({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass" });
    const defaults = items.filter((one) => one.metadata.annotations?.[DEFAULT_CLASS] === "true")
      .map((one) => one.metadata.name);
    if (defaults.length === 1) return ok(`${defaults[0]} is the default`);
    if (defaults.length > 1) {
      return warn(
        `${defaults.join(", ")} are all marked as default`,
        "Leave the mark on one of them; claims take the newest.",
      );
    }
    const { etcd, nats } = patient.release.needs;
    const why = `none of ${items.length} is the default`;
    const todo = `Annotate one: kubectl annotate storageclass NAME ${DEFAULT_CLASS}=true`;
    return etcd || nats
      ? fail(`${why}, and NATS${etcd ? " and etcd" : ""} of this release need one`, todo)
      : warn(`${why}; claims without a class will wait`, todo);
  },
};

/** Dynamo's definitions against what graphs are rendered in. */
export const definitionsCheck: Check = {
  id: "definitions",
  title: "Dynamo's definitions",
  targets: WITH_CLUSTER,
  quick: false,
  needs: "cluster",
  deadlineMs: 20_000,
  async run(patient) {
    const kube = await kubeOf(patient);
    const name = "dynamographdeployments.nvidia.com";
    const crd = await kube.get({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      name,
    });
    if (crd === undefined) return ok("not there yet; an install brings them");
    const versions: { name: string; served: boolean }[] = crd["spec"]?.versions ?? [];
    const served = versions.filter((one) => one.served).map((one) => one.name);
    const wanted = patient.release.graphApiVersion.split("/")[1]!;
    const conditions: { type: string; status: string }[] = crd["status"]?.conditions ?? [];
    if (!conditions.some(({ type, status }) => type === "Established" && status === "True")) {
      return warn(`${name} is not established yet`, "Wait a moment and run it again.");
    }
    return served.includes(wanted) ? ok(`${name} serves ${served.join(", ")}`) : fail(
      `${name} serves ${served.join(", ")}, and Dynamo ${patient.release.version} needs ${wanted}`,
      "Run deno task install, which brings the definitions of the release.",
    );
  },
};

/** The operator against the release; a second one would fight the first. */
export const operatorCheck: Check = {
  id: "operator",
  title: "Dynamo's operator",
  targets: WITH_CLUSTER,
  quick: true,
  needs: "cluster",
  deadlineMs: 20_000,
  async run(patient) {
    const kube = await kubeOf(patient);
    const { items } = await kube.list({ apiVersion: "apps/v1", kind: "Deployment" });
    const found = items.filter((one) =>
      one.metadata.name.endsWith("dynamo-operator-controller-manager")
    );
    if (found.length === 0) return ok("not there yet; an install brings it");
    return found.map((one) => judgeOperator(patient, one, found.length));
  },
};

function judgeOperator(patient: Patient, operator: KubeObject, count: number): Finding {
  const { namespace = "", name } = operator.metadata;
  const containers: { name: string; image: string }[] =
    operator["spec"]?.template?.spec?.containers ?? [];
  const image = containers.find((one) => one.name === "manager")?.image ?? containers[0]?.image ??
    "";
  const version = /:v?(\d+\.\d+\.\d+)[^/]*$/.exec(image)?.[1];
  const what = count === 1 ? undefined : `Dynamo's operator in ${namespace}`;
  const where = `${namespace}/${name} runs ${image}`;
  if ((operator["status"]?.readyReplicas ?? 0) < 1) {
    return fail(
      `${where} and is not ready; changes to graphs are refused meanwhile`,
      `See why: kubectl -n ${namespace} describe deployment ${name}`,
      what,
    );
  }
  if (namespace !== patient.namespace && count === 1) {
    return warn(
      `${where}, while the blueprint's namespace is ${patient.namespace}`,
      `Use --namespace ${namespace}; a cluster has one operator that serves all namespaces.`,
      what,
    );
  }
  if (version === undefined) {
    return warn(`${where}: its version cannot be read`, "Compare it yourself.", what);
  }
  const difference = compareVersions(versionNumbers(version), patient.release.semver);
  if (difference === 0) return ok(where, what);
  return warn(
    `${where}, and the blueprint wants ${patient.release.version}`,
    difference < 0
      ? "Run deno task install to change the release, or ask for the one that is there."
      : "A newer operator may refuse older graphs; ask for its version with --dynamo-version.",
    what,
  );
}

// GPU feature discovery's labels: the second name since its 0.16.
const DRIVER_LABELS = ["nvidia.com/cuda.driver.major", "nvidia.com/cuda.driver-version.major"];

/** NVIDIA's driver on GPU nodes against the release. */
export const driverCheck: Check = {
  id: "gpu-driver",
  title: "NVIDIA driver",
  targets: ["eks", "context"],
  quick: false,
  needs: "cluster",
  deadlineMs: 20_000,
  async run(patient) {
    const least = patient.release.needs.minDriver;
    if (least === undefined) return ok(`Dynamo ${patient.release.version} asks for no special one`);
    const { items } = await (await kubeOf(patient)).list({ apiVersion: "v1", kind: "Node" });
    const gpuNodes = items.filter((node) =>
      Number(node["status"]?.capacity?.["nvidia.com/gpu"] ?? 0) > 0
    );
    if (gpuNodes.length === 0) {
      return skipped(`no GPU node is there now; Dynamo ${patient.release.version} needs ${least}`);
    }
    const majors = gpuNodes.map((node) => {
      const labels = node.metadata.labels ?? {};
      const label = DRIVER_LABELS.map((name) => labels[name]).find((value) => value !== undefined);
      return { name: node.metadata.name, major: label === undefined ? undefined : Number(label) };
    });
    const old = majors.filter(({ major }) => major !== undefined && major < least);
    if (old.length > 0) {
      const list = old.map(({ name, major }) => `${name} has ${major}`).join(", ");
      return fail(
        `Dynamo ${patient.release.version} needs ${least}: ${list}`,
        "Use a newer node image (EKS: the accelerated AMI), or a release before 1.3.",
      );
    }
    const silent = majors.filter(({ major }) => major === undefined);
    return silent.length > 0
      ? warn(
        `${silent.length} of ${gpuNodes.length} GPU nodes do not tell their driver; ${least} is needed`,
        "Install GPU feature discovery, or look with nvidia-smi on the node.",
      )
      : ok(`all ${gpuNodes.length} GPU nodes have ${least} or newer`);
  },
};
