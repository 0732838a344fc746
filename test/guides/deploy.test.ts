/**
 * docs/guides/deploy.md: its container's steps are followed without an engine, its manifests are held to
 * Kubernetes' own schemas and to what the server is. What needs a container engine, a cluster or an
 * account is not typed.
 */
import { execFile } from "node:child_process";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { settings } from "../../src/config/settings.ts";
import { startProgram } from "../support/child-process.ts";
import { freePort } from "../support/free-port.ts";
import { withOwnInstall } from "../support/own-install.ts";
import { openGuideProject } from "./guide-project.ts";
import { packagesIn, type Step, stepsOf } from "./guide-steps.ts";

/** The server's own, in which a deployment has to agree with it. */
const [port, probes, dataDir] = [3_000, ["/healthz", "/readyz"], "/data"] as const;
const closingMs = 10_000;

/** Commands that a test cannot type, by what they need. */
const untyped = /^(docker|kubectl|fly) |https:\/\/chat\.example\.com/;

const steps = await stepsOf("docs/guides/deploy.md");
const fileOf = (path: string): string => {
  const step = steps.find((one) => one.type === "file" && one.path === path);
  return step?.type === "file" ? step.text : "";
};
const isTypeable = (step: Step): step is Step & { type: "command" } =>
  step.type === "command" && !untyped.test(step.line);

test("the container's steps end in a healthy server of the guide's own bots", async () => {
  await using project = await openGuideProject();
  for (const step of steps) {
    if (step.type === "file") await project.write(step.path, step.text);
    if (!isTypeable(step)) continue;
    const packages = packagesIn(step.line);
    for (const name of packages) await project.install(name);
    if (packages.length > 0) continue;
    const typed = startProgram("/bin/sh", ["-c", step.line], { cwd: project.folder });
    expect(await typed.exited, typed.output).toBe(0);
  }
  await project.write("package-lock.json", "{}");
  await chmod(project.folder, 0o755);
  const follower = new URL("../../ops/container-steps.ts", import.meta.url).pathname;
  await using program = startProgram(
    process.execPath,
    [follower, "--link-modules", project.folder],
    {
      env: {
        AUTH_SECRET: "a-secret-that-is-long-enough-for-hs256",
        PORT: String(await freePort()),
        NODE_OPTIONS: "--conditions=langwire-source",
      },
    },
  );
  expect(await program.exited, program.output).toBe(0);
  expect(program.output).toMatch(/^healthy, as user (?!0$)\d+$/m);
  expect(program.output).toContain("stopped, with code 0");
});

interface Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly readinessProbe: { readonly httpGet: { readonly path: string } };
  readonly livenessProbe: { readonly httpGet: { readonly path: string } };
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
}

interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [Container];
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: {
    readonly selector: { readonly matchLabels?: unknown };
    readonly template: { readonly metadata: { readonly labels: unknown }; readonly spec: Pod };
  };
}

/** @returns what the text says; throws where it is not what it should be */
async function parsed<Parsed>(language: "kubernetes" | "toml", text: string): Promise<Parsed> {
  const script = new URL("parse-manifests.mjs", import.meta.url).pathname;
  const running = promisify(execFile)(process.execPath, [script, language]);
  running.child.stdin?.end(text);
  return JSON.parse((await running).stdout);
}

await withOwnInstall("guides", "Kubernetes' schemas and TOML", async () => {
  test("the manifests for Kubernetes are of its schemas, and agree with the server and each other", async () => {
    const objects = await parsed<Manifest[]>("kubernetes", fileOf("kubernetes.yaml"));
    expect(objects.map(({ kind }) => kind)).toEqual([
      "Deployment",
      "Service",
      "PodDisruptionBudget",
    ]);
    const template = objects[0]?.spec.template;
    const pod = template?.spec;
    const [container] = pod?.containers ?? [];
    if (pod === undefined || container === undefined) throw new Error("There is no container.");
    expect(container.ports).toEqual([{ name: "http", containerPort: port }]);
    const { readinessProbe, livenessProbe, env, lifecycle } = container;
    expect([livenessProbe, readinessProbe].map(({ httpGet }) => httpGet.path)).toEqual(probes);
    expect(env.filter(({ name }) => !(name in settings.shape))).toEqual([]);
    const grace = env.find(({ name }) => name === "SHUTDOWN_GRACE_MS")?.value;
    const neededMs = Number(grace) + closingMs + lifecycle.preStop.sleep.seconds * 1_000;
    expect(pod.terminationGracePeriodSeconds * 1_000).toBeGreaterThanOrEqual(neededMs);
    const app = { app: "assistant" };
    for (const { spec } of objects) expect(spec.selector.matchLabels ?? spec.selector).toEqual(app);
    expect(template?.metadata.labels).toEqual(app);
  });

  test("nor have they a field that Kubernetes does not know", async () => {
    const objects = await parsed<Manifest[]>("kubernetes", fileOf("kubernetes.yaml"));
    const declarations = objects.map(
      ({ apiVersion, kind }, at) =>
        `import type { I${kind} } from "kubernetes-models/${apiVersion}";
         const object${at}: I${kind} = ${JSON.stringify(objects[at])};`,
    );
    await using project = await openGuideProject();
    for (const name of ["kubernetes-models", "typescript"]) await project.install(name);
    await project.write("manifests.ts", `${declarations.join("\n")}\nexport {};\n`);
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext"];
    await using program = startProgram(
      join(project.folder, "node_modules/.bin/tsc"),
      [...options, "--types", "", "--pretty", "false", "manifests.ts"],
      { cwd: project.folder },
    );
    expect([await program.exited, program.output]).toEqual([0, ""]);
  });

  test("fly.toml agrees with the server", async () => {
    const fly = await parsed<{
      readonly env: Readonly<Record<string, string>>;
      readonly kill_timeout: string;
      readonly http_service: {
        readonly internal_port: number;
        readonly checks: readonly { readonly path: string }[];
      };
    }>("toml", fileOf("fly.toml"));
    expect(fly.http_service.internal_port).toBe(port);
    expect(probes).toContain(fly.http_service.checks[0]?.path);
    expect(Object.keys(fly.env).filter((name) => !(name in settings.shape))).toEqual([]);
    const killMs = Number(fly.kill_timeout.replace("s", "")) * 1_000;
    expect(killMs).toBeGreaterThanOrEqual(Number(fly.env.SHUTDOWN_GRACE_MS) + closingMs);
  });
});

test("secrets that are made for a cluster or an app are settings", () => {
  const lines = steps.flatMap((step) => (step.type === "command" ? [step.line] : []));
  const named = lines
    .filter((line) => /^(kubectl create secret|fly secrets set)/.test(line))
    .flatMap((line) => [...line.matchAll(/(?<=[ =])([A-Z_]+)=/g)].map(([, name = ""]) => name));
  expect(named).toContain("AUTH_SECRET");
  expect(named.filter((name) => !(name in settings.shape))).toEqual([]);
});

test("the image's folder for data is the one that its volumes are mounted at", () => {
  expect(fileOf("Dockerfile")).toContain(`ENV DATA_DIR=${dataDir}`);
  const runs = steps.flatMap((step) =>
    step.type === "command" && step.line.startsWith("docker run") ? [step.line] : [],
  );
  expect(runs.join()).toContain(`:${dataDir} `);
});
