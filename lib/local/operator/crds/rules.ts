/**
 * What the real operator's admission webhook refuses, as rules in the schema: the same
 * refusals with the same words, and no webhook needed.
 *
 * @module
 */
import type { OperatorFeatures } from "../features.ts";
import type { Rule } from "./schema.ts";

/** `1.5.0`, `v1.5.0-cuda13`, `1.5.0@sha256:…` at the end of an image. */
const VERSION_TAG = "^[^@]*:v?[0-9]+[.][0-9]+[.][0-9]+([-+][0-9A-Za-z.+-]+)?(@.*)?$";

const IMMUTABLE = "topology is immutable and cannot be modified after creation";

const NO_VERSION_TAG =
  "is required when the specified main container image has no parseable semantic-version tag";

/** Rules of a v1beta1 graph's spec. */
export function graphRulesV1Beta1(features: OperatorFeatures, restart: boolean): Rule[] {
  const both = "has(self.components) && has(oldSelf.components)";
  const change = (from: string, of: string, what: string): Rule => ({
    rule: `!(${both}) || ` +
      `${from}.components.all(a, ${of}.components.exists(b, b.name == a.name))`,
    // The real message names them; a rule that does costs more than the API server grants.
    message: `component ${IMMUTABLE}: components ${what}`,
    reason: "FieldValueForbidden",
    fieldPath: ".components",
  });
  return [
    ...(restart ? [restartRule()] : []),
    {
      rule: "has(self.components) && self.components.size() > 0",
      message: "must have at least one component",
      reason: "FieldValueRequired",
      fieldPath: ".components",
    },
    ...(features.immutableTopology
      ? [
        change("self", "oldSelf", "added"),
        change("oldSelf", "self", "removed"),
        frameworkRule(),
      ]
      : []),
  ];
}

/** Rules of a v1alpha1 graph's spec. */
export function graphRulesV1Alpha1(features: OperatorFeatures, restart: boolean): Rule[] {
  const both = "has(self.services) && has(oldSelf.services)";
  const change = (from: string, of: string, what: string): Rule => ({
    rule: `!(${both}) || ${from}.services.all(k, k in ${of}.services)`,
    message: `service ${IMMUTABLE}: services ${what}`,
    reason: "FieldValueForbidden",
    fieldPath: ".services",
  });
  return [
    ...(restart ? [restartRule()] : []),
    ...(features.immutableTopology
      ? [
        change("self", "oldSelf", "added"),
        change("oldSelf", "self", "removed"),
        frameworkRule(),
      ]
      : []),
  ];
}

function restartRule(): Rule {
  return {
    rule: "oldSelf.hasValue() || !has(self.restart)",
    message:
      "spec.restart must be unset on create; set spec.restart.id after creation to request a restart",
    optionalOldSelf: true,
  };
}

function frameworkRule(): Rule {
  return {
    rule: "(has(self.backendFramework) ? self.backendFramework : '') == " +
      "(has(oldSelf.backendFramework) ? oldSelf.backendFramework : '')",
    message: "is immutable and cannot be changed after creation",
    reason: "FieldValueInvalid",
    fieldPath: ".backendFramework",
  };
}

/** Rule that a component stays on one node, or on several. */
export function nodeTopologyRule(path: string): Rule {
  const many = (who: string) => `(has(${who}.multinode) && ${who}.multinode.nodeCount > 1)`;
  return {
    rule: `${many("self")} == ${many("oldSelf")}`,
    message: `${path} cannot change node topology (between single-node and multi-node) ` +
      "after creation",
    reason: "FieldValueForbidden",
  };
}

/** Rules of one component of a v1beta1 graph. */
export function componentRulesV1Beta1(features: OperatorFeatures): Rule[] {
  const main = "self.podTemplate.spec.containers.exists(c, c.name == 'main'";
  const hasPod = "has(self.podTemplate) && has(self.podTemplate.spec)";
  return [
    ...(features.runtimeVersion
      ? [
        {
          rule: `${hasPod} && ${main} && has(c.image) && c.image != '')`,
          message: "is required",
          reason: "FieldValueRequired" as const,
          fieldPath: ".podTemplate",
        },
        {
          rule: `has(self.runtimeVersionOverride) || !(${hasPod}) || ` +
            `!${main} && has(c.image) && c.image != '' && !c.image.matches('${VERSION_TAG}'))`,
          message: NO_VERSION_TAG,
          reason: "FieldValueRequired" as const,
          fieldPath: ".runtimeVersionOverride",
        },
      ]
      : []),
    ...(features.immutableTopology ? [nodeTopologyRule("component")] : []),
    ...(features.immutableType
      ? [{
        rule: "(has(self.type) ? self.type : '') == (has(oldSelf.type) ? oldSelf.type : '')",
        message: "type is immutable after creation",
        reason: "FieldValueForbidden" as const,
      }]
      : []),
  ];
}

/** Rules of one service of a v1alpha1 graph. */
export function serviceRulesV1Alpha1(features: OperatorFeatures): Rule[] {
  const image = "self.extraPodSpec.mainContainer.image";
  const hasImage = "has(self.extraPodSpec) && has(self.extraPodSpec.mainContainer) && " +
    `has(${image}) && ${image} != ''`;
  return [
    ...(features.runtimeVersion
      ? [
        {
          rule: hasImage,
          message: "extraPodSpec.mainContainer.image is required",
          reason: "FieldValueRequired" as const,
          fieldPath: ".extraPodSpec",
        },
        {
          rule: `has(self.runtimeVersionOverride) || !(${hasImage}) || ` +
            `${image}.matches('${VERSION_TAG}')`,
          message: NO_VERSION_TAG,
          reason: "FieldValueRequired" as const,
          fieldPath: ".runtimeVersionOverride",
        },
      ]
      : []),
    ...(features.immutableTopology ? [nodeTopologyRule("service")] : []),
  ];
}
