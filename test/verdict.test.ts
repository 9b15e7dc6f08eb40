import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Change, Finding, Hop, Link, Trace, Verdict } from "../src/model.ts";
import { finding, verdicts } from "../src/model.ts";
import { codes, exitOf } from "../src/verdict/exit.ts";
import { linkHealth } from "../src/verdict/link.ts";
import { conclude } from "../src/verdict/run.ts";
import { ratings, worst } from "../src/verdict/table.ts";
import { causesOf } from "../src/watch/causes.ts";
import { federationOf } from "./support/bench.ts";

// One rule says how a link fares, and everything that is told of it follows: contract, sections 2, 4 and 9; house rule 1.

const file = `crosstrust: 1
name: acme
links:
  reports:
    from: { google: { project: acme-prod, serviceAccount: reports } }
    to:   { aws: { account: 111122223333, role: reports-reader, audience: aws-trust-1 } }
`;
const [link] = federationOf(file).links as readonly [Link];

/** `.` ok, `n` no, `?` unknown, `-` skipped, `j` judged ok, `x` judged no, a blank: there is no such hop. */
const results = {
  ".": { result: "ok", how: "proved" },
  n: { result: "no" },
  "?": { result: "unknown" },
  "-": { result: "skipped" },
  j: { result: "ok", how: "judged" },
  x: { result: "no", how: "judged" },
} as const;
const steps = ["mint", "exchange", "whoami", "refuse"] as const;

/** One letter for each step in order, and the code of the finding that explains each result that is not ok. */
const hopsOf = (letters: string, explained: Readonly<Record<string, string>> = {}): readonly Hop[] =>
  steps.flatMap((step, at): Hop[] => {
    const letter = letters[at];
    if (letter === undefined || letter === " ") return [];
    const code = explained[step];
    return [{ step, ms: 1, saw: `saw ${step}`, ...results[letter as "."], ...(code ? { finding: code } : {}) }];
  });

const own = { links: ["reports"] };
const witness = { outsider: "somebody", path: ["a token", "the role"], how: "judged" } as const;
const accepted = { reason: "meant" };
const at = { address: "aws:role/111122223333/reports-reader" } as const;

const outsider = finding("AWS-SUB-EXTRA", { says: "an outsider gets in", severity: "security", witness, at, ...own });
const breadth = finding("BROAD-SUBJECT", { says: "it is broad", severity: "security", at, ...own });
const refusedExchange = finding("AWS-TRUST-REFUSES", {
  says: "the trust refuses",
  asks: "broken",
  because: [{ key: "sub", wants: "1", says: "2", readFrom: "sub", ok: false }],
  ...own,
});
const roleMissing = finding("AWS-ROLE-MISSING", {
  says: "the role does not exist",
  asks: "broken",
  because: [{ key: "role", wants: "r", says: "(absent)", readFrom: "iam", ok: false }],
  ...own,
});
const accountMissing = finding("GOOGLE-ACCOUNT-MISSING", { says: "no account", asks: "broken", ...own });
const mintDenied = finding("GOOGLE-MINT-DENIED", { says: "not permitted", asks: "denied", ...own });
const cannotMint = finding("CANNOT-MINT", { says: "nothing mints", asks: "untold", ...own });
const letIn = finding("SUBJECT-NOT-CHECKED", { says: "accepted", severity: "security", asks: "broken", ...own });
const unreadable = finding("NOT-PERMITTED", { says: "GetRole is not permitted", asks: "denied", at, ...own });
const throttled = finding("COULD-NOT-TELL", { says: "throttled", asks: "untold", at, ...own });
const deadIssuer = finding("ISSUER-DOCUMENT", { says: "answers 404", asks: "broken", at, ...own });
const usedMissing = finding("USED-MISSING", { says: "does not exist", asks: "broken", at, ...own });
const notOurs = finding("NOT-OURS", { says: "not ours", asks: "conflict", at, ...own });

const change = (verb: Change["verb"], cause?: Change["cause"], address: Change["address"] = at.address): Change => ({
  address,
  verb,
  links: ["reports"],
  differences: [],
  live: { state: "absent" },
  ...(cause ? { cause } : {}),
});
const create = change("create");
const createAccount = change("create", undefined, "google:serviceAccount/acme-prod/reports");
const drift = change("update", "drifted");

interface Given {
  /** Codes of findings, by step. */
  readonly explained?: Readonly<Record<string, string>>;
  /** Findings of the trace itself. */
  readonly traced?: readonly Finding[];
  readonly findings?: readonly Finding[];
  readonly changes?: readonly Change[];
  readonly unread?: readonly Finding[];
  readonly leftovers?: boolean;
  readonly stage?: "new" | "part" | "whole";
}

const works = "every link works, and turns others away";
const toDecide = (number: number) =>
  `every link works; ${number} security ${number === 1 ? "finding" : "findings"} to decide`;

/** Verdict, exit code, log severity, status of `?strict`, the causes of alerts, and the sentence where it is not the verdict's own. */
type Told = readonly [Verdict, number, string, 200 | 503, string, string?];
type Row = readonly [title: string, hops: string, given: Given, told: Told];

const rows: readonly Row[] = [
  // Everything is there.
  ["all steps are good", "....", {}, ["works", 0, "INFO", 200, "", works]],
  ["the refusal is judged", "...j", {}, ["works", 0, "INFO", 200, "", works]],
  [
    "a hint beside it",
    "....",
    { findings: [finding("ISSUER-SEEN", { says: "seen", severity: "hint" })] },
    ["works", 0, "INFO", 200, "", works],
  ],
  [
    "a warning beside it",
    "....",
    { findings: [finding("ISSUER-DOUBT", { says: "a doubt", severity: "warning", ...own })] },
    ["works", 0, "INFO", 200, "", works],
  ],
  ["nothing can mint, and the judge admits", "-j-j", {}, ["unproved", 0, "INFO", 200, ""]],
  // A premise is missing.
  ["no step at all", "    ", {}, ["unknown", 75, "WARNING", 503, ""]],
  ["the mint could not be told", "?--.", {}, ["unknown", 75, "WARNING", 503, ""]],
  [
    "the mint is not permitted",
    "?--.",
    { explained: { mint: "GOOGLE-MINT-DENIED" }, traced: [mintDenied] },
    ["unknown", 77, "WARNING", 503, ""],
  ],
  [
    "nothing can mint",
    "?--.",
    { explained: { mint: "CANNOT-MINT" }, traced: [cannotMint] },
    ["unknown", 75, "WARNING", 503, ""],
  ],
  ["the exchange could not be told", ".?-.", {}, ["unknown", 75, "WARNING", 503, ""]],
  ["whoami could not be told", "..?.", {}, ["unknown", 75, "WARNING", 503, ""]],
  ["whoami was skipped after an exchange", "..-.", {}, ["unknown", 75, "WARNING", 503, ""]],
  ["the refusal could not be told", "...?", {}, ["unknown", 75, "WARNING", 503, ""]],
  ["the refusal was skipped", "...-", {}, ["unknown", 75, "WARNING", 503, ""]],
  ["the refusal is not among the hops", "...", {}, ["unknown", 75, "WARNING", 503, ""]],
  ["judged, and the refusal could not be told", "-j-?", {}, ["unknown", 75, "WARNING", 503, ""]],
  ["judged, and the refusal was skipped", "-j--", {}, ["unknown", 75, "WARNING", 503, ""]],
  ["only a mint was tried", "?", {}, ["unknown", 75, "WARNING", 503, ""]],
  ["minted and then judged undecided", "-?-j", {}, ["unknown", 75, "WARNING", 503, ""]],
  ["something was not read, throttled", "....", { unread: [throttled] }, ["unknown", 75, "WARNING", 503, ""]],
  ["something was not read, not permitted", "....", { unread: [unreadable] }, ["unknown", 77, "WARNING", 503, ""]],
  [
    "the issuer's documents were not read: unknown, and exit 75 with it",
    "....",
    { unread: [deadIssuer] },
    ["unknown", 75, "WARNING", 503, ""],
  ],
  [
    "a trust that was not read is not judged as absent",
    "-x--",
    { unread: [unreadable] },
    ["unknown", 77, "WARNING", 503, ""],
  ],
  ["judged, and something was not read", "-j-j", { unread: [throttled] }, ["unknown", 75, "WARNING", 503, ""]],
  [
    "an error that could not tell, beside good steps",
    "....",
    { findings: [throttled] },
    ["unknown", 75, "WARNING", 503, ""],
  ],
  [
    "a right to mint that could not be taken back",
    "....",
    { traced: [mintDenied] },
    ["unknown", 77, "WARNING", 503, ""],
  ],
  // What is not read, or found, of other links and of the account.
  [
    "another link's thing was not read",
    "....",
    { unread: [{ ...unreadable, links: ["other"] }] },
    ["works", 0, "INFO", 200, "", works],
  ],
  [
    "what was not read concerns every link",
    "....",
    { unread: [finding("NO-CREDENTIALS", { says: "none", asks: "denied" })] },
    ["unknown", 77, "WARNING", 503, ""],
  ],
  ["another link's drift", "....", { changes: [{ ...drift, links: ["other"] }] }, ["works", 0, "INFO", 200, "", works]],
  [
    "an error of the account alone decides the run's verdict",
    "....",
    { findings: [{ ...throttled, links: [] }] },
    ["unknown", 75, "WARNING", 503, ""],
  ],
  // A definite no.
  ["the mint is refused", "n--.", {}, ["broken", 3, "ERROR", 503, "broken"]],
  [
    "the exchange is refused",
    ".n-.",
    { explained: { exchange: "AWS-TRUST-REFUSES" }, traced: [refusedExchange] },
    ["broken", 3, "ERROR", 503, "AWS-TRUST-REFUSES"],
  ],
  ["whoami is refused", "..n.", {}, ["broken", 3, "ERROR", 503, "broken"]],
  ["the judge refuses", "-x-j", {}, ["broken", 3, "ERROR", 503, "broken"]],
  ["refused, and drifted", ".n-.", { changes: [drift] }, ["broken", 3, "ERROR", 503, "broken"]],
  ["refused, and something was not read", ".n-.", { unread: [throttled] }, ["broken", 3, "ERROR", 503, "broken"]],
  ["what is only used does not exist", "....", { findings: [usedMissing] }, ["broken", 3, "ERROR", 503, ""]],
  // Something differs.
  ["drift", "....", { changes: [drift] }, ["drifted", 2, "WARNING", 503, "drifted"]],
  ["an edited file", "....", { changes: [change("update", "edited")] }, ["drifted", 2, "WARNING", 503, "not applied"]],
  ["both", "....", { changes: [change("update", "both")] }, ["drifted", 2, "WARNING", 503, "drifted"]],
  ["moved", "....", { changes: [change("update", "moved")] }, ["drifted", 2, "WARNING", 503, "not applied"]],
  ["to be deleted", "....", { changes: [change("delete")] }, ["drifted", 2, "WARNING", 503, "drifted"]],
  ["to be replaced", "....", { changes: [change("replace", "drifted")] }, ["drifted", 2, "WARNING", 503, "drifted"]],
  ["drift outranks what could not be told", "...?", { changes: [drift] }, ["drifted", 2, "WARNING", 503, "drifted"]],
  [
    "drift, and not permitted: the exit code that comes first",
    "?--.",
    { changes: [drift], explained: { mint: "GOOGLE-MINT-DENIED" }, traced: [mintDenied] },
    ["drifted", 77, "WARNING", 503, "drifted"],
  ],
  [
    "what is not ours",
    "....",
    { changes: [change("adopt")], findings: [notOurs] },
    ["drifted", 73, "WARNING", 503, "drifted"],
  ],
  [
    "a consent that only an apply needs",
    "....",
    { changes: [drift], findings: [finding("TRUST-WIDENED", { says: "wider", asks: "usage", ...own })] },
    ["drifted", 2, "WARNING", 503, "drifted"],
  ],
  ["things that no link names", "....", { leftovers: true }, ["drifted", 2, "WARNING", 503, ""]],
  ["judged, and drifted", "-j-j", { changes: [drift] }, ["drifted", 2, "WARNING", 503, "drifted"]],
  // Not made, or not made whole.
  [
    "never made: there is no account to mint for",
    "n---",
    { changes: [createAccount, create], explained: { mint: "GOOGLE-ACCOUNT-MISSING" }, traced: [accountMissing] },
    ["absent", 2, "WARNING", 503, "GOOGLE-ACCOUNT-MISSING"],
  ],
  [
    "never made: there is no role",
    ".n--",
    { changes: [create], explained: { exchange: "AWS-ROLE-MISSING" }, traced: [roleMissing] },
    ["absent", 2, "WARNING", 503, "AWS-ROLE-MISSING"],
  ],
  [
    "never made, and judged",
    "-x--",
    { changes: [create], explained: { exchange: "AWS-ROLE-MISSING" }, traced: [roleMissing] },
    ["absent", 2, "WARNING", 503, "AWS-ROLE-MISSING"],
  ],
  [
    "never made, and nothing can mint",
    "?---",
    { changes: [create], explained: { mint: "CANNOT-MINT" }, traced: [cannotMint] },
    ["absent", 2, "WARNING", 503, "absent"],
  ],
  [
    "deleted, and can come back",
    "n--.",
    {
      changes: [change("restore", undefined, createAccount.address)],
      explained: { mint: "GOOGLE-ACCOUNT-MISSING" },
      traced: [accountMissing],
    },
    ["absent", 2, "WARNING", 503, "GOOGLE-ACCOUNT-MISSING"],
  ],
  ["a run was cut off", "....", { changes: [change("update", "unfinished")] }, ["absent", 2, "WARNING", 503, "absent"]],
  ["all works, and one grant is not made", "....", { changes: [create] }, ["absent", 2, "WARNING", 503, "absent"]],
  ["one is not made, another drifted", "....", { changes: [create, drift] }, ["drifted", 2, "WARNING", 503, "drifted"]],
  [
    "a no that something missing does not explain",
    ".n-.",
    { changes: [create], explained: { exchange: "AWS-TRUST-REFUSES" }, traced: [refusedExchange] },
    ["broken", 3, "ERROR", 503, "AWS-TRUST-REFUSES"],
  ],
  [
    "a refused mint that the other side's gap does not explain",
    "n--.",
    { changes: [create] },
    ["broken", 3, "ERROR", 503, "broken"],
  ],
  [
    "not made, and what is only used does not exist",
    ".n--",
    { changes: [create], findings: [usedMissing], explained: { exchange: "AWS-ROLE-MISSING" }, traced: [roleMissing] },
    ["broken", 3, "ERROR", 503, "AWS-ROLE-MISSING"],
  ],
  [
    "not made, and something was not read",
    ".n--",
    { changes: [create], unread: [unreadable], explained: { exchange: "AWS-ROLE-MISSING" }, traced: [roleMissing] },
    ["absent", 77, "WARNING", 503, "AWS-ROLE-MISSING"],
  ],
  [
    "lost since it was whole: there is no account any more",
    "n--.",
    {
      stage: "whole",
      changes: [change("restore", undefined, createAccount.address)],
      explained: { mint: "GOOGLE-ACCOUNT-MISSING" },
      traced: [accountMissing],
    },
    ["broken", 3, "ERROR", 503, "GOOGLE-ACCOUNT-MISSING"],
  ],
  [
    "whole, and a new grant is not made",
    "....",
    { stage: "whole", changes: [create] },
    ["absent", 2, "WARNING", 503, "absent"],
  ],
  [
    "new, beside links that share its trust",
    ".n-.",
    {
      stage: "new",
      changes: [create, { ...change("update", "edited"), links: ["other", "reports"] }],
      explained: { exchange: "AWS-TRUST-REFUSES" },
      traced: [refusedExchange],
    },
    ["absent", 2, "WARNING", 503, "AWS-TRUST-REFUSES"],
  ],
  [
    "new, and what it shares has drifted",
    ".n-.",
    {
      stage: "new",
      changes: [create, { ...drift, links: ["other", "reports"] }],
      explained: { exchange: "AWS-TRUST-REFUSES" },
      traced: [refusedExchange],
    },
    ["broken", 3, "ERROR", 503, "AWS-TRUST-REFUSES"],
  ],
  // Somebody gets in.
  ["a witness", "....", { findings: [outsider] }, ["open", 3, "ERROR", 503, "AWS-SUB-EXTRA"]],
  [
    "a witness of the proof",
    "...n",
    { explained: { refuse: "AWS-SUB-EXTRA" }, traced: [outsider] },
    ["open", 3, "ERROR", 503, "AWS-SUB-EXTRA"],
  ],
  [
    "a refusal that failed",
    "...n",
    { explained: { refuse: "SUBJECT-NOT-CHECKED" }, traced: [letIn] },
    ["open", 3, "ERROR", 503, "SUBJECT-NOT-CHECKED"],
  ],
  ["a refusal that failed, without a finding", "...n", {}, ["open", 3, "ERROR", 503, "open"]],
  [
    "open outranks broken",
    ".n-n",
    { explained: { refuse: "SUBJECT-NOT-CHECKED" }, traced: [letIn] },
    ["open", 3, "ERROR", 503, "SUBJECT-NOT-CHECKED"],
  ],
  [
    "a witness outranks drift and what was not read",
    "...?",
    { findings: [outsider], changes: [drift], unread: [unreadable] },
    ["open", 3, "ERROR", 503, "AWS-SUB-EXTRA"],
  ],
  [
    "a witness that is not about security",
    "....",
    { findings: [{ ...outsider, severity: "warning" }] },
    ["open", 3, "ERROR", 503, "AWS-SUB-EXTRA"],
  ],
  [
    "a witness that concerns every link",
    "....",
    { findings: [finding("AWS-PRINCIPAL-EXTRA", { says: "x", severity: "security", witness, at })] },
    ["open", 3, "ERROR", 503, "AWS-PRINCIPAL-EXTRA"],
  ],
  ["a judged link with a witness", "-j-j", { findings: [outsider] }, ["open", 3, "ERROR", 503, "AWS-SUB-EXTRA"]],
  [
    "a witness of another link",
    "....",
    { findings: [{ ...outsider, links: ["other"] }] },
    ["works", 0, "INFO", 200, "", works],
  ],
  [
    "a witness of the account alone",
    "....",
    { findings: [{ ...outsider, links: [] }] },
    ["works", 0, "NOTICE", 200, "", toDecide(1)],
  ],
  [
    "a witness that the file accepts",
    "....",
    { findings: [{ ...outsider, accepted }] },
    ["works", 0, "INFO", 200, "", works],
  ],
  [
    "a failed refusal that the file accepts",
    "...n",
    { explained: { refuse: "SUBJECT-NOT-CHECKED" }, traced: [{ ...letIn, accepted }] },
    ["works", 0, "INFO", 200, "", works],
  ],
  [
    "two failed refusals of which the file accepts one",
    "...n",
    {
      explained: { refuse: "SUBJECT-NOT-CHECKED" },
      traced: [
        { ...letIn, accepted },
        { ...letIn, code: "AUDIENCE-NOT-CHECKED" },
      ],
    },
    ["open", 3, "ERROR", 503, "SUBJECT-NOT-CHECKED"],
  ],
  // Somebody has to decide.
  ["breadth without a witness", "....", { findings: [breadth] }, ["works", 0, "NOTICE", 200, "", toDecide(1)]],
  [
    "two of them",
    "....",
    { findings: [breadth, { ...breadth, code: "AWS-PRIVILEGED" }] },
    ["works", 0, "NOTICE", 200, "", toDecide(2)],
  ],
  [
    "a security finding of the account alone",
    "....",
    { findings: [{ ...breadth, links: [] }] },
    ["works", 0, "NOTICE", 200, "", toDecide(1)],
  ],
  [
    "breadth that the file accepts",
    "....",
    { findings: [{ ...breadth, accepted }] },
    ["works", 0, "INFO", 200, "", works],
  ],
  [
    "breadth of a judged link",
    "-j-j",
    { findings: [breadth] },
    ["unproved", 0, "NOTICE", 200, "", `${ratings.unproved.says}; 1 security finding to decide`],
  ],
  [
    "breadth and drift",
    "....",
    { findings: [breadth], changes: [drift] },
    ["drifted", 2, "WARNING", 503, "BROAD-SUBJECT", `${ratings.drifted.says}; 1 security finding to decide`],
  ],
  [
    "accepted breadth and drift",
    "....",
    { findings: [{ ...breadth, accepted }], changes: [drift] },
    ["drifted", 2, "WARNING", 503, "drifted"],
  ],
  [
    "a security finding of another link, and drift",
    "....",
    { findings: [{ ...breadth, links: ["other"] }], changes: [drift] },
    ["drifted", 2, "WARNING", 503, "drifted", `${ratings.drifted.says}; 1 security finding to decide`],
  ],
  // What ends a run.
  [
    "interrupted",
    "....",
    { findings: [finding("INTERRUPTED", { says: "interrupted", links: [] })] },
    ["works", 130, "INFO", 200, "", works],
  ],
  [
    "a file that only looking shows to be wrong",
    "....",
    { unread: [finding("ISSUER-MISMATCH", { says: "another issuer", asks: "file", ...own })] },
    ["unknown", 65, "WARNING", 503, ""],
  ],
];

describe("what is found of a link decides all that is told of it", () => {
  test.each(rows)("%s", (_, hops, given, [verdict, exit, log, strict, alert, says]) => {
    const {
      explained,
      traced = [],
      findings = [],
      changes = [],
      unread = [],
      leftovers = false,
      stage = "part",
    } = given;
    const trace: Trace = { link: "reports", hops: hopsOf(hops, explained), findings: traced };
    const line = linkHealth({ link, trace, changes, findings: [...findings, ...unread], unread, stage });
    const all = [...findings, ...unread, ...traced];
    const conclusion = conclude({ links: [line], findings: all, leftovers });
    const { lead } = causesOf(line, link, {
      ...conclusion,
      at: "",
      ms: 0,
      fingerprint: "",
      links: [line],
      findings: all,
    });
    expect({
      ...{ verdict: conclusion.verdict, exit: conclusion.exit, log: conclusion.log, says: conclusion.says },
      ...{ strict: conclusion.healthy ? 200 : 503, alert: lead.map(({ what }) => what).join(" ") },
    }).toEqual({ verdict, exit, log, strict, alert, says: says ?? ratings[verdict].says });
    // Only a link that is well lacks nothing, and what lacks something is not well.
    expect(line.missing.length === 0).toBe(ratings[line.verdict].standing === "well");
  });

  test("there are more than sixty of them", () => expect(rows.length).toBeGreaterThan(60));

  test("a missing premise is named, with the finding that tells more", () => {
    const trace: Trace = { link: "reports", hops: hopsOf("...?"), findings: [] };
    const { missing } = linkHealth({
      link,
      trace,
      changes: [],
      findings: [unreadable],
      unread: [unreadable],
      stage: "part",
    });
    expect(missing).toEqual([
      { premise: "read", says: "GetRole is not permitted", finding: "NOT-PERMITTED", asks: "denied" },
      { premise: "refuse", says: "saw refuse" },
    ]);
  });
});

describe("several links", () => {
  const one = (name: string, hops: string, given: Given = {}) =>
    linkHealth({
      link: { ...link, name },
      trace: { link: name, hops: hopsOf(hops, given.explained), findings: given.traced ?? [] },
      ...{ changes: given.changes ?? [], findings: given.findings ?? [], unread: given.unread ?? [], stage: "part" },
    });

  test("the worst one is the verdict of the run, and the exit code is the first that applies to any", () => {
    const unknown = one("a", "?--.");
    const drifted = one("b", "....", { changes: [{ ...drift, links: ["b"] }] });
    const { verdict, exit } = conclude({ links: [unknown, drifted, one("c", "....")], findings: [], leftovers: false });
    expect([verdict, exit]).toEqual(["drifted", 75]);
  });

  test("no links are no good news", () => {
    expect(conclude({ links: [], findings: [], leftovers: false })).toMatchObject({ verdict: "unknown", exit: 75 });
    expect(worst([])).toBe("unknown");
  });
});

describe("exit codes of commands that prove nothing", () => {
  test("follow the contract's order, and what the file accepts asks for none", () => {
    expect(exitOf({ findings: [mintDenied, usedMissing] })).toBe(codes.broken);
    expect(exitOf({ findings: [throttled, notOurs] })).toBe(codes.conflict);
    expect(exitOf({ changes: [drift] })).toBe(codes.differs);
    expect(exitOf({ findings: [{ ...usedMissing, accepted }] })).toBe(codes.fine);
  });
});

describe("one place lists verdicts", () => {
  const word = new RegExp(`"(${verdicts.join("|")})"|\\b(${verdicts.join("|")}):`, "g");

  /** Lists and tables of verdicts in a text: brackets that hold at least two of them and nothing but words beside. */
  const listsIn = (text: string): readonly string[] =>
    [...text.matchAll(/[[{][^[\]{}]*[\]}]/g)]
      .map(([bracket]) => bracket)
      .filter((bracket) => new Set([...bracket.matchAll(word)].map((match) => match[1] ?? match[2])).size >= 2);

  test("no program and no workflow has another", () => {
    const files = globSync("{src,functions,scripts,workflows}/**/*.{ts,yaml}").filter(
      (name) => !/^src\/(verdict\/table|model\/proof)\.ts$/.test(name),
    );
    const found = files.flatMap((name) => listsIn(readFileSync(name, "utf8")).map((list) => `${name}: ${list}`));
    expect(found).toEqual([]);
  });

  test("such lists are found", () => {
    expect(listsIn('const sick = ["open", "broken"];')).toHaveLength(1);
    expect(listsIn('const tones = { works: "good", open: "bad" };')).toHaveLength(1);
    expect(listsIn('${verdict in ["works", "unproved"]}')).toHaveLength(1);
  });
});
