/**
 * Schemas of the core types inside Dynamo's resources. Names of fields are checked down to
 * the fields of a pod and of a container; what lies below is left to the API server, which
 * checks it when the Deployment is made.
 *
 * @module
 */
import {
  anyObject,
  anyObjects,
  boolean,
  integer,
  list,
  listBy,
  long,
  map,
  object,
  quantity,
  type Schema,
  string,
  time,
} from "./schema.ts";

/** An environment variable. */
export function envVar(): Schema {
  const keyRef = object({ key: string(), name: string(), optional: boolean() }, {
    required: ["key"],
  });
  return object({
    name: string(),
    value: string(),
    valueFrom: object({
      configMapKeyRef: keyRef,
      secretKeyRef: keyRef,
      fieldRef: object({ apiVersion: string(), fieldPath: string() }, { required: ["fieldPath"] }),
      fileKeyRef: anyObject(),
      resourceFieldRef: object({
        containerName: string(),
        divisor: quantity(),
        resource: string(),
      }, { required: ["resource"] }),
    }),
  }, { required: ["name"] });
}

/** A probe. */
export function probe(): Schema {
  return object({
    exec: anyObject(),
    grpc: anyObject(),
    httpGet: anyObject(),
    tcpSocket: anyObject(),
    failureThreshold: integer(),
    initialDelaySeconds: integer(),
    periodSeconds: integer(),
    successThreshold: integer(),
    terminationGracePeriodSeconds: long(),
    timeoutSeconds: integer(),
  });
}

/** Requests and limits of a container. */
export function containerResources(): Schema {
  return object({
    claims: anyObjects(),
    limits: map(quantity()),
    requests: map(quantity()),
  });
}

/** Fields of a container. */
export function containerFields(): Record<string, Schema> {
  return {
    name: string(),
    // Bounded, so that rules over it are cheap enough for the API server.
    image: string({ maxLength: 512 }),
    imagePullPolicy: string(),
    command: list(string()),
    args: list(string()),
    workingDir: string(),
    env: list(envVar()),
    envFrom: anyObjects(),
    ports: anyObjects(),
    resources: containerResources(),
    resizePolicy: anyObjects(),
    restartPolicy: string(),
    restartPolicyRules: anyObjects(),
    volumeMounts: list(object({
      mountPath: string(),
      mountPropagation: string(),
      name: string(),
      readOnly: boolean(),
      recursiveReadOnly: string(),
      subPath: string(),
      subPathExpr: string(),
    }, { required: ["mountPath", "name"] })),
    volumeDevices: anyObjects(),
    livenessProbe: probe(),
    readinessProbe: probe(),
    startupProbe: probe(),
    lifecycle: anyObject(),
    securityContext: anyObject(),
    stdin: boolean(),
    stdinOnce: boolean(),
    terminationMessagePath: string(),
    terminationMessagePolicy: string(),
    tty: boolean(),
  };
}

/** Fields of a pod's spec other than its containers. */
function podFields(): Record<string, Schema> {
  return {
    activeDeadlineSeconds: long(),
    affinity: anyObject(),
    automountServiceAccountToken: boolean(),
    dnsConfig: anyObject(),
    dnsPolicy: string(),
    enableServiceLinks: boolean(),
    ephemeralContainers: anyObjects(),
    hostAliases: anyObjects(),
    hostIPC: boolean(),
    hostNetwork: boolean(),
    hostPID: boolean(),
    hostUsers: boolean(),
    hostname: string(),
    hostnameOverride: string(),
    imagePullSecrets: list(object({ name: string() })),
    initContainers: anyObjects(),
    nodeName: string(),
    nodeSelector: map(string()),
    os: anyObject(),
    overhead: map(quantity()),
    preemptionPolicy: string(),
    priority: integer(),
    priorityClassName: string(),
    readinessGates: anyObjects(),
    resourceClaims: anyObjects(),
    resources: containerResources(),
    restartPolicy: string(),
    runtimeClassName: string(),
    schedulerName: string(),
    schedulingGates: anyObjects(),
    schedulingGroup: anyObject(),
    securityContext: anyObject(),
    serviceAccount: string(),
    serviceAccountName: string(),
    setHostnameAsFQDN: boolean(),
    shareProcessNamespace: boolean(),
    subdomain: string(),
    terminationGracePeriodSeconds: long(),
    tolerations: list(object({
      effect: string(),
      key: string(),
      operator: string(),
      tolerationSeconds: long(),
      value: string(),
    })),
    topologySpreadConstraints: anyObjects(),
    volumes: anyObjects(),
  };
}

/** `extraPodSpec` of v1alpha1: a pod's spec with a container of its own name. */
export function extraPodSpec(): Schema {
  return object({
    ...podFields(),
    containers: list(object(containerFields(), { required: ["name"] })),
    mainContainer: object(containerFields()),
  });
}

/** `podTemplate` of v1beta1. */
export function podTemplate(): Schema {
  const container = object({
    ...containerFields(),
    name: string({ maxLength: 63 }),
  }, {
    required: ["name"],
    rules: [{
      rule: 'self.name == "main" || (has(self.image) && self.image != "")',
      message: "sidecar containers must specify a non-empty image",
    }],
  });
  return object({
    metadata: object({
      annotations: map(string()),
      finalizers: list(string()),
      labels: map(string()),
      name: string(),
      namespace: string(),
    }),
    spec: object({
      ...podFields(),
      containers: listBy(["name"], container, { maxItems: 32 }),
    }, { required: ["containers"] }),
  });
}

/** Conditions of a status. */
export function conditions(): Schema {
  return listBy(
    ["type"],
    object({
      lastTransitionTime: time(),
      message: string({ maxLength: 32768 }),
      observedGeneration: long({ minimum: 0 }),
      reason: string({
        minLength: 1,
        maxLength: 1024,
        pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
      }),
      status: { type: "string", enum: ["True", "False", "Unknown"] },
      type: string({ maxLength: 316 }),
    }, { required: ["lastTransitionTime", "message", "reason", "status", "type"] }),
  );
}
