import type { Party } from "../model.ts";
import { aws, shape as awsShape } from "./aws/index.ts";
import { entra, shape as entraShape } from "./entra/index.ts";
import { google, shape as googleShape } from "./google/index.ts";
import { oidc, shape as oidcShape } from "./oidc/index.ts";

/** The one list. A new party is one folder and one line here. */
export const parties: readonly Party[] = [google, entra, oidc, aws];

/** Their parts of the file, in the same order: the schema of the file is put together from them. */
export const shapes = [googleShape, entraShape, oidcShape, awsShape];
