/**
 * All that is wrong with a graph that is not ready. Pure: objects, events and log lines in,
 * diagnoses out.
 *
 * @module
 */
import { diagnoseContainers } from "./container_end.ts";
import { diagnoseImages } from "./image.ts";
import { diagnoseOperator, diagnoseWorkload } from "./operator.ts";
import { diagnosePlacement } from "./placement.ts";
import { diagnoseStorage } from "./storage.ts";
import type { ClusterFacts, Diagnosis } from "./types.ts";

/** The diagnoses, those that cannot mend themselves first, else in the order of the components. */
export function diagnose(facts: ClusterFacts): Diagnosis[] {
  const found = [
    ...diagnoseOperator(facts),
    ...facts.components.flatMap((component) => [
      ...diagnoseWorkload(facts, component),
      ...diagnoseStorage(facts, component),
      ...diagnosePlacement(facts, component),
      ...diagnoseImages(facts, component),
      ...diagnoseContainers(facts, component),
    ]),
  ];
  return [...found.filter((one) => one.final), ...found.filter((one) => !one.final)];
}
