import type { FakeRequest, Host } from "../../../sandbox/fake.ts";
import { badRequest, grantRefused } from "./sts-error.ts";

/** Where Google lets a signed request lead: AWS STS and nothing else, whatever the token says (google.md 8.1). */
const allowed = /^sts(?:-fips)?(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?$/;

type Headers = Readonly<Record<string, string>>;

/**
 * Who signed a GetCallerIdentity. Of the token only what the request must consist of is taken over; the request itself
 * is made anew, so that no byte of the token's own making goes anywhere, and AWS is asked, who verifies it for real.
 */
export async function callerFrom(
  token: string,
  audience: string,
  host: Host,
): Promise<Readonly<Record<string, unknown>>> {
  const { url, method, headers } = parsed(token);
  if (method !== "POST") throw badRequest("The AWS request must be a POST.");
  const target = headers["x-goog-cloud-target-resource"];
  if (target !== audience && target !== `https:${audience}`)
    throw badRequest("The value of x-goog-cloud-target-resource does not match the audience.");
  const answer = await host.relay(rebuilt(url, headers));
  if (!answer) throw badRequest("The AWS STS endpoint is not reachable.");
  const text = answer.body.toString();
  const field = (name: string) => unescaped(new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? "");
  if (answer.status !== 200)
    throw grantRefused(
      `Received invalid AWS response of type ${field("Code")} with error message: ${field("Message")}`,
    );
  return { account: field("Account"), arn: field("Arn"), userid: field("UserId") };
}

const unescaped = (text: string): string =>
  text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");

/** Keys of headers are compared without case, and each may come once (google.md 8.1). */
function parsed(token: string): { url: URL; method: unknown; headers: Headers } {
  const broken = badRequest(
    "Invalid format of AWS credentials:Error at line 0:0: Unexpected end of stream : expected '{'",
  );
  let value: { url?: unknown; method?: unknown; headers?: unknown; body?: unknown };
  try {
    // Some clients write a blank as a form does; a plus of the JSON's own stands there as `%2B` (google.md 8.1).
    value = JSON.parse(decodeURIComponent(token.startsWith("%7B") ? token.replaceAll("+", "%20") : token));
  } catch {
    throw broken;
  }
  const url = typeof value?.url === "string" ? URL.parse(value.url) : null;
  if (!url || !Array.isArray(value.headers) || (value.body ?? "") !== "") throw broken;
  const headers = value.headers.map((one: { key?: unknown; value?: unknown }) => [
    String(one?.key).toLowerCase(),
    String(one?.value),
  ]);
  if (new Set(headers.map(([key]) => key)).size !== headers.length) throw badRequest("A header is there twice.");
  return { url, method: value.method, headers: Object.fromEntries(headers) as Headers };
}

const known = ["authorization", "host", "x-amz-date", "x-amz-security-token", "x-goog-cloud-target-resource"];

function rebuilt(url: URL, given: Headers): FakeRequest {
  const fine = url.protocol === "https:" && !url.port && !url.username && (url.pathname === "/" || url.pathname === "");
  if (!fine || !allowed.test(url.hostname)) throw badRequest("The AWS request must be for AWS STS.");
  if (given.host !== url.hostname) throw badRequest("The host header does not match the URL.");
  const query = new URLSearchParams({ Action: "GetCallerIdentity", Version: "2011-06-15" });
  const same = [...url.searchParams].sort().join("&") === [...query].sort().join("&");
  if (!same) throw badRequest("The AWS request must be GetCallerIdentity.");
  const missing = ["authorization", "x-amz-date"].find((name) => !given[name]);
  if (missing) throw badRequest(`The AWS request lacks the header ${missing}.`);
  const headers = Object.fromEntries(known.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
  return { method: "POST", host: url.hostname, sentPath: "/", path: "/", query, headers, body: Buffer.alloc(0) };
}
