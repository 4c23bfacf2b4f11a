/**
 * What runs of tests cost, on two quiet cores: so that the longest begin first and no processor
 * has too little or too much to do. `deno task ok --verbose` says how long each one took.
 *
 * @module
 */

/** Cost of one run. */
export interface TestCost {
  /** Seconds it takes when it is alone. */
  readonly seconds: number;
  /** Processors it keeps busy meanwhile; Infinity for what measures times, and so runs alone. */
  readonly cores: number;
}

/** What is not listed. */
export const USUAL_COST: TestCost = { seconds: 15, cores: 0.8 };

/** Unit tests that need a quiet machine, besides those that use `timely`. */
export const QUIET_TESTS: readonly string[] = [
  // A connection that the server closes is met sooner or later, as the processors let it.
  "lib/bench/failures_test.ts",
];

const INTEGRATION = "tests/integration";

/** Test files that share a control plane, which takes seconds to start, by the run's name. */
export const SHARED_CONTROL_PLANES: Readonly<Record<string, readonly string[]>> = {
  "agent, cleanup, doctor, examples on one control plane": [
    `${INTEGRATION}/agent_test.ts`,
    `${INTEGRATION}/cleanup_claim_users_test.ts`,
    `${INTEGRATION}/cleanup_cluster_test.ts`,
    `${INTEGRATION}/cleanup_karpenter_test.ts`,
    `${INTEGRATION}/cleanup_other_cluster_test.ts`,
    `${INTEGRATION}/doctor_cluster_test.ts`,
    `${INTEGRATION}/doctor_task_test.ts`,
    `${INTEGRATION}/graph_acceptance_test.ts`,
  ],
  "kube, operator, platform on one control plane": [
    `${INTEGRATION}/kube_test.ts`,
    `${INTEGRATION}/operator_current_test.ts`,
    `${INTEGRATION}/operator_legacy_test.ts`,
    `${INTEGRATION}/operator_process_test.ts`,
    `${INTEGRATION}/platform_argocd_test.ts`,
    `${INTEGRATION}/platform_helm_test.ts`,
    `${INTEGRATION}/platform_test.ts`,
  ],
};

/** By the run's name: a file, a room of unit tests, or one of {@link SHARED_CONTROL_PLANES}. */
export const TEST_COSTS: Readonly<Record<string, TestCost>> = {
  "tests/e2e/eks_install_test.ts": { seconds: 300, cores: 1 },
  "tests/e2e/examples_test.ts": { seconds: 270, cores: 1.2 },
  "agent, cleanup, doctor, examples on one control plane": { seconds: 140, cores: 0.8 },
  "kube, operator, platform on one control plane": { seconds: 160, cores: 0.7 },
  "tests/e2e/monitor_test.ts": { seconds: 120, cores: 0.7 },
  "tests/e2e/journey_test.ts": { seconds: 100, cores: 0.7 },
  "tests/terraform/stacks_test.ts": { seconds: 80, cores: 1.2 },
  "tests/e2e/deploy_drills_test.ts": { seconds: 70, cores: 0.7 },
  "tests/terraform/addons_test.ts": { seconds: 50, cores: 1.2 },
  "tests/e2e/cleanup_leftovers_test.ts": { seconds: 55, cores: 0.8 },
  "tests/e2e/cleanup_interrupted_test.ts": { seconds: 60, cores: 1 },
  "tests/e2e/interrupt_test.ts": { seconds: 50, cores: 0.8 },
  "tests/integration/aws_doctor_test.ts": { seconds: 25, cores: 0.9 },
  "tests/integration/aws_sweep_test.ts": { seconds: 20, cores: 0.9 },
  "tests/integration/terraform_test.ts": { seconds: 40, cores: 0.4 },
  "tests/integration/control_plane_test.ts": { seconds: 35, cores: 0.9 },
  "tests/terraform/settings_test.ts": { seconds: 35, cores: 1.8 },
  "tests/integration/bench_baseline_test.ts": { seconds: 25, cores: 0.5 },
  "tests/e2e/cleanup_aws_test.ts": { seconds: 22, cores: 1 },
  "tests/terraform/node_pools_test.ts": { seconds: 25, cores: 1.2 },
  "tests/integration/local_install_test.ts": { seconds: 20, cores: 0.8 },
  "lib/local": { seconds: 30, cores: 0.7 },
};
