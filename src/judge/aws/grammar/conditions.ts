import { operatorOf } from "../policy.ts";
import { isDate } from "./dates.ts";
import { type Fault, legacy, syntax } from "./faults.ts";
import { itemsOf, type Member, type Node } from "./json.ts";

/** What is wrong with the conditions of one statement (policy grammar, `condition_block`). */
export function conditionFaults(node: Node): readonly Fault[] {
  if (node.kind !== "object") return [syntax(node.at, "Condition holds an object of operators")];
  return [...twice(node.members), ...node.members.flatMap(operatorFaults)];
}

/** IAM keeps an operator without keys whatever its name (moto's table of valid documents). */
function operatorFaults({ name, at, value }: Member): readonly Fault[] {
  if (value.kind !== "object") return [syntax(value.at, `${name} holds an object of condition keys`)];
  const { base, ifExists } = operatorOf(name);
  if (value.members.length === 0) return [];
  if (!base) return [syntax(at, `${name} is no condition operator`)];
  if (base === "Null" && ifExists) return [syntax(at, "Null takes no IfExists: it asks whether the key is there")];
  return [...twice(value.members), ...value.members.flatMap((key) => keyFaults(key, base))];
}

function keyFaults({ name, value }: Member, base: string): readonly Fault[] {
  return itemsOf(value).flatMap((one) => {
    if (one.kind === "object" || one.kind === "list" || one.kind === "null") {
      return [syntax(one.at, `a value of ${name} is a text, a number or a boolean`)];
    }
    const wrong = base.startsWith("Date") && one.kind === "text" && !one.value.includes("${") && !isDate(one.value);
    return wrong ? [legacy(one.at, `${one.value} is neither an ISO 8601 date nor a number of seconds`)] : [];
  });
}

/** A name may come once in an object; of two the reader of a policy cannot tell which one counts. */
export function twice(members: readonly Member[]): readonly Fault[] {
  const names = members.map(({ name }) => name);
  return members
    .filter(({ name }, at) => names.indexOf(name) < at)
    .map(({ name, at }) => syntax(at, `${name} comes twice in one object`));
}
