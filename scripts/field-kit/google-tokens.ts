import { claimsFor, exchanged, ownKeys, ownProvider, poolProvider, type Trusting } from "./google.ts";
import type { Kit } from "./kit.ts";
import { answerOf, type Probe } from "./probe.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Claims over the usual ones; times that count from now need the kit's clock. */
type Over = Fields | ((now: number) => Fields);

/** A token of the kit's own issuer, put to its pool provider or to one that trusts it in another way. */
async function exchangeOf(kit: Kit, over: Over, header: Fields = {}, trusting?: Trusting, scope?: string) {
  const name = await (trusting ? poolProvider(kit, trusting) : ownProvider(kit));
  const now = Math.floor(kit.world.clock.now() / 1000);
  const claims = claimsFor(kit, name, typeof over === "function" ? over(now) : over);
  const text = (await ownKeys(kit)).token(claims, header);
  return answerOf(exchanged(kit, { name, text, ...(scope ? { scope } : {}) }));
}

const asked = "POST sts.googleapis.com/v1/token with a JWT of a pool provider whose keys were uploaded";
const given = { status: 200, saw: { token: "given" } };

/** What Google's token exchange makes of a JWT. */
export const googleTokens: readonly Probe[] = [
  {
    id: "google/uploaded-keys-admit",
    standing: "docs",
    question: "Does a token signed by a key that is uploaded to the pool provider get a token of the pool?",
    leans: "every other probe of this list: a refusal says something only where a good token is taken",
    asked,
    expected: given,
    ask: (kit) => exchangeOf(kit, {}),
  },
  {
    id: "google/issuer-with-a-slash",
    standing: "unverified",
    question: "Is a token taken whose issuer has one slash more at its end than the pool provider's?",
    leans: "the judge of pool providers, for Entra's issuers with a slash",
    asked: `${asked}; iss ends in a slash, issuerUri does not`,
    expected: given,
    ask: (kit) => exchangeOf(kit, { iss: "https://field-kit.example.com/" }),
  },
  {
    id: "google/custom-claim-absent",
    standing: "unverified",
    question: "Is a token taken where a custom attribute is mapped from a claim that the token lacks?",
    leans: "the judge, which calls such a token undecided, and the sandbox, which leaves the attribute out",
    asked: `${asked}; the mapping has attribute.environment=assertion.environment, the token has no such claim`,
    expected: given,
    ask: (kit) =>
      exchangeOf(
        kit,
        {},
        {},
        {
          mapping: { "google.subject": "assertion.sub", "attribute.environment": "assertion.environment" },
        },
      ),
  },
  {
    id: "google/condition-on-an-absent-attribute",
    standing: "inferred",
    question: "Is a token refused where the condition reads an attribute whose claim the token lacks?",
    leans: "the judge, and the sentence that explain finds for it",
    asked: `${asked}; attribute.environment is mapped from a claim that is absent, the condition compares it`,
    expected: { status: 400, code: "unauthorized_client" },
    ask: (kit) =>
      exchangeOf(
        kit,
        {},
        {},
        {
          mapping: { "google.subject": "assertion.sub", "attribute.environment": "assertion.environment" },
          condition: "attribute.environment == 'production'",
        },
      ),
  },
  {
    id: "google/subject-claim-absent",
    standing: "issue",
    question: "How is a token refused from which google.subject cannot be made?",
    leans: "explain, which finds the page by this sentence",
    asked: `${asked}; google.subject is mapped from a claim that is absent`,
    expected: {
      status: 400,
      code: "unauthorized_client",
      message: "Could not obtain a value for google.subject from the given credential",
    },
    ask: (kit) => exchangeOf(kit, {}, {}, { mapping: { "google.subject": "assertion.missing" } }),
  },
  {
    id: "google/subject-that-is-no-text",
    standing: "issue",
    question: "How is a token refused whose google.subject is a number?",
    leans: "explain, which finds the page by this sentence",
    asked: `${asked}; google.subject is mapped from a claim that is a number`,
    expected: {
      status: 400,
      code: "unauthorized_client",
      message: "The mapped attribute 'google.subject' must be of type STRING.",
    },
    ask: (kit) => exchangeOf(kit, { number: 42 }, {}, { mapping: { "google.subject": "assertion.number" } }),
  },
  {
    id: "google/token-of-a-day",
    standing: "inferred",
    question: "Is a token taken that lives 86,700 seconds, as those of Azure's managed identities do?",
    leans: "the judge's limit of 48 hours, and every link from a managed identity",
    asked: `${asked}; exp - iat = 86,700 s`,
    expected: given,
    ask: (kit) => exchangeOf(kit, (now) => ({ iat: now - 10, exp: now + 86_690 })),
  },
  {
    id: "google/token-of-two-days",
    standing: "unverified",
    question: "Is a token refused that lives longer than 48 hours?",
    leans: "the judge's limit: Google publishes both 24 and 48 hours",
    asked: `${asked}; exp - iat = 173,400 s`,
    expected: { status: 400, code: "invalid_grant" },
    ask: (kit) => exchangeOf(kit, (now) => ({ iat: now - 10, exp: now + 173_390 })),
  },
  {
    id: "google/issued-a-minute-ahead",
    standing: "unverified",
    question: "Does Google allow for clocks that differ by a minute?",
    leans: "the judge, which allows for nothing",
    asked: `${asked}; iat = now + 60 s`,
    expected: { status: 400, code: "invalid_grant" },
    ask: (kit) => exchangeOf(kit, (now) => ({ iat: now + 60, exp: now + 900 })),
  },
  {
    id: "google/two-audiences",
    standing: "inferred",
    question: "Is a token taken that has two audiences, one of which is the pool provider's?",
    leans: "the judge",
    asked: `${asked}; aud is a list of two`,
    expected: given,
    ask: async (kit) => {
      const name = await ownProvider(kit);
      return exchangeOf(kit, { aud: ["https://other.example.com", `https:${name}`] });
    },
  },
  {
    id: "google/no-key-id",
    standing: "inferred",
    question: "Is a token refused whose header names no key?",
    leans: "the judge, and lint for issuers that leave it out",
    asked: `${asked}; the header has no kid, and one key is uploaded`,
    expected: { status: 400, code: "invalid_grant" },
    ask: (kit) => exchangeOf(kit, {}, { kid: undefined }),
  },
  {
    id: "google/narrow-scope",
    standing: "inferred",
    question: "Does the exchange give a token for the scope userinfo.email alone?",
    leans: "every proof: it asks for no more than that",
    asked: `${asked}; scope is userinfo.email`,
    expected: given,
    ask: (kit) => exchangeOf(kit, {}, {}, undefined, "userinfo.email"),
  },
  ...[
    ["lower-ascii", "lowerAscii", "assertion.sub.lowerAscii()"],
    ["replace", "replace", "assertion.sub.replace('field', 'lab')"],
    ["substring", "substring", "assertion.sub.substring(0, 5)"],
  ].map(
    ([id, name = "", expression = ""]): Probe => ({
      id: `google/cel-${id}`,
      standing: "unverified",
      question: `Does Google's mapping know the CEL function ${name}?`,
      leans: "the evaluation of mappings and conditions, and lint",
      asked: `create a pool provider with google.subject=${expression}, then exchange a token there`,
      expected: given,
      ask: async (kit) => answerOf(mapped(kit, expression)),
    }),
  ),
];

/** The refusal may come when the pool provider is made or when a token is mapped: both are answers. */
async function mapped(kit: Kit, expression: string) {
  const name = await poolProvider(kit, { mapping: { "google.subject": expression } });
  const text = (await ownKeys(kit)).token(claimsFor(kit, name));
  return exchanged(kit, { name, text });
}
