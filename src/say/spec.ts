import type { Json, Resource } from "../model.ts";

/** As much of a policy statement as is shown; a spec of another kind has no such member and shows none. */
interface Statement {
  readonly principal?: Readonly<Record<string, readonly string[]>>;
  readonly condition?: Readonly<Record<string, Readonly<Record<string, readonly Json[]>>>>;
}

/** What a thing that is about to be made will hold: rows of label, key, sign and value. */
export function specRows(resource: Resource): readonly (readonly string[])[] {
  const { trust, statement, managed, inline, boundary, document } = resource.spec as Readonly<
    Record<string, Json | undefined>
  >;
  const alone = statement === undefined ? [] : [statement as Statement];
  const statements = (trust as { statements?: readonly Statement[] } | undefined)?.statements ?? alone;
  const trusts = statements.flatMap(statementRows);
  const documents = [
    ...Object.values((inline ?? {}) as Readonly<Record<string, Document>>),
    (document ?? {}) as Document,
  ];
  const shown = documents.flatMap(({ statements: its = [] }) => its);
  const may = [...namesOf(managed), ...shown.filter(({ effect }) => effect === "Allow").map(permissionText)];
  const never = shown.filter(({ effect }) => effect !== "Allow").map(permissionText);
  return [
    ...poolRows(resource.spec),
    ...trusts.map((row, at) => [at === 0 ? "trusts" : "", ...row]),
    ...(typeof boundary === "string" ? [["within", shortName(boundary)]] : []),
    ...may.map((name, at) => [at === 0 ? "may" : "", name]),
    ...never.map((name, at) => [at === 0 ? "never" : "", name]),
  ];
}

/** Of a pool provider whom it believes, for which audiences, under which condition, and whom it makes of them. */
function poolRows({ source, audiences, conditions, mapping }: Resource["spec"]): readonly (readonly string[])[] {
  if (source === undefined || !Array.isArray(conditions)) return [];
  const takes = Array.isArray(audiences) && audiences.length > 0 ? [["takes", valueText(audiences)]] : [];
  const maps = Object.entries((mapping ?? {}) as Readonly<Record<string, string>>);
  return [
    ["trusts", /^\d{12}$/.test(valueText(source)) ? `aws ${valueText(source)}` : valueText(source)],
    ...takes,
    ...conditions.map((condition, at) => [at === 0 ? "if" : "or", valueText(condition)]),
    ...maps.map(([key, expression], at) => [at === 0 ? "maps" : "", `${key} = ${expression}`]),
  ];
}

/** The usual operator is shown as `=`; any other by its name, because it may match more than it seems to. */
const statementRows = (statement: Statement): readonly (readonly string[])[] =>
  Object.entries(statement.condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => [
      key,
      operator === "StringEquals" ? "=" : operator,
      values.map(valueText).join(" or "),
    ]),
  );

const namesOf = (managed: Json | undefined): readonly string[] =>
  Array.isArray(managed) ? managed.map((arn) => shortName(String(arn))) : [];

interface Document {
  readonly statements?: readonly Permission[];
}
interface Permission extends Statement {
  readonly effect?: string;
  readonly action?: readonly string[];
  readonly notAction?: readonly string[];
  readonly resource?: readonly string[];
}

/** What, on which things, and under which conditions: without these it would look like more than it is. */
function permissionText(statement: Permission): string {
  const { action = [], notAction, resource = [] } = statement;
  const what = notAction ? `anything but ${notAction.join(", ")}` : action.join(", ");
  const when = statementRows(statement).map(([key, sign, value]) => `${key} ${sign} ${value}`);
  return `${what}  on  ${resource.join(", ")}${when.length > 0 ? `  where ${when.join(" and ")}` : ""}`;
}

/** `arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess` -> its name. */
const shortName = (arn: string): string => arn.replace(/^arn:aws[a-z-]*:iam::(?:aws|\d{12}):policy\//, "");

/** A value for people: a reference that is not known yet says what it waits for. */
export function valueText(value: Json | undefined): string {
  if (value === undefined || value === null) return "(none)";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.length === 0 ? "(none)" : value.map(valueText).join(", ");
  const ref = value as { $ref?: string; field?: string };
  if (ref.$ref && ref.field) return `<${ref.field} of ${ref.$ref.split("/").at(-1)}, known after create>`;
  const statement = value as Permission;
  if (statement.effect !== undefined) return statementText(statement);
  return Object.entries(value as Readonly<Record<string, Json>>)
    .map(([key, member]) => `${key} ${valueText(member)}`)
    .join("; ");
}

/** A statement of a policy in one line: who under which conditions, or what on which things. */
function statementText(statement: Permission): string {
  const { effect, resource = [] } = statement;
  const deny = effect === "Allow" ? "" : `${effect} `;
  if (resource.length > 0) return `${deny}${permissionText(statement)}`;
  const conditions = statementRows(statement).map(([key, sign, value]) => `${key} ${sign} ${value}`);
  const who = Object.values(statement.principal ?? {})
    .flat()
    .join(", ");
  return `${deny}${[who, ...(conditions.length > 0 ? conditions : ["whoever it is"])].join("   ")}`;
}
