import type { Host } from "../../../sandbox/fake.ts";
import type { Params, Result } from "./query.ts";

/** One call of IAM, signed and permitted. */
export interface IamCall {
  readonly params: Params;
  readonly account: string;
  readonly host: Host;
}

/** One action of IAM: what it answers, and whether it changes anything. */
export interface IamAction {
  readonly write: boolean;
  run(call: IamCall): Result;
}
