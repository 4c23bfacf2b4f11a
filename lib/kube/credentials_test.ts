import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { cleanTest, startApiServer, statusResponse } from "./testing.ts";

/** A credential plugin: a shell script. */
async function withPlugin(
  script: string,
  run: (entry: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/plugin`, `#!/bin/sh\ncd ${folder}\n${script}\n`);
    await Deno.chmod(`${folder}/plugin`, 0o700);
    await run(
      `{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ${folder}/plugin, args: [x]}}`,
      folder,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

cleanTest("a token travels in the header and is kept off the terminal", async () => {
  let header: string | null = null;
  await using api = await startApiServer((request) => {
    header = request.headers.get("authorization");
    return Response.json({ gitVersion: "v1.36.3" });
  });
  assert.equal(await api.kube.version(), "v1.36.3");
  assert.equal(header, "Bearer secret-token");
  api.ctx.ui.info("it is secret-token");
  assert.ok(!api.talk.join().includes("secret-token"), api.talk.join());
});

cleanTest("name and password, impersonation and token files are understood", async () => {
  const seen: string[] = [];
  const note = (request: Request) => {
    seen.push(`${request.headers.get("authorization")} ${request.headers.get("impersonate-user")}`);
    return Response.json({ gitVersion: "v1" });
  };
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "from-file");
  for (
    const user of ["{username: me, password: pw}", "{token: t, as: other}", `{tokenFile: ${file}}`]
  ) {
    await using api = await startApiServer(note, { user });
    await api.kube.version();
  }
  await Deno.remove(file);
  assert.deepEqual(seen, [
    `Basic ${btoa("me:pw")} null`,
    "Bearer t other",
    "Bearer from-file null",
  ]);
});

cleanTest(
  "a plugin is run once, told what it is for, and again when its token is refused",
  async () => {
    const script = `echo "$KUBERNETES_EXEC_INFO" > info; echo . >> runs
printf '{"kind":"ExecCredential","status":{"token":"token-%s"}}' "$(grep -c . runs)"`;
    await withPlugin(script, async (user, folder) => {
      await using api = await startApiServer(
        (request) =>
          request.headers.get("authorization") === "Bearer token-2"
            ? Response.json({ gitVersion: "v2" })
            : statusResponse(401, "Unauthorized", "Unauthorized"),
        { user },
      );
      assert.equal(await api.kube.version(), "v2");
      assert.equal(await api.kube.version(), "v2");
      assert.equal(api.requests.length, 3);
      assert.equal((await Deno.readTextFile(`${folder}/runs`)).length, 4);
      const info = JSON.parse(await Deno.readTextFile(`${folder}/info`));
      assert.equal(info.apiVersion, "client.authentication.k8s.io/v1beta1");
      assert.equal(info.kind, "ExecCredential");
      api.ctx.ui.info("it is token-2");
      assert.ok(!api.talk.join().includes("token-2"), api.talk.join());
    });
  },
);

cleanTest("a plugin that fails is named, and its output never repeated", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["echo 'not logged in' >&2; exit 1", /plugin" of user "tester" failed: not logged in/],
    ['echo \'{"status": {"token": "leaky"\'', /its output is not JSON/],
    ['echo \'{"token": "leaky"}\'', /not an ExecCredential/],
  ];
  for (const [script, expected] of cases) {
    await withPlugin(script, async (user) => {
      await using api = await startApiServer(() => undefined, { user });
      const error = await api.kube.version().catch((error) => error);
      assert.ok(error instanceof TaskError);
      assert.equal(error.code, "KUBE_CREDENTIALS");
      assert.equal(error.exitCode, 3);
      assert.match(error.message, expected);
      assert.ok(!`${error.message}${error.cause}`.includes("leaky"));
      assert.deepEqual(api.requests, []);
    });
  }
  await using api = await startApiServer(() => undefined, {
    user: "{exec: {command: /none/such, installHint: Install it so.}}",
  });
  const error = await api.kube.version().catch((error) => error);
  assert.equal(error.code, "KUBE_CREDENTIALS");
  assert.equal(error.hint, "Install it so.");
});

cleanTest(
  "tokens made here replace the user's plugin, and are made again when refused",
  async () => {
    let made = 0;
    let stale = "token-1";
    await using api = await startApiServer(
      (request) =>
        request.headers.get("authorization") === `Bearer ${stale}`
          ? statusResponse(401, "Unauthorized", "Unauthorized")
          : Response.json({ gitVersion: "v1.33.4" }),
      {
        user: "{exec: {apiVersion: client.authentication.k8s.io/v1, command: /not/there}}",
        tokens: {
          read: () => Promise.resolve(`token-${made}`),
          refresh: () => void made++,
        },
      },
    );
    made = 1;
    assert.equal(await api.kube.version(), "v1.33.4");
    assert.equal(made, 2);
    api.ctx.ui.info("it was token-1 and is token-2");
    assert.ok(!api.talk.join().includes("token-2"), api.talk.join());
    stale = "nothing";
    await api.kube.version();
    assert.equal(made, 2, "what is kept is used as long as it is taken");
  },
);
