import {
  and,
  attribute,
  type Condition,
  claim,
  conditionText,
  equals,
  type Mapping,
  mappedText,
  or,
  type Term,
} from "./cel.ts";
import type { Dice } from "./dice.ts";
import { fileOf, fromOf } from "./file.ts";
import { awsAccount, awsRole, type Issuer, issuers, type Token } from "./issuers.ts";
import { type GoogleState, type Grant, type Member, type Provider, type Truth, truthOfGoogle } from "./truth.ts";

/** A link to Google, and what somebody changed after it was applied. */
export interface GoogleWorld {
  readonly to: "google";
  readonly issuer: Issuer;
  readonly file: string;
  readonly edits: readonly string[];
  readonly base: GoogleState;
  readonly live: GoogleState;
  readonly truth: Truth;
}

export const project = "acme-prod";
export const pool = "partners";
export const mainId = "main-one";
export const sink = "app-sink";
export const bucket = "acme-reports";
export const foreignProject = "evil-corp";

const workloadIdentityUser = "roles/iam.workloadIdentityUser";
const tokenCreator = "roles/iam.serviceAccountTokenCreator";
const objectViewer = "roles/storage.objectViewer";

const subjectOf = (issuer: Issuer): Term => claim(issuer.name === "aws" ? "arn" : "sub");

/** What the product maps of an AWS caller where the file says nothing (documented mapping, with the bare role). */
const awsMapping: Mapping = {
  "google.subject": claim("arn"),
  "attribute.account": claim("account"),
  "attribute.aws_role": { is: "extract", claim: "arn", prefix: "assumed-role/", suffix: "/" },
};

/** Ids and names of which one customer alone has each: granting to one of them lets no other tenant in. */
const bindable: Readonly<Record<string, readonly string[]>> = {
  github: ["repository", "repository_id", "repository_owner_id"],
  gitlab: ["project_path", "project_id", "namespace_id"],
  terraform: ["terraform_workspace_id", "terraform_organization_id"],
  buildkite: ["pipeline_id", "organization_id"],
};

const relied = [
  issuers.github,
  issuers.github,
  issuers.gitlab,
  issuers.terraform,
  issuers.buildkite,
  issuers.entra,
  issuers.eks,
  issuers.aws,
  issuers.aws,
  issuers.selfGitlab,
  issuers.keycloak,
] as const;

/** A mapping with what is granted to: `tail` is the end of the member's name. */
interface Shape {
  readonly mapping: Mapping | undefined;
  readonly grant: object | string | undefined;
  readonly tail: string;
  /** The claim that the granted attribute or group is taken from. */
  readonly claim?: string;
  /** What the file states for such a grant. */
  readonly condition?: Condition;
}

/** Claims that tell nobody apart: a file that grants to one of them lets outsiders in by itself. */
const telling: Readonly<Record<string, string>> = {
  github: "ref",
  gitlab: "ref",
  "self-gitlab": "ref",
  buildkite: "build_branch",
  entra: "tid",
  aws: "account",
};

function shapeOf(dice: Dice, issuer: Issuer): Shape {
  const subject: Mapping = { "google.subject": subjectOf(issuer) };
  const ownSubject = `subject/${issuer.own.sub}`;
  const broad = telling[issuer.name];
  if (broad !== undefined && dice.chance(0.06)) {
    const value = issuer.own[broad] ?? "";
    const mapping = { ...subject, [`attribute.${broad}`]: claim(broad) };
    const condition = equals(claim(broad), value);
    const tail = `attribute.${broad}/${value}`;
    return { mapping, grant: { attribute: { [broad]: value } }, tail, claim: broad, condition };
  }
  if (issuer.name === "aws") return { mapping: undefined, grant: undefined, tail: `attribute.aws_role/${awsRole}` };
  const names = bindable[issuer.name] ?? [];
  if (names.length === 0 || dice.chance(0.4)) {
    const more = dice.chance(0.4) && issuer.declarable.length > 0 ? dice.pick(issuer.declarable) : undefined;
    if (more === undefined) return { mapping: undefined, grant: undefined, tail: ownSubject };
    const mapping = { ...subject, [`attribute.${more}`]: claim(more) };
    // A file need not declare what its mapping reads: the real token has it all the same.
    return { mapping, grant: undefined, tail: ownSubject, ...(dice.chance(0.7) ? { claim: more } : {}) };
  }
  const name = dice.pick(names);
  const value = issuer.own[name] ?? "";
  if (dice.chance(0.15)) {
    const mapping: Mapping = { ...subject, "google.groups": { is: "list", claim: name } };
    return { mapping, grant: { group: value }, tail: `group/${value}`, claim: name };
  }
  const mapping = { ...subject, [`attribute.${name}`]: claim(name) };
  return { mapping, grant: { attribute: { [name]: value } }, tail: `attribute.${name}/${value}`, claim: name };
}

/** What the product pins where the file has no condition of its own: all that the file declares of the workload. */
function pinned(issuer: Issuer, declared: readonly string[]): Condition {
  if (issuer.name === "aws")
    return { is: "startsWith", term: claim("arn"), value: `arn:aws:sts::${awsAccount}:assumed-role/${awsRole}/` };
  const azp = issuer.name === "keycloak" ? ["azp"] : [];
  return and(...["sub", ...azp, ...declared].map((name) => equals(claim(name), issuer.own[name] ?? "")));
}

/** A condition that the file states itself: of the tenant, so that the binding decides. */
function ownCondition(dice: Dice, issuer: Issuer, declared: readonly string[]): Condition | undefined {
  if (dice.chance(0.5)) return undefined;
  if (issuer.name === "aws") return equals(claim("account"), awsAccount);
  const tenant = issuer.tenantSubject;
  if (declared.length > 0 && dice.chance(0.7))
    return and(...declared.map((name) => equals(claim(name), issuer.own[name] ?? "")));
  return tenant === undefined ? undefined : { is: "startsWith", term: claim("sub"), value: tenant };
}

export function googleWorld(dice: Dice): GoogleWorld {
  const issuer = dice.pick(relied);
  const shape = shapeOf(dice, issuer);
  const declared = [
    ...new Set([
      ...(shape.claim !== undefined && issuer.declarable.includes(shape.claim) ? [shape.claim] : []),
      ...(issuer.declarable.length > 0 && dice.chance(0.5) ? [dice.pick(issuer.declarable)] : []),
    ]),
  ];
  const stated = shape.condition ?? ownCondition(dice, issuer, declared);
  const viaAccount = dice.chance(0.7);
  const neighbour = stated ? undefined : neighbourOf(dice, issuer, declared);
  const alternatives = [issuer.own, ...(neighbour ? [neighbour] : [])].map((own) =>
    pinned({ ...issuer, own }, declared),
  );
  const main: Provider = {
    project,
    pool,
    id: mainId,
    issuer,
    mapping: shape.mapping ?? (issuer.name === "aws" ? awsMapping : { "google.subject": subjectOf(issuer) }),
    condition: stated ?? (alternatives.length > 1 ? or(...alternatives) : pinned(issuer, declared)),
    disabled: false,
  };
  const member = { project, pool, tail: shape.tail };
  const grant: Grant = viaAccount
    ? { on: "account", role: workloadIdentityUser, member }
    : { on: "bucket", role: objectViewer, member };
  const base: GoogleState = { main, others: [], grants: [grant] };
  const { live, edits } = edited(dice, { base, issuer, declared, viaAccount });
  const target = {
    project,
    pool,
    poolProvider: mainId,
    ...(viaAccount ? { serviceAccount: sink } : {}),
    ...(shape.grant === undefined ? {} : { grant: shape.grant }),
    ...(shape.mapping ? { mapping: mappingTexts(shape.mapping) } : {}),
    ...(stated ? { condition: conditionText(stated) } : {}),
  };
  const resources = [`//storage.googleapis.com/projects/_/buckets/${bucket}`];
  const link = { from: fromOf(issuer, declared), to: { google: target }, may: [{ role: objectViewer, resources }] };
  const truth = truthOfGoogle(issuer.own, issuer, live, base);
  const file = fileOf(
    neighbour ? { target: link, neighbour: besideTarget(issuer, neighbour, declared, shape) } : { target: link },
  );
  return { to: "google", issuer, file, edits, base, live, truth };
}

/** A second workload of the file that shares the pool provider, and has an account of its own. */
function neighbourOf(dice: Dice, issuer: Issuer, declared: readonly string[]): Token | undefined {
  if (["aws", "entra", "keycloak"].includes(issuer.name) || !dice.chance(0.3)) return undefined;
  const others = issuer.siblings(() => []);
  const neighbour = dice.pick(others.length > 0 ? others : issuer.strangers(() => []));
  return declared.every((name) => neighbour[name] !== undefined) ? neighbour : undefined;
}

function besideTarget(issuer: Issuer, own: Token, declared: readonly string[], { mapping }: Shape): object {
  const google = {
    project,
    pool,
    poolProvider: mainId,
    serviceAccount: "other-sink",
    ...(mapping ? { mapping: mappingTexts(mapping) } : {}),
  };
  const resources = ["//storage.googleapis.com/projects/_/buckets/acme-others"];
  return { from: fromOf({ ...issuer, own }, declared), to: { google }, may: [{ role: objectViewer, resources }] };
}

export const mappingTexts = (mapping: Mapping): Record<string, string> =>
  Object.fromEntries(Object.entries(mapping).map(([key, mapped]) => [key, mappedText(mapped)]));

// ---- Live edits

/** What an edit starts from; `state` is what the edits before it left. */
interface Scene {
  readonly dice: Dice;
  readonly issuer: Issuer;
  readonly declared: readonly string[];
  readonly viaAccount: boolean;
  readonly base: GoogleState;
  readonly state: GoogleState;
}

/** Undefined where the edit does not apply to this world. */
type Edit = (scene: Scene) => GoogleState | undefined;

const withMain = ({ state }: Scene, change: Partial<Provider>): GoogleState => ({
  ...state,
  main: { ...state.main, ...change },
});
const withCondition = (scene: Scene, condition: Condition): GoogleState => withMain(scene, { condition });
const withGrant = ({ state }: Scene, grant: Grant): GoogleState => ({ ...state, grants: [...state.grants, grant] });
const withProvider = ({ state }: Scene, provider: Provider): GoogleState => ({
  ...state,
  others: [...state.others, provider],
});

/** The end of the member that the link grants to, in two parts. */
function granted({ base }: Scene): { readonly head: string; readonly value: string } {
  const member = base.grants[0]?.member;
  const tail = typeof member === "object" ? member.tail : "";
  const at = tail.indexOf("/");
  return { head: tail.slice(0, at), value: tail.slice(at + 1) };
}

/** The mapping's entry that decides whether a token is the member that the link grants to. */
function grantedKey(scene: Scene): string {
  const { head } = granted(scene);
  if (head === "subject") return "google.subject";
  return head === "group" ? "google.groups" : head;
}

/** A claim with the workload's own value, and that value. */
function ownPair({ dice, issuer, declared }: Scene): { readonly term: Term; readonly value: string } {
  const subject = issuer.name === "aws" ? "arn" : "sub";
  const name = declared.length > 0 && dice.chance(0.5) ? dice.pick(declared) : subject;
  return { term: claim(name), value: issuer.own[name] ?? "" };
}

/** Whether somebody else's value can be told from its form: of a random id anybody may have a part. */
const hasForm = ({ name }: Issuer): boolean => name !== "entra" && name !== "keycloak";

/** A claim that every customer chooses, with some value. */
function chosenPair({ dice, issuer }: Scene): Condition | undefined {
  if (issuer.chosen.length === 0) return undefined;
  const name = dice.pick(issuer.chosen);
  return equals(claim(name), name === "ref" ? "refs/heads/main" : "prod");
}

const current = ({ state }: Scene): readonly Condition[] => (state.main.condition ? [state.main.condition] : []);
const somebody = (on: Grant["on"]): string => (on === "account" ? workloadIdentityUser : objectViewer);
const place = ({ viaAccount }: Scene): Grant["on"] => (viaAccount ? "account" : "bucket");

/** Another pool provider in the link's own pool. */
const beside = (id: string, issuer: Issuer, mapping: Mapping): Provider => ({
  project,
  pool,
  id,
  issuer,
  mapping,
  disabled: false,
});

/** A mapping that gives everybody who comes the name that is granted to. */
function impostor(scene: Scene, subject: Term): Mapping {
  const { head, value } = granted(scene);
  if (head === "subject") return { "google.subject": { is: "constant", value } };
  // A list with a constant is left to another test: groups are taken from a claim here.
  if (head === "group") return { "google.subject": subject, "google.groups": { is: "list", claim: "group" } };
  return { "google.subject": subject, [head]: { is: "constant", value } };
}

/** Edits that mean no harm: nothing, something narrower, or something that does not matter. */
const quiet: Readonly<Record<string, Edit>> = {
  "narrowed by its own value": (scene) => {
    const { term, value } = ownPair(scene);
    return withCondition(scene, and(...current(scene), equals(term, value)));
  },
  "narrowed to a list": (scene) => {
    const { term, value } = ownPair(scene);
    return withCondition(scene, and(...current(scene), { is: "in", term, values: [value, "nobody-else"] }));
  },
  "narrowed by an anchored pattern": (scene) => {
    const { term, value } = ownPair(scene);
    return withCondition(scene, and(...current(scene), { is: "matches", term, text: value, anchored: true }));
  },
  "asks for a claim that is there": (scene) => {
    const { term } = ownPair(scene);
    return term.is === "claim"
      ? withCondition(scene, and(...current(scene), { is: "has", claim: term.claim }))
      : undefined;
  },
  "excludes somebody": (scene) => {
    const { term } = ownPair(scene);
    return withCondition(scene, and(...current(scene), { is: "not", part: equals(term, "somebody-else") }));
  },
  "one more alternative that nobody meets": (scene) => {
    const { term } = ownPair(scene);
    return withCondition(scene, or(...current(scene), and(equals(term, "one"), equals(term, "two"))));
  },
  "speaks of the mapped subject": (scene) => {
    const { head, value } = granted(scene);
    if (head === "group") return undefined;
    const name = head.replace(/^attribute\./, "");
    return withCondition(scene, and(...current(scene), equals(attribute(name), value)));
  },
  "the tenant alone, with its separator": (scene) => {
    const { tenantSubject } = scene.issuer;
    return tenantSubject === undefined
      ? undefined
      : withCondition(scene, { is: "startsWith", term: claim("sub"), value: tenantSubject });
  },
  "another provider that is switched off": (scene) =>
    withProvider(scene, {
      ...beside("switched-off", issuers.foreignOidc, impostor(scene, claim("sub"))),
      disabled: true,
    }),
  "another provider that yields nothing granted": (scene) => {
    if (granted(scene).head === "subject") return undefined;
    return withProvider(scene, beside("elsewhere", issuers.foreignOidc, { "google.subject": claim("sub") }));
  },
  "an administrator as token creator": (scene) =>
    scene.viaAccount
      ? withGrant(scene, { on: "account", role: tokenCreator, member: "user:alice@acme.example" })
      : undefined,
  "somebody who can only look": (scene) =>
    scene.viaAccount
      ? withGrant(scene, { on: "account", role: "roles/iam.serviceAccountViewer", member: "user:bob@acme.example" })
      : undefined,
  "a member whom nobody is": (scene) =>
    withGrant(scene, {
      on: place(scene),
      role: somebody(place(scene)),
      member: { project, pool, tail: "attribute.never_mapped/value" },
    }),
};

/** Edits that let somebody in, most of the time. */
const widening: Readonly<Record<string, Edit>> = {
  // Google refuses a pool provider without one for an issuer that serves everybody.
  "no condition": (scene) => {
    if (scene.issuer.shared) return undefined;
    const { condition: _, ...main } = scene.state.main;
    return { ...scene.state, main };
  },
  "a claim that everybody chooses": (scene) => {
    const chosen = chosenPair(scene);
    return chosen && withCondition(scene, or(...current(scene), chosen));
  },
  "everybody but somebody": (scene) => {
    const { term } = ownPair(scene);
    return withCondition(scene, { is: "not", part: equals(term, "somebody-else") });
  },
  "a claim that everybody has": (scene) => {
    const { term } = ownPair(scene);
    return term.is === "claim" ? withCondition(scene, { is: "has", claim: term.claim }) : undefined;
  },
  "no separator after the tenant": (scene) => {
    const { tenantSubject } = scene.issuer;
    if (tenantSubject === undefined) return undefined;
    return withCondition(scene, { is: "startsWith", term: claim("sub"), value: tenantSubject.slice(0, -1) });
  },
  "a beginning": (scene) => {
    const { term, value } = ownPair(scene);
    if (!hasForm(scene.issuer)) return undefined;
    return withCondition(scene, { is: "startsWith", term, value: value.slice(0, Math.ceil(value.length / 3)) });
  },
  "an end": (scene) => {
    const { term, value } = ownPair(scene);
    if (!hasForm(scene.issuer)) return undefined;
    return withCondition(scene, { is: "endsWith", term, value: value.slice(-3) });
  },
  "a part": (scene) => {
    const { term, value } = ownPair(scene);
    if (!hasForm(scene.issuer)) return undefined;
    return withCondition(scene, { is: "contains", term, value: value.slice(2) });
  },
  "the granted name from a claim that everybody chooses": (scene) => {
    const { issuer, dice, state } = scene;
    const key = grantedKey(scene);
    if (issuer.chosen.length === 0 || key === "google.subject") return undefined;
    const name = dice.pick(issuer.chosen);
    const mapped = key === "google.groups" ? ({ is: "list", claim: name } as const) : claim(name);
    const mapping = { ...state.main.mapping, [key]: mapped };
    return withMain(scene, { mapping, condition: { is: "has", claim: "sub" } });
  },
  "the granted name for everybody": (scene) => {
    const subject = subjectOf(scene.issuer);
    if (granted(scene).head === "group") return undefined;
    const everybody: Condition =
      scene.issuer.name === "aws" ? equals(claim("account"), awsAccount) : { is: "has", claim: "sub" };
    return withMain(scene, { mapping: impostor(scene, subject), condition: everybody });
  },
  "a foreign provider that says who it likes": (scene) => {
    const { head } = granted(scene);
    if (head === "subject")
      return withProvider(scene, beside("foreign", issuers.foreignOidc, { "google.subject": claim("sub") }));
    return withProvider(scene, beside("foreign", issuers.foreignOidc, impostor(scene, claim("sub"))));
  },
  "a foreign account's provider with the granted name": (scene) =>
    granted(scene).head === "group"
      ? undefined
      : withProvider(scene, beside("foreign-aws", issuers.foreignAws, impostor(scene, claim("arn")))),
  "a second provider of a shared issuer": (scene) => {
    const key = grantedKey(scene);
    const { issuer, state } = scene;
    if (!issuer.shared || key === "google.groups") return undefined;
    const mapping: Mapping = {
      "google.subject": claim("sub"),
      ...(key === "google.subject" ? {} : { [key]: state.main.mapping[key] ?? claim("sub") }),
    };
    const condition: Condition = { is: "has", claim: "sub" };
    return withProvider(scene, { ...beside("second", issuer, mapping), condition });
  },
  "everybody as token creator": (scene) =>
    scene.viaAccount
      ? withGrant(scene, {
          on: "account",
          role: tokenCreator,
          member: scene.dice.pick(["allUsers", "allAuthenticatedUsers"]),
        })
      : undefined,
  "the whole pool": (scene) => {
    const on = place(scene);
    return openMain(scene, withGrant(scene, { on, role: somebody(on), member: { project, pool, tail: "*" } }));
  },
  "the whole pool on the bucket": (scene) =>
    openMain(scene, withGrant(scene, { on: "bucket", role: objectViewer, member: { project, pool, tail: "*" } })),
  "the whole pool as token creator": (scene) =>
    scene.viaAccount
      ? openMain(scene, withGrant(scene, { on: "account", role: tokenCreator, member: { project, pool, tail: "*" } }))
      : undefined,
  "a wider attribute": (scene) => {
    const name = telling[scene.issuer.name];
    const { mapping } = scene.state.main;
    if (name === undefined) return undefined;
    const on = place(scene);
    const member = { project, pool, tail: `attribute.${name}/${scene.issuer.own[name]}` };
    const state = withMain(scene, { mapping: { ...mapping, [`attribute.${name}`]: claim(name) } });
    return openMain(scene, withGrant({ ...scene, state }, { on, role: somebody(on), member }));
  },
  "somebody else's whole pool": (scene) => {
    const member: Member = { project: foreignProject, pool: "their-pool", tail: "*" };
    const theirs: Provider = {
      ...beside("their-provider", issuers.foreignOidc, { "google.subject": claim("sub") }),
      project: foreignProject,
      pool: "their-pool",
    };
    const on = place(scene);
    const state = withProvider(scene, theirs);
    return withGrant({ ...scene, state }, { on, role: somebody(on), member });
  },
};

/** A pool whose provider lets everybody of the issuer in half of the time: else the whole pool is the link's own workload. */
function openMain({ dice, issuer }: Scene, state: GoogleState): GoogleState {
  if (dice.chance(0.4)) return state;
  const condition: Condition =
    issuer.name === "aws" ? equals(claim("account"), awsAccount) : { is: "has", claim: "sub" };
  return { ...state, main: { ...state.main, condition } };
}

/** Edits that put the link's own workload out. */
const breaking: Readonly<Record<string, Edit>> = {
  "a condition for somebody else": (scene) => {
    const { term } = ownPair(scene);
    return withCondition(scene, equals(term, "nobody-at-all"));
  },
  "one more condition that the workload fails": (scene) => {
    const { term, value } = ownPair(scene);
    return withCondition(scene, and(...current(scene), { is: "not", part: equals(term, value) }));
  },
  "its provider switched off": (scene) => withMain(scene, { disabled: true }),
  // Without an account in between, nothing but the bucket's own policy shows it: that is drift.
  "its grant taken away": ({ state, base, viaAccount }) =>
    viaAccount ? { ...state, grants: state.grants.filter((grant) => grant !== base.grants[0]) } : undefined,
};

interface Editing {
  readonly base: GoogleState;
  readonly issuer: Issuer;
  readonly declared: readonly string[];
  readonly viaAccount: boolean;
}

function edited(dice: Dice, editing: Editing): { readonly live: GoogleState; readonly edits: readonly string[] } {
  const edits: string[] = [];
  let live = editing.base;
  const apply = (of: Readonly<Record<string, Edit>>) => {
    const name = dice.pick(Object.keys(of).filter((one) => !edits.includes(one)));
    const next = of[name]?.({ ...editing, dice, state: live });
    if (!next) return;
    edits.push(name);
    live = next;
  };
  const roll = dice.pick([..."qqnnwwwwwwwb"]);
  if (roll === "q") apply(quiet);
  if (roll === "w") apply(widening);
  // Behind a narrow binding a wide condition lets nobody in, and the other way round: both are wide now and then.
  if (roll === "w" && dice.chance(0.6)) apply(widening);
  if (roll === "b") apply(breaking);
  if (roll !== "n" && dice.chance(0.15)) apply(quiet);
  return { live, edits };
}
