import { isMap } from "../../judge/aws/policy.ts";

/** A GetCallerIdentity that was signed and not sent (google.md 8.1), as far as its text says what it is. */
export interface SignedCaller {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The pool provider that it is for; absent where the client does not sign it. */
  readonly target?: string;
  /** Epoch milliseconds; absent where the date cannot be read. */
  readonly signedAt?: number;
  readonly region?: string;
}

/** AWS STS and nothing else: what a text says is sent nowhere else (google.md 8.1). */
const stsHost = /^sts(?:-fips)?(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?$/;

/**
 * Reads the JSON of a signed request, percent-encoded as a subject token or readable as `token --raw --json` prints it.
 * Undefined for any other text.
 */
export function signedCaller(text: string): SignedCaller | undefined {
  const value = jsonIn(text);
  if (!isMap(value) || typeof value.url !== "string" || !Array.isArray(value.headers)) return undefined;
  const headers = Object.fromEntries(
    value.headers.filter(isMap).map(({ key, value: said }) => [String(key).toLowerCase(), String(said)]),
  );
  const url = URL.parse(value.url);
  if (url?.protocol !== "https:" || !stsHost.test(url.hostname) || headers.authorization === undefined)
    return undefined;
  if (url.searchParams.get("Action") !== "GetCallerIdentity") return undefined;
  const target = headers["x-goog-cloud-target-resource"];
  const signedAt = dateOf(headers["x-amz-date"]);
  const region = /Credential=[^/]+\/\d{8}\/([\w-]+)\/sts\//.exec(headers.authorization)?.[1];
  return {
    url: value.url,
    headers,
    ...(target === undefined ? {} : { target }),
    ...(signedAt === undefined ? {} : { signedAt }),
    ...(region === undefined ? {} : { region }),
  };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(/^%7B/i.test(text) ? decodeURIComponent(text.replaceAll("+", "%20")) : text);
  } catch {
    return undefined;
  }
}

/** The basic format of ISO 8601 that signatures have: 20261130T221500Z. */
function dateOf(stamp: string | undefined): number | undefined {
  const [, y, m, d, h, min, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp ?? "") ?? [];
  const at = y === undefined ? Number.NaN : Date.parse(`${y}-${m}-${d}T${h}:${min}:${s}Z`);
  return Number.isNaN(at) ? undefined : at;
}
