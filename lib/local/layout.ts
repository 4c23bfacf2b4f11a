/**
 * Where the embedded cluster keeps things. Everything below `.dynamo/local`
 * belongs to one cluster and goes with it; everything below the cache is shared
 * by all checkouts and keyed by version.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";

/** Paths of one embedded cluster. */
export interface LocalLayout {
  /** `.dynamo/local`. */
  readonly root: string;
  /** `state.json`: ports, release, operator kind, process identities. */
  readonly state: string;
  /** Keys and tokens, 0600. */
  readonly pki: string;
  /** One `<name>.kubeconfig` per control-plane client, 0600. */
  readonly kubeconfigs: string;
  /** Data of the cluster's etcd. */
  readonly etcd: string;
  /** `<process>.log`. */
  readonly logs: string;
  /** `<namespace>_<pod>_<uid>/<container>/{current,previous}.log` in CRI format. */
  readonly pods: string;
  /** Scratch of the node agent: engine arguments, discovery files, sockets. */
  readonly run: string;
  /** Folders of claims, by the uid of each. */
  readonly volumes: string;
  /** `.dynamo/kubeconfig`: the administrator's, for kubectl and our tasks. */
  readonly kubeconfig: string;
}

/** The layout below `ctx.home`. */
export function localLayout(ctx: Pick<Context, "home">): LocalLayout {
  const root = `${ctx.home}/local`;
  return {
    root,
    state: `${root}/state.json`,
    pki: `${root}/pki`,
    kubeconfigs: `${root}/kubeconfigs`,
    etcd: `${root}/etcd`,
    logs: `${root}/logs`,
    pods: `${root}/pods`,
    run: `${root}/run`,
    volumes: `${root}/volumes`,
    kubeconfig: `${ctx.home}/kubeconfig`,
  };
}
