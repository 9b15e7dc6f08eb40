/**
 * Whether a host pattern such as `sts.*.amazonaws.com` or `*-run.googleapis.com` names this host; `*` stands for (a
 * part of) one label, never for several.
 */
export const hostMatches = (pattern: string, host: string): boolean => {
  const [want, have] = [pattern.split("."), host.toLowerCase().split(".")];
  return want.length === have.length && want.every((label, at) => labelMatches(label, have[at] ?? ""));
};

function labelMatches(want: string, have: string): boolean {
  const [start = "", end] = want.split("*");
  if (end === undefined) return want === have;
  return have.length > start.length + end.length && have.startsWith(start) && have.endsWith(end);
}

/** The domain behind the last label with a star: all that a pattern can be constrained to in a certificate. */
export const domainOf = (pattern: string): string => pattern.replace(/^.*\*[^.]*\./, "");
