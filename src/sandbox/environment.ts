import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "./fake.ts";

/** Environment variables for a program that is to see the sandbox and nothing else. */
export interface Surroundings {
  readonly set: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
  /** Paths below the home folder that such a program must not see. */
  readonly homes: readonly string[];
}

/**
 * The variables that lead the vendors' programs, and our own, to a sandbox. Writes the files that some of
 * them name into `folder`, for its owner alone: tokens stand in them.
 */
export function surroundings(
  url: string,
  parts: readonly Environment[],
  folder: string,
  own: NodeJS.ProcessEnv = {},
): Surroundings {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = parts.flatMap((part) => [
    ...Object.entries(part.files).map(([name, text]) => ({ name, text })),
    ...Object.entries(part.excerpts ?? {}).map(([name, path]) => ({ name, text: excerptOf(name, path, own) })),
  ]);
  // Several variables with one text name one file.
  const paths = files.map(({ name, text }) => {
    const first = files.find((one) => one.text === text)?.name ?? name;
    return [name, join(folder, first.toLowerCase())] as const;
  });
  for (const [at, [, file]] of paths.entries()) writeFileSync(file, files[at]?.text ?? "", { mode: 0o600 });
  const folders = parts.flatMap((part) =>
    part.folders.map((name) => [name, join(folder, name.toLowerCase())] as const),
  );
  // The metadata host names are reached through plain HTTP proxying, everything else under its real name through
  // CONNECT; everything at 127.0.0.1 is reached directly.
  const direct = "127.0.0.1,localhost";
  // Node's own fetch looks at the proxies only when it is told to (Node 24; older ones have no such switch).
  const proxies = { http_proxy: url, HTTP_PROXY: url, https_proxy: url, HTTPS_PROXY: url };
  const proxy = { ...proxies, no_proxy: direct, NO_PROXY: direct, NODE_USE_ENV_PROXY: "1" };
  const variables = Object.assign({}, ...parts.map((part) => part.variables)) as Record<string, string>;
  const named = Object.fromEntries([...paths, ...folders]);
  // What one part sets a later one may take away: a machine's own programs have no operator's token.
  const set = Object.entries({ ...variables, ...named }).filter(([name]) => !takesAway(parts, name));
  const all = { CROSSTRUST_SANDBOX: url, ...proxy, ...Object.fromEntries(set) };
  const families = parts.flatMap((part) => part.families ?? []);
  const others = Object.keys(own).filter((name) => !(name in all) && families.some((start) => name.startsWith(start)));
  // A proxy for whatever has none of its own would take what is sent to this machine, too.
  const unset = [...new Set([...parts.flatMap((part) => part.unset), ...others, "all_proxy", "ALL_PROXY"])];
  return { set: all, unset, homes: parts.flatMap((part) => part.homes ?? []) };
}

/**
 * The sections of a user's INI file that run crosstrust, such as the profiles that it has installed: within the sandbox they
 * lead to the sandbox. Everything else in the file is about real accounts. The first line tells such a file from others.
 */
function excerptOf(name: string, path: string, own: NodeJS.ProcessEnv): string {
  const file = own[name] || (own.HOME && join(own.HOME, path));
  const sections = (file ? textOf(file) : "").split(/^(?=[ \t]*\[)/m);
  const kept = sections.filter((section) => /^[ \t]*credential_process[ \t]*=.*\bcrosstrust\b/m.test(section));
  return [`# ${name}: what the sandbox leaves of the file\n`, ...kept.map((section) => `${section.trimEnd()}\n`)].join(
    "",
  );
}

/** Nothing where it cannot be read: a client in the sandbox needs none. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Whether a part after the one that has a variable takes it away. */
function takesAway(parts: readonly Environment[], name: string): boolean {
  const sets = parts.findLastIndex(
    (part) => name in part.variables || name in part.files || part.folders.includes(name),
  );
  return parts.findLastIndex((part) => part.unset.includes(name)) > sets;
}

/**
 * The sandbox's CA for programs that are led to it, by every name that one of them reads (wire.md, trap 7): set and
 * not assumed unset, because the machine may name its own.
 */
export function trustPart(anchors: readonly string[]): Environment {
  const bundle = anchors.join("");
  const names = ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];
  const files = [...names, "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE"].map((name) => [name, bundle] as const);
  return { variables: {}, files: Object.fromEntries(files), folders: [], unset: [] };
}

/** Lines for a POSIX shell, quoted so that no value can end its own quotes. */
export const exportLines = ({ set, unset }: Pick<Surroundings, "set" | "unset">): string =>
  [
    ...unset.map((name) => `unset ${name}`),
    ...Object.entries(set).map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`),
  ].join("\n");
