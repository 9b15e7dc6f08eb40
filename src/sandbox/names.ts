/** Whether a host pattern such as `sts.*.amazonaws.com` names this host; `*` is one label, never several. */
export const hostMatches = (pattern: string, host: string): boolean => {
  const [want, have] = [pattern.split("."), host.toLowerCase().split(".")];
  return want.length === have.length && want.every((label, at) => label === "*" || label === have[at]);
};
