import type { CredentialsAsk, Session } from "../model.ts";
import { credentials as aws } from "./aws/credentials.ts";
import { credentials as google } from "./google/credentials.ts";

/**
 * Where the operator's own credentials come from in the cloud, by party; the vendors' libraries are loaded
 * when asked. Throws a `CloudError` of class `credentials` where there are none.
 */
export const sources: Readonly<Record<string, (ask: CredentialsAsk) => Promise<Session>>> = { google, aws };
