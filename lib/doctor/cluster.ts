/**
 * The cluster, where there is one: what the release needs of it.
 *
 * @module
 */
import type { Kube } from "../kube/types.ts";
import { findOperators, type FoundOperator } from "../platform/operators.ts";
import { findCrds } from "../platform/state.ts";
import { directionOf } from "../platform/upgrade_path.ts";
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
    const crds = await findCrds(await kubeOf(patient));
    const graphs = crds.find(({ kind }) => kind === "DynamoGraphDeployment");
    if (graphs === undefined) return ok("not there yet; an install brings them");
    const { name, served } = graphs;
    const waiting = crds.filter(({ established }) => !established);
    if (waiting.length > 0) {
      return warn(
        `${waiting.map((one) => one.name).join(", ")} not established yet`,
        "Wait a moment and run it again.",
      );
    }
    const wanted = patient.release.graphApiVersion.split("/")[1]!;
    return served.includes(wanted)
      ? ok(`${crds.length} of them; ${name} serves ${served.join(", ")}`)
      : fail(
        `${name} serves ${
          served.join(", ")
        }, and Dynamo ${patient.release.version} needs ${wanted}`,
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
    const found = await findOperators(kube);
    if (found.length === 0) return ok("not there yet; an install brings it");
    return await Promise.all(found.map((one) => judgeOperator(patient, kube, one, found.length)));
  },
};

async function judgeOperator(
  patient: Patient,
  kube: Kube,
  { namespace, deployment, image = "", evidence }: FoundOperator,
  count: number,
): Promise<Finding> {
  const what = count === 1 ? "Dynamo's operator" : `Dynamo's operator in ${namespace}`;
  if (deployment === undefined) {
    return warn(
      `traces of one in ${namespace}: ${evidence.slice(0, 4).join(", ")}`,
      "Its webhooks may refuse graphs; remove what an uninstall has left behind.",
      what,
    );
  }
  const where = `${namespace}/${deployment} runs ${image}`;
  const live = await kube.get({
    apiVersion: "apps/v1",
    kind: "Deployment",
    namespace,
    name: deployment,
  });
  if ((live?.["status"]?.readyReplicas ?? 0) < 1) {
    return fail(
      `${where} and is not ready; changes to graphs are refused meanwhile`,
      `See why: kubectl -n ${namespace} describe deployment ${deployment}`,
      what,
    );
  }
  if (namespace !== patient.namespace && count === 1) {
    return warn(
      `${where}, while the blueprint's namespace is ${patient.namespace}`,
      `Use --namespace ${namespace}; a cluster has one operator for all namespaces.`,
      what,
    );
  }
  switch (
    directionOf(/:v?([^:/@]+)(@|$)/.exec(image)?.[1] ?? "", patient.release.charts.platform)
  ) {
    case "same":
      return ok(where, what);
    case "unknown":
      return warn(`${where}: its version cannot be read`, "Compare it with the release.", what);
    case "upgrade":
      return warn(
        `${where}, and the blueprint wants ${patient.release.version}`,
        "Run deno task install to change the release, or ask for the one that is there.",
        what,
      );
    default:
      return warn(
        `${where}, and the blueprint wants ${patient.release.version}`,
        "A newer operator may refuse older graphs; ask for its version with --dynamo-version.",
        what,
      );
  }
}

// GPU feature discovery writes both; its README calls the first one deprecated.
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
