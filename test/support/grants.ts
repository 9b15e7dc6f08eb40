import type { Bench } from "./bench.ts";
import { reports } from "./bench.ts";
import { type Kill, runAndKill } from "./killer.ts";
import { counted } from "./points.ts";

// `apply --grant-me` lets its operator mint for the time of the proof: what a killed run granted, the next takes back.

const words = ["apply", "--grant-me", "--quiet"];

/** The bindings of the workload's account, undefined where there are none. */
export const granted = async (b: Bench): Promise<unknown> =>
  (await b.google("POST", `iam/v1/projects/acme-prod/serviceAccounts/${reports}:getIamPolicy`)).body.bindings;

/** Takes the operator's own right to mint away, so that a proof has to grant it. */
export function withoutMint({ sandbox }: Bench): void {
  const project = sandbox.state.get<{ policy: { bindings: { role: string }[] } }>("google.project/acme-prod");
  const bindings = project?.policy.bindings.filter(({ role }) => !role.includes("OpenId")) ?? [];
  sandbox.state.put("google.project/acme-prod", { ...project, policy: { ...project?.policy, bindings } });
}

/** A whole run: its exit code, every call it can be killed after, and the first that grants. */
export async function wholeGrant(b: Bench, cwd: string) {
  let exit: number | null = null;
  const calls = counted(
    await b.callsOf(async () => {
      ({ exit } = await runAndKill(b.url, words, { cwd }));
    }),
  );
  const points = calls.map((_, at): Kill => ({ at: at + 1, when: "after" }));
  const grant = points[calls.findIndex(({ operation, write }) => write && operation === "SetIamPolicy")];
  return { exit, points, grant };
}

/** Kills a run at one call and runs `apply` again: what was granted in between, and what is left. */
export async function killedGrant(b: Bench, { cwd, kill }: { readonly cwd: string; readonly kill: Kill }) {
  await runAndKill(b.url, words, { cwd, kill });
  const between = await granted(b);
  await runAndKill(b.url, ["apply", "--quiet"], { cwd });
  return { between: between !== undefined, left: await granted(b) };
}
