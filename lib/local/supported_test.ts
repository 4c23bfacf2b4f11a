import assert from "node:assert/strict";
import type { TaskError } from "../cli/errors.ts";
import { requireSupportedPlatform } from "./supported.ts";

Deno.test("Linux on x86-64 and ARM64 is supported", () => {
  requireSupportedPlatform({ platform: { os: "linux", arch: "x86_64" } });
  requireSupportedPlatform({ platform: { os: "linux", arch: "aarch64" } });
});

for (
  const [os, arch, words] of [
    ["darwin", "aarch64", /Linux, and this is macOS/],
    ["windows", "x86_64", /Linux, and this is windows/],
    ["linux", "riscv64", /riscv64/],
  ] as const
) {
  Deno.test(`${os} on ${arch} is refused with what to do`, () => {
    assert.throws(
      () => requireSupportedPlatform({ platform: { os, arch } }),
      (error: TaskError) => {
        assert.equal(error.exitCode, 3);
        assert.match(error.message, words);
        assert.notEqual(error.hint, undefined);
        return true;
      },
    );
  });
}

Deno.test("macOS and Windows are pointed to WSL2 or a virtual machine", () => {
  const hint = (os: string): string | undefined => {
    try {
      requireSupportedPlatform({ platform: { os, arch: "x86_64" } });
      return undefined;
    } catch (error) {
      return (error as TaskError).hint;
    }
  };
  assert.match(hint("windows") ?? "", /WSL2/);
  assert.match(hint("darwin") ?? "", /virtual machine/);
});
