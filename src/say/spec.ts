import type { Json, Resource } from "../model.ts";

/** As much of a policy statement as is shown; a spec of another kind has no such member and shows none. */
interface Statement {
  readonly principal?: Readonly<Record<string, readonly string[]>>;
  readonly condition?: Readonly<Record<string, Readonly<Record<string, readonly Json[]>>>>;
}

/** What a thing that is about to be made will hold: rows of label, key, sign and value. */
export function specRows(resource: Resource): readonly (readonly string[])[] {
  const { trust, managed, inline, boundary } = resource.spec as Readonly<Record<string, Json | undefined>>;
  const statements = (trust as { statements?: readonly Statement[] } | undefined)?.statements ?? [];
  const trusts = statements.flatMap(statementRows);
  const may = [...namesOf(managed), ...actionsOf(inline)];
  return [
    ...trusts.map((row, at) => [at === 0 ? "trusts" : "", ...row]),
    ...(typeof boundary === "string" ? [["within", shortName(boundary)]] : []),
    ...may.map((name, at) => [at === 0 ? "may" : "", name]),
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

function actionsOf(inline: Json | undefined): readonly string[] {
  const documents = Object.values(
    (inline ?? {}) as Readonly<
      Record<string, { statements?: readonly { action?: readonly string[]; resource?: readonly string[] }[] }>
    >,
  );
  return documents.flatMap((document) =>
    (document.statements ?? []).map(
      ({ action = [], resource = [] }) => `${action.join(", ")}  on  ${resource.join(", ")}`,
    ),
  );
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
  const statement = value as Shown;
  if (statement.effect !== undefined) return statementText(statement);
  return Object.entries(value as Readonly<Record<string, Json>>)
    .map(([key, member]) => `${key} ${valueText(member)}`)
    .join("; ");
}

interface Shown extends Statement {
  readonly effect?: string;
  readonly action?: readonly string[];
  readonly resource?: readonly string[];
}

/** A statement of a policy in one line: who under which conditions, or what on which things. */
function statementText(statement: Shown): string {
  const { effect, action = [], resource = [] } = statement;
  const deny = effect === "Allow" ? "" : `${effect} `;
  if (resource.length > 0) return `${deny}${action.join(", ")}  on  ${resource.join(", ")}`;
  const conditions = statementRows(statement).map(([key, sign, value]) => `${key} ${sign} ${value}`);
  const who = Object.values(statement.principal ?? {}).flat();
  return `${deny}${conditions.length > 0 ? conditions.join("   ") : `${who.join(", ")}, whoever it is`}`;
}
