import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { LocalEffect, Token, World } from "../model.ts";
import { CloudError, type ErrorClass } from "./cloud-error.ts";
import { InputError, readInput } from "./input.ts";
import { call } from "./retry.ts";
import { notAToken } from "./token-text.ts";

/** `mint` of the file, as a shape has checked it: exactly one of the three stands there (contract, section 3). */
export interface MintSpec {
  readonly tokenFile?: string | undefined;
  /** A program and its arguments: never a shell's line. */
  readonly command?: readonly string[] | undefined;
  /** Variables that the program is given beside those that every program needs. */
  readonly env?: readonly string[] | undefined;
  readonly clientCredentials?: ClientCredentials | undefined;
}

/** Exactly one of `assertion` and `secretFrom`. */
export interface ClientCredentials {
  readonly clientId: string;
  /** What is asked for, where the token endpoint wants it said. */
  readonly scope?: string | undefined;
  /** Who vouches for the client instead of a secret. */
  readonly assertion?: "google" | undefined;
  readonly secretFrom?: string | undefined;
}

/** Where what `mint` gives is sent. */
interface Destinations {
  /** Who is given the token. */
  readonly token: string;
  /** Who is given the secret or the assertion. */
  readonly endpoint: string;
}

/** Returns what `mint` does on this machine, and who is given what comes of it. Nothing is done for it. */
export function mintEffects(spec: MintSpec | undefined, to: Destinations): readonly Omit<LocalEffect, "link">[] {
  const token = `its token goes to ${to.token}`;
  if (spec?.tokenFile !== undefined) return [{ verb: "open", what: spec.tokenFile, to: token }];
  if (spec?.command !== undefined) {
    const variables = spec.env?.length ? `   with ${spec.env.join(", ")} of the environment` : "";
    return [{ verb: "execute", what: `${spec.command.map(quoted).join(" ")}${variables}`, to: token }];
  }
  if (!spec?.clientCredentials) return [];
  const { assertion, secretFrom = "" } = spec.clientCredentials;
  if (assertion)
    return [{ verb: "send", what: "an ID token of this machine's Google service account", to: to.endpoint }];
  const name = secretFrom.replace(/^env:/, "");
  return [{ verb: "read", what: `the secret in ${name}`, to: `it goes to ${to.endpoint}` }];
}

/** A word of a command as a shell would take it for one: where one ends must be seen. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** What only the party knows of its own tokens. */
export interface Minting {
  /** Names the calls in errors, such as `entra`. */
  readonly service: string;
  /** Asks the party's token endpoint, and gives the text of the token back. */
  readonly clientCredentials: (given: ClientCredentials) => Promise<string>;
}

/** Tokens are a few KiB; AWS takes 20,000 characters at most, and what is larger here is some other file. */
const longest = 16 * 1024;
const commandLimits = { timeout: 30_000, maxBuffer: 64 * 1024 } as const;

/**
 * A token as the file says to get one. What comes is somebody else's, so it is held to be a JWT before anything is
 * sent anywhere; nothing of a token, a secret or a program's words stands in an error.
 */
export async function mintBy(spec: MintSpec, ask: Minting, world: World): Promise<Token> {
  if (spec.tokenFile !== undefined)
    return tokenOf(contents(spec.tokenFile, ask), "tokenFile", ask, `the token file ${spec.tokenFile}`);
  if (spec.command !== undefined)
    return tokenOf(await output(spec, ask, world), "command", ask, `what ${spec.command[0]} printed`);
  if (spec.clientCredentials)
    return tokenOf(await ask.clientCredentials(spec.clientCredentials), "clientCredentials", ask);
  throw failure(ask, "credentials", "mint names no way to get a token");
}

/**
 * A token's claims and header, decoded and not verified: whoever receives it verifies it. Throws a `CloudError` that says what
 * `whose` is instead of a token.
 */
export function tokenOf(
  given: string,
  mintedBy: string,
  ask: Pick<Minting, "service">,
  whose = "what was minted",
): Token {
  // Editors leave a byte order mark, and `echo` a newline: neither is part of a token (failures.md).
  const text = given.replace(/^\ufeff/, "").trimEnd();
  if (Buffer.byteLength(text) > longest)
    throw unreadable(ask, `${whose} is larger than ${longest} bytes`, "give a token: the largest have a few KiB");
  const parts = /^([\w-]+)\.([\w-]+)\.[\w-]+$/.exec(text);
  const [header, claims] = [decodePart(parts?.[1] ?? ""), decodePart(parts?.[2] ?? "")];
  if (header && claims) return { text, header, claims, mintedBy };
  const { what, fix } = notAToken(given);
  throw unreadable(ask, `${whose} is not a JSON web token: it ${what}`, fix);
}

/** The secret that `env:NAME` stands for. Whatever else a file may name is told by the party's own rules. */
export function secretOf(from: string, ask: Pick<Minting, "service">): string {
  const name = /^env:(\w+)$/.exec(from)?.[1];
  const secret = name === undefined ? undefined : process.env[name];
  if (secret) return secret;
  throw failure(
    ask,
    "credentials",
    name === undefined ? `${from} cannot be read here` : `the variable ${name} is not set`,
  );
}

/** Somebody who fits a pattern, always the same one: who is minted for and who is judged must not differ. */
export const fitting = (pattern: string): string => pattern.replaceAll("*", "crosstrust").replaceAll("?", "x");

/** How a client assertion is announced (RFC 7523, 2.2). */
export const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** What an answer without a token means to whoever asked for one, by its status. */
export type NoToken = (status: number) => { readonly class: ErrorClass; readonly message: string };

/**
 * An ID token of Google's metadata server, which vouches for this machine. The audience is percent-encoded, which
 * Google's own clients leave out (google.md, trap 3); the answer must carry the header too (google.md 10).
 */
export function metadataIdentity(
  query: Readonly<Record<string, string>>,
  noToken: NoToken,
  world: World,
): Promise<string> {
  const identity = { service: "google.metadata", operation: "GetIdentity", effect: "read" } as const;
  return call(world, identity, async () => {
    const base = await world.locate("google.metadata", "http://metadata.google.internal");
    const path = "computeMetadata/v1/instance/service-accounts/default/identity";
    const url = `${base}/${path}?${new URLSearchParams(query)}`;
    const answer = await world.http({ method: "GET", url, headers: { "metadata-flavor": "Google" } });
    const token = answer.body.toString("utf8").trim();
    const genuine = answer.status === 200 && answer.headers["metadata-flavor"] === "Google";
    if (genuine && token.split(".").length === 3) return token;
    throw new CloudError({ ...identity, ...noToken(answer.status), code: "", status: answer.status });
  });
}

/** Google's word for this machine, which an issuer can take instead of a secret where it was told to trust it. */
export function googleAssertion(audience: string, world: World): Promise<string> {
  const message = "the metadata server gave no identity token to present instead of a secret";
  const noToken: NoToken = (status) => ({ class: status >= 500 ? "transient" : "credentials", message });
  return metadataIdentity({ audience }, noToken, world);
}

/** At most one byte more than a token may have: a wrong path can lead to a disk image. */
function contents(path: string, ask: Minting): string {
  try {
    // More than a token may have, so that one that is too long is told as what it is.
    return readInput(path, 1024 * 1024).toString("utf8");
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw failure(ask, "credentials", `the token file ${path} cannot be read: ${error.message}`);
  }
}

const run = promisify(execFile);

/** What programs need to run at all: where they and their settings are, the language, the way to the network. */
const ordinary =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TERM|TMPDIR|TEMP|TMP|XDG_\w+|(https?|no|all)_proxy|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|PROGRAMDATA|PROGRAMFILES|SYSTEMDRIVE)$/i;

/** The environment of a program that the file names: credentials in this process's variables are not its business. */
const environmentFor = (env: readonly string[] = []): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => ordinary.test(name) || env.includes(name)));

/** Without a shell; its stdout alone counts, because people's programs write secrets to stderr. */
async function output({ command = [], env }: MintSpec, ask: Minting, world: World): Promise<string> {
  const [program = "", ...words] = command;
  try {
    const surroundings = { env: environmentFor(env), signal: world.signal };
    const running = run(program, words, { ...commandLimits, ...surroundings, killSignal: "SIGKILL" });
    running.child.stdin?.end();
    return (await running).stdout;
  } catch (error) {
    const { code, killed } = error as { code?: unknown; killed?: boolean };
    if (world.signal.aborted) throw failure(ask, "interrupted", "interrupted while a command minted");
    const late = killed && code !== "ERR_CHILD_PROCESS_STDIO_MAXBUFFER";
    const why = late
      ? `took longer than ${commandLimits.timeout / 1000} s`
      : `failed (${String(code ?? "no exit code")})`;
    throw failure(ask, "credentials", `the command ${program} ${why}`);
  }
}

/** The header or the claims of a JWT; nothing where the part holds no JSON object. */
export function decodePart(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Trying again brings the same text: what helps is to change what mints. Nothing is said of the link. */
const unreadable = ({ service }: Pick<Minting, "service">, message: string, fix: string): CloudError =>
  new CloudError({
    class: "malformed",
    service,
    operation: "Mint",
    code: "",
    status: 0,
    message,
    fix: [fix],
    known: { code: "TOKEN-UNREADABLE", asks: "untold" },
  });

const failure = ({ service }: Pick<Minting, "service">, kind: ErrorClass, message: string): CloudError =>
  new CloudError({ class: kind, service, operation: "Mint", code: "", status: 0, message });
