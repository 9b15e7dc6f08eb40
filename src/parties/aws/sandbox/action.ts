import type { Host } from "../../../sandbox/fake.ts";
import type { Params, Result } from "./query.ts";

/** One call of IAM, signed and permitted. The account is the caller's own: a role name has no other. */
export interface IamCall {
  readonly params: Params;
  readonly account: string;
  /** The caller's own too; the host shows what is in it alone. */
  readonly partition: string;
  readonly host: Host;
  /** Notes what AWS may refuse and the sandbox took. */
  readonly warn: (says: string) => void;
}

/** One action of IAM. Only those that do not write can be answered from an older state (`stale-read`). */
export interface IamAction {
  readonly write: boolean;
  run(call: IamCall): Result | Promise<Result>;
}
