import fc from "fast-check";
import { part, type Signer, signature, signer, token } from "./signer.ts";

// Ten thousand ways to spoil a token, by a seed: who looks at them must not know what was done.

export const seed = 20_261_122;
export const issuer = "https://idp.example.com";
export const clients = ["aws-access-client", "second-client"] as const;
export const role = "arn:aws:iam::111122223333:role/engineers";
export const now = Math.floor(Date.UTC(2026, 10, 21, 12) / 1000);

export const signers = [signer("RS256", "r1"), signer("RS256", "r2"), signer("ES256", "e1")] as const;
/** Under the same kids, by somebody else. */
const forgers = signers.map(({ alg, kid }) => signer(alg, kid));
const elsewhere = signer("RS256", "r9");

type Claims = Record<string, unknown>;
const own = "https://aws.amazon.com/";
const goodClaims: readonly Claims[] = [
  {},
  { aud: [clients[0]] },
  { aud: "api://something", azp: clients[1] },
  { aud: ["one", "two"], azp: clients[0] },
  { nbf: now, email: "ann@example.com" },
  { [`${own}roles`]: [role] },
  { [`${own}tags`]: { principal_tags: { team: ["blue"] } } },
].map((more) => ({ iss: issuer, sub: "user-123", aud: clients[0], iat: now, exp: now + 3600, ...more }));

interface Good {
  readonly claims: Claims;
  readonly by: Signer;
  readonly at: number;
  readonly text: string;
}
const goods: readonly Good[] = goodClaims.flatMap((claims) =>
  signers.map((by, at) => ({ claims, by, at, text: token(claims, by) })),
);

/** Choices, each from its own number of the seed. */
export interface Dice {
  readonly at: number;
  readonly which: number;
  readonly size: number;
  readonly character: string;
}
const pick = <T>(from: readonly T[], at: number): T => from[at % from.length] as T;

const edits: readonly ((claims: Claims, dice: Dice) => Claims)[] = [
  (claims) => ({ ...claims, sub: "user-999" }),
  (claims) => ({ ...claims, sub: null }),
  (claims) => ({ ...claims, aud: "another", azp: undefined }),
  (claims) => ({ ...claims, aud: [clients[0], "another"], azp: undefined }),
  (claims) => ({ ...claims, aud: [clients[0], "another"], azp: null }),
  (claims) => ({ ...claims, aud: [], azp: undefined }),
  (claims) => ({ ...claims, aud: `${clients[0]} `, azp: undefined }),
  (claims) => ({ ...claims, azp: "another" }),
  (claims) => ({ ...claims, azp: "" }),
  (claims) => ({ ...claims, iss: `${issuer}/` }),
  (claims) => ({ ...claims, iss: issuer.toUpperCase() }),
  (claims, { which }) => ({ ...claims, [pick(["iss", "sub", "aud", "iat", "exp"], which)]: undefined }),
  (claims, { which }) => ({ ...claims, [pick(["iat", "exp", "nbf"], which)]: pick([null, 1.5, "x", true, {}], which) }),
  (claims, { which }) => ({ ...claims, [`${own}roles`]: pick([[], "", `${role}x`, 42, [`${role}*`]], which) }),
  (claims, { which }) => ({
    ...claims,
    [`${own}tags`]: { principal_tags: { team: pick(["blue", [], ["a", "b"], [1], null], which) } },
  }),
  (claims, { size }) => ({ ...claims, [`x${size}`]: size }),
];

/** Seconds around the edges of the five minutes, and far from them. */
const shifts = [-100_000, -3600, -301, -300, -299, -61, -31, -1, 0, 1, 61, 299, 300, 301, 302, 3600, 100_000] as const;

const parts = (text: string) => text.split(".") as [string, string, string];
const flip = (segment: string, { size, which }: Dice): string => {
  const bytes = Buffer.from(segment, "base64url");
  const at = size % Math.max(1, bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (which % 8));
  return bytes.toString("base64url");
};
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const algs = ["none", "None", "HS256", "HS512", "PS256", "RS384", "RS512", "ES256", "ES384", "EdDSA", "", "rs256"];

type Mutation = (good: Good, dice: Dice) => string;

export const mutations: Readonly<Record<string, Mutation>> = {
  "a bit": ({ text }, dice) => {
    const all = parts(text);
    all[dice.which % 3] = flip(all[dice.which % 3] ?? "", { ...dice, which: dice.size % 8 });
    return all.join(".");
  },
  "a character": ({ text }, { size, character }) => {
    const at = size % text.length;
    return text.slice(0, at) + character + text.slice(at + 1);
  },
  "a character more": ({ text }, { size, character }) => {
    const at = size % (text.length + 1);
    return text.slice(0, at) + character + text.slice(at);
  },
  "a character less": ({ text }, { size }) => text.slice(0, size % text.length) + text.slice((size % text.length) + 1),
  "cut off": ({ text }, { size }) => text.slice(0, size % text.length),
  "claims, not signed again": ({ text, claims }, dice) => {
    const [head, , tail] = parts(text);
    return `${head}.${part(pick(edits, dice.at)(claims, dice))}.${tail}`;
  },
  "claims, signed again": ({ claims, by }, dice) => token(pick(edits, dice.at)(claims, dice), by),
  "signed by somebody else": ({ claims, at }) => token(claims, forgers[at] as Signer),
  "signed by a key that is not served": ({ claims }) => token(claims, elsewhere),
  "under the kid of another key": ({ claims, by }, { which }) =>
    token(claims, by, { kid: pick(["r1", "r2", "e1"], which) }),
  "another kid": ({ claims, by }, { which }) =>
    token(claims, by, { kid: pick([null, "", "R1", 1, "../r1", ["r1"]], which) }),
  "another alg, not signed again": ({ text, by }, { which }) => {
    const [, body, tail] = parts(text);
    return `${part({ alg: pick(algs, which), kid: by.kid })}.${body}.${tail}`;
  },
  "another alg, signed so": ({ claims, by }, { which }) => {
    const fits = by.alg.startsWith("RS") ? ["none", "HS256", "PS256", "RS384", "RS512"] : ["none", "ES384", "ES512"];
    return token(claims, by, { alg: pick(fits, which) });
  },
  "another header": ({ claims, by }, { which }) =>
    token(claims, by, pick([{ crit: ["exp"] }, { crit: [] }, { b64: false, crit: ["b64"] }, { jwk: by.jwk }], which)),
  "a key of its own in the header": ({ claims }, { which }) =>
    token(claims, elsewhere, pick([{ jwk: elsewhere.jwk }, { kid: "r1", jwk: elsewhere.jwk }], which)),
  blanks: ({ text }, { which, size }) => {
    const blank = pick([" ", "\n", "\t", "\r\n", "\u00a0", "\ufeff"], which);
    const at = pick([0, text.length, size % text.length], size);
    return text.slice(0, at) + blank + text.slice(at);
  },
  segments: ({ text }, { which }) => {
    const [head, body, tail] = parts(text);
    const ways = [
      ...[`${head}.${body}`, `${body}.${tail}`, `${head}.${tail}`, `${head}.${body}.`, `.${body}.${tail}`],
      ...[`${text}.${tail}`, `${head}.${text}`, `${body}.${head}.${tail}`, `${head}..${tail}`, `${text}.`, `.${text}`],
      ...[`${head}.${body}.${body}.${tail}`, `${text}.${text}`, `${head}.${head}.${tail}`],
    ];
    return pick(ways, which);
  },
  "parts of two tokens": ({ text }, { size, which }) => {
    const other = parts(pick(goods, size).text);
    return parts(text)
      .map((segment, at) => (at === which % 3 ? other[at] : segment))
      .join(".");
  },
  "another spelling": ({ text }, { which }) => {
    const last = alphabet.indexOf(text.at(-1) ?? "A");
    const spare = text.slice(0, -1) + (alphabet[last ^ 1] ?? "");
    const standard = text.replaceAll("-", "+").replaceAll("_", "/");
    return pick(
      [`${text}=`, `${text}==`, spare, standard, encodeURIComponent(`${text}=`), text.replaceAll(".", "%2E")],
      which,
    );
  },
  "a shift in time": ({ claims, by }, { which, size }) => {
    const at = now + pick(shifts, size);
    const claim = pick(["exp", "iat", "nbf", "all"], which);
    const all = { iat: at, nbf: at, exp: at + 3600 };
    // An end before its beginning would be refused for that alone.
    const alone = claim === "exp" ? { iat: Math.min(at, now) - 60, exp: at } : { [claim]: at };
    return token({ ...claims, ...(claim === "all" ? all : alone) }, by);
  },
  "a member twice": ({ claims, by }, { which }) => {
    const text = JSON.stringify(claims);
    const member = pick(['"sub":"user-999"', `"exp":${now - 9999}`, '"aud":"another"', '"iss":"x"'], which);
    const twice = which % 2 ? text.replace(/\}$/, `,${member}}`) : text.replace(/^\{/, `{${member},`);
    return token(twice, by);
  },
  "what is no object": ({ by }, { which }) => token(pick(["null", "[]", "1", '"x"', "{", "", "{}"], which), by),
  "a signature of something else": ({ text, by }, { which }) => {
    const [head, body] = parts(text);
    const input = pick([head, body, `${head}.`, `${head}.${body}.`, ""], which);
    return `${head}.${body}.${signature(by.alg, input, by.key)}`;
  },
  nothing: ({ text }) => text,
};

export interface Mutant {
  readonly how: string;
  readonly text: string;
}

export function mutants(count: number): readonly Mutant[] {
  const dice = fc.record({
    ...{ at: fc.nat(9999), which: fc.nat(9999), size: fc.nat(9999), good: fc.nat(9999) },
    character: fc.constantFrom(...'ABCabc019-_.=+/ \n{}"%'),
  });
  const names = Object.keys(mutations);
  return fc.sample(dice, { numRuns: count, seed }).map(({ good, ...rest }, at) => {
    const how = pick(names, at);
    return { how, text: mutations[how]?.(pick(goods, good), rest) ?? "" };
  });
}
