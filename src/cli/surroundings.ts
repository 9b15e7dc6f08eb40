import { join, resolve } from "node:path";
import { lintRules, soundIn } from "../file/lint.ts";
import { readFederation } from "../file/read.ts";
import type { Link, Resource } from "../model.ts";
import { parties, shapes } from "../parties/index.ts";
import { expand } from "../plan/expand.ts";
import { directoryStore } from "../run/store.ts";
import { sandboxWorld } from "../run/world.ts";
import { type Surroundings, surroundings } from "../sandbox/environment.ts";
import type { Environment } from "../sandbox/fake.ts";
import { configText } from "./commands/credential-config.ts";
import { type Context, type Flags, folderOf, loadFile, readBytes } from "./context.ts";
import { UsageError } from "./exit.ts";
import { homeApart } from "./home.ts";

/** Calls one of a sandbox's control endpoints. */
export async function control<T>(url: string, method: string, path: string): Promise<T> {
  return send(`${url}/_sandbox/${path}`, { method });
}

async function send<T>(url: string, init: RequestInit): Promise<T> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
  if (!answer?.ok) throw new UsageError(`there is no sandbox at ${new URL(url).origin}`);
  return (await answer.json()) as T;
}

/** What the file in this folder makes, or nothing where there is no usable one. */
export function wanted(flags: Flags): readonly Resource[] {
  const bytes = readBytes(flags.file);
  const federation = bytes && readFederation(flags.file, bytes, shapes).federation;
  if (!federation) return [];
  const rules = lintRules({ federation, parties, maxLinks: federation.links.length });
  return expand(soundIn(federation, rules).links, parties).resources;
}

/** Issuers that the file names are played under their real names, before any plan has asked for them (contract, 5). */
export async function hostIssuers(resources: readonly Resource[], url: string): Promise<void> {
  for (const { address, spec } of resources.filter((one) => one.address.startsWith("oidc:issuer/"))) {
    const privateCa = spec.privateCa === true ? { privateCa: true } : {};
    const issuer = address.slice("oidc:issuer/".length).replace("/", "://");
    await send(`${url}/_sandbox/issuers`, { method: "PUT", body: JSON.stringify({ issuer, ...privateCa }) });
  }
}

/** What leads programs to a sandbox, for the account and project of the file in this folder. */
export async function lead(flags: Flags, url: string, as?: string): Promise<Surroundings> {
  const resources = wanted(flags);
  await hostIssuers(resources, url);
  const machine = as === undefined ? undefined : await machineOf(flags, url, as);
  const query = scopes(resources);
  if (machine) query.set("machine", machine.party);
  const parts = await control<readonly Environment[]>(url, "GET", `environment?${query}`);
  const all = machine ? [...parts, machine.part] : parts;
  return surroundings(url, all, join(folderOf(flags, "sandbox"), "exec"), process.env);
}

/** The sandbox's machine runs as the workload of a link, with the file that its programs need to reach Google. */
async function machineOf(flags: Flags, url: string, name: string) {
  const { federation } = loadFile(flags);
  const link = federation.links.find((one) => one.name === name);
  if (link?.to.party !== "google") throw new UsageError(`${federation.file} has no link ${name} to google`);
  const body = JSON.stringify(workloadOf(link));
  await send(`${url}/_sandbox/metadata`, { method: "PUT", body });
  const common = { store: directoryStore(folderOf(flags, "store")), progress: () => {} };
  const world = sandboxWorld({ ...common, signal: new AbortController().signal, attach: async () => url });
  const text = await configText(link, { name }, world);
  const names = ["GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"];
  const files = Object.fromEntries(names.map((one) => [one, text]));
  const part: Environment = { variables: {}, files, folders: [], unset: ["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"] };
  return { party: link.from.party, part };
}

/** What a machine of that cloud would be given by whoever set it up. */
function workloadOf(link: Link): object {
  const { party, spec } = link.from;
  const identity = parties.find((one) => one.name === party)?.issuer?.identify(link).identity;
  if (identity?.proof === "aws4_request") {
    // EC2 names a role's session after the instance.
    const arn = identity.example.arn.replace(/\/crosstrust$/, "/i-0123456789abcdef0");
    return { aws: arn };
  }
  if (party !== "entra")
    throw new UsageError(`the sandbox has no machine of ${party}: --as is for links from aws and entra`);
  const { tenant, subject, application, tokenVersion, clientId } = spec as Readonly<Record<string, string>>;
  const client = clientId === undefined ? {} : { clientId };
  return { entra: { tenant, subject, application, version: tokenVersion, ...client } };
}

/** Without a usable file the sandbox takes the first account and project it knows. */
function scopes(resources: readonly Resource[]): URLSearchParams {
  const query = new URLSearchParams();
  for (const { address, spec } of resources) {
    const party = address.split(":")[0] ?? "";
    const scope = spec.account ?? spec.project;
    if (!query.has(party) && typeof scope === "string") query.set(party, scope);
  }
  return query;
}

/** This process's environment with everything led to a sandbox, and nothing left that would lead elsewhere. */
export function led({ set, unset }: Pick<Surroundings, "set" | "unset">): NodeJS.ProcessEnv {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !unset.includes(name)));
  return { ...clean, ...set };
}

/** The same with a home folder in which nothing is known of the real clouds. */
export function apart(flags: Flags, surroundings: Surroundings): NodeJS.ProcessEnv {
  const env = led(surroundings);
  const own = env.HOME;
  if (!own) return env;
  const home = join(folderOf(flags, "sandbox"), "exec", "home");
  return { ...env, HOME: resolve(own) === home ? home : homeApart(resolve(own), home, surroundings.homes) };
}

/** The same, for the sandbox that a context is attached to. */
export async function sandboxEnvironment(flags: Flags, { world }: Context): Promise<NodeJS.ProcessEnv> {
  const base = await world.locate("aws.iam", "");
  return led(await lead(flags, new URL(base).origin));
}
