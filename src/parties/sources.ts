import type { CredentialsAsk, Session, World } from "../model.ts";
import { credentials as aws, type ControlAccess } from "./aws/credentials.ts";
import { credentials as google } from "./google/credentials.ts";

type Source = (ask: CredentialsAsk, world: World) => Promise<Session>;

/**
 * Where the operator's own credentials come from in the cloud, by party; the vendors' libraries are loaded when asked.
 * `control`: in a deployed function, as whom it goes to other clouds. Throws a `CloudError` of class `credentials`
 * where there are none.
 */
export const sourcesFor = (control?: ControlAccess): Readonly<Record<string, Source>> => ({
  google,
  aws: (ask, world) => aws(ask, world, control),
});
