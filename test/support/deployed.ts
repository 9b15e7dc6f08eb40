import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { bundleFunctions } from "../../scripts/bundle.ts";
import { type Bench, bench, example } from "./bench.ts";
import { installed, type Served, underFramework } from "./framework.ts";

export const audience = "https://health.example";
export const scheduler = "scheduler@acme-prod.iam.gserviceaccount.com";

/** The functions as they are deployed, in a folder that `remove` takes away. */
export async function bundled(): Promise<{ folder: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), "crosstrust-bundle-"));
  await bundleFunctions(folder);
  for (const name of ["health", "provision"]) {
    installed(join(folder, name));
    writeFileSync(join(folder, name, "federation.yaml"), example);
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A token of Google's for the scheduler, as the sandbox's Google signs it; `claims` replace its own. */
export async function mint(b: Bench, claims: Record<string, unknown> = {}): Promise<string> {
  const own = { aud: audience, sub: "1", email: scheduler, email_verified: true };
  const body = JSON.stringify({ issuer: "https://accounts.google.com", claims: { ...own, ...claims } });
  const answer = await fetch(`${b.url}/_sandbox/mint`, { method: "POST", body });
  return ((await answer.json()) as { token: string }).token;
}

/** One deployed function over a sandbox of its own, and how its scheduler calls it. */
export interface Stage extends Served {
  readonly b: Bench;
  readonly call: (body?: unknown, init?: RequestInit) => Promise<Response>;
  /** Its log lines so far: what is no JSON would be a line that the platform cannot read. */
  readonly lines: () => readonly Record<string, unknown>[];
}

export async function deployed(folder: string, name: "health" | "provision", env = {}): Promise<Stage> {
  const b = await bench();
  await b.apply(example);
  const store = mkdtempSync(join(tmpdir(), "crosstrust-store-"));
  const callers = { CROSSTRUST_AUDIENCE: audience, CROSSTRUST_CALLERS: scheduler };
  const place = { CROSSTRUST_SANDBOX: b.url, CROSSTRUST_STORE: store, GOOGLE_CLOUD_PROJECT: "acme-prod" };
  const served = await underFramework(join(folder, name), name, { ...callers, ...place, ...env });
  onTestFinished(async () => {
    served.child.kill("SIGKILL");
    await served.exit;
    rmSync(store, { recursive: true, force: true });
  });
  const call = async (body: unknown = {}, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${await mint(b)}`, "content-type": "application/json" };
    const text = init.method === "GET" ? {} : { body: JSON.stringify(body) };
    return fetch(served.url, { method: "POST", ...text, ...init, headers: { ...headers, ...init.headers } });
  };
  const lines = () =>
    served
      .said()
      .trim()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  return { ...served, b, call, lines };
}
