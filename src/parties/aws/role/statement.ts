import { createHash } from "node:crypto";
import { isMap, parsePolicy, renderPolicy, type Statement, textOf } from "../../../judge/aws/policy.ts";
import type {
  Address,
  Identity,
  Json,
  Kind,
  Leftovers,
  Link,
  Live,
  LivePresent,
  PutJob,
  Removal,
  Resource,
  Spec,
  World,
} from "../../../model.ts";
import { CloudError, serially, unlessMissing } from "../../../run/retry.ts";
import type { Account } from "../client.ts";
import { accessOf, type RoleTarget, roleOf } from "../shape.ts";
import { trustFor } from "../trust/build.ts";
import { getRole, writeRole } from "./calls.ts";
import { broadSubjects } from "./decisions.ts";
import { editText } from "./edit-text.ts";
import { statementWidens } from "./widens.ts";

/** The one statement a link needs in the trust of a used role; the rest is not ours and stays as read. */
export interface StatementSpec extends Spec {
  readonly account: string;
  /** The role's name. */
  readonly role: string;
  /** How ours is told from others: statements carry no tags. */
  readonly sid: string;
  /** A canonical statement, without its Sid. */
  readonly statement: Json;
}

/** Leftovers are not listed: a Sid is a hash, and looks like anybody's once its link has left the file. */
export const statementKind: Kind<StatementSpec> = {
  name: "aws:trustStatement",
  label: "aws trust statement",
  unmarked: true,
  onUsed: true,
  read: readStatement,
  list: async (): Promise<Leftovers> => ({ found: [], scopes: [], findings: [] }),
  put: putStatement,
  widens: statementWidens,
  remove: (target, world) => removeStatement(target, world).then(() => []),
};

/** The Sid is a hash: it takes letters and digits only (IAM user guide, "Sid"), a link's name more. */
export function statementResource(link: Link, identity: Identity): Resource<StatementSpec> {
  const { account, name, partition } = roleOf(link);
  const [statement] = trustFor({ identity, audience: link.audience, account, partition }).statements;
  const digest = createHash("sha256").update(`${link.deployment}/${link.name}`).digest("hex");
  const spec = {
    account,
    role: name,
    sid: `Crosstrust${digest.slice(0, 16)}`,
    statement: statement as unknown as Json,
  };
  return {
    address: addressOf({ account, name }, link),
    links: [link.name],
    hold: "own",
    spec,
    access: accessOf(link),
    decisions: broadSubjects(link, identity),
  };
}

/** By link and not by Sid: a plan shows it to people. */
const addressOf = ({ account, name }: Pick<RoleTarget, "account" | "name">, link: Link): Address =>
  `aws:trustStatement/${account}/${name}/${link.name}`;

const accountOf = ({ spec, access }: Pick<Resource<StatementSpec>, "spec" | "access">): Account => ({
  account: spec.account,
  ...(access ? { access } : {}),
});

/** The document as it stands, its statements untouched: they are somebody else's. */
interface Document {
  /** As it stands, percent-decoded. */
  readonly text: string;
  /** Version, Id and whatever else stands there, written back untouched. */
  readonly raw: Readonly<Record<string, unknown>>;
  readonly statements: readonly unknown[];
}

/** Not brought into canonical form, for it is written back. Throws class `missing` or `malformed`. */
async function readDocument(
  world: World,
  desired: Pick<Resource<StatementSpec>, "spec" | "access">,
): Promise<Document> {
  const role = await getRole(world, { account: accountOf(desired), name: desired.spec.role });
  const text = decodeURIComponent(role.AssumeRolePolicyDocument);
  const raw: unknown = JSON.parse(text);
  if (!isMap(raw)) throw unreadable(desired.spec.role);
  const list = raw.Statement;
  return { text, raw, statements: Array.isArray(list) ? list : list === undefined ? [] : [list] };
}

const unreadable = (role: string): CloudError =>
  new CloudError({
    class: "malformed",
    service: "aws.iam",
    operation: "GetRole",
    code: "",
    status: 200,
    message: `the trust policy of ${role} is not a policy document`,
  });

const sidOf = (statement: unknown): unknown => (isMap(statement) ? statement.Sid : undefined);

/** An equal statement serves, whoever wrote it; one with our Sid is ours, whatever became of it. */
async function readStatement(
  desired: Resource<StatementSpec>,
  _hints: readonly string[],
  world: World,
): Promise<Live<StatementSpec>> {
  const document = await unlessMissing(readDocument(world, desired));
  if (!document) return { state: "absent" };
  const version = String(document.raw.Version ?? "2008-10-17");
  const parsed = document.statements.map((statement) => ({
    sid: sidOf(statement),
    statement: canonical(version, statement),
  }));
  const ours = parsed.find(({ sid }) => sid === desired.spec.sid);
  const same = parsed.find(({ statement }) => text(statement) === text(desired.spec.statement));
  const found = ours ?? same;
  if (!found) return { state: "absent" };
  return present({ ...desired.spec, statement: found.statement as unknown as Json }, ours ? "ours" : "foreign");
}

const present = (spec: StatementSpec, owner: "ours" | "foreign"): LivePresent<StatementSpec> => ({
  state: "present",
  owner,
  spec,
  outputs: {},
});

/** One live statement in the spelling of the desired one; undefined where it is no statement. */
const canonical = (version: string, statement: unknown): Statement | undefined =>
  parsePolicy(JSON.stringify({ Version: version, Statement: [statement] }))?.statements[0];

/** A statement as one text. Members keep their order, so this is narrower than equality by meaning. */
const text = (statement: unknown): string =>
  statement === undefined ? "" : textOf({ version: "", statements: [statement as Statement] });

/** UpdateAssumeRolePolicy replaces the whole document and has no etag: one writer at a time here, and a look afterwards. */
function rewrite(
  world: World,
  target: Pick<Resource<StatementSpec>, "spec" | "access">,
  statements: (there: readonly unknown[]) => readonly unknown[],
): Promise<void> {
  const { account, role } = target.spec;
  return serially(world, `aws:role/${account}/${role}`, async () => {
    const document = await readDocument(world, target);
    const after = statements(document.statements);
    const whole = () => JSON.stringify({ ...document.raw, Statement: after });
    const PolicyDocument = editText(document.text, document.statements, after) ?? whole();
    await writeRole(
      world,
      { account: accountOf(target), name: role },
      { operation: "UpdateAssumeRolePolicy", input: { PolicyDocument } },
    );
  });
}

/** Ours goes to the end, in place of what has its Sid; the document keeps its own version. */
async function putStatement({ desired }: PutJob<StatementSpec>, world: World): Promise<LivePresent<StatementSpec>> {
  const { sid, statement } = desired.spec;
  const rendered: unknown = JSON.parse(
    renderPolicy({ version: "2012-10-17", statements: [statement as unknown as Statement] }, [sid]),
  );
  const mine = isMap(rendered) && Array.isArray(rendered.Statement) ? rendered.Statement[0] : undefined;
  const replaced = [sid, nobody.Sid] as readonly unknown[];
  await rewrite(world, desired, (there) => [...there.filter((one) => !replaced.includes(sidOf(one))), mine]);
  return present(desired.spec, "ours");
}

/** What takes the place of the last statement: a trust policy holds at least one. It lets nobody in. */
const nobody = {
  ...{ Sid: "CrosstrustLetsNobodyIn", Effect: "Deny", Principal: { AWS: "*" } },
  Action: ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"],
};

/** By Sid alone: an equal statement that somebody else wrote stays. */
async function removeStatement({ live, access }: Removal<StatementSpec>, world: World): Promise<void> {
  const target = { spec: live.spec, ...(access ? { access } : {}) };
  await rewrite(world, target, (there) => {
    const kept = there.filter((one) => sidOf(one) !== live.spec.sid);
    return kept.length > 0 ? kept : [nobody];
  });
}
