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

const NO_VERSION_TAG =
  "is required when the specified main container image has no parseable semantic-version tag";

/** Rules of a v1beta1 graph's spec. */
export function graphRulesV1Beta1(features: OperatorFeatures, restart: boolean): Rule[] {
  const added = "self.components.filter(c, !oldSelf.components.exists(o, o.name == c.name))";
  const removed = "oldSelf.components.filter(o, !self.components.exists(c, c.name == o.name))";
  const both = "has(self.components) && has(oldSelf.components)";
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
        topologyRule({
          rule: `!(${both}) || (${added}.size() == 0 && ${removed}.size() == 0)`,
          added: `${added}.map(c, c.name).join(' ')`,
          removed: `${removed}.map(o, o.name).join(' ')`,
          word: "component",
          path: ".components",
        }),
        frameworkRule(),
      ]
      : []),
  ];
}

/** Rules of a v1alpha1 graph's spec. */
export function graphRulesV1Alpha1(features: OperatorFeatures, restart: boolean): Rule[] {
  const added = "self.services.filter(k, !(k in oldSelf.services))";
  const removed = "oldSelf.services.filter(k, !(k in self.services))";
  const both = "has(self.services) && has(oldSelf.services)";
  return [
    ...(restart ? [restartRule()] : []),
    ...(features.immutableTopology
      ? [
        topologyRule({
          rule: `!(${both}) || (${added}.size() == 0 && ${removed}.size() == 0)`,
          added: `${added}.join(' ')`,
          removed: `${removed}.join(' ')`,
          word: "service",
          path: ".services",
        }),
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

function topologyRule(parts: {
  rule: string;
  added: string;
  removed: string;
  word: string;
  path: string;
}): Rule {
  const { added, removed, word } = parts;
  return {
    rule: parts.rule,
    messageExpression:
      `'${word} topology is immutable and cannot be modified after creation: ' + ` +
      `(${added} == '' ? '' : '${word}s added: [' + ${added} + ']') + ` +
      `(${added} != '' && ${removed} != '' ? ', ' : '') + ` +
      `(${removed} == '' ? '' : '${word}s removed: [' + ${removed} + ']')`,
    reason: "FieldValueForbidden",
    fieldPath: parts.path,
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
