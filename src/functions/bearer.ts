/**
 * 401: no token, or not one we believe. 403: believed, and not on the list. The message is for our log; the
 * caller gets the status and no reason.
 */
export class CallerRefused extends Error {
  readonly status: 401 | 403;

  constructor(status: 401 | 403, why: string) {
    super(why);
    this.status = status;
  }
}

/** The request before anything has tidied it: two equal headers look like one in Node's own `headers`. */
export interface Incoming {
  /** Name, value, name, value ... as they were received. */
  readonly rawHeaders: readonly string[];
  readonly url: string;
}

/**
 * Exactly one Authorization header, a bearer token, and none in the URL (fact sheet reliability-and-security,
 * cases 109 and 111): with two it would be open which one the platform has checked. Apart from the check of the
 * token, so that whoever brings none makes us load nothing.
 */
export function bearerOf({ rawHeaders, url }: Incoming): string {
  const given = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === "authorization");
  const inUrl = new URL(url, "http://localhost").searchParams;
  if (["access_token", "id_token", "token"].some((name) => inUrl.has(name)))
    throw new CallerRefused(401, "a token in the URL is not read");
  const match = given.length === 1 ? /^Bearer ([\w.-]+)$/.exec(given[0] ?? "") : null;
  if (!match?.[1]) throw new CallerRefused(401, "one Authorization header with a bearer token is wanted");
  return match[1];
}
