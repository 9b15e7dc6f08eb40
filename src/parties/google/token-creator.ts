import type {
  Address,
  ControlAsk,
  ControlWanted,
  Kind,
  Live,
  LivePresent,
  Ref,
  Resource,
  Spec,
  World,
} from "../../model.ts";
import { unlessMissing } from "../../run/retry.ts";
import { editBindings, isBound } from "./bindings.ts";
import { mintingRole } from "./grant.ts";
import { getPolicy, ofAccount } from "./policies.ts";

/** One member who may mint ID tokens of one account: the checker, for the links that it proves. */
export interface TokenCreatorSpec extends Spec {
  readonly project: string;
  readonly account: string;
  readonly member: string;
}

/**
 * On the account itself, never on its project (fact sheet reliability-and-security, 4.8). Too small for a mark: who
 * gave it cannot be told, so destroying takes it away from this member whoever did.
 */
export const tokenCreatorKind: Kind<TokenCreatorSpec> = {
  name: "google:tokenCreator",
  label: "google token creator",
  unmarked: true,
  read: (desired, _hints, world) => read(desired.spec, world),
  list: async () => ({ found: [], scopes: [], findings: [] }),
  put: async ({ desired }, world) => {
    await editBindings(world, ofAccount(desired.spec), { role: mintingRole, add: [desired.spec.member] });
    return present(desired.spec);
  },
  remove: async ({ live }, world) => {
    const edit = { role: mintingRole, remove: [live.spec.member] };
    await unlessMissing(editBindings(world, ofAccount(live.spec), edit));
    return [];
  },
};

const present = (spec: TokenCreatorSpec): LivePresent<TokenCreatorSpec> => ({
  ...{ state: "present", owner: "ours", spec, outputs: {} },
});

/** An account that is gone holds no grant. */
async function read(spec: TokenCreatorSpec, world: World): Promise<Live<TokenCreatorSpec>> {
  const policy = await unlessMissing(getPolicy(world, ofAccount(spec)));
  return policy && isBound(policy, mintingRole, spec.member) ? present(spec) : { state: "absent" };
}

function refsIn(value: unknown): readonly Ref[] {
  if (value === null || typeof value !== "object") return [];
  if ("$ref" in value && "field" in value) return [value as Ref];
  return Object.values(value).flatMap(refsIn);
}

/** The checker on every account that it has to speak as; where nobody mints for a link, or a canary is proved in its place, it need not. */
export function tokenCreators({ resources, control, judged }: ControlAsk): ControlWanted {
  // Whom a link starts from is referred to by its unique id; an account that a link ends at mints for nobody here.
  const starts = new Set(resources.flatMap(({ spec }) => refsIn(spec)).map(({ $ref }) => $ref));
  const grants = resources
    .filter(({ address }) => address.startsWith("google:serviceAccount/") && starts.has(address))
    .filter(({ links }) => links.some((link) => !judged.includes(link)))
    .filter(({ spec }) => spec.email !== control.checker)
    .map(({ spec }): Resource => {
      const [project, account] = [String(spec.project), String(spec.email)];
      const address: Address = `google:tokenCreator/${project}/${account}`;
      const member = `serviceAccount:${control.checker}`;
      return { address, links: ["checker"], hold: "own", spec: { project, account, member } };
    });
  return { resources: grants, findings: [] };
}
