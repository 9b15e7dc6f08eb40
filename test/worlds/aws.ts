import type { Dice } from "./dice.ts";
import { audienceOf, fileOf, fromOf } from "./file.ts";
import { type Issuer, issuers, type Token } from "./issuers.ts";
import { keyOf, type Request, type Statement, type Test } from "./policy.ts";
import { type AwsState, type Truth, truthOfAws } from "./truth.ts";

/** A link to AWS, and the trust policy that somebody wrote after it was applied. */
export interface AwsWorld {
  readonly to: "aws";
  readonly issuer: Issuer;
  readonly file: string;
  readonly edits: readonly string[];
  readonly base: AwsState;
  readonly live: AwsState;
  readonly truth: Truth;
}

export const account = "111122223333";
export const role = "target-role";
const googleAudience = "aws-trust-1";

const relied = [
  issuers.github,
  issuers.github,
  issuers.gitlab,
  issuers.terraform,
  issuers.buildkite,
  issuers.entra,
  issuers.eks,
  issuers.selfGitlab,
  issuers.keycloak,
  issuers.google,
  issuers.google,
] as const;

const allow = (issuer: Issuer, tests: readonly Test[]): Statement => ({
  effect: "Allow",
  principal: { is: "issuer", issuer },
  tests,
});
const deny = (issuer: Issuer, tests: readonly Test[]): Statement => ({ ...allow(issuer, tests), effect: "Deny" });
const test = (operator: string, key: string, ...values: readonly string[]): Test => ({ operator, key, values });

/** The claim that AWS reads as the audience of the link's own token. */
const audienceTest = (issuer: Issuer): Test =>
  issuer.name === "google"
    ? test("StringEquals", keyOf(issuer, "oaud"), googleAudience)
    : test("StringEquals", keyOf(issuer, "aud"), issuer.own.azp ?? audienceOf(issuer));

const pinned = (issuer: Issuer, name: string): Test =>
  test("StringEquals", keyOf(issuer, name), issuer.own[name] ?? "");

/** A second workload of the file that shares the role: it is no outsider. */
function neighbourOf(dice: Dice, issuer: Issuer): Token | undefined {
  if (issuer.name === "google" || issuer.name === "entra" || issuer.own.azp !== undefined || !dice.chance(0.2))
    return undefined;
  const others = issuer.siblings(() => []);
  return dice.pick(others.length > 0 ? others : issuer.strangers(() => []));
}

export function awsWorld(dice: Dice): AwsWorld {
  const issuer = dice.pick(relied);
  const usable = issuer.declarable.filter((name) => issuer.keys.includes(name));
  const declared = usable.length > 0 && dice.chance(0.5) ? [dice.pick(usable)] : [];
  const statement = allow(issuer, [audienceTest(issuer), ...["sub", ...declared].map((name) => pinned(issuer, name))]);
  const clients = new Map(issuer.name === "google" ? [] : [[issuer.url, [issuer.own.azp ?? audienceOf(issuer)]]]);
  const neighbour = neighbourOf(dice, issuer);
  const subjectOfNeighbour = test("StringEquals", keyOf(issuer, "sub"), neighbour?.sub ?? "");
  const second = neighbour ? [allow(issuer, [audienceTest(issuer), subjectOfNeighbour])] : [];
  const base: AwsState = { account, statements: [statement, ...second], clients };
  const { live, edits } = edited(dice, { base, issuer, declared });
  const target = { account, role, ...(issuer.name === "google" ? { audience: googleAudience } : {}) };
  const may = ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"];
  const link = { from: fromOf(issuer, declared), to: { aws: target }, may };
  const other = neighbour ? { from: fromOf({ ...issuer, own: neighbour }, []), to: { aws: target }, may } : undefined;
  const file = fileOf(other ? { target: link, neighbour: other } : { target: link });
  const own: Request = {
    issuer,
    token: issuer.own,
    audience: issuer.name === "google" ? googleAudience : audienceOf(issuer),
    session: "own-session",
    address: "127.0.0.1",
  };
  return { to: "aws", issuer, file, edits, base, live, truth: truthOfAws(own, live, base) };
}

// ---- Live edits

interface Scene {
  readonly dice: Dice;
  readonly issuer: Issuer;
  readonly declared: readonly string[];
  readonly state: AwsState;
}

/** Undefined where the edit does not apply to this world. */
type Edit = (scene: Scene) => AwsState | undefined;

/** The link's own statement, which the file makes, is the first one. */
function withTests({ state, issuer }: Scene, change: (tests: readonly Test[]) => readonly Test[]): AwsState {
  const [first, ...rest] = state.statements;
  return { ...state, statements: [allow(issuer, change(first?.tests ?? [])), ...rest] };
}

const withStatement = ({ state }: Scene, statement: Statement): AwsState => ({
  ...state,
  statements: [...state.statements, statement],
});

/** The tests without those over a claim. */
const without = (issuer: Issuer, name: string, tests: readonly Test[]): readonly Test[] =>
  tests.filter(({ key }) => key !== keyOf(issuer, name));

const audienceAlone = (issuer: Issuer): readonly Test[] => [audienceTest(issuer)];

/** In place of the pinned subject. */
const withSubject = (scene: Scene, ...instead: readonly Test[]): AwsState =>
  withTests(scene, (tests) => [
    ...without(scene.issuer, "sub", tests).filter(
      ({ key }) => !scene.declared.some((name) => key.endsWith(`:${name}`)),
    ),
    ...instead,
  ]);

const subjectKey = (issuer: Issuer): string => keyOf(issuer, "sub");
const ownSubject = (issuer: Issuer): string => issuer.own.sub ?? "";

/** Whether it is known what a subject of the issuer looks like: else any text may be somebody's. */
const hasForm = ({ name }: Issuer): boolean => !["entra", "keycloak", "self-gitlab"].includes(name);

/** Edits that mean no harm: something narrower, another spelling, or something that does not matter. */
const quiet: Readonly<Record<string, Edit>> = {
  "a pattern without a wildcard": (scene) =>
    withSubject(scene, test("StringLike", subjectKey(scene.issuer), ownSubject(scene.issuer))),
  // Every customer's subjects have one form, so nobody is called that.
  "a list with somebody whom the issuer never names": (scene) =>
    hasForm(scene.issuer)
      ? withSubject(scene, test("StringEquals", subjectKey(scene.issuer), ownSubject(scene.issuer), "nobody at all"))
      : undefined,
  "any of the audiences": (scene) =>
    withTests(scene, (tests) =>
      tests.map((one) =>
        one.key === audienceTest(scene.issuer).key ? { ...one, operator: "ForAnyValue:StringEquals" } : one,
      ),
    ),
  "the client id list checks the audience": (scene) =>
    scene.issuer.name === "google" ? undefined : withTests(scene, (tests) => without(scene.issuer, "aud", tests)),
  "asks that the subject is there": (scene) =>
    withTests(scene, (tests) => [...tests, test("Null", subjectKey(scene.issuer), "false")]),
  "the subject, if there is one": (scene) =>
    withSubject(scene, test("StringEqualsIfExists", subjectKey(scene.issuer), ownSubject(scene.issuer))),
  "excludes somebody": (scene) =>
    withTests(scene, (tests) => [...tests, test("StringNotEquals", subjectKey(scene.issuer), "somebody-else")]),
  "denies everybody else": (scene) =>
    withStatement(
      scene,
      deny(scene.issuer, [test("StringNotEquals", subjectKey(scene.issuer), ownSubject(scene.issuer))]),
    ),
  "lets everybody in and denies all but one": (scene) => {
    const state = withSubject(scene);
    const others = test("StringNotEquals", subjectKey(scene.issuer), ownSubject(scene.issuer));
    return withStatement({ ...scene, state }, deny(scene.issuer, [others]));
  },
  "denies somebody": (scene) =>
    withStatement(scene, deny(scene.issuer, [test("StringEquals", subjectKey(scene.issuer), "somebody-else")])),
  "a service beside it": (scene) =>
    withStatement(scene, {
      effect: "Allow",
      principal: { is: "service", name: "pods.eks.amazonaws.com" },
      tests: [],
    }),
  "a statement for an issuer that the account does not know": (scene) =>
    withStatement(scene, allow(issuers.foreignOidc, [])),
  "a statement that no token passes": (scene) =>
    withStatement(scene, allow(scene.issuer, [test("StringEquals", `${keyOf(scene.issuer, "/")}sub`, "somebody")])),
  "an authorized party that is never the audience": (scene) =>
    scene.issuer.name === "google"
      ? withStatement(scene, allow(scene.issuer, [test("StringEquals", keyOf(scene.issuer, "aud"), googleAudience)]))
      : undefined,
};

/** Edits that let somebody in, most of the time. */
const widening: Readonly<Record<string, Edit>> = {
  "no subject": (scene) => withSubject(scene),
  "any subject": (scene) => withSubject(scene, test("StringLike", subjectKey(scene.issuer), "*")),
  "the tenant with its separator": (scene) => bySubjectPattern(scene, scene.issuer.tenantSubject),
  "no separator after the tenant": (scene) => bySubjectPattern(scene, scene.issuer.tenantSubject?.slice(0, -1)),
  "an end of the subject": (scene) =>
    hasForm(scene.issuer)
      ? withSubject(scene, test("StringLike", subjectKey(scene.issuer), `*${ownSubject(scene.issuer).slice(-5)}`))
      : undefined,
  "everybody but somebody": (scene) =>
    withSubject(scene, test("StringNotEquals", subjectKey(scene.issuer), "somebody-else")),
  "everybody but a pattern": (scene) =>
    withSubject(scene, test("StringNotLike", subjectKey(scene.issuer), "somebody*")),
  "a claim that everybody chooses": (scene) => {
    const { dice, issuer } = scene;
    const chosen = issuer.chosen.filter((name) => issuer.keys.includes(name));
    if (chosen.length === 0) return undefined;
    const name = dice.pick(chosen);
    const operator = dice.pick(["StringEquals", "StringLike", "ForAnyValue:StringLike", "StringEqualsIfExists"]);
    return withStatement(
      scene,
      allow(issuer, [
        ...audienceAlone(issuer),
        test(operator, keyOf(issuer, name), name === "ref" ? "refs/heads/main" : "prod"),
      ]),
    );
  },
  "a key that no token has, if it exists": (scene) =>
    withStatement(
      scene,
      allow(scene.issuer, [
        ...audienceAlone(scene.issuer),
        test("StringEqualsIfExists", keyOf(scene.issuer, "department"), "finance"),
      ]),
    ),
  "a claim that is absent": (scene) =>
    withStatement(
      scene,
      allow(scene.issuer, [...audienceAlone(scene.issuer), test("Null", keyOf(scene.issuer, "department"), "true")]),
    ),
  "all values of what nobody has": (scene) =>
    withStatement(
      scene,
      allow(scene.issuer, [
        ...audienceAlone(scene.issuer),
        test("ForAllValues:StringEquals", keyOf(scene.issuer, "department"), "finance"),
      ]),
    ),
  "a session name": (scene) =>
    withStatement(
      scene,
      allow(scene.issuer, [
        ...audienceAlone(scene.issuer),
        test(scene.dice.pick(["StringEquals", "StringLike"]), "sts:RoleSessionName", scene.dice.pick(["ci", "ci-*"])),
      ]),
    ),
  "an address": (scene) =>
    withStatement(
      scene,
      allow(scene.issuer, [...audienceAlone(scene.issuer), test("IpAddress", "aws:SourceIp", "0.0.0.0/0")]),
    ),
  "another account": (scene) =>
    withStatement(scene, {
      effect: "Allow",
      principal: { is: "aws", name: "arn:aws:iam::444455556666:root" },
      tests: [],
    }),
  "everybody in aws": (scene) =>
    withStatement(scene, { effect: "Allow", principal: { is: "aws", name: "*" }, tests: [] }),
  "another issuer that the account knows": (scene) => {
    const other = scene.dice.pick([issuers.github, issuers.gitlab, issuers.buildkite]);
    if (other.url === scene.issuer.url) return undefined;
    const state = withStatement(scene, allow(other, [test("StringEquals", keyOf(other, "aud"), "the-client")]));
    return { ...state, clients: new Map([...state.clients, [other.url, ["the-client"]]]) };
  },
  "google beside it": (scene) =>
    scene.issuer.name === "google"
      ? undefined
      : withStatement(
          scene,
          allow(issuers.google, [test("StringEquals", keyOf(issuers.google, "oaud"), googleAudience)]),
        ),
  "denies what the outsider does not say": (scene) => {
    const state = withSubject(scene);
    return withStatement(
      { ...scene, state },
      deny(scene.issuer, [test("StringEquals", subjectKey(scene.issuer), "somebody-else")]),
    );
  },
};

function bySubjectPattern(scene: Scene, beginning: string | undefined): AwsState | undefined {
  if (beginning === undefined) return undefined;
  return withSubject(scene, test("StringLike", subjectKey(scene.issuer), `${beginning}*`));
}

/** Edits that put the link's own workload out. */
const breaking: Readonly<Record<string, Edit>> = {
  "another subject": (scene) =>
    hasForm(scene.issuer)
      ? withSubject(scene, test("StringEquals", subjectKey(scene.issuer), "nobody-at-all"))
      : undefined,
  "another audience": (scene) =>
    withTests(scene, (tests) =>
      tests.map((one) => (one.key === audienceTest(scene.issuer).key ? { ...one, values: ["another-audience"] } : one)),
    ),
  "a key that no token has": (scene) =>
    withTests(scene, (tests) => [...tests, test("StringEquals", keyOf(scene.issuer, "department"), "finance")]),
  "denies the workload": (scene) =>
    withStatement(
      scene,
      deny(scene.issuer, [test("StringEquals", subjectKey(scene.issuer), ownSubject(scene.issuer))]),
    ),
  "an authorized party that google never gives": (scene) =>
    scene.issuer.name === "google"
      ? withTests(scene, (tests) => [
          ...without(scene.issuer, "oaud", tests),
          test("StringEquals", keyOf(scene.issuer, "aud"), googleAudience),
        ])
      : undefined,
};

interface Editing {
  readonly base: AwsState;
  readonly issuer: Issuer;
  readonly declared: readonly string[];
}

function edited(
  dice: Dice,
  { base, ...editing }: Editing,
): { readonly live: AwsState; readonly edits: readonly string[] } {
  const edits: string[] = [];
  let live = base;
  const apply = (of: Readonly<Record<string, Edit>>) => {
    const name = dice.pick(Object.keys(of).filter((one) => !edits.includes(one)));
    const next = of[name]?.({ ...editing, dice, state: live });
    if (!next) return;
    edits.push(name);
    live = next;
  };
  const roll = dice.pick([..."qqqqnnwwwwwbb"]);
  if (roll === "q") apply(quiet);
  if (roll === "w") apply(widening);
  if (roll === "b") apply(breaking);
  if (roll !== "n" && dice.chance(0.15)) apply(quiet);
  return { live, edits };
}
