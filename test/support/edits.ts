import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import type { Finding, Health, Session } from "../../src/model.ts";
import { signedRequest, subjectToken } from "../../src/parties/aws/caller/sign.ts";
import { players } from "../../src/parties/players.ts";
import { attach } from "../../src/sandbox/attach.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { account, Bench } from "./bench.ts";
import { environmentOf, run } from "./cli.ts";
import { guard } from "./guard.ts";
import { sharedPairs } from "./pairs.ts";

// One applied deployment that somebody edits again and again with the vendors' own programs. Each edit begins with what
// was applied, so that edits do not add up, and nothing has to be applied again.

export const project = "acme-prod";

/**
 * A command as it is typed, with the quotes of a shell. `{number}` stands for the number of the project, `{foreign}` for
 * that of a stranger's, `{sub}` for the unique id of the workload's account, `{folder}` for the id of the first folder.
 */
export type Command = string;

/** The words of a command, its quotes taken off. */
const wordsOf = (command: Command): readonly string[] =>
  [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double),
  );

/** The programs of some commands. */
export const programsOf = (commands: readonly Command[]): readonly string[] => [
  ...new Set(commands.map((command) => wordsOf(command)[0] ?? "")),
];

/** What a base set-up is, and how an outsider walks the way that its link opens. */
export interface Base {
  readonly file: string;
  /** Made by hand before the file is applied. */
  readonly before?: readonly Command[];
  /** Where the link ends. */
  readonly to:
    | { readonly role: string }
    | { readonly account: string; readonly provider: string }
    | { readonly bucket: string; readonly provider: string };
}

/** What an outsider chooses beside the claims. */
interface Asking {
  readonly session?: string;
  readonly audience?: string;
}

type Claims = Readonly<Record<string, unknown>>;

export class Deployment {
  private readonly base: Base;
  private attached: Awaited<ReturnType<typeof attach>> | undefined;
  private folder = "";
  private environment: NodeJS.ProcessEnv = {};
  private applied: ReadonlyMap<string, unknown> = new Map();

  constructor(base: Base) {
    this.base = base;
  }

  /** A bench that remembers nothing, over the one sandbox. */
  get bench(): Bench {
    if (!this.attached) throw new Error("the deployment is not made");
    return new Bench(this.attached.url, this.attached.sandbox as Sandbox);
  }

  private get state() {
    return this.bench.sandbox.state;
  }

  /** Applies the file, and proves nothing: the first check of the health does. */
  async make(): Promise<void> {
    this.attached = await attach({ players, mapping: undefined, issuerDeadline: guard, keyPair: sharedPairs() });
    this.folder = mkdtempSync(join(tmpdir(), "crosstrust-edits-"));
    this.environment = await environmentOf(this.bench.url, this.folder);
    await this.edit(this.base.before ?? []);
    const { planned, applied } = await this.bench.apply(this.base.file);
    expect([...planned.plan.findings, ...applied.findings].filter(({ severity }) => severity === "error")).toEqual([]);
    this.applied = new Map(this.state.list(""));
  }

  async end(): Promise<void> {
    await this.attached?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Puts back what was applied. */
  restore(): void {
    for (const [key, value] of this.state.list(""))
      if (!this.applied.has(key)) this.state.delete(key);
      else if (JSON.stringify(this.applied.get(key)) !== JSON.stringify(value))
        this.state.put(key, this.applied.get(key));
    for (const [key, value] of this.applied) if (this.state.get(key) === undefined) this.state.put(key, value);
  }

  /** Runs the programs of one edit. Each has to succeed: an edit that was not made would prove nothing. */
  async edit(commands: readonly Command[], files: Readonly<Record<string, string>> = {}): Promise<void> {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text);
    const [[, first] = []] = this.state.list<{ readonly uniqueId: string }>("google.account/");
    const told: Readonly<Record<string, string>> = {
      "{number}": await this.number(project),
      "{foreign}": await this.number("stranger-prod"),
      "{sub}": first?.uniqueId ?? "",
    };
    for (const command of commands) {
      const [[folder = ""] = []] = this.state.list("google.folder/");
      const filled = command.replace(
        /\{(?:number|foreign|sub|folder)\}/g,
        (hole) => told[hole] ?? folder.split("/")[1] ?? hole,
      );
      const [program = "", ...words] = wordsOf(filled);
      const ran = await run(program, words, { env: this.environment, cwd: this.folder });
      expect([filled, ran.exit, ran.exit === 0 ? "" : ran.err]).toEqual([filled, 0, ""]);
    }
  }

  private async number(of: string): Promise<string> {
    const { body } = await this.bench.google("GET", `cloudresourcemanager/v1/projects/${of}`);
    return String(body.projectNumber);
  }

  health(): Promise<Health> {
    return this.bench.health(this.base.file);
  }

  /** Whether the witness of a finding gets the credentials that its path ends with; undefined without claims. */
  async replay({ witness }: Finding, { session = "stranger", audience }: Asking = {}): Promise<boolean | undefined> {
    const { to } = this.base;
    if (!witness?.claims) return undefined;
    const claims = audience === undefined ? witness.claims : { ...witness.claims, aud: audience };
    if ("role" in to) return this.assumes(to.role, claims, session);
    // The path names the pool provider through which the outsider comes, where it is not the link's own.
    const provider =
      witness.path.flatMap((step) => /^the pool provider ([\w-]+)$/.exec(step)?.[1] ?? [])[0] ?? to.provider;
    const target = `//iam.googleapis.com/projects/${await this.number(project)}/locations/global/workloadIdentityPools/partners/providers/${provider}`;
    const token = await this.exchanged(target, await this.proof(claims, target));
    if (token === undefined) return false;
    return "bucket" in to ? this.lists(to.bucket, token) : this.impersonates(to.account, token);
  }

  /** A fresh token: when a token was issued is not what lets anybody in. */
  private async mint({ iss, nbf: _, ...claims }: Claims): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const body = JSON.stringify({ issuer: iss, claims: { ...claims, iss, iat: now, exp: now + 600 } });
    const answer = await fetch(`${this.bench.url}/_sandbox/mint`, { method: "POST", body });
    return ((await answer.json()) as { token: string }).token;
  }

  private async assumes(role: string, claims: Claims, session: string): Promise<boolean> {
    const form = new URLSearchParams({
      Action: "AssumeRoleWithWebIdentity",
      Version: "2011-06-15",
      RoleArn: `arn:aws:iam::${account}:role/crosstrust/${role}`,
      RoleSessionName: session,
      WebIdentityToken: await this.mint(claims),
    });
    return (await fetch(`${this.bench.url}/aws/sts/`, { method: "POST", body: form })).status === 200;
  }

  /** A signed request of an AWS caller, or a token. */
  private async proof(claims: Claims, target: string): Promise<string> {
    if (claims.iss !== undefined) return this.mint(claims);
    const query = new URLSearchParams({ party: "aws", workload: String(claims.arn) });
    const session = (await (await fetch(`${this.bench.url}/_sandbox/credentials?${query}`)).json()) as Session;
    return subjectToken(signedRequest({ region: "us-east-1", target, session, now: Date.now() }));
  }

  private async exchanged(audience: string, token: string): Promise<string | undefined> {
    const type = token.startsWith("%7B") ? "aws:token-type:aws4_request" : "oauth:token-type:jwt";
    const form = new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience,
      scope: "https://www.googleapis.com/auth/cloud-platform",
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      subject_token: token,
      subject_token_type: `urn:ietf:params:${type}`,
    });
    const answer = await fetch(`${this.bench.url}/google/sts/v1/token`, { method: "POST", body: form });
    return answer.status === 200 ? ((await answer.json()) as { access_token: string }).access_token : undefined;
  }

  private async impersonates(serviceAccount: string, accessToken: string): Promise<boolean> {
    const email = `${serviceAccount}@${project}.iam.gserviceaccount.com`;
    const path = `iamcredentials/v1/projects/-/serviceAccounts/${email}:generateAccessToken`;
    const answer = await fetch(`${this.bench.url}/google/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
      body: JSON.stringify({ scope: ["https://www.googleapis.com/auth/cloud-platform"] }),
    });
    return answer.status === 200;
  }

  private async lists(bucket: string, accessToken: string): Promise<boolean> {
    const headers = { authorization: `Bearer ${accessToken}` };
    const path = `google/storage/storage/v1/b/${bucket}/o`;
    return (await fetch(`${this.bench.url}/${path}`, { headers })).status === 200;
  }
}

/** A deployment that is made once for the tests around the call. `needed`: none where its tests are all skipped. */
export function deployment(base: Base, needed: boolean): Deployment {
  const made = new Deployment(base);
  if (needed) {
    beforeAll(() => made.make());
    afterAll(() => made.end());
  }
  return made;
}
