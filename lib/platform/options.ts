/**
 * What the install flow says about the platform.
 *
 * @module
 */
import type { HelmTarget } from "../helm/program.ts";
import type { Kube } from "../kube/types.ts";
import type { PlatformRequest } from "./decide.ts";
import type { HfToken } from "./secrets.ts";
import type { ValueChoices } from "./values.ts";

/** Options of `platformSteps`. */
export interface PlatformOptions
  extends Omit<PlatformRequest, "source">, Omit<ValueChoices, "pullSecret"> {
  /** Client of the cluster; it has to stay open until the steps have run. */
  readonly kube: Kube;
  /** The same cluster, for helm. */
  readonly target: HelmTarget;
  /** `--chart-repository`: URL, `oci://…` or folder; NVIDIA's repository when absent. */
  readonly chartRepository?: string | undefined;
  /** YAML file with values of the user's, over ours; see {@link DEFAULT_VALUES_FILE}. */
  readonly valuesFile?: string | undefined;
  /** `--ngc-pull-secret`: make a pull secret of NGC_API_KEY. */
  readonly ngcPullSecret?: boolean | undefined;
  /** Token from `readHfToken`; from `HF_TOKEN` when absent. */
  readonly hfToken?: HfToken | undefined;
  /** Whether graphs that download nothing are enough; the Secret is then made empty. */
  readonly hfPlaceholder?: boolean | undefined;
  /** Milliseconds that one chart may take; 10 minutes unless given. */
  readonly timeoutMs?: number | undefined;
}

/** The user's values, where the file is there; relative to the project's root. */
export const DEFAULT_VALUES_FILE = "terraform/helm-values/dynamo-platform.yaml";

/** Time for one chart unless the caller gives another. */
export const CHART_TIMEOUT_MS = 600_000;
