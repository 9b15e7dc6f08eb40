import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleFunctions } from "../../scripts/bundle.ts";
import { players } from "../../src/parties/players.ts";
import { attach } from "../../src/sandbox/attach.ts";
import { Bench, example } from "../support/bench.ts";
import { installed, prepared, underFramework } from "../support/framework.ts";
import type { Ratio } from "./report.ts";

// How much of the processor the deployed health function uses from its start to its first answer, against a function
// that does nothing under the same framework: what the platform's own part costs is nobody's to mend.

const audience = "https://health.example";
const caller = "scheduler@acme-prod.iam.gserviceaccount.com";

const idle = `import { http } from "@google-cloud/functions-framework";
http("idle", (request, response) => void response.send("hello"));
`;

/** Processor milliseconds of a fresh process until it has answered. */
async function start(folder: string, env: NodeJS.ProcessEnv, ask: { init: RequestInit; wanted: number }) {
  const target = folder.split("/").at(-1) ?? "";
  const { url, cpu, child, exit } = await underFramework(folder, target, env);
  try {
    const answer = await fetch(url, ask.init);
    await answer.text();
    if (answer.status !== ask.wanted) throw new Error(`${target} answers ${answer.status}, not ${ask.wanted}`);
    return await cpu();
  } finally {
    child.kill("SIGKILL");
    await exit;
  }
}

/** Each start in turn with one of the idle function. */
async function measure(folder: string, starts: number): Promise<readonly Ratio[]> {
  const attached = await attach({ players });
  try {
    const b = new Bench(attached.url, attached.sandbox as never);
    await b.apply(example);
    const claims = { aud: audience, sub: "1", email: caller, email_verified: true };
    const body = JSON.stringify({ issuer: "https://accounts.google.com", claims });
    const minted = await fetch(`${b.url}/_sandbox/mint`, { method: "POST", body });
    const { token } = (await minted.json()) as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    const env = { CROSSTRUST_SANDBOX: b.url, CROSSTRUST_STORE: join(folder, "store"), ...callers };
    const ratios = [
      { what: "first refused call", ask: { init: {}, wanted: 401 }, below: 1.5 },
      { what: "first verdict", ask: { init: { method: "POST", headers }, wanted: 200 }, below: 1.8 },
      { what: "first GET of the last report", ask: { init: { headers }, wanted: 200 }, below: 1.5 },
    ];
    const found: Ratio[] = [];
    for (const { what, ask, below } of ratios) {
      const [measured, reference]: [number[], number[]] = [[], []];
      for (let at = 0; at < starts; at++) {
        measured.push(await start(join(folder, "health"), env, ask));
        reference.push(await start(join(folder, "idle"), {}, { init: {}, wanted: 200 }));
      }
      found.push({
        what: `processor time from start to ${what}, against an empty function`,
        measured,
        reference,
        below,
      });
    }
    return found;
  } finally {
    await attached.close();
  }
}

const callers = { CROSSTRUST_AUDIENCE: audience, CROSSTRUST_CALLERS: caller };

/** The function as it is deployed, bundled for the occasion. */
export async function coldStarts(starts: number): Promise<readonly Ratio[]> {
  const folder = mkdtempSync(join(tmpdir(), "crosstrust-bench-"));
  try {
    await bundleFunctions(folder);
    mkdirSync(join(folder, "idle"));
    writeFileSync(join(folder, "idle", "package.json"), JSON.stringify({ type: "module", main: "index.js" }));
    writeFileSync(join(folder, "idle", "index.js"), idle);
    writeFileSync(join(folder, "health", "federation.yaml"), example);
    for (const name of ["health", "idle"]) installed(join(folder, name));
    prepared(join(folder, "health"));
    return await measure(folder, starts);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
