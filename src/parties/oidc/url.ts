/**
 * What is wrong with an issuer's URL, or nothing. It is fetched from wherever this runs, and compared byte for byte by
 * two clouds: so it must be canonical, https, and name a public host (reliability-and-security.md, 3b, cases 46 to 54).
 */
export function urlTrouble(text: string): string | undefined {
  const rule = rules.find(([broken]) => broken(text));
  if (rule) return rule[1];
  const url = URL.parse(text);
  if (!url) return "this is not a URL";
  const shown =
    url.hostname.startsWith("xn--") || url.hostname.includes(".xn--") ? `; its host is ${url.hostname}` : "";
  if (url.href !== text && url.href !== `${text}/`) return `not in canonical form: ${url.href}${shown}`;
  return hostTrouble(url.hostname);
}

type Rule = readonly [broken: (text: string) => boolean, says: string];

// The raw text is looked at, because the parser repairs silently: it keeps a bare ? or # while search and hash are empty.
const rules: readonly Rule[] = [
  [(text) => !text.startsWith("https://"), "an issuer is an https:// URL"],
  [(text) => text.length > 255, "an issuer has at most 255 characters"],
  [(text) => /[?#]/.test(text), "an issuer has no query and no fragment"],
  [(text) => /^https:\/\/[^/]*@/.test(text) || text.includes("@"), "an issuer has no user in it"],
  [
    (text) => /[\\\s%]/.test(text) || /[\x00-\x20\x7f]/.test(text),
    "not in canonical form: backslashes, blanks and % have no place in it",
  ],
  [
    (text) => /\/\/|\/\.\.?(\/|$)|~~/.test(text.slice("https://".length)),
    "not in canonical form: // . .. and ~~ have no place in its path",
  ],
  [(text) => text.split("/").some((part) => part.length > 150), "a part of its path has more than 150 characters"],
];

/** Names that mean this machine or a private network, whoever resolves them. */
const inside = /^(localhost|metadata)$|\.(localhost|internal|local|localdomain|intranet|home\.arpa)$/;

function hostTrouble(host: string): string | undefined {
  if (/^[\d.]+$/.test(host) || host.startsWith("[")) return "an issuer is named, not numbered";
  if (host.endsWith(".")) return "not in canonical form: a dot at the end of the host";
  if (inside.test(host) || host === "metadata.google.internal") return `${host} is not a public host`;
  if (!host.includes(".")) return `${host} is a single word, not a public host`;
  if (!/^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.|$))+$/.test(host)) return `${host} is not a host name`;
  return undefined;
}
