/**
 * Translates engine workers to the mocker. Pure.
 *
 * @module
 */
import { versionAtLeast } from "./container_image.ts";
import { type Engine, type EngineFlags, readEngineFlags } from "./engine_flags.ts";
import { flagNumber, flagValue, hasFlag, withoutFlag } from "./flags.ts";
import type { ContainerRequest, DynamoBase, LocalCommand, LocalPlaces } from "./local_command.ts";
import {
  cacheBlocks,
  mockerArguments,
  mockerFile,
  mockerRatio,
  requestedSpeedup,
} from "./mocker_settings.ts";

const SETTINGS_FILE = "engine.json";

/** A vLLM, SGLang or TensorRT-LLM worker. */
export function workerCommand(
  request: ContainerRequest,
  engine: Engine,
  args: readonly string[],
  base: DynamoBase,
  places: LocalPlaces,
): LocalCommand {
  const env = base.command.env;
  const reading = readEngineFlags(engine, args, env);
  if ("unsupported" in reading) return { kind: "simulated", reason: reading.unsupported };
  const { flags } = reading;
  const version = places.config.python.dynamoVersion;
  const endpoint = `dyn://${flags.endpoint ?? defaultEndpoint(version, flags, env)}`;
  if (!registersModel(version, flags)) {
    return {
      ...base.command,
      args: [`${base.scripts}/unregistered_worker.py`, endpoint],
      simulated: `A worker without an engine stands for dynamo.${engine} as ${flags.role} worker`,
    };
  }
  const { ratio, warning } = requestedSpeedup(request.env, request.annotations);
  const local = mockerRatio(version, ratio);
  const byFlags = versionAtLeast(version, 1, 0);
  return {
    ...base.command,
    args: [
      // The mocker of 0.4.1 keeps its registration when it ends; engines do not.
      ...(byFlags ? ["-m", "dynamo.mocker"] : [`${base.scripts}/mocker_worker.py`]),
      "--model-path",
      places.modelFolder,
      "--model-name",
      flags.modelName,
      "--endpoint",
      endpoint,
      ...(byFlags
        ? mockerArguments(flags, local)
        : ["--extra-engine-args", `${places.scratch}/${SETTINGS_FILE}`]),
    ],
    ...(byFlags ? {} : { files: { [SETTINGS_FILE]: mockerFile(flags, local) } }),
    simulated: `dynamo.mocker stands for dynamo.${engine} and answers as ${flags.modelName}` +
      (flags.role === "agg" ? "" : ` (${flags.role})`),
    warnings: [...base.command.warnings, ...(warning === undefined ? [] : [warning])],
  };
}

/**
 * Where a worker is found when its manifest does not say so (read in the wheels of both
 * releases): 0.4.1 takes DYNAMO_NAMESPACE, and TensorRT-LLM there not even that.
 */
export function defaultEndpoint(
  version: string,
  flags: Pick<EngineFlags, "engine" | "firstRole" | "namespace" | "role">,
  env: Readonly<Record<string, string>>,
): string {
  if (!versionAtLeast(version, 1, 0)) {
    if (flags.engine === "trtllm") {
      return registersModel(version, flags)
        ? "dynamo.tensorrt_llm.generate"
        : "dynamo.tensorrt_llm_next.generate";
    }
    const component = flags.role === "prefill" ? "prefill" : "backend";
    return `${env["DYNAMO_NAMESPACE"] || "dynamo"}.${component}.generate`;
  }
  const suffix = env["DYN_NAMESPACE_WORKER_SUFFIX"];
  const namespace = (flags.namespace ?? (env["DYN_NAMESPACE"] || "dynamo")) +
    (suffix ? `-${suffix}` : "");
  return `${namespace}.${flags.role === "prefill" ? "prefill" : "backend"}.generate`;
}

/** Whether the frontend finds the worker: in 0.4.1 only one of a disaggregated pair registers. */
function registersModel(
  version: string,
  flags: Pick<EngineFlags, "engine" | "firstRole" | "role">,
): boolean {
  if (versionAtLeast(version, 1, 0) || flags.role === "agg") return true;
  return flags.role === (flags.engine === "trtllm" ? flags.firstRole : "decode");
}

/** A mocker that the manifest asks for itself. */
export function mockerCommand(
  request: ContainerRequest,
  args: readonly string[],
  base: DynamoBase,
  places: LocalPlaces,
): LocalCommand {
  const version = places.config.python.dynamoVersion;
  const name = flagValue(args, "--model-name") ?? flagValue(args, "--model-path");
  const { ratio, warning } = requestedSpeedup(request.env, request.annotations);
  const model = [
    "--model-path",
    places.modelFolder,
    ...(name === undefined ? [] : ["--model-name", name]),
  ];
  const command = {
    ...base.command,
    warnings: [...base.command.warnings, ...(warning === undefined ? [] : [warning])],
  };
  if (versionAtLeast(version, 1, 0)) {
    const kept = withoutFlag(args, "--model-path", "--model-name", "--extra-engine-args");
    const pace =
      hasFlag(kept, "--speedup-ratio") || flagValue(kept, "--speedup-ratio") !== undefined
        ? []
        : ["--speedup-ratio", String(mockerRatio(version, ratio))];
    return { ...command, args: ["-m", "dynamo.mocker", ...model, ...pace, ...kept] };
  }
  const asked = Number(flagValue(args, "--speedup-ratio"));
  const blockSize = flagNumber(args, "--block-size") ?? 16;
  const settings = mockerFile({
    blockSize,
    maxSequences: flagNumber(args, "--max-num-seqs") ?? 256,
    maxBatchedTokens: flagNumber(args, "--max-num-batched-tokens") ?? 8192,
    prefixCaching: !hasFlag(args, "--no-enable-prefix-caching"),
  }, asked > 0 ? asked : mockerRatio(version, ratio));
  const blocks = flagNumber(args, "--num-gpu-blocks-override") ?? cacheBlocks(blockSize);
  const endpoint = flagValue(args, "--endpoint");
  return {
    ...command,
    args: [
      "-m",
      "dynamo.mocker",
      ...model,
      ...(endpoint === undefined ? [] : ["--endpoint", endpoint]),
      "--extra-engine-args",
      `${places.scratch}/${SETTINGS_FILE}`,
    ],
    files: {
      [SETTINGS_FILE]: JSON.stringify({ ...JSON.parse(settings), num_gpu_blocks: blocks }),
    },
  };
}
