/**
 * Whether a host pattern such as `sts.*.amazonaws.com` names this host. `*` is one label, never several; `**` at the
 * beginning is one or more.
 */
export const hostMatches = (pattern: string, host: string): boolean => {
  if (pattern.startsWith("**."))
    return host.toLowerCase().endsWith(pattern.slice(2)) && host.length > pattern.length - 2;
  const [want, have] = [pattern.split("."), host.toLowerCase().split(".")];
  return want.length === have.length && want.every((label, at) => label === "*" || label === have[at]);
};
