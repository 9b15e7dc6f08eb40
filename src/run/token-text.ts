/** What a text is that was taken for a token, as the end of a sentence about it, and what helps. No byte of it is repeated. */
export interface NoToken {
  readonly what: string;
  readonly fix: string;
}

const jwtPart = "[\\w-]+\\.[\\w-]+\\.[\\w-]+";
/** A header is JSON, so its base64 begins like this. */
const jwt = new RegExp(`eyJ${jwtPart}`);
const wholeJwt = new RegExp(`^eyJ${jwtPart}$`);

const alone = "leave the token alone in it: three parts with two dots, and nothing else";

/**
 * Says what stands in the place of a token (RFC 7519, compact form). The ways are those by which people come to have something
 * else: a path instead of the file's contents, the answer around a token, a header's value, a token of another kind.
 */
export function notAToken(given: string): NoToken {
  const text = given.replace(/^\ufeff/, "").trim();
  return emptyOrBinary(text) ?? json(text) ?? dressed(text) ?? otherSecret(text) ?? place(text) ?? shape(text);
}

function emptyOrBinary(text: string): NoToken | undefined {
  if (text === "") return { what: "is empty", fix: "find out why nothing was written into it" };
  if (/[\0\ufffd]/.test(text)) return { what: "is binary or of another encoding than UTF-8", fix: alone };
  return undefined;
}

/** JSON around a token, or JSON that is none. */
function json(text: string): NoToken | undefined {
  if (!/^[{["]/.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value === "string")
    return wholeJwt.test(value.trim())
      ? { what: "has quotes around the token", fix: "take the quotes away, such as with jq -r" }
      : notAToken(value);
  const path = tokenIn(value, 4);
  if (path !== undefined)
    return { what: `is JSON, and the token is its ${path}`, fix: `take that member alone: jq -r '.${path}'` };
  if (isClaims(value))
    return {
      what: "holds claims, and not the token that they are of",
      fix: "give the token itself; explain takes claims alone with --claims FILE",
    };
  return { what: "is JSON without a token in it", fix: alone };
}

/** Where in a JSON value the first signed token stands, written as jq does; undefined where there is none. */
function tokenIn(value: unknown, depth: number): string | undefined {
  if (typeof value !== "object" || value === null || depth === 0) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const here = Array.isArray(value) ? `[${name}]` : /^\w+$/.test(name) ? name : JSON.stringify(name);
    if (typeof inner === "string" && wholeJwt.test(inner.trim())) return here;
    const below = tokenIn(inner, depth - 1);
    if (below !== undefined) return `${here}${below.startsWith("[") ? "" : "."}${below}`;
  }
  return undefined;
}

/** An issuer, or a subject with something that only a token has beside it. */
export function isClaims(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const has = (name: string): boolean => Object.hasOwn(value, name);
  // Discovery documents and service account keys name an issuer or a subject in other words.
  if (has("jwks_uri") || has("private_key") || has("keys")) return false;
  return has("iss") || (has("sub") && ["aud", "exp", "iat", "azp"].some(has));
}

/** A token with something around it. */
function dressed(text: string): NoToken | undefined {
  if (/^(?:authorization:\s*)?bearer\s/i.test(text))
    return { what: "starts with Bearer", fix: "take the word Bearer away: the token is what follows it" };
  if (/^(?:export\s+)?\w+\s*[=:]\s*['"]?eyJ/.test(text))
    return { what: "holds a variable with the token as its value", fix: alone };
  if (/^\$\{?\w+\}?$|^%\w+%$|^\$\{\{.*\}\}$/.test(text))
    return { what: "holds the name of a variable, and not the token in it", fix: "let the shell put its value there" };
  const whole = text.replace(/\s+/g, "");
  if (/\s/.test(text) && wholeJwt.test(whole) && !new RegExp(`^eyJ${jwtPart}\\s`).test(text))
    return { what: "has line ends or blanks within the token", fix: "write it on one line" };
  const found = jwt.exec(text);
  if (!found) return undefined;
  if (text.match(new RegExp(jwt, "g"))?.length !== 1) return { what: "holds several tokens", fix: alone };
  const rest = text.slice(found.index + found[0].length);
  if (found.index === 0 && rest.startsWith(".")) return undefined;
  if (found.index === 0 && rest !== "") return { what: "has text after the token", fix: alone };
  if (found.index > 0) return { what: `has text ${rest === "" ? "before" : "around"} the token`, fix: alone };
  return undefined;
}

const kinds: readonly (readonly [RegExp, string])[] = [
  [/^ya29\./, "is an access token of google, which only google can read"],
  [/^(?:gh[a-z]_|github_pat_)/, "is an access token of github, and no ID token"],
  [/^glpat-|^glcbt-/, "is an access token of gitlab, and no ID token"],
  [/^(?:AKIA|ASIA)[A-Z0-9]{12,}/, "is an access key of aws"],
  [/^\[[^\]]+\][\s\S]*aws_access_key_id/, "is a credentials file of aws"],
  [/^-----BEGIN/, "is PEM, a key or a certificate"],
  [/^(?:<!doctype html|<html)/i, "is a web page"],
  [/^<[?\w]/, "is XML"],
];

function otherSecret(text: string): NoToken | undefined {
  const kind = kinds.find(([form]) => form.test(text))?.[1];
  if (kind !== undefined)
    return { what: kind, fix: "ask the issuer for an ID token (a JSON web token), and give that" };
  if (/^%7B/i.test(text) || /^Y?\{/.test(text))
    return {
      what: "is percent-encoded or broken JSON, and no JSON web token",
      fix: "give the token itself; a signed GetCallerIdentity is for a pool provider of google",
    };
  return undefined;
}

function place(text: string): NoToken | undefined {
  if (/\s/.test(text) && !/^[~/\\]|^[A-Za-z]:\\/.test(text)) return undefined;
  if (text.includes("\n")) return undefined;
  if (/^(?:https?|wss?):\/\//.test(text))
    return { what: "holds a URL, and not a token", fix: "ask there for the token" };
  if (/^(?:file:|~?\/|\.{1,2}[\\/]|[A-Za-z]:[\\/]|\\\\)/.test(text) || /^[\w.-]+[\\/][\w./\\-]+$/.test(text))
    return { what: "holds a path, not the token in that file", fix: "name the file that it leads to" };
  if (/^arn:[\w-]+:/.test(text)) return { what: "holds an ARN, and not a token", fix: alone };
  return undefined;
}

/** By the number of parts between the dots. */
function shape(text: string): NoToken {
  const parts = text.split(".");
  const plain = parts.every((part) => /^[\w-]*$/.test(part));
  const signed = "ask the issuer for a signed token";
  if (plain && parts.length === 5)
    return {
      what: "is an encrypted token (JWE), which only the one it is meant for can read",
      fix: "ask the issuer for a signed token: a cloud reads no encrypted one",
    };
  if (plain && parts.length === 3 && parts[2] === "") return { what: "is a token without a signature", fix: signed };
  if (plain && parts.length === 3)
    return { what: "has three parts, and header and claims are not both JSON", fix: alone };
  if (plain && parts.length === 2) return { what: "has two parts of a token: its signature is missing", fix: alone };
  if (/^ZXlK/.test(text)) return { what: "is a token encoded in base64 once more", fix: "decode it once: base64 -d" };
  if (plain && parts.length === 1 && /^eyJ/.test(text))
    return { what: "is one part of a token, which has three", fix: alone };
  return { what: "holds no JSON web token", fix: alone };
}
